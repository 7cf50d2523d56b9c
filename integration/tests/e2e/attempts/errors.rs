//! What engines say of their failures is told in one shape, and nothing of their insides.

use super::super::ask::Told;
use integration::recorded::{Capture, ENGINES, captures};
use integration::{Engine, RawClient, Result, Tollgate, client};
use serde_json::{Value, json};

/// The most of an engine's own words that a caller is told.
const MESSAGE_CHARACTERS_MAX: usize = 500;
/// What is only found inside an engine or between it and the gateway.
const INSIDES: [&str; 6] = [".py", "Traceback", "http://", "https://", "site-packages", "../"];
/// What a path of the API begins with: the one path that may be told.
const API: &str = "/v1/";

/// Statuses that say nothing of what was asked.
const NO_ANSWERS: [u16; 4] = [302, 303, 304, 307];
/// What such an answer has beside its status.
const ELSEWHERE: &str = "location: http://10.0.0.5/inside?token=made-up\r\n\
                         set-cookie: inside=made-up\r\nx-debug-path: /opt/inside\r\n\
                         content-length: 0\r\n";

/// Where the client's error is: Anthropic's shape has no code.
fn assert_in_shape(capture: &Capture, told: &Told) {
    let error = &told.body["error"];
    let shown = format!("{}: {} {}", capture.name, told.status, told.body);
    let message = error["message"].as_str().unwrap_or_default();
    assert!(!message.is_empty() && !message.contains('\n'), "{shown}");
    assert!(message.chars().count() <= MESSAGE_CHARACTERS_MAX, "{shown}");
    assert!(error["type"].is_string(), "{shown}");
    match capture.path == "/v1/messages" {
        true => assert_eq!(told.body["type"], "error", "{shown}"),
        false => {
            let fields: Vec<&str> = error
                .as_object()
                .map(|it| it.keys().map(String::as_str).collect())
                .unwrap_or_default();
            assert_eq!(fields, ["code", "message", "param", "type"], "{shown}");
            assert!(error["code"].is_string(), "{shown}");
        }
    }
    let body = told.body.to_string();
    for inside in INSIDES {
        assert!(!body.contains(inside), "{inside}: {shown}");
    }
    assert!(!body.split(|c: char| !is_of_path(c)).any(is_foreign_path), "{shown}");
}

fn is_of_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/._-".contains(c)
}

/// Whether a word is a path from the root, of more than one name.
fn is_foreign_path(word: &str) -> bool {
    word.strip_prefix('/').is_some_and(|rest| rest.contains('/')) && !word.starts_with(API)
}

/// The status towards the client of an engine's.
pub fn told_status(capture: &Capture) -> u16 {
    match capture.status {
        400 | 413 | 422 => 400,
        404 | 405 | 501 => 404,
        429 => 429,
        503 => 503,
        408 | 504 => 504,
        _ => 502,
    }
}

#[tokio::test]
async fn every_recorded_failure_is_told_in_the_gateways_shape() -> Result<()> {
    let engine = Engine::start().model("sim").spawn().await?;
    let yaml = "models: { chat: p }\npools:\n  p:\n    retries: 0\n    \
                ejection: { failures: 1000, error_rate: 100% }\n";
    let gate = Tollgate::with(yaml).engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let mut count = 0;
    for engine in ENGINES {
        for capture in captures(engine)?.into_iter().filter(|it| it.status >= 400 && it.whole) {
            let request = client().post(format!("{}{}", gate.url(), capture.path));
            let request = request.json(&body_for(&capture.path)).bearer_auth(&key);
            let told = Told::of(request.header("x-sim-replay", &capture.name)).await?;
            assert_eq!(told.status, told_status(&capture), "{}: {}", capture.name, told.body);
            assert_in_shape(&capture, &told);
            let length = told.headers.get("content-length");
            assert!(length.is_none_or(|it| it != "0"), "{}: {:?}", capture.name, told.headers);
            count += 1;
        }
    }
    assert!(count >= 20, "only {count} recorded failures");
    Ok(())
}

/// A request that the gateway lets through.
fn body_for(path: &str) -> Value {
    let text = "hello";
    match path {
        "/v1/chat/completions" | "/v1/messages" => {
            json!({"model": "chat", "max_tokens": 5, "messages": [{"role": "user", "content": text}]})
        }
        "/v1/completions" => json!({"model": "chat", "prompt": text}),
        "/v1/rerank" => json!({"model": "chat", "query": text, "documents": [text]}),
        _ => json!({"model": "chat", "input": text}),
    }
}

/// The engine's name of the model is nobody's business, in an error neither.
#[tokio::test]
async fn an_engines_name_of_the_model_is_not_told() -> Result<()> {
    let engine = Engine::start().model("org/secret-model").fault("status=400").spawn().await?;
    let gate = Tollgate::with("models: { chat: p }\n").engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let told = super::super::ask::chat(&gate, &key, "chat").await?;
    assert_eq!(told.what(), (400, "invalid_request"), "{}", told.body);
    assert!(told.body["error"]["message"].as_str().is_some_and(|it| it.contains("as commanded")));
    assert!(!told.body.to_string().contains("secret-model"), "{}", told.body);
    Ok(())
}

/// Inside a stream of status 200 as well.
#[tokio::test]
async fn an_error_event_is_told_in_the_gateways_shape() -> Result<()> {
    let world = super::World::start().await?;
    world.a.fail("error-event").await?;
    let stream = world.stream().await?;
    let event = stream.text.lines().find(|line| line.contains("\"error\"")).unwrap_or_default();
    let event: Value = serde_json::from_str(event.trim_start_matches("data: "))?;
    let error = &event["error"];
    assert_eq!((&error["code"], &error["type"]), (&"engine_error".into(), &"server_error".into()));
    assert!(error["message"].is_string(), "{event}");
    Ok(())
}

/// Neither where an engine sends a client to, nor anything else that it says beside it, is
/// told: the client has no business there.
#[tokio::test]
async fn an_answer_that_is_none_is_an_engines_error() -> Result<()> {
    let answers = tempfile::TempDir::with_prefix("answers-")?;
    let folder = answers.path().join("made");
    std::fs::create_dir(&folder)?;
    for status in NO_ANSWERS {
        let file = folder.join(format!("{status}.response.http"));
        std::fs::write(file, format!("HTTP/1.1 {status} Elsewhere\r\n{ELSEWHERE}\r\n"))?;
    }
    let engine = Engine::start().captures(answers.path()).spawn().await?;
    let gate = Tollgate::with("models: { chat: p }\n").engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    for (status, stream) in NO_ANSWERS.into_iter().flat_map(|it| [(it, false), (it, true)]) {
        let mut body = super::chat("hello");
        body["stream"] = stream.into();
        let headers = format!("authorization: Bearer {key}\r\nx-sim-replay: made/{status}\r\n");
        // A client that follows nobody.
        let mut client = RawClient::connect(gate.url()).await?;
        client.post(super::CHAT, &headers, &body.to_string()).await?;
        let told = client.answer().await?;
        let shown = format!("{status}: {}", String::from_utf8_lossy(&told.raw));
        assert_eq!((told.status, &told.json()["error"]["code"]), (502, &"engine_error".into()));
        for name in ["location", "set-cookie", "x-debug-path"] {
            assert_eq!(told.header(name), None, "{shown}");
        }
        assert!(told.complete && !shown.contains("inside"), "{shown}");
        let id = told.header("x-request-id").unwrap_or_default();
        let row = super::super::ledger::record(&gate, id).await?;
        assert_eq!((&row["status"], &row["code"]), (&502.into(), &"engine_error".into()), "{row}");
        assert_eq!(row["cost_nanodollars"].as_u64().unwrap_or(0), 0, "{row}");
    }
    Ok(())
}
