//! Envoy is killed with SIGKILL under load: what clients have whole is billed
//! once and to the token, what was cut to its last periodic line.

use super::ledger::{RECORD_TIMEOUT, assert_whole_answers_are_billed};
use integration::{Engine, Load, Outcome, Result, Tollgate};
use serde_json::json;
use std::time::Duration;

const CONFIG: &str = "gateway:\n  workers: 2\ncontrol:\n  usage_interval: 100ms\n";

/// How often Envoy is killed; `TOLLGATE_KILLS` makes it more.
fn kills() -> usize {
    std::env::var("TOLLGATE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(2)
}

#[tokio::test]
async fn nothing_is_lost_and_nothing_is_billed_twice() -> Result<()> {
    let fast = Engine::start().tokens(3).spawn().await?;
    let slow =
        Engine::start().tokens(400).token_interval(Duration::from_millis(10)).spawn().await?;
    let gate = Tollgate::with(CONFIG)
        .fixed_ports()
        .engine("tiny", &fast)
        .engine("slow", &slow)
        .start()
        .await?;
    let key = gate.key("acme").await?.key;
    let load = Load::on(gate.url()).key(&key).clients(6).start();
    let usage = json!({"include_usage": true, "continuous_usage_stats": true});
    let streams =
        Load::on(gate.url()).key(&key).model("slow").stream().field("stream_options", usage);
    let streams = streams.clients(6).start();
    for _ in 0..kills() {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let dead = gate.envoy_pid();
        assert!(gate.kill_envoy());
        let back = async || gate.envoy_pid() != dead && answers(&gate, &key).await;
        assert!(integration::wait_until(back, Duration::from_secs(15)).await);
    }
    let outcomes = load.stop().await?;
    let streams = streams.stop().await?;
    assert!(outcomes.iter().filter(|outcome| outcome.complete).count() > 100);
    let cut: Vec<&Outcome> =
        streams.iter().filter(|outcome| outcome.id.is_some() && !outcome.complete).collect();
    assert!(!cut.is_empty(), "no stream was cut");
    gate.usage_when(|rows| lost(rows) >= cut.len(), RECORD_TIMEOUT).await?;
    let all: Vec<Outcome> = outcomes.iter().chain(&streams).cloned().collect();
    let by_id = assert_whole_answers_are_billed(&gate, &all).await?;
    for outcome in cut {
        let id = outcome.id.as_deref().unwrap_or_default();
        let row = by_id.get(id).unwrap_or_else(|| panic!("{id} was cut and is not billed"));
        assert_eq!(
            (&row["end"], &row["source"]),
            (&"gateway_lost".into(), &"running".into()),
            "{row}"
        );
        let billed = row["output_tokens"].as_u64().unwrap_or(0);
        let seen = outcome.text_events;
        assert!(
            billed > 0 && billed <= seen,
            "billed {billed} of {seen} that were delivered: {row}"
        );
    }
    Ok(())
}

async fn answers(gate: &Tollgate, key: &str) -> bool {
    Load::on(gate.url()).key(key).count(1).await.is_ok_and(|all| all.iter().all(|one| one.complete))
}

fn lost(rows: &[serde_json::Value]) -> usize {
    rows.iter().filter(|row| row["end"] == "gateway_lost").count()
}
