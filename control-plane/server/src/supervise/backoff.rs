//! How long to wait before Envoy is started again.

use std::time::Duration;

/// The first wait.
pub const FIRST: Duration = Duration::from_millis(100);
/// The longest wait.
pub const LONGEST: Duration = Duration::from_secs(5);
/// Who lived this long has not died of its start: the waits begin anew.
pub const STEADY: Duration = Duration::from_secs(30);

/// The waits between starts: each twice the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { next: FIRST }
    }
}

impl Backoff {
    /// The wait after a process that lived for `alive`.
    pub fn after(&mut self, alive: Duration) -> Duration {
        if alive >= STEADY {
            self.next = FIRST;
        }
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(LONGEST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew() {
        let mut backoff = Backoff::default();
        let table = [
            (0, 100),
            (1_000, 200),
            (0, 400),
            (29_999, 800),
            (0, 1_600),
            (0, 3_200),
            (0, 5_000),
            (0, 5_000),
            (30_000, 100),
            (0, 200),
        ];
        for (alive_ms, wait_ms) in table {
            let wait = backoff.after(Duration::from_millis(alive_ms));
            assert_eq!(wait, Duration::from_millis(wait_ms));
        }
    }
}
