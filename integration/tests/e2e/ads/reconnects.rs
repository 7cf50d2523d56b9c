//! Streams that end, servers that die, and an Envoy that goes on meanwhile.

use super::*;

in_both_protocols!(
    a_reconnect_declares_what_is_there_and_changes_nothing,
    what_was_removed_meanwhile_goes_with_the_reconnect,
    what_was_refused_is_not_declared,
    without_a_server_traffic_goes_on,
    a_cluster_that_warms_is_finished_after_a_reconnect,
    a_server_that_dies_while_a_cluster_warms_is_followed_by_one_that_ends_it,
);

async fn a_reconnect_declares_what_is_there_and_changes_nothing(protocol: Protocol) -> Result<()> {
    let engine = engine().await?;
    let world = World::of("one", &engine);
    let pair = Pair::start(protocol, &world).await?;
    pair.ads.converged().await?;
    let load = pair.load().await?.clients(2).start();
    pair.ads.tap().cut();
    pair.reconnected().await?;
    pair.ads.converged().await?;
    assert_all_complete(&load.stop().await?);
    for kind in [
        ResourceType::Cluster,
        ResourceType::Endpoints,
        ResourceType::Listener,
        ResourceType::Route,
    ] {
        let (has, nonce) = first_of_second_stream(&pair, kind).await;
        assert!(nonce.is_empty(), "{kind:?}: {}", pair.ads.tap());
        assert_eq!(has.len(), 1, "{kind:?}: {}", pair.ads.tap());
    }
    for unchanged in ["cluster_manager.cluster_modified", "listener_manager.listener_modified"] {
        assert_eq!(pair.envoy.stat(unchanged).await?, 0, "{unchanged}");
    }
    if pair.protocol == Protocol::Delta {
        let resent = |line: &&tap::Line| {
            let all = matches!(line.kind, Some(ResourceType::Cluster | ResourceType::Listener));
            line.stream > 1
                && all
                && matches!(&line.said, Said::Told { names, .. } if !names.is_empty())
        };
        assert_eq!(pair.ads.lines().iter().find(resent), None, "{}", pair.ads.tap());
    }
    Ok(())
}

/// What Envoy said when it first asked for the type on its second stream.
async fn first_of_second_stream(pair: &Pair, kind: ResourceType) -> (Vec<String>, String) {
    let first = || pair.lines_of(2).find(|line| line.kind == Some(kind)).map(|line| line.said);
    assert!(wait_until(async || first().is_some(), SOON).await, "{kind:?}\n{}", pair.ads.tap());
    match first() {
        Some(Said::Asked { has, nonce, .. }) => (has, nonce),
        other => panic!("{kind:?}: {other:?}\n{}", pair.ads.tap()),
    }
}

async fn what_was_removed_meanwhile_goes_with_the_reconnect(protocol: Protocol) -> Result<()> {
    let (one, two) = (engine().await?, engine().await?);
    let mut world = World::of("one", &one);
    world.add("two", &two);
    let mut pair = Pair::start(protocol, &world).await?;
    pair.ads.converged().await?;
    world.pools.remove("two");
    world.endpoints.remove("two");
    pair.ads.start_again(world.snapshot()).await?;
    // The cluster of the control plane itself, and one.
    pair.stat_is("cluster_manager.active_clusters", 2).await?;
    pair.ads.converged().await?;
    pair.answers("by one", |answered| answered.status == 200 && answered.cluster == "one").await?;
    Ok(())
}

async fn what_was_refused_is_not_declared(protocol: Protocol) -> Result<()> {
    let (one, two) = (engine().await?, engine().await?);
    let mut world = World::of("one", &one);
    world.add("bad", &two);
    world.pool("bad").connect_ms = 0;
    let pair = Pair::start(protocol, &world).await?;
    let refused = async || pair.refused("bad").is_some();
    assert!(wait_until(refused, SOON).await, "{}", pair.ads.tap());
    pair.answers("by one", |answered| answered.status == 200).await?;
    pair.ads.tap().cut();
    pair.reconnected().await?;
    let refused_anew = async || pair.lines_of(2).any(|line| is_refusal(&line.said));
    assert!(wait_until(refused_anew, SOON).await, "{}", pair.ads.tap());
    let (has, nonce) = first_of_second_stream(&pair, ResourceType::Cluster).await;
    assert!(nonce.is_empty() && has.len() == 1, "{has:?}: {}", pair.ads.tap());
    assert!(protocol == Protocol::Sotw || has[0].starts_with("one="), "{has:?}");
    // The new stream learns the same, and mends it.
    assert!(wait_until(refused, SOON).await, "{}", pair.ads.tap());
    world.pool("bad").connect_ms = 500;
    world.route = Some("bad".to_owned());
    pair.ads.publish_and_wait(world.snapshot()).await?;
    pair.answers("by bad", |it| it.status == 200 && it.cluster == "bad").await?;
    Ok(())
}

async fn without_a_server_traffic_goes_on(protocol: Protocol) -> Result<()> {
    let (one, two) = (engine().await?, engine().await?);
    let mut world = World::of("one", &one);
    let mut pair = Pair::start(protocol, &world).await?;
    let load = pair.load().await?.clients(4).start();
    pair.ads.die();
    pair.stat_is("control_plane.connected_state", 0).await?;
    let (load_alone, sent) = (pair.load().await?, load.sent());
    assert_all_complete(&load_alone.clients(2).count(100).await?);
    assert!(load.sent() > sent);
    world.add("two", &two);
    world.route = Some("two".to_owned());
    pair.ads.start_again(world.snapshot()).await?;
    pair.answers("by two", |answered| answered.status == 200 && answered.cluster == "two").await?;
    assert_all_complete(&load.stop().await?);
    Ok(())
}

async fn a_cluster_that_warms_is_finished_after_a_reconnect(protocol: Protocol) -> Result<()> {
    let (pair, engine) = warming(protocol).await?;
    pair.ads.tap().lose_nothing();
    pair.ads.tap().cut();
    pair.reconnected().await?;
    warms(&pair).await?;
    drop(engine);
    // Envoy asks for clusters last: it is not done with the ones that it has.
    first_of_second_stream(&pair, ResourceType::Cluster).await;
    let lines = pair.ads.lines();
    let first = |kind| lines.iter().position(|line| line.stream == 2 && line.kind == Some(kind));
    let (endpoints, clusters) = (first(ResourceType::Endpoints), first(ResourceType::Cluster));
    assert!(endpoints.is_some() && endpoints < clusters, "{}", pair.ads.tap());
    Ok(())
}

async fn a_server_that_dies_while_a_cluster_warms_is_followed_by_one_that_ends_it(
    protocol: Protocol,
) -> Result<()> {
    let (mut pair, engine) = warming(protocol).await?;
    let mut world = World::of("one", &engine);
    world.pool("one").connect_ms = 700;
    pair.ads.start_again(world.snapshot()).await?;
    warms(&pair).await
}

/// Clusters that were changed and do not get their endpoints serve on as they were.
async fn warming(protocol: Protocol) -> Result<(Pair, Engine)> {
    let engine = engine().await?;
    let mut world = World::of("one", &engine);
    let pair = Pair::start(protocol, &world).await?;
    pair.ads.converged().await?;
    pair.ads.tap().lose(ResourceType::Endpoints);
    world.pool("one").connect_ms = 600;
    pair.ads.publish(world.snapshot());
    pair.stat_is("cluster_manager.warming_clusters", 1).await?;
    assert_all_complete(&pair.load().await?.count(20).await?);
    Ok((pair, engine))
}

async fn warms(pair: &Pair) -> Result<()> {
    pair.stat_is("cluster_manager.warming_clusters", 0).await?;
    pair.ads.converged().await?;
    assert_all_complete(&pair.load().await?.count(20).await?);
    Ok(())
}
