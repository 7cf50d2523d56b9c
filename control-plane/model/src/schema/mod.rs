//! What may stand in the configuration: one table from which the documentation
//! and the JSON Schema are made, and which the readers are held to.
//!
//! A reader that asks for a field of which the table knows nothing is stopped by a
//! debug assertion; the tests try every row on the readers: its example, the ends
//! of its bounds and what lies beyond, its default.

mod auth;
mod balance;
mod control;
mod discover;
mod engine_access;
mod form;
mod gateway;
mod json;
mod limits;
mod masking;
mod media;
mod models;
mod pools;
mod tenants;
mod words;

#[cfg(test)]
mod documents;
#[cfg(test)]
mod documents_tests;
#[cfg(test)]
mod json_tests;
#[cfg(test)]
mod markdown;

pub use json::json_schema;

pub(crate) use form::Form;

use std::time::Duration;

/// A kind of map in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    Root,
    Gateway,
    GatewayTls,
    Retry,
    Control,
    XdsPort,
    XdsTls,
    XdsEnvoy,
    Canary,
    Pool,
    Endpoint,
    EngineTls,
    Credentials,
    Breakers,
    Discover,
    Dns,
    Kubernetes,
    Consul,
    Balance,
    Metrics,
    Health,
    Ejection,
    Price,
    Media,
    Model,
    Split,
    Rule,
    When,
    Shadow,
    Role,
    Deny,
    Limits,
    Organisation,
    Budget,
    Tenant,
    Users,
    Key,
    Credential,
    Auth,
    Hmac,
    Issuer,
    Claims,
    Masking,
    MaskingPolicy,
    MaskingTypes,
    Detector,
}

/// What may stand in one kind of map.
pub(crate) struct Table {
    pub section: Section,
    /// What it is called in the JSON Schema and in the documentation.
    pub name: &'static str,
    pub fields: &'static [Field],
    /// Of these exactly one stands there.
    pub one_of: &'static [&'static str],
}

/// One field of a map.
pub(crate) struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub presence: Presence,
    pub change: Change,
    /// YAML that is accepted.
    pub example: &'static str,
    pub meaning: &'static str,
    /// Fields that have to stand beside it, with YAML for each.
    pub beside: &'static [(&'static str, &'static str)],
}

/// What a value may be.
pub(crate) enum Kind {
    /// From the one to the other.
    Duration(Duration, Duration),
    /// Bytes, from the one to the other.
    Size(u64, u64),
    /// A whole number from 1.
    Count(u64),
    /// A whole number from the one to the other.
    Whole(u64, u64),
    /// A whole number of percent, from the one to the other.
    Percent(u32, u32),
    /// Percent with digits after the point, above none of them.
    Share,
    /// From `0` to `1`.
    Score,
    Truth,
    Money,
    /// Text of a form.
    Text(&'static Form),
    /// One of these words.
    Choice(&'static [&'static str]),
    Map(Section),
    /// A list of at least and at most so many.
    List(&'static Kind, usize, Option<usize>),
    /// A map of names of the form.
    Named(&'static Form, &'static Kind),
    Either(&'static [Kind]),
}

/// What leaving a field out means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    /// The same as this YAML.
    Default(&'static str),
    /// Something that cannot be written as a value; `-` says nothing of it.
    Otherwise(&'static str),
}

/// When a changed value counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// At once.
    Live,
    /// From the next start on.
    Start,
    /// From the next start on, with another Envoy.
    Envoy,
    /// As these words say; none where the fields in it say it.
    Said(&'static str),
}

impl Change {
    /// As the documentation says it.
    pub const fn words(self) -> &'static str {
        match self {
            Change::Live => "live",
            Change::Start => "start",
            Change::Envoy => "start; Envoy is replaced",
            Change::Said(words) => words,
        }
    }
}

impl Field {
    /// A field that may stand alone, with its example.
    const fn new(
        name: &'static str,
        kind: Kind,
        presence: Presence,
        change: Change,
        example: &'static str,
        meaning: &'static str,
    ) -> Field {
        Field { name, kind, presence, change, example, meaning, beside: &[] }
    }

    const fn beside(mut self, fields: &'static [(&'static str, &'static str)]) -> Field {
        self.beside = fields;
        self
    }
}

/// Every table.
pub(crate) const TABLES: &[&Table] = &[
    &gateway::ROOT,
    &gateway::GATEWAY,
    &gateway::TLS,
    &gateway::RETRY,
    &control::CONTROL,
    &control::XDS,
    &control::XDS_TLS,
    &control::XDS_ENVOY,
    &control::CANARY,
    &pools::POOL,
    &engine_access::ENDPOINT,
    &engine_access::TLS,
    &engine_access::CREDENTIALS,
    &engine_access::BREAKERS,
    &discover::DISCOVER,
    &discover::DNS,
    &discover::KUBERNETES,
    &discover::CONSUL,
    &balance::BALANCE,
    &balance::METRICS,
    &pools::HEALTH,
    &pools::EJECTION,
    &pools::PRICE,
    &media::MEDIA,
    &models::MODEL,
    &models::SPLIT,
    &models::RULE,
    &models::WHEN,
    &models::SHADOW,
    &tenants::ROLE,
    &tenants::DENY,
    &limits::LIMITS,
    &limits::ORGANISATION,
    &limits::BUDGET,
    &tenants::TENANT,
    &tenants::USERS,
    &tenants::KEY,
    &tenants::CREDENTIAL,
    &auth::AUTH,
    &auth::HMAC,
    &auth::ISSUER,
    &auth::CLAIMS,
    &masking::MASKING,
    &masking::POLICY,
    &masking::TYPES,
    &masking::DETECTOR,
];

/// The table of `section`; the tests hold that there is one.
pub(crate) fn table(section: Section) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.section == section).copied()
}

/// Whether the table of `section` has the field.
pub(crate) fn has(section: Section, name: &str) -> bool {
    table(section).is_some_and(|table| table.fields.iter().any(|field| field.name == name))
}

/// Holds `text` against a file of the repository; `GOLDEN=write` writes it anew.
#[cfg(test)]
fn golden(path: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, text).unwrap();
    }
    let read = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = read.lines().zip(text.lines()).find(|(read, text)| read != text);
    let hint = "differs; GOLDEN=write cargo test -p model writes it anew";
    assert_eq!(differing, None, "{} {hint}", path.display());
    assert!(read == text, "{} {hint}", path.display());
}
