//! Every recorded answer of a real engine, read at many cuts, against a plain
//! reading of the whole body.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::request;
use crate::trial::{Outcome, read, reader};
use crate::usage::Usage;

mod billing;
mod errors;

const ENGINES: [&str; 4] = [
    "llama.cpp-server-b11434",
    "sglang-0.5.23-cpu",
    "transformers-serve-5.23.0",
    "vllm-0.32.0-cpu",
];

/// A name that every name of the engines differs from, and that needs escapes.
const ASKED: &str = "asked \"name\" \\ é";

pub(crate) struct Message {
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        let named = |line: &&str| line.split(':').next().unwrap().eq_ignore_ascii_case(wanted);
        let line = self.head.lines().skip(1).find(named)?;
        line.split_once(':').map(|(_, value)| value.trim())
    }

    /// The path of a request.
    pub(crate) fn path(&self) -> &str {
        let target = self.head.split(' ').nth(1).unwrap();
        target.split('?').next().unwrap()
    }

    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

pub(crate) fn files(suffix: &str) -> Vec<PathBuf> {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integration/captures");
    let mut found = Vec::new();
    for engine in ENGINES {
        let before = found.len();
        for entry in fs::read_dir(captures.join(engine)).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().ends_with(suffix) {
                found.push(path);
            }
        }
        assert!(found.len() > before, "{engine} has captures");
    }
    found
}

pub(crate) fn message(path: &Path) -> Message {
    let raw = fs::read(path).unwrap();
    let end = memchr::memmem::find(&raw, b"\r\n\r\n").unwrap();
    let head = String::from_utf8(raw[..end].to_vec()).unwrap();
    let mut message = Message { head, body: raw[end + 4..].to_vec() };
    if message.header("transfer-encoding") == Some("chunked") {
        message.body = dechunked(&message.body);
    }
    message
}

/// The body of a chunked message (RFC 9112 §7.1), which may be cut off.
fn dechunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = memchr::memmem::find(rest, b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        rest = &rest[end + 2..];
        body.extend(&rest[..size.min(rest.len())]);
        rest = rest.get(size + 2..).unwrap_or_default();
    }
    body
}

/// The JSON documents of a body: its events, or itself.
fn documents(media: &str, body: &str) -> Vec<Value> {
    if !media.starts_with("text/event-stream") {
        return serde_json::from_str(body).into_iter().collect();
    }
    let data = body.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter_map(|data| serde_json::from_str(data).ok()).collect()
}

fn plain_usage(document: &Value) -> Option<Usage> {
    let places = ["/usage", "/response/usage", "/message/usage"];
    let mut found = places.iter().filter_map(|place| document.pointer(place));
    let usage = found.rfind(|usage| usage.is_object())?;
    let count = |places: &[&str]| {
        let counts = places.iter().filter_map(|place| usage.pointer(place)?.as_u64());
        counts.max().unwrap_or(0)
    };
    let outside = count(&["/cache_read_input_tokens"]) + count(&["/cache_creation_input_tokens"]);
    Some(Usage {
        input: count(&["/prompt_tokens", "/input_tokens"]) + outside,
        cached_input: count(&[
            "/prompt_tokens_details/cached_tokens",
            "/input_tokens_details/cached_tokens",
            "/cache_read_input_tokens",
        ]),
        output: count(&["/completion_tokens", "/output_tokens"]),
        reasoning: count(&[
            "/reasoning_tokens",
            "/completion_tokens_details/reasoning_tokens",
            "/output_tokens_details/reasoning_tokens",
        ]),
    })
}

fn larger(a: Usage, b: Usage) -> Usage {
    Usage {
        input: a.input.max(b.input),
        cached_input: a.cached_input.max(b.cached_input),
        output: a.output.max(b.output),
        reasoning: a.reasoning.max(b.reasoning),
    }
}

/// The body with every name of the engine's replaced: in these captures there
/// is no `"model":"..."` that is not the answer's own.
fn renamed(body: &str) -> String {
    let asked = serde_json::to_string(ASKED).unwrap();
    let mut parts = body.split(r#""model":""#);
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (_, tail) = part.split_once('"').unwrap();
        out.extend([r#""model":"#, &asked, tail]);
    }
    out
}

/// Cuts that differ from file to file but not from run to run.
fn cuts(seed: usize) -> Vec<usize> {
    let step = |x: &usize| Some(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695));
    std::iter::successors(Some(seed), step).skip(3).take(40).map(|x| x >> 7).collect()
}

fn check(path: &Path) -> Outcome {
    let message = message(path);
    let media = message.header("content-type").unwrap_or_default().to_owned();
    let text = std::str::from_utf8(&message.body).unwrap();
    let read_as = |asked: &str, cuts: &[usize]| {
        let reader = crate::reply::Reader::for_answer(message.status(), Some(&media), None, asked);
        read(reader, &message.body, cuts)
    };
    let whole = read_as(ASKED, &[]);
    let every: Vec<_> = (0..message.body.len()).collect();
    for (name, cuts) in [("each byte", every), ("a", cuts(text.len())), ("b", cuts(text.len() + 1))]
    {
        assert_eq!(read_as(ASKED, &cuts), whole, "{name}: {}", path.display());
    }
    if media.starts_with("text/plain") {
        assert_eq!(whole.bytes, message.body);
        return whole;
    }
    assert_eq!(std::str::from_utf8(&whole.bytes).unwrap(), renamed(text), "{}", path.display());
    let documents = documents(&media, text);
    let usage = documents.iter().filter_map(plain_usage).reduce(larger);
    assert_eq!(whole.usage, usage, "{}", path.display());
    if media.starts_with("text/event-stream") {
        assert_eq!(whole.events, documents.len() as u64, "{}", path.display());
    }
    for own in documents.iter().filter_map(|document| document["model"].as_str()).take(1) {
        assert_eq!(read_as(own, &[]).bytes, message.body, "{}", path.display());
    }
    whole
}

#[test]
fn every_answer_reads_the_same_at_any_cut() {
    let checked: Vec<_> = files(".response.http").iter().map(|path| check(path)).collect();
    assert!(checked.len() > 150);
    assert!(checked.iter().filter(|outcome| outcome.usage.is_some()).count() > 100);
    assert!(checked.iter().filter(|outcome| outcome.error).count() > 25);
    assert!(checked.iter().any(|outcome| outcome.usage.is_some_and(|usage| usage.reasoning > 0)));
}

#[test]
fn errors_are_seen_where_the_status_tells_one() {
    for path in files(".response.http") {
        let message = message(&path);
        let outcome = check(&path);
        let told_by_detail = memchr::memmem::find(&message.body, b"{\"detail\"").is_some();
        let is_json = message.header("content-type").is_some_and(|media| media.contains("json"));
        if message.status() >= 400 && is_json && !told_by_detail {
            assert!(outcome.error, "{}", path.display());
        }
        if outcome.error && message.status() < 400 {
            let name = path.file_name().unwrap().to_string_lossy();
            assert!(name.contains("killed") || name.contains("err-"), "{name}");
        }
    }
}

#[test]
fn every_request_of_a_client_parses_or_is_meant_to_be_wrong() {
    for path in files(".request.http") {
        let message = message(&path);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let plain = serde_json::from_slice::<Value>(&message.body);
        match request::parse(&message.body) {
            Ok(request) => {
                let plain = plain.unwrap();
                assert_eq!(plain["model"].as_str(), Some(&*request.model.value), "{name}");
                assert_eq!(plain["stream"].as_bool().unwrap_or(false), request.stream, "{name}");
                assert_eq!(plain["n"].as_u64(), request.n, "{name}");
                assert_eq!(plain["max_tokens"].as_u64(), request.max_tokens, "{name}");
            }
            Err(error) => assert!(name.contains("err-"), "{name}: {error}"),
        }
    }
}

#[test]
fn an_answer_without_a_model_is_left_alone() {
    let outcome = read(reader("application/json", ASKED), br#"{"detail":"Not Found"}"#, &[5]);
    assert_eq!(outcome.bytes, br#"{"detail":"Not Found"}"#);
}
