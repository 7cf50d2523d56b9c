//! What a key digest stands for, and how the keyring travels to the gateways.

use serde::{Deserialize, Serialize};

/// The holder of a key, as the data plane needs it. The key itself is nowhere:
/// an entry is found by the SHA-256 of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// The key's id, as in usage records.
    pub id: String,
    /// The tenant that is billed.
    pub tenant: String,
    /// The user the key was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Roles; none means all that the tenant has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Unix time in seconds from which the key is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_s: Option<u64>,
}

/// One change of the keyring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// SHA-256 of the key, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// `None`: the key was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<KeyEntry>,
}

/// An answer of the long poll: what changed since the version that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyringDelta {
    /// Which history the versions count in; another one makes every entry that
    /// was delivered before void.
    pub epoch: String,
    /// The version that the receiver has once `changes` are applied.
    pub version: u64,
    /// Whether more changes wait: ask again at once.
    #[serde(default)]
    pub more: bool,
    /// In the order in which they happened.
    pub changes: Vec<KeyChange>,
}
