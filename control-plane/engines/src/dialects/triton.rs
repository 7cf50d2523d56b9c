//! Triton: its core's metrics, and those of TensorRT-LLM where they are there.
//!
//! The core tells neither of running requests nor of a KV cache: pending
//! requests and the GPUs' utilisation remain. What TensorRT-LLM tells of the
//! same request is more exact and takes its place; the two are never added up,
//! since one request may be counted in both. An answer is a whole one that succeeded, of
//! any model of the server.

use super::Dialect;
use super::trtllm::Trtllm;
use crate::exposition::Line;
use crate::signals::{Answered, Signals, Snapshot};
use crate::tally::{Mean, Sum};

/// What one answer had so far.
#[derive(Debug, Default)]
pub(super) struct Triton {
    pending: Sum,
    gpu_use: Mean,
    microseconds: Sum,
    count: Sum,
    trtllm: Trtllm,
}

impl Dialect for Triton {
    fn start(&mut self) {
        *self = Triton::default();
    }

    fn take(&mut self, line: &Line<'_>) {
        match line.name {
            b"nv_inference_pending_request_count" => self.pending.add(line.value()),
            b"nv_gpu_utilization" => self.gpu_use.add(line.value()),
            b"nv_inference_request_duration_us" => self.microseconds.add(line.value()),
            b"nv_inference_request_success" => self.count.add(line.value()),
            _ => self.trtllm.take(line),
        }
    }

    fn snapshot(&self) -> Snapshot {
        let trtllm = self.trtllm.signals();
        let signals = Signals {
            waiting: if trtllm.active().is_some() { trtllm.waiting } else { self.pending.total() },
            gpu_use: self.gpu_use.share(),
            ..trtllm
        };
        let seconds = self.microseconds.total().map(|microseconds| microseconds / 1e6);
        let answered = Answered::of(seconds, self.count.total());
        Snapshot { signals, answered, ..Snapshot::default() }
    }
}
