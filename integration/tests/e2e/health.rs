//! Servers that say they are well and are not, and servers that are busy.

use integration::engine::Pose;
use integration::{Engine, Load, Result, Tollgate, wait_until};
use std::time::Duration;

/// What a change may take: no bound of the product, but the end of patience.
const SOON: Duration = Duration::from_secs(10);

/// How many of `count` requests each of two got.
async fn split(load: &Load, engines: [&Engine; 2], count: u64) -> Result<[u64; 2]> {
    let before = [engines[0].chats().await?, engines[1].chats().await?];
    load.count(count).await?;
    Ok([engines[0].chats().await? - before[0], engines[1].chats().await? - before[1]])
}

#[tokio::test]
async fn a_server_whose_health_lies_is_passed_over() -> Result<()> {
    let (liar, good) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
    let yaml = "pools:\n  tiny:\n    health: { path: /health, interval: 100ms }\n    \
                ejection: { failures: 3, base: 8s }\n";
    let gate = Tollgate::with(yaml).engine("tiny", &liar).engine("tiny", &good).start().await?;
    let key = gate.key("acme").await?.key;
    let load = Load::on(gate.url()).key(&key);
    let both = async || split(&load, [&liar, &good], 10).await.is_ok_and(|[a, b]| a > 0 && b > 0);
    assert!(wait_until(both, SOON).await);
    liar.pose(&Pose { fault: Some("status=503".into()), ..Pose::default() }).await?;
    let ejected = async || load.count(20).await.is_ok_and(|all| all.iter().all(|one| one.complete));
    assert!(wait_until(ejected, SOON).await, "the liar is still asked");
    // Its health path answers 200 all the while, several times in this one.
    let health = liar.counters().await?.by_path.get("/health").copied().unwrap_or(0);
    let checked = async || {
        let now = liar.counters().await.ok().and_then(|it| it.by_path.get("/health").copied());
        now.is_some_and(|now| now > health + 3)
    };
    assert!(wait_until(checked, SOON).await, "nobody checks");
    assert_eq!(split(&load, [&liar, &good], 20).await?[0], 0, "a health check brought it back");
    liar.pose(&Pose::default()).await?;
    let back = async || split(&load, [&liar, &good], 10).await.is_ok_and(|[liar, _]| liar > 0);
    assert!(wait_until(back, Duration::from_secs(20)).await, "it is never tried again");
    Ok(())
}

#[tokio::test]
async fn the_less_busy_server_gets_more() -> Result<()> {
    let (one, two) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
    let yaml = "pools:\n  tiny:\n    balance: { by: load, max_active: 32 }\n    \
                metrics: { interval: 100ms }\n";
    let busy = Pose { running: Some(30), waiting: Some(4), kv_use: Some(0.95), ..Pose::default() };
    let idle = Pose { running: Some(1), waiting: Some(0), kv_use: Some(0.05), ..Pose::default() };
    let gate = Tollgate::with(yaml).engine("tiny", &one).engine("tiny", &two).start().await?;
    let key = gate.key("acme").await?.key;
    let load = Load::on(gate.url()).key(&key).clients(2);
    for (first, second) in [(&busy, &idle), (&idle, &busy)] {
        one.pose(first).await?;
        two.pose(second).await?;
        let follows = async || {
            let Ok([one, two]) = split(&load, [&one, &two], 60).await else { return false };
            let (more, less) = if first == &idle { (one, two) } else { (two, one) };
            more > 2 * less
        };
        assert!(wait_until(follows, SOON).await, "{first:?} {second:?}");
    }
    let outcomes = load.count(60).await?;
    assert!(outcomes.iter().all(|outcome| outcome.complete), "{outcomes:?}");
    Ok(())
}
