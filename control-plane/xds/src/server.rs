//! The gRPC service: both protocols over one [`Cache`].

use std::pin::Pin;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::ask::{Answer, Ask, Protocol};
use crate::cache::Cache;
use crate::order::Settings;
use crate::registry::Registry;
use crate::resource::ResourceType;
use crate::stream::{EnvoyStream, Wire};
use crate::{delta, sotw};

/// Room for one response of each type: a session never has more unanswered, so
/// a stuck Envoy fills nothing and holds up only its own task.
const RESPONSES_MAX: usize = ResourceType::ALL.len();
/// Largest message to an Envoy, in bytes: a module inline in a configuration
/// and, in one full state, thousands of clusters fit.
const RESPONSE_BYTES_MAX: usize = 64 << 20;
/// Largest message from an Envoy, in bytes: names and versions of 50,000
/// resources.
pub(crate) const REQUEST_BYTES_MAX: usize = 8 << 20;

/// The ADS service over one [`Cache`].
#[derive(Clone, Debug)]
pub struct Server {
    cache: Cache,
    registry: Registry,
    settings: Settings,
}

impl Server {
    /// A server of what is in `cache` that keeps `registry` up to date.
    pub fn new(cache: Cache, registry: Registry) -> Self {
        Self { cache, registry, settings: Settings::default() }
    }

    /// Other times for the ordering than the usual ones.
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The service to mount on a router. Spawns the task that releases what
    /// canaries have tried, so it wants to be called within a Tokio runtime.
    ///
    /// An Envoy that vanished without a word is noticed by the transport alone:
    /// let the router send HTTP/2 pings.
    pub fn into_service(self) -> AggregatedDiscoveryServiceServer<Self> {
        if self.cache.has_canary() {
            tokio::spawn(self.cache.clone().drive());
        }
        AggregatedDiscoveryServiceServer::new(self)
            .max_encoding_message_size(RESPONSE_BYTES_MAX)
            .max_decoding_message_size(REQUEST_BYTES_MAX)
    }

    /// Starts the task of one stream. What waits to be sent shares its
    /// resources with the snapshot; it becomes bytes when the transport has
    /// room for it.
    fn start<W: Wire>(&self, inbound: Streaming<W::Request>) -> Responses<W::Response> {
        let (outbound, answers) = mpsc::channel(RESPONSES_MAX);
        let (cache, registry) = (self.cache.clone(), self.registry.clone());
        let stream = EnvoyStream::<W>::new(cache, registry, self.settings, inbound, outbound);
        tokio::spawn(stream.run());
        let encode = |answer: Result<Answer, Status>| answer.map(|answer| W::response(&answer));
        Box::pin(ReceiverStream::new(answers).map(encode))
    }
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl AggregatedDiscoveryService for Server {
    type StreamAggregatedResourcesStream = Responses<DiscoveryResponse>;
    type DeltaAggregatedResourcesStream = Responses<DeltaDiscoveryResponse>;

    async fn stream_aggregated_resources(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        Ok(Response::new(self.start::<Sotw>(request.into_inner())))
    }

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        Ok(Response::new(self.start::<Delta>(request.into_inner())))
    }
}

struct Delta;

impl Wire for Delta {
    type Request = DeltaDiscoveryRequest;
    type Response = DeltaDiscoveryResponse;
    const PROTOCOL: Protocol = Protocol::Delta;

    fn node(request: &mut Self::Request) -> Option<Node> {
        request.node.take()
    }

    fn ask(request: Self::Request) -> Option<Ask> {
        delta::ask(request)
    }

    fn response(answer: &Answer) -> Self::Response {
        delta::response(answer)
    }
}

struct Sotw;

impl Wire for Sotw {
    type Request = DiscoveryRequest;
    type Response = DiscoveryResponse;
    const PROTOCOL: Protocol = Protocol::Sotw;

    fn node(request: &mut Self::Request) -> Option<Node> {
        request.node.take()
    }

    fn ask(request: Self::Request) -> Option<Ask> {
        sotw::ask(request)
    }

    fn response(answer: &Answer) -> Self::Response {
        sotw::response(answer)
    }
}
