//! Budgets: what they cannot pay for is not generated, and what is spent is not more.

use super::ask::{self, CHAT, HELLO, Told, post};
use super::ledger::{RECORD_TIMEOUT, record};
use integration::accuracy::{Heard, Question};
use integration::{Engine, Result, Tollgate, TollgateStart, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

/// 1,000 nano-dollars a token of input, 10,000 of output; templates add one here.
const POOL: &str = "pools:\n  tiny:\n    price: { input: 1, output: 10 }\n    template_tokens: 1\n";
/// Until an engine has noticed that nobody listens: long before its answer would end.
const STOPS_WITHIN: Duration = Duration::from_secs(15);
const NANO_IN: u64 = 1_000;
const NANO_OUT: u64 = 10_000;
const SOON: Duration = Duration::from_secs(60);

/// A gateway whose one tenant has that budget.
fn gate_with(budget: &str, pool: &str) -> TollgateStart {
    Tollgate::with(&format!("{POOL}{pool}tenants:\n  acme:\n    budget: {budget}\n"))
}

async fn asked(gate: &Tollgate, key: &str, question: Question) -> Result<Heard> {
    question.ask(gate.url(), key).await
}

async fn record_of(gate: &Tollgate, heard: &Heard) -> Result<Value> {
    record(gate, heard.id.as_deref().unwrap_or_default()).await
}

fn spent(rows: &[Value]) -> u64 {
    rows.iter().filter_map(|row| row["cost_nanodollars"].as_u64()).sum()
}

#[tokio::test]
async fn the_pools_most_is_put_in_where_a_caller_names_none() -> Result<()> {
    let engine = Engine::start().tokens(50).record().spawn().await?;
    let gate = gate_with("{ dollars: 1, per: month }", "    max_tokens: 7\n");
    let gate = gate.engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let heard = asked(&gate, &key, Question::chat("tiny").stream()).await?;
    assert_eq!((heard.tokens, heard.finish.as_deref()), (7, Some("length")), "{heard:?}");
    let own = Question::chat("tiny").stream().field("max_tokens", json!(9));
    assert_eq!(asked(&gate, &key, own).await?.tokens, 9);
    let row = record_of(&gate, &heard).await?;
    assert_eq!(row["end"], "complete", "{row}");
    Ok(())
}

/// A total budget: the first answer is as long as it can pay for, the next is refused for
/// good.
#[tokio::test]
async fn an_answer_is_as_long_as_the_budget_can_pay_for() -> Result<()> {
    const BUDGET: u64 = 1_000_000;
    let engine = Engine::start().tokens(500).record().spawn().await?;
    let gate = gate_with("{ dollars: 0.001, per: total }", "");
    let gate = gate.engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let heard = asked(&gate, &key, Question::chat("tiny").stream()).await?;
    assert!(heard.whole, "{heard:?}");
    assert_eq!(heard.finish.as_deref(), Some("length"));
    let asked_for = engine.received(0).await?[0].json()["max_tokens"].as_u64().unwrap_or(0);
    assert_eq!(heard.tokens, asked_for);
    assert!(asked_for > 20 && asked_for * NANO_OUT < BUDGET, "{asked_for}");
    let row = record_of(&gate, &heard).await?;
    assert_eq!(row["end"], "cut_by_budget", "{row}");
    // What is left pays for some more answers, each shorter; in the end for none, for good.
    let bearer = format!("Bearer {key}");
    let is_out = async || {
        let told = ask::hello(&gate, &bearer).await;
        told.is_ok_and(|it| it.status == 429 && !it.headers.contains_key("retry-after"))
    };
    assert!(wait_until(is_out, SOON).await);
    let told = refused(&gate, &key).await?;
    assert_eq!(told.body["error"]["type"], "insufficient_quota", "{}", told.body);
    assert_eq!(told.headers.get("retry-after"), None);
    let rows = gate.usage_when(|rows| rows.iter().any(|row| row["id"] == told.id()), SOON).await?;
    assert!(spent(&rows) <= BUDGET, "{} of {BUDGET} were spent", spent(&rows));
    let delivered: u64 = engine
        .delivered()
        .await?
        .iter()
        .flat_map(|it| &it.attempts)
        .map(|it| NANO_IN * it.prompt_tokens + NANO_OUT * it.output_tokens)
        .sum();
    assert!(delivered <= BUDGET, "{delivered} of {BUDGET} were delivered");
    Ok(())
}

async fn refused(gate: &Tollgate, key: &str) -> Result<Told> {
    let told = ask::hello(gate, &format!("Bearer {key}")).await?;
    assert_eq!(told.what(), (429, "budget_exceeded"), "{}", told.body);
    Ok(told)
}

#[tokio::test]
async fn a_budget_that_comes_back_says_when() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("{ dollars: 0, per: month }", "").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let told = refused(&gate, &key).await?;
    let after =
        told.headers.get("retry-after").and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    assert!(after.is_some_and(|s| (1..=31 * 86_400 + 60).contains(&s)), "{:?}", told.headers);
    assert_eq!(engine.chats().await?, 0);
    let row = record(&gate, told.id()).await?;
    assert_eq!(
        (&row["end"], &row["code"]),
        (&json!("refused"), &json!("budget_exceeded")),
        "{row}"
    );
    Ok(())
}

/// Anthropic's words for the same.
#[tokio::test]
async fn each_path_is_refused_in_its_own_shape() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("{ dollars: 0, per: total }", "").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let bearer = format!("Bearer {key}");
    let body = r#"{"model":"tiny","max_tokens":5,"messages":[{"role":"user","content":"a"}]}"#;
    let told = Told::of(post(&gate, "/v1/messages", &[("authorization", &bearer)], body)).await?;
    assert_eq!(told.status, 429);
    assert_eq!(
        (&told.body["type"], &told.body["error"]["code"]),
        (&json!("error"), &json!("budget_exceeded"))
    );
    Ok(())
}

/// An engine that does not stop where it was told to.
#[tokio::test]
async fn a_stream_that_passes_its_reservation_is_ended_by_the_gateway() -> Result<()> {
    const BUDGET: u64 = 1_000_000;
    for (path, event) in [
        (CHAT, "data: {\"error\""),
        ("/v1/completions", "data: {\"error\""),
        ("/v1/messages", "event: error"),
        ("/v1/responses", "response.failed"),
    ] {
        let engine =
            Engine::start().tokens(1_000).token_interval(Duration::from_millis(3)).spawn().await?;
        let gate =
            gate_with("{ dollars: 0.001, per: total }", "").engine("tiny", &engine).start().await?;
        let key = gate.key("acme").await?.key;
        let field = if path == "/v1/responses" { "max_output_tokens" } else { "max_tokens" };
        let mut body = json!({
            "model": "tiny", "stream": true, field: 10, "input": "count", "prompt": "count",
            "messages": [{"role": "user", "content": "count"}],
        });
        let fields: &[&str] = match path {
            "/v1/completions" => &["input", "messages"],
            "/v1/responses" => &["prompt", "messages"],
            _ => &["input", "prompt"],
        };
        fields.iter().for_each(|name| drop(body.as_object_mut().and_then(|it| it.remove(*name))));
        let mut client = integration::RawClient::connect(gate.url()).await?;
        let headers = format!("authorization: Bearer {key}\r\nx-sim-ignore: max_tokens\r\n");
        client.post(path, &headers, &body.to_string()).await?;
        let answer = client.answer().await?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 200, "{path}: {text}");
        // The engine is cut off by a reset, and no chunk of size zero can follow.
        assert!(text.contains(event) && text.contains("budget_exceeded"), "{path}: {text}");
        if path == CHAT {
            assert!(text.trim_end().ends_with("data: [DONE]"), "{text}");
        }
        let stopped =
            async || engine.counters().await.is_ok_and(|it| it.in_flight == 0 && it.aborted == 1);
        // Where an engine tells no running count, what it sends beyond `max_tokens` is
        // noticed when it tells the last one.
        let tells = [CHAT, "/v1/completions"].contains(&path);
        let is_stopped = !tells || wait_until(stopped, STOPS_WITHIN).await;
        let counted = engine.counters().await?;
        assert!(is_stopped, "{path}: the engine goes on: {counted:?}, the client read {text}");
        let row = record(&gate, answer.header("x-request-id").unwrap_or_default()).await?;
        assert_eq!(row["end"], "cut_by_budget", "{path}: {row}");
        let cost = row["cost_nanodollars"].as_u64().unwrap_or(u64::MAX);
        assert!(cost > 0 && cost <= BUDGET, "{path}: {row}");
        assert!(!tells || cost > BUDGET / 2, "{path}: {row}");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_and_a_user_have_budgets_of_their_own() -> Result<()> {
    let engine = Engine::start().tokens(20).spawn().await?;
    let yaml = format!(
        "{POOL}tenants:\n  acme:\n    users: {{ budget: {{ dollars: 0.001, per: day }} }}\n"
    );
    let gate = Tollgate::with(&yaml).engine("tiny", &engine).start().await?;
    let poor = ask::key(&gate, "acme", &["--budget", "0.0005/total"]).await?.key;
    let kim = ask::key(&gate, "acme", &["--user", "kim"]).await?.key;
    let free = gate.key("acme").await?.key;
    for key in [&poor, &kim] {
        let is_out = async || {
            ask::hello(&gate, &format!("Bearer {key}"))
                .await
                .is_ok_and(|it| it.what() == (429, "budget_exceeded"))
        };
        assert!(wait_until(is_out, SOON).await);
    }
    for _ in 0..20 {
        assert_eq!(ask::hello(&gate, &format!("Bearer {free}")).await?.status, 200);
    }
    let other = ask::key(&gate, "acme", &["--user", "lee"]).await?.key;
    assert_eq!(ask::hello(&gate, &format!("Bearer {other}")).await?.status, 200);
    Ok(())
}

/// What was reserved and not used can be spent by the next request.
#[tokio::test]
async fn what_is_not_used_comes_back() -> Result<()> {
    let engine = Engine::start().tokens(1).spawn().await?;
    // Pays for one reservation of 80 tokens, and for many answers of one.
    let gate = gate_with("{ dollars: 0.001, per: total }", "    max_tokens: 80\n");
    let gate = gate.engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    for number in 0..10 {
        let told = asked(&gate, &key, Question::chat("tiny")).await?;
        assert_eq!(told.status, 200, "{number}: {told:?}");
    }
    let rows = gate.usage_when(|rows| rows.len() >= 10, RECORD_TIMEOUT).await?;
    assert_eq!(spent(&rows), 10 * (7 * NANO_IN + NANO_OUT), "{rows:?}");
    assert!(HELLO.contains("tiny"));
    Ok(())
}
