//! A usage record, and what can be asked about records. The names are those
//! of the ledger, the exports and the admin API alike.

use contract::usage::{End, Source};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Latest time of a record: the end of the year 9999, in Unix milliseconds. A
/// line that claims more is malformed.
pub const AT_MS_MAX: u64 = 253_402_207_200_000 - 1;

/// One authenticated request, ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRecord {
    /// Made by the gateway, unique.
    pub id: String,
    /// The client's own id.
    pub client_request_id: Option<String>,
    /// When the request began, in Unix milliseconds; RFC 3339 in UTC outside.
    #[serde(rename = "at", with = "rfc3339")]
    pub at_ms: u64,
    /// The tenant that is billed.
    pub tenant: String,
    /// The key's id.
    pub key: String,
    /// The user, where the credential names one.
    pub user: Option<String>,
    /// The model that was asked for.
    pub model: Option<String>,
    /// The pool that served.
    pub pool: Option<String>,
    /// `address:port` of the engine.
    pub endpoint: Option<String>,
    /// The path without its query.
    pub path: Option<String>,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// Status towards the client; 499 when it left before there was one, 0 when
    /// the gateway died before there was one.
    pub status: u16,
    /// The code of the error that the gateway answered with.
    pub code: Option<String>,
    /// Prompt tokens, the cached ones included.
    pub input_tokens: u64,
    /// Prompt tokens from the engine's cache.
    pub cached_input_tokens: u64,
    /// Generated tokens, the reasoning ones included.
    pub output_tokens: u64,
    /// Generated tokens of reasoning.
    pub reasoning_tokens: u64,
    /// Where the counts come from.
    pub source: Source,
    /// How the request ended.
    pub end: End,
    /// What it costs.
    pub cost_nanodollars: i64,
    /// The prices it was computed by.
    pub price_version: Option<String>,
    /// Milliseconds to the first data of a stream.
    pub first_token_ms: Option<u64>,
    /// Milliseconds from start to end.
    pub duration_ms: u64,
    /// How many values were masked, by type.
    pub masked: BTreeMap<String, u64>,
    /// The organisation that the tenant was of.
    #[serde(default)]
    pub organisation: Option<String>,
    /// How many engines were tried; the one that answered is billed.
    #[serde(default)]
    pub attempts: u64,
    /// Images of the request.
    #[serde(default)]
    pub images: u64,
    /// Pages of its documents.
    #[serde(default)]
    pub pages: u64,
    /// Milliseconds of sound that the engine heard.
    #[serde(default)]
    pub audio_ms: u64,
    /// Milliseconds that an engine worked on it, where that has a price.
    #[serde(default)]
    pub gpu_ms: u64,
    /// The leases that paid, by their numbers.
    #[serde(skip)]
    pub leases: Vec<u64>,
}

impl UsageRecord {
    /// The word that its source is written as.
    #[must_use]
    pub const fn source_word(&self) -> &'static str {
        match self.source {
            Source::Engine => "engine",
            Source::Running => "running",
            Source::Estimated => "estimated",
            Source::None => "none",
        }
    }

    /// The word that its end is written as.
    #[must_use]
    pub const fn end_word(&self) -> &'static str {
        match self.end {
            End::Complete => "complete",
            End::ClientLeft => "client_left",
            End::EngineFailed => "engine_failed",
            End::CutByBudget => "cut_by_budget",
            End::GatewayLost => "gateway_lost",
            End::Refused => "refused",
        }
    }
}

/// Which records; `None` is all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UsageFilter {
    /// Of this tenant.
    pub tenant: Option<String>,
    /// With this key.
    pub key: Option<String>,
    /// Of this user.
    pub user: Option<String>,
    /// For this model.
    pub model: Option<String>,
    /// Served by this pool.
    pub pool: Option<String>,
    /// Of a tenant of this organisation.
    pub organisation: Option<String>,
    /// Begun at or after this Unix millisecond.
    pub since_ms: Option<u64>,
    /// Begun before this Unix millisecond.
    pub until_ms: Option<u64>,
}

/// What sums are taken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// The organisation.
    Organisation,
    /// The tenant.
    Tenant,
    /// The key's id.
    Key,
    /// The user.
    User,
    /// The model that was asked for.
    Model,
    /// The pool that served.
    Pool,
    /// The day of the start, in UTC.
    Day,
}

/// Sums over records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageSum {
    /// The organisation, tenant, key, user, model, pool or day (`YYYY-MM-DD`); `None` where records
    /// have no such word.
    pub group: Option<String>,
    /// Records.
    pub requests: u64,
    /// Prompt tokens.
    pub input_tokens: u64,
    /// Cached prompt tokens.
    pub cached_input_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// Generated tokens of reasoning.
    pub reasoning_tokens: u64,
    /// Cost.
    pub cost_nanodollars: i64,
    /// What corrections of these records add to it.
    #[serde(default)]
    pub corrected_nanodollars: i64,
    /// Images.
    #[serde(default)]
    pub images: u64,
    /// Pages.
    #[serde(default)]
    pub pages: u64,
    /// Milliseconds of sound.
    #[serde(default)]
    pub audio_ms: u64,
    /// Milliseconds of engines' work.
    #[serde(default)]
    pub gpu_ms: u64,
}

/// RFC 3339 in UTC with milliseconds.
pub(crate) mod rfc3339 {
    use jiff::Timestamp;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
    pub fn serialize<S: Serializer>(at_ms: &u64, to: S) -> Result<S::Ok, S::Error> {
        let at_ms = i64::try_from(*at_ms).map_err(S::Error::custom)?;
        let at = Timestamp::from_millisecond(at_ms).map_err(S::Error::custom)?;
        to.collect_str(&format_args!("{at:.3}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let text = String::deserialize(from)?;
        let at: Timestamp = text.parse().map_err(D::Error::custom)?;
        u64::try_from(at.as_millisecond()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn record(id: &str) -> UsageRecord {
        UsageRecord {
            id: id.to_owned(),
            client_request_id: None,
            at_ms: 1_795_252_163_120,
            tenant: "acme".to_owned(),
            key: "k1".to_owned(),
            user: Some("ann".to_owned()),
            model: Some("llama".to_owned()),
            pool: Some("llama-70b".to_owned()),
            endpoint: Some("127.0.0.1:9".to_owned()),
            path: Some("/v1/chat/completions".to_owned()),
            stream: true,
            status: 200,
            code: None,
            input_tokens: 16,
            cached_input_tokens: 4,
            output_tokens: 14,
            reasoning_tokens: 2,
            source: Source::Engine,
            end: End::Complete,
            cost_nanodollars: 34_800,
            price_version: Some("i1-c1-o1".to_owned()),
            first_token_ms: Some(12),
            duration_ms: 90,
            masked: BTreeMap::new(),
            organisation: Some("org".to_owned()),
            attempts: 1,
            images: 0,
            pages: 0,
            audio_ms: 0,
            gpu_ms: 0,
            leases: Vec::new(),
        }
    }

    #[test]
    fn a_record_outside_has_the_names_and_the_order_that_users_rely_on() {
        let text = serde_json::to_string(&record("r1")).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"id":"r1","client_request_id":null,"at":"2026-11-21T09:09:23.120Z","#,
                r#""tenant":"acme","key":"k1","user":"ann","model":"llama","pool":"llama-70b","#,
                r#""endpoint":"127.0.0.1:9","path":"/v1/chat/completions","stream":true,"#,
                r#""status":200,"code":null,"input_tokens":16,"cached_input_tokens":4,"#,
                r#""output_tokens":14,"reasoning_tokens":2,"source":"engine","end":"complete","#,
                r#""cost_nanodollars":34800,"price_version":"i1-c1-o1","first_token_ms":12,"#,
                r#""duration_ms":90,"masked":{},"organisation":"org","attempts":1,"images":0,"#,
                r#""pages":0,"audio_ms":0,"gpu_ms":0}"#
            )
        );
        assert_eq!(serde_json::from_str::<UsageRecord>(&text).unwrap(), record("r1"));
    }

    #[test]
    fn the_latest_time_can_be_written() {
        let last = UsageRecord { at_ms: AT_MS_MAX, ..record("r1") };
        assert!(serde_json::to_string(&last).unwrap().contains("9999-12-30T"));
        let beyond = UsageRecord { at_ms: u64::MAX, ..record("r1") };
        assert!(serde_json::to_string(&beyond).is_err());
    }
}
