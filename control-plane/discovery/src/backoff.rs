//! How long a source waits before it asks again.

use std::time::Duration;

/// Pauses that double with every failure in a row, between two bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// Pauses from `first` to `most`.
    pub(crate) const fn new(first: Duration, most: Duration) -> Self {
        Backoff { first, most, failures: 0 }
    }

    /// The pause after one failure: also what is too short for an answer that
    /// is expected to take a while.
    pub(crate) const fn first(&self) -> Duration {
        self.first
    }

    /// Failures in a row.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }

    /// It failed once more: how long to wait now.
    pub(crate) fn failed(&mut self) -> Duration {
        let doubled =
            self.first.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        doubled.min(self.most)
    }

    /// It worked.
    pub(crate) fn worked(&mut self) {
        self.failures = 0;
    }
}

/// Soon enough for an operator who repairs something, rare enough for a server
/// that is down: 1 s to 30 s.
impl Default for Backoff {
    fn default() -> Self {
        Backoff::new(Duration::from_secs(1), Duration::from_secs(30))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_most_and_starts_again_after_a_success() {
        let mut backoff = Backoff::default();
        let seconds: Vec<u64> = (0..7).map(|_| backoff.failed().as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(backoff.failures(), 7);
        backoff.worked();
        assert_eq!(backoff.failed().as_secs(), 1);
    }

    #[test]
    fn stays_at_the_most_after_very_many_failures() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            backoff.failed();
        }
        assert_eq!(backoff.failed(), Duration::from_secs(30));
    }
}
