//! A configuration that changes while requests run.

use integration::{Engine, Load, Result, Tollgate, client, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

async fn answered_by(gate: &Tollgate, key: &str) -> Option<(u16, String)> {
    let body = json!({"model": "tiny", "messages": [{"role": "user", "content": "x"}]});
    let request = client().post(format!("{}/v1/chat/completions", gate.url())).json(&body);
    let answer = request.bearer_auth(key).send().await.ok()?;
    let pool = answer.headers().get("x-tollgate-pool").and_then(|pool| pool.to_str().ok());
    Some((answer.status().as_u16(), pool.unwrap_or_default().to_owned()))
}

#[tokio::test]
async fn pools_are_swapped_under_load_without_one_failure() -> Result<()> {
    let (one, two) =
        (Engine::start().model("one").spawn().await?, Engine::start().model("two").spawn().await?);
    let yaml = format!(
        "gateway:\n  expose_pool: true\nmodels: {{ tiny: blue }}\npools:\n  blue: {{ engine: vllm, model: one, endpoints: [{}] }}\n",
        one.url()
    );
    let gate = Tollgate::with(&yaml).start().await?;
    let key = gate.key("acme").await?.key;
    let load = Load::on(gate.url()).key(&key).clients(4).start();
    let streams = Load::on(gate.url()).key(&key).clients(2).stream().start();
    let mut now = "blue";
    for _ in 0..10 {
        let (next, engine) = if now == "blue" { ("green", &two) } else { ("blue", &one) };
        let line = |name: &str, engine: &Engine| {
            format!(
                "  {name}: {{ engine: vllm, model: {}, endpoints: [{}] }}\n",
                engine.model(),
                engine.url()
            )
        };
        let old = line(now, if now == "blue" { &one } else { &two });
        gate.rewrite_config(|yaml| {
            yaml.replace(&old, &line(next, engine)).replace(
                &format!("models: {{ tiny: {now} }}"),
                &format!("models: {{ tiny: {next} }}"),
            )
        })?;
        let live = async || answered_by(&gate, &key).await == Some((200, next.to_owned()));
        assert!(wait_until(live, Duration::from_secs(3)).await, "{next} is not live");
        now = next;
    }
    let mut outcomes = load.stop().await?;
    outcomes.extend(streams.stop().await?);
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.complete).collect();
    assert!(failed.is_empty(), "{} of {}: {:?}", failed.len(), outcomes.len(), failed.first());
    assert!(outcomes.len() > 100, "{}", outcomes.len());
    super::ledger::assert_whole_answers_are_billed(&gate, &outcomes).await?;
    Ok(())
}

#[tokio::test]
async fn a_bad_change_is_refused_and_shown_and_the_last_good_one_stays() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("models: { tiny: p }\n").engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    gate.rewrite_config(|yaml| yaml.replace("models: { tiny: p }", "models: { tiny: gone }"))?;
    let refused = async || {
        let status = gate.cli_json(&["status", "--format", "json"]).await.unwrap_or(Value::Null);
        status["config"]["refused"]["problems"].to_string().contains("gone")
    };
    assert!(wait_until(refused, Duration::from_secs(2)).await);
    assert_eq!(answered_by(&gate, &key).await.map(|(status, _)| status), Some(200));
    gate.rewrite_config(|yaml| {
        yaml.replace("models: { tiny: gone }", "models: { tiny: p, new: p }")
    })?;
    let mended = async || {
        let status = gate.cli_json(&["status", "--format", "json"]).await.unwrap_or(Value::Null);
        status["config"]["refused"].is_null()
    };
    assert!(wait_until(mended, Duration::from_secs(2)).await);
    Ok(())
}

#[tokio::test]
async fn status_tells_what_envoy_has_accepted() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let status = gate.cli_json(&["status", "--format", "json"]).await?;
    let envoys = status["envoys"].as_array().cloned().unwrap_or_default();
    assert_eq!(envoys.len(), 1, "{status}");
    assert!(envoys[0]["envoy_version"].as_str().is_some_and(|it| it.starts_with("1.")), "{status}");
    let table = gate.cli(&["status"]).await?;
    assert!(table.status.success() && !table.stdout.is_empty());
    Ok(())
}
