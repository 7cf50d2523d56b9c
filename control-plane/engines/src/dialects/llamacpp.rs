//! llama.cpp's server, as build b11434 exports it with `--metrics`.
//!
//! It exports no KV use any more (`kv_cache_usage_ratio` is of older builds), and
//! its tokens are counted when a request ends. Its prompt tokens are without
//! those from the cache, so what was looked up is the two together. It tells no time of a
//! request: what stands for an answer is a token, whose time grows with the slots at work.

use super::Dialect;
use crate::exposition::Line;
use crate::signals::{Answered, Prefix, Signals, Snapshot};
use crate::tally::{Mean, Sum};

/// What one answer had so far.
#[derive(Debug, Default)]
pub(super) struct Llamacpp {
    running: Sum,
    waiting: Sum,
    kv_use: Mean,
    computed: Sum,
    cached: Sum,
    generated: Sum,
    generating_seconds: Sum,
}

impl Dialect for Llamacpp {
    fn start(&mut self) {
        *self = Llamacpp::default();
    }

    fn take(&mut self, line: &Line<'_>) {
        match line.name.strip_prefix(b"llamacpp:").unwrap_or_default() {
            b"requests_processing" => self.running.add(line.value()),
            b"requests_deferred" => self.waiting.add(line.value()),
            b"kv_cache_usage_ratio" => self.kv_use.add(line.value()),
            b"prompt_tokens_total" => self.computed.add(line.value()),
            b"prompt_tokens_cached_total" => self.cached.add(line.value()),
            b"tokens_predicted_total" => self.generated.add(line.value()),
            b"tokens_predicted_seconds_total" => self.generating_seconds.add(line.value()),
            _ => {}
        }
    }

    fn snapshot(&self) -> Snapshot {
        let (computed, cached) = (self.computed.total(), self.cached.total());
        let asked = computed.map(|computed| computed + cached.unwrap_or(0.0));
        Snapshot {
            signals: Signals {
                running: self.running.total(),
                waiting: self.waiting.total(),
                kv_use: self.kv_use.share(),
                gpu_use: None,
            },
            prompt_tokens: asked,
            generated_tokens: self.generated.total(),
            prefix: asked.zip(cached).map(|(asked, hit)| Prefix::Counted { asked, hit }),
            answered: Answered::of(self.generating_seconds.total(), self.generated.total()),
        }
    }
}
