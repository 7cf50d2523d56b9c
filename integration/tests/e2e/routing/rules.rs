//! Rules: the first that fits decides.

use super::super::ask::{self, key};
use super::{World, chat, pool};
use integration::Result;
use serde_json::{Value, json};

const POOLS: [&str; 10] = [
    "rest",
    "batch",
    "beta",
    "guests",
    "completions",
    "pictures",
    "long",
    "korean",
    "streams",
    "no",
];
const SECTIONS: &str = "models:\n  chat:\n    split: [ { pool: rest, weight: 1 } ]\n    rules:\n      \
    - { when: { header: { x-tier: batch } }, to: batch }\n      \
    - { when: { tenant: beta }, to: beta }\n      \
    - { when: { role: [guest, visitor] }, to: guests }\n      \
    - { when: { path: /v1/completions }, to: completions }\n      \
    - { when: { media: image }, to: pictures }\n      \
    - { when: { prompt_tokens_over: 2000, stream: true }, to: no }\n      \
    - { when: { prompt_tokens_over: 500 }, to: long }\n      \
    - { when: { language: korean }, to: korean }\n      \
    - { when: { stream: true, prompt_tokens_up_to: 500 }, to: streams }\n\
    tenants:\n  acme: {}\n  beta: {}\n\
    roles:\n  guest: { models: [\"*\"] }\n  visitor: { models: [\"*\"] }\n";
const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// Headers, a body, and the pool that has to answer.
type Row<'r> = (&'r [(&'r str, &'r str)], Value, &'r str);

fn streamed(content: &str) -> Value {
    let mut body = chat("chat", content);
    body["stream"] = json!(true);
    body
}

fn picture() -> Value {
    let parts = json!([
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": PNG}},
    ]);
    json!({"model": "chat", "messages": [{"role": "user", "content": parts}]})
}

#[tokio::test]
async fn what_a_request_is_decides() -> Result<()> {
    let world = World::with(&POOLS, SECTIONS).await?;
    let bearer = async |tenant: &str, more: &[&str]| {
        key(&world.gate, tenant, more).await.map(|made| format!("Bearer {}", made.key))
    };
    let beta = bearer("beta", &[]).await?;
    let visitor = bearer("acme", &["--role", "visitor"]).await?;
    let both = bearer("beta", &["--role", "guest"]).await?;
    let long = "word ".repeat(1_000);
    let table: Vec<Row<'_>> = vec![
        (&[], chat("chat", "hello"), "rest"),
        (&[("x-tier", "batch")], chat("chat", "hello"), "batch"),
        (&[("x-tier", "batches")], chat("chat", "hello"), "rest"),
        (&[("x-tier", "")], chat("chat", "hello"), "rest"),
        (&[("x-other", "batch")], chat("chat", "hello"), "rest"),
        (&[], streamed("hello"), "streams"),
        (&[], chat("chat", &long), "long"),
        (&[], streamed(&long), "long"),
        (&[], chat("chat", "안녕하세요, 오늘 날씨가 어떻습니까?"), "korean"),
        (&[], chat("chat", "What is 안 in the sentence that I have just written here?"), "rest"),
        (&[], picture(), "pictures"),
    ];
    for (headers, body, wanted) in table {
        let start: String = body.to_string().chars().take(200).collect();
        assert_eq!(world.pool_of(headers, &body).await?, wanted, "{headers:?} {start}");
    }
    for (bearer, headers, wanted) in [
        (&beta, vec![], "beta"),
        (&beta, vec![("x-tier", "batch")], "batch"),
        (&visitor, vec![], "guests"),
        (&both, vec![], "beta"),
    ] {
        let headers = [vec![("authorization", bearer.as_str())], headers].concat();
        assert_eq!(world.pool_of(&headers, &chat("chat", "hello")).await?, wanted);
    }
    Ok(())
}

#[tokio::test]
async fn the_path_decides() -> Result<()> {
    let world = World::with(&POOLS, SECTIONS).await?;
    let body = json!({"model": "chat", "prompt": "hello"});
    let told = world.ask("/v1/completions", &[], &body).await?;
    assert_eq!((told.status, pool(&told)), (200, "completions"), "{}", told.body);
    let body = json!({"model": "chat", "input": "안녕하세요, 오늘 날씨가 어떻습니까?"});
    let told = world.ask("/v1/responses", &[], &body).await?;
    assert_eq!((told.status, pool(&told)), (200, "korean"), "{}", told.body);
    Ok(())
}

/// The pool that a rule names is tried first, and the model's fallbacks after it.
#[tokio::test]
async fn a_rule_keeps_the_fallbacks() -> Result<()> {
    use integration::{Engine, Tollgate};
    let (broken, good) =
        (Engine::start().fault("status=503").spawn().await?, Engine::start().spawn().await?);
    let yaml = "gateway:\n  expose_pool: true\npools:\n  a:\n    retries: 0\n\
                models:\n  chat:\n    split: [ { pool: b, weight: 1 } ]\n    fallback: [b]\n    rules:\n      \
                - { when: { header: { x-tier: batch } }, to: a }\n";
    let gate = Tollgate::with(yaml).engine("a", &broken).engine("b", &good).start().await?;
    let key = gate.key("acme").await?.key;
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("x-tier", "batch")];
    let body = chat("chat", "hello").to_string();
    let told = ask::Told::of(ask::post(&gate, ask::CHAT, &headers, &body)).await?;
    match super::super::attempts::is_chained() {
        true => assert_eq!((told.status, pool(&told)), (200, "b"), "{}", told.body),
        false => assert_eq!(told.what(), (503, "no_healthy_engine"), "{}", told.body),
    }
    assert_eq!(broken.chats().await?, 1);
    Ok(())
}
