//! What came out.

use super::Micros;
use super::engine::SimEngine;

/// The figures of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Requests that were counted.
    pub requests: usize,
    /// The time to the first token in the mean, in milliseconds.
    pub mean_ms: f64,
    /// Of a hundred, 99 took no longer, in milliseconds.
    pub p99_ms: f64,
    /// Share of the tokens of prompts that were in a cache.
    pub hits: f64,
    /// The requests in the busiest engine, for its speed, over the mean of all; in the mean of
    /// all seconds.
    pub imbalance: f64,
}

/// Figures in the making.
#[derive(Debug, Default)]
pub(super) struct Counting {
    took: Vec<Micros>,
    tokens: usize,
    cached_tokens: usize,
    busiest: f64,
    looks: usize,
}

impl Counting {
    /// A first token came after `took`.
    pub(super) fn began(&mut self, took: Micros, tokens: usize, cached_tokens: usize) {
        self.took.push(took);
        self.tokens += tokens;
        self.cached_tokens += cached_tokens;
    }

    /// Counts what another run has counted.
    pub(super) fn add(&mut self, other: Counting) {
        self.took.extend(other.took);
        self.tokens += other.tokens;
        self.cached_tokens += other.cached_tokens;
        self.busiest += other.busiest;
        self.looks += other.looks;
    }

    /// A look at all engines.
    pub(super) fn looked(&mut self, engines: &[SimEngine]) {
        let loads = || engines.iter().map(SimEngine::load);
        let mean = loads().sum::<f64>() / engines.len() as f64;
        if mean > 0.0 {
            self.looks += 1;
            self.busiest += loads().fold(0.0, f64::max) / mean;
        }
    }

    /// The figures.
    pub(super) fn figures(mut self) -> Figures {
        self.took.sort_unstable();
        let requests = self.took.len();
        let sum: Micros = self.took.iter().sum();
        let p99 = self.took.get(requests.saturating_sub(1) * 99 / 100).copied().unwrap_or(0);
        Figures {
            requests,
            mean_ms: sum as f64 / requests.max(1) as f64 / 1e3,
            p99_ms: p99 as f64 / 1e3,
            hits: self.cached_tokens as f64 / self.tokens.max(1) as f64,
            imbalance: self.busiest / self.looks.max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_of_a_hundred_is_left_out() {
        let mut counting = Counting::default();
        for took in 1..=100 {
            counting.began(took * 1_000, 10, 4);
        }
        counting.looked(&[SimEngine::new(1.0), SimEngine::new(1.0)]);
        let figures = counting.figures();
        assert_eq!((figures.requests, figures.mean_ms, figures.p99_ms), (100, 50.5, 99.0));
        assert_eq!((figures.hits, figures.imbalance), (0.4, 0.0), "nobody was busy");
    }
}
