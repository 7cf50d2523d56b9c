//! The audit trail: who did what, in rows that are chained by their hashes.
//!
//! A row's hash is SHA-256 over the hash before and the row, so that a row that is
//! altered, removed, put in or moved breaks the chain at its place. Who can write
//! the database can also compute the chain anew from there on, or cut its end off:
//! that is found only against a [`Head`] that was noted elsewhere.

use crate::error::Error;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// What the first row goes on from.
pub const GENESIS: [u8; HASH_BYTES] = [0; HASH_BYTES];

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Somebody with the admin token, or who tried without.
    Admin,
    /// The configuration file.
    Config,
    /// A gateway, of its callers.
    Gateway,
    /// The control plane itself.
    System,
}

impl Actor {
    /// The word in the row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Actor::Admin => "admin",
            Actor::Config => "config",
            Actor::Gateway => "gateway",
            Actor::System => "system",
        }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A key was made; the subject of this and the next three is its id.
    KeyCreated,
    /// A key was replaced by another.
    KeyRotated,
    /// A key of the configuration was given another meaning.
    KeyChanged,
    /// A key was made void.
    KeyRevoked,
    /// A configuration was put in force; the subject is its version.
    ConfigApplied,
    /// A configuration was refused; the subject is its version.
    ConfigRefused,
    /// A credential was used for the first time on a day in UTC; the subject is its id.
    AuthAccepted,
    /// A gateway refused callers; the subject is the gateway's process.
    AuthRefused,
    /// Somebody came to the admin API with a wrong token.
    AdminRefused,
    /// A control plane began; the subject is its version.
    ControlStarted,
    /// The cost of a usage record was corrected; the subject is the record's id.
    RecordCorrected,
    /// The split of a model was given other weights; the subject of this and the next
    /// two is the model.
    RolloutSet,
    /// A step of a model's weights was taken back.
    RolloutUndone,
    /// The weights of the configuration hold again.
    RolloutReset,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 14] = [
        Action::KeyCreated,
        Action::KeyRotated,
        Action::KeyChanged,
        Action::KeyRevoked,
        Action::ConfigApplied,
        Action::ConfigRefused,
        Action::AuthAccepted,
        Action::AuthRefused,
        Action::AdminRefused,
        Action::ControlStarted,
        Action::RecordCorrected,
        Action::RolloutSet,
        Action::RolloutUndone,
        Action::RolloutReset,
    ];

    /// The word in the row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Action::KeyCreated => "key.created",
            Action::KeyRotated => "key.rotated",
            Action::KeyChanged => "key.changed",
            Action::KeyRevoked => "key.revoked",
            Action::ConfigApplied => "config.applied",
            Action::ConfigRefused => "config.refused",
            Action::AuthAccepted => "auth.accepted",
            Action::AuthRefused => "auth.refused",
            Action::AdminRefused => "admin.refused",
            Action::ControlStarted => "control.started",
            Action::RecordCorrected => "record.corrected",
            Action::RolloutSet => "rollout.set",
            Action::RolloutUndone => "rollout.undone",
            Action::RolloutReset => "rollout.reset",
        }
    }
}

/// Something to be noted. Subject and detail are ids of our own, numbers, and names that
/// the configuration or an admin gave, users among them: never a secret, and no text
/// that a client made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// To what; empty where there is nothing to name.
    pub subject: String,
    /// What else is worth knowing.
    pub detail: Map<String, Value>,
}

impl AuditEvent {
    /// An event that says nothing more yet.
    #[must_use]
    pub fn new(at_ms: u64, actor: Actor, action: Action, subject: impl Into<String>) -> Self {
        AuditEvent { at_ms, actor, action, subject: subject.into(), detail: Map::new() }
    }

    /// Says one thing more of it.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }
}

/// A row of the trail, as it stands there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its number, counted from 1 without gaps.
    pub seq: u64,
    /// When, in Unix milliseconds; RFC 3339 in UTC outside.
    #[serde(rename = "at", with = "crate::record::rfc3339")]
    pub at_ms: u64,
    /// Who did it, as [`Actor::as_str`].
    pub actor: String,
    /// What was done, as [`Action::as_str`].
    pub action: String,
    /// To what; empty where there is nothing to name.
    pub subject: String,
    /// What else is worth knowing.
    pub detail: Value,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

/// Which rows; `None` is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// At or after this Unix millisecond.
    pub since_ms: Option<u64>,
    /// Before this Unix millisecond.
    pub until_ms: Option<u64>,
    /// Of this action.
    pub action: Option<String>,
    /// About this subject.
    pub subject: Option<String>,
    /// At most so many, the newest.
    pub limit: u32,
}

/// The end of the trail; noted elsewhere, it proves what was written until then.
/// Written `SEQ:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the last row; 0 before the first.
    pub seq: u64,
    /// Its hash.
    pub hash: [u8; HASH_BYTES],
}

impl Head {
    /// The head of a trail without rows.
    pub const GENESIS: Head = Head { seq: 0, hash: GENESIS };
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, hex::encode(self.hash))
    }
}

/// A text that is no [`Head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no head of the audit trail; write SEQ:HASH, as the last verification said it")]
pub struct NotAHead;

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let (seq, digits) = text.split_once(':').ok_or(NotAHead)?;
        let mut hash = GENESIS;
        hex::decode_to_slice(digits, &mut hash).map_err(|_| NotAHead)?;
        // `parse` alone would take a sign.
        let digits_only = seq.bytes().all(|byte| byte.is_ascii_digit());
        let seq = digits_only.then(|| seq.parse().ok()).flatten().ok_or(NotAHead)?;
        Ok(Head { seq, hash })
    }
}

impl Serialize for Head {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Every row is as it was written. Whether rows were cut off the end is known
    /// only where a head was to be compared with.
    Whole {
        /// How many there are.
        rows: u64,
        /// The last of them.
        head: Head,
    },
    /// Something was tampered with.
    Broken {
        /// The first row that is not, or is not there, as it was written.
        seq: u64,
        /// In which way.
        why: Fault,
    },
}

/// How a trail is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A number is left out.
    #[error("the row is missing")]
    Missing,
    /// The hash is another.
    #[error("the row was altered, put in or moved: its hash does not fit it and the row before")]
    Altered,
    /// A value is of another type than any that is written.
    #[error("the row holds what was never written")]
    Unreadable,
    /// The trail ends before the known head.
    #[error("the trail was cut: it ends before the known head")]
    Cut,
    /// The chain fits, but it is not the one with the known head.
    #[error("the trail was written anew: this row or one before is not that of the known head")]
    Rewritten,
}

/// The fields of a row that its hash covers, as they are stored.
pub(crate) struct Sealed<'a> {
    pub seq: i64,
    pub at_ms: i64,
    pub actor: &'a str,
    pub action: &'a str,
    pub subject: &'a str,
    pub detail: &'a str,
}

impl Sealed<'_> {
    /// The hash of the row after one with the hash `before`. Numbers are eight bytes,
    /// the highest first, and so is the length before each text: no two rows have
    /// the same bytes.
    pub fn hash(&self, before: &[u8; HASH_BYTES]) -> [u8; HASH_BYTES] {
        let mut hasher = Sha256::new_with_prefix(before);
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.at_ms.to_be_bytes());
        for text in [self.actor, self.action, self.subject, self.detail] {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        hasher.finalize().into()
    }
}

/// Verifies rows one after the other; it keeps nothing of them but the last hash.
pub(crate) struct Verification {
    head: Head,
    known: Option<Head>,
}

impl Verification {
    pub fn against(known: Option<Head>) -> Self {
        Verification { head: Head::GENESIS, known }
    }

    /// The number that the next row must have.
    pub fn expected(&self) -> u64 {
        self.head.seq.saturating_add(1)
    }

    /// Takes the next row; a fault ends the verification.
    pub fn take(&mut self, row: &Sealed<'_>, hash: &[u8]) -> Result<(), Verdict> {
        let seq = self.expected();
        if u64::try_from(row.seq) != Ok(seq) {
            // None is ever numbered below 1: such a row was put in.
            let why = if row.seq < 1 { Fault::Altered } else { Fault::Missing };
            return Err(Verdict::Broken { seq, why });
        }
        let due = row.hash(&self.head.hash);
        if hash != due {
            return Err(Verdict::Broken { seq, why: Fault::Altered });
        }
        self.head = Head { seq, hash: due };
        match self.known {
            Some(known) if known.seq == seq && known != self.head => {
                Err(Verdict::Broken { seq, why: Fault::Rewritten })
            }
            _ => Ok(()),
        }
    }

    /// There are no more rows.
    pub fn end(self) -> Verdict {
        match self.known {
            Some(known) if known.seq > self.head.seq => {
                Verdict::Broken { seq: self.expected(), why: Fault::Cut }
            }
            // No row was compared with it.
            Some(known) if known.seq == 0 && known != Head::GENESIS => {
                Verdict::Broken { seq: 0, why: Fault::Rewritten }
            }
            _ => Verdict::Whole { rows: self.head.seq, head: self.head },
        }
    }
}

/// The stored text of an event's detail.
pub(crate) fn detail_text(event: &AuditEvent) -> Result<String, Error> {
    serde_json::to_string(&event.detail).map_err(|_| Error::Corrupt { table: "audit" })
}

#[cfg(test)]
mod tests;
