//! API keys as the control plane keeps them. The key itself is nowhere; only
//! its SHA-256 is.

use crate::budget::Budget;
use serde::{Deserialize, Serialize};

/// A key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its id, as in usage records; unique among created keys.
    pub id: String,
    /// SHA-256 of the key, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// What people call it.
    pub name: String,
    /// The tenant that is billed.
    pub tenant: String,
    /// The user it is made for.
    pub user: Option<String>,
    /// Roles; none means all that the tenant has.
    pub roles: Vec<String>,
    /// Patterns over model names; none means no further bound.
    pub models: Vec<String>,
    /// The masking policy of its requests.
    pub masking: Option<String>,
    /// The limits of the key itself, by their name.
    pub limits: Option<String>,
    /// What may be spent with it.
    pub budget: Option<Budget>,
    /// Unix time in seconds from which it is refused.
    pub expires_at_s: Option<u64>,
    /// Unix time in seconds of the making.
    pub at_s: u64,
}

/// What a key is replaced by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSecret {
    /// The new key's id; unique among created keys.
    pub id: String,
    /// SHA-256 of the new key, 64 hexadecimal digits in lower case.
    pub sha256: String,
}

/// A key as it is listed: all but its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The tenant that is billed.
    pub tenant: String,
    /// The user it is made for.
    pub user: Option<String>,
    /// Roles; none means all that the tenant has.
    pub roles: Vec<String>,
    /// Patterns over model names; none means no further bound.
    #[serde(default)]
    pub models: Vec<String>,
    /// The masking policy of its requests.
    #[serde(default)]
    pub masking: Option<String>,
    /// The limits of the key itself, by their name.
    #[serde(default)]
    pub limits: Option<String>,
    /// What may be spent with it. The amount of a configured key stands in the
    /// configuration alone.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// Whether it stands in the configuration file.
    pub configured: bool,
    /// Unix time in seconds of the making.
    pub created_at_s: u64,
    /// Unix time in seconds from which it is refused.
    pub expires_at_s: Option<u64>,
    /// Unix time in seconds of the revocation.
    pub revoked_at_s: Option<u64>,
    /// Unix time in seconds of its last request that is in the ledger.
    #[serde(default)]
    pub last_used_at_s: Option<u64>,
    /// The id of the key that it stands in for.
    #[serde(default)]
    pub rotated_from: Option<String>,
    /// The id of the key that stands in for it.
    #[serde(default)]
    pub replaced_by: Option<String>,
}

/// What came of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// It works no longer.
    Revoked,
    /// It did not work before either.
    AlreadyRevoked,
    /// There is no such key.
    Unknown,
    /// It stands in the configuration file and is revoked there.
    Configured,
}

/// What came of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// There is a new key with all that the old one had.
    Rotated {
        /// The new key.
        key: Box<Key>,
        /// Unix time in seconds from which the old one is refused.
        old_valid_until_s: u64,
    },
    /// There is no such key.
    Unknown,
    /// It was revoked.
    Revoked,
    /// Its time is over.
    Expired,
    /// It was rotated before, into this key.
    Replaced {
        /// The id of that key.
        by: String,
    },
    /// It stands in the configuration file and is rotated there.
    Configured,
}

/// What came of taking over the keys of the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaticKeysChange {
    /// Keys that were added, changed or removed.
    pub changed: usize,
    /// Ids of configured keys whose digest belongs to a created key. They count
    /// for nothing: what was created and revoked must not come back by a file.
    pub ignored: Vec<String>,
}
