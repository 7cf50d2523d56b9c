//! What engines tell of their load, whatever they call it.

/// Gauges of the load at one moment; `None`: the engine does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Signals {
    /// Requests that are being answered.
    pub running: Option<f64>,
    /// Requests that wait for their turn in the engine.
    pub waiting: Option<f64>,
    /// Share of the KV cache in use, 0 to 1.
    pub kv_use: Option<f64>,
    /// Mean utilisation of the engine's GPUs, 0 to 1.
    pub gpu_use: Option<f64>,
}

impl Signals {
    /// Requests in the engine: running and waiting. One of the two that is not
    /// told counts as none; `None` when neither is.
    #[must_use]
    pub fn active(&self) -> Option<f64> {
        match (self.running, self.waiting) {
            (None, None) => None,
            (running, waiting) => Some(running.unwrap_or(0.0) + waiting.unwrap_or(0.0)),
        }
    }
}

/// How an engine tells of its prefix cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Prefix {
    /// Counters of prompt tokens.
    Counted {
        /// Tokens that were looked up.
        asked: f64,
        /// Those of them that were found.
        hit: f64,
    },
    /// The engine's own ratio, 0 to 1.
    Ratio(f64),
}

/// How long answers took: two counters that grow together. What an answer is differs from
/// engine to engine, so that they can be compared within a pool and not beyond.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Answered {
    /// Seconds that all of them took.
    pub seconds: f64,
    /// How many there were.
    pub count: f64,
}

impl Answered {
    /// Of two counters, if both are told.
    pub(crate) fn of(seconds: Option<f64>, count: Option<f64>) -> Option<Answered> {
        Some(Answered { seconds: seconds?, count: count? })
    }
}

/// What one answer of one engine says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The load at that moment.
    pub signals: Signals,
    /// Prompt tokens since the engine's start.
    pub prompt_tokens: Option<f64>,
    /// Generated tokens since the engine's start.
    pub generated_tokens: Option<f64>,
    /// The prefix cache.
    pub prefix: Option<Prefix>,
    /// How long answers took.
    pub answered: Option<Answered>,
}

impl Snapshot {
    /// Whether the answer had nothing that its dialect knows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Snapshot::default()
    }
}

/// What is known of one engine's load, smoothed over the last answers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// The load as a decaying mean.
    pub load: Signals,
    /// The load as the last answer had it.
    pub latest: Signals,
    /// Prompt tokens in a second; `None` until there are two answers.
    pub prompt_tokens_per_second: Option<f64>,
    /// Generated tokens in a second; `None` until there are two answers.
    pub generated_tokens_per_second: Option<f64>,
    /// Share of prompt tokens found in the prefix cache, 0 to 1; `None` also
    /// when nobody asked lately.
    pub prefix_hit_ratio: Option<f64>,
    /// How soon it answers, in milliseconds, as a peak EWMA; `None` where it does not tell,
    /// or has answered nobody for a while.
    pub latency_ms: Option<f64>,
    /// When the last answer came, in milliseconds of the caller's clock.
    pub at_ms: u64,
    /// Until when the reading counts, by the same clock.
    pub fresh_until_ms: u64,
}

impl Reading {
    /// Whether the reading still counts.
    #[must_use]
    pub fn is_fresh(&self, now_ms: u64) -> bool {
        now_ms <= self.fresh_until_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_adds_what_is_told() {
        let active = |running, waiting| Signals { running, waiting, ..Signals::default() }.active();
        assert_eq!(active(None, None), None);
        assert_eq!(active(Some(2.0), None), Some(2.0));
        assert_eq!(active(None, Some(3.0)), Some(3.0));
        assert_eq!(active(Some(2.0), Some(3.0)), Some(5.0));
    }

    #[test]
    fn a_reading_counts_up_to_its_last_millisecond() {
        let reading = Reading { fresh_until_ms: 1000, ..Reading::default() };
        assert!(reading.is_fresh(1000));
        assert!(!reading.is_fresh(1001));
    }

    #[test]
    fn a_zero_is_not_nothing() {
        assert!(Snapshot::default().is_empty());
        assert!(!Snapshot { prompt_tokens: Some(0.0), ..Snapshot::default() }.is_empty());
    }
}
