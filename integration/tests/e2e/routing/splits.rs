//! Shares, and who keeps the pool that he was given.

use super::super::ask::{self, key};
use super::{World, chat};
use futures::future::try_join_all;
use integration::Result;
use std::collections::{BTreeMap, BTreeSet};

const POOLS: [&str; 3] = ["a", "b", "c"];
/// Requests that a share is looked for in: six standard deviations are 52 of them.
const DRAWS: usize = 400;

fn sections(sticky: &str, weights: [u32; 3]) -> String {
    let [a, b, c] = weights;
    let other = if sticky == "none" { "" } else { "    experiment: another\n" };
    format!(
        "models:\n  chat:\n    sticky: {sticky}\n    split: [ {{ pool: a, weight: {a} }}, \
         {{ pool: b, weight: {b} }}, {{ pool: c, weight: {c} }} ]\n  \
         other:\n    sticky: {sticky}\n{other}    split: [ {{ pool: a, weight: {a} }}, \
         {{ pool: b, weight: {b} }}, {{ pool: c, weight: {c} }} ]\n"
    )
}

/// The pool of each of so many sessions.
async fn of_sessions(world: &World, model: &str, count: usize) -> Result<Vec<String>> {
    let one = async |session: usize| {
        let session = format!("session-{session}");
        world.pool_of(&[("x-session", &session)], &chat(model, "hello")).await
    };
    let mut pools = Vec::new();
    for batch in (0..count).collect::<Vec<_>>().chunks(8) {
        pools.extend(try_join_all(batch.iter().map(|session| one(*session))).await?);
    }
    Ok(pools)
}

fn counts(pools: &[String]) -> BTreeMap<&str, usize> {
    pools.iter().fold(BTreeMap::new(), |mut counts, pool| {
        *counts.entry(pool.as_str()).or_default() += 1;
        counts
    })
}

#[tokio::test]
async fn shares_are_as_written() -> Result<()> {
    let world = World::with(&POOLS, &sections("none", [3, 1, 0])).await?;
    let pools = of_sessions(&world, "chat", DRAWS).await?;
    let counts = counts(&pools);
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), ["a", "b"], "{counts:?}");
    assert!((48..=152).contains(&counts["b"]), "a quarter of {DRAWS}: {counts:?}");
    Ok(())
}

#[tokio::test]
async fn a_header_keeps_its_pool() -> Result<()> {
    let world = World::with(&POOLS, &sections("header:x-session", [2, 1, 1])).await?;
    let first = of_sessions(&world, "chat", 60).await?;
    assert_eq!(counts(&first).len(), 3, "{first:?}");
    assert_eq!(of_sessions(&world, "chat", 60).await?, first);
    // Another experiment divides the same sessions otherwise.
    assert_ne!(of_sessions(&world, "other", 60).await?, first);
    Ok(())
}

/// By user, whatever key he comes with; where there is no user, by key.
#[tokio::test]
async fn a_user_keeps_his_pool_over_his_keys() -> Result<()> {
    let world = World::with(&POOLS, &sections("user", [1, 1, 1])).await?;
    let mut seen = BTreeSet::new();
    for user in 0..12 {
        let user = format!("user-{user}");
        let mut pools = BTreeSet::new();
        for _ in 0..2 {
            let key = key(&world.gate, "acme", &["--user", &user]).await?;
            let bearer = format!("Bearer {}", key.key);
            for _ in 0..3 {
                let headers = [("authorization", bearer.as_str())];
                pools.insert(world.pool_of(&headers, &chat("chat", "hello")).await?);
            }
        }
        assert_eq!(pools.len(), 1, "{user}: {pools:?}");
        seen.extend(pools);
    }
    assert!(seen.len() > 1, "all users are on {seen:?}");
    Ok(())
}

#[tokio::test]
async fn a_key_keeps_its_pool() -> Result<()> {
    for sticky in ["key", "user"] {
        let world = World::with(&POOLS, &sections(sticky, [1, 1, 1])).await?;
        let mut seen = BTreeSet::new();
        for _ in 0..12 {
            let bearer = format!("Bearer {}", ask::key(&world.gate, "acme", &[]).await?.key);
            let mut pools = BTreeSet::new();
            for _ in 0..3 {
                let headers = [("authorization", bearer.as_str())];
                pools.insert(world.pool_of(&headers, &chat("chat", "hello")).await?);
            }
            assert_eq!(pools.len(), 1, "{sticky}: {pools:?}");
            seen.extend(pools);
        }
        assert!(seen.len() > 1, "{sticky}: all keys are on {seen:?}");
    }
    Ok(())
}
