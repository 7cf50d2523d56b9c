//! vLLM, as 0.32.0 exports it, and the names of older releases.
//!
//! With data parallelism there is a label set for each `engine`: requests and
//! tokens are added up, and the KV use is the mean, because the caches are of
//! one size. `_created` gauges are other metrics by name and stay out. An answer is a first
//! token, counted from the request's arrival: what a caller waits for, whatever the answer's
//! length.

use super::Dialect;
use crate::exposition::Line;
use crate::signals::{Answered, Prefix, Signals, Snapshot};
use crate::tally::{Mean, Sum};

/// What one answer had so far.
#[derive(Debug, Default)]
pub(super) struct Vllm {
    running: Sum,
    waiting: Sum,
    kv_use: Mean,
    kv_use_before: Mean,
    asked: Sum,
    asked_before: Sum,
    hit: Sum,
    hit_before: Sum,
    prompt: Sum,
    generated: Sum,
    first_seconds: Sum,
    first_count: Sum,
}

impl Dialect for Vllm {
    fn start(&mut self) {
        *self = Vllm::default();
    }

    fn take(&mut self, line: &Line<'_>) {
        match line.name.strip_prefix(b"vllm:").unwrap_or_default() {
            b"num_requests_running" => self.running.add(line.value()),
            b"num_requests_waiting" => self.waiting.add(line.value()),
            b"kv_cache_usage_perc" => self.kv_use.add(line.value()),
            b"gpu_cache_usage_perc" => self.kv_use_before.add(line.value()),
            b"prefix_cache_queries_total" => self.asked.add(line.value()),
            b"gpu_prefix_cache_queries_total" => self.asked_before.add(line.value()),
            b"prefix_cache_hits_total" => self.hit.add(line.value()),
            b"gpu_prefix_cache_hits_total" => self.hit_before.add(line.value()),
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
                kv_use: self.kv_use.share().or(self.kv_use_before.share()),
                gpu_use: None,
            },
            prompt_tokens: self.prompt.total(),
            generated_tokens: self.generated.total(),
            prefix: counted(self.asked, self.hit)
                .or_else(|| counted(self.asked_before, self.hit_before)),
            answered: Answered::of(self.first_seconds.total(), self.first_count.total()),
        }
    }
}

fn counted(asked: Sum, hit: Sum) -> Option<Prefix> {
    Some(Prefix::Counted { asked: asked.total()?, hit: hit.total()? })
}
