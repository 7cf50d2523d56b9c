//! Servers of one pool: what one cannot, another does, on every Envoy.

use super::SOON;
use integration::engine::Pose;
use integration::{Engine, Load, Outcome, Result, Tollgate, wait_until};
use std::time::Duration;

struct Pool {
    gate: Tollgate,
    load: Load,
    servers: [Engine; 2],
}

impl Pool {
    /// A pool of two, with these further lines of it.
    async fn with(pool: &str) -> Result<Pool> {
        let servers = [Engine::start().spawn().await?, Engine::start().spawn().await?];
        let yaml = format!("pools:\n  tiny:\n    balance: {{ by: round_robin }}\n{pool}");
        let [one, two] = &servers;
        let gate = Tollgate::with(&yaml).engine("tiny", one).engine("tiny", two).start().await?;
        let key = gate.key("acme").await?.key;
        let load = Load::on(gate.url()).key(&key);
        Ok(Pool { gate, load, servers })
    }
}

fn failed(outcomes: &[Outcome]) -> Vec<&Outcome> {
    outcomes.iter().filter(|outcome| !outcome.complete).collect()
}

/// So many that further attempts are most of what is under way.
const CLIENTS: usize = 16;

/// Of the two the first fails in this way; no caller may notice.
async fn unnoticed(pose: Pose) -> Result<()> {
    let pool = Pool::with("    timeout: 2s\n    first_token_timeout: 500ms\n").await?;
    pool.servers[0].pose(&pose).await?;
    for load in [pool.load.clone(), pool.load.clone().stream()] {
        let outcomes = load.clients(CLIENTS).count(64).await?;
        assert!(failed(&outcomes).is_empty(), "{pose:?}: {:?}", failed(&outcomes));
    }
    assert!(pool.servers[0].chats().await? > 0, "{pose:?}: it was never asked");
    Ok(())
}

#[tokio::test]
async fn a_server_that_lies_about_its_health_is_not_noticed() -> Result<()> {
    unnoticed(Pose { fault: Some("status=503".into()), ..Pose::default() }).await
}

#[tokio::test]
async fn a_server_that_fails_every_other_request_is_not_noticed() -> Result<()> {
    for fault in ["status=500", "reset-before", "refuse", "status=429:1"] {
        unnoticed(Pose { fault: Some(fault.into()), every: Some(2), ..Pose::default() }).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_hangs_is_not_noticed() -> Result<()> {
    unnoticed(Pose { fault: Some("hang".into()), ..Pose::default() }).await
}

#[tokio::test]
async fn a_server_that_goes_and_comes_back_is_not_noticed() -> Result<()> {
    let mut pool = Pool::with("").await?;
    let running = pool.load.clone().clients(2).start();
    for _ in 0..3 {
        pool.servers[0].kill();
        let sent = running.sent();
        assert!(wait_until(async || running.sent() > sent + 20, SOON).await);
        pool.servers[0].start_again().await?;
        let asked = async || pool.servers[0].chats().await.is_ok_and(|chats| chats > 0);
        assert!(wait_until(asked, SOON).await, "it is not asked any more");
    }
    let outcomes = running.stop().await?;
    // A request that was under way when its server was killed had its headers or not: whole
    // answers are one write, so all of them are retried.
    assert!(failed(&outcomes).is_empty(), "{:?}", failed(&outcomes));
    Ok(())
}

#[tokio::test]
async fn breakers_hold_back_what_a_pool_cannot_take() -> Result<()> {
    let engine = Engine::start().ttft(Duration::from_secs(2)).spawn().await?;
    let yaml = "pools:\n  tiny:\n    retries: 0\n    breakers: { requests: 2, waiting: 1 }\n";
    let gate = Tollgate::with(yaml).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let load = Load::on(gate.url()).key(&key).clients(8);
    let outcomes = load.count(8).await?;
    let through = outcomes.iter().filter(|outcome| outcome.complete).count() as u64;
    let held = outcomes.iter().filter(|outcome| outcome.status == Some(503)).count() as u64;
    assert_eq!(through + held, 8, "{outcomes:?}");
    assert!(held >= 1 && through >= 1, "{outcomes:?}");
    assert_eq!(engine.chats().await?, through, "what is held back is not sent");
    let told = outcomes.iter().find_map(|outcome| outcome.error.clone()).unwrap_or_default();
    assert!(told.contains("\"code\":\"no_healthy_engine\""), "{told}");
    Ok(())
}

/// The servers near by get everything while they are there; the others when they are not.
#[tokio::test]
async fn the_own_zone_comes_first() -> Result<()> {
    let (mut near, far) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
    let gate = zoned(&near, &far, "").await?;
    let key = gate.key("acme").await?.key;
    let load = Load::on(gate.url()).key(&key).clients(2);
    assert!(failed(&load.count(30).await?).is_empty(), "{}", gate.tails());
    assert_eq!([near.chats().await?, far.chats().await?], [30, 0]);
    near.kill();
    // A second attempt stays in the zone: the others answer once its last server is ejected.
    let away = async || {
        let before = far.chats().await.unwrap_or_default();
        let whole = load.count(10).await.is_ok_and(|all| failed(&all).is_empty());
        whole && far.chats().await.is_ok_and(|chats| chats == before + 10)
    };
    assert!(wait_until(away, SOON).await, "nobody takes over: {}", gate.tails());
    near.start_again().await?;
    let back = async || {
        load.count(4).await.is_ok_and(|all| failed(&all).is_empty())
            && near.chats().await.is_ok_and(|chats| chats > 0)
    };
    assert!(wait_until(back, SOON).await, "the own zone is not used any more");
    Ok(())
}

/// A gateway in the zone `here`, with one server there and one elsewhere.
async fn zoned(near: &Engine, far: &Engine, pool: &str) -> Result<Tollgate> {
    let yaml = format!(
        "gateway:\n  zone: here\npools:\n  tiny:\n    engine: vllm\n    model: tiny\n{pool}    \
         endpoints:\n      - {{ url: {}, zone: here }}\n      - {{ url: {}, zone: there }}\n\
         models:\n  tiny: tiny\n",
        near.url(),
        far.url()
    );
    Tollgate::with(&yaml).start().await
}

/// How much of their weight servers of other zones have, by `tollgate status`, in percent.
async fn spilled(gate: &Tollgate) -> u64 {
    let status = gate.cli_json(&["status", "--format", "json"]).await.unwrap_or_default();
    status["pools"][0]["spill_percent"].as_u64().unwrap_or_default()
}

/// Somewhat above `spill` the others get some of it, below it they are let go.
#[tokio::test]
async fn other_zones_take_part_by_degrees() -> Result<()> {
    let (near, far) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
    let gate = zoned(&near, &far, "    spill: 85%\n    metrics: { interval: 1s }\n").await?;
    let key = gate.key("acme").await?.key;
    let load = Load::on(gate.url()).key(&key).clients(4);
    // The load is two fifths of the places and three fifths of the cache.
    let full_to = async |running, kv_use| {
        let (running, kv_use) = (Some(running), Some(kv_use));
        near.pose(&Pose { running, kv_use, ..Pose::default() }).await
    };
    full_to(32, 0.77).await?;
    assert!(wait_until(async || spilled(&gate).await > 0, SOON).await, "{}", gate.tails());
    // Neither too much nor little: the share stays where it is.
    full_to(32, 0.67).await?;
    let stays = async || {
        let before = spilled(&gate).await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        before == spilled(&gate).await
    };
    assert!(wait_until(stays, SOON).await, "{}", spilled(&gate).await);
    let share = spilled(&gate).await;
    assert!((1..100).contains(&share), "{share}");
    assert!(failed(&load.count(100).await?).is_empty(), "{}", gate.tails());
    let [of_near, of_far] = [near.chats().await?, far.chats().await?];
    assert!(of_far > 0 && of_far < of_near, "{share} %: {of_near} and {of_far}");
    full_to(1, 0.1).await?;
    assert!(wait_until(async || spilled(&gate).await == 0, SOON).await);
    let alone = async || {
        let before = far.chats().await.unwrap_or_default();
        load.count(20).await.is_ok() && far.chats().await.is_ok_and(|chats| chats == before)
    };
    assert!(wait_until(alone, SOON).await, "the others are still asked");
    Ok(())
}

/// With a threshold, all servers are asked when fewer of them are well; else none that is not.
#[tokio::test]
async fn a_pool_panics_below_its_threshold() -> Result<()> {
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Engine::start().spawn().await?);
    }
    let yaml = "pools:\n  tiny:\n    balance: { by: round_robin }\n    panic_threshold: 50%\n    \
                health: { path: /health, interval: 100ms }\n";
    let gate = servers.iter().fold(Tollgate::with(yaml), |gate, one| gate.engine("tiny", one));
    let gate = gate.start().await?;
    let load = Load::on(gate.url()).key(&gate.key("acme").await?.key);
    let chats = async || -> Result<Vec<u64>> {
        let mut all = Vec::new();
        for server in &servers {
            all.push(server.chats().await?);
        }
        Ok(all)
    };
    // Which of them are asked by many requests.
    let asked = async || -> Result<Vec<bool>> {
        let before = chats().await?;
        load.count(30).await?;
        Ok(before.iter().zip(chats().await?).map(|(before, after)| after > *before).collect())
    };
    let unwell = Pose { health: Some(503), ..Pose::default() };
    let table = [(1, vec![false, true, true]), (2, vec![true, true, true])];
    for (count, expected) in table {
        servers[count - 1].pose(&unwell).await?;
        let seen = async || asked().await.is_ok_and(|asked| asked == expected);
        assert!(wait_until(seen, SOON).await, "{count}: {:?} {}", asked().await, gate.tails());
    }
    Ok(())
}

/// What servers without a gap need not: no request is lost while all are well.
#[tokio::test]
async fn nothing_is_sent_twice_while_all_are_well() -> Result<()> {
    let pool = Pool::with("    retries: 3\n").await?;
    let outcomes = pool.load.clone().clients(4).count(60).await?;
    assert!(failed(&outcomes).is_empty(), "{}", pool.gate.tails());
    let [one, two] = &pool.servers;
    assert_eq!(one.chats().await? + two.chats().await?, 60);
    Ok(())
}
