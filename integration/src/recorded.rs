//! What real engines have said, as it was recorded, and what a plain reading finds in it.

use std::path::Path;

use serde_json::{Value, json};

use crate::http1::{Framing, Head};
use crate::sse::SseReader;
use crate::{Result, binaries};

/// The engines that were recorded.
pub const ENGINES: [&str; 4] = [
    "vllm-0.32.0-cpu",
    "sglang-0.5.23-cpu",
    "llama.cpp-server-b11434",
    "transformers-serve-5.23.0",
];
/// Paths of them that gateways serve.
pub const PATHS: [&str; 6] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
    "/v1/rerank",
];

/// One exchange with an engine.
#[derive(Debug, Clone)]
pub struct Capture {
    /// `ENGINE/NAME`
    pub name: String,
    /// Path without its query.
    pub path: String,
    /// Body of the request, as it was recorded.
    pub asked: Value,
    /// Status of the answer.
    pub status: u16,
    /// Body of the answer, without its framing.
    pub answer: Vec<u8>,
    /// Whether it is a stream of events.
    pub is_stream: bool,
    /// Whether the recorded answer is there to its end.
    pub whole: bool,
}

/// The captures of an engine whose paths the gateway serves.
pub fn captures(engine: &str) -> Result<Vec<Capture>> {
    let folder = binaries::captures().join(engine);
    let mut names: Vec<String> = std::fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".response.http").map(str::to_owned))
        .collect();
    names.sort();
    names.iter().map(|name| capture(&folder, engine, name)).filter_map(Result::transpose).collect()
}

fn capture(folder: &Path, engine: &str, name: &str) -> Result<Option<Capture>> {
    let request = std::fs::read(folder.join(format!("{name}.request.http")))?;
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line).into_owned();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    if !line.starts_with("POST ") || !PATHS.contains(&path.as_str()) {
        return Ok(None);
    }
    let raw = std::fs::read(folder.join(format!("{name}.response.http")))?;
    let Some(head) = Head::of_answer(&raw)? else {
        return Ok(None);
    };
    let mut framing = head.framing();
    let rest = &raw[head.bytes..];
    let decoded = framing.body(rest)?;
    let until_close = framing == Framing::UntilClose;
    let whole = decoded.is_some() || until_close;
    let answer = decoded.map_or_else(|| framing.part(rest), |(body, _)| body);
    let content_type = head.header("content-type").unwrap_or_default();
    Ok(Some(Capture {
        asked: asked(&request),
        path,
        status: head.status,
        is_stream: content_type.starts_with("text/event-stream"),
        answer,
        whole,
        name: format!("{engine}/{name}"),
    }))
}

fn asked(request: &[u8]) -> Value {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n");
    serde_json::from_slice(&request[end.map_or(0, |at| at + 4)..]).unwrap_or_default()
}

/// The body in a form that can be compared.
pub fn comparable(body: &[u8], is_stream: bool) -> Vec<Value> {
    if is_stream {
        return SseReader::default()
            .feed(body)
            .into_iter()
            .map(|event| match serde_json::from_str::<Value>(&event.data) {
                Ok(value) => json!([event.name, value]),
                Err(_) => json!([event.name, event.data]),
            })
            .collect();
    }
    vec![serde_json::from_slice(body).unwrap_or_else(|_| json!(body))]
}

/// Input, cached, output and reasoning tokens that a plain reading finds.
pub fn tokens(capture: &Capture) -> Option<[u64; 4]> {
    let mut found = None;
    for value in comparable(&capture.answer, capture.is_stream) {
        let value = if capture.is_stream { value[1].clone() } else { value };
        for pointer in ["/usage", "/response/usage", "/message/usage"] {
            let usage = value.pointer(pointer).filter(|usage| usage.is_object());
            if let Some(usage) = usage {
                let now = counts(usage);
                let best = found.get_or_insert([0; 4]);
                for (best, now) in best.iter_mut().zip(now) {
                    *best = (*best).max(now);
                }
            }
        }
    }
    found
}

fn counts(usage: &Value) -> [u64; 4] {
    let first = |pointers: &[&str]| {
        pointers.iter().find_map(|pointer| usage.pointer(pointer)?.as_u64()).unwrap_or(0)
    };
    let beside = first(&["/cache_read_input_tokens"]);
    let made = first(&["/cache_creation_input_tokens"]);
    [
        first(&["/prompt_tokens", "/input_tokens"]) + beside + made,
        first(&["/prompt_tokens_details/cached_tokens", "/input_tokens_details/cached_tokens"])
            .max(beside),
        first(&["/completion_tokens", "/output_tokens"]),
        first(&[
            "/completion_tokens_details/reasoning_tokens",
            "/output_tokens_details/reasoning_tokens",
            "/reasoning_tokens",
        ]),
    ]
}
