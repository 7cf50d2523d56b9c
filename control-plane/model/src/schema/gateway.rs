//! The tables of the document and of `gateway`.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::gateway::{IDLE_BOUNDS, MAX_BODY_BYTES_LEAST, WORKERS_MAX};
use crate::retry::{SERVER_ERRORS, TOO_MANY_REQUESTS};
use Change::{Envoy, Live, Said, Start};
use Presence::{Default, Otherwise, Required};
use contract::limits::MAX_BODY_BYTES_MAX;

pub(super) const ROOT: Table = Table {
    section: Section::Root,
    name: "configuration",
    one_of: &[],
    fields: &[
        Field::new("version", Kind::Count(1), Required, Said("–"), "1", "version of this format"),
        Field::new(
            "gateway",
            Kind::Map(Section::Gateway),
            Default("{}"),
            Said("see below"),
            "{}",
            "where callers come in",
        ),
        Field::new(
            "control",
            Kind::Map(Section::Control),
            Default("{}"),
            Said("see below"),
            "{}",
            "the control plane",
        ),
        Field::new(
            "pools",
            Kind::Named(&form::PLAIN_NAME, &Kind::Map(Section::Pool)),
            Default("{}"),
            Live,
            "{ llama: { engine: vllm, model: m, endpoints: [http://10.0.0.11:8000] }, qwen: { engine: \
             vllm, model: m, endpoints: [http://10.0.0.21:8000] } }",
            "sets of equal inference servers",
        ),
        Field::new(
            "models",
            Kind::Named(
                &form::MODEL_NAME,
                &Kind::Either(&[Kind::Text(&form::POOL), Kind::Map(Section::Model)]),
            ),
            Default("{}"),
            Live,
            "{ llama: llama }",
            "names that callers ask for",
        ),
        Field::new(
            "roles",
            Kind::Named(&form::PLAIN_NAME, &Kind::Map(Section::Role)),
            Default("{}"),
            Live,
            "{ user: { models: ['*'] } }",
            "what keys may use",
        ),
        Field::new(
            "limits",
            Kind::Named(&form::PLAIN_NAME, &Kind::Map(Section::Limits)),
            Default("{}"),
            Live,
            "{ standard: { concurrent: 32 } }",
            "what may be used in a minute and at a time; named, so that others can refer to it",
        ),
        Field::new(
            "organisations",
            Kind::Named(&form::PLAIN_NAME, &Kind::Map(Section::Organisation)),
            Default("{}"),
            Live,
            "{ northwind: {} }",
            "whose tenants share a budget",
        ),
        Field::new(
            "tenants",
            Kind::Named(&form::TENANT_NAME, &Kind::Map(Section::Tenant)),
            Default("{}"),
            Live,
            "{ acme: { models: ['*'] } }",
            "who is billed",
        ),
        Field::new(
            "auth",
            Kind::Map(Section::Auth),
            Default("{}"),
            Said("see below"),
            "{ stale_for: 1h }",
            "how callers are told apart beyond keys",
        ),
        Field::new(
            "masking",
            Kind::Map(Section::Masking),
            Default("{}"),
            Live,
            "{ policies: { default: {}, strict: { types: { default: block } } } }",
            "what must not reach an engine",
        ),
    ],
};

pub(super) const GATEWAY: Table = Table {
    section: Section::Gateway,
    name: "gateway",
    one_of: &[],
    fields: &[
        Field::new(
            "listen",
            Kind::Text(&form::ADDRESS),
            Default("127.0.0.1:8080"),
            Start,
            "0.0.0.0:8443",
            "address for callers",
        ),
        Field::new(
            "expose_pool",
            Kind::Truth,
            Default("false"),
            Live,
            "true",
            "adds `x-tollgate-pool` to answers",
        ),
        Field::new(
            "max_body",
            Kind::Size(MAX_BODY_BYTES_LEAST, MAX_BODY_BYTES_MAX),
            Default("20MiB"),
            Live,
            "4MiB",
            "largest request body; a larger one is 413",
        ),
        Field::new(
            "stream_idle_timeout",
            Kind::Duration(*IDLE_BOUNDS.start(), *IDLE_BOUNDS.end()),
            Default("60s"),
            Said("live, for new requests"),
            "2m",
            "how long an upload or a streamed answer may be silent before it is ended",
        ),
        Field::new(
            "replay_body",
            Kind::Size(MAX_BODY_BYTES_LEAST, MAX_BODY_BYTES_MAX),
            Default("4MiB"),
            Live,
            "1MiB",
            "largest request body that is sent again after a failure; with a larger one there is \
             one attempt, and the answer has `x-tollgate-retry: off`",
        ),
        Field::new(
            "retry",
            Kind::Map(Section::Retry),
            Default("{}"),
            Live,
            "{ budget: 10% }",
            "after which failures a request goes to another server or pool",
        ),
        Field::new(
            "zone",
            Kind::Text(&form::PLAIN_NAME),
            Otherwise("not known"),
            Live,
            "eu-1b",
            "where the gateway is: servers of the same zone are tried before those of others",
        ),
        Field::new(
            "workers",
            Kind::Count(WORKERS_MAX as u64),
            Otherwise("number of cores"),
            Envoy,
            "2",
            "Envoy's worker threads (`--concurrency`)",
        ),
        Field::new(
            "tls",
            Kind::Map(Section::GatewayTls),
            Otherwise("plain text"),
            Said("live, the files too"),
            "{ cert: server.pem, key: server-key.pem }",
            "what callers are shown",
        ),
    ],
};

pub(super) const TLS: Table = Table {
    section: Section::GatewayTls,
    name: "gateway.tls",
    one_of: &[],
    fields: &[
        Field::new(
            "cert",
            Kind::Text(&form::PATH),
            Required,
            Live,
            "server.pem",
            "certificate chain, a PEM file",
        ),
        Field::new("key", Kind::Text(&form::PATH), Required, Live, "server-key.pem", "its key"),
        Field::new(
            "client_ca",
            Kind::Text(&form::PATH),
            Otherwise("callers are asked for no certificate"),
            Live,
            "clients.pem",
            "who must have signed the certificates that callers may show, a PEM file",
        ),
    ],
};

pub(super) const RETRY: Table = Table {
    section: Section::Retry,
    name: "gateway.retry",
    one_of: &[],
    fields: &[
        Field::new(
            "on",
            Kind::List(&FAILURE, 0, None),
            Default("[connect, reset, 429, 5xx]"),
            Live,
            "[connect, 503]",
            "a connection that could not be made, one that broke before the answer began, \
             statuses of the engine",
        ),
        Field::new(
            "budget",
            Kind::Percent(1, 100),
            Default("100%"),
            Live,
            "20%",
            "the most of a pool's requests under way that may be attempts after the first; a hundred \
             may in any case, and all where the request can go on to another pool",
        ),
    ],
};

const FAILURE: Kind = Kind::Either(&[
    Kind::Choice(&["connect", "reset", "5xx"]),
    Kind::Whole(TOO_MANY_REQUESTS as u64, TOO_MANY_REQUESTS as u64),
    Kind::Whole(*SERVER_ERRORS.start() as u64, *SERVER_ERRORS.end() as u64),
]);
