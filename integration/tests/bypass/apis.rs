//! The same tricks by way of the other interfaces.

use super::attack::{AUTH, Attack, JSON, post};
use super::world::World;
use integration::Result;
use serde_json::{Value, json};

/// What an honest caller asks of each interface.
const HONEST: &[(&str, &str)] = &[
    ("/v1/completions", r#"{"model":"tiny","prompt":"one two"}"#),
    ("/v1/embeddings", r#"{"model":"tiny","input":"one two"}"#),
    ("/v1/responses", r#"{"model":"tiny","input":"one two"}"#),
    (
        "/v1/messages",
        r#"{"model":"tiny","max_tokens":9,"messages":[{"role":"user","content":"one two"}]}"#,
    ),
    ("/v1/rerank", r#"{"model":"tiny","query":"one","documents":["two"]}"#),
];
const PLACE: &str = "http://169.254.169.254/latest/";

fn attack(name: &str, path: &str, body: &str) -> Attack {
    Attack::new(format!("{path} {name}"), post(path, &format!("{JSON}{AUTH}"), body)).at(path)
}

fn on_each(path: &str, body: &str) -> Vec<Attack> {
    let first = |member: &str| body.replacen('{', &format!("{{{member},"), 1);
    let asked: Value = serde_json::from_str(body).unwrap_or_default();
    let refused = |name: &str, body: String, code| attack(name, path, &body).refused(400, code);
    let steering = [
        "rid",
        "bootstrap_host",
        "kv_transfer_params",
        "priority",
        "lora_path",
        "cache_salt",
        "x",
        "r\\u0069d",
    ];
    let mut all = vec![
        attack("as it should be", path, body).means(asked.clone()).served(),
        attack("by an escape", path, &body.replace("model", "mod\\u0065l")).means(asked).served(),
        attack("another model", path, &body.replace("tiny", "secret"))
            .refused(404, "model_not_found"),
        refused("two models", first(r#""model":"secret""#), "duplicate_key"),
        refused("two models by an escape", first(r#""mod\u0065l":"secret""#), "duplicate_key"),
        refused("a model behind", body.replace('}', "}x"), "invalid_json"),
        attack("NUL", path, &body.replace("one", "one\\u0000")).any_refusal(),
        attack("a lone surrogate", path, &body.replace("one", "\\ud800")).any_refusal(),
        attack("deep", path, &first(&format!("\"tools\":{}{}", "[".repeat(200), "]".repeat(200))))
            .any_refusal(),
    ];
    all.extend(
        steering.map(|name| refused(name, first(&format!("\"{name}\":1")), "field_not_allowed")),
    );
    all
}

/// Places that an engine would fetch from, as each interface names them.
fn places() -> Vec<Attack> {
    let responses = |part: Value| {
        ("/v1/responses", json!({"model": "tiny", "input": [{"role": "user", "content": [part]}]}))
    };
    let messages = |part: Value| {
        let messages = json!([{"role": "user", "content": [part]}]);
        ("/v1/messages", json!({"model": "tiny", "max_tokens": 9, "messages": messages}))
    };
    let chat = |part: Value| {
        (
            "/v1/chat/completions",
            json!({"model": "tiny", "messages": [{"role": "user", "content": [part]}]}),
        )
    };
    let bodies = [
        responses(json!({"type": "input_image", "image_url": PLACE})),
        responses(json!({"type": "input_image", "image_url": {"url": PLACE}})),
        responses(json!({"type": "input_file", "file_url": PLACE})),
        responses(json!({"type": "input_video", "video_url": PLACE})),
        messages(json!({"type": "image", "source": {"type": "url", "url": PLACE}})),
        messages(json!({"type": "document", "source": {"type": "url", "url": PLACE}})),
        messages(
            json!({"type": "tool_result", "tool_use_id": "1", "content": [{"type": "image", "source": {"type": "url", "url": PLACE}}]}),
        ),
        chat(json!({"type": "image", "image": PLACE})),
        chat(json!({"type": "input_image", "image_url": PLACE})),
        chat(json!({"type": "video", "video": PLACE})),
        chat(json!({"type": "audio_url", "audio_url": {"url": PLACE}})),
        chat(json!({"type": "text", "text": "a", "image_url": {"url": PLACE}})),
        chat(json!({"image_url": {"url": PLACE}})),
        chat(json!({"image_url": PLACE})),
        chat(json!({"type": "image_url", "image_url": {"url": "data:,", "URL": PLACE}})),
        (
            "/v1/chat/completions",
            json!({"model": "tiny", "messages": [{"role": "tool", "tool_call_id": "1", "content": [{"type": "image_url", "image_url": {"url": PLACE}}]}]}),
        ),
        (
            "/v1/chat/completions",
            json!({"model": "tiny", "messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": PLACE}}]}]}),
        ),
        (
            "/v1/embeddings",
            json!({"model": "tiny", "input": [{"type": "image_url", "image_url": {"url": PLACE}}]}),
        ),
        (
            "/v1/embeddings",
            json!({"model": "tiny", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PLACE}}]}]}),
        ),
        (
            "/v1/rerank",
            json!({"model": "tiny", "query": "a", "documents": [{"content": [{"type": "image_url", "image_url": {"url": PLACE}}]}]}),
        ),
        (
            "/v1/rerank",
            json!({"model": "tiny", "query": {"content": [{"type": "image_url", "image_url": {"url": PLACE}}]}, "documents": ["a"]}),
        ),
    ];
    bodies
        .map(|(path, body)| attack(&body.to_string(), path, &body.to_string()).any_refusal())
        .into()
}

#[tokio::test]
async fn every_interface_is_read_as_strictly() -> Result<()> {
    let mut world = World::new().await?;
    for (path, body) in HONEST {
        world.try_all(on_each(path, body)).await?;
    }
    world.end().await
}

#[tokio::test]
async fn no_interface_sends_an_engine_anywhere() -> Result<()> {
    let mut world = World::new().await?;
    world.try_all(places()).await?;
    world.end().await
}
