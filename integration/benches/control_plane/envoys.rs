//! Simulated Envoys: delta clients that take everything and acknowledge it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use integration::Result;
use prost::Message as _;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;
use xds::ResourceType;

use crate::plane::say;

/// Clients that connect at the same time.
const AT_ONCE: usize = 50;
/// Room for the requests of one client.
const REQUESTS_MAX: usize = 64;
/// Largest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// What an Envoy asks for at first: endpoints come after their clusters.
const FIRST: [(ResourceType, &str); 4] = [
    (ResourceType::Cluster, "*"),
    (ResourceType::Listener, "*"),
    (ResourceType::Route, "gateway"),
    (ResourceType::ExtensionConfig, "gateway"),
];

/// What came so far, over all clients.
#[derive(Default)]
struct Came {
    responses: AtomicU64,
    resources: AtomicU64,
    bytes: AtomicU64,
}

/// Connects, each by a connection of its own, and goes on until the standard
/// input ends. To any line it answers what came so far.
pub async fn connect(port: u16, count: usize) -> Result<()> {
    let came = Arc::new(Came::default());
    let clients = (0..count).map(|number| client(port, number, Arc::clone(&came)));
    stream::iter(clients).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    say(&json!({ "connected": count }));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while lines.next_line().await?.is_some() {
        say(&json!({
            "responses": came.responses.load(Relaxed),
            "resources": came.resources.load(Relaxed),
            "bytes": came.bytes.load(Relaxed),
        }));
    }
    Ok(())
}

async fn client(port: u16, number: usize, came: Arc<Came>) -> Result<()> {
    let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?.connect().await?;
    let mut service =
        AggregatedDiscoveryServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let (sender, requests) = mpsc::channel(REQUESTS_MAX);
    let node = Node { id: format!("envoy-{number:04}"), ..Node::default() };
    for (kind, name) in FIRST {
        drop(sender.send(subscription(kind, &node, vec![name.to_owned()])).await);
    }
    let answers = service.delta_aggregated_resources(ReceiverStream::new(requests)).await?;
    let mut responses = answers.into_inner();
    tokio::spawn(async move {
        let mut asked = BTreeSet::new();
        while let Ok(Some(response)) = responses.message().await {
            came.responses.fetch_add(1, Relaxed);
            came.resources.fetch_add(response.resources.len() as u64, Relaxed);
            came.bytes.fetch_add(response.encoded_len() as u64, Relaxed);
            let names: Vec<_> =
                clusters(&response).into_iter().filter(|name| asked.insert(name.clone())).collect();
            if !names.is_empty() {
                drop(sender.send(subscription(ResourceType::Endpoints, &node, names)).await);
            }
            if sender.send(acknowledgement(&response)).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn subscription(kind: ResourceType, node: &Node, names: Vec<String>) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest {
        node: Some(node.clone()),
        type_url: kind.type_url().to_owned(),
        resource_names_subscribe: names,
        ..DeltaDiscoveryRequest::default()
    }
}

/// The clusters of a response whose endpoints Envoy would ask for, by name.
fn clusters(response: &DeltaDiscoveryResponse) -> Vec<String> {
    if response.type_url != ResourceType::Cluster.type_url() {
        return Vec::new();
    }
    let names = response.resources.iter().map(|resource| resource.name.clone());
    names.filter(|name| name.starts_with("pool/")).collect()
}

fn acknowledgement(response: &DeltaDiscoveryResponse) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest {
        type_url: response.type_url.clone(),
        response_nonce: response.nonce.clone(),
        ..DeltaDiscoveryRequest::default()
    }
}
