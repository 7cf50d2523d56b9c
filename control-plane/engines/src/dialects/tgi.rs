//! Text Generation Inference, by the names in its router and its backends.
//!
//! It has no gauge of the KV cache: the tokens of the current batch, of those
//! that a batch may have, come near it. Tokens are the sums of two histograms. An answer is
//! a whole one: it does not tell when the first token came.

use super::Dialect;
use crate::exposition::Line;
use crate::signals::{Answered, Signals, Snapshot};
use crate::tally::{Sum, share};

/// What one answer had so far.
#[derive(Debug, Default)]
pub(super) struct Tgi {
    running: Sum,
    waiting: Sum,
    batch_tokens: Sum,
    batch_tokens_max: Sum,
    prompt: Sum,
    generated: Sum,
    seconds: Sum,
    count: Sum,
}

impl Dialect for Tgi {
    fn start(&mut self) {
        *self = Tgi::default();
    }

    fn take(&mut self, line: &Line<'_>) {
        match line.name.strip_prefix(b"tgi_").unwrap_or_default() {
            b"batch_current_size" => self.running.add(line.value()),
            b"queue_size" => self.waiting.add(line.value()),
            b"batch_current_max_tokens" => self.batch_tokens.add(line.value()),
            b"batch_max_total_tokens" => self.batch_tokens_max.add(line.value()),
            b"request_input_length_sum" => self.prompt.add(line.value()),
            b"request_generated_tokens_sum" => self.generated.add(line.value()),
            b"request_duration_sum" => self.seconds.add(line.value()),
            b"request_duration_count" => self.count.add(line.value()),
            _ => {}
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            signals: Signals {
                running: self.running.total(),
                waiting: self.waiting.total(),
                kv_use: share(self.batch_tokens.total(), self.batch_tokens_max.total()),
                gpu_use: None,
            },
            prompt_tokens: self.prompt.total(),
            generated_tokens: self.generated.total(),
            prefix: None,
            answered: Answered::of(self.seconds.total(), self.count.total()),
        }
    }
}
