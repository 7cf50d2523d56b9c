//! What an Envoy is told: every resource, byte for byte, as a stream brings it.

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse,
};
use integration::{Failure, Result};
use prost::Message as _;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Endpoint;
use tonic::{Request, Streaming};
use xds::ResourceType;

/// Requests that wait for the transport.
const REQUESTS_MAX: usize = 64;
const SOON: Duration = Duration::from_secs(20);
/// After that much silence the rest has come: a server that has more says so at once
/// when it is told that it was understood.
const SILENCE: Duration = Duration::from_secs(1);

/// The bytes of all responses, by what they are about.
pub type Bytes = BTreeMap<ResourceType, Vec<u8>>;

/// Everything that an Envoy is told at `port` (`IP:PORT`), once there is something of
/// every type.
///
/// # Errors
/// The stream ended, or some type did not come.
pub async fn all(port: &str, token: &str) -> Result<Bytes> {
    let (sender, mut responses) = stream(port, token).await?;
    let mut told = Bytes::new();
    loop {
        let has_all = told.len() == ResourceType::ALL.len();
        let patience = if has_all { SILENCE } else { SOON };
        let response = match tokio::time::timeout(patience, responses.message()).await {
            Ok(response) => response?.ok_or_else(|| Failure::new("the stream ended"))?,
            Err(_) if has_all => return Ok(told),
            Err(_) => return Err(Failure::new(format!("there are only {:?}", told.keys()))),
        };
        drop(sender.send(acknowledgement(&response)).await);
        let kind = ResourceType::from_type_url(&response.type_url);
        let kind = kind.ok_or_else(|| Failure::new(response.type_url.clone()))?;
        if !response.resources.is_empty() {
            told.entry(kind).or_default().extend(response.encode_to_vec());
        }
    }
}

async fn stream(
    port: &str,
    token: &str,
) -> Result<(mpsc::Sender<DeltaDiscoveryRequest>, Streaming<DeltaDiscoveryResponse>)> {
    let channel = Endpoint::from_shared(format!("http://{port}"))?.connect().await?;
    let (sender, requests) = mpsc::channel(REQUESTS_MAX);
    for kind in ResourceType::ALL {
        drop(sender.send(subscription(kind)).await);
    }
    let mut request = Request::new(ReceiverStream::new(requests));
    let bearer: MetadataValue<Ascii> = format!("Bearer {token}").parse()?;
    request.metadata_mut().insert("authorization", bearer);
    let answer =
        AggregatedDiscoveryServiceClient::new(channel).delta_aggregated_resources(request).await?;
    Ok((sender, answer.into_inner()))
}

/// All resources of a type: every type knows `*`.
fn subscription(kind: ResourceType) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest {
        node: Some(Node { id: "reader".to_owned(), ..Node::default() }),
        type_url: kind.type_url().to_owned(),
        resource_names_subscribe: vec!["*".to_owned()],
        ..DeltaDiscoveryRequest::default()
    }
}

fn acknowledgement(response: &DeltaDiscoveryResponse) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest {
        type_url: response.type_url.clone(),
        response_nonce: response.nonce.clone(),
        ..DeltaDiscoveryRequest::default()
    }
}
