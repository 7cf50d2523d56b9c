//! What Envoy refuses, and what it must not be asked to do without.

use super::*;

in_both_protocols!(
    a_bad_cluster_is_refused_in_envoys_words_and_the_last_good_one_serves,
    a_filter_is_never_taken_away,
);

async fn a_bad_cluster_is_refused_in_envoys_words_and_the_last_good_one_serves(
    protocol: Protocol,
) -> Result<()> {
    let (one, two) = (engine().await?, engine().await?);
    let mut world = World::of("one", &one);
    let pair = Pair::start(protocol, &world).await?;
    let load = pair.load().await?.clients(2).start();
    world.pool("one").connect_ms = 0;
    world.add("two", &two);
    pair.ads.publish(world.snapshot());
    let refused = || pair.refused("one");
    assert!(wait_until(async || refused().is_some(), SOON).await, "{}", pair.ads.tap());
    let words = refused().unwrap_or_default();
    assert!(words.contains("onnect") && words.contains("imeout"), "{words}");
    // The good one of the same batch got through, and later changes do as well,
    // without the bad one being tried again.
    world.route = Some("two".to_owned());
    pair.ads.publish(world.snapshot());
    pair.answers("by two", |answered| answered.status == 200 && answered.cluster == "two").await?;
    let refusals = pair.refusals();
    world.route = Some("one".to_owned());
    world.pool("two").connect_ms = 600;
    pair.ads.publish(world.snapshot());
    pair.answers("by one", |answered| answered.status == 200 && answered.cluster == "one").await?;
    pair.stat_is("cluster_manager.cluster_modified", 1).await?;
    assert_eq!(pair.refusals(), refusals, "refused again: {}", pair.ads.tap());
    world.pool("one").connect_ms = 700;
    pair.ads.publish_and_wait(world.snapshot()).await?;
    assert_eq!(refused(), None);
    assert_all_complete(&load.stop().await?);
    Ok(())
}

/// Envoy answers 500 on every listener that names a filter that was deleted.
async fn a_filter_is_never_taken_away(protocol: Protocol) -> Result<()> {
    let (one, two) = (engine().await?, engine().await?);
    let mut world = World::of("one", &one);
    world.add("two", &two);
    let pair = Pair::start(protocol, &world).await?;
    pair.answers("marked", |answered| answered.mark == "first").await?;
    world.mark = None;
    world.route = Some("two".to_owned());
    pair.ads.publish(world.snapshot());
    let by_two = pair.answers("by two", |answered| answered.cluster == "two").await?;
    assert_eq!((by_two.status, by_two.mark.as_str()), (200, "first"), "{}", pair.ads.tap());
    world.mark = Some("second".to_owned());
    pair.ads.publish_and_wait(world.snapshot()).await?;
    pair.answers("marked anew", |answered| answered.mark == "second").await?;
    Ok(())
}
