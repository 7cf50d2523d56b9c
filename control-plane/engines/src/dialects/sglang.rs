//! SGLang, as 0.5.23 exports it with `--enable-metrics`.
//!
//! Gauges carry the rank of the scheduler that wrote them. The ranks of one
//! replica say the same, so the lowest that is there speaks for it; replicas
//! (`dp_rank`, with data-parallel attention) are added up, and their KV use is
//! the mean. The counters are the tokenizer's and have no rank. An answer is a first token,
//! counted from the request's arrival.

use super::Dialect;
use crate::exposition::Line;
use crate::signals::{Answered, Prefix, Signals, Snapshot};
use crate::tally::{Mean, Sum};

/// Most replicas that are told apart; far beyond one server's.
const REPLICAS_MAX: usize = 256;

/// A scheduler's place within its replica.
type Rank = (u32, u32, u32);

/// One figure of one replica.
#[derive(Clone, Copy, Debug)]
struct Told {
    replica: u32,
    rank: Rank,
    value: f64,
}

/// A gauge, one figure for each replica.
#[derive(Debug, Default)]
struct Ranked(Vec<Told>);

impl Ranked {
    /// A label set that differs in something else than its rank is a part of the
    /// whole, so the greater of two figures of one rank counts.
    fn add(&mut self, line: &Line<'_>) {
        let Some(sample) = line.sample() else { return };
        let count = |name| sample.labels.count(name).unwrap_or(0);
        let rank = (count("pp_rank"), count("tp_rank"), count("moe_ep_rank"));
        let told = Told { replica: count("dp_rank"), rank, value: sample.value };
        let room = self.0.len() < REPLICAS_MAX;
        match self.0.iter_mut().find(|known| known.replica == told.replica) {
            None if room => self.0.push(told),
            Some(known) if known.rank > told.rank => *known = told,
            Some(known) if known.rank == told.rank => known.value = known.value.max(told.value),
            _ => {}
        }
    }

    fn total(&self) -> Option<f64> {
        let mut sum = Sum::default();
        self.0.iter().for_each(|told| sum.add(Some(told.value)));
        sum.total()
    }

    fn share(&self) -> Option<f64> {
        let mut mean = Mean::default();
        self.0.iter().for_each(|told| mean.add(Some(told.value)));
        mean.share()
    }
}

/// What one answer had so far.
#[derive(Debug, Default)]
pub(super) struct Sglang {
    running: Ranked,
    waiting: Ranked,
    kv_use: Ranked,
    hit_ratio: Ranked,
    hit: Sum,
    prompt: Sum,
    generated: Sum,
    first_seconds: Sum,
    first_count: Sum,
}

impl Sglang {
    /// The counters, which say what was hit over any time; the gauge is of the
    /// last batch alone.
    fn prefix(&self) -> Option<Prefix> {
        match (self.prompt.total(), self.hit.total()) {
            (Some(asked), Some(hit)) => Some(Prefix::Counted { asked, hit }),
            _ => self.hit_ratio.share().map(Prefix::Ratio),
        }
    }
}

impl Dialect for Sglang {
    fn start(&mut self) {
        for gauge in [&mut self.running, &mut self.waiting, &mut self.kv_use, &mut self.hit_ratio] {
            gauge.0.clear();
        }
        (self.hit, self.prompt, self.generated) = Default::default();
        (self.first_seconds, self.first_count) = Default::default();
    }

    fn take(&mut self, line: &Line<'_>) {
        match line.name.strip_prefix(b"sglang:").unwrap_or_default() {
            b"num_running_reqs" => self.running.add(line),
            b"num_queue_reqs" => self.waiting.add(line),
            b"token_usage" => self.kv_use.add(line),
            b"cache_hit_rate" => self.hit_ratio.add(line),
            b"cached_tokens_total" => self.hit.add(line.value()),
            b"prompt_tokens_total" => self.prompt.add(line.value()),
            b"generation_tokens_total" => self.generated.add(line.value()),
            b"time_to_first_token_seconds_sum" => self.first_seconds.add(line.value()),
            b"time_to_first_token_seconds_count" => self.first_count.add(line.value()),
            _ => {}
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            signals: Signals {
                running: self.running.total(),
                waiting: self.waiting.total(),
                kv_use: self.kv_use.share(),
                gpu_use: None,
            },
            prompt_tokens: self.prompt.total(),
            generated_tokens: self.generated.total(),
            prefix: self.prefix(),
            answered: Answered::of(self.first_seconds.total(), self.first_count.total()),
        }
    }
}
