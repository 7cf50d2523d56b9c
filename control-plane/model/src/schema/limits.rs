//! The tables of `limits`, `organisations` and budgets.

use super::{Change, Field, Kind, Presence, Section, Table};
use crate::limits::{CONCURRENT_MAX, REQUESTS_MAX, TOKENS_MAX};
use Change::Live;
use Presence::{Otherwise, Required};

pub(super) const LIMITS: Table = Table {
    section: Section::Limits,
    name: "limits.NAME",
    one_of: &[],
    fields: &[
        Field::new(
            "requests_per_minute",
            Kind::Count(REQUESTS_MAX as u64),
            Otherwise("no limit"),
            Live,
            "600",
            "requests that come back in a minute, evenly",
        ),
        Field::new(
            "burst",
            Kind::Count(REQUESTS_MAX as u64),
            Otherwise("same as `requests_per_minute`"),
            Live,
            "60",
            "requests that may come at once after a pause",
        )
        .beside(&[("requests_per_minute", "600")]),
        Field::new(
            "tokens_per_minute",
            Kind::Count(TOKENS_MAX as u64),
            Otherwise("no limit"),
            Live,
            "200000",
            "tokens, of prompts and answers, that come back in a minute; as many may be used at once",
        ),
        Field::new(
            "concurrent",
            Kind::Count(CONCURRENT_MAX as u64),
            Otherwise("no limit"),
            Live,
            "32",
            "requests under way",
        ),
    ],
};

pub(super) const ORGANISATION: Table = Table {
    section: Section::Organisation,
    name: "organisations.NAME",
    one_of: &[],
    fields: &[Field::new(
        "budget",
        Kind::Map(Section::Budget),
        Otherwise("none"),
        Live,
        "{ dollars: 1000, per: month }",
        "what all of its tenants together may spend",
    )],
};

pub(super) const BUDGET: Table = Table {
    section: Section::Budget,
    name: "budget",
    one_of: &[],
    fields: &[
        Field::new(
            "dollars",
            Kind::Money,
            Required,
            Live,
            "250.00",
            "how much; `0`: nothing may be spent",
        ),
        Field::new(
            "per",
            Kind::Choice(&["hour", "day", "month", "total"]),
            Required,
            Live,
            "month",
            "the time in UTC after which it is whole again; `total`: it never is",
        ),
    ],
};
