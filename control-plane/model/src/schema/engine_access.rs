//! The tables of `pools`: which servers, how they are spoken to, and how much at once.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::breakers::BREAKER_MAX;
use crate::place::PLACE_WEIGHT_MAX;
use Change::Live;
use Presence::{Otherwise, Required};

pub(super) const ENDPOINT: Table = Table {
    section: Section::Endpoint,
    name: "pools.NAME.endpoints",
    one_of: &[],
    fields: &[
        Field::new(
            "url",
            Kind::Text(&form::ENDPOINT),
            Required,
            Live,
            "https://10.0.0.11:8443",
            "the server, without a path; the short form is this alone",
        ),
        Field::new(
            "zone",
            Kind::Text(&form::PLAIN_NAME),
            Otherwise("as near as the nearest"),
            Live,
            "eu-1a",
            "where it is; needs `gateway.zone`",
        ),
        Field::new(
            "weight",
            Kind::Count(PLACE_WEIGHT_MAX as u64),
            Otherwise("`1`"),
            Live,
            "2",
            "its share of the requests beside the other servers'",
        ),
    ],
};

pub(super) const TLS: Table = Table {
    section: Section::EngineTls,
    name: "pools.NAME.tls",
    one_of: &[],
    fields: &[Field::new(
        "ca",
        Kind::Text(&form::PATH),
        Required,
        Live,
        "engines-ca.pem",
        "who must have signed their certificates, a PEM file; nobody else is believed",
    )],
};

pub(super) const CREDENTIALS: Table = Table {
    section: Section::Credentials,
    name: "pools.NAME.credentials",
    one_of: &[],
    fields: &[
        Field::new(
            "header",
            Kind::Text(&form::HEADER),
            Required,
            Live,
            "authorization",
            "the header; a caller's own is removed",
        ),
        Field::new(
            "value",
            Kind::Text(&form::HEADER_VALUE),
            Required,
            Live,
            "Bearer ${ENGINE_KEY}",
            "its whole value; take `${NAME}` or `${file:PATH}` for the secret in it",
        ),
    ],
};

pub(super) const BREAKERS: Table = Table {
    section: Section::Breakers,
    name: "pools.NAME.breakers",
    one_of: &[],
    fields: &[
        breaker("requests", "500", "requests"),
        breaker("waiting", "100", "requests that wait for a connection"),
        breaker("connections", "200", "connections"),
    ],
};

/// The most of something.
const fn breaker(name: &'static str, example: &'static str, meaning: &'static str) -> Field {
    Field::new(
        name,
        Kind::Count(BREAKER_MAX as u64),
        Otherwise("as many as come"),
        Live,
        example,
        meaning,
    )
}
