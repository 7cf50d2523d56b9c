//! How many gateways there are: those whose long poll was heard of lately. Each enforces
//! its part of the limits.

use contract::limits::GATEWAY_SEEN_MS;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Most gateways that are told apart; what comes beyond is not counted. Far more than one
/// control plane serves.
const GATEWAYS_MAX: usize = 4_096;

/// Longest name of a process, in bytes; a gateway's is the time of its start.
const PROCESS_BYTES_MAX: usize = 128;

/// The gateways of this control plane, and the count of those of others. Clones share it.
#[derive(Clone, Default)]
pub struct Gateways {
    /// When each process was last heard of, in Unix milliseconds.
    seen: Arc<Mutex<BTreeMap<String, u64>>>,
    /// How many poll all control planes on the same database.
    of_all: Arc<AtomicU32>,
    told: Arc<watch::Sender<u32>>,
}

impl Gateways {
    /// Remembers that `process` polls at `now_ms`.
    pub fn note(&self, process: &str, now_ms: u64) {
        if (1..=PROCESS_BYTES_MAX).contains(&process.len()) {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.len() < GATEWAYS_MAX || seen.contains_key(process) {
                seen.insert(process.to_owned(), now_ms);
            }
        }
        self.look(now_ms);
    }

    /// Takes in how many gateways poll all control planes on the same database.
    pub fn note_all(&self, gateways: u64, now_ms: u64) {
        let gateways = u32::try_from(gateways).unwrap_or(u32::MAX);
        self.of_all.store(gateways, Ordering::Relaxed);
        self.look(now_ms);
    }

    /// Those that poll this control plane at `now_ms`.
    pub fn here(&self, now_ms: u64) -> Vec<String> {
        self.heard_of(now_ms).keys().cloned().collect()
    }

    fn heard_of(&self, now_ms: u64) -> MutexGuard<'_, BTreeMap<String, u64>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was put back makes nobody younger than now.
        seen.values_mut().for_each(|at_ms| *at_ms = now_ms.min(*at_ms));
        seen.retain(|_, at_ms| now_ms.saturating_sub(*at_ms) < GATEWAY_SEEN_MS);
        seen
    }

    /// Wakes whoever watches when there are more or fewer than before.
    pub fn look(&self, now_ms: u64) {
        let here = u32::try_from(self.heard_of(now_ms).len()).unwrap_or(u32::MAX);
        let all = here.max(self.of_all.load(Ordering::Relaxed));
        self.told.send_if_modified(|told| std::mem::replace(told, all) != all);
    }

    /// How many there are, which may be none.
    pub fn watch(&self) -> watch::Receiver<u32> {
        self.told.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_heard_of_lately_counts() {
        let gateways = Gateways::default();
        let mut told = gateways.watch();
        let last = 1_000 + GATEWAY_SEEN_MS - 1;
        for (process, now_ms, count) in [
            ("a", 1_000, 1),
            ("a", 1_001, 1),
            ("b", 1_001, 2),
            ("", 1_001, 2),
            (&"x".repeat(PROCESS_BYTES_MAX + 1), 1_001, 2),
            ("a", last, 2),
            ("a", 1_001 + GATEWAY_SEEN_MS, 1),
        ] {
            gateways.note(process, now_ms);
            assert_eq!(*told.borrow_and_update(), count, "{process} {now_ms}");
        }
        gateways.note_all(4, 1_001 + GATEWAY_SEEN_MS);
        assert_eq!(*told.borrow_and_update(), 4);
        gateways.note_all(0, 1_001 + GATEWAY_SEEN_MS);
        assert_eq!(*told.borrow_and_update(), 1, "the database may lag behind");
        gateways.look(1_001 + 2 * GATEWAY_SEEN_MS);
        assert!(told.has_changed().unwrap());
        assert_eq!(*told.borrow_and_update(), 0);
        gateways.look(1_001 + 2 * GATEWAY_SEEN_MS);
        assert!(!told.has_changed().unwrap(), "the same count is no news");
    }

    #[test]
    fn a_clock_that_was_put_back_keeps_nobody() {
        let gateways = Gateways::default();
        gateways.note("a", 1_000_000);
        assert_eq!(gateways.here(10), ["a"]);
        assert!(gateways.here(10 + GATEWAY_SEEN_MS).is_empty());
    }

    #[test]
    fn the_table_has_an_end() {
        let gateways = Gateways::default();
        (0..GATEWAYS_MAX + 10).for_each(|process| gateways.note(&process.to_string(), 5));
        assert_eq!(gateways.here(5).len(), GATEWAYS_MAX);
    }
}
