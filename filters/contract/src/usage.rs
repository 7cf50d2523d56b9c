//! What a request used, as the filter tells it to the ledger: two values in
//! Envoy's filter state that the access log writes with every line.

use crate::masking::PiiType;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the token counts of a record come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The engine's final count.
    Engine,
    /// The engine's running count, of an answer that was cut.
    Running,
    /// Counted by Tollgate.
    Estimated,
    /// Nothing was counted.
    #[default]
    None,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The client was sent the whole answer.
    Complete,
    /// The client left before the end.
    ClientLeft,
    /// The engine broke off, was too slow or answered with an error.
    EngineFailed,
    /// The budget could not pay for more.
    CutByBudget,
    /// The gateway died; what is billed is the last that it had written.
    GatewayLost,
    /// The gateway refused.
    Refused,
}

/// Who asked for what: known once the caller is, and written again when the
/// model, the pool or a refusal is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The tenant that is billed.
    pub tenant: String,
    /// The key's id.
    pub key: String,
    /// The organisation that the tenant is of, where it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The user: of the credential, or of the body where that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The leases that the request was reserved from, by their numbers: the cost is posted
    /// to their accounts in their periods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leases: Vec<u64>,
    /// The model that was asked for, when it exists for this caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The pool that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// The path without its query: one of the gateway's own, or `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether a stream was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// Prices of the chosen pool at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_version: Option<String>,
    /// The client's own request id, when it was well-formed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<String>,
    /// The code of the refusal, when the gateway refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How many values were masked, by type; those that were only counted too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub masked: BTreeMap<PiiType, u64>,
}

/// The running count of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Prompt tokens, the cached ones included.
    #[serde(default, rename = "in", skip_serializing_if = "is_zero")]
    pub input: u64,
    /// Prompt tokens that came from the engine's cache.
    #[serde(default, rename = "cached", skip_serializing_if = "is_zero")]
    pub cached_input: u64,
    /// Generated tokens, the reasoning ones included.
    #[serde(default, rename = "out", skip_serializing_if = "is_zero")]
    pub output: u64,
    /// Generated tokens of reasoning.
    #[serde(default, rename = "reason", skip_serializing_if = "is_zero")]
    pub reasoning: u64,
    /// Images of the request.
    #[serde(default, rename = "img", skip_serializing_if = "is_zero")]
    pub images: u64,
    /// Pages of its documents.
    #[serde(default, rename = "pg", skip_serializing_if = "is_zero")]
    pub pages: u64,
    /// Milliseconds of sound that the engine says it has heard.
    #[serde(default, rename = "audio", skip_serializing_if = "is_zero")]
    pub audio_ms: u64,
    /// Milliseconds from the request's leaving for an engine to the answer's end, or until
    /// now; counted where the pool has a price for it.
    #[serde(default, rename = "gpu", skip_serializing_if = "is_zero")]
    pub gpu_ms: u64,
    /// Where the counts come from.
    #[serde(default, rename = "src")]
    pub source: Source,
    /// Milliseconds from the request's start to the first data of a stream.
    #[serde(default, rename = "first", skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u64>,
    /// Whether the filter saw the answer's end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// Whether the engine reported an error inside the answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Whether the gateway broke the answer off because the engine said nothing more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
    /// Whether the budget ended the answer: the gateway cut it, or it was as long as the
    /// `max_tokens` that the budget could pay for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}
