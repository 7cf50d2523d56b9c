//! One test for each rule of the protocol, named after it.

use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};

use super::envoy::{Envoy, body, snapshot, subscribe, unsubscribe};
use crate::ResourceType::{Cluster, Endpoints, ExtensionConfig, Listener, Route, Secret};
use crate::{ResourceType, Snapshot, delta, sotw};

/// An Envoy that subscribed to `kind` and answered everything.
fn settled(kind: ResourceType, wanted: &[&str], snapshot: &Snapshot) -> Envoy {
    let mut envoy = Envoy::new();
    envoy.send(&subscribe(kind, wanted), snapshot);
    envoy.settle(snapshot);
    envoy
}

#[test]
fn a_first_request_without_names_is_the_legacy_wildcard_of_cds_and_lds_alone() {
    for (kind, expected) in
        [(Cluster, 1), (Listener, 1), (Endpoints, 0), (Route, 0), (ExtensionConfig, 0), (Secret, 0)]
    {
        let snapshot = snapshot(&[(kind, "a", "1")]);
        let sent = Envoy::new().send(&subscribe(kind, &[]), &snapshot);
        assert_eq!(sent, expected, "{kind:?}");
    }
}

#[test]
fn a_first_wildcard_request_is_answered_even_when_empty_and_once() {
    for wanted in [&[][..], &["*"]] {
        let empty = snapshot(&[]);
        let mut envoy = Envoy::new();
        assert_eq!(envoy.send(&subscribe(Cluster, wanted), &empty), 1);
        assert!(envoy.inbox[0].resources.is_empty());
        assert_eq!(envoy.answer(0, &empty), 0);
        assert_eq!(envoy.change(&empty), 0);
    }
}

#[test]
fn the_star_can_be_added_and_removed_and_mixed_with_names() {
    let all = snapshot(&[(Endpoints, "a", "1"), (Endpoints, "b", "1")]);
    let mut envoy = settled(Endpoints, &["a"], &all);
    assert_eq!(envoy.has.len(), 1);
    assert_eq!(envoy.send(&subscribe(Endpoints, &["*"]), &all), 1);
    assert_eq!(envoy.inbox[0].names(), ["b"]);
    envoy.settle(&all);
    assert_eq!(envoy.send(&unsubscribe(Endpoints, &["*"]), &all), 0);
    let changed = snapshot(&[(Endpoints, "a", "2"), (Endpoints, "b", "2")]);
    assert_eq!(envoy.change(&changed), 1);
    assert_eq!(envoy.inbox[0].names(), ["a"]);
}

#[test]
fn a_name_unsubscribed_under_the_wildcard_is_told_again() {
    let all = snapshot(&[(Endpoints, "a", "1")]);
    let mut envoy = settled(Endpoints, &["*", "a"], &all);
    assert_eq!(envoy.send(&unsubscribe(Endpoints, &["a"]), &all), 1);
    assert_eq!(envoy.inbox[0].names(), ["a"]);
}

#[test]
fn an_unsubscribed_name_is_sent_no_more_and_resubscribed_it_is_resent() {
    let all = snapshot(&[(Endpoints, "a", "1")]);
    let mut envoy = settled(Endpoints, &["a"], &all);
    assert_eq!(envoy.send(&unsubscribe(Endpoints, &["a"]), &all), 0);
    assert_eq!(envoy.change(&snapshot(&[(Endpoints, "a", "2")])), 0);
    assert_eq!(envoy.send(&subscribe(Endpoints, &["a"]), &all), 1);
    assert_eq!(envoy.inbox[0].names(), ["a"]);
}

#[test]
fn a_name_resubscribed_while_its_response_is_in_flight_is_resent_after_the_ack() {
    let all = snapshot(&[(Secret, "a", "1")]);
    let mut envoy = Envoy::new();
    envoy.send(&subscribe(Secret, &["a"]), &all);
    assert_eq!(envoy.send(&unsubscribe(Secret, &["a"]), &all), 0);
    assert_eq!(envoy.send(&subscribe(Secret, &["a"]), &all), 0);
    assert_eq!(envoy.answer(0, &all), 1);
}

#[test]
fn a_name_asked_for_is_answered_though_its_version_is_known() {
    let all = snapshot(&[(Route, "a", "1")]);
    let mut request = subscribe(Route, &["a"]);
    let version = all.get(Route, "a").unwrap().version.to_string();
    request.declared.insert("a".into(), version);
    let mut envoy = Envoy::new();
    assert_eq!(envoy.send(&request, &all), 1);
    assert_eq!(envoy.inbox[0].names(), ["a"]);
    envoy.settle(&all);
    assert_eq!(envoy.send(&subscribe(Route, &["a"]), &all), 1);
}

#[test]
fn an_unknown_name_is_answered_as_removed_and_its_subscription_remembered() {
    for kind in [Cluster, Endpoints, Listener, Route, Secret] {
        let mut envoy = Envoy::new();
        assert_eq!(envoy.send(&subscribe(kind, &["late"]), &snapshot(&[])), 1, "{kind:?}");
        assert_eq!(envoy.inbox[0].removed, ["late"]);
        envoy.settle(&snapshot(&[]));
        assert_eq!(envoy.change(&snapshot(&[(kind, "late", "1")])), 1, "{kind:?}");
    }
}

#[test]
fn an_unknown_extension_config_is_answered_without_removing_it() {
    let mut envoy = Envoy::new();
    assert_eq!(envoy.send(&subscribe(ExtensionConfig, &["late"]), &snapshot(&[])), 1);
    assert!(envoy.inbox[0].removed.is_empty());
    envoy.settle(&snapshot(&[]));
    assert_eq!(envoy.change(&snapshot(&[(ExtensionConfig, "late", "1")])), 1);
}

#[test]
fn initial_versions_of_a_wildcard_skip_what_is_known_and_show_what_is_gone() {
    let before = snapshot(&[(Listener, "same", "1"), (Listener, "old", "1"), (Listener, "x", "1")]);
    let after = snapshot(&[(Listener, "same", "1"), (Listener, "old", "2")]);
    let mut envoy = settled(Listener, &[], &before);
    envoy.reconnect(&[Listener], &after);
    assert_eq!(envoy.inbox[0].names(), ["old"]);
    assert_eq!(envoy.inbox[0].removed, ["x"]);
}

#[test]
fn a_nonce_counts_responses_of_the_stream() {
    let all = snapshot(&[(Cluster, "a", "1"), (Endpoints, "a", "1")]);
    let mut envoy = Envoy::new();
    envoy.send(&subscribe(Cluster, &[]), &all);
    envoy.send(&subscribe(Endpoints, &["a"]), &all);
    assert_eq!((envoy.inbox[0].nonce.as_str(), envoy.inbox[1].nonce.as_str()), ("1", "2"));
}

#[test]
fn a_stale_nonce_settles_nothing_but_its_subscription_changes_count() {
    let all = snapshot(&[(Endpoints, "a", "1"), (Endpoints, "b", "1")]);
    let mut envoy = Envoy::new();
    envoy.send(&subscribe(Endpoints, &["a"]), &all);
    let mut stale = subscribe(Endpoints, &["b"]);
    stale.nonce = Some("999".into());
    assert_eq!(envoy.send(&stale, &all), 0, "the first response is still in flight");
    assert_eq!(envoy.answer(0, &all), 1);
    assert_eq!(envoy.inbox[0].names(), ["b"]);
}

#[test]
fn at_most_one_response_of_a_type_is_in_flight_and_the_next_has_the_latest() {
    let mut envoy = Envoy::new();
    envoy.send(&subscribe(Cluster, &[]), &snapshot(&[(Cluster, "a", "1")]));
    assert_eq!(envoy.change(&snapshot(&[(Cluster, "a", "2")])), 0);
    let latest = snapshot(&[(Cluster, "a", "3")]);
    assert_eq!(envoy.change(&latest), 0);
    assert_eq!(envoy.answer(0, &latest), 1);
    assert_eq!(envoy.inbox[0].resources[0].1, latest.get(Cluster, "a").unwrap().version.to_string());
}

#[test]
fn nothing_is_sent_when_nothing_changed() {
    let all = snapshot(&[(Cluster, "a", "1")]);
    let mut envoy = settled(Cluster, &[], &all);
    assert_eq!(envoy.change(&snapshot(&[(Cluster, "a", "1")])), 0);
    assert_eq!(envoy.pass(60_000, &all), 0);
    assert_eq!(envoy.session.next_deadline_ms(), None);
}

#[test]
fn a_refused_resource_is_noted_and_not_resent_until_its_bytes_change() {
    let good = snapshot(&[(Route, "a", "1")]);
    let bad = snapshot(&[(Route, "a", "bad"), (Cluster, "other", "1")]);
    let mut envoy = settled(Route, &["a"], &good);
    envoy.change(&bad);
    assert_eq!(envoy.answer(0, &bad), 0);
    assert_eq!(envoy.change(&bad), 0);
    let status = envoy.session.status()[&Route].clone();
    let version = bad.get(Route, "a").unwrap().version.to_string();
    assert_eq!(status.refused["a"].resources["a"], version);
    assert_eq!(status.refused["a"].error, "made-up refusal");
    assert!(!envoy.session.converged(&bad));
    let mended = snapshot(&[(Route, "a", "2")]);
    assert_eq!(envoy.change(&mended), 1);
    envoy.settle(&mended);
    assert!(envoy.session.converged(&mended));
    assert!(envoy.session.status()[&Route].refused.is_empty());
    assert!(envoy.session.status()[&Route].last_nack.is_some());
}

#[test]
fn back_to_the_last_good_version_after_a_refusal_sends_nothing() {
    let good = snapshot(&[(Route, "a", "1")]);
    let mut envoy = settled(Route, &["a"], &good);
    let bad = snapshot(&[(Route, "a", "bad")]);
    envoy.change(&bad);
    envoy.settle(&bad);
    assert_eq!(envoy.change(&good), 0);
    assert!(envoy.session.status()[&Route].refused.is_empty());
}

#[test]
fn a_refused_response_is_halved_until_the_bad_resource_is_alone() {
    let wanted: Vec<String> = (0..64).map(|i| format!("c{i:02}")).collect();
    let content = |i| if i == 37 { "bad" } else { "1" };
    let contents: Vec<_> =
        wanted.iter().enumerate().map(|(i, n)| (Cluster, n.as_str(), content(i))).collect();
    let all = snapshot(&contents);
    let mut envoy = Envoy::new();
    envoy.send(&subscribe(Cluster, &[]), &all);
    envoy.settle(&all);
    let status = envoy.session.status()[&Cluster].clone();
    assert_eq!(status.refused.keys().collect::<Vec<_>>(), ["c37"]);
    assert_eq!(status.acked, 63);
    assert_eq!(envoy.session.take_nacks().len(), 7, "log2(64) halvings and the last one");
}

#[test]
fn the_endpoints_of_a_changed_cluster_follow_in_the_same_batch() {
    let before = snapshot(&[(Cluster, "a", "1"), (Endpoints, "a", "1"), (Endpoints, "b", "1")]);
    let after = snapshot(&[(Cluster, "a", "2"), (Endpoints, "a", "1"), (Endpoints, "b", "1")]);
    let mut envoy = settled(Cluster, &[], &before);
    envoy.send(&subscribe(Endpoints, &["a", "b"]), &before);
    envoy.settle(&before);
    assert_eq!(envoy.change(&after), 2);
    assert_eq!(envoy.inbox[0].names(), ["a"]);
    assert_eq!(envoy.inbox[1].kind, Endpoints);
    assert_eq!(envoy.inbox[1].names(), ["a"]);
}

#[test]
fn endpoints_with_a_name_of_their_own_follow_their_cluster() {
    let with = |content: &str| {
        let mut builder = Snapshot::builder();
        builder.put(Cluster, "a", &body("a", content)).put(Endpoints, "service", &body("service", "1"));
        builder.endpoints_of("a", "service").build()
    };
    let before = with("1");
    let mut envoy = settled(Cluster, &[], &before);
    envoy.send(&subscribe(Endpoints, &["service"]), &before);
    envoy.settle(&before);
    assert_eq!(envoy.change(&with("2")), 2);
    assert_eq!(envoy.inbox[1].names(), ["service"]);
}

#[test]
fn a_type_that_is_not_served_is_passed_over() {
    let type_url = "type.googleapis.com/envoy.service.runtime.v3.Runtime".to_owned();
    let request = DeltaDiscoveryRequest { type_url: type_url.clone(), ..Default::default() };
    assert!(delta::ask(request).is_none());
    assert!(sotw::ask(DiscoveryRequest { type_url, ..Default::default() }).is_none());
}
