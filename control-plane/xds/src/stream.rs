//! One connected Envoy: its task moves messages between the wire and its
//! [`Session`].

use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3::Node;
use tokio::sync::{mpsc, watch};
use tonic::{Code, Status, Streaming};

use crate::ask::{Answer, Ask, Protocol};
use crate::cache::Cache;
use crate::canary::{Refused, Report};
use crate::order::Settings;
use crate::registry::{Entry, Registry};
use crate::server::REQUEST_BYTES_MAX;
use crate::session::Session;
use crate::snapshot::{Snapshot, is_guarded};

/// The messages of a protocol.
pub(crate) trait Wire: Send + 'static {
    type Request: Send + 'static;
    type Response: Send + 'static;
    const PROTOCOL: Protocol;

    /// Who is there. Envoy says so in the first request of a stream and need
    /// not repeat it.
    fn node(request: &mut Self::Request) -> Option<Node>;
    fn ask(request: Self::Request) -> Option<Ask>;
    fn response(answer: &Answer) -> Self::Response;
}

pub(crate) struct EnvoyStream<W: Wire> {
    session: Session,
    cache: Cache,
    registry: Registry,
    changes: watch::Receiver<u64>,
    closed: watch::Receiver<bool>,
    inbound: Streaming<W::Request>,
    outbound: mpsc::Sender<Result<Answer, Status>>,
}

/// Why a session has to look again.
enum Event {
    /// `None`: about a type that is not served.
    Request(Option<Box<Ask>>),
    Change,
    Timer,
    /// With what the Envoy is told, if anything.
    End(Option<Status>),
}

impl<W: Wire> EnvoyStream<W> {
    pub(crate) fn new(
        cache: Cache,
        registry: Registry,
        settings: Settings,
        inbound: Streaming<W::Request>,
        outbound: mpsc::Sender<Result<Answer, Status>>,
    ) -> Self {
        let session = Session::new(W::PROTOCOL, settings);
        let (changes, closed) = (cache.watch(), cache.watch_closed());
        Self { session, cache, registry, changes, closed, inbound, outbound }
    }

    pub(crate) async fn run(mut self) {
        let Some((entry, first)) = self.first_request().await else { return };
        let node = &entry.node;
        tracing::info!(node, protocol = ?W::PROTOCOL, variant = entry.seat.variant, "connected");
        if let Some(refusal) = self.serve(first, &entry).await {
            tracing::warn!(node, refusal = refusal.message(), "envoy's stream is ended");
            drop(self.outbound.try_send(Err(refusal)));
        }
        self.registry.disconnect(&entry, self.cache.clock().now_ms());
        tracing::info!(node, "envoy disconnected");
    }

    async fn first_request(&mut self) -> Option<(Entry, Event)> {
        let refusal = match self.inbound.message().await {
            Ok(None) => return None,
            Err(status) => too_large(&status)?,
            Ok(Some(mut first)) => match W::node(&mut first).filter(|node| !node.id.is_empty()) {
                Some(node) => {
                    let now_ms = self.cache.clock().now_ms();
                    let entry = self.registry.connect(&node, W::PROTOCOL, now_ms);
                    return Some((entry, Event::Request(W::ask(first).map(Box::new))));
                }
                None => Status::invalid_argument("the first request has no node.id"),
            },
        };
        drop(self.outbound.try_send(Err(refusal)));
        None
    }

    /// Until the end of the stream; returns what the Envoy is to be told then.
    async fn serve(&mut self, first: Event, entry: &Entry) -> Option<Status> {
        let mut event = first;
        let mut snapshot = self.published(entry).await?;
        loop {
            let answers = match self.answers(event, &mut snapshot, entry) {
                Ok(answers) => answers,
                Err(end) => return end,
            };
            for answer in answers {
                self.outbound.send(Ok(answer)).await.ok()?;
            }
            event = self.next_event().await;
        }
    }

    /// Waits for the first snapshot: an empty answer before it would take from
    /// a running Envoy all that it has. `None` if Envoy went away meanwhile.
    async fn published(&mut self, entry: &Entry) -> Option<Arc<Snapshot>> {
        loop {
            self.changes.mark_unchanged();
            if let Some(snapshot) = self.cache.served(&entry.seat) {
                return Some(snapshot);
            }
            tokio::select! {
                change = self.changes.changed() => change.ok()?,
                () = self.outbound.closed() => return None,
                _ = self.closed.wait_for(|closed| *closed) => return None,
            }
        }
    }

    async fn next_event(&mut self) -> Event {
        let deadline_ms = self.session.next_deadline_ms();
        let clock = self.cache.clock();
        tokio::select! {
            message = self.inbound.message() => match message {
                Ok(Some(request)) => Event::Request(W::ask(request).map(Box::new)),
                Ok(None) => Event::End(None),
                Err(status) => Event::End(too_large(&status)),
            },
            change = self.changes.changed() => {
                if change.is_ok() { Event::Change } else { Event::End(None) }
            }
            () = clock.sleep_until(deadline_ms) => Event::Timer,
            () = self.outbound.closed() => Event::End(None),
            _ = self.closed.wait_for(|closed| *closed) => Event::End(None),
        }
    }

    /// What `event` makes the session send, or that it is the end. A variant
    /// that is published no more is served on as it was.
    fn answers(
        &mut self,
        event: Event,
        snapshot: &mut Arc<Snapshot>,
        entry: &Entry,
    ) -> Result<Vec<Answer>, Option<Status>> {
        self.changes.mark_unchanged();
        let served = self.cache.served(&entry.seat).unwrap_or_else(|| snapshot.clone());
        let changed = !Arc::ptr_eq(&served, snapshot);
        *snapshot = served;
        let now_ms = self.cache.clock().now_ms();
        let answers = match event {
            Event::Request(Some(ask)) => self
                .session
                .on_request(&ask, snapshot, now_ms)
                .map_err(|exceeded| Some(Status::resource_exhausted(exceeded.to_string())))?,
            Event::Request(None) | Event::Change if !changed => return Ok(Vec::new()),
            Event::Request(None) | Event::Change => self.session.on_change(snapshot, now_ms),
            Event::Timer => self.session.on_timer(snapshot, now_ms),
            Event::End(status) => return Err(status),
        };
        self.report(&answers, snapshot, entry);
        Ok(answers)
    }

    fn report(&mut self, answers: &[Answer], snapshot: &Snapshot, entry: &Entry) {
        let node = &entry.node;
        for (kind, nack) in self.session.take_nacks() {
            let resources: Vec<&String> = nack.resources.keys().collect();
            let error = &nack.error;
            tracing::warn!(node, ?kind, ?resources, error, "envoy refused a response");
        }
        for answer in answers {
            let (kind, nonce, (changed, removed)) = (answer.kind(), answer.nonce(), answer.size());
            tracing::debug!(node, ?kind, nonce, changed, removed, "push");
        }
        let reached = self.session.converged(snapshot).then(|| snapshot.version());
        let counts = self.session.take_counts();
        self.registry.report(entry, self.session.status(), counts, reached);
        if entry.seat.canary {
            self.cache.report(entry.stream, canary_report(&self.session, snapshot));
        }
    }
}

fn canary_report(session: &Session, snapshot: &Snapshot) -> Report {
    let guarded = session.subscriptions().iter().filter(|(kind, _)| is_guarded(**kind));
    let refused = guarded.flat_map(|(kind, subscription)| {
        subscription.refusals().map(|(name, version, nack)| Refused {
            kind: *kind,
            name: name.clone(),
            version,
            error: nack.error.clone(),
        })
    });
    Report {
        refused: refused.collect(),
        tried: session.is_tried().then(|| snapshot.guarded_version()),
    }
}

/// What to answer to a request that is larger than may be; any other failure
/// of reading is the end without a word.
fn too_large(status: &Status) -> Option<Status> {
    (status.code() == Code::OutOfRange).then(|| {
        Status::resource_exhausted(format!("a request of more than {REQUEST_BYTES_MAX} bytes"))
    })
}
