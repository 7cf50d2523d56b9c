//! Limits of requests, tokens and concurrency, of tenants, keys, users and models.

use super::ask::{self, CHAT, Told, post};
use super::ledger::record;
use integration::accuracy::{Leave, Question};
use integration::{Engine, Result, Tollgate, TollgateStart, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

/// A generous bound for what happens in other processes, a start of Envoy among it.
const SOON: Duration = Duration::from_secs(60);

/// A gateway whose one tenant has those limits.
fn gate_with(limits: &str) -> TollgateStart {
    let yaml = format!(
        "gateway:\n  workers: 2\nlimits:\n  small: {limits}\ntenants:\n  acme:\n    limits: small\n"
    );
    Tollgate::with(&yaml)
}

async fn hello(gate: &Tollgate, key: &str, body: Value) -> Result<Told> {
    let mut whole = json!({"model": "tiny", "messages": [{"role": "user", "content": "a"}]});
    for (name, value) in body.as_object().into_iter().flatten() {
        whole[name] = value.clone();
    }
    let bearer = format!("Bearer {key}");
    let asked = post(gate, CHAT, &[("authorization", &bearer)], &whole.to_string());
    // The answer of an echo is as long as the request; these are of the engine's own words.
    Told::of(asked.header("x-sim-tokens", "4")).await
}

fn number(told: &Told, name: &str) -> Option<f64> {
    let text = told.headers.get(name)?.to_str().ok()?;
    text.trim_end_matches(['s', 'm', 'h']).parse().ok()
}

#[tokio::test]
async fn requests_beyond_the_burst_are_told_when_to_come_again() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate =
        gate_with("{ requests_per_minute: 30, burst: 4 }").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let mut told = Vec::new();
    for _ in 0..6 {
        told.push(hello(&gate, &key, json!({})).await?);
    }
    let statuses: Vec<u16> = told.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429]);
    let (first, last) = (&told[0], &told[5]);
    assert_eq!(number(first, "x-ratelimit-limit-requests"), Some(4.0), "{:?}", first.headers);
    assert_eq!(number(first, "x-ratelimit-remaining-requests"), Some(3.0));
    assert!(first.headers.contains_key("x-ratelimit-reset-requests"));
    assert_eq!(last.what(), (429, "rate_limit_exceeded"));
    assert_eq!(last.body["error"]["type"], "rate_limit_error");
    assert_eq!(number(last, "x-ratelimit-remaining-requests"), Some(0.0));
    let wait = number(last, "retry-after").unwrap_or(0.0);
    assert!((1.0..=3.0).contains(&wait), "{wait}");
    tokio::time::sleep(Duration::from_secs_f64(wait)).await;
    assert_eq!(hello(&gate, &key, json!({})).await?.status, 200);
    let row = record(&gate, last.id()).await?;
    assert_eq!(
        (&row["end"], &row["code"]),
        (&json!("refused"), &json!("rate_limit_exceeded")),
        "{row}"
    );
    assert_eq!(engine.chats().await?, 5);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_holds_over_all_workers() -> Result<()> {
    const BURST: usize = 50;
    let engine = Engine::start().spawn().await?;
    let gate =
        gate_with("{ requests_per_minute: 60, burst: 50 }").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let begun = std::time::Instant::now();
    let asking = (0..400).map(|_| async { Question::chat("tiny").ask(gate.url(), &key).await });
    let told = futures::future::join_all(asking).await;
    let served = told.iter().filter(|it| it.as_ref().is_ok_and(|it| it.status == 200)).count();
    let refilled = begun.elapsed().as_secs() as usize + 1;
    assert!((BURST..=BURST + refilled).contains(&served), "{served}");
    assert_eq!(engine.chats().await?, served as u64);
    Ok(())
}

#[tokio::test]
async fn tokens_are_settled_to_the_truth() -> Result<()> {
    let engine = Engine::start().tokens(400).spawn().await?;
    let gate = gate_with("{ tokens_per_minute: 1000 }").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    // 900 are asked for, 4 are used: what was not used can be asked for again.
    for _ in 0..3 {
        assert_eq!(hello(&gate, &key, json!({"max_tokens": 900})).await?.status, 200);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let long = |tokens: u64| Question::chat("tiny").field("max_tokens", json!(tokens));
    assert_eq!(long(400).ask(gate.url(), &key).await?.status, 200);
    assert_eq!(long(400).ask(gate.url(), &key).await?.status, 200);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let told = hello(&gate, &key, json!({"max_tokens": 600})).await?;
    assert_eq!(told.what(), (429, "tokens_limit_exceeded"), "{}", told.body);
    assert!(number(&told, "retry-after") >= Some(1.0), "{:?}", told.headers);
    assert_eq!(number(&told, "x-ratelimit-limit-tokens"), Some(1000.0), "{:?}", told.headers);
    Ok(())
}

#[tokio::test]
async fn what_no_bucket_can_hold_is_a_bad_request() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("{ tokens_per_minute: 1000 }").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let told = hello(&gate, &key, json!({"max_tokens": 5000})).await?;
    assert_eq!(told.what(), (400, "request_exceeds_limit"), "{}", told.body);
    assert_eq!(hello(&gate, &key, json!({"max_tokens": 500})).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn places_come_back_when_clients_vanish() -> Result<()> {
    let engine =
        Engine::start().tokens(400).token_interval(Duration::from_millis(50)).spawn().await?;
    let gate = gate_with("{ concurrent: 2 }").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let (url, long_key) = (gate.url().to_owned(), key.clone());
    let long = move || {
        let (url, key) = (url.clone(), long_key.clone());
        tokio::spawn(async move { Question::chat("tiny").stream().ask(&url, &key).await })
    };
    let running = [long(), long()];
    let begun = async || engine.counters().await.is_ok_and(|it| it.in_flight == 2);
    assert!(wait_until(begun, SOON).await);
    let told = hello(&gate, &key, json!({})).await?;
    assert_eq!(told.what(), (429, "concurrency_limit_exceeded"), "{}", told.body);
    running.iter().for_each(tokio::task::JoinHandle::abort);
    let free = async || hello(&gate, &key, json!({})).await.is_ok_and(|it| it.status == 200);
    assert!(wait_until(free, SOON).await, "the places of clients that are gone do not come back");
    Ok(())
}

/// A worker that dies takes its count with it.
#[tokio::test]
async fn places_come_back_when_envoy_is_killed() -> Result<()> {
    let engine =
        Engine::start().tokens(400).token_interval(Duration::from_millis(50)).spawn().await?;
    let gate = gate_with("{ concurrent: 1 }").fixed_ports().engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let leave = Leave::AfterEvents(400);
    let (url, long_key) = (gate.url().to_owned(), key.clone());
    let running = tokio::spawn(async move {
        Question::chat("tiny").stream().leaving(leave).ask(&url, &long_key).await
    });
    assert!(
        wait_until(async || engine.counters().await.is_ok_and(|it| it.in_flight == 1), SOON).await
    );
    assert!(gate.kill_envoy());
    let free = async || hello(&gate, &key, json!({})).await.is_ok_and(|it| it.status == 200);
    assert!(wait_until(free, SOON).await);
    assert!(!running.await??.whole);
    Ok(())
}

fn users(from: &str) -> TollgateStart {
    Tollgate::with(&format!(
        "limits:\n  one: {{ requests_per_minute: 1, burst: 2 }}\ntenants:\n  acme:\n    \
         users: {{ limits: one, from: {from} }}\n"
    ))
}

#[tokio::test]
async fn nobody_escapes_his_limit_by_another_name_in_the_body() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    for from in ["credential", "body"] {
        let gate = users(from).engine("tiny", &engine).start().await?;
        let kim = ask::key(&gate, "acme", &["--user", "kim"]).await?.key;
        let mut statuses = Vec::new();
        for number in 0..4 {
            let name = json!({"user": format!("somebody-{number}")});
            statuses.push(hello(&gate, &kim, name).await?.status);
        }
        assert_eq!(statuses, [200, 200, 429, 429], "{from}");
        // Two keys of one user are one user.
        let second = ask::key(&gate, "acme", &["--user", "kim"]).await?.key;
        assert_eq!(hello(&gate, &second, json!({})).await?.status, 429, "{from}");
        let nobody = gate.key("acme").await?.key;
        for number in 0..4 {
            let told = hello(&gate, &nobody, json!({"user": format!("u-{number}")})).await?;
            assert_eq!(told.status, 200, "{from}");
        }
        let mut same = Vec::new();
        for _ in 0..4 {
            same.push(hello(&gate, &nobody, json!({"user": "lee"})).await?.status);
        }
        let expected = if from == "body" { [200, 200, 429, 429] } else { [200; 4] };
        assert_eq!(same, expected, "{from}");
    }
    Ok(())
}

#[tokio::test]
async fn a_user_that_looks_like_an_address_is_kept_as_a_digest() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = users("body").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let mut kept = Vec::new();
    for user in ["kim.lee@example.com", "kim.lee@example.com", "other@example.com", "plain-7"] {
        let told = hello(&gate, &key, json!({ "user": user })).await?;
        assert_eq!(told.status, 200, "{}", told.body);
        let row = record(&gate, told.id()).await?;
        kept.push(row["user"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(kept[0], kept[1]);
    assert_ne!(kept[0], kept[2]);
    assert!(!kept[0].is_empty() && !kept[0].contains('@') && !kept[0].contains("kim"), "{kept:?}");
    assert_eq!(kept[3], "plain-7");
    let ledger = std::fs::read_dir(gate.data())?;
    for file in ledger.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&file)?;
        let name = b"kim.lee@example.com";
        assert!(!bytes.windows(name.len()).any(|it| it == name), "{}", file.display());
    }
    Ok(())
}

#[tokio::test]
async fn all_scopes_decide_together() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let yaml = "limits:\n  narrow: { requests_per_minute: 1, burst: 2 }\n  \
                wide: { requests_per_minute: 1, burst: 5 }\n\
                models:\n  tiny: { split: [{ pool: p }], limits: narrow }\n  other: p\n\
                tenants:\n  acme:\n    limits: wide\n";
    let gate = Tollgate::with(yaml).engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let mut statuses = Vec::new();
    for model in ["tiny", "tiny", "tiny", "tiny", "tiny", "other", "other", "other", "other"] {
        statuses.push(hello(&gate, &key, json!({ "model": model })).await?.status);
    }
    // What the model's limit refused took nothing from the tenant's.
    assert_eq!(statuses, [200, 200, 429, 429, 429, 200, 200, 200, 429]);
    Ok(())
}
