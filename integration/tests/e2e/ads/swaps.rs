//! Make before break: everything is replaced under load, and nobody notices.

use std::time::Duration;

use super::world::Pool;
use super::*;

in_both_protocols!(swaps_under_load_fail_no_request);

/// How often all is replaced; `TOLLGATE_SWAPS` makes it more.
fn swaps() -> usize {
    std::env::var("TOLLGATE_SWAPS").ok().and_then(|swaps| swaps.parse().ok()).unwrap_or(15)
}

/// Each swap brings a new cluster with new endpoints and the route to it, and
/// takes the old ones away; in between, the cluster is changed in its place,
/// and then its endpoints alone.
async fn swaps_under_load_fail_no_request(protocol: Protocol) -> Result<()> {
    let engines = [slow_engine().await?, slow_engine().await?];
    let mut world = World::of("swap-0", &engines[0]);
    let pair = Pair::start(protocol, &world).await?;
    let load = pair.load().await?.clients(4).start();
    let streams = pair.load().await?.clients(2).stream().start();
    for swap in 1..=swaps() {
        let (now, next) = (&engines[swap % 2], &engines[(swap + 1) % 2]);
        let name = format!("swap-{swap}");
        world.pools = [(name.clone(), Pool { endpoints: name.clone(), connect_ms: 500 })].into();
        world.endpoints = [(name.clone(), vec![now.address()])].into();
        world.route = Some(name.clone());
        pair.ads.publish(world.snapshot());
        pair.answers("by the next", |it| it.status == 200 && it.cluster == name).await?;
        world.pool(&name).connect_ms = 600;
        pair.ads.publish_and_wait(world.snapshot()).await?;
        world.endpoints = [(name.clone(), vec![next.address()])].into();
        pair.ads.publish(world.snapshot());
        let host = next.address().to_string();
        pair.answers("by the other", |it| it.status == 200 && it.host == host).await?;
    }
    // What is not used any more goes in the end; one is the control plane's own.
    pair.stat_is("cluster_manager.active_clusters", 2).await?;
    let mut outcomes = load.stop().await?;
    outcomes.extend(streams.stop().await?);
    assert_all_complete(&outcomes);
    assert_eq!(pair.refusals(), 0, "{}", pair.ads.tap());
    Ok(())
}

/// Its streams outlast a swap and the removal of what they run on.
async fn slow_engine() -> Result<Engine> {
    Engine::start().tokens(30).token_interval(Duration::from_millis(20)).spawn().await
}
