//! A decaying window over an engine's answers.
//!
//! Gauges become exponentially weighted means, counters become rates of the same
//! memory: what came an age `t` ago weighs `exp(-t / TIME_CONSTANT)`. The time
//! between two answers is part of the sum, so a missed one does no harm.

use crate::latency::Latency;
use crate::signals::{Prefix, Reading, Signals, Snapshot};
use crate::tally::share;
use std::time::Duration;

/// The memory of the window in scrape intervals: one answer that jumps moves the
/// mean by 39 %, three intervals by 78 %. A weight follows a burst within a few
/// intervals and not every batch of a scheduler.
const TIME_CONSTANT_INTERVALS: f64 = 2.0;

/// Fewer prompt tokens than this left in the window are none.
const ASKED_TOKENS_MIN: f64 = 0.5;

/// Increase of a counter over what, both decaying.
#[derive(Clone, Copy, Debug, Default)]
struct Decayed {
    part: f64,
    whole: f64,
}

impl Decayed {
    fn add(&mut self, keep: f64, part: f64, whole: f64) {
        self.part = self.part * keep + part;
        self.whole = self.whole * keep + whole;
    }
}

/// The window over one engine's answers.
#[derive(Clone, Debug)]
pub struct Window {
    time_constant_ms: f64,
    stale_after_ms: u64,
    last: Option<(Snapshot, Signals, u64)>,
    prompt: Decayed,
    generated: Decayed,
    prefix: Decayed,
    latency: Latency,
}

impl Window {
    /// An empty window over answers that come once in `interval`; a reading counts
    /// for `stale_after` intervals.
    #[must_use]
    pub fn new(interval: Duration, stale_after: u32) -> Window {
        let stale_after = interval.saturating_mul(stale_after.max(1));
        Window {
            time_constant_ms: interval.as_secs_f64().max(0.001) * 1000.0 * TIME_CONSTANT_INTERVALS,
            stale_after_ms: u64::try_from(stale_after.as_millis()).unwrap_or(u64::MAX),
            last: None,
            prompt: Decayed::default(),
            generated: Decayed::default(),
            prefix: Decayed::default(),
            latency: Latency::default(),
        }
    }

    /// Takes an answer in and says what is known now. A clock that goes back
    /// counts as one that stands.
    pub fn take(&mut self, now: &Snapshot, now_ms: u64) -> Reading {
        let load = match self.last {
            None => now.signals,
            Some((before, load, at_ms)) => {
                let elapsed_ms = milliseconds(now_ms.saturating_sub(at_ms));
                let keep = (-elapsed_ms / self.time_constant_ms).exp();
                self.count(&before, now, keep, elapsed_ms);
                blend(load, now.signals, keep)
            }
        };
        self.latency.take(now.answered, now_ms);
        self.last = Some((*now, load, now_ms));
        Reading {
            load,
            latest: now.signals,
            prompt_tokens_per_second: rate(self.prompt, now.prompt_tokens),
            generated_tokens_per_second: rate(self.generated, now.generated_tokens),
            prefix_hit_ratio: self.hit_ratio(now),
            latency_ms: self.latency.milliseconds(now_ms),
            at_ms: now_ms,
            fresh_until_ms: now_ms.saturating_add(self.stale_after_ms),
        }
    }

    fn count(&mut self, before: &Snapshot, now: &Snapshot, keep: f64, elapsed_ms: f64) {
        let prompt = increase(before.prompt_tokens, now.prompt_tokens);
        self.prompt.add(keep, prompt, elapsed_ms);
        let generated = increase(before.generated_tokens, now.generated_tokens);
        self.generated.add(keep, generated, elapsed_ms);
        let (asked_before, hit_before) = counted(before.prefix);
        let (asked, hit) = counted(now.prefix);
        self.prefix.add(keep, increase(hit_before, hit), increase(asked_before, asked));
    }

    fn hit_ratio(&self, now: &Snapshot) -> Option<f64> {
        match now.prefix? {
            Prefix::Ratio(ratio) => Some(ratio),
            Prefix::Counted { .. } => {
                let asked = Some(self.prefix.whole).filter(|asked| *asked >= ASKED_TOKENS_MIN);
                share(Some(self.prefix.part), asked)
            }
        }
    }
}

/// The increase of a counter; one that fell began anew at zero, as Prometheus'
/// `rate()` has it. One that was not there before says nothing yet.
fn increase(before: Option<f64>, now: Option<f64>) -> f64 {
    match (before, now) {
        (Some(before), Some(now)) if now >= before => now - before,
        (Some(_), Some(now)) => now,
        _ => 0.0,
    }
}

fn counted(prefix: Option<Prefix>) -> (Option<f64>, Option<f64>) {
    match prefix {
        Some(Prefix::Counted { asked, hit }) => (Some(asked), Some(hit)),
        _ => (None, None),
    }
}

/// In a second; `None` where the engine does not tell or no time has passed.
fn rate(tokens: Decayed, told: Option<f64>) -> Option<f64> {
    (told.is_some() && tokens.whole > 0.0).then(|| tokens.part / tokens.whole * 1000.0)
}

/// Written as a step towards the new value, so that what does not change stays
/// what it is to the last bit, whatever the weights.
fn blend(mean: Signals, now: Signals, keep: f64) -> Signals {
    let blend = |mean: Option<f64>, now: Option<f64>| match (mean, now) {
        (Some(mean), Some(now)) => Some(now + (mean - now) * keep),
        (_, now) => now,
    };
    Signals {
        running: blend(mean.running, now.running),
        waiting: blend(mean.waiting, now.waiting),
        kv_use: blend(mean.kv_use, now.kv_use),
        gpu_use: blend(mean.gpu_use, now.gpu_use),
    }
}

/// Exact up to 285,000 years.
fn milliseconds(elapsed_ms: u64) -> f64 {
    elapsed_ms as f64
}

#[cfg(test)]
mod tests;
