//! What a key digest stands for, and how the keyring travels to the gateways.

use crate::fleet::Fleet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The holder of a key, as the data plane needs it. The key itself is nowhere:
/// an entry is found by the SHA-256 of the key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Patterns over model names beside the roles; none means no further bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// The masking policy of its requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masking: Option<String>,
    /// The limits of the key itself, by their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<String>,
    /// Whether the key has a budget of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub budget: bool,
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Unix second up to which some nonce is remembered by the control plane; 0: none is.
    #[serde(default)]
    pub nonces_until_s: u64,
    /// All credentials for signed requests, where the receiver has another version of
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmac: Option<HmacSet>,
    /// The key of the placeholders' tags, where the receiver has another version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masking: Option<MaskingKey>,
    /// How many gateways share the limits; each enforces its part of them. 0 is read as 1.
    #[serde(default)]
    pub gateways: u32,
    /// Tells the budgets from any others: what was leased by others goes back. 0: not said.
    #[serde(default)]
    pub budgets: u64,
    /// Whether usage can hardly be written any more: billable requests are refused before a
    /// record can be lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spool_full: bool,
    /// The servers of pools with affinity, where the receiver has another version of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<Fleet>,
}

/// The key of the placeholders' tags. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskingKey {
    /// Tells one key from another; says nothing of it.
    pub version: String,
    /// Its bytes, in hexadecimal.
    pub key: String,
}

impl fmt::Debug for MaskingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskingKey").field("version", &self.version).finish_non_exhaustive()
    }
}

/// Everybody who may sign requests. It stands in the configuration, is small, and
/// is sent as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HmacSet {
    /// Tells one content from another; says nothing of it.
    pub version: String,
    /// In the order of their ids.
    pub entries: Vec<HmacEntry>,
}

/// Somebody who may sign requests. Its `Debug` does not show the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HmacEntry {
    /// The credential's id, as in the header and in usage records.
    pub id: String,
    /// The secret; its bytes are the key of the HMAC.
    pub secret: String,
    /// The tenant that is billed.
    pub tenant: String,
    /// The user, if the credential is one user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Roles; none means all that the tenant has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The masking policy of its requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masking: Option<String>,
}

impl fmt::Debug for HmacEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacEntry")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// How many authentications one gateway has refused since its process began, by
/// [`crate::refusal::Code`]: what the audit trail is told, in place of each of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalReport {
    /// Tells one process from another: the Unix time of its start in milliseconds.
    pub process: String,
    /// Refusals by code, from the start on.
    pub refused: BTreeMap<String, u64>,
}
