//! What each pool is sent: its own body, of its own length.

use super::super::ask::Told;
use super::{World, chat, header, is_chained, pool};
use integration::engine::Received;
use integration::{Engine, Result, Tollgate, wait_until};
use serde_json::{Value, json};

const MASKED: &str =
    "masking:\n  policies:\n    default: {}\ntenants:\n  acme:\n    masking: default\n";
const EMAIL: &str = "kim.minsu@example.com";
/// So that a body of 20 MB of text is allowed by the pool's context as well.
const VAST: &str = "    context: 100000000\n    max_tokens: 8\n";

fn length_of(received: &Received) -> Vec<String> {
    received.values("content-length").into_iter().map(str::to_owned).collect()
}

/// The body in order, and as long as it says: else the next request on the connection would
/// begin in the middle of it.
fn assert_sound(received: &Received, model: &str) -> Value {
    let body = received.json();
    assert_eq!(body["model"], model, "{}", String::from_utf8_lossy(&received.body));
    assert_eq!(length_of(received), [received.body.len().to_string()]);
    assert!(received.values("transfer-encoding").is_empty(), "{:?}", received.headers);
    assert_eq!(received.path, "/v1/chat/completions");
    body
}

#[tokio::test]
async fn every_pool_gets_its_own_body() -> Result<()> {
    let world = World::with("", MASKED, ["", "", "    engine: openai\n"]).await?;
    let content = format!("Write to {EMAIL}. \"Quoted\"\n그리고 끝 \u{1F600}");
    for engine in [&world.a, &world.b] {
        engine.fail("status=503").await?;
    }
    let mut placeholders = Vec::new();
    for stream in [false, true] {
        let mut body = chat(&content);
        body["stream"] = json!(stream);
        let answer = world.post(&body).header("x-sim-echo", "text").send().await?;
        assert_eq!(answer.status() == 200, is_chained(), "{answer:?}");
        assert!(answer.text().await?.contains(EMAIL) || !is_chained());
    }
    let engines = [(&world.a, "org/a"), (&world.b, "org/a-longer-name-of-b"), (&world.c, "c")];
    for (place, (engine, model)) in engines.into_iter().enumerate() {
        let received = engine.asked(0).await?;
        if place > 0 && !is_chained() {
            assert!(received.is_empty());
            continue;
        }
        assert_eq!(received.len(), 2, "{model}");
        for request in &received {
            let body = assert_sound(request, model);
            let text = String::from_utf8_lossy(&request.body);
            assert!(!text.contains(EMAIL), "{text}");
            placeholders.push(body["messages"][0]["content"].clone());
            // vLLM knows `cache_salt`; what speaks OpenAI's API alone would refuse it.
            assert_eq!(body["cache_salt"].is_string(), place < 2, "{text}");
        }
    }
    let first = placeholders[0].as_str().unwrap_or_default();
    assert!(first.contains("[EMAIL_") && first.contains("그리고 끝"), "{first}");
    assert!(placeholders.iter().all(|one| one == first), "{placeholders:?}");
    Ok(())
}

/// The middle one of three pools has its API elsewhere; the one after it is asked where the
/// first was.
#[tokio::test]
async fn every_pool_is_asked_at_its_own_path() -> Result<()> {
    let [a, b, c] = ["", "/openai/v2", ""].map(|base| Engine::start().base_path(base).record());
    let (a, b, c) = (a.spawn().await?, b.spawn().await?, c.spawn().await?);
    let yaml = "gateway:\n  expose_pool: true\npools:\n  a:\n    retries: 0\n  b:\n    retries: 0\n    \
                base_path: /openai/v2\nmodels:\n  \
                chat: { split: [ { pool: a, weight: 1 } ], fallback: [b, c] }\n  \
                alone: b\n  copied:\n    split: [ { pool: b, weight: 1 } ]\n    \
                shadow: { pool: c, share: 100% }\n";
    let gate = Tollgate::with(yaml).engine("a", &a).engine("b", &b).engine("c", &c);
    let gate = gate.start().await?;
    let key = gate.key("acme").await?.key;
    let ask = async |model: &str| {
        let request = integration::client().post(format!("{}{}?x=1", gate.url(), super::CHAT));
        let body = json!({"model": model, "messages": [{"role": "user", "content": "hello"}]});
        Told::of(request.json(&body).bearer_auth(&key)).await
    };
    let own = "/v1/chat/completions?x=1";
    let other = "/openai/v2/v1/chat/completions?x=1";
    let paths = async |engine: &Engine| -> Result<Vec<String>> {
        Ok(engine.asked(0).await?.into_iter().map(|received| received.path).collect())
    };
    let told = ask("alone").await?;
    assert_eq!((told.status, pool(&told)), (200, "b"), "{}", told.body);
    assert_eq!(paths(&b).await?, [other]);
    if !is_chained() {
        return Ok(());
    }
    // A copy of what went there goes to a pool that has it where the gateway has it.
    assert_eq!(ask("copied").await?.status, 200);
    let arrived = async || paths(&c).await.is_ok_and(|paths| !paths.is_empty());
    assert!(wait_until(arrived, super::SOON).await, "no copy arrived");
    assert_eq!(paths(&c).await?, [own]);
    a.fail("status=503").await?;
    let told = ask("chat").await?;
    assert_eq!((told.status, pool(&told)), (200, "b"), "{}", told.body);
    b.fail("status=503").await?;
    let told = ask("chat").await?;
    assert_eq!((told.status, pool(&told)), (200, "c"), "{}", told.body);
    assert_eq!(paths(&a).await?, [own, own]);
    assert_eq!(paths(&b).await?, [other; 4]);
    assert_eq!(paths(&c).await?, [own, own]);
    Ok(())
}

/// Envoy's own answers have the shape of the API that was asked, wherever the pool has it.
#[tokio::test]
async fn an_error_has_the_callers_shape_whatever_the_path_at_the_pool() -> Result<()> {
    let mut engine = Engine::start().base_path("/openai").spawn().await?;
    let yaml = "pools:\n  tiny:\n    retries: 0\n    base_path: /openai\n";
    let gate = Tollgate::with(yaml).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let ask = async |path: &str| {
        let messages = json!([{"role": "user", "content": "hello"}]);
        let body = json!({"model": "tiny", "max_tokens": 3, "messages": messages});
        let request = integration::client().post(format!("{}{path}", gate.url())).json(&body);
        Told::of(request.bearer_auth(&key)).await
    };
    let (messages, chat) = ("/v1/messages?a=b", "/v1/chat/completions?a=/v1/messages");
    assert_eq!([ask(messages).await?.status, ask(chat).await?.status], [200, 200]);
    engine.kill();
    let [messages, chat] = [ask(messages).await?, ask(chat).await?];
    assert_eq!((messages.status, &messages.body["type"]), (503, &json!("error")), "{messages:?}");
    assert_eq!((chat.status, &chat.body["type"]), (503, &Value::Null), "{chat:?}");
    assert_eq!(chat.body["error"]["code"], "no_healthy_engine", "{chat:?}");
    Ok(())
}

#[tokio::test]
async fn the_rest_of_a_body_is_the_same_at_every_pool() -> Result<()> {
    let world =
        World::with("", "", ["    cache_salt: none\n", "    cache_salt: none\n", ""]).await?;
    world.a.fail("reset-before").await?;
    let body = "{ \"model\" : \"chat\",\"temperature\":0.50, \"messages\":[ {\"role\":\"user\",\
                \"content\":\"\\u0041 \\/ \\ud83d\\ude00\"} ],\n\"max_tokens\":5 }";
    let request = integration::client().post(format!("{}{}", world.gate.url(), super::CHAT));
    let request = request.header("content-type", "application/json").body(body);
    let told = Told::of(request.bearer_auth(&world.key)).await?;
    assert_eq!(told.status == 200, is_chained(), "{}", told.body);
    let received = |all: Vec<Received>| {
        all.first().map(|it| String::from_utf8_lossy(&it.body).into_owned()).unwrap_or_default()
    };
    assert_eq!(received(world.a.asked(0).await?), body.replace("\"chat\"", "\"org/a\""));
    if is_chained() {
        let wanted = body.replace("\"chat\"", "\"org/a-longer-name-of-b\"");
        assert_eq!(received(world.b.asked(0).await?), wanted);
    }
    Ok(())
}

/// A body that is not kept is sent once, whatever becomes of it, and the caller is told so.
#[tokio::test]
async fn what_is_too_large_to_be_kept_is_sent_once() -> Result<()> {
    let world = World::with("  replay_body: 64KiB\n", "", ["", "", ""]).await?;
    let sizes = [(60_000, true), (70_000, false)];
    for (bytes, kept) in sizes {
        let before = world.asked().await?;
        world.a.fail("status=503").await?;
        let told = Told::of(world.post(&chat(&"w".repeat(bytes)))).await?;
        assert_eq!(told.status == 200, kept && is_chained(), "{bytes}: {}", told.body);
        let off = header(&told.headers, "x-tollgate-retry") == "off";
        // Where there is one attempt anyway, nothing is off.
        assert_eq!(off, !kept && is_chained(), "{bytes}: {:?}", told.headers);
        let now = world.asked().await?;
        assert_eq!(now[0] - before[0], 1, "{bytes}");
        assert_eq!(now[1] - before[1], u64::from(kept && is_chained()), "{bytes}");
        world.a.recover().await?;
        let told = Told::of(world.post(&chat(&"w".repeat(bytes)))).await?;
        assert_eq!((told.status, pool(&told)), (200, "a"), "{bytes}: {}", told.body);
    }
    Ok(())
}

#[tokio::test]
async fn a_body_of_20_mb_arrives() -> Result<()> {
    let bytes = 20_000_000;
    let world = World::with("  max_body: 20MiB\n", "", [VAST, VAST, VAST]).await?;
    let told = Told::of(world.post(&chat(&"word ".repeat(bytes / 5)))).await?;
    assert_eq!((told.status, pool(&told)), (200, "a"), "{}", told.body);
    let off = if is_chained() { "off" } else { "" };
    assert_eq!(header(&told.headers, "x-tollgate-retry"), off);
    let received = world.a.asked(0).await?;
    let body = assert_sound(&received[0], "org/a");
    assert_eq!(body["messages"][0]["content"].as_str().map(str::len), Some(bytes));
    assert_eq!(told.body["usage"]["prompt_tokens"], bytes / 5);
    Ok(())
}

/// Kept as well: the same body goes to the pool that answers in the end.
#[tokio::test]
async fn a_body_of_20_mb_is_sent_again_where_that_is_wanted() -> Result<()> {
    let bytes = 20_000_000;
    let gateway = "  max_body: 20MiB\n  replay_body: 20MiB\n";
    let world = World::with(gateway, "", [VAST, VAST, VAST]).await?;
    world.a.fail("status=503").await?;
    let told = Told::of(world.post(&chat(&"word ".repeat(bytes / 5)))).await?;
    if !is_chained() {
        assert_eq!(told.what(), (503, "no_healthy_engine"), "{}", told.body);
        return Ok(());
    }
    assert_eq!((told.status, pool(&told)), (200, "b"), "{}", told.body);
    assert_eq!(header(&told.headers, "x-tollgate-retry"), "");
    let received = world.b.asked(0).await?;
    let body = assert_sound(&received[0], "org/a-longer-name-of-b");
    assert_eq!(body["messages"][0]["content"].as_str().map(str::len), Some(bytes));
    Ok(())
}
