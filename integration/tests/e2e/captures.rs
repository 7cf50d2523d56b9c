//! Every capture of a real engine, replayed through the gateway: the client gets
//! what the engine said, under the name that was asked for, and the ledger gets
//! the tokens that the engine counted.

use super::ledger::RECORD_TIMEOUT;
use integration::{
    Engine, RawAnswer, RawClient, Result, SseReader, Tollgate, binaries, http1::Head,
};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

const ENGINES: [&str; 4] = [
    "vllm-0.32.0-cpu",
    "sglang-0.5.23-cpu",
    "llama.cpp-server-b11434",
    "transformers-serve-5.23.0",
];
const PATHS: [&str; 6] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
    "/v1/rerank",
];
const ASKED: &str = "asked\"for\"/한글";

struct Capture {
    name: String,
    path: String,
    body: String,
    status: u16,
    answer: Vec<u8>,
    is_stream: bool,
    /// Whether the recorded answer is there to its end.
    whole: bool,
}

/// The captures of an engine whose paths the gateway serves.
fn captures(engine: &str) -> Result<Vec<Capture>> {
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
    let until_close = framing == integration::http1::Framing::UntilClose;
    let whole = decoded.is_some() || until_close;
    let answer = decoded.map_or_else(|| framing.part(rest), |(body, _)| body);
    let content_type = head.header("content-type").unwrap_or_default();
    Ok(Some(Capture {
        body: request_body(&request, &path),
        path,
        status: head.status,
        is_stream: content_type.starts_with("text/event-stream"),
        answer,
        whole,
        name: format!("{engine}/{name}"),
    }))
}

/// The recorded request under the asked name; one of our own where the recorded
/// one is of a kind that the gateway refuses itself.
fn request_body(request: &[u8], path: &str) -> String {
    let at = request.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
    let recorded = serde_json::from_slice::<Value>(&request[at..]).unwrap_or_default();
    let streams = recorded["stream"] == true;
    // An image in a capture is eight bytes that no engine has to read.
    // The recorded pictures are stand-ins, and no pictures.
    let usable = recorded["model"].is_string()
        && !recorded.to_string().contains("image_url")
        && !recorded["messages"].to_string().contains("data:image")
        && ["n", "max_tokens", "max_completion_tokens"].iter().all(|field| {
            recorded[field].is_null() || (1..=16).contains(&recorded[field].as_u64().unwrap_or(0))
        });
    let mut body = if usable { recorded } else { json!({"stream": streams, "user": path}) };
    body["model"] = json!(ASKED);
    body.to_string()
}

/// The body in a form that can be compared.
fn comparable(body: &[u8], is_stream: bool) -> Vec<Value> {
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

/// An event or a body with the model's name as the client must read it.
fn renamed(mut value: Value) -> Value {
    for pointer in ["/model", "/response/model", "/message/model"] {
        if let Some(model) = value.pointer_mut(pointer).filter(|model| model.is_string()) {
            *model = json!(ASKED);
        }
    }
    value
}

/// Input, cached, output and reasoning tokens that a plain reading finds.
fn tokens(capture: &Capture) -> Option<[u64; 4]> {
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

async fn replay(gate: &Tollgate, key: &str, capture: &Capture, cuts: &str) -> Result<RawAnswer> {
    let headers = format!(
        "authorization: Bearer {key}\r\nx-sim-replay: {}\r\nx-sim-cuts: {cuts}\r\n",
        capture.name
    );
    let mut client = RawClient::connect(gate.url()).await?;
    client.post(&capture.path, &headers, &capture.body).await?;
    Ok(client.answer().await?)
}

fn assert_same(capture: &Capture, answer: &RawAnswer, cuts: &str) {
    let name = format!("{} cut {cuts}", capture.name);
    assert_eq!(answer.status, capture.status, "{name}: {}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.complete, capture.whole, "{name}");
    let got = comparable(&answer.body, capture.is_stream);
    let recorded = comparable(&capture.answer, capture.is_stream).into_iter();
    let wanted: Vec<Value> = recorded
        .map(|value| match capture.is_stream {
            true => json!([value[0], renamed(value[1].clone())]),
            false => renamed(value),
        })
        .collect();
    assert_eq!(got, wanted, "{name}");
}

fn assert_billed(capture: &Capture, row: &Value) {
    let name = &capture.name;
    let [input, cached, output, reasoning] = tokens(capture).unwrap_or_default();
    let billed = ["input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens"]
        .map(|field| row[field].as_u64().unwrap_or(u64::MAX));
    assert_eq!(billed, [input, cached, output, reasoning], "{name}: {row}");
    let source = match (tokens(capture).is_some(), capture.whole) {
        (false, _) => "none",
        (true, true) => "engine",
        (true, false) => "running",
    };
    assert_eq!(row["source"], source, "{name}: {row}");
    if capture.whole && capture.status < 400 && !capture.name.contains("killed") {
        assert_eq!(row["end"], "complete", "{name}: {row}");
    }
    if !capture.whole || capture.status >= 500 {
        assert_eq!(row["end"], "engine_failed", "{name}: {row}");
    }
}

/// Every field that was recorded: the captures show what engines take, not what a
/// gateway lets callers set.
fn fields(captures: &[Capture]) -> BTreeSet<String> {
    let bodies = captures.iter().filter_map(|it| serde_json::from_str::<Value>(&it.body).ok());
    let names = bodies.filter_map(|body| Some(body.as_object()?.keys().cloned().collect()));
    names.collect::<Vec<Vec<String>>>().concat().into_iter().collect()
}

async fn replay_all_of(engine_name: &str) -> Result<()> {
    let captures = captures(engine_name)?;
    assert!(captures.len() >= 10, "{engine_name}: only {} captures", captures.len());
    let engine = Engine::start().model("sim").spawn().await?;
    let allowed = json!(fields(&captures));
    let yaml =
        format!("models: {{ {}: p }}\npools:\n  p:\n    allow_fields: {allowed}\n", json!(ASKED));
    let gate = Tollgate::with(&yaml).engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let mut asked = HashMap::new();
    for (number, capture) in captures.iter().enumerate() {
        for cuts in ["recorded".to_owned(), format!("random:{number}")] {
            let answer = replay(&gate, &key, capture, &cuts).await?;
            assert_same(capture, &answer, &cuts);
            let id = answer.header("x-request-id").unwrap_or_default().to_owned();
            asked.insert(id, capture);
        }
    }
    assert_eq!(asked.len(), captures.len() * 2, "ids are unique");
    let rows = gate.usage_when(|rows| rows.len() >= asked.len(), RECORD_TIMEOUT).await?;
    assert_eq!(rows.len(), asked.len());
    for row in &rows {
        assert_billed(asked[row["id"].as_str().unwrap_or_default()], row);
    }
    Ok(())
}

#[tokio::test]
async fn vllm() -> Result<()> {
    replay_all_of(ENGINES[0]).await
}

#[tokio::test]
async fn sglang() -> Result<()> {
    replay_all_of(ENGINES[1]).await
}

#[tokio::test]
async fn llama_cpp() -> Result<()> {
    replay_all_of(ENGINES[2]).await
}

#[tokio::test]
async fn transformers() -> Result<()> {
    replay_all_of(ENGINES[3]).await
}
