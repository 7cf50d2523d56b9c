//! Servers that fail, and others that answer before the caller notices.
//!
//! An Envoy before 1.40 cannot go on to another pool: there the tests of fallbacks hold
//! the gateway to what it says then, the failure of the pool that was chosen.

mod bodies;
mod errors;
mod load;
mod money;
mod order;
mod phases;
mod rests;
mod secrets;
mod servers;

pub use errors::told_status;

use super::ask::{CHAT, Told};
use integration::{Engine, Result, Tollgate, binaries, client};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

/// What is waited for in other processes, with patience.
const SOON: Duration = Duration::from_secs(20);
/// Servers are given up on by nobody but the chain, so that every attempt can be counted.
const PATIENT: &str = "    retries: 0\n    ejection: { failures: 1000, error_rate: 100% }\n";

/// Whether the Envoy of this run can go on to another pool.
pub fn is_chained() -> bool {
    static CHAINED: OnceLock<bool> = OnceLock::new();
    *CHAINED.get_or_init(|| {
        let program = binaries::envoy().unwrap_or_else(|| PathBuf::from("envoy"));
        let output = std::process::Command::new(program).arg("--version").output();
        let told = output.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
        minor_of(&told.expect("an Envoy that tells its version")) >= 40
    })
}

/// `40`, out of `PATH  version: HASH/1.40.0/Clean/RELEASE/BoringSSL`.
fn minor_of(told: &str) -> u32 {
    let version = told.split('/').find(|part| part.starts_with("1.")).unwrap_or_default();
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or_default()
}

/// A gateway whose model `chat` is served by the pools `a`, `b` and `c`, in this order, with
/// one server each.
struct World {
    gate: Tollgate,
    key: String,
    a: Engine,
    b: Engine,
    c: Engine,
}

impl World {
    async fn start() -> Result<World> {
        World::with("", "", ["", "", ""]).await
    }

    /// With these further lines of `gateway`, further sections, and lines of the pools.
    async fn with(gateway: &str, sections: &str, pools: [&str; 3]) -> Result<World> {
        let [a, b, c] = ["org/a", "org/a-longer-name-of-b", "c"]
            .map(|model| Engine::start().model(model).tokens(8).record());
        let (a, b, c) = (a.spawn().await?, b.spawn().await?, c.spawn().await?);
        let [of_a, of_b, of_c] = pools;
        let yaml = format!(
            "gateway:\n  expose_pool: true\n  stream_idle_timeout: 1s\n{gateway}\
             control:\n  usage_interval: 100ms\n\
             pools:\n  a:\n{PATIENT}{of_a}  b:\n{PATIENT}{of_b}  c:\n{PATIENT}{of_c}\
             models:\n  chat: {{ split: [ {{ pool: a, weight: 1 }} ], fallback: [b, c] }}\n\
             {sections}"
        );
        let gate = Tollgate::with(&yaml).engine("a", &a).engine("b", &b).engine("c", &c);
        let gate = gate.start().await?;
        let key = gate.key("acme").await?.key;
        Ok(World { gate, key, a, b, c })
    }

    fn post(&self, body: &Value) -> reqwest::RequestBuilder {
        let request = client().post(format!("{}{CHAT}", self.gate.url())).json(body);
        request.bearer_auth(&self.key)
    }

    async fn chat(&self) -> Result<Told> {
        Told::of(self.post(&chat("hello"))).await
    }

    async fn stream(&self) -> Result<Streamed> {
        let mut body = chat("hello");
        body["stream"] = json!(true);
        Streamed::of(self.post(&body)).await
    }

    /// How many chats each pool was asked for so far.
    async fn asked(&self) -> Result<[u64; 3]> {
        Ok([self.a.chats().await?, self.b.chats().await?, self.c.chats().await?])
    }
}

fn chat(content: &str) -> Value {
    json!({"model": "chat", "messages": [{"role": "user", "content": content}]})
}

/// The pool that answered, as the gateway tells it.
pub fn pool(told: &Told) -> &str {
    header(&told.headers, "x-tollgate-pool")
}

fn header<'h>(headers: &'h reqwest::header::HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A stream as its caller has it.
#[derive(Debug)]
struct Streamed {
    status: u16,
    pool: String,
    id: String,
    text: String,
    /// Whether it ended as a stream should.
    whole: bool,
}

impl Streamed {
    async fn of(request: reqwest::RequestBuilder) -> Result<Streamed> {
        let mut answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let (mut bytes, mut is_cut) = (Vec::new(), false);
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(_) => {
                    is_cut = true;
                    break;
                }
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let whole = !is_cut && text.ends_with("data: [DONE]\n\n");
        let (pool, id) = (header(&headers, "x-tollgate-pool"), header(&headers, "x-request-id"));
        Ok(Streamed { status, pool: pool.to_owned(), id: id.to_owned(), text, whole })
    }

    /// Events that have text in them.
    fn texts(&self) -> usize {
        let of = |text: &str| self.text.matches(text).count();
        of("\"content\":\"") - of("\"content\":\"\"")
    }
}

#[test]
fn a_version_is_read_out_of_what_envoy_tells() {
    let told = "/opt/v1/envoy  version: 9e5580/1.39.3/Clean/RELEASE/BoringSSL";
    assert_eq!((minor_of(told), minor_of("nothing")), (39, 0));
}

/// Where fallbacks are passed over, the gateway says so.
#[tokio::test]
async fn status_tells_whether_fallbacks_are_taken() -> Result<()> {
    let world = World::start().await?;
    let status = world.gate.cli_json(&["status", "--format", "json"]).await?;
    assert_eq!(status["chains"]["on"], is_chained(), "{}", status["chains"]);
    assert_eq!(status["chains"]["why"].is_string(), !is_chained(), "{}", status["chains"]);
    Ok(())
}
