//! Every capture of a real engine, replayed through the gateway: the client gets
//! what the engine said, under the name that was asked for, and the ledger gets
//! the tokens that the engine counted.

use super::attempts::told_status;
use super::ledger::RECORD_TIMEOUT;
use integration::recorded::{Capture, ENGINES, captures, comparable, tokens};
use integration::{Engine, RawAnswer, RawClient, Result, Tollgate};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

const ASKED: &str = "asked\"for\"/한글";

/// The recorded request under the asked name; one of our own where the recorded
/// one is of a kind that the gateway refuses itself.
fn request_body(capture: &Capture) -> String {
    let recorded = capture.asked.clone();
    let streams = recorded["stream"] == true;
    // An image in a capture is eight bytes that no engine has to read.
    // The recorded pictures are stand-ins, and no pictures.
    let usable = recorded["model"].is_string()
        && !recorded.to_string().contains("image_url")
        && !recorded["messages"].to_string().contains("data:image")
        && ["n", "max_tokens", "max_completion_tokens"].iter().all(|field| {
            recorded[field].is_null() || (1..=16).contains(&recorded[field].as_u64().unwrap_or(0))
        });
    let mut body = if usable { recorded } else { json!({"stream": streams, "user": capture.path}) };
    body["model"] = json!(ASKED);
    body.to_string()
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

async fn replay(gate: &Tollgate, key: &str, capture: &Capture, cuts: &str) -> Result<RawAnswer> {
    let headers = format!(
        "authorization: Bearer {key}\r\nx-sim-replay: {}\r\nx-sim-cuts: {cuts}\r\n",
        capture.name
    );
    let mut client = RawClient::connect(gate.url()).await?;
    client.post(&capture.path, &headers, &request_body(capture)).await?;
    Ok(client.answer().await?)
}

/// What of usage a client has asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    TheLast,
    Every,
}

impl Asked {
    fn of(capture: &Capture) -> Asked {
        let body: Value = serde_json::from_str(&request_body(capture)).unwrap_or_default();
        let options = &body["stream_options"];
        match (options["include_usage"] == true, options["continuous_usage_stats"] == true) {
            (true, true) => Asked::Every,
            (true, false) => Asked::TheLast,
            (false, _) => Asked::Nothing,
        }
    }

    /// Other interfaces tell usage unasked.
    fn applies(self, capture: &Capture) -> bool {
        let path = capture.path.as_str();
        capture.is_stream && ["/v1/chat/completions", "/v1/completions"].contains(&path)
    }

    /// The events as such a client has to see them: the gateway asks for more than it did.
    fn seen(self, capture: &Capture, mut events: Vec<Value>) -> Vec<Value> {
        if !self.applies(capture) || self == Asked::Every {
            return events;
        }
        let is_last =
            |event: &Value| event[1]["choices"] == json!([]) && event[1]["usage"].is_object();
        events.retain(|event| self == Asked::TheLast || !is_last(event));
        for event in &mut events {
            let keeps = is_last(event);
            if let Some(fields) = event[1].as_object_mut().filter(|_| !keeps) {
                fields.remove("usage");
            }
        }
        events
    }
}

fn assert_same(capture: &Capture, answer: &RawAnswer, cuts: &str) {
    let name = format!("{} cut {cuts}", capture.name);
    if capture.status >= 400 {
        // What is told of a failure is the gateway's: `attempts::errors`.
        assert_eq!(answer.status, told_status(capture), "{name}");
        assert!(answer.complete && answer.json()["error"].is_object(), "{name}");
        return;
    }
    assert_eq!(answer.status, capture.status, "{name}: {}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.complete, capture.whole, "{name}");
    let asked = Asked::of(capture);
    let got = comparable(&answer.body, capture.is_stream);
    let told = got.iter().filter(|event| !event[1]["usage"].is_null()).count();
    assert!(asked != Asked::Nothing || told == 0 || !asked.applies(capture), "{name}");
    let recorded = comparable(&capture.answer, capture.is_stream).into_iter();
    let wanted: Vec<Value> = recorded
        .map(|value| match capture.is_stream {
            true => json!([value[0], renamed(value[1].clone())]),
            false => renamed(value),
        })
        .collect();
    let [got, wanted] =
        [got, wanted].map(|events| asked.seen(capture, events.into_iter().map(unworded).collect()));
    assert_eq!(got, wanted, "{name}");
}

/// An event of an error without the words of it: those that callers read are the gateway's.
fn unworded(mut event: Value) -> Value {
    let error = event.get_mut(1).and_then(|data| data.get_mut("error"));
    if let Some(error) = error.filter(|error| error.is_object()) {
        *error = json!("an error");
    }
    event
}

fn assert_billed(capture: &Capture, row: &Value) {
    let name = &capture.name;
    let billed = ["input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens"]
        .map(|field| row[field].as_u64().unwrap_or(u64::MAX));
    let source = row["source"].as_str().unwrap_or_default();
    match tokens(capture) {
        Some(told) if capture.whole => {
            assert_eq!((billed, source), (told, "engine"), "{name}: {row}");
        }
        // What came after the engine's last count is estimated.
        Some(told) => {
            assert!(billed[0] == told[0] && billed[2] >= told[2], "{name}: {row}");
            assert!(["running", "estimated"].contains(&source), "{name}: {row}");
        }
        None if capture.status >= 400 => assert_eq!((billed, source), ([0; 4], "none"), "{row}"),
        None => assert!(source == "estimated" && billed[0] > 0, "{name}: {row}"),
    }
    if capture.whole && capture.status < 400 && !capture.name.contains("killed") {
        assert_eq!(row["end"], "complete", "{name}: {row}");
    }
    if !capture.whole || row["status"].as_u64() >= Some(500) {
        assert_eq!(row["end"], "engine_failed", "{name}: {row}");
    }
}

/// Every field that was recorded: the captures show what engines take, not what a
/// gateway lets callers set.
fn fields(captures: &[Capture]) -> BTreeSet<String> {
    let bodies =
        captures.iter().filter_map(|it| serde_json::from_str::<Value>(&request_body(it)).ok());
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
