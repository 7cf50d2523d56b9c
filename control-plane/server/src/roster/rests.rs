//! Who of a pool's servers has asked to be left alone, and until when. Pure.
//!
//! An engine that answers 429 or 503 with `retry-after` says for how long it has no room (RFC
//! 9110 §10.2.3). What it says counts as far as the configuration allows: one strange word
//! must not take a server away for an hour.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// The servers that rest. Times are milliseconds of one clock.
#[derive(Debug, Default)]
pub struct Rests {
    /// How long one may rest.
    at_most_ms: u64,
    until_ms: BTreeMap<SocketAddr, u64>,
    /// Whether somebody rests or is back since it was asked last.
    moved: bool,
}

impl Rests {
    /// Nobody rests; nobody will for more than `at_most`.
    pub fn new(at_most: Duration) -> Rests {
        let mut new = Rests::default();
        new.set(at_most);
        new
    }

    /// Another bound, from the next look on also for who rests already.
    pub fn set(&mut self, at_most: Duration) {
        self.at_most_ms = u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX);
    }

    /// A server has asked to be left alone for so long; whether it was not resting, and is now.
    /// The latest end counts: answers may come in another order than they were given.
    pub fn put_off(&mut self, server: SocketAddr, seconds: u32, now_ms: u64) -> bool {
        let rest_ms = (u64::from(seconds) * 1_000).min(self.at_most_ms);
        if rest_ms == 0 {
            return false;
        }
        let end_ms = now_ms.saturating_add(rest_ms);
        let known = self.until_ms.get(&server).copied();
        self.until_ms.insert(server, known.map_or(end_ms, |known| known.max(end_ms)));
        self.moved |= known.is_none();
        known.is_none()
    }

    /// Those whose time is over, and who is no server any more, rest no longer. Whether somebody
    /// rests or is back since the last time. Nobody rests for longer than he may, also where the
    /// clock was set back.
    pub fn look(&mut self, is_server: impl Fn(SocketAddr) -> bool, now_ms: u64) -> bool {
        let before = self.until_ms.len();
        let latest_ms = now_ms.saturating_add(self.at_most_ms);
        self.until_ms.retain(|server, until_ms| {
            *until_ms = (*until_ms).min(latest_ms);
            *until_ms > now_ms && is_server(*server)
        });
        std::mem::take(&mut self.moved) | (self.until_ms.len() != before)
    }

    /// Until when it rests.
    pub fn until_ms(&self, server: SocketAddr) -> Option<u64> {
        self.until_ms.get(&server).copied()
    }

    /// When the first one is back.
    pub fn next_ms(&self) -> Option<u64> {
        self.until_ms.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, number], 1))
    }

    fn all(_: SocketAddr) -> bool {
        true
    }

    #[test]
    fn a_server_rests_as_long_as_it_says_and_no_longer_than_it_may() {
        let mut rests = Rests::new(Duration::from_secs(60));
        let table = [(0, None), (1, Some(2_000)), (60, Some(61_000)), (3_600, Some(61_000))];
        for (number, (seconds, until_ms)) in (1..).zip(table) {
            assert_eq!(rests.put_off(at(number), seconds, 1_000), until_ms.is_some(), "{seconds}");
            assert_eq!(rests.until_ms(at(number)), until_ms, "{seconds}");
        }
        assert_eq!(rests.next_ms(), Some(2_000));
    }

    #[test]
    fn the_latest_end_counts() {
        let mut rests = Rests::new(Duration::from_secs(60));
        assert!(rests.put_off(at(1), 10, 0));
        assert!(!rests.put_off(at(1), 3, 1_000));
        assert_eq!(rests.until_ms(at(1)), Some(10_000));
        assert!(!rests.put_off(at(1), 10, 1_000));
        assert_eq!(rests.until_ms(at(1)), Some(11_000));
    }

    #[test]
    fn it_is_told_once_that_somebody_rests_and_once_that_he_is_back() {
        let mut rests = Rests::new(Duration::from_secs(60));
        rests.put_off(at(1), 2, 0);
        assert_eq!([1, 1_999].map(|now_ms| rests.look(all, now_ms)), [true, false]);
        rests.put_off(at(1), 2, 1_999);
        assert_eq!([2_000, 3_998].map(|now_ms| rests.look(all, now_ms)), [false; 2]);
        assert_eq!([3_999, 4_000].map(|now_ms| rests.look(all, now_ms)), [true, false]);
    }

    #[test]
    fn whoever_is_no_server_any_more_does_not_rest() {
        let mut rests = Rests::new(Duration::from_secs(60));
        rests.put_off(at(1), 9, 0);
        rests.put_off(at(2), 9, 0);
        assert!(rests.look(|server| server == at(2), 1));
        assert_eq!((rests.until_ms(at(1)), rests.until_ms(at(2))), (None, Some(9_000)));
    }

    #[test]
    fn another_bound_counts_for_who_rests_already() {
        let mut rests = Rests::new(Duration::from_secs(60));
        rests.put_off(at(1), 9, 0);
        assert!(rests.look(all, 1));
        rests.set(Duration::from_secs(2));
        assert!(!rests.look(all, 1_000));
        assert_eq!((rests.until_ms(at(1)), rests.next_ms()), (Some(3_000), Some(3_000)));
        rests.set(Duration::ZERO);
        assert!(rests.look(all, 1_001));
        assert_eq!(rests.next_ms(), None);
        assert!(!rests.put_off(at(1), 9, 1_002));
    }

    #[test]
    fn a_clock_that_is_set_back_lengthens_no_rest() {
        let mut rests = Rests::new(Duration::from_secs(60));
        rests.put_off(at(1), 60, 1_000_000);
        rests.look(all, 1_000_000);
        rests.look(all, 500_000);
        assert_eq!(rests.until_ms(at(1)), Some(560_000));
    }
}
