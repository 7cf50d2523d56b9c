//! What the simulator counts, for `/metrics` and `/sim/requests`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

use super::answer::Finish;
use super::pose::Pose;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Meters {
    by_path: Mutex<BTreeMap<String, u64>>,
    in_flight: AtomicU64,
    running: AtomicU64,
    waiting: AtomicU64,
    aborted: AtomicU64,
    answered: AtomicU64,
    prompt_tokens: AtomicU64,
    generation_tokens: AtomicU64,
    stopped: AtomicU64,
    cut_at_length: AtomicU64,
}

/// The counters as `GET /sim/requests` tells them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests by path without query; those to `/sim/` are not counted.
    pub by_path: BTreeMap<String, u64>,
    /// Requests under `/v1` that have no whole answer yet.
    pub in_flight: u64,
    /// Those of them that wait for a place in the batch.
    pub waiting: u64,
    /// Requests whose client left before the whole answer was written.
    pub aborted: u64,
    /// Requests that were answered to the end, refusals and replays included.
    pub answered: u64,
    /// Tokens read for answers that were begun.
    pub prompt_tokens: u64,
    /// Tokens written, those of aborted answers included.
    pub generation_tokens: u64,
}

/// Counts one for as long as it lives.
pub struct Gauge<'a>(&'a AtomicU64);

impl<'a> Gauge<'a> {
    fn raise(value: &'a AtomicU64) -> Gauge<'a> {
        value.fetch_add(1, Relaxed);
        Gauge(value)
    }
}

impl Drop for Gauge<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Meters {
    /// A request arrived.
    pub fn arrived(&self, path: &str) {
        let mut by_path = self.by_path.lock().unwrap();
        match by_path.get_mut(path) {
            Some(count) => *count += 1,
            None => {
                by_path.insert(path.to_owned(), 1);
            }
        }
    }

    /// Counts a request as in flight.
    pub fn flight(&self) -> Gauge<'_> {
        Gauge::raise(&self.in_flight)
    }

    /// Counts a request as holding a place in the batch.
    pub fn run(&self) -> Gauge<'_> {
        Gauge::raise(&self.running)
    }

    /// Counts a request as waiting for a place.
    pub fn wait(&self) -> Gauge<'_> {
        Gauge::raise(&self.waiting)
    }

    /// The prompt was read.
    pub fn read(&self, tokens: u64) {
        self.prompt_tokens.fetch_add(tokens, Relaxed);
    }

    /// Tokens were written.
    pub fn wrote(&self, tokens: u64) {
        self.generation_tokens.fetch_add(tokens, Relaxed);
    }

    /// An answer of the model is whole.
    pub fn finished(&self, finish: Finish) {
        match finish {
            Finish::Stop => self.stopped.fetch_add(1, Relaxed),
            Finish::Length => self.cut_at_length.fetch_add(1, Relaxed),
        };
    }

    /// An answer of any kind is whole, or its client is gone.
    pub fn ended(&self, client_left: bool) {
        let counter = if client_left { &self.aborted } else { &self.answered };
        counter.fetch_add(1, Relaxed);
    }

    /// The counts of now.
    pub fn counters(&self) -> Counters {
        Counters {
            by_path: self.by_path.lock().unwrap().clone(),
            in_flight: self.in_flight.load(Relaxed),
            waiting: self.waiting.load(Relaxed),
            aborted: self.aborted.load(Relaxed),
            answered: self.answered.load(Relaxed),
            prompt_tokens: self.prompt_tokens.load(Relaxed),
            generation_tokens: self.generation_tokens.load(Relaxed),
        }
    }

    /// Prometheus text with vLLM's names and labels; `batch` is the capacity, and what
    /// the pose says counts for more than what is.
    pub fn prometheus(&self, model: &str, batch: usize, pose: &Pose) -> String {
        let label = model.replace('\\', "\\\\").replace('"', "\\\"");
        let running = pose.running.unwrap_or_else(|| self.running.load(Relaxed)) as f64;
        let waiting = pose.waiting.unwrap_or_else(|| self.waiting.load(Relaxed)) as f64;
        let kv_use = pose.kv_use.unwrap_or(running / batch.max(1) as f64);
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, series: &[(&str, f64)]| {
            text += &format!("# HELP vllm:{name} Simulated.\n# TYPE vllm:{name} {kind}\n");
            for (labels, value) in series {
                let all = format!("engine=\"0\",{labels}model_name=\"{label}\"");
                text += &format!("vllm:{name}{{{all}}} {value:?}\n");
            }
        };
        let value = |counter: &AtomicU64| counter.load(Relaxed) as f64;
        let alone = |number: f64| [("", number)];
        metric("num_requests_running", "gauge", &alone(running));
        metric("num_requests_waiting", "gauge", &alone(waiting));
        metric("kv_cache_usage_perc", "gauge", &alone(kv_use));
        metric("prefix_cache_queries_total", "counter", &alone(value(&self.prompt_tokens)));
        metric("prefix_cache_hits_total", "counter", &alone(0.0));
        metric("num_preemptions_total", "counter", &alone(0.0));
        metric("prompt_tokens_total", "counter", &alone(value(&self.prompt_tokens)));
        metric("prompt_tokens_cached_total", "counter", &alone(0.0));
        metric("generation_tokens_total", "counter", &alone(value(&self.generation_tokens)));
        let ends = [
            ("finished_reason=\"stop\",", value(&self.stopped)),
            ("finished_reason=\"length\",", value(&self.cut_at_length)),
            ("finished_reason=\"abort\",", value(&self.aborted)),
        ];
        metric("request_success_total", "counter", &ends);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_the_names_that_a_scraper_of_vllm_expects() {
        let meters = Meters::default();
        let _running = meters.run();
        meters.read(16);
        meters.wrote(14);
        meters.finished(Finish::Stop);
        let text = meters.prometheus("tiny", 4, &Pose::default());
        for line in [
            "vllm:num_requests_running{engine=\"0\",model_name=\"tiny\"} 1.0",
            "vllm:num_requests_waiting{engine=\"0\",model_name=\"tiny\"} 0.0",
            "vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"tiny\"} 0.25",
            "vllm:prompt_tokens_total{engine=\"0\",model_name=\"tiny\"} 16.0",
            "vllm:generation_tokens_total{engine=\"0\",model_name=\"tiny\"} 14.0",
            "vllm:request_success_total{engine=\"0\",finished_reason=\"stop\",model_name=\"tiny\"} 1.0",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\nis not in\n{text}");
        }
    }

    #[test]
    fn a_pose_counts_for_more_than_what_is() {
        let pose = Pose { running: Some(30), kv_use: Some(0.9), ..Pose::default() };
        let text = Meters::default().prometheus("tiny", 4, &pose);
        for line in [
            "vllm:num_requests_running{engine=\"0\",model_name=\"tiny\"} 30.0",
            "vllm:num_requests_waiting{engine=\"0\",model_name=\"tiny\"} 0.0",
            "vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"tiny\"} 0.9",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\nis not in\n{text}");
        }
    }

    #[test]
    fn a_gauge_falls_when_its_request_ends() {
        let meters = Meters::default();
        let flight = meters.flight();
        assert_eq!(meters.counters().in_flight, 1);
        drop(flight);
        assert_eq!(meters.counters().in_flight, 0);
    }
}
