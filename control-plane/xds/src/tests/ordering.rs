//! Make before break.

use super::envoy::{BAD, Envoy, SETTINGS, body, snapshot, subscribe};
use crate::ResourceType::{Cluster, Endpoints, ExtensionConfig, Listener, Route};
use crate::{ResourceType, Snapshot};

/// An Envoy as it is after a start: everything subscribed and acknowledged.
fn started(snapshot: &Snapshot) -> Envoy {
    let mut envoy = Envoy::new();
    for kind in [Cluster, Listener] {
        envoy.send(&subscribe(kind, &[]), snapshot);
        envoy.settle(snapshot);
    }
    for kind in [Endpoints, Route, ExtensionConfig] {
        let wanted: Vec<&str> = snapshot.of(kind).all.keys().map(|name| &**name).collect();
        envoy.send(&subscribe(kind, &wanted), snapshot);
        envoy.settle(snapshot);
    }
    envoy
}

/// One pool: cluster and endpoints `pool`, everything else naming it.
fn pool(pool: &str) -> Snapshot {
    pool_with(pool, "1", pool)
}

fn pool_with(pool: &str, cluster: &str, users: &str) -> Snapshot {
    snapshot(&[
        (Cluster, pool, cluster),
        (Endpoints, pool, "1"),
        (Listener, "gateway", users),
        (Route, "gateway", users),
        (ExtensionConfig, "gateway", users),
    ])
}

fn kinds(envoy: &Envoy) -> Vec<ResourceType> {
    envoy.inbox.iter().map(|message| message.kind).collect()
}

#[test]
fn users_go_out_only_after_clusters_and_endpoints_are_acknowledged() {
    let mut envoy = started(&pool("old"));
    let new = pool("new");
    envoy.change(&new);
    assert_eq!(kinds(&envoy), [Cluster]);
    // Envoy asks for the endpoints and withholds the ACK of the cluster.
    envoy.send(&subscribe(Endpoints, &["new"]), &new);
    assert_eq!(kinds(&envoy), [Cluster, Endpoints]);
    assert_eq!(envoy.answer(1, &new), 0, "the cluster still warms");
    assert_eq!(envoy.answer(0, &new), 3);
    assert_eq!(kinds(&envoy), [Listener, Route, ExtensionConfig]);
}

#[test]
fn old_parts_go_after_all_users_are_acknowledged_and_the_grace_time_passed() {
    let mut envoy = started(&pool("old"));
    let new = pool("new");
    envoy.change(&new);
    envoy.send(&subscribe(Endpoints, &["new"]), &new);
    envoy.answer(1, &new);
    envoy.answer(0, &new);
    envoy.answer(0, &new);
    envoy.answer(0, &new);
    assert_eq!(envoy.session.next_deadline_ms(), None, "one user is not acknowledged yet");
    assert_eq!(envoy.pass(60_000, &new), 0);
    envoy.answer(0, &new);
    let due_ms = envoy.now_ms + SETTINGS.removal_grace_ms;
    assert_eq!(envoy.session.next_deadline_ms(), Some(due_ms));
    assert_eq!(envoy.pass(SETTINGS.removal_grace_ms - 1, &new), 0);
    assert_eq!(envoy.pass(1, &new), 2);
    assert_eq!(kinds(&envoy), [Cluster, Endpoints]);
    assert!(envoy.inbox.iter().all(|r| r.removed == ["old"]));
    envoy.settle(&new);
    assert_eq!(envoy.session.next_deadline_ms(), None);
}

#[test]
fn a_part_that_comes_back_within_the_grace_time_stays() {
    let mut envoy = started(&pool("old"));
    let none = snapshot(&[
        (Listener, "gateway", "old"),
        (Route, "gateway", "old"),
        (ExtensionConfig, "gateway", "old"),
    ]);
    assert_eq!(envoy.change(&none), 0);
    assert!(envoy.session.next_deadline_ms().is_some());
    assert_eq!(envoy.change(&pool("old")), 0);
    assert_eq!(envoy.pass(60_000, &pool("old")), 0);
}

#[test]
fn a_refused_user_keeps_the_old_parts_that_its_last_good_version_needs() {
    let mut envoy = started(&pool("old"));
    let bad = pool_with("new", "1", BAD);
    envoy.change(&bad);
    envoy.settle(&bad);
    assert_eq!(envoy.pass(600_000, &bad), 0);
    assert!(envoy.has.contains_key(&(Cluster, "old".into())));
}

#[test]
fn a_refused_cluster_does_not_block_what_does_not_depend_on_it() {
    let mut envoy = started(&pool_with("pool", "1", "old"));
    let bad = pool_with("pool", BAD, "new");
    envoy.change(&bad);
    assert_eq!(kinds(&envoy), [Cluster, Endpoints]);
    envoy.settle(&bad);
    assert_eq!(envoy.has[&(Route, "gateway".into())], "new");
    assert_eq!(envoy.has[&(Cluster, "pool".into())], "1", "the last good one stays");
}

#[test]
fn a_user_keeps_its_last_good_version_while_a_part_it_needs_was_never_accepted() {
    let with = |cluster: &str, users: &str| {
        let mut builder = Snapshot::builder();
        builder.put(Cluster, "new", &body("new", cluster));
        builder.put(ExtensionConfig, "gateway", &body("gateway", users));
        builder.put(Route, "gateway", &body("gateway", users));
        builder.needs((ExtensionConfig, "gateway"), (Cluster, "new")).build()
    };
    let mut envoy = started(&pool("old"));
    let bad = with(BAD, "new");
    envoy.change(&bad);
    envoy.settle(&bad);
    assert_eq!(envoy.has[&(ExtensionConfig, "gateway".into())], "old");
    assert_eq!(envoy.has[&(Route, "gateway".into())], "new", "needs nothing of it");
    assert_eq!(envoy.pass(600_000, &bad), 0, "the old pool is still in use");
    let mended = with("1", "new");
    envoy.change(&mended);
    envoy.settle(&mended);
    assert_eq!(envoy.has[&(ExtensionConfig, "gateway".into())], "new");
}

#[test]
fn a_fresh_envoy_gets_its_users_though_a_part_is_refused() {
    let mut builder = Snapshot::builder();
    builder.put(Cluster, "pool", &body("pool", BAD));
    builder.put(ExtensionConfig, "gateway", &body("gateway", "1"));
    let bad = builder.needs((ExtensionConfig, "gateway"), (Cluster, "pool")).build();
    assert_eq!(started(&bad).has[&(ExtensionConfig, "gateway".into())], "1");
}

#[test]
fn an_envoy_that_does_not_acknowledge_clusters_gets_users_when_patience_ends() {
    let mut envoy = started(&pool("old"));
    let new = pool("new");
    envoy.change(&new);
    let due_ms = envoy.now_ms + SETTINGS.patience_ms;
    assert_eq!(envoy.session.next_deadline_ms(), Some(due_ms));
    assert_eq!(envoy.pass(SETTINGS.patience_ms - 1, &new), 0);
    assert_eq!(envoy.pass(1, &new), 3);
}

#[test]
fn after_a_reconnect_during_warming_clusters_may_be_asked_for_last() {
    let all = pool("pool");
    let mut envoy = started(&all);
    envoy.reconnect(&[Endpoints, Listener, Route], &all);
    envoy.settle(&all);
    assert!(envoy.session.status()[&Listener].version.is_some());
    envoy.reconnect(&[Endpoints, Listener, Route, ExtensionConfig, Cluster], &all);
    envoy.settle(&all);
    assert!(envoy.session.converged(&all));
}

#[test]
fn an_extension_config_is_never_removed_whatever_disappears() {
    let mut envoy = started(&pool("old"));
    let none = snapshot(&[]);
    envoy.change(&none);
    envoy.settle(&none);
    envoy.pass(60_000, &none);
    envoy.settle(&none);
    let left: Vec<_> = envoy.has.keys().cloned().collect();
    assert_eq!(left, [(ExtensionConfig, "gateway".to_owned())]);
}

#[test]
fn deleted_while_disconnected_goes_after_the_reconnect() {
    let mut envoy = started(&pool("old"));
    let none = snapshot(&[(Listener, "gateway", "1")]);
    envoy.reconnect(&[Cluster, Endpoints, Listener, Route, ExtensionConfig], &none);
    assert!(envoy.inbox[0].names().is_empty());
    envoy.settle(&none);
    assert_eq!(envoy.pass(SETTINGS.removal_grace_ms, &none), 2);
    envoy.settle(&none);
    assert!(!envoy.has.contains_key(&(Cluster, "old".into())));
}

#[test]
fn a_request_for_an_orphan_is_answered() {
    let mut envoy = started(&pool("pool"));
    let mut contents = vec![(Endpoints, "orphan", "1")];
    contents.extend([
        (Cluster, "pool", "1"),
        (Endpoints, "pool", "1"),
        (Listener, "gateway", "pool"),
    ]);
    let orphan = snapshot(&contents);
    envoy.change(&orphan);
    envoy.settle(&orphan);
    assert_eq!(envoy.send(&subscribe(Endpoints, &["orphan"]), &orphan), 1);
    assert_eq!(envoy.inbox[0].names(), ["orphan"]);
}
