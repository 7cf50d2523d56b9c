//! Words about those who were turned away: enough to see what is wrong, and not
//! so many that a stranger can fill the disk with them.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// So many are named one by one, each [`PERIOD`]; the rest is counted.
const NAMED_MAX: u32 = 10;
/// How often the count begins anew.
const PERIOD: Duration = Duration::from_secs(60);

/// Who was turned away lately. Clones share the count.
#[derive(Clone, Default)]
pub struct Refusals(Arc<Mutex<u32>>);

impl Refusals {
    /// Says that `peer` was turned away. `why` holds no secret.
    pub fn note(&self, peer: &dyn Display, why: &dyn Display) {
        if self.count() <= NAMED_MAX {
            tracing::warn!(%peer, %why, "refused on control.xds");
        }
    }

    /// Says once a period how many were not named, for ever.
    pub async fn report(self) {
        let mut period = tokio::time::interval(PERIOD);
        loop {
            period.tick().await;
            let more = self.take().saturating_sub(NAMED_MAX);
            if more > 0 {
                tracing::warn!(more, "others were refused on control.xds within a minute");
            }
        }
    }

    fn count(&self) -> u32 {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_add(1);
        *count
    }

    fn take(&self) -> u32 {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_names_some_and_counts_all() {
        let refusals = Refusals::default();
        let named = (0..100).filter(|_| refusals.clone().count() <= NAMED_MAX).count();
        assert_eq!((named, refusals.take()), (10, 100));
        assert_eq!(refusals.count(), 1, "the next period begins anew");
    }
}
