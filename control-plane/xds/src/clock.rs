//! The edge where time comes in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Unix time in milliseconds that never jumps: the wall's at the start, and
/// from there on what has passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    start_ms: u64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), start_ms: millis(since) }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.start_ms.saturating_add(millis(self.start.elapsed()))
    }

    pub(crate) fn at(&self, time_ms: u64) -> Instant {
        self.start + Duration::from_millis(time_ms.saturating_sub(self.start_ms))
    }

    /// Returns at `time_ms`; never without one.
    pub(crate) async fn sleep_until(&self, time_ms: Option<u64>) {
        match time_ms {
            Some(ms) => tokio::time::sleep_until(self.at(ms)).await,
            None => std::future::pending().await,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
