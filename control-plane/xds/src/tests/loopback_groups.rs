//! Over loopback: the other protocol, groups of Envoys, and Envoys that behave
//! badly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use envoy_types::pb::google::rpc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use super::envoy::snapshot;
use super::loopback::{
    Client, SOON, Stream, client_of, first, names, node, serve, serve_from, shown,
};
use crate::ResourceType::{Cluster, Endpoints};
use crate::{Cache, Canary, Counts, Protocol, ResourceType, Rollout};

const TICK: Duration = Duration::from_millis(20);

/// One state-of-the-world stream.
struct Sotw {
    requests: mpsc::Sender<DiscoveryRequest>,
    responses: Streaming<DiscoveryResponse>,
}

impl Sotw {
    async fn open(mut client: Client, id: &str) -> Self {
        let (requests, outbound) = mpsc::channel(8);
        let stream = client.stream_aggregated_resources(ReceiverStream::new(outbound));
        let this = Self { requests, responses: stream.await.unwrap().into_inner() };
        let request = DiscoveryRequest { node: Some(node(id)), ..all_of(Cluster) };
        this.requests.send(request).await.unwrap();
        this
    }

    async fn next(&mut self) -> DiscoveryResponse {
        let message = tokio::time::timeout(SOON, self.responses.message());
        message.await.expect("a response comes soon").unwrap().expect("the stream goes on")
    }

    async fn answer(&self, response: &DiscoveryResponse, last_good: &str, error: Option<&str>) {
        let request = DiscoveryRequest {
            type_url: response.type_url.clone(),
            response_nonce: response.nonce.clone(),
            version_info: last_good.to_owned(),
            error_detail: error.map(|m| rpc::Status { message: m.into(), ..Default::default() }),
            ..Default::default()
        };
        self.requests.send(request).await.unwrap();
    }
}

fn all_of(kind: ResourceType) -> DiscoveryRequest {
    DiscoveryRequest { type_url: kind.type_url().to_owned(), ..Default::default() }
}

#[tokio::test]
async fn state_of_the_world_is_served_acknowledged_and_refused() {
    let (cache, registry, client) = serve().await;
    cache.publish(snapshot(&[(Cluster, "a", "1"), (Cluster, "b", "1")]));
    let mut envoy = Sotw::open(client, "envoy-1").await;
    let good = envoy.next().await;
    assert_eq!(good.resources.len(), 2);
    envoy.answer(&good, &good.version_info, None).await;
    let status = shown(&registry, "envoy-1", |s| s.converged_to.is_some()).await;
    assert_eq!(status.protocol, Protocol::Sotw);
    assert!(registry.converged("envoy-1"));
    cache.publish(snapshot(&[(Cluster, "a", "2"), (Cluster, "b", "1")]));
    let bad = envoy.next().await;
    assert_eq!(bad.resources.len(), 2, "a full state");
    assert_ne!(bad.version_info, good.version_info);
    envoy.answer(&bad, &good.version_info, Some("no such thing")).await;
    let status = shown(&registry, "envoy-1", |s| s.types[&Cluster].last_nack.is_some()).await;
    assert_eq!(status.types[&Cluster].refused["a"].error, "no such thing");
    assert_eq!(status.counts[&Cluster], Counts { responses: 2, acks: 1, nacks: 1 });
    cache.publish(snapshot(&[(Cluster, "a", "1"), (Cluster, "b", "2")]));
    let mended = envoy.next().await;
    envoy.answer(&mended, &mended.version_info, None).await;
    shown(&registry, "envoy-1", |_| registry.converged("envoy-1")).await;
}

#[tokio::test]
async fn an_envoy_that_never_reads_holds_up_nobody() {
    let (cache, registry, client) = serve().await;
    // 6 MB: far more than a connection takes before it is read.
    let wide = |content: &str| {
        let names: Vec<String> = (0..100).map(|i| format!("c{i:03}")).collect();
        let content = format!("{content:0>60000}");
        let all = names.iter().map(|name| (Cluster, name.as_str(), content.as_str()));
        snapshot(&all.collect::<Vec<_>>())
    };
    cache.publish(wide("0"));
    let stuck = Stream::open(client_of(&cache, &registry).await).await;
    stuck.send(first("stuck")).await;
    let mut quick = Stream::open(client).await;
    quick.send(first("quick")).await;
    for content in ["1", "2", "3"] {
        cache.publish(wide(content));
        while !registry.converged("quick") {
            if let Ok(message) = tokio::time::timeout(TICK, quick.responses.message()).await {
                quick.answer(&message.unwrap().unwrap(), None).await;
            }
        }
    }
    let status = shown(&registry, "stuck", |_| true).await;
    assert!(status.types[&Cluster].in_flight);
    assert_eq!(status.counts[&Cluster].responses, 1, "nothing piles up behind it");
}

#[tokio::test]
async fn a_canary_has_a_change_before_the_others_and_its_refusal_stops_it() {
    let nodes = Arc::new(|id: &str| id.starts_with("canary-"));
    let cache = Cache::new().with_canary(Canary { nodes, soak_ms: 100 });
    let (cache, registry, client) = serve_from(cache).await;
    cache.publish(snapshot(&[(Cluster, "a", "1")]));
    let mut canary = Stream::open(client.clone()).await;
    let mut other = Stream::open(client).await;
    for (stream, id) in [(&mut canary, "canary-1"), (&mut other, "envoy-1")] {
        stream.send(first(id)).await;
        let response = stream.next().await;
        stream.answer(&response, None).await;
        shown(&registry, id, |_| registry.converged(id)).await;
    }
    assert!(shown(&registry, "canary-1", |_| true).await.canary);

    cache.publish(snapshot(&[(Cluster, "a", "2")]));
    let response = canary.next().await;
    assert!(matches!(cache.rollout(), Rollout::Soaking { until_ms: None, .. }));
    canary.answer(&response, None).await;
    let response = other.next().await;
    assert_eq!(cache.rollout(), Rollout::Idle { untried: false });
    other.answer(&response, None).await;

    cache.publish(snapshot(&[(Cluster, "a", "3")]));
    let response = canary.next().await;
    canary.answer(&response, Some("no such thing")).await;
    shown(&registry, "canary-1", |s| s.types[&Cluster].last_nack.is_some()).await;
    let silent = tokio::time::timeout(Duration::from_millis(300), other.responses.message()).await;
    assert!(silent.is_err());
    assert!(matches!(cache.rollout(), Rollout::Stopped { node, .. } if node == "canary-1"));
}

#[tokio::test]
async fn an_envoy_waits_until_its_variant_is_published() {
    let cache = Cache::new().with_variants(|node| node.cluster.clone());
    let (cache, registry, client) = serve_from(cache).await;
    let mut wanted = cache.wanted_variants();
    cache.publish(snapshot(&[(Cluster, "for the nameless", "1")]));
    let mut stream = Stream::open(client).await;
    stream.send(first("envoy-1")).await;
    let variant = "gateways".to_owned();
    let asked = tokio::time::timeout(SOON, wanted.wait_for(|all| all.contains(&variant))).await;
    drop(asked.unwrap().unwrap());
    cache.publish_all(BTreeMap::from([
        (String::new(), snapshot(&[(Cluster, "a", "1")])),
        (variant.clone(), snapshot(&[(Cluster, "b", "1")])),
    ]));
    let response = stream.next().await;
    assert_eq!(names(&response), ["b"]);
    stream.answer(&response, None).await;
    let status = shown(&registry, "envoy-1", |_| registry.converged("envoy-1")).await;
    assert_eq!(status.variant, variant);
}

#[tokio::test]
async fn a_stream_that_wants_more_than_may_be_is_ended() {
    let (cache, registry, client) = serve().await;
    cache.publish(snapshot(&[]));
    let mut many = first("many names");
    many.type_url = Endpoints.type_url().to_owned();
    many.resource_names_subscribe = (0..100_001).map(|i| format!("{i}")).collect();
    let mut long = first("a long name");
    long.resource_names_subscribe = vec!["x".repeat(1_025)];
    let mut large = first("a large request");
    large.resource_names_subscribe = vec!["x".repeat(9 << 20)];
    for request in [many, long, large] {
        let mut stream = Stream::open(client.clone()).await;
        stream.send(request).await;
        let end = tokio::time::timeout(SOON, stream.responses.message()).await.unwrap();
        assert_eq!(end.unwrap_err().code(), Code::ResourceExhausted);
    }
    for id in ["many names", "a long name"] {
        shown(&registry, id, |s| s.disconnected_at_ms.is_some()).await;
    }
}

#[tokio::test]
async fn two_envoys_with_one_node_id_are_flagged() {
    let (cache, registry, client) = serve().await;
    cache.publish(snapshot(&[]));
    let one = Stream::open(client.clone()).await;
    one.send(first("envoy-1")).await;
    assert!(!shown(&registry, "envoy-1", |_| true).await.duplicate);
    let two = Stream::open(client).await;
    two.send(first("envoy-1")).await;
    shown(&registry, "envoy-1", |s| s.duplicate).await;
    drop(one);
    shown(&registry, "envoy-1", |s| !s.duplicate && s.disconnected_at_ms.is_none()).await;
    drop(two);
}
