//! Two real engines behind one name: vLLM first, and llama.cpp's server when that fails.

mod refused;
mod told;

use crate::llamacpp::{self, LlamaCpp};
use crate::vllm::{self, Vllm};
use integration::{Result, Tollgate, client, wait_until};
use refused::{MISNAMED, Refused};
use serde_json::{Value, json};
use std::time::Duration;
use told::Told;

/// What is waited for in other processes, with patience.
const SOON: Duration = Duration::from_secs(30);
/// Of a short answer.
const TOKENS: u64 = 24;
/// Of an answer that takes seconds, so that something can happen to its engine.
const TOKENS_LONG: u64 = 6_000;
/// Of the one that is killed: the first, and a further one. And the one that answers.
const ATTEMPTS: u64 = 3;
/// A stream is under way when so much of it has come.
const EVENTS_FIRST: usize = 20;

const CONFIG: &str = "\
gateway:
  expose_pool: true
  stream_idle_timeout: 5s
control:
  usage_interval: 100ms
pools:
  first:
    engine: vllm
    allow_fields: [ignore_eos, grammar]
  second:
    engine: llamacpp
    allow_fields: [ignore_eos, grammar]
  misnamed:
    engine: vllm
    allow_fields: [ignore_eos, grammar]
models:
  chat: { split: [ { pool: first } ], fallback: [second] }
  renamed: misnamed
";

struct World {
    vllm: Vllm,
    llamacpp: LlamaCpp,
    gate: Tollgate,
    key: String,
    _folder: tempfile::TempDir,
}

/// A pool, as the test knows it.
#[derive(Clone, Copy)]
struct Pool<'w> {
    name: &'static str,
    model: &'static str,
    url: &'w str,
}

impl World {
    async fn start() -> Result<World> {
        let folder = tempfile::tempdir()?;
        let llamacpp = LlamaCpp::start(folder.path()).await?;
        let vllm = Vllm::start(folder.path()).await?;
        let gate = Tollgate::with(CONFIG)
            .endpoint("first", vllm::MODEL, &vllm.url)
            .endpoint("second", llamacpp::MODEL, &llamacpp.url)
            .endpoint("misnamed", MISNAMED, &vllm.url);
        let gate = gate.start().await?;
        let status = gate.cli_json(&["status", "--format", "json"]).await?;
        assert_eq!(status["chains"]["on"], true, "fallbacks take Envoy 1.40: {status}");
        let key = gate.key("acme").await?.key;
        Ok(World { vllm, llamacpp, gate, key, _folder: folder })
    }

    fn first(&self) -> Pool<'_> {
        Pool { name: "first", model: vllm::MODEL, url: &self.vllm.url }
    }

    fn second(&self) -> Pool<'_> {
        Pool { name: "second", model: llamacpp::MODEL, url: &self.llamacpp.url }
    }

    fn post(&self, body: &Value) -> reqwest::RequestBuilder {
        let request = client().post(format!("{}/v1/chat/completions", self.gate.url()));
        request.bearer_auth(&self.key).json(body)
    }

    async fn record(&self, id: &str) -> Result<Value> {
        let has = |rows: &[Value]| rows.iter().any(|row| row["id"] == id);
        let rows = self.gate.usage_when(has, SOON).await?;
        assert_eq!(rows.iter().filter(|row| row["id"] == id).count(), 1, "{id} was billed twice");
        Ok(rows.into_iter().find(|row| row["id"] == id).unwrap_or_default())
    }

    /// The pool answers in both ways, under the name that was asked for, and is paid for what
    /// its engine has counted.
    async fn assert_answers(&self, pool: Pool<'_>) -> Result<()> {
        let direct = asked(pool.model, TOKENS, false);
        let chat = format!("{}/v1/chat/completions", pool.url);
        let direct: Value = client().post(chat).json(&direct).send().await?.json().await?;
        for stream in [false, true] {
            let told = Told::of(self.post(&asked("chat", TOKENS, stream))).await?;
            told.assert_whole(pool, stream);
            let usage = told.usage(stream);
            assert_eq!(usage["prompt_tokens"], direct["usage"]["prompt_tokens"], "{}", told.text);
            assert_eq!(usage["completion_tokens"], TOKENS, "{}", told.text);
            self.assert_billed(&told, pool, &usage).await?;
        }
        Ok(())
    }

    /// The record says who answered, and what its engine has told the caller of tokens;
    /// returns how many attempts it took.
    async fn assert_billed(&self, told: &Told, pool: Pool<'_>, usage: &Value) -> Result<Value> {
        let row = self.record(&told.id).await?;
        assert_eq!((&row["pool"], &row["model"]), (&pool.name.into(), &"chat".into()), "{row}");
        assert_eq!(row["endpoint"], pool.url.trim_start_matches("http://"), "{row}");
        assert_eq!((&row["end"], &row["source"]), (&"complete".into(), &"engine".into()), "{row}");
        assert!(row["input_tokens"].as_u64() > Some(0), "{row}");
        assert_eq!(row["input_tokens"], usage["prompt_tokens"], "{row}");
        assert_eq!(row["output_tokens"], usage["completion_tokens"], "{row}");
        Ok(row["attempts"].clone())
    }

    /// A long stream of vLLM, which in the middle of it meets with this.
    async fn stream_until(&self, fate: fn(&Vllm)) -> Result<Told> {
        let answer = self.post(&asked("chat", TOKENS_LONG, true)).send().await?;
        let mut has_met = false;
        let told = Told::read(answer, |texts| {
            if !has_met && texts >= EVENTS_FIRST {
                fate(&self.vllm);
                has_met = true;
            }
        });
        let told = told.await?;
        assert_eq!((told.status, told.pool.as_str()), (200, "first"), "{}", told.text);
        assert!(has_met && told.texts < TOKENS_LONG as usize, "{} events", told.texts);
        Ok(told)
    }

    /// The caller pays for what it was given.
    async fn assert_billed_as_failed(&self, told: &Told) -> Result<()> {
        let row = self.record(&told.id).await?;
        assert_eq!((&row["pool"], &row["status"]), (&"first".into(), &200.into()), "{row}");
        assert_eq!(row["end"], "engine_failed", "{row}");
        let (billed, seen) = (row["output_tokens"].as_u64(), told.texts as u64);
        assert!(billed >= Some(seen) && billed < Some(TOKENS_LONG), "{seen} seen: {row}");
        Ok(())
    }

    /// vLLM that is told to end does one of three things with its streams, by chance: it
    /// leaves them open and says nothing any more, it says that its engine has died, or it
    /// ends them in order.
    async fn assert_terminated(&self, told: &Told) -> Result<()> {
        let last: Vec<&str> = told.text.lines().rev().take(4).collect();
        eprintln!("vLLM on SIGTERM, {:?} before the end: {last:#?}", told.silence);
        if !told.text.contains("[DONE]") {
            told.assert_hung();
            return self.assert_billed_as_failed(told).await;
        }
        let parts = told.parts(true);
        let error = parts.iter().map(|part| &part["error"]).find(|error| error.is_object());
        let Some(error) = error else {
            assert!(told.text.contains("\"finish_reason\":\"abort\""), "{}", told.text);
            return self.assert_billed(told, self.first(), &told.usage(true)).await.map(drop);
        };
        let message = refused::message(error, "engine_error");
        assert!(!message.contains("EngineCore"), "{message}");
        self.assert_billed_as_failed(told).await
    }

    /// Asks for what the engine refuses, whole and as a stream: its words are told, its
    /// insides are not, and nobody pays.
    async fn assert_refused(&self, pool: Pool<'_>, refused: &Refused) -> Result<()> {
        for stream in [false, true] {
            let mut body = asked(refused.model, TOKENS, stream);
            for (name, value) in refused.fields.as_object().into_iter().flatten() {
                body[name] = value.clone();
            }
            let told = Told::of(self.post(&body)).await?;
            assert_eq!(told.status, refused.status, "{refused:?}: {}", told.text);
            let answer: Value = serde_json::from_str(&told.text)?;
            let message = refused::message(&answer["error"], refused.code);
            assert!(message.contains(refused.words), "{:?}: {message}", refused.words);
            assert!(!told.text.contains(pool.model), "{}", told.text);
            let row = self.record(&told.id).await?;
            assert_eq!(row["endpoint"], pool.url.trim_start_matches("http://"), "{row}");
            assert_eq!((&row["source"], &row["output_tokens"]), (&"none".into(), &0.into()));
        }
        Ok(())
    }
}

/// A chat that goes on for so many tokens, whatever the model would say. llama.cpp answers
/// with an error where that is no text, so it gets a grammar, which has no letters of its
/// name of the model; vLLM passes over that.
fn asked(model: &str, tokens: u64, stream: bool) -> Value {
    let mut body = json!({"model": model, "max_tokens": tokens, "ignore_eos": true,
        "grammar": "root ::= [a-f]*", "stream": stream,
        "messages": [{"role": "user", "content": "hello, 여러분"}]});
    if stream {
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

#[tokio::test]
async fn what_vllm_leaves_behind_when_it_is_killed_is_answered_by_llamacpp() -> Result<()> {
    let mut world = World::start().await?;
    world.assert_answers(world.first()).await?;
    for refused in Refused::by_vllm() {
        world.assert_refused(world.first(), &refused).await?;
    }

    let asking = tokio::spawn(Told::of(world.post(&asked("chat", TOKENS_LONG, false))));
    let is_asked = async || world.vllm.under_way().await.is_ok_and(|count| count > 0.0);
    assert!(wait_until(is_asked, SOON).await, "{}", world.vllm.tails());
    world.vllm.kill();
    let told = asking.await??;
    told.assert_whole(world.second(), false);
    let usage = told.usage(false);
    assert_eq!(usage["completion_tokens"], TOKENS_LONG, "{}", told.text);
    let attempts = world.assert_billed(&told, world.second(), &usage).await?;
    assert_eq!(attempts, ATTEMPTS);

    world.assert_answers(world.second()).await?;
    for refused in Refused::by_llamacpp() {
        world.assert_refused(world.second(), &refused).await?;
    }
    Ok(())
}

/// A server that stands still keeps its connections and lets others make new ones: those
/// have failed when nothing has come for as long as a stream may be silent.
#[tokio::test]
async fn a_stream_that_vllm_leaves_hanging_is_cut() -> Result<()> {
    let mut world = World::start().await?;
    let told = world.stream_until(Vllm::freeze).await?;
    told.assert_hung();
    world.assert_billed_as_failed(&told).await?;
    let other = Told::of(world.post(&asked("chat", TOKENS, true))).await?;
    other.assert_whole(world.second(), true);
    world.assert_billed(&other, world.second(), &other.usage(true)).await?;

    world.vllm.thaw();
    let is_idle = async || world.vllm.under_way().await.is_ok_and(|count| count == 0.0);
    assert!(wait_until(is_idle, SOON).await, "it works on: {}", world.vllm.tails());
    world.assert_answers(world.first()).await?;

    let told = world.stream_until(Vllm::terminate).await?;
    world.assert_terminated(&told).await?;
    // It listens no more, and it ends when its last connection does: nobody holds that.
    world.assert_answers(world.second()).await?;
    assert!(wait_until(async || world.vllm.has_ended(), SOON).await, "{}", world.vllm.tails());
    Ok(())
}
