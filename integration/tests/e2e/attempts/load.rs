//! Many callers at once whose first pool fails.

use super::{World, is_chained};
use integration::{Load, Outcome, Result};

/// More than the attempts that a cluster's budget lets pass in any case.
const CLIENTS: usize = 128;
const REQUESTS: u64 = 160;

fn failed(outcomes: &[Outcome]) -> Vec<&Outcome> {
    outcomes.iter().filter(|outcome| !outcome.complete).collect()
}

/// The first pool fails at once, and the second one takes a second: so nearly all requests
/// under way are second attempts.
async fn all_are_answered_by_the_second(world: &World) -> Result<()> {
    world.b.fail("slow-headers=1000").await?;
    let load = Load::on(world.gate.url()).key(&world.key).model("chat").clients(CLIENTS);
    for load in [load.clone(), load.stream()] {
        let before = world.b.chats().await?;
        let outcomes = load.count(REQUESTS).await?;
        assert_eq!(outcomes.len() as u64, REQUESTS);
        let (failed, asked) = (failed(&outcomes), world.b.chats().await? - before);
        match is_chained() {
            true => assert!(failed.is_empty(), "{}: {:?}", failed.len(), failed.first()),
            false => assert_eq!(failed.len() as u64, REQUESTS, "who answered?"),
        }
        assert_eq!(asked, if is_chained() { REQUESTS } else { 0 });
    }
    Ok(())
}

#[tokio::test]
async fn nobody_notices_a_first_pool_that_refuses() -> Result<()> {
    let world = World::start().await?;
    world.a.fail("status=503").await?;
    all_are_answered_by_the_second(&world).await
}

#[tokio::test]
async fn nobody_notices_a_first_pool_that_is_gone() -> Result<()> {
    let mut world = World::start().await?;
    world.a.kill();
    all_are_answered_by_the_second(&world).await
}
