//! A server that hands on what Envoy and the real server say to each other,
//! keeps a record of it, and breaks it off on demand.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use prost::Message;
use tokio::sync::{mpsc, watch};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use xds::ResourceType;

/// Messages between two hands; the server's own back-pressure lies behind it.
const ROOM: usize = 8;
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// One message, in the words that both protocols have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Streams are counted from 1.
    pub stream: u64,
    /// Of which type; `None` for one that the server does not know.
    pub kind: Option<ResourceType>,
    /// Who said what.
    pub said: Said,
}

/// What one message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// Envoy asked, acknowledged or refused.
    Asked {
        /// Names asked for: new ones in delta, all of them in state of the world.
        names: Vec<String>,
        /// What Envoy says it has: `NAME=VERSION` in delta, else the one version.
        has: Vec<String>,
        /// The response that this answers; empty for none.
        nonce: String,
        /// Why Envoy refused that response.
        refusal: Option<String>,
    },
    /// The server sent these resources, and took those away.
    Told { nonce: String, names: Vec<String>, removed: Vec<String> },
}

/// The man in the middle. Clones share the record.
#[derive(Clone)]
pub struct Tap {
    inner: String,
    shared: Arc<Shared>,
}

struct Shared {
    record: Mutex<Record>,
    cuts: watch::Sender<u64>,
}

#[derive(Default)]
struct Record {
    streams: u64,
    lines: Vec<Line>,
    lost: BTreeSet<ResourceType>,
}

impl Tap {
    /// A tap before the server at `inner`.
    pub fn before(inner: SocketAddr) -> Tap {
        let shared = Shared { record: Mutex::default(), cuts: watch::Sender::new(0) };
        Tap { inner: format!("http://{inner}"), shared: Arc::new(shared) }
    }

    /// The service to mount on a router.
    pub fn into_service(self) -> AggregatedDiscoveryServiceServer<Tap> {
        AggregatedDiscoveryServiceServer::new(self)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Everything said so far, oldest first.
    pub fn lines(&self) -> Vec<Line> {
        self.record(|record| record.lines.clone())
    }

    /// Ends every open stream, as a server does that goes; the next may come.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Responses of this type never reach Envoy from here on.
    pub fn lose(&self, kind: ResourceType) {
        self.record(|record| record.lost.insert(kind));
    }

    /// They do again.
    pub fn lose_nothing(&self) {
        self.record(|record| record.lost.clear());
    }

    fn record<T>(&self, look: impl FnOnce(&mut Record) -> T) -> T {
        look(&mut self.shared.record.lock().expect("nobody panics with the record"))
    }

    fn next_stream(&self) -> u64 {
        self.record(|record| {
            record.streams += 1;
            record.streams
        })
    }

    fn note(&self, stream: u64, message: &impl Saying) -> bool {
        let kind = ResourceType::from_type_url(message.type_url());
        let said = message.said();
        self.record(|record| {
            let is_lost = kind.is_some_and(|kind| record.lost.contains(&kind));
            let passes = matches!(said, Said::Asked { .. }) || !is_lost;
            if passes {
                record.lines.push(Line { stream, kind, said });
            }
            passes
        })
    }

    async fn client(
        &self,
    ) -> Result<AggregatedDiscoveryServiceClient<tonic::transport::Channel>, Status> {
        let client = AggregatedDiscoveryServiceClient::connect(self.inner.clone()).await;
        let client = client.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(client.max_decoding_message_size(MESSAGE_BYTES_MAX))
    }

    /// Hands on until either side ends, or the stream is cut.
    async fn hand_on<Q: Saying, R: Saying>(
        self,
        mut from_envoy: Streaming<Q>,
        to_server: mpsc::Sender<Q>,
        mut from_server: Streaming<R>,
        to_envoy: mpsc::Sender<Result<R, Status>>,
    ) {
        let stream = self.next_stream();
        let mut cuts = self.shared.cuts.subscribe();
        loop {
            let goes_on = tokio::select! {
                asked = from_envoy.message() => match asked {
                    Ok(Some(asked)) => {
                        self.note(stream, &asked);
                        to_server.send(asked).await.is_ok()
                    }
                    _ => false,
                },
                told = from_server.message() => match told {
                    Ok(Some(told)) => {
                        !self.note(stream, &told) || to_envoy.send(Ok(told)).await.is_ok()
                    }
                    Ok(None) => false,
                    Err(status) => to_envoy.send(Err(status)).await.is_err(),
                },
                _ = cuts.changed() => false,
            };
            if !goes_on {
                return;
            }
        }
    }
}

impl fmt::Display for Tap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|line| writeln!(out, "{line:?}"))
    }
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl AggregatedDiscoveryService for Tap {
    type StreamAggregatedResourcesStream = Responses<DiscoveryResponse>;
    type DeltaAggregatedResourcesStream = Responses<DeltaDiscoveryResponse>;

    async fn stream_aggregated_resources(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        let (to_server, requests) = mpsc::channel(ROOM);
        let requests = ReceiverStream::new(requests);
        let from_server = self.client().await?.stream_aggregated_resources(requests).await?;
        let (to_envoy, responses) = mpsc::channel(ROOM);
        let (from_envoy, from_server) = (request.into_inner(), from_server.into_inner());
        tokio::spawn(self.clone().hand_on(from_envoy, to_server, from_server, to_envoy));
        Ok(Response::new(Box::pin(ReceiverStream::new(responses))))
    }

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        let (to_server, requests) = mpsc::channel(ROOM);
        let requests = ReceiverStream::new(requests);
        let from_server = self.client().await?.delta_aggregated_resources(requests).await?;
        let (to_envoy, responses) = mpsc::channel(ROOM);
        let (from_envoy, from_server) = (request.into_inner(), from_server.into_inner());
        tokio::spawn(self.clone().hand_on(from_envoy, to_server, from_server, to_envoy));
        Ok(Response::new(Box::pin(ReceiverStream::new(responses))))
    }
}

/// A message of either protocol and direction.
trait Saying {
    fn type_url(&self) -> &str;
    fn said(&self) -> Said;
}

impl Saying for DeltaDiscoveryRequest {
    fn type_url(&self) -> &str {
        &self.type_url
    }

    fn said(&self) -> Said {
        let has = self.initial_resource_versions.iter();
        Said::Asked {
            names: self.resource_names_subscribe.clone(),
            has: has.map(|(name, version)| format!("{name}={version}")).collect(),
            nonce: self.response_nonce.clone(),
            refusal: self.error_detail.as_ref().map(|status| status.message.clone()),
        }
    }
}

impl Saying for DiscoveryRequest {
    fn type_url(&self) -> &str {
        &self.type_url
    }

    fn said(&self) -> Said {
        let has = Some(self.version_info.clone()).filter(|version| !version.is_empty());
        Said::Asked {
            names: self.resource_names.clone(),
            has: has.into_iter().collect(),
            nonce: self.response_nonce.clone(),
            refusal: self.error_detail.as_ref().map(|status| status.message.clone()),
        }
    }
}

impl Saying for DeltaDiscoveryResponse {
    fn type_url(&self) -> &str {
        &self.type_url
    }

    fn said(&self) -> Said {
        Said::Told {
            nonce: self.nonce.clone(),
            names: self.resources.iter().map(|resource| resource.name.clone()).collect(),
            removed: self.removed_resources.clone(),
        }
    }
}

impl Saying for DiscoveryResponse {
    fn type_url(&self) -> &str {
        &self.type_url
    }

    fn said(&self) -> Said {
        let names = self.resources.iter().map(|body| Named::decode(body.value.as_slice()));
        Said::Told {
            nonce: self.nonce.clone(),
            names: names.map(|named| named.unwrap_or_default().name).collect(),
            removed: Vec::new(),
        }
    }
}

/// What all resources have in common: the first field is the name.
#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}
