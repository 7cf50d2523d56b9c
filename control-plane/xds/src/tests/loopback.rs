//! A real gRPC client against the real service, over loopback.

use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::node::UserAgentVersionType;
use envoy_types::pb::envoy::config::core::v3::{BuildVersion, Node};
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse,
};
use envoy_types::pb::envoy::r#type::v3::SemanticVersion;
use envoy_types::pb::google::rpc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::Streaming;
use tonic::transport::Channel;

use super::envoy::snapshot;
use crate::ResourceType;
use crate::ResourceType::{Cluster, Listener};
use crate::{Cache, EnvoyStatus, Registry, Server};

pub const SOON: Duration = Duration::from_secs(10);

pub type Client = AggregatedDiscoveryServiceClient<Channel>;

pub fn subscribe(kind: ResourceType) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest { type_url: kind.type_url().to_owned(), ..Default::default() }
}

pub fn names(response: &DeltaDiscoveryResponse) -> Vec<&str> {
    response.resources.iter().map(|r| r.name.as_str()).collect()
}

pub async fn serve() -> (Cache, Registry, Client) {
    serve_from(Cache::new()).await
}

pub async fn serve_from(cache: Cache) -> (Cache, Registry, Client) {
    let registry = Registry::new(&cache);
    let client = client_of(&cache, &registry).await;
    (cache, registry, client)
}

/// Another client, with a connection of its own.
pub async fn client_of(cache: &Cache, registry: &Registry) -> Client {
    let service = Server::new(cache.clone(), registry.clone()).into_service();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    Client::connect(format!("http://{address}")).await.unwrap()
}

/// One stream of one client.
pub struct Stream {
    pub requests: mpsc::Sender<DeltaDiscoveryRequest>,
    pub responses: Streaming<DeltaDiscoveryResponse>,
}

impl Stream {
    pub async fn open(mut client: Client) -> Self {
        let (requests, outbound) = mpsc::channel(8);
        let stream = client.delta_aggregated_resources(ReceiverStream::new(outbound));
        Self { requests, responses: stream.await.unwrap().into_inner() }
    }

    pub async fn send(&self, request: DeltaDiscoveryRequest) {
        self.requests.send(request).await.unwrap();
    }

    pub async fn next(&mut self) -> DeltaDiscoveryResponse {
        let message = tokio::time::timeout(SOON, self.responses.message());
        message.await.expect("a response comes soon").unwrap().expect("the stream goes on")
    }

    pub async fn answer(&self, response: &DeltaDiscoveryResponse, error: Option<&str>) {
        let mut request = subscribe(Cluster);
        request.type_url = response.type_url.clone();
        request.response_nonce = response.nonce.clone();
        request.error_detail =
            error.map(|message| rpc::Status { message: message.into(), ..Default::default() });
        self.send(request).await;
    }
}

pub fn first(id: &str) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest { node: Some(node(id)), ..subscribe(Cluster) }
}

pub fn node(id: &str) -> Node {
    let version = SemanticVersion { major_number: 1, minor_number: 40, patch: 0 };
    let build = BuildVersion { version: Some(version), ..Default::default() };
    Node {
        id: id.to_owned(),
        cluster: "gateways".to_owned(),
        user_agent_version_type: Some(UserAgentVersionType::UserAgentBuildVersion(build)),
        ..Default::default()
    }
}

/// Waits until the registry shows what is asked for.
pub async fn shown(
    registry: &Registry,
    id: &str,
    found: impl Fn(&EnvoyStatus) -> bool,
) -> EnvoyStatus {
    let wait = async {
        loop {
            let listed = registry.snapshot();
            if let Some(status) = listed.into_iter().find(|s| s.node == id && found(s)) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, wait).await.expect("the registry shows it soon")
}

#[tokio::test]
async fn connect_subscribe_change_refuse_and_the_registry_shows_it() {
    let (cache, registry, client) = serve().await;
    cache.publish(snapshot(&[(Cluster, "a", "1")]));
    let mut stream = Stream::open(client).await;
    stream.send(first("envoy-1")).await;
    let response = stream.next().await;
    assert_eq!(names(&response), ["a"]);
    assert!(!registry.converged("envoy-1"));
    stream.answer(&response, None).await;
    let status = shown(&registry, "envoy-1", |s| s.types[&Cluster].acked == 1).await;
    assert_eq!((status.envoy_version.as_str(), status.cluster.as_str()), ("1.40.0", "gateways"));
    assert!(registry.converged("envoy-1"));

    cache.publish(snapshot(&[(Cluster, "a", "2")]));
    assert!(!registry.converged("envoy-1"));
    let response = stream.next().await;
    stream.answer(&response, Some("no such thing")).await;
    let status = shown(&registry, "envoy-1", |s| {
        !s.types.is_empty() && s.types[&Cluster].last_nack.is_some()
    })
    .await;
    assert_eq!(status.types[&Cluster].refused["a"].error, "no such thing");
    assert!(!registry.converged("envoy-1"));
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json["types"]["cluster"]["refused"]["a"]["error"], "no such thing");

    drop(stream);
    let status = shown(&registry, "envoy-1", |s| s.disconnected_at_ms.is_some()).await;
    assert_eq!(status.types[&Cluster].acked, 1);
}

#[tokio::test]
async fn nothing_is_answered_before_the_first_snapshot() {
    let (cache, registry, client) = serve().await;
    let mut stream = Stream::open(client).await;
    stream.send(first("envoy-1")).await;
    shown(&registry, "envoy-1", |s| s.disconnected_at_ms.is_none()).await;
    let early = tokio::time::timeout(Duration::from_millis(100), stream.responses.message()).await;
    assert!(early.is_err());
    cache.publish(snapshot(&[(Cluster, "a", "1")]));
    assert_eq!(names(&stream.next().await), ["a"]);
}

#[tokio::test]
async fn closing_ends_the_streams_that_are_and_those_that_come() {
    let (cache, registry, client) = serve().await;
    cache.publish(snapshot(&[]));
    let mut old = Stream::open(client.clone()).await;
    old.send(first("envoy-1")).await;
    old.next().await;
    cache.close();
    let end = tokio::time::timeout(SOON, old.responses.message()).await.unwrap();
    assert!(end.unwrap().is_none());
    shown(&registry, "envoy-1", |s| s.disconnected_at_ms.is_some()).await;
    let mut late = Stream::open(client).await;
    late.send(first("envoy-2")).await;
    while let Some(response) =
        tokio::time::timeout(SOON, late.responses.message()).await.unwrap().unwrap()
    {
        assert!(response.resources.is_empty());
    }
}

#[tokio::test]
async fn a_stream_without_a_node_id_is_refused() {
    let (_, registry, client) = serve().await;
    let mut stream = Stream::open(client).await;
    stream.send(subscribe(Listener)).await;
    let refusal = tokio::time::timeout(SOON, stream.responses.message()).await.unwrap();
    assert_eq!(refusal.unwrap_err().code(), tonic::Code::InvalidArgument);
    assert!(registry.snapshot().is_empty());
}
