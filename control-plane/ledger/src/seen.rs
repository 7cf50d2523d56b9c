//! Gateways that this control plane heard of, so that not every word of them is written.

use contract::limits::GATEWAY_SEEN_MS;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How often a gateway is written down: often enough that it counts without a gap.
const WRITTEN_EVERY_MS: u64 = GATEWAY_SEEN_MS / 4;

/// When each was written down last.
#[derive(Default)]
pub(crate) struct Seen(Mutex<HashMap<String, u64>>);

impl Seen {
    /// Whether `process` is to be written down again.
    pub fn is_news(&self, process: &str, now_ms: u64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(process).is_some_and(|at| at.abs_diff(now_ms) < WRITTEN_EVERY_MS) {
            return false;
        }
        // Those that are gone must not stay for ever.
        seen.retain(|_, at| at.abs_diff(now_ms) < GATEWAY_SEEN_MS);
        seen.insert(process.to_owned(), now_ms);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_news_once_in_a_while() {
        let seen = Seen::default();
        for (process, now_ms, news) in [
            ("a", 10_000, true),
            ("a", 10_000 + WRITTEN_EVERY_MS - 1, false),
            ("b", 10_000, true),
            ("a", 10_000 + WRITTEN_EVERY_MS, true),
            // The clock was set back.
            ("a", 500, true),
            ("b", 90_000, true),
        ] {
            assert_eq!(seen.is_news(process, now_ms), news, "{process} {now_ms}");
        }
        assert_eq!(seen.0.lock().unwrap().len(), 1);
    }
}
