//! The tables of `pools`: how a server is picked, and what the servers are asked for it.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::affinity::{BOUND_PERCENT_BOUNDS, REMEMBER_BOUNDS};
use crate::balance::{INTERVAL_BOUNDS, MAX_ACTIVE_MAX, STALE_AFTER_MAX};
use Change::Live;
use Presence::{Default, Otherwise};

pub(super) const BALANCE: Table = Table {
    section: Section::Balance,
    name: "pools.NAME.balance",
    one_of: &[],
    fields: &[
        Field::new(
            "by",
            Kind::Choice(&["round_robin", "least_request", "load", "latency"]),
            Default("least_request"),
            Live,
            "round_robin",
            "one after the other; the less busy of two drawn at random; or that with weights from \
             what the engines report: of their load, or of how soon they answer (both not for \
             `openai`, nor with host names in `endpoints`)",
        ),
        Field::new(
            "max_active",
            Kind::Count(MAX_ACTIVE_MAX as u64),
            Default("32"),
            Live,
            "8",
            "requests at once that one server does well with: the measure of its load; only with \
             `by: load`, or with `spill`",
        )
        .beside(&[("by", "load")]),
        Field::new(
            "affinity",
            Kind::Choice(&["none", "user", "prefix"]),
            Default("none"),
            Live,
            "prefix",
            "which requests go to one server: those of one user, or those that begin alike, so \
             that the engine still has the beginning in its cache; not with host names in \
             `endpoints`",
        ),
        Field::new(
            "bound",
            Kind::Percent(*BOUND_PERCENT_BOUNDS.start(), *BOUND_PERCENT_BOUNDS.end()),
            Default("150%"),
            Live,
            "125%",
            "the most that a server's load may be of the pool's average; above it, another one is \
             taken",
        )
        .beside(&[("affinity", "prefix")]),
        Field::new(
            "remember",
            Kind::Duration(*REMEMBER_BOUNDS.start(), *REMEMBER_BOUNDS.end()),
            Default("10m"),
            Live,
            "1h",
            "how long it is remembered who has served what",
        )
        .beside(&[("affinity", "prefix")]),
    ],
};

pub(super) const METRICS: Table = Table {
    section: Section::Metrics,
    name: "pools.NAME.metrics",
    one_of: &[],
    fields: &[
        Field::new(
            "path",
            Kind::Text(&form::URL_PATH),
            Default("/metrics"),
            Live,
            "/prometheus",
            "path of the Prometheus text",
        ),
        Field::new(
            "port",
            Kind::Count(u16::MAX as u64),
            Otherwise("the server's own"),
            Live,
            "8002",
            "port of it",
        ),
        Field::new(
            "interval",
            Kind::Duration(*INTERVAL_BOUNDS.start(), *INTERVAL_BOUNDS.end()),
            Default("1s"),
            Live,
            "250ms",
            "time between two questions to one server",
        ),
        Field::new(
            "stale_after",
            Kind::Count(STALE_AFTER_MAX as u64),
            Default("5"),
            Live,
            "3",
            "after how many intervals without an answer the last one counts no more",
        ),
    ],
};
