//! Every recorded error of a real engine, told again.

use super::{Message, files, message};
use crate::engine_error::Retelling;
use contract::refusal::{ErrorShape, engine_error};
use std::fs;
use std::path::{Path, PathBuf};

/// Engines of which errors alone were recorded.
const OTHERS: [&str; 3] = ["kserve-0.21.0", "mlserver-1.7.1", "text-embeddings-inference-1.9.3"];

/// What stands in no message: paths, traces, hosts, memory.
const PRIVATE: [&str; 9] = [
    "/SERVER",
    "site-packages",
    ".py",
    "File \"",
    "Traceback",
    "://",
    "127.0.0.1",
    "0x",
    "json.exception",
];

fn of_others() -> Vec<PathBuf> {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integration/captures");
    let folders = OTHERS.iter().flat_map(|engine| fs::read_dir(captures.join(engine)).unwrap());
    folders.map(|entry| entry.unwrap().path()).collect()
}

fn errors() -> Vec<(String, Message)> {
    let all = files(".response.http").into_iter().chain(of_others());
    let name = |path: &Path| {
        path.iter().rev().take(2).map(|it| it.to_string_lossy()).collect::<Vec<_>>().join("@")
    };
    let all = all.map(|path| (name(&path), message(&path)));
    all.filter(|(_, message)| message.status() >= 400).collect()
}

fn told(message: &Message) -> (u16, String, Option<String>) {
    let retelling = Retelling::new(ErrorShape::OpenAi, "chat-large", "tiny");
    let refusal = retelling.refusal(message.status(), &message.body);
    assert_eq!(refusal.code, engine_error(message.status()));
    (refusal.code.status(), refusal.message.into(), refusal.param.map(Into::into))
}

#[test]
fn no_error_tells_what_is_private() {
    let errors = errors();
    assert!(errors.len() > 60, "{}", errors.len());
    for (name, message) in errors {
        let (status, text, _) = told(&message);
        assert!([400, 404, 429, 502, 503].contains(&status), "{name}: {status}");
        assert!(!text.is_empty() && text.chars().count() <= 500, "{name}: {text}");
        assert!(!text.contains(|c: char| c.is_control()), "{name}: {text}");
        for private in PRIVATE {
            assert!(!text.contains(private), "{name}: {text}");
        }
    }
}

#[test]
fn every_engine_says_what_is_wrong_with_a_request() {
    #[rustfmt::skip]
    let table = [
        ("err-no-messages.response.http@vllm-0.32.0-cpu", 400, "messages: Field required", Some("messages")),
        ("err-no-messages.response.http@sglang-0.5.23-cpu", 400, "messages: Field required", Some("messages")),
        ("err-no-messages.response.http@llama.cpp-server-b11434", 400, "'messages' is required", None),
        ("err-no-messages.response.http@transformers-serve-5.23.0", 502, "The inference server failed while it was answering.", None),
        ("err-empty-body.response.http@sglang-0.5.23-cpu", 400, "Field required", None),
        ("err-malformed-json.response.http@sglang-0.5.23-cpu", 400, "JSON decode error", None),
        ("err-malformed-json.response.http@transformers-serve-5.23.0", 400, "JSON decode error", None),
        ("err-max-tokens-negative.response.http@vllm-0.32.0-cpu", 400, "max_tokens must be at least 1, got -1.", Some("max_tokens")),
        ("err-prompt-too-long.response.http@sglang-0.5.23-cpu", 400, "The input (4011 tokens) is longer than the model's context length (2048 tokens).", None),
        ("err-prompt-too-long.response.http@llama.cpp-server-b11434", 400, "request (4011 tokens) exceeds the available context size (2048 tokens), try increasing it", None),
        ("err-image-on-text-model.response.http@vllm-0.32.0-cpu", 400, "chat-large is not a multimodal model", None),
        ("err-unknown-field.response.http@transformers-serve-5.23.0", 400, "Unexpected fields in the request: {'no_such'}", None),
        ("err-embeddings-on-chat-model.response.http@vllm-0.32.0-cpu", 404, "The model's inference server does not have this path.", None),
        ("err-embeddings-on-chat-model.response.http@llama.cpp-server-b11434", 404, "The model's inference server does not have this path.", None),
        ("b-err-wrong-key.response.http@vllm-0.32.0-cpu", 502, "The inference server failed while it was answering.", None),
        ("c-err-queue-full.response.http@vllm-0.32.0-cpu", 503, "No inference server can take this request at the moment.", None),
        ("err-overloaded.response.http@text-embeddings-inference-1.9.3", 429, "The inference servers are at their limit.", None),
        ("err-batch-too-big.response.http@text-embeddings-inference-1.9.3", 400, "batch size 9 > maximum allowed batch size 8", None),
        ("err-missing-input.response.http@text-embeddings-inference-1.9.3", 400, "Failed to deserialize the JSON body into the target type: missing field `input` at line 1 column 14", None),
        ("err-rerank.response.http@text-embeddings-inference-1.9.3", 502, "The inference server failed while it was answering.", None),
        ("err-no-inputs.response.http@kserve-0.21.0", 400, "InferenceRequest.inputs: Field required; bytes: Input should be a valid bytes", Some("InferenceRequest.inputs")),
        ("err-no-inputs.response.http@mlserver-1.7.1", 400, "inputs: Field required", Some("inputs")),
    ];
    let errors = errors();
    for (name, status, text, param) in table {
        let found = errors.iter().find(|(of, _)| of == name);
        let (_, message) = found.unwrap_or_else(|| panic!("{name} is there"));
        assert_eq!(told(message), (status, text.to_owned(), param.map(str::to_owned)), "{name}");
    }
}

#[test]
fn an_engine_that_dies_in_a_stream_says_nothing_of_itself() {
    let is_killed = |path: &PathBuf| path.ends_with("e-engine-killed-midstream.response.http");
    let message = message(&files(".response.http").into_iter().find(is_killed).unwrap());
    let retelling = Retelling::new(ErrorShape::OpenAi, "chat-large", "tiny");
    let reader = crate::trial::reader("text/event-stream", "chat-large");
    let outcome =
        crate::trial::read(reader.with_errors(200, None, retelling), &message.body, &[9, 99]);
    let text = String::from_utf8(outcome.bytes).unwrap();
    assert!(
        outcome.error && !text.contains("EngineCore") && !text.contains("stack trace"),
        "{text}"
    );
    assert!(text.contains(r#"data: {"error": {"code":"engine_error","#), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"));
}
