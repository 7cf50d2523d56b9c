//! Usage is asked for on every stream, and what the client did not ask for it does not
//! see; who leaves pays what it got; and what the ledger's own commands say of it.

use super::ask::CHAT;
use super::ledger::{RECORD_TIMEOUT, record};
use integration::accuracy::{Leave, Question};
use integration::{Engine, RawAnswer, RawClient, Result, Tollgate, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

/// A dollar per million tokens of input, ten of output: 1,000 and 10,000 nano-dollars each.
const PRICED: &str = "pools:\n  tiny:\n    price: { input: 1, output: 10 }\n";

/// Ways in which the events are cut into pieces.
const SEEDS: u64 = 8;
/// The options of a stream, as a client writes them.
const OPTIONS: [&str; 4] = [
    "",
    r#","stream_options":{"include_usage":false}"#,
    r#","stream_options":{"include_usage":true}"#,
    r#","stream_options":{"include_usage":true,"continuous_usage_stats":true}"#,
];

async fn stream(url: &str, headers: &str, path: &str, more: &str) -> Result<RawAnswer> {
    let text = r#""messages":[{"role":"user","content":"count with me"}],"prompt":"count with me""#;
    let field =
        if path == CHAT { text.split(r#","prompt""#).next() } else { text.split(r#"],"#).last() };
    let field = field.unwrap_or_default();
    let body = format!(r#"{{"model":"tiny","stream":true,{field}{more}}}"#);
    let mut client = RawClient::connect(url).await?;
    client.post(path, headers, &body).await?;
    Ok(client.answer().await?)
}

/// The body with the second of its making left out, and the `usage` of nothing: OpenAI's
/// own streams have it in each event where usage is asked for, vLLM's have not.
fn timeless(answer: &RawAnswer) -> String {
    let body = String::from_utf8_lossy(&answer.body).replace(r#","usage":null"#, "");
    let mut parts = body.split(r#""created":"#);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + r#""created":"# + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

#[tokio::test]
async fn a_client_sees_the_usage_that_it_asked_for_and_no_other() -> Result<()> {
    let engine = Engine::start().tokens(9).record().spawn().await?;
    let gate = Tollgate::with(PRICED).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let mut ids = Vec::new();
    for path in [CHAT, "/v1/completions"] {
        let cases = (1..=SEEDS).flat_map(|seed| OPTIONS.map(|more| (more, seed)));
        for (more, seed) in cases {
            let sim = format!("x-sim-split: {seed}\r\n");
            let auth = format!("authorization: Bearer {key}\r\n{sim}");
            let got = stream(gate.url(), &auth, path, more).await?;
            assert_eq!(got.status, 200, "{}", String::from_utf8_lossy(&got.body));
            let id = got.header("x-request-id").unwrap_or_default().to_owned();
            let direct = format!("x-request-id: {id}\r\n");
            let direct = stream(engine.url(), &direct, path, more).await?;
            assert_eq!(timeless(&got), timeless(&direct), "{path} {more} {seed}");
            ids.push(id);
        }
    }
    let rows = gate.usage_when(|rows| rows.len() >= ids.len(), RECORD_TIMEOUT).await?;
    for row in &rows {
        let billed = [&row["input_tokens"], &row["output_tokens"], &row["source"]];
        assert_eq!(billed, [&json!(3), &json!(9), &json!("engine")], "{row}");
        assert_eq!(row["cost_nanodollars"], 3 * 1_000 + 9 * 10_000, "{row}");
    }
    let asked: Vec<Value> = engine.received(0).await?.iter().map(|it| it.json()).collect();
    let by_gate = asked.iter().step_by(2);
    let every = json!({"include_usage": true, "continuous_usage_stats": true});
    assert!(by_gate.clone().count() >= 8);
    for body in by_gate {
        assert_eq!(body["stream_options"], every, "{body}");
    }
    Ok(())
}

/// An engine without a running count is not asked for one.
#[tokio::test]
async fn usage_is_asked_for_in_the_engines_own_words() -> Result<()> {
    let engine = Engine::start().record().spawn().await?;
    for (software, every) in [("openai", false), ("sglang", true)] {
        let yaml = format!("pools:\n  tiny:\n    engine: {software}\n");
        let gate = Tollgate::with(&yaml).engine("tiny", &engine).start().await?;
        let key = gate.key("acme").await?.key;
        let since = engine.received(0).await?.len() as u64;
        let auth = format!("authorization: Bearer {key}\r\n");
        let told = stream(gate.url(), &auth, CHAT, "").await?;
        assert!(!String::from_utf8_lossy(&told.body).contains("usage"));
        let options = engine.received(since).await?[0].json()["stream_options"].clone();
        assert_eq!(options["include_usage"], true, "{software}");
        assert_eq!(options["continuous_usage_stats"] == true, every, "{software}: {options}");
    }
    Ok(())
}

#[tokio::test]
async fn the_sdk_reads_a_stream_without_usage() -> Result<()> {
    const SCRIPT: &str = "import openai, os\n\
        c = openai.OpenAI(base_url=os.environ['BASE_URL'], api_key=os.environ['API_KEY'], max_retries=0)\n\
        m = [{'role': 'user', 'content': 'count'}]\n\
        events = list(c.chat.completions.create(model='tiny', messages=m, stream=True))\n\
        assert all(len(e.choices) == 1 and e.usage is None for e in events), events\n\
        print(''.join(e.choices[0].delta.content or '' for e in events))\n";
    let engine = Engine::start().tokens(3).spawn().await?;
    let gate = Tollgate::with(PRICED).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let python =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/sdk-python/bin/python");
    let mut program = tokio::process::Command::new(python);
    program.args(["-c", SCRIPT]).env("BASE_URL", format!("{}/v1", gate.url())).env("API_KEY", key);
    let output = program.kill_on_drop(true).output().await?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "w0 w1 w2\n");
    Ok(())
}

/// The only record, once it is there.
async fn only_record(gate: &Tollgate) -> Result<Value> {
    let rows = gate.usage_when(|rows| !rows.is_empty(), RECORD_TIMEOUT).await?;
    assert_eq!(rows.len(), 1, "{rows:?}");
    Ok(rows[0].clone())
}

#[tokio::test]
async fn who_leaves_before_the_first_token_pays_the_input() -> Result<()> {
    let engine = Engine::start().ttft(Duration::from_secs(20)).spawn().await?;
    for is_stream in [true, false] {
        let gate = Tollgate::with(PRICED).engine("tiny", &engine).start().await?;
        let key = gate.key("acme").await?.key;
        let asked = Question::chat("tiny").field("stream", json!(is_stream));
        let asked = asked.leaving(Leave::AfterTime(Duration::from_millis(400)));
        let heard = asked.ask(gate.url(), &key).await?;
        assert_eq!(heard.tokens, 0);
        let row = only_record(&gate).await?;
        assert_eq!(
            (&row["end"], &row["source"]),
            (&json!("client_left"), &json!("estimated")),
            "{row}"
        );
        assert!(row["input_tokens"].as_u64() > Some(0) && row["output_tokens"] == 0, "{row}");
        assert!(row["cost_nanodollars"].as_i64() > Some(0), "{row}");
    }
    Ok(())
}

#[tokio::test]
async fn what_failed_costs_nothing() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with(PRICED).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    for fault in ["status=500", "status=429", "reset-before", "refuse"] {
        let asked = Question::chat("tiny").stream().header("x-sim-fault", fault);
        let heard = asked.ask(gate.url(), &key).await?;
        assert!(heard.status >= 400, "{fault}: {heard:?}");
        let row = record(&gate, heard.id.as_deref().unwrap_or_default()).await?;
        let billed = ["input_tokens", "output_tokens", "cost_nanodollars"].map(|it| &row[it]);
        assert_eq!(billed, [0; 3].map(|it| json!(it)).each_ref(), "{fault}: {row}");
        assert_eq!(row["end"] == "engine_failed", fault != "status=429", "{fault}: {row}");
    }
    Ok(())
}

#[tokio::test]
async fn a_recording_is_billed_by_its_length() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let yaml = "pools:\n  tiny:\n    price: { audio_second: 0.001 }\n";
    let gate = Tollgate::with(yaml).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let sound = wav(20_000);
    let mut form = b"--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ntiny\r\n--B\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\
        Content-Type: audio/wav\r\n\r\n"
        .to_vec();
    form.extend_from_slice(&sound);
    form.extend_from_slice(b"\r\n--B--\r\n");
    let seconds = sound.len().div_ceil(16_000) as u64;
    let asked = integration::client().post(format!("{}/v1/audio/transcriptions", gate.url()));
    let asked = asked.header("content-type", "multipart/form-data; boundary=B").bearer_auth(&key);
    let answer = asked.body(form).send().await?;
    let (status, text) = (answer.status().as_u16(), answer.text().await?);
    assert_eq!(status, 200, "{text}");
    let row = only_record(&gate).await?;
    assert_eq!(row["audio_ms"].as_u64(), Some(1_000 * seconds), "{row}");
    assert_eq!(row["cost_nanodollars"].as_u64(), Some(1_000_000 * seconds), "{row}");
    Ok(())
}

/// Silence in eight bits (RIFF WAVE).
fn wav(samples: u32) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + samples).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(8_000_u32.to_le_bytes());
    bytes.extend(8_000_u32.to_le_bytes());
    bytes.extend(b"\x01\0\x08\0data");
    bytes.extend(samples.to_le_bytes());
    bytes.extend(vec![128; samples as usize]);
    bytes
}

#[tokio::test]
async fn the_commands_tell_what_was_spent_and_that_it_is_sound() -> Result<()> {
    let engine = Engine::start().tokens(5).spawn().await?;
    let yaml = format!("{PRICED}tenants:\n  acme:\n    budget: {{ dollars: 1, per: month }}\n");
    let gate = Tollgate::with(&yaml).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    for _ in 0..8 {
        assert!(Question::chat("tiny").stream().ask(gate.url(), &key).await?.whole);
    }
    let rows = gate.usage_when(|rows| rows.len() >= 8, RECORD_TIMEOUT).await?;
    let cost: i64 = rows.iter().filter_map(|row| row["cost_nanodollars"].as_i64()).sum();
    let by_pool = gate.cli_json(&["usage", "--by", "pool", "--format", "json"]).await?;
    assert_eq!(by_pool[0]["cost_nanodollars"], cost, "{by_pool}");
    for format in ["csv", "jsonl", "focus"] {
        let told = gate.cli(&["usage", "--format", format]).await?;
        assert!(told.status.success(), "{format}: {}", String::from_utf8_lossy(&told.stderr));
        let heading = usize::from(format != "jsonl");
        let lines = String::from_utf8_lossy(&told.stdout).lines().count();
        assert!(lines >= 8 + heading || format == "focus" && lines > heading, "{format}: {lines}");
    }
    let spent = async || {
        let told = gate.cli_json(&["budgets", "--format", "json"]).await;
        told.is_ok_and(|told| told.to_string().contains(&format!("{cost}")))
    };
    assert!(wait_until(spent, RECORD_TIMEOUT).await, "budgets do not say {cost}");
    let sound = gate.cli(&["ledger", "verify"]).await?;
    assert!(sound.status.success(), "{}", String::from_utf8_lossy(&sound.stdout));
    let same = async || gate.cli(&["reconcile"]).await.is_ok_and(|told| told.status.success());
    assert!(wait_until(same, RECORD_TIMEOUT).await, "the engine's counters are others");
    Ok(())
}
