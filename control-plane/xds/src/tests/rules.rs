//! What the tables cannot say: loops over types, figures and states.

use std::sync::Arc;

use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};

use super::envoy::{Envoy, SETTINGS, body, snapshot, subscribe, unsubscribe};
use crate::ResourceType::{Cluster, Endpoints, ExtensionConfig, Listener, Route, Secret};
use crate::{Protocol, ResourceType, Snapshot, delta, sotw};

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
fn a_name_resubscribed_while_its_response_is_in_flight_is_resent_after_the_ack() {
    let all = snapshot(&[(Secret, "a", "1")]);
    let mut envoy = Envoy::new();
    envoy.send(&subscribe(Secret, &["a"]), &all);
    assert_eq!(envoy.send(&unsubscribe(Secret, &["a"]), &all), 0);
    assert_eq!(envoy.send(&subscribe(Secret, &["a"]), &all), 0);
    assert_eq!(envoy.answer(0, &all), 1);
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
fn a_nonce_counts_responses_of_the_stream() {
    let all = snapshot(&[(Cluster, "a", "1"), (Endpoints, "a", "1")]);
    let mut envoy = Envoy::new();
    envoy.send(&subscribe(Cluster, &[]), &all);
    envoy.send(&subscribe(Endpoints, &["a"]), &all);
    assert_eq!((envoy.inbox[0].nonce.as_str(), envoy.inbox[1].nonce.as_str()), ("1", "2"));
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

/// Envoy takes what is good in a response that it refuses. If the next version of that is refused
/// and the third is that there is none, what it took has to be taken away, though it never said
/// that it has it.
#[test]
fn what_envoy_took_of_a_refused_response_is_taken_away_when_it_is_gone() {
    let mut envoy = Envoy::new();
    let first = snapshot(&[(Cluster, "a", "bad"), (Cluster, "d", "1")]);
    envoy.send(&subscribe(Cluster, &[]), &first);
    envoy.answer(0, &first);
    assert!(envoy.has.contains_key(&(Cluster, "d".to_owned())), "taken, and refused with the rest");
    let second = snapshot(&[(Cluster, "a", "bad"), (Cluster, "d", "bad")]);
    envoy.change(&second);
    envoy.settle(&second);
    let third = snapshot(&[(Cluster, "a", "bad")]);
    envoy.change(&third);
    envoy.settle(&third);
    envoy.pass(SETTINGS.removal_grace_ms, &third);
    envoy.settle(&third);
    assert!(envoy.has.is_empty(), "{:?}", envoy.has);
    assert_eq!(envoy.session.next_deadline_ms(), None);
}

#[test]
fn endpoints_with_a_name_of_their_own_follow_their_cluster() {
    let with = |content: &str| {
        let mut builder = Snapshot::builder();
        builder.put(Cluster, "a", &body("a", content)).put(
            Endpoints,
            "service",
            &body("service", "1"),
        );
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

#[test]
fn seen_with_2000_clusters_one_changed_endpoint_is_one_resource() {
    let names: Vec<String> = (0..2_000).map(|i| format!("c{i:04}")).collect();
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let all = |changed: &'static str| {
        let content = |name: &str| if name == "c1234" { changed } else { "1" };
        let all: Vec<_> = wanted.iter().map(|name| (Endpoints, *name, content(name))).collect();
        snapshot(&all)
    };
    for protocol in [Protocol::Delta, Protocol::Sotw] {
        let mut envoy = Envoy::of(protocol);
        envoy.send(&subscribe(Endpoints, &wanted), &all("1"));
        envoy.settle(&all("1"));
        assert_eq!(envoy.change(&all("2")), 1);
        assert_eq!(envoy.inbox[0].names(), ["c1234"]);
    }
}

#[test]
fn a_large_set_goes_out_in_parts_of_about_32_kib() {
    let content = "1".repeat(15_000);
    let names: Vec<String> = (0..10).map(|i| format!("c{i}")).collect();
    let all: Vec<_> = names.iter().map(|name| (Cluster, name.as_str(), &*content)).collect();
    let all = snapshot(&all);
    let mut envoy = Envoy::new();
    envoy.send(&subscribe(Cluster, &[]), &all);
    assert_eq!(envoy.inbox[0].names(), ["c0", "c1", "c2"]);
    envoy.settle(&all);
    assert!(envoy.session.converged(&all));
}

#[test]
fn sessions_share_what_they_remember_with_the_snapshot() {
    let all = snapshot(&[(Endpoints, "a", "1")]);
    let resource = all.get(Endpoints, "a").unwrap();
    let before = (Arc::strong_count(resource), Arc::strong_count(&resource.name));
    let envoy = settled(Endpoints, &["a"], &all);
    let after = (Arc::strong_count(resource), Arc::strong_count(&resource.name));
    assert_eq!(after, (before.0 + 1, before.1 + 1), "one pointer each");
    drop(envoy);
    assert_eq!(Arc::strong_count(resource), before.0);
}
