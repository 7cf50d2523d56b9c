use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};

fn nonce(secret: &str, text: &str, until_s: u64) -> Nonce {
    Nonce::new(secret, text, until_s).unwrap()
}

fn fresh(slot: &[u8], nonce: &Nonce, now_s: u64) -> Vec<u8> {
    match insert(slot, nonce, now_s) {
        Insert::Fresh(slot) => slot,
        other => panic!("{other:?}"),
    }
}

/// Nonces of one slot: the same first four bytes.
fn in_one_slot(n: u32, until_s: u64) -> Nonce {
    let mut tag = [7; 16];
    tag[12..].copy_from_slice(&n.to_le_bytes());
    Nonce { tag, until_s }
}

#[test]
fn a_nonce_is_fresh_once() {
    let one = nonce("ann", "nonce-of_the-test-1", 100);
    let slot = fresh(b"", &one, 10);
    assert_eq!(slot.len(), RECORD_BYTES);
    assert_eq!(insert(&slot, &one, 10), Insert::Seen);
    assert_eq!(insert(&slot, &one, 99), Insert::Seen);
    // Another time in the header is another request, with the nonce of the first.
    assert_eq!(insert(&slot, &Nonce { until_s: 500, ..one }, 10), Insert::Seen);
    assert_eq!(fresh(&slot, &one, 100).len(), RECORD_BYTES, "forgotten, and there is one again");
}

#[test]
fn each_credential_has_nonces_of_its_own() {
    let tags: HashSet<_> =
        [("ann", "nonce"), ("bob", "nonce"), ("ann", "nonce2"), ("annn", "once")]
            .map(|(id, text)| nonce(id, text, 0).tag)
            .into();
    assert_eq!(tags.len(), 4);
}

#[test]
fn a_full_slot_forgets_nothing_and_says_when_there_is_room() {
    let count = u32::try_from(NONCES_PER_SLOT).unwrap();
    let mut slot = Vec::new();
    for n in 0..count {
        slot = fresh(&slot, &in_one_slot(n, 100 + u64::from(n)), 10);
    }
    assert_eq!(slot.len(), NONCES_PER_SLOT * RECORD_BYTES);
    let another = in_one_slot(count, 900);
    assert_eq!(insert(&slot, &another, 10), Insert::Full { retry_after_s: 90 });
    assert_eq!(insert(&slot, &another, 99), Insert::Full { retry_after_s: 1 });
    assert_eq!(insert(&slot, &in_one_slot(0, 100), 99), Insert::Seen);
    assert_eq!(fresh(&slot, &another, 100).len(), slot.len());
}

#[test]
fn names_and_paths() {
    let nonce = in_one_slot(1, 1_700_000_301);
    assert_eq!(nonce.slot_name(), format!("n/{}", 0x0707_0707 % NONCE_SLOTS));
    assert_eq!(nonce.path(), "/sync/v1/nonces/07070707070707070707070701000000?until=1700000301");
}

#[test]
fn slots_are_bounded_in_number() {
    let slots: HashSet<u32> = (0..30_000_u32)
        .map(|n| nonce("ann", &n.to_string(), 0).slot_name())
        .map(|name| name.strip_prefix("n/").unwrap().parse().unwrap())
        .collect();
    assert!(slots.iter().all(|slot| *slot < NONCE_SLOTS));
    assert!(slots.len() > NONCE_SLOTS as usize / 2, "used evenly");
}

#[test]
fn a_slot_that_somebody_else_wrote_does_no_harm() {
    let one = in_one_slot(1, 100);
    for slot in [&b"x"[..], &[0; 15], &[0; 17], &[0xff; 1_000]] {
        let _ = insert(slot, &one, 10);
    }
    assert_eq!(insert(&[0xff; 2_000], &one, 10), Insert::Full { retry_after_s: 4_294_967_285 });
}

#[test]
fn seconds_beyond_the_records_are_never_forgotten() {
    let one = in_one_slot(1, u64::MAX);
    assert_eq!(insert(&fresh(b"", &one, 0), &one, 4_000_000_000), Insert::Seen);
}

proptest! {
    /// Against a table without bounds: what it has live is never fresh again, what it
    /// has not is fresh unless the slot is full, and a slot stays within its bound.
    #[test]
    fn as_a_table_without_bounds(
        steps in prop::collection::vec((0_u32..150, 0_u64..5, 1_u64..60), 1..600),
    ) {
        let (mut slot, mut now_s) = (Vec::new(), 1_000);
        let mut table: BTreeMap<u32, u64> = BTreeMap::new();
        for (n, passed_s, remembered_s) in steps {
            now_s += passed_s % 2;
            table.retain(|_, until_s| now_s < *until_s);
            let until_s = now_s + remembered_s;
            match insert(&slot, &in_one_slot(n, until_s), now_s) {
                Insert::Fresh(changed) => {
                    prop_assert!(!table.contains_key(&n));
                    table.insert(n, until_s);
                    slot = changed;
                }
                Insert::Seen => prop_assert!(table.contains_key(&n)),
                Insert::Full { retry_after_s } => {
                    prop_assert_eq!(table.len(), NONCES_PER_SLOT);
                    prop_assert_eq!(Some(now_s + retry_after_s), table.values().min().copied());
                }
            }
            prop_assert!(slot.len() <= NONCES_PER_SLOT * RECORD_BYTES);
        }
    }
}
