//! No value reaches an engine, and the caller gets it back.

mod cuts;
mod detector;
mod policies;
mod streams;

use super::ask::Told;
use integration::{Engine, Result, Tollgate, client};
use serde_json::{Value, json};

const POLICY: &str =
    "masking:\n  policies:\n    default: {}\ntenants:\n  acme:\n    masking: default\n";

/// Values of many types, made up.
const EMAIL: &str = "kim.minsu@example.com";
const PHONE: &str = "010-2345-6789";
const CARD: &str = "4111 1111 1111 1111";
const VALUES: [&str; 3] = [EMAIL, PHONE, CARD];

fn prompt() -> String {
    format!(
        "Write to {EMAIL} or call {PHONE}; 카드번호는 {CARD}입니다. \"Quoted\"\n그리고 끝 \u{1F600}"
    )
}

struct World {
    engine: Engine,
    gate: Tollgate,
    key: String,
}

impl World {
    async fn with(yaml: &str) -> Result<World> {
        let engine = Engine::start().model("org/tiny").record().spawn().await?;
        let yaml = format!("models: {{ tiny: p }}\n{yaml}");
        let gate = Tollgate::with(&yaml).engine("p", &engine).start().await?;
        let key = gate.key("acme").await?.key;
        Ok(World { engine, gate, key })
    }

    fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = client().post(format!("{}{path}", self.gate.url())).json(body);
        request.bearer_auth(&self.key).header("x-sim-echo", "text")
    }

    async fn ask(&self, path: &str, body: &Value) -> Result<Told> {
        Told::of(self.post(path, body)).await
    }

    async fn chat(&self, content: &str) -> Result<Told> {
        self.ask("/v1/chat/completions", &chat(content)).await
    }

    /// The body of the request that the engine received last.
    async fn received(&self) -> Result<String> {
        let mut received = self.engine.received(0).await?;
        received.retain(|request| request.method == "POST");
        let last = received.pop().map(|request| request.body).unwrap_or_default();
        Ok(String::from_utf8(last).unwrap_or_default())
    }
}

fn chat(content: &str) -> Value {
    json!({"model": "tiny", "messages": [{"role": "user", "content": content}]})
}

fn content(told: &Told) -> &str {
    told.body["choices"][0]["message"]["content"].as_str().unwrap_or_default()
}

#[track_caller]
fn assert_no_value(text: &str) {
    for value in VALUES {
        assert!(!text.contains(value), "{value}: {text}");
    }
}

#[tokio::test]
async fn values_stay_and_come_back() -> Result<()> {
    let world = World::with(POLICY).await?;
    let told = world.chat(&prompt()).await?;
    assert_eq!((told.status, content(&told)), (200, prompt().as_str()), "{}", told.body);
    assert_eq!(told.headers["x-tollgate-masked"], "3");
    let received = world.received().await?;
    assert_no_value(&received);
    assert!(received.contains("[EMAIL_") && received.contains("[PHONE_"), "{received}");
    let row = super::ledger::record(&world.gate, told.id()).await?;
    assert_eq!(row["masked"], json!({"CREDIT_CARD": 1, "EMAIL": 1, "PHONE": 1}), "{row}");
    Ok(())
}

#[tokio::test]
async fn the_rest_of_a_body_stays_to_the_byte() -> Result<()> {
    let unsalted = "pools:\n  p:\n    cache_salt: none\n";
    let world = World::with(&format!("{unsalted}{POLICY}")).await?;
    let body = format!(
        "{{ \"model\" : \"tiny\",\"temperature\":0.50, \"messages\":[ {{\"role\":\"user\",\"content\":\"\\u0041 \\/ {EMAIL} \\ud83d\\ude00\"}} ],\n\"top_p\":1e0}}"
    );
    let request = client().post(format!("{}/v1/chat/completions", world.gate.url()));
    let request = request.header("content-type", "application/json").body(body.clone());
    let told = Told::of(request.bearer_auth(&world.key)).await?;
    assert_eq!(told.status, 200, "{}", told.body);
    let received = world.received().await?;
    let (before, behind) = body.split_once(EMAIL).unwrap_or_default();
    let before = before.replacen("\"tiny\"", "\"org/tiny\"", 1);
    let placeholder = received.strip_prefix(&before).and_then(|rest| rest.strip_suffix(behind));
    assert!(placeholder.is_some_and(|it| it.starts_with("[EMAIL_")), "{received}");
    Ok(())
}

#[tokio::test]
async fn every_api_masks_its_texts() -> Result<()> {
    let world = World::with(POLICY).await?;
    let text = format!("{EMAIL} {PHONE} 카드 {CARD}");
    let arguments = json!({"to": EMAIL, "tel": PHONE, "card": CARD}).to_string();
    let call = json!({"id": "c1", "type": "function", "function": {"name": "send", "arguments": arguments}});
    let bodies = [
        (
            "/v1/chat/completions",
            json!({"messages": [
            {"role": "system", "content": text},
            {"role": "user", "content": [{"type": "text", "text": text}]},
            {"role": "assistant", "content": null, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": arguments},
        ], "user": EMAIL, "metadata": {"who": PHONE}}),
        ),
        ("/v1/completions", json!({"prompt": [text, text], "suffix": text})),
        ("/v1/embeddings", json!({"input": [text, text]})),
        (
            "/v1/responses",
            json!({"instructions": text, "input": [
                {"role": "user", "content": [{"type": "input_text", "text": text}]},
                {"type": "function_call_output", "call_id": "c1", "output": arguments},
            ]}),
        ),
        (
            "/v1/messages",
            json!({"max_tokens": 9, "system": text, "messages": [
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "send", "input": {"to": EMAIL}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": text}]},
            ]}),
        ),
        ("/v1/rerank", json!({"query": text, "documents": [text, text]})),
    ];
    for (path, mut body) in bodies {
        body["model"] = "tiny".into();
        let told = world.ask(path, &body).await?;
        assert_eq!(told.status, 200, "{path}: {}", told.body);
        let received = world.received().await?;
        assert!(received.contains("[EMAIL_"), "{path}: {received}");
        assert_no_value(&received);
        // The simulator's echo stands in no text of these two.
        if !["/v1/embeddings", "/v1/rerank"].contains(&path) {
            assert!(!told.body.to_string().contains("[EMAIL_"), "{path}: {}", told.body);
        }
    }
    Ok(())
}

#[tokio::test]
async fn forms_are_masked_too() -> Result<()> {
    let engine = Engine::start().model("org/whisper").record().spawn().await?;
    let yaml = format!("models: {{ hear: p }}\n{POLICY}");
    let gate = Tollgate::with(&yaml).engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let form = format!(
        "--XYZ\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nhear\r\n--XYZ\r\n\
         content-disposition: form-data; name=\"prompt\"\r\n\r\nNames: {EMAIL}\r\n--XYZ\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n\
         RIFF\u{24}\0\0\0WAVEfmt \r\n--XYZ--\r\n"
    );
    let request = client().post(format!("{}/v1/audio/transcriptions", gate.url())).bearer_auth(key);
    let request = request.header("content-type", "multipart/form-data; boundary=XYZ").body(form);
    let told = Told::of(request).await?;
    assert_eq!(told.status, 200, "{}", told.body);
    let received = engine.received(0).await?.pop().map(|it| it.body).unwrap_or_default();
    let received = String::from_utf8_lossy(&received);
    assert!(received.contains("\r\n\r\nNames: [EMAIL_") && !received.contains(EMAIL), "{received}");
    Ok(())
}

#[tokio::test]
async fn one_value_has_one_placeholder_everywhere() -> Result<()> {
    let keyed = "masking:\n  key: made-up-masking-key-0001\n  policies";
    let yaml = POLICY.replace("masking:\n  policies", keyed) + "  zoo: {}\n";
    let first = World::with(&yaml).await?;
    let second = World::with(&yaml).await?;
    let twice = first.chat(&format!("{EMAIL} and {EMAIL}")).await?;
    assert_eq!(content(&twice), format!("{EMAIL} and {EMAIL}"));
    let received: Value = serde_json::from_str(&first.received().await?)?;
    let text = received["messages"][0]["content"].as_str().unwrap_or_default().to_owned();
    let (one, other) = text.split_once(" and ").unwrap_or_default();
    assert!(one == other && one.starts_with("[EMAIL_"), "{text}");
    second.chat(EMAIL).await?;
    assert!(second.received().await?.contains(one), "another gateway with the same key");
    let other = first.gate.key("zoo").await?.key;
    let told = Told::of(
        client()
            .post(format!("{}/v1/chat/completions", first.gate.url()))
            .bearer_auth(other)
            .json(&chat(EMAIL)),
    )
    .await?;
    assert_eq!(told.headers.get("x-tollgate-masked"), None, "that tenant has no policy");
    assert!(first.received().await?.contains(EMAIL));
    Ok(())
}

#[tokio::test]
async fn a_key_of_the_gateways_own_outlives_it() -> Result<()> {
    let mut world = World::with(POLICY).await?;
    world.chat(EMAIL).await?;
    let before = world.received().await?;
    world.gate.stop();
    world.gate.start_again().await?;
    world.chat(EMAIL).await?;
    assert_eq!(world.received().await?, before);
    Ok(())
}

#[tokio::test]
async fn what_looks_like_a_placeholder_comes_back_as_it_was() -> Result<()> {
    let world = World::with(POLICY).await?;
    world.chat(EMAIL).await?;
    let received: Value = serde_json::from_str(&world.received().await?)?;
    let placeholder = received["messages"][0]["content"].as_str().unwrap_or_default().to_owned();
    assert!(placeholder.starts_with("[EMAIL_"), "{received}");
    for literal in [placeholder.clone(), placeholder.to_lowercase(), "[EMAIL_a1b2c3]".to_owned()] {
        let text = format!("{literal} is not {EMAIL}");
        let told = world.chat(&text).await?;
        assert_eq!(content(&told), text);
        assert_no_value(&world.received().await?);
    }
    Ok(())
}

#[tokio::test]
async fn pictures_of_ten_megabytes_pass_as_they_are() -> Result<()> {
    let world = World::with(POLICY).await?;
    let png = format!(
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ{}",
        "A".repeat(10 << 20)
    );
    let body = json!({"model": "tiny", "messages": [{"role": "user", "content": [
        {"type": "text", "text": EMAIL},
        {"type": "image_url", "image_url": {"url": png}},
    ]}]});
    let told = world.ask("/v1/chat/completions", &body).await?;
    assert_eq!(told.status, 200, "{}", told.body);
    let received = world.received().await?;
    assert!(received.contains(&png) && !received.contains(EMAIL));
    Ok(())
}
