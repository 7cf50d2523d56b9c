//! What is in force for whom, and word to the sessions when it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use envoy_types::pb::envoy::config::core::v3::Node;
use tokio::sync::watch;

use crate::canary::{Canary, Report, Rollout, Set, Stages};
use crate::clock::Clock;
use crate::snapshot::Snapshot;

type VariantOf = Arc<dyn Fn(&Node) -> String + Send + Sync>;

/// What every Envoy shall have now. Clones share the same content.
#[derive(Clone)]
pub struct Cache {
    stages: Arc<Mutex<Stages>>,
    /// Counts what was served anew.
    changed: watch::Sender<u64>,
    /// Counts what a canary did.
    progress: watch::Sender<u64>,
    closed: watch::Sender<bool>,
    wanted: watch::Sender<BTreeSet<String>>,
    variant_of: VariantOf,
    canary: Option<Canary>,
    /// What the log was last told.
    told: watch::Sender<Rollout>,
    clock: Clock,
}

/// Where an Envoy belongs: it says what it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub canary: bool,
    pub variant: String,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.current().map(|current| current.version().to_owned());
        f.debug_struct("Cache").field("version", &version).finish_non_exhaustive()
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}

impl Cache {
    /// A cache without a snapshot: sessions wait for the first one. All Envoys
    /// get the same at the same time.
    pub fn new() -> Self {
        Self {
            stages: Arc::new(Mutex::new(Stages::new(None))),
            changed: watch::Sender::new(0),
            progress: watch::Sender::new(0),
            closed: watch::Sender::new(false),
            wanted: watch::Sender::new(BTreeSet::new()),
            variant_of: Arc::new(|_| String::new()),
            canary: None,
            told: watch::Sender::new(Rollout::Idle { untried: false }),
            clock: Clock::new(),
        }
    }

    /// An empty cache whose changes reach the canaries before the others.
    pub fn with_canary(mut self, canary: Canary) -> Self {
        self.stages = Arc::new(Mutex::new(Stages::new(Some(canary.soak_ms))));
        self.canary = Some(canary);
        self
    }

    /// A cache that has a snapshot of its own for each variant of Envoys, by
    /// what an Envoy says of itself when it connects (its version, say). The
    /// function is to know few variants, whatever a node says.
    pub fn with_variants(
        mut self,
        variant_of: impl Fn(&Node) -> String + Send + Sync + 'static,
    ) -> Self {
        self.variant_of = Arc::new(variant_of);
        self
    }

    /// Puts `snapshot` in force for the variant without a name, which is
    /// everybody's unless [`Cache::with_variants`] says otherwise. Sessions that
    /// are busy see only the latest of several; one with the version in force
    /// wakes nobody.
    pub fn publish(&self, snapshot: Snapshot) {
        self.publish_all(BTreeMap::from([(String::new(), snapshot)]));
    }

    /// Puts a snapshot in force for each variant. An Envoy whose variant has
    /// none keeps what it has, or waits.
    pub fn publish_all(&self, snapshots: BTreeMap<String, Snapshot>) {
        let set: Set = snapshots.into_iter().map(|(v, s)| (v, Arc::new(s))).collect();
        let served_anew = self.lock().publish(set, self.clock.now_ms());
        self.tell(served_anew);
    }

    /// The snapshot that was published last; the first of several variants.
    /// `None` before the first was published.
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.lock().published().values().next().cloned()
    }

    /// The snapshot that was published last for this variant.
    pub fn current_of(&self, variant: &str) -> Option<Arc<Snapshot>> {
        self.lock().published().get(variant).cloned()
    }

    /// How far the last change got.
    pub fn rollout(&self) -> Rollout {
        self.lock().state().clone()
    }

    /// The variants that any Envoy asked for since the start.
    pub fn wanted_variants(&self) -> watch::Receiver<BTreeSet<String>> {
        self.wanted.subscribe()
    }

    /// Ends every stream, now and later: a server that shuts down gracefully
    /// would wait for them for ever. Envoys keep what they have.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(crate) fn watch_closed(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(crate) fn has_canary(&self) -> bool {
        self.canary.is_some()
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Where this Envoy belongs; notes that its variant is wanted.
    pub(crate) fn seat(&self, node: &Node) -> Seat {
        let variant = (self.variant_of)(node);
        self.wanted.send_if_modified(|wanted| wanted.insert(variant.clone()));
        let canary = self.canary.as_ref().is_some_and(|canary| (canary.nodes)(&node.id));
        Seat { canary, variant }
    }

    pub(crate) fn served(&self, seat: &Seat) -> Option<Arc<Snapshot>> {
        self.lock().served(seat.canary, &seat.variant).cloned()
    }

    pub(crate) fn connect(&self, stream: u64, node: &str, seat: &Seat) {
        if seat.canary {
            self.lock().connect(stream, node, &seat.variant, self.clock.now_ms());
            self.tell(false);
        }
    }

    pub(crate) fn report(&self, stream: u64, report: Report) {
        let served_anew = self.lock().report(stream, report, self.clock.now_ms());
        self.tell(served_anew);
    }

    pub(crate) fn disconnect(&self, stream: u64, seat: &Seat) {
        if seat.canary {
            let served_anew = self.lock().disconnect(stream, self.clock.now_ms());
            self.tell(served_anew);
        }
    }

    /// Releases what has soaked long enough, until the cache is closed. Does
    /// nothing without a canary group.
    pub(crate) async fn drive(self) {
        let (mut progress, mut closed) = (self.progress.subscribe(), self.closed.subscribe());
        while self.canary.is_some() {
            let deadline_ms = self.lock().deadline_ms();
            tokio::select! {
                _ = progress.changed() => {}
                _ = closed.wait_for(|closed| *closed) => return,
                () = self.clock.sleep_until(deadline_ms) => {
                    let served_anew = self.lock().tick(self.clock.now_ms());
                    self.tell(served_anew);
                }
            }
        }
    }

    fn tell(&self, served_anew: bool) {
        self.say_how_far();
        if served_anew {
            self.changed.send_modify(|count| *count += 1);
        }
        if self.canary.is_some() {
            self.progress.send_modify(|count| *count += 1);
        }
    }

    /// Says in the log how far a change got, when that is another thing than
    /// before.
    fn say_how_far(&self) {
        if self.canary.is_none() {
            return;
        }
        let now = self.rollout();
        let news = self.told.send_if_modified(|told| {
            let differs = std::mem::discriminant(told) != std::mem::discriminant(&now);
            told.clone_from(&now);
            differs
        });
        match now {
            _ if !news => {}
            Rollout::Idle { .. } => tracing::info!("the change is for everybody"),
            Rollout::Soaking { .. } => tracing::info!("the canaries try a change"),
            Rollout::Stopped { node, kind, resource, error, .. } => tracing::warn!(
                node,
                ?kind,
                resource,
                error,
                "a canary refused the change; the others do not get it"
            ),
        }
    }

    /// The state is whole after every statement, so a panic elsewhere while it
    /// was locked does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Stages> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
