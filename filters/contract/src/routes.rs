//! Which pool and which server serve a request, as the filter is told.

use crate::policy::MediaKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A name that callers ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The pools that serve it where no rule says otherwise, with their shares.
    pub split: Vec<ShareConfig>,
    /// What keeps a caller on the pool that he was given once.
    #[serde(default, skip_serializing_if = "Sticky::is_none")]
    pub sticky: Sticky,
    /// The word that is hashed beside the caller, so that two splits divide callers
    /// independently; empty: the model's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub experiment: String,
    /// Pools that are tried in this order where the chosen one fails before the first
    /// byte of its answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<String>,
    /// The first one that fits decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleConfig>,
    /// Where a share of the requests is sent as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowConfig>,
    /// The masking policy of its requests, where the key names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masking: Option<String>,
    /// The limits of all its requests together, by their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<String>,
}

impl ModelConfig {
    /// A model that one pool serves, and that nothing else is said of.
    #[must_use]
    pub fn of_pool(pool: &str) -> ModelConfig {
        let all = ShareConfig { pool: pool.to_owned(), weight: 1 };
        ModelConfig { split: vec![all], ..ModelConfig::default() }
    }
}

/// Whether `weights` can take the place of those of a `split`: they are of the same pools, and
/// not all 0.
#[must_use]
pub fn weights_fit<P: Ord>(weights: &BTreeMap<P, u32>, split: &BTreeMap<P, u32>) -> bool {
    weights.keys().eq(split.keys()) && weights.values().any(|weight| *weight > 0)
}

/// A pool's share of the requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareConfig {
    /// The pool.
    pub pool: String,
    /// Its part of the sum of all weights; 0: none.
    pub weight: u32,
}

/// Models whose names fit a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyConfig {
    /// `*` stands for any run of characters.
    pub pattern: String,
    /// What serves them.
    pub model: ModelConfig,
}

/// What keeps a caller on the pool that he was given once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sticky {
    /// Nothing: each request is drawn by itself.
    #[default]
    None,
    /// The user; where none is known, the key.
    User,
    /// The key.
    Key,
    /// The value of this header, in lower case; where it is missing, the key.
    Header(String),
}

impl Sticky {
    /// Whether each request is drawn by itself.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Sticky::None
    }
}

/// Requests that are served by other pools than the model's others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// All that has to be true of the request.
    pub when: WhenConfig,
    /// The pools, with their shares.
    pub split: Vec<ShareConfig>,
}

/// What has to be true of a request; what is not there is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhenConfig {
    /// Headers, their names in lower case, with patterns of their values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// One of these tenants asks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
    /// The caller has one of these roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// One of these patterns fits the path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Whether a stream is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// The prompt has more tokens than this, as estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_over: Option<u64>,
    /// The prompt has at most so many tokens, as estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_up_to: Option<u64>,
    /// The language that most of the prompt is written in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Whether the request carries a medium of one of these kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<MediaKind>,
}

/// What a prompt is written in, told by its letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// At least a fifth of its letters are Hangul.
    Korean,
    /// Any other.
    Other,
}

/// Where a share of the requests is sent as well; its answers are dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShadowConfig {
    /// The pool.
    pub pool: String,
    /// How many of a million requests.
    pub per_million: u32,
}

/// Which requests go to the same server of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum AffinityConfig {
    /// None: the balancing decides alone.
    #[default]
    None,
    /// Those of one user.
    User(AffinityBounds),
    /// Those that begin alike, so that the engine still has the beginning in its cache.
    Prefix(AffinityBounds),
}

/// How far affinity goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AffinityBounds {
    /// The most that a server's load may be of the pool's average, in percent: above it,
    /// another one is taken.
    pub bound_percent: u32,
    /// How long it is remembered who has served what, in seconds.
    pub remember_s: u32,
}

impl AffinityConfig {
    /// Whether the balancing decides alone.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == AffinityConfig::None
    }
}
