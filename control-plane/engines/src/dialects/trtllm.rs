//! TensorRT-LLM: the names of Triton's backend for it (`nv_trt_llm_*`, the signal
//! in a label) and those of `trtllm-serve` (`trtllm_*`). One process has one set
//! of them; where both are, its own server's win.

use crate::exposition::Line;
use crate::signals::Signals;
use crate::tally::{Mean, Sum, share};

/// What one answer had so far.
#[derive(Debug, Default)]
pub(super) struct Trtllm {
    backend_running: Sum,
    backend_waiting: Sum,
    blocks_fraction: Mean,
    blocks_used: Sum,
    blocks_max: Sum,
    serve_running: Sum,
    serve_waiting: Sum,
    serve_kv_use: Mean,
}

impl Trtllm {
    pub(super) fn take(&mut self, line: &Line<'_>) {
        match line.name {
            b"nv_trt_llm_request_metrics" => self.request(line),
            b"nv_trt_llm_kv_cache_block_metrics" => self.blocks(line),
            b"trtllm_num_requests_running" => self.serve_running.add(line.value()),
            b"trtllm_num_requests_waiting" => self.serve_waiting.add(line.value()),
            b"trtllm_kv_cache_utilization" => self.serve_kv_use.add(line.value()),
            _ => {}
        }
    }

    /// Other types, `active` and `max` among them, are no signals of the load:
    /// active requests are the scheduled and the waiting ones together.
    fn request(&mut self, line: &Line<'_>) {
        let Some(sample) = line.sample() else { return };
        if sample.labels.is("request_type", "scheduled") {
            self.backend_running.add(Some(sample.value));
        } else if sample.labels.is("request_type", "waiting") {
            self.backend_waiting.add(Some(sample.value));
        }
    }

    fn blocks(&mut self, line: &Line<'_>) {
        let Some(sample) = line.sample() else { return };
        if sample.labels.is("kv_cache_block_type", "fraction") {
            self.blocks_fraction.add(Some(sample.value));
        } else if sample.labels.is("kv_cache_block_type", "used") {
            self.blocks_used.add(Some(sample.value));
        } else if sample.labels.is("kv_cache_block_type", "max") {
            self.blocks_max.add(Some(sample.value));
        }
    }

    pub(super) fn signals(&self) -> Signals {
        let blocks = share(self.blocks_used.total(), self.blocks_max.total());
        let backend_kv_use = self.blocks_fraction.share().or(blocks);
        Signals {
            running: self.serve_running.total().or(self.backend_running.total()),
            waiting: self.serve_waiting.total().or(self.backend_waiting.total()),
            kv_use: self.serve_kv_use.share().or(backend_kv_use),
            gpu_use: None,
        }
    }
}
