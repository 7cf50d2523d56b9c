//! How soon an engine answers: a peak EWMA over the answers that its counters tell of.
//!
//! What is slower than the mean so far is believed at once, what is faster by and by: an
//! engine that begins to stall loses its requests before many have waited, and gets them
//! back as it proves itself (Finagle, "Peak EWMA"; linkerd's balancer does the same).

use crate::signals::Answered;

/// How fast better news is believed: 63 % of the way in this time.
const DECAY_MS: f64 = 10_000.0;

/// For how long an engine that answers nobody is held to what it was: then nobody knows,
/// and it is tried again as one among others.
const FORGOTTEN_AFTER_MS: u64 = 30_000;

/// Fewer answers than this since the last look are none: counters are floating-point.
const ANSWERS_MIN: f64 = 0.5;

/// What is known of one engine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Latency {
    /// The counters as they were last.
    last: Option<Answered>,
    /// The mean, in milliseconds, and when it was last told of.
    mean: Option<(f64, u64)>,
}

impl Latency {
    /// Takes counters in. Those that fell began anew at zero.
    pub(crate) fn take(&mut self, now: Option<Answered>, now_ms: u64) {
        let before = std::mem::replace(&mut self.last, now);
        if let Some(told_ms) = before.zip(now).and_then(|(before, now)| between(before, now)) {
            self.mean = Some((self.blended(told_ms, now_ms), now_ms));
        }
    }

    /// The mean; `None` where nothing was told for a while.
    pub(crate) fn milliseconds(&self, now_ms: u64) -> Option<f64> {
        let (mean_ms, at_ms) = self.mean?;
        (now_ms.saturating_sub(at_ms) <= FORGOTTEN_AFTER_MS).then_some(mean_ms)
    }

    fn blended(&self, told_ms: f64, now_ms: u64) -> f64 {
        let Some(mean_ms) = self.milliseconds(now_ms).filter(|mean_ms| *mean_ms > told_ms) else {
            return told_ms;
        };
        let at_ms = self.mean.map_or(now_ms, |(_, at_ms)| at_ms);
        // Exact up to 285,000 years.
        let elapsed_ms = now_ms.saturating_sub(at_ms) as f64;
        told_ms + (mean_ms - told_ms) * (-elapsed_ms / DECAY_MS).exp()
    }
}

/// Milliseconds of an answer between two looks; `None`: there was none.
fn between(before: Answered, now: Answered) -> Option<f64> {
    let anew = now.count < before.count || now.seconds < before.seconds;
    let before = if anew { Answered::default() } else { before };
    let count = now.count - before.count;
    let mean_ms = (now.seconds - before.seconds) / count * 1_000.0;
    (count >= ANSWERS_MIN && mean_ms.is_finite()).then_some(mean_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known after looks at these counters, one a second.
    fn after(looks: &[(f64, f64)]) -> Option<f64> {
        let mut latency = Latency::default();
        let mut now_ms = 0;
        for (seconds, count) in looks {
            now_ms += 1_000;
            latency.take(Some(Answered { seconds: *seconds, count: *count }), now_ms);
        }
        latency.milliseconds(now_ms)
    }

    #[test]
    fn what_is_slower_counts_at_once_and_what_is_faster_by_and_by() {
        let fresh = Some(after(&[(0.0, 0.0), (1.0, 10.0)]).unwrap().round());
        assert_eq!(fresh, Some(100.0));
        assert_eq!(after(&[(0.0, 0.0), (1.0, 10.0), (5.0, 20.0)]), Some(400.0));
        let better = after(&[(0.0, 0.0), (4.0, 10.0), (5.0, 20.0)]).unwrap();
        assert!((better - (100.0 + 300.0 * (-0.1_f64).exp())).abs() < 1e-6, "{better}");
    }

    #[test]
    fn without_answers_nothing_is_known_and_then_nothing_any_more() {
        assert_eq!(after(&[(4.0, 10.0)]), None);
        assert_eq!(after(&[(4.0, 10.0), (4.0, 10.0)]), None);
        let mut latency = Latency::default();
        latency.take(Some(Answered { seconds: 0.0, count: 0.0 }), 0);
        latency.take(Some(Answered { seconds: 2.0, count: 1.0 }), 1_000);
        assert_eq!(latency.milliseconds(1_000 + FORGOTTEN_AFTER_MS), Some(2_000.0));
        assert_eq!(latency.milliseconds(1_001 + FORGOTTEN_AFTER_MS), None);
        // What was forgotten does not bind what is told next.
        let later_ms = 2_000 + FORGOTTEN_AFTER_MS;
        latency.take(Some(Answered { seconds: 2.1, count: 2.0 }), later_ms);
        assert!((latency.milliseconds(later_ms).unwrap() - 100.0).abs() < 1e-6);
    }

    #[test]
    fn an_engine_that_began_anew_counts_from_zero() {
        assert_eq!(after(&[(90.0, 300.0), (1.0, 2.0)]), Some(500.0));
        assert_eq!(after(&[(90.0, 300.0), (f64::NAN, 302.0)]), None);
        let mut latency = Latency::default();
        latency.take(Some(Answered { seconds: 1.0, count: 1.0 }), 0);
        latency.take(None, 1_000);
        latency.take(Some(Answered { seconds: 9.0, count: 2.0 }), 2_000);
        assert_eq!(latency.milliseconds(2_000), None);
    }
}
