//! The tables of `models`, `roles` and `tenants`.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::route::WEIGHT_MAX;
use Change::Live;
use Presence::{Default, Otherwise, Required};

pub(super) const MODEL: Table = Table {
    section: Section::Model,
    name: "models.NAME",
    one_of: &[],
    fields: &[
        Field::new(
            "split",
            Kind::List(&Kind::Map(Section::Split), 1, Some(1)),
            Required,
            Live,
            "[{ pool: llama }]",
            "the pools that serve the name",
        ),
        Field::new(
            "sticky",
            Kind::Choice(&["none"]),
            Default("none"),
            Live,
            "none",
            "whose requests stay with one pool",
        ),
    ],
};

pub(super) const SPLIT: Table = Table {
    section: Section::Split,
    name: "models.NAME.split",
    one_of: &[],
    fields: &[
        Field::new("pool", Kind::Text(&form::POOL), Required, Live, "llama", "the pool"),
        Field::new(
            "weight",
            Kind::Count(WEIGHT_MAX),
            Otherwise("-"),
            Live,
            "100",
            "its share; means nothing yet, with one pool",
        ),
    ],
};

pub(super) const ROLE: Table = Table {
    section: Section::Role,
    name: "roles.NAME",
    one_of: &[],
    fields: &[Field::new(
        "models",
        Kind::List(&Kind::Text(&form::PATTERN), 0, None),
        Required,
        Live,
        "['qwen-*']",
        "what a key with the role may use; an empty list allows nothing",
    )],
};

pub(super) const TENANT: Table = Table {
    section: Section::Tenant,
    name: "tenants.NAME",
    one_of: &[],
    fields: &[
        Field::new(
            "models",
            Kind::List(&Kind::Text(&form::PATTERN), 0, None),
            Default("['*']"),
            Live,
            "['qwen-*', e5]",
            "what the tenant may use",
        ),
        Field::new(
            "keys",
            Kind::List(&Kind::Map(Section::Key), 0, None),
            Default("[]"),
            Live,
            "[{ name: ci, sha256: 5a64fe93fe7a86ed94eb10a1ed9dfb3a18ecb7f3c2a3e0f87b7a43e8a4b3b1f0 }]",
            "keys that stand in the configuration",
        ),
    ],
};

pub(super) const KEY: Table = Table {
    section: Section::Key,
    name: "tenants.NAME.keys",
    one_of: &[],
    fields: &[
        Field::new(
            "name",
            Kind::Text(&form::PLAIN_NAME),
            Required,
            Live,
            "ci",
            "one of its kind in the tenant; the key's id in records is `yaml:TENANT/NAME`",
        ),
        Field::new(
            "sha256",
            Kind::Text(&form::SHA256),
            Required,
            Live,
            "5a64fe93fe7a86ed94eb10a1ed9dfb3a18ecb7f3c2a3e0f87b7a43e8a4b3b1f0",
            "SHA-256 of the key; never the key",
        ),
        Field::new(
            "roles",
            Kind::List(&Kind::Text(&form::ROLE), 1, None),
            Otherwise("all that the tenant has"),
            Live,
            "[user]",
            "what it may use",
        ),
        Field::new(
            "user",
            Kind::Text(&form::PLAIN_NAME),
            Otherwise("none"),
            Live,
            "kim",
            "the user it is for, shown in records",
        ),
        Field::new(
            "expires",
            Kind::Text(&form::TIME),
            Otherwise("never"),
            Live,
            "2030-01-31",
            "time from which it is refused",
        ),
    ],
};
