//! The control plane dies and comes back; Envoy is restarted; all of it ends.

use super::ledger::assert_whole_answers_are_billed;
use integration::{Engine, Load, Result, Tollgate, runs, wait_until};
use std::time::Duration;

#[tokio::test]
async fn killing_the_control_plane_under_load_costs_nothing() -> Result<()> {
    let engine = Engine::start().tokens(4).spawn().await?;
    let slow = Engine::start().tokens(60).token_interval(Duration::from_millis(20)).spawn().await?;
    let mut gate = Tollgate::with("").engine("tiny", &engine).engine("slow", &slow).start().await?;
    let key = gate.key("acme").await?.key;
    let load = Load::on(gate.url()).key(&key).clients(4).start();
    let streams = Load::on(gate.url()).key(&key).model("slow").clients(4).stream().start();
    let envoy = gate.envoy_pid();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        gate.kill9();
        tokio::time::sleep(Duration::from_millis(700)).await;
        gate.start_again().await?;
        assert_eq!(gate.envoy_pid(), envoy, "the running Envoy is adopted");
    }
    let mut outcomes = load.stop().await?;
    outcomes.extend(streams.stop().await?);
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.complete).collect();
    assert!(failed.is_empty(), "{} of {}: {:?}", failed.len(), outcomes.len(), failed.first());
    assert_whole_answers_are_billed(&gate, &outcomes).await?;
    let next = gate.key("acme").await?.key;
    let after = Load::on(gate.url()).key(&next).count(5).await?;
    assert!(after.iter().all(|outcome| outcome.complete), "keys work after the restart: {after:?}");
    Ok(())
}

/// The kill falls before, into and after the time in which Envoy gets the change.
#[tokio::test]
async fn a_change_that_a_kill_interrupts_is_in_force_after_the_restart() -> Result<()> {
    let engines = [Engine::start().spawn().await?, Engine::start().spawn().await?];
    let line = |at: usize| format!("endpoints: [{}]", engines[at % 2].url());
    let mut gate = Tollgate::with("").engine("tiny", &engines[0]).start().await?;
    let key = gate.key("acme").await?.key;
    let load = Load::on(gate.url()).key(&key).clients(4).start();
    for (change, wait_ms) in [0, 100, 150, 200, 300].into_iter().enumerate() {
        gate.rewrite_config(|yaml| yaml.replace(&line(change), &line(change + 1)))?;
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        gate.kill9();
        gate.start_again().await?;
        let [old, new] = [&engines[change % 2], &engines[(change + 1) % 2]];
        let moved = async || asked(new, 100).await && !asked(old, 100).await;
        assert!(wait_until(moved, Duration::from_secs(10)).await, "after {wait_ms} ms");
    }
    let outcomes = load.stop().await?;
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.complete).collect();
    assert!(failed.is_empty(), "{} of {}: {:?}", failed.len(), outcomes.len(), failed.first());
    Ok(())
}

/// Whether the running load asks this engine within so many milliseconds.
async fn asked(engine: &Engine, within_ms: u64) -> bool {
    let before = engine.chats().await.ok();
    tokio::time::sleep(Duration::from_millis(within_ms)).await;
    engine.chats().await.ok() > before
}

#[tokio::test]
async fn the_end_is_clean() -> Result<()> {
    let engine =
        Engine::start().tokens(100).token_interval(Duration::from_millis(10)).spawn().await?;
    let mut gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let running = Load::on(gate.url()).key(&key).clients(3).stream();
    let running = tokio::spawn(async move { running.count(3).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let envoy = gate.envoy_pid().unwrap_or_default();
    assert!(runs(envoy));
    let ended = tokio::task::spawn_blocking(move || (gate.stop(), gate)).await?;
    assert_eq!(ended.0.and_then(|status| status.code()), Some(0));
    assert!(!runs(envoy), "an Envoy is left");
    let outcomes = running.await??;
    assert!(
        outcomes.iter().all(|outcome| outcome.complete),
        "running streams were cut: {outcomes:?}"
    );
    Ok(())
}

#[tokio::test]
async fn an_envoy_that_dies_is_replaced() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").fixed_ports().engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let first = gate.envoy_pid();
    assert!(gate.kill_envoy());
    let back = async || {
        gate.envoy_pid() != first
            && Load::on(gate.url()).key(&key).count(1).await.is_ok_and(|all| all[0].complete)
    };
    assert!(wait_until(back, Duration::from_secs(10)).await);
    Ok(())
}
