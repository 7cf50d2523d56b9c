//! When enough has changed to be published: a change is waited for to be followed
//! by quiet, but not for ever.

/// How long it must be quiet after a change, in milliseconds.
const QUIET_MS: u64 = 100;
/// How long a change waits at most, in milliseconds.
const PATIENCE_MS: u64 = 1_000;

/// Changes that were not published yet. Times are any milliseconds that grow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Debounce {
    first_and_last_ms: Option<(u64, u64)>,
}

impl Debounce {
    /// Something changed.
    pub fn note(&mut self, now_ms: u64) {
        let first_ms = self.first_and_last_ms.map_or(now_ms, |(first_ms, _)| first_ms);
        self.first_and_last_ms = Some((first_ms, now_ms));
    }

    /// When to publish; `None`: nothing changed.
    pub fn due_ms(&self) -> Option<u64> {
        let (first_ms, last_ms) = self.first_and_last_ms?;
        let (quiet_ms, late_ms) = (last_ms + QUIET_MS, first_ms + PATIENCE_MS);
        Some(quiet_ms.min(late_ms))
    }

    /// Whether that time has come.
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.due_ms().is_some_and(|due_ms| due_ms <= now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_due_where_nothing_changed() {
        assert_eq!(Debounce::default().due_ms(), None);
        assert!(!Debounce::default().is_due(u64::MAX));
    }

    #[test]
    fn quiet_is_waited_for_but_not_for_ever() {
        let mut changes = Debounce::default();
        changes.note(1_000);
        assert_eq!(changes.due_ms(), Some(1_100));
        assert!(!changes.is_due(1_099) && changes.is_due(1_100));
        for now_ms in (1_050..2_000).step_by(50) {
            changes.note(now_ms);
            assert!(!changes.is_due(now_ms), "{now_ms}");
        }
        assert_eq!(changes.due_ms(), Some(2_000));
        assert!(changes.is_due(2_000));
    }
}
