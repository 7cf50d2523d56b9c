//! Spellings of a path: what is decided about is what the engine sees.

use super::attack::{AUTH, Attack, CHAT, HONEST, JSON, post};
use super::world::World;
use integration::{RawClient, Result};

/// Ways to write the chat, or to reach what is not for callers by way of it.
const SPELLINGS: &[&str] = &[
    "//v1/chat/completions",
    "///v1//chat///completions",
    "/v1//chat/completions",
    "/./v1/chat/completions",
    "/v1/./chat/./completions",
    "/v1/chat/../chat/completions",
    "/v1/models/../chat/completions",
    "/../v1/chat/completions",
    "/../../../../v1/chat/completions",
    "/v1/chat/completions/",
    "/v1/chat/completions//",
    "/v1/chat/completions.",
    "/v1/chat/completions/.",
    "/v1/chat/completions/..",
    "/v1/chat/completions/../../../metrics",
    "/v1/chat/completions/..;/..;/metrics",
    "/v1/chat/completions;jsessionid=1",
    "/v1/chat/completions;/../../metrics",
    "/v1;x/chat/completions",
    "/v1/chat/completions%20",
    "/v1/chat/completions%00",
    "/v1/chat/completions%0d%0ax-api-key:%20a",
    "/v1/chat/completions%3f",
    "/v1/chat/completions%23",
    "/v1/chat%2fcompletions",
    "/v1/chat%2Fcompletions",
    "/v1%2fchat/completions",
    "/v1/chat%5ccompletions",
    "/v1/chat%5Ccompletions",
    "/v1/chat\\completions",
    "\\v1\\chat\\completions",
    "/v1/%2e/chat/completions",
    "/v1/%2e%2e/v1/chat/completions",
    "/v1/chat/completions/%2e%2e/%2e%2e/%2e%2e/metrics",
    "/v1/chat/completions/%2E%2e/x",
    "/v1/chat/completions/.%2e/x",
    "/v1/chat/completions/%252e%252e/metrics",
    "/v1/chat%252fcompletions",
    "/v1/ch%61t/completions",
    "/%76%31/chat/completions",
    "/v1/chat/complet%69ons",
    "/v1/chat/completion%73",
    "/v1/chat/completions%",
    "/v1/chat/completions%2",
    "/v1/chat/completions%zz",
    "/v1/chat/completions%u0073",
    "/v1/chat/completions%c0%af",
    "/v1/chat/completions%ff",
    "/V1/chat/completions",
    "/v1/Chat/Completions",
    "/V1/CHAT/COMPLETIONS",
    "/v1/chat/completions#x",
    "/v1/chat/completions?/../../metrics",
    "/v1/chat/completions?x=1#y",
    "/v1/chat/completions??",
    "/v1/chat/completions/x",
    "/x/v1/chat/completions",
    "/v1/chat/completionsx",
    "/v1/chat\u{ff0f}completions",
    "/v1/chat/completions\u{200b}",
    "/\u{ff56}1/chat/completions",
    "v1/chat/completions",
    "*",
    "/",
    "/v1",
    "/v1/",
    "/metrics",
    "/health",
    "/tokenize",
    "/v1/load_lora_adapter",
    "/sim/received",
    "/sync/v1/keys/0",
    "/api/v1/config",
    "/config_dump",
    "/healthz/../v1/chat/completions",
    "/v1/models/tiny",
    "/v1/models/secret",
    "/v1/models/tiny/../secret",
    "/v1/models/%73ecret",
    "/v1/files",
    "/v1/fine_tuning/jobs",
    "/invocations",
    "/generate",
    "http://127.0.0.1/v1/chat/completions",
    "http://q/v1/chat/completions",
    "https://q/v1/chat/completions",
    "HTTP://q//v1/chat/completions",
    "http://user:pass@q/v1/chat/completions",
    "http://q/v1/chat/completions/../../metrics",
    "http:///v1/chat/completions",
    "//q/v1/chat/completions",
    "ftp://q/v1/chat/completions",
    "file:///v1/chat/completions",
    "://v1/chat/completions",
];

/// The path under which an engine may see what was written so: the query stays.
fn decided(written: &str) -> String {
    match written.split_once('?') {
        Some((_, query)) => format!("{CHAT}?{}", query.split('#').next().unwrap_or_default()),
        None => CHAT.to_owned(),
    }
}

#[tokio::test]
async fn what_is_decided_about_is_what_the_engine_sees() -> Result<()> {
    let mut world = World::new().await?;
    let asked = |written: &&str| {
        let bytes = post(written, &format!("{JSON}{AUTH}"), HONEST);
        Attack::new(format!("{written:?}"), bytes).at(&decided(written))
    };
    world.try_all(SPELLINGS.iter().map(asked).collect()).await?;
    let anonymous = |written: &&str| {
        let bytes = post(written, JSON, HONEST);
        Attack::new(format!("{written:?} of nobody"), bytes).any_refusal()
    };
    let needs_key = |written: &&&str| !written.contains("healthz");
    world.try_all(SPELLINGS.iter().filter(needs_key).map(anonymous).collect()).await?;
    world.end().await
}

/// An encoded slash is refused before anybody asks what it may mean.
#[tokio::test]
async fn what_two_readers_would_split_otherwise_is_refused() -> Result<()> {
    let mut world = World::new().await?;
    let odd = ["/v1/chat%2fcompletions", "/v1/chat%5Ccompletions", "/v1/models/a%2F..%2Fsecret"];
    let attacks = odd.map(|written| {
        let bytes = post(written, &format!("{JSON}{AUTH}"), HONEST);
        Attack::new(written, bytes).refused(400, "invalid_request").refused(404, "not_found")
    });
    world.try_all(attacks.into()).await?;
    world.end().await
}

/// Models that a caller may not use look as those that do not exist.
#[tokio::test]
async fn what_is_not_for_a_caller_does_not_exist() -> Result<()> {
    let world = World::new().await?;
    let mut told = Vec::new();
    for model in ["secret", "nothing"] {
        let mut client = RawClient::connect(world.gate.url()).await?;
        let bytes = format!("GET /v1/models/{model} HTTP/1.1\r\nhost: t\r\n{AUTH}\r\n");
        client.send(world.filled(bytes.as_bytes())).await?;
        let one = client.answer().await?;
        let body = HONEST.replace("tiny", model);
        client.send(world.filled(&post(CHAT, &format!("{JSON}{AUTH}"), body))).await?;
        let other = client.answer().await?;
        assert_eq!((one.status, other.status), (404, 404));
        let text = |body: &[u8]| String::from_utf8_lossy(body).replace(model, "MODEL");
        told.push((text(&one.body), text(&other.body)));
    }
    assert_eq!(told[0], told[1]);
    world.end().await
}
