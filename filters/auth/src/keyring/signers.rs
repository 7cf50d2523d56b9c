//! What shared data says of those who may sign requests.
//!
//! There is an entry for each credential and a list of all of them, by which a VM that
//! was loaded anew knows what to take away. Names in shared data cannot be removed: who
//! may no longer sign has an empty entry.

use contract::keyring::{HmacEntry, HmacSet};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::hint::black_box;

/// Where `sync` notes [`Signers`]. As long as there is nothing, no set was delivered,
/// and of nobody can it be said that he may not sign.
pub const SIGNERS_NAME: &str = "hmac";

/// Read when there is no entry: to know nothing takes as long as to know somebody.
const DECOY: &[u8] = br#"{"id":"0123456789","secret":"0123456789012345678901234567890123456789012","tenant":"0123456789","roles":["0123456789"]}"#;

/// Whose entries stand in shared data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signers {
    /// The version of the set that was applied whole; empty while one is applied.
    pub version: String,
    /// The ids of all entries that may be there.
    pub ids: BTreeSet<String>,
}

impl Signers {
    /// As it stands in shared data.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Plain data: there is nothing in it that JSON cannot say.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Signers::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(stored: &[u8]) -> Option<Signers> {
        serde_json::from_slice(stored).ok()
    }

    /// What to write, as (name, content) and in this order, so that shared data has
    /// `set` and nobody else. When it is broken off in between, the next one takes away
    /// what this one has left: the list is written before the entries that it names.
    #[must_use]
    pub fn replace(&self, set: &HmacSet) -> Vec<(String, Vec<u8>)> {
        let after: BTreeSet<String> = set.entries.iter().map(|entry| entry.id.clone()).collect();
        let both = Signers { version: String::new(), ids: &self.ids | &after };
        let gone = self.ids.difference(&after).map(|id| (entry_name(id), Vec::new()));
        let there = set.entries.iter().map(|entry| (entry_name(&entry.id), encode_entry(entry)));
        let done = Signers { version: set.version.clone(), ids: after.clone() };
        let state = |signers: &Signers| (SIGNERS_NAME.to_owned(), signers.encode());
        [state(&both)].into_iter().chain(gone).chain(there).chain([state(&done)]).collect()
    }
}

/// The name under which the entry of a credential stands. Ids are chosen by clients and
/// may be long; their digests are not.
#[must_use]
pub fn entry_name(id: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(id).into();
    let half: [u8; 16] = digest.first_chunk().copied().unwrap_or_default();
    format!("h/{}", hex::encode(half))
}

/// An entry as it stands in shared data.
#[must_use]
pub fn encode_entry(entry: &HmacEntry) -> Vec<u8> {
    // Plain data: there is nothing in it that JSON cannot say.
    serde_json::to_vec(entry).unwrap_or_default()
}

/// The entry of the credential `id`, if shared data has one under [`entry_name`].
#[must_use]
pub fn decode_entry(stored: Option<&[u8]>, id: &str) -> Option<HmacEntry> {
    let stored = stored.filter(|stored| !stored.is_empty());
    let read = |text| serde_json::from_slice::<HmacEntry>(text).ok();
    let entry = black_box(read(stored.unwrap_or(DECOY)));
    entry.filter(|entry| stored.is_some() && entry.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn entry(id: &str) -> HmacEntry {
        HmacEntry {
            id: id.into(),
            secret: format!("made-up secret of {id}"),
            tenant: "acme".into(),
            user: None,
            roles: vec!["batch".into()],
            masking: None,
        }
    }

    fn set(version: &str, ids: &[&str]) -> HmacSet {
        HmacSet { version: version.into(), entries: ids.iter().map(|id| entry(id)).collect() }
    }

    #[derive(Default)]
    struct Table(BTreeMap<String, Vec<u8>>);

    impl Table {
        fn signers(&self) -> Signers {
            self.0.get(SIGNERS_NAME).and_then(|s| Signers::decode(s)).unwrap_or_default()
        }

        fn apply(&mut self, set: &HmacSet, writes: usize) {
            self.0.extend(self.signers().replace(set).into_iter().take(writes));
        }

        fn knows(&self, id: &str) -> bool {
            decode_entry(self.0.get(&entry_name(id)).map(Vec::as_slice), id) == Some(entry(id))
        }
    }

    #[test]
    fn a_set_takes_the_place_of_the_one_before() {
        let mut table = Table::default();
        table.apply(&set("1", &["ann", "bob"]), usize::MAX);
        assert!(table.knows("ann") && table.knows("bob") && !table.knows("cid"));
        table.apply(&set("2", &["bob", "cid"]), usize::MAX);
        assert!(!table.knows("ann") && table.knows("bob") && table.knows("cid"));
        let ids = ["bob".to_owned(), "cid".to_owned()].into();
        assert_eq!(table.signers(), Signers { version: "2".into(), ids });
        table.apply(&set("3", &[]), usize::MAX);
        assert!(!table.knows("bob") && !table.knows("cid"));
    }

    #[test]
    fn wherever_it_breaks_off_the_next_one_puts_it_right() {
        for broken_at in 0..8 {
            let mut table = Table::default();
            table.apply(&set("1", &["ann", "bob"]), usize::MAX);
            table.apply(&set("2", &["bob", "cid", "dan"]), broken_at);
            let version = table.signers().version;
            let expected = ["1", "", "2"][usize::from(broken_at > 0) + usize::from(broken_at > 5)];
            assert_eq!(version, expected, "{broken_at}");
            table.apply(&set("3", &["eve"]), usize::MAX);
            let known = ["ann", "bob", "cid", "dan", "eve"].map(|id| table.knows(id));
            assert_eq!(known, [false, false, false, false, true], "{broken_at}");
        }
    }

    #[test]
    fn an_entry_is_for_its_id_alone() {
        let stored = encode_entry(&entry("ann"));
        assert_eq!(decode_entry(Some(&stored), "ann"), Some(entry("ann")));
        assert_eq!(decode_entry(Some(&stored), "bob"), None);
        assert_eq!(decode_entry(Some(b""), "ann"), None);
        assert_eq!(decode_entry(Some(b"{broken"), "ann"), None);
        assert_eq!(decode_entry(None, "ann"), None);
    }

    #[test]
    fn the_decoy_is_nobody() {
        let decoy: HmacEntry = serde_json::from_slice(DECOY).unwrap();
        assert_eq!(decode_entry(None, &decoy.id), None);
        assert_eq!(decode_entry(Some(b""), &decoy.id), None);
    }

    #[test]
    fn names_are_short_and_say_nothing() {
        assert_eq!(entry_name(&"x".repeat(256)).len(), 34);
        assert_ne!(entry_name("ann"), entry_name("Ann"));
        assert!(!entry_name("ann").contains("ann"));
    }

    #[test]
    fn what_is_no_list_is_none() {
        for bad in ["", "1", "{}", "{broken"] {
            assert_eq!(Signers::decode(bad.as_bytes()), None, "{bad}");
        }
    }
}
