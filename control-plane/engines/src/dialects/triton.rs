//! Triton: its core's metrics, and those of TensorRT-LLM where they are there.
//!
//! The core tells neither of running requests nor of a KV cache: pending
//! requests and the GPUs' utilisation remain. What TensorRT-LLM tells of the
//! same request is more exact and takes its place; the two are never added up,
//! since one request may be counted in both.

use super::Dialect;
use super::trtllm::Trtllm;
use crate::exposition::Line;
use crate::signals::{Signals, Snapshot};
use crate::tally::{Mean, Sum};

/// What one answer had so far.
#[derive(Debug, Default)]
pub(super) struct Triton {
    pending: Sum,
    gpu_use: Mean,
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
        Snapshot { signals, ..Snapshot::default() }
    }
}
