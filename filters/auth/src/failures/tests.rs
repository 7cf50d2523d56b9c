use super::*;
use proptest::prelude::*;
use std::collections::{HashSet, VecDeque};

const NOW_MS: u64 = 1_700_000_000_000;

fn source(n: u8) -> Source {
    Source::parse(&format!("192.0.2.{n}"))
}

/// A slot after `count` failures at one moment.
fn failed(source: Source, count: u32, per_minute: u32) -> Option<Vec<u8>> {
    (0..count).fold(None, |slot: Option<Vec<u8>>, _| {
        note(slot.as_deref(), source, NOW_MS, per_minute).slot.or(slot)
    })
}

#[test]
fn sources() {
    let same = [
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("192.0.2.1", "::ffff:c000:201"),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"),
        ("2001:db8:0:0::1", "2001:DB8::2"),
        ("", "unix"),
        ("not an address", "192.0.2.1:80"),
        ("192.0.2.1, 192.0.2.2", "[2001:db8::1]"),
    ];
    for (one, other) in same {
        assert_eq!(Source::parse(one), Source::parse(other), "{one} {other}");
    }
    let different: HashSet<_> =
        ["192.0.2.1", "192.0.2.2", "2001:db8::", "2001:db8:0:1::", "::", "0.0.0.0", "?"]
            .map(Source::parse)
            .into();
    assert_eq!(different.len(), 7);
}

#[test]
fn as_many_at_once_as_in_a_minute() {
    for per_minute in [1, 2, 7, 300, 1_000] {
        let allowed = failed(source(1), per_minute - 1, per_minute);
        assert_eq!(retry_after_s(allowed.as_deref(), source(1), NOW_MS, per_minute), None);
        let last = note(allowed.as_deref(), source(1), NOW_MS, per_minute);
        assert!(!last.over, "{per_minute}");
        let slot = last.slot.unwrap();
        let wait_s = retry_after_s(Some(&slot), source(1), NOW_MS, per_minute).unwrap();
        assert_eq!(wait_s, 60_u64.div_ceil(per_minute.into()));
        let noted = note(Some(&slot), source(1), NOW_MS, per_minute);
        assert_eq!(noted, Noted { slot: None, over: true });
        let later_ms = NOW_MS + wait_s * 1_000;
        assert_eq!(
            retry_after_s(Some(&slot), source(1), later_ms, per_minute),
            None,
            "{per_minute}"
        );
    }
}

/// With failures of a minute at once, all of them are allowed again a minute later.
#[test]
fn a_minute_later_nothing_is_owed() {
    let slot = failed(source(1), 300, 300).unwrap();
    let later_ms = NOW_MS + 60_000;
    let again = (0..300).fold((slot, 0), |(slot, over), _| {
        let noted = note(Some(&slot), source(1), later_ms, 300);
        (noted.slot.unwrap_or(slot), over + u32::from(noted.over))
    });
    assert_eq!(again.1, 0);
    assert!(retry_after_s(Some(&again.0), source(1), later_ms, 300).is_some());
}

#[test]
fn a_stranger_in_a_used_up_slot_may_fail_once() {
    let slot = failed(source(1), 10, 10);
    assert_eq!(retry_after_s(slot.as_deref(), source(2), NOW_MS, 10), None);
    let stranger = note(slot.as_deref(), source(2), NOW_MS, 10);
    assert!(!stranger.over);
    for n in [1, 2, 3] {
        assert_eq!(retry_after_s(stranger.slot.as_deref(), source(n), NOW_MS, 10), Some(6));
        let noted = note(stranger.slot.as_deref(), source(n), NOW_MS, 10);
        assert_eq!(noted, Noted { slot: None, over: true });
        assert_eq!(retry_after_s(stranger.slot.as_deref(), source(n), NOW_MS + 6_000, 10), None);
    }
}

#[test]
fn a_clock_that_was_set_back_holds_nobody_for_long() {
    let slot = failed(source(1), 10, 10);
    let wait_s = |back_ms| retry_after_s(slot.as_deref(), source(1), NOW_MS - back_ms, 10);
    assert_eq!([0, 1, 60_000, 60_001].map(wait_s), [Some(6), Some(6), Some(6), None]);
    let noted = note(slot.as_deref(), source(1), NOW_MS - 3_600_000, 10);
    assert!(noted.slot.is_some() && !noted.over);
}

#[test]
fn a_failure_that_is_noted_late_frees_nobody() {
    let slot = failed(source(1), 10, 10);
    let late = note(slot.as_deref(), source(1), NOW_MS - 2_000, 10);
    assert_eq!(late, Noted { slot: None, over: true });
    let slot = failed(source(1), 5, 10);
    let late = note(slot.as_deref(), source(1), NOW_MS - 2_000, 10);
    assert_eq!(late.slot, failed(source(1), 6, 10));
}

#[test]
fn slots_are_bounded_in_number_and_size() {
    let slots: HashSet<u32> = (0..30_000_u32)
        .map(|n| Source::parse(&std::net::Ipv4Addr::from_bits(n).to_string()).slot_name())
        .map(|name| name.strip_prefix("f/").unwrap().parse().unwrap())
        .collect();
    assert!(slots.iter().all(|slot| *slot < FAILURE_SLOTS));
    assert!(slots.len() > FAILURE_SLOTS as usize / 2, "used evenly");
    assert_eq!(failed(source(1), 5, 10).unwrap().len(), 17);
}

#[test]
fn a_slot_that_somebody_else_wrote_does_no_harm() {
    for slot in [&b""[..], b"x", &[0xff; 16], &[0xff; 17], &[0xff; 18]] {
        assert_eq!(retry_after_s(Some(slot), source(1), NOW_MS, 1), None);
        assert!(note(Some(slot), source(1), NOW_MS, 1).slot.is_some());
    }
    for now_ms in [0, u64::MAX] {
        let noted = note(None, source(1), now_ms, 0);
        assert!(!noted.over && noted.slot.is_some());
    }
}

/// The bucket that the cell stands for: each failure takes a token of
/// `per_minute`, and one comes back every `60_000 / per_minute` ms.
struct Bucket {
    taken: VecDeque<u64>,
    interval_ms: u64,
    size: usize,
}

impl Bucket {
    fn allows(&mut self, now_ms: u64) -> bool {
        while self.taken.front().is_some_and(|back_ms| *back_ms <= now_ms) {
            self.taken.pop_front();
        }
        if self.taken.len() >= self.size {
            return false;
        }
        let from_ms = self.taken.back().copied().unwrap_or(0).max(now_ms);
        self.taken.push_back(from_ms + self.interval_ms);
        true
    }
}

proptest! {
    #[test]
    fn as_a_bucket_of_tokens(
        per_minute in prop::sample::select(vec![1_u32, 2, 5, 60, 300, 1_000]),
        steps in prop::collection::vec(prop_oneof![Just(0_u64), 0..100_u64, 0..90_000_u64], 1..600),
    ) {
        let interval_ms = 60_000 / u64::from(per_minute);
        let mut bucket = Bucket { taken: VecDeque::new(), interval_ms, size: per_minute as usize };
        let (mut slot, mut now_ms) = (None, NOW_MS);
        for passed_ms in steps {
            now_ms += passed_ms;
            let allowed = bucket.allows(now_ms);
            let wait_s = retry_after_s(slot.as_deref(), source(1), now_ms, per_minute);
            prop_assert_eq!(wait_s.is_none(), allowed);
            if let Some(wait_s) = wait_s {
                let then_ms = now_ms + wait_s * 1_000;
                prop_assert_eq!(retry_after_s(slot.as_deref(), source(1), then_ms, per_minute), None);
            }
            let noted = note(slot.as_deref(), source(1), now_ms, per_minute);
            prop_assert_eq!(noted.over, !allowed);
            slot = noted.slot.or(slot);
        }
    }

    /// Many addresses of one slot get at most twice what one gets.
    #[test]
    fn taking_turns_gains_little(
        steps in prop::collection::vec((0_u8..4, prop_oneof![Just(0_u64), 0..3_000_u64]), 1..600),
    ) {
        let (mut slot, mut now_ms) = (None, NOW_MS);
        let (mut passed, mut passed_of_one) = (0, 0);
        let mut slot_of_one = None;
        for (turn, passed_ms) in steps {
            now_ms += passed_ms;
            let noted = note(slot.as_deref(), source(turn), now_ms, 30);
            passed += u32::from(!noted.over);
            slot = noted.slot.or(slot);
            let noted = note(slot_of_one.as_deref(), source(1), now_ms, 30);
            passed_of_one += u32::from(!noted.over);
            slot_of_one = noted.slot.or(slot_of_one);
        }
        prop_assert!(passed <= 2 * passed_of_one, "{} {}", passed, passed_of_one);
    }
}
