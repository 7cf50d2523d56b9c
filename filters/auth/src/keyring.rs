//! What shared data says of a digest.
//!
//! Entries of keys that exist stand under a name of their own; operators decide
//! how many there are. Digests that nobody knows are chosen by clients, so they
//! share [`UNKNOWN_KEY_SLOTS`] slots: a new one pushes an older one out, and
//! memory does not grow.

pub mod marks;
pub mod signers;

use crate::key::Digest;
use contract::keyring::KeyEntry;
use contract::limits::{UNKNOWN_KEY_SLOTS, UNKNOWN_KEY_TTL_MS};
use contract::names::KEY_PATH_PREFIX;

/// Where `sync` notes the keyring's [`State`].
pub const STATE_NAME: &str = "keyring";

/// The name under which the entry of a key stands.
#[must_use]
pub fn entry_name(digest: &Digest) -> String {
    entry_name_of_hex(&hex::encode(digest))
}

/// The same for a digest in hex.
#[must_use]
pub fn entry_name_of_hex(sha256: &str) -> String {
    let mut name = String::with_capacity(2 + sha256.len());
    name.push_str("k/");
    name.push_str(sha256);
    name
}

/// The path at which the control plane is asked for a key.
#[must_use]
pub fn lookup_path(digest: &Digest) -> String {
    format!("{KEY_PATH_PREFIX}{}", hex::encode(digest))
}

/// The slot in which it is noted that a digest is unknown.
#[must_use]
pub fn unknown_slot_name(digest: &Digest) -> String {
    let [a, b, c, d, ..] = *digest;
    format!("u/{}", u32::from_le_bytes([a, b, c, d]) % UNKNOWN_KEY_SLOTS)
}

/// An entry as it stands in shared data: the epoch, a line feed, and the key's
/// entry in JSON, or nothing for a key that was revoked.
#[must_use]
pub fn encode_entry(epoch: &str, entry: Option<&KeyEntry>) -> Vec<u8> {
    let mut stored = epoch.as_bytes().to_vec();
    stored.push(b'\n');
    if let Some(entry) = entry {
        // Plain data: there is nothing in it that JSON cannot say.
        stored.extend(serde_json::to_vec(entry).unwrap_or_default());
    }
    stored
}

/// What the table says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It exists.
    Key(KeyEntry),
    /// It was revoked.
    Revoked,
    /// The table has nothing that counts in this epoch.
    Nothing,
}

/// Reads what [`encode_entry`] wrote. An entry of another epoch does not count.
#[must_use]
pub fn decode_entry(stored: &[u8], epoch: &str) -> Known {
    let Some(rest) =
        stored.strip_prefix(epoch.as_bytes()).and_then(|rest| rest.strip_prefix(b"\n"))
    else {
        return Known::Nothing;
    };
    if rest.is_empty() {
        return Known::Revoked;
    }
    serde_json::from_slice(rest).map_or(Known::Nothing, Known::Key)
}

/// The content of a slot that says that `digest` is unknown until some time.
#[must_use]
pub fn encode_unknown(digest: &Digest, now_ms: u64) -> Vec<u8> {
    let until_ms = now_ms.saturating_add(UNKNOWN_KEY_TTL_MS);
    [&digest[..], &until_ms.to_le_bytes()[..]].concat()
}

/// Whether a slot says that `digest` is unknown, and still may say so.
#[must_use]
pub fn is_unknown(slot: &[u8], digest: &Digest, now_ms: u64) -> bool {
    slot.strip_prefix(&digest[..])
        .and_then(|rest| <[u8; 8]>::try_from(rest).ok())
        .is_some_and(|until| now_ms < u64::from_le_bytes(until))
}

/// How far the keyring in shared data is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Which history the version counts in; empty before the first delivery.
    pub epoch: String,
    /// The version that was applied whole.
    pub version: u64,
}

impl State {
    /// As it stands in shared data: `EPOCH VERSION`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        format!("{} {}", self.epoch, self.version).into_bytes()
    }

    /// Reads what [`State::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(stored: &[u8]) -> Option<State> {
        let (epoch, version) = std::str::from_utf8(stored).ok()?.split_once(' ')?;
        Some(State { epoch: epoch.to_owned(), version: version.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> KeyEntry {
        KeyEntry {
            id: "key_1".into(),
            tenant: "acme".into(),
            user: Some("ann".into()),
            roles: vec!["user".into()],
            models: vec![],
            masking: None,
            limits: None,
            budget: false,
            expires_at_s: Some(9),
        }
    }

    #[test]
    fn entries_come_back_in_their_epoch_only() {
        let stored = encode_entry("e1", Some(&entry()));
        assert_eq!(decode_entry(&stored, "e1"), Known::Key(entry()));
        assert_eq!(decode_entry(&stored, "e2"), Known::Nothing);
        assert_eq!(decode_entry(&stored, "e"), Known::Nothing);
        assert_eq!(decode_entry(&encode_entry("e1", None), "e1"), Known::Revoked);
        assert_eq!(decode_entry(b"", "e1"), Known::Nothing);
        assert_eq!(decode_entry(b"e1\n{broken", "e1"), Known::Nothing);
    }

    #[test]
    fn unknown_is_for_one_digest_and_a_time() {
        let digest = crate::key::digest("a");
        let slot = encode_unknown(&digest, 1_000);
        assert!(is_unknown(&slot, &digest, 1_000));
        assert!(is_unknown(&slot, &digest, 999 + UNKNOWN_KEY_TTL_MS));
        assert!(!is_unknown(&slot, &digest, 1_000 + UNKNOWN_KEY_TTL_MS));
        assert!(!is_unknown(&slot, &crate::key::digest("b"), 1_000));
        assert!(!is_unknown(b"", &digest, 0));
    }

    #[test]
    fn unknown_digests_share_a_fixed_number_of_slots() {
        let names: std::collections::HashSet<_> = (0..100_000_u32)
            .map(|n| unknown_slot_name(&crate::key::digest(&n.to_string())))
            .collect();
        assert_eq!(names.len(), UNKNOWN_KEY_SLOTS as usize);
    }

    #[test]
    fn the_state_comes_back() {
        let state = State { epoch: "9f".into(), version: 12 };
        assert_eq!(State::decode(&state.encode()), Some(state));
        for bad in ["", "9f", "9f x", "9f -1"] {
            assert_eq!(State::decode(bad.as_bytes()), None, "{bad}");
        }
    }
}
