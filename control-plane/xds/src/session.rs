//! One ADS stream of one Envoy: requests in, responses out.
//!
//! A value without a network; the time is an argument, in milliseconds. The
//! same for both protocols: [`crate::delta`] and [`crate::sotw`] put messages
//! into the form that is worked with here.

use std::collections::BTreeMap;

use crate::ask::{Answer, Ask, Protocol, Push};
use crate::order::{self, Settings, Subscriptions};
use crate::resource::ResourceType;
use crate::snapshot::{Snapshot, is_guarded};
use crate::status::{Counts, Nack, TypeStatus};
use crate::subscription::{Settled, Subscription};

/// Most names and resources that one stream makes the server remember: ten
/// times what an Envoy with 5,000 clusters has.
const NAMES_MAX: usize = 100_000;
/// Longest name of a resource, in bytes.
const NAME_BYTES_MAX: usize = 1024;

/// Why a stream is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// More than 100,000 names on one stream.
    Names,
    /// A name of more than 1024 bytes.
    NameBytes,
}

impl std::fmt::Display for Exceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Names => write!(f, "more than {NAMES_MAX} resource names on one stream"),
            Self::NameBytes => write!(f, "a resource name of more than {NAME_BYTES_MAX} bytes"),
        }
    }
}

impl std::error::Error for Exceeded {}

/// What one Envoy wants, has, and is being sent.
///
/// Each `on_…` returns the responses to send now, in order; at most one of a
/// type is unanswered at any time, so there are never more than six.
#[derive(Clone, Debug, Default)]
pub struct Session {
    protocol: Protocol,
    settings: Settings,
    subscriptions: Subscriptions,
    /// Counts responses: a nonce is of the stream, and says nothing of versions.
    nonce: u64,
    deadline_ms: Option<u64>,
    nacks: Vec<(ResourceType, Nack)>,
}

impl Session {
    /// A session that has seen no request yet.
    pub fn new(protocol: Protocol, settings: Settings) -> Self {
        Self { protocol, settings, ..Self::default() }
    }

    /// A request came: a subscription, an ACK, a NACK, or several in one.
    ///
    /// # Errors
    /// When the stream asks to remember more than it may; it is to be ended.
    pub fn on_request(
        &mut self,
        ask: &Ask,
        snapshot: &Snapshot,
        now_ms: u64,
    ) -> Result<Vec<Answer>, Exceeded> {
        if ask.names.iter().any(|name| name.len() > NAME_BYTES_MAX) {
            return Err(Exceeded::NameBytes);
        }
        self.take(ask, snapshot, now_ms);
        if self.subscriptions.values().map(Subscription::size).sum::<usize>() > NAMES_MAX {
            return Err(Exceeded::Names);
        }
        Ok(self.flush(snapshot, now_ms))
    }

    fn take(&mut self, ask: &Ask, snapshot: &Snapshot, now_ms: u64) {
        let set = snapshot.of(ask.kind);
        let Some(subscription) = self.subscriptions.get_mut(&ask.kind) else {
            self.subscriptions.insert(ask.kind, Subscription::open(self.protocol, ask, set));
            return;
        };
        if let Settled::Nack(nack) = subscription.take(ask, set, now_ms) {
            self.nacks.push((ask.kind, (*nack).clone()));
        }
    }

    /// Another snapshot is in force.
    pub fn on_change(&mut self, snapshot: &Snapshot, now_ms: u64) -> Vec<Answer> {
        self.flush(snapshot, now_ms)
    }

    /// The time of [`Session::next_deadline_ms`] has come.
    pub fn on_timer(&mut self, snapshot: &Snapshot, now_ms: u64) -> Vec<Answer> {
        self.flush(snapshot, now_ms)
    }

    /// When [`Session::on_timer`] wants to be called; `None` if not at all.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.deadline_ms
    }

    /// The refusals since the last call.
    pub fn take_nacks(&mut self) -> Vec<(ResourceType, Nack)> {
        std::mem::take(&mut self.nacks)
    }

    /// The messages since the last call, by type.
    pub fn take_counts(&mut self) -> BTreeMap<ResourceType, Counts> {
        let all = self.subscriptions.iter_mut();
        let counts = all.map(|(kind, subscription)| (*kind, subscription.take_counts()));
        counts.filter(|(_, counts)| *counts != Counts::default()).collect()
    }

    /// The state of each subscribed type.
    pub fn status(&self) -> BTreeMap<ResourceType, TypeStatus> {
        self.subscriptions.iter().map(|(kind, s)| (*kind, s.status())).collect()
    }

    /// Whether this Envoy acknowledged every resource of `snapshot`. One that
    /// nothing makes Envoy ask for therefore keeps it from ever converging;
    /// removals that are still to come do not.
    pub fn converged(&self, snapshot: &Snapshot) -> bool {
        ResourceType::ALL.iter().all(|kind| {
            let set = snapshot.of(*kind);
            let subscription = self.subscriptions.get(kind);
            subscription.map_or(set.all.is_empty(), |s| s.has_all(set))
        })
    }

    /// Whether this Envoy accepted or refused all that it wants of what a
    /// canary is asked to try.
    pub(crate) fn is_tried(&self) -> bool {
        let mut guarded = self.subscriptions.iter().filter(|(kind, _)| is_guarded(**kind));
        guarded.all(|(_, subscription)| subscription.is_tried())
    }

    pub(crate) fn subscriptions(&self) -> &Subscriptions {
        &self.subscriptions
    }

    fn flush(&mut self, snapshot: &Snapshot, now_ms: u64) -> Vec<Answer> {
        for (kind, subscription) in &mut self.subscriptions {
            subscription.look(snapshot.of(*kind));
        }
        let mut answers = self.pass(snapshot, now_ms);
        if order::users_settled(&self.subscriptions) {
            // A debt of a user that needs no answer may have been paid just
            // now, and what waited for it comes before it in the order.
            answers.extend(self.pass(snapshot, now_ms));
        }
        self.deadline_ms = order::next_deadline(&self.subscriptions, &self.settings, now_ms);
        answers
    }

    /// What may go out of each type, in order.
    fn pass(&mut self, snapshot: &Snapshot, now_ms: u64) -> Vec<Answer> {
        order::note_unused(&mut self.subscriptions, now_ms);
        let all = ResourceType::ALL.into_iter();
        all.filter_map(|kind| self.next_answer(kind, snapshot, now_ms)).collect()
    }

    fn next_answer(
        &mut self,
        kind: ResourceType,
        snapshot: &Snapshot,
        now_ms: u64,
    ) -> Option<Answer> {
        let push = self.next_push(kind, snapshot, now_ms)?;
        self.nonce += 1;
        let nonce = self.nonce.to_string();
        if kind == ResourceType::Cluster {
            self.owe_endpoints(&push, snapshot);
        }
        let subscription = self.subscriptions.get_mut(&kind)?;
        let snapshot = snapshot.shared_version();
        subscription.sent(&push, &nonce, snapshot.clone(), now_ms);
        Some(Answer { kind, nonce, snapshot, push })
    }

    fn next_push(&mut self, kind: ResourceType, snapshot: &Snapshot, now_ms: u64) -> Option<Push> {
        let waits = order::users_from_ms(&self.subscriptions, &self.settings) > now_ms;
        if order::is_user(kind) && waits {
            return None;
        }
        let removable = order::removable(&self.subscriptions, kind, &self.settings, now_ms);
        let held = order::held(&self.subscriptions, snapshot, kind);
        let subscription = self.subscriptions.get_mut(&kind)?;
        subscription.next_push(snapshot.of(kind), &held, removable)
    }

    /// Envoy does not ask again for the endpoints of a changed cluster and
    /// keeps it warming until it gets them (envoy#13009, envoy#19262).
    fn owe_endpoints(&mut self, push: &Push, snapshot: &Snapshot) {
        let Some(endpoints) = self.subscriptions.get_mut(&ResourceType::Endpoints) else { return };
        for cluster in &push.changed {
            let name = snapshot.endpoints_name(&cluster.name);
            let found = snapshot.get(ResourceType::Endpoints, name);
            let shared = || found.map_or_else(|| name.into(), |resource| resource.name.clone());
            if endpoints.wants_by_name(name) || (found.is_some() && endpoints.wants(name)) {
                endpoints.owe(shared());
            }
        }
    }
}
