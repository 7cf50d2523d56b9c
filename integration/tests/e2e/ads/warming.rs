//! Clusters that wait for their endpoints, and what is served meanwhile.

use super::*;
use std::time::Duration;

in_both_protocols!(
    a_changed_cluster_is_warm_at_once_because_its_endpoints_follow,
    a_cluster_without_endpoints_holds_up_nothing,
    endpoints_that_are_deleted_stay_and_empty_ones_are_none,
    a_route_may_come_before_its_cluster,
);

/// Clusters of these tests wait for their endpoints without end, and Envoy does
/// not ask for those of a name that it had already.
async fn a_changed_cluster_is_warm_at_once_because_its_endpoints_follow(
    protocol: Protocol,
) -> Result<()> {
    let engine = engine().await?;
    let mut world = World::of("one", &engine);
    let pair = Pair::start(protocol, &world).await?;
    pair.ads.converged().await?;
    let load = pair.load().await?.clients(2).start();
    let before = pair.ads.lines().len();
    for connect_ms in [600, 700, 800] {
        world.pool("one").connect_ms = connect_ms;
        pair.ads.publish_and_wait(world.snapshot()).await?;
        pair.stat_is("cluster_manager.warming_clusters", 0).await?;
    }
    pair.stat_is("cluster_manager.cluster_modified", 3).await?;
    let told = |kind: ResourceType| {
        let lines = pair.ads.lines();
        let of_kind = move |line: &&tap::Line| {
            let told =
                matches!(&line.said, Said::Told { names, .. } if names.contains(&"one".into()));
            line.kind == Some(kind) && told
        };
        lines.iter().skip(before).filter(of_kind).count()
    };
    assert!(told(ResourceType::Cluster) >= 3, "{}", pair.ads.tap());
    assert!(told(ResourceType::Endpoints) >= 3, "{}", pair.ads.tap());
    assert_all_complete(&load.stop().await?);
    Ok(())
}

/// In delta the server says that there are none. State of the world has no word
/// for it: there it is Envoy's own patience that ends.
async fn a_cluster_without_endpoints_holds_up_nothing(protocol: Protocol) -> Result<()> {
    let (one, two) = (engine().await?, engine().await?);
    let mut world = World::of("one", &one);
    world.patience = (protocol == Protocol::Sotw).then_some(Duration::from_millis(500));
    world.add("two", &two);
    world.endpoints.remove("two");
    let pair = Pair::start(protocol, &world).await?;
    pair.answers("by one", |answered| answered.status == 200 && answered.cluster == "one").await?;
    world.add("two", &two);
    world.route = Some("two".to_owned());
    pair.ads.publish(world.snapshot());
    let host = two.address().to_string();
    pair.answers("by two", |answered| answered.status == 200 && answered.host == host).await?;
    Ok(())
}

async fn endpoints_that_are_deleted_stay_and_empty_ones_are_none(protocol: Protocol) -> Result<()> {
    let engine = engine().await?;
    let mut world = World::of("one", &engine);
    let pair = Pair::start(protocol, &world).await?;
    pair.ads.converged().await?;
    let addresses = world.endpoints.remove("one").unwrap_or_default();
    // The mark comes after whatever is said of the endpoints.
    world.mark = Some("deleted".to_owned());
    pair.ads.publish_and_wait(world.snapshot()).await?;
    let answered = pair.answers("marked", |answered| answered.mark == "deleted").await?;
    assert_eq!(answered.status, 200, "{}", pair.ads.tap());
    world.endpoints.insert("one".to_owned(), Vec::new());
    pair.ads.publish(world.snapshot());
    pair.answers("503", |answered| answered.status == 503).await?;
    world.endpoints.insert("one".to_owned(), addresses);
    pair.ads.publish(world.snapshot());
    pair.answers("200 again", |answered| answered.status == 200).await?;
    Ok(())
}

async fn a_route_may_come_before_its_cluster(protocol: Protocol) -> Result<()> {
    let (one, two) = (engine().await?, engine().await?);
    let mut world = World::of("one", &one);
    let pair = Pair::start(protocol, &world).await?;
    world.route = Some("two".to_owned());
    pair.ads.publish_and_wait(world.snapshot()).await?;
    pair.answers("503 of two", |answered| answered.status == 503 && answered.cluster == "two")
        .await?;
    assert_eq!(pair.refusals(), 0, "{}", pair.ads.tap());
    world.add("two", &two);
    pair.ads.publish_and_wait(world.snapshot()).await?;
    pair.answers("200 of two", |answered| answered.status == 200 && answered.cluster == "two")
        .await?;
    Ok(())
}
