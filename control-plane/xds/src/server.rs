//! The gRPC service: one task and one [`Session`] for each connected Envoy.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::cache::Cache;
use crate::order::Settings;
use crate::registry::{Entry, Registry};
use crate::resource::{ResourceType, Snapshot};
use crate::session::Session;

/// Room for one response of each type: a session never has more unanswered, so
/// a stuck Envoy fills nothing and holds up only its own task.
const RESPONSES_MAX: usize = ResourceType::ALL.len();
/// Largest message to an Envoy, in bytes: a module inline in a configuration
/// and thousands of clusters fit.
const RESPONSE_BYTES_MAX: usize = 64 << 20;
/// Largest message from an Envoy, in bytes: names and versions of all it has.
const REQUEST_BYTES_MAX: usize = 16 << 20;

/// The delta ADS service over one [`Cache`].
#[derive(Clone, Debug)]
pub struct Server {
    cache: Cache,
    registry: Registry,
    settings: Settings,
    clock: Clock,
}

impl Server {
    /// A server of what is in `cache` that keeps `registry` up to date.
    pub fn new(cache: Cache, registry: Registry) -> Self {
        Self { cache, registry, settings: Settings::default(), clock: Clock::new() }
    }

    /// Other times for the ordering than the usual ones.
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The service to mount on a router.
    pub fn into_service(self) -> AggregatedDiscoveryServiceServer<Self> {
        AggregatedDiscoveryServiceServer::new(self)
            .max_encoding_message_size(RESPONSE_BYTES_MAX)
            .max_decoding_message_size(REQUEST_BYTES_MAX)
    }
}

/// Unix time in milliseconds that never jumps: the wall's at the start, and
/// from there on what has passed.
#[derive(Clone, Copy, Debug)]
struct Clock {
    start: Instant,
    start_ms: u64,
}

impl Clock {
    fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), start_ms: millis(since) }
    }

    fn now_ms(&self) -> u64 {
        self.start_ms.saturating_add(millis(self.start.elapsed()))
    }

    fn at(&self, time_ms: u64) -> Instant {
        self.start + Duration::from_millis(time_ms.saturating_sub(self.start_ms))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl AggregatedDiscoveryService for Server {
    type StreamAggregatedResourcesStream = Responses<DiscoveryResponse>;
    type DeltaAggregatedResourcesStream = Responses<DeltaDiscoveryResponse>;

    async fn stream_aggregated_resources(
        &self,
        _: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        Err(Status::unimplemented(
            "this control plane speaks delta xDS only: set ads_config.api_type to DELTA_GRPC",
        ))
    }

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        let (outbound, responses) = mpsc::channel(RESPONSES_MAX);
        let stream = EnvoyStream {
            session: Session::new(self.settings),
            changes: self.cache.watch(),
            closed: self.cache.watch_closed(),
            inbound: request.into_inner(),
            outbound,
            registry: self.registry.clone(),
            clock: self.clock,
        };
        tokio::spawn(stream.run());
        Ok(Response::new(Box::pin(ReceiverStream::new(responses))))
    }
}

type Outbound = mpsc::Sender<Result<DeltaDiscoveryResponse, Status>>;

/// One connected Envoy.
struct EnvoyStream {
    session: Session,
    changes: watch::Receiver<Option<Arc<Snapshot>>>,
    closed: watch::Receiver<bool>,
    inbound: Streaming<DeltaDiscoveryRequest>,
    outbound: Outbound,
    registry: Registry,
    clock: Clock,
}

/// Why a session has to look again.
enum Event {
    Request(Box<DeltaDiscoveryRequest>),
    Change,
    Timer,
    End,
}

impl EnvoyStream {
    async fn run(mut self) {
        let Some(first) = self.first_request().await else { return };
        let Some(node) = first.node.clone().filter(|node| !node.id.is_empty()) else {
            let refusal = Status::invalid_argument("the first request has no node.id");
            drop(self.outbound.send(Err(refusal)).await);
            return;
        };
        let entry = self.registry.connect(&node, self.clock.now_ms());
        tracing::info!(node = node.id, cluster = node.cluster, "envoy connected");
        self.serve(first, &entry, &node.id).await;
        self.registry.disconnect(&entry, self.clock.now_ms());
        tracing::info!(node = node.id, "envoy disconnected");
    }

    async fn first_request(&mut self) -> Option<Box<DeltaDiscoveryRequest>> {
        self.inbound.message().await.ok().flatten().map(Box::new)
    }

    async fn serve(&mut self, first: Box<DeltaDiscoveryRequest>, entry: &Entry, node: &str) {
        let mut event = Event::Request(first);
        if !self.published().await {
            return;
        }
        while let Some(responses) = self.responses(event) {
            self.report(&responses, entry, node);
            for response in responses {
                if self.outbound.send(Ok(response)).await.is_err() {
                    return;
                }
            }
            event = self.next_event().await;
        }
    }

    /// Waits for the first snapshot: an empty answer before it would take from
    /// a running Envoy all that it has. `false` if Envoy went away meanwhile.
    async fn published(&mut self) -> bool {
        tokio::select! {
            found = self.changes.wait_for(Option::is_some) => found.is_ok(),
            () = self.outbound.closed() => false,
            _ = self.closed.wait_for(|closed| *closed) => false,
        }
    }

    async fn next_event(&mut self) -> Event {
        let deadline = self.session.next_deadline_ms().map(|ms| self.clock.at(ms));
        let timer = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = self.inbound.message() => match message {
                Ok(Some(request)) => Event::Request(Box::new(request)),
                Ok(None) | Err(_) => Event::End,
            },
            change = self.changes.changed() => {
                if change.is_ok() { Event::Change } else { Event::End }
            }
            () = timer => Event::Timer,
            () = self.outbound.closed() => Event::End,
            _ = self.closed.wait_for(|closed| *closed) => Event::End,
        }
    }

    fn responses(&mut self, event: Event) -> Option<Vec<DeltaDiscoveryResponse>> {
        let snapshot = self.changes.borrow_and_update().clone()?;
        let now_ms = self.clock.now_ms();
        match event {
            Event::Request(request) => Some(self.session.on_request(&request, &snapshot, now_ms)),
            Event::Change => Some(self.session.on_change(&snapshot, now_ms)),
            Event::Timer => Some(self.session.on_timer(&snapshot, now_ms)),
            Event::End => None,
        }
    }

    fn report(&mut self, responses: &[DeltaDiscoveryResponse], entry: &Entry, node: &str) {
        for (kind, nack) in self.session.take_nacks() {
            let resources: Vec<&String> = nack.resources.keys().collect();
            let error = &nack.error;
            tracing::warn!(node, ?kind, ?resources, error, "envoy refused a response");
        }
        for r in responses {
            let (sent, removed) = (r.resources.len(), r.removed_resources.len());
            tracing::debug!(node, r.type_url, r.nonce, sent, removed, "push");
        }
        let current = self.changes.borrow().clone();
        let reached = current.as_ref().filter(|snapshot| self.session.converged(snapshot));
        let version = reached.map(|snapshot| snapshot.version());
        self.registry.report(entry, self.session.status(), version);
    }
}
