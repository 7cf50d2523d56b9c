//! Engines that fail, and clients that leave.

use super::ledger::record;
use integration::{Engine, RawAnswer, RawClient, Result, Tollgate, wait_until};
use std::time::Duration;

const CONFIG: &str = "gateway:\n  stream_idle_timeout: 1s\ncontrol:\n  usage_interval: 100ms\n\
                      pools:\n  tiny:\n    timeout: 1s\n";

const JSON: &str = r#"{"model":"tiny","messages":[{"role":"user","content":"one two three"}]}"#;
const STREAM: &str = r#"{"model":"tiny","messages":[{"role":"user","content":"one two three"}],"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true}}"#;

/// What a fault leads to: body, fault, then status towards the client, the code
/// of its error, and the record's end and source.
type Row = (&'static str, &'static str, u16, Option<&'static str>, &'static str, &'static str);

const FAULTS: &[Row] = &[
    (JSON, "refuse", 502, Some("engine_error"), "engine_failed", "none"),
    (JSON, "reset-before", 502, Some("engine_error"), "engine_failed", "none"),
    (JSON, "hang", 504, Some("engine_timeout"), "engine_failed", "none"),
    (JSON, "status=500", 502, Some("engine_error"), "engine_failed", "none"),
    (JSON, "status=429", 429, Some("rate_limit_exceeded"), "complete", "none"),
    (JSON, "malformed-json", 200, None, "complete", "estimated"),
    (STREAM, "reset-after=3", 200, None, "engine_failed", "running"),
    (STREAM, "hang-after=3", 200, None, "engine_failed", "running"),
    (STREAM, "hang", 504, Some("engine_timeout"), "engine_failed", "none"),
    (STREAM, "malformed-sse", 200, None, "complete", "engine"),
    (STREAM, "no-done", 200, None, "complete", "engine"),
];

async fn ask(gate: &Tollgate, key: &str, body: &str, fault: &str) -> Result<RawAnswer> {
    let headers =
        format!("authorization: Bearer {key}\r\nx-sim-fault: {fault}\r\nx-sim-interval: 20ms\r\n");
    let mut client = RawClient::connect(gate.url()).await?;
    client.post("/v1/chat/completions", &headers, body).await?;
    Ok(client.answer().await?)
}

#[tokio::test]
async fn every_fault_has_its_answer_and_its_record() -> Result<()> {
    let engine = Engine::start().tokens(8).spawn().await?;
    let gate = Tollgate::with(CONFIG).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    for &(body, fault, status, code, end, source) in FAULTS {
        let answer = ask(&gate, &key, body, fault).await?;
        let shown = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{fault}: {shown}");
        if let Some(code) = code {
            assert_eq!(answer.json()["error"]["code"], code, "{fault}: {shown}");
        }
        let row = record(&gate, answer.header("x-request-id").unwrap_or_default()).await?;
        assert_eq!((&row["end"], &row["source"]), (&end.into(), &source.into()), "{fault}: {row}");
        assert_eq!(row["status"], status, "{fault}: {row}");
        if let Some(code) = code {
            assert_eq!(row["code"], code, "{fault}: {row}");
        }
        // What is billed is what the client got. When an engine resets its connection,
        // Envoy drops what it has not yet sent on: at most the last piece.
        let delivered = if body == STREAM { texts(&answer.body) } else { 0 };
        let dropped = u64::from(fault.starts_with("reset"));
        let billed = row["output_tokens"].as_u64().unwrap_or(u64::MAX);
        if source == "estimated" {
            // Of an answer that broke off before its usage: by the text that came, in bytes.
            assert!((1..=8).contains(&billed), "{fault}: {row}");
            continue;
        }
        let wanted = if source == "none" { 0 } else { delivered as u64 };
        assert!((wanted..=wanted + dropped).contains(&billed), "{fault}: {wanted} {row}");
        assert!(source == "none" || delivered > 0, "{fault}: {shown}");
    }
    Ok(())
}

#[tokio::test]
async fn an_error_event_under_200_is_a_failure() -> Result<()> {
    let engine = Engine::start().tokens(8).spawn().await?;
    let gate = Tollgate::with(CONFIG).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let answer = ask(&gate, &key, STREAM, "error-event").await?;
    assert_eq!(answer.status, 200);
    let row = record(&gate, answer.header("x-request-id").unwrap_or_default()).await?;
    assert_eq!(row["end"], "engine_failed", "{row}");
    assert!(row["output_tokens"].as_u64() > Some(0), "{row}");
    Ok(())
}

/// As SDKs send it when nobody thinks of billing: documented, and to be ended.
#[tokio::test]
async fn a_stream_that_nobody_asked_to_count_is_counted() -> Result<()> {
    let engine = Engine::start().tokens(8).spawn().await?;
    let gate = Tollgate::with(CONFIG).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let body = r#"{"model":"tiny","messages":[{"role":"user","content":"x"}],"stream":true}"#;
    let answer = ask(&gate, &key, body, "slow-headers=1").await?;
    assert!(answer.complete && texts(&answer.body) == 8);
    let row = record(&gate, answer.header("x-request-id").unwrap_or_default()).await?;
    assert_eq!((&row["end"], &row["source"]), (&"complete".into(), &"engine".into()), "{row}");
    assert_eq!((&row["output_tokens"], &row["stream"]), (&8.into(), &true.into()), "{row}");
    Ok(())
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_503() -> Result<()> {
    let mut engine = Engine::start().spawn().await?;
    let gate = Tollgate::with(CONFIG).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    engine.kill();
    let answer = ask(&gate, &key, JSON, "none-of-ours").await?;
    assert_eq!(
        (answer.status, answer.json()["error"]["code"].as_str()),
        (503, Some("no_healthy_engine"))
    );
    let row = record(&gate, answer.header("x-request-id").unwrap_or_default()).await?;
    assert_eq!(
        (row["code"].as_str(), row["output_tokens"].as_u64()),
        (Some("no_healthy_engine"), Some(0))
    );
    Ok(())
}

#[tokio::test]
async fn a_client_that_leaves_pays_what_it_got() -> Result<()> {
    let engine =
        Engine::start().tokens(400).token_interval(Duration::from_millis(10)).spawn().await?;
    let gate = Tollgate::with(CONFIG).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let headers = format!("authorization: Bearer {key}\r\n");
    let mut client = RawClient::connect(gate.url()).await?;
    client.post("/v1/chat/completions", &headers, STREAM).await?;
    let mut seen = Vec::new();
    while texts(&seen) < 20 {
        seen.extend(client.some().await?);
    }
    drop(client);
    let rows = gate.usage_when(|rows| rows.len() == 1, super::ledger::RECORD_TIMEOUT).await?;
    let row = rows.first().cloned().unwrap_or_default();
    assert_eq!((&row["end"], &row["source"]), (&"client_left".into(), &"running".into()), "{row}");
    let billed = row["output_tokens"].as_u64().unwrap_or(0);
    assert!((19..200).contains(&billed), "{billed}");
    assert_eq!(row["input_tokens"], 3, "{row}");
    let aborted = async || engine.counters().await.is_ok_and(|counters| counters.aborted == 1);
    assert!(wait_until(aborted, Duration::from_secs(2)).await, "the engine goes on");
    Ok(())
}

/// Events that have text in them; the first of a stream has an empty one.
fn texts(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    text.matches("\"content\":\"").count() - text.matches("\"content\":\"\"").count()
}

#[tokio::test]
async fn a_long_stream_is_in_the_spool_before_it_ends() -> Result<()> {
    let engine =
        Engine::start().tokens(300).token_interval(Duration::from_millis(10)).spawn().await?;
    let gate = Tollgate::with(CONFIG).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let mut client = RawClient::connect(gate.url()).await?;
    client.post("/v1/chat/completions", &format!("x-api-key: {key}\r\n"), STREAM).await?;
    let spool = gate.data().join("spool/usage.jsonl");
    let running = async || {
        let lines = std::fs::read_to_string(&spool).unwrap_or_default();
        lines.matches("DownstreamPeriodic").count() >= 2
    };
    assert!(wait_until(running, Duration::from_secs(2)).await);
    assert_eq!(gate.usage().await?.len(), 0);
    let answer = client.answer().await?;
    assert!(answer.complete);
    let row = record(&gate, answer.header("x-request-id").unwrap_or_default()).await?;
    assert_eq!((&row["output_tokens"], &row["end"]), (&300.into(), &"complete".into()), "{row}");
    assert!(row["first_token_ms"].as_u64() < Some(1_000), "{row}");
    Ok(())
}
