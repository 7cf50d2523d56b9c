//! Values come back in streams, however those are cut.

use super::{CARD, EMAIL, PHONE, POLICY, World, assert_no_value, chat, prompt};
use integration::{Result, SseReader, client};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The events of a stream.
async fn events(request: reqwest::RequestBuilder) -> Result<Vec<integration::Event>> {
    let answer = request.send().await?;
    assert_eq!(answer.status(), 200);
    Ok(SseReader::default().feed(&answer.bytes().await?))
}

/// The text of each choice of a chat.
fn texts(events: &[integration::Event], choices: usize) -> Vec<String> {
    let mut texts = vec![String::new(); choices];
    for event in events.iter().filter(|event| event.data != "[DONE]") {
        let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
        for choice in data["choices"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let index = choice["index"].as_u64().unwrap_or_default() as usize;
            texts[index] += choice["delta"]["content"].as_str().unwrap_or_default();
        }
    }
    texts
}

#[tokio::test]
async fn a_chat_comes_back_at_every_size_of_its_pieces() -> Result<()> {
    let world = World::with(POLICY).await?;
    let mut body = chat(&prompt());
    body["stream"] = true.into();
    body["n"] = 2.into();
    for tokens in [1, 2, 3, 7, 20, 45, 80, 150] {
        let request = world.post("/v1/chat/completions", &body);
        let events = events(request.header("x-sim-tokens", tokens.to_string())).await?;
        assert_eq!(texts(&events, 2), [prompt(), prompt()], "{tokens} pieces");
        assert_eq!(events.last().map(|event| event.data.as_str()), Some("[DONE]"));
        assert_no_value(&world.received().await?);
    }
    Ok(())
}

#[tokio::test]
async fn every_api_that_streams_gives_values_back() -> Result<()> {
    let world = World::with(POLICY).await?;
    let text = format!("to {EMAIL}, {PHONE} and 카드 {CARD}");
    for (path, body, delta) in [
        ("/v1/completions", json!({"prompt": text}), "/choices/0/text"),
        ("/v1/responses", json!({"input": text}), "/delta"),
        (
            "/v1/messages",
            json!({"max_tokens": 500, "messages": [{"role": "user", "content": text}]}),
            "/delta/text",
        ),
    ] {
        let mut body = body;
        body["model"] = "tiny".into();
        body["stream"] = true.into();
        for tokens in ["1", "5", "40", "110"] {
            let events = events(world.post(path, &body).header("x-sim-tokens", tokens)).await?;
            let pieces = events.iter().map(|event| {
                let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
                data.pointer(delta).and_then(Value::as_str).unwrap_or_default().to_owned()
            });
            assert_eq!(pieces.collect::<String>(), text, "{path} in {tokens}");
            let all: String = events.iter().map(|event| event.data.as_str()).collect();
            assert!(!all.contains("[EMAIL_"), "{path} in {tokens}: {all}");
        }
        assert_no_value(&world.received().await?);
    }
    Ok(())
}

/// An engine that waits long between two tokens shows whether anything waits for more
/// than it has to.
#[tokio::test]
async fn what_cannot_be_a_placeholder_does_not_wait() -> Result<()> {
    let world = World::with(POLICY).await?;
    let text = format!("abcdefghijklmnopqrst {EMAIL}");
    let mut body = chat(&text);
    body["stream"] = true.into();
    let request = world.post("/v1/chat/completions", &body);
    let request = request.header("x-sim-tokens", "2").header("x-sim-interval", "3s");
    let begun = Instant::now();
    let mut answer = request.send().await?;
    let (mut reader, mut came) = (SseReader::default(), Vec::new());
    while texts(&came, 1)[0].is_empty() {
        let Some(chunk) = answer.chunk().await? else { break };
        came.extend(reader.feed(&chunk));
    }
    let first = texts(&came, 1)[0].clone();
    assert!(text.starts_with(&first) && first.len() > 10, "{first}");
    assert!(begun.elapsed() < Duration::from_secs(3), "the first piece has waited for the second");
    while let Some(chunk) = answer.chunk().await? {
        came.extend(reader.feed(&chunk));
    }
    assert_eq!(texts(&came, 1), [text]);
    Ok(())
}

#[tokio::test]
async fn usage_is_billed_as_without_masking() -> Result<()> {
    let world = World::with(POLICY).await?;
    let mut body = chat(&prompt());
    body["stream"] = true.into();
    body["stream_options"] = json!({"include_usage": true});
    let answer =
        world.post("/v1/chat/completions", &body).header("x-sim-tokens", "30").send().await?;
    let id = answer.headers()["x-request-id"].to_str().unwrap_or_default().to_owned();
    let events = SseReader::default().feed(&answer.bytes().await?);
    let usage = events.iter().filter_map(|event| {
        let data: Value = serde_json::from_str(&event.data).ok()?;
        data["usage"]["completion_tokens"].as_u64()
    });
    assert_eq!(usage.collect::<Vec<_>>(), [30]);
    let row = super::super::ledger::record(&world.gate, &id).await?;
    assert_eq!((&row["output_tokens"], &row["source"]), (&30.into(), &"engine".into()), "{row}");
    Ok(())
}

#[tokio::test]
async fn what_the_model_wrote_itself_is_masked_where_the_policy_says_so() -> Result<()> {
    let yaml = "masking:\n  policies:\n    open: { answers: true, types: { default: \"off\", EMAIL: restore } }\n    closed: { answers: true }\nmodels:\n  tiny: p\n  open: { split: [{ pool: p }], masking: open }\n  closed: { split: [{ pool: p }], masking: closed }\n";
    // The engine's words are its own here: it reads the value in a schema, which is not
    // masked, and answers with what it received.
    let engine = integration::Engine::start().record().spawn().await?;
    let gate = integration::Tollgate::with(yaml).engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    for stream in [false, true] {
        for tokens in ["3", "60", "400"] {
            let body = json!({"model": "closed", "stream": stream,
                "messages": [{"role": "user", "content": "who?"}],
                "response_format": {"type": "json_schema", "json_schema": {"name": "n", "description": format!("ask {EMAIL} now")}}});
            let request = client().post(format!("{}/v1/chat/completions", gate.url())).json(&body);
            let request = request.bearer_auth(&key).header("x-sim-echo", "body");
            let text = request.header("x-sim-tokens", tokens).send().await?.text().await?;
            let text = if stream {
                texts(&SseReader::default().feed(text.as_bytes()), 1).concat()
            } else {
                text
            };
            assert!(text.contains("ask [EMAIL] now") && !text.contains(EMAIL), "{tokens}: {text}");
        }
    }
    Ok(())
}
