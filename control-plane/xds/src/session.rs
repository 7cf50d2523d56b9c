//! One delta ADS stream of one Envoy: requests in, responses out.
//!
//! A value without a network; the time is an argument, in milliseconds.

use std::collections::BTreeMap;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, Resource as WireResource,
};

use crate::order::{self, Settings, Subscriptions};
use crate::resource::{ResourceType, Snapshot};
use crate::subscription::{Nack, Push, Settled, Subscription, TypeStatus};

/// What one Envoy wants, has, and is being sent.
///
/// Each `on_…` returns the responses to send now, in order; at most one of a
/// type is unanswered at any time, so there are never more than six.
#[derive(Clone, Debug, Default)]
pub struct Session {
    settings: Settings,
    node: Option<Node>,
    subscriptions: Subscriptions,
    /// Counts responses: a nonce is of the stream, and says nothing of versions.
    nonce: u64,
    deadline_ms: Option<u64>,
    nacks: Vec<(ResourceType, Nack)>,
}

impl Session {
    /// A session that has seen no request yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Who is there. Envoy says so in the first request of a stream and need
    /// not repeat it.
    pub fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }

    /// A request came: a subscription, an ACK, a NACK, or several in one. A
    /// type that is not served is passed over.
    pub fn on_request(
        &mut self,
        request: &DeltaDiscoveryRequest,
        snapshot: &Snapshot,
        now_ms: u64,
    ) -> Vec<DeltaDiscoveryResponse> {
        if let Some(node) = &request.node {
            self.node = Some(node.clone());
        }
        let Some(kind) = ResourceType::from_type_url(&request.type_url) else { return Vec::new() };
        match self.subscriptions.get_mut(&kind) {
            None => {
                self.subscriptions.insert(kind, Subscription::open(kind, request));
            }
            Some(subscription) => {
                if let Settled::Nack(nack) = subscription.settle(request, now_ms) {
                    self.nacks.push((kind, nack));
                }
                subscription.change_names(request);
            }
        }
        self.flush(snapshot, now_ms)
    }

    /// Another snapshot is in force.
    pub fn on_change(&mut self, snapshot: &Snapshot, now_ms: u64) -> Vec<DeltaDiscoveryResponse> {
        self.flush(snapshot, now_ms)
    }

    /// The time of [`Session::next_deadline_ms`] has come.
    pub fn on_timer(&mut self, snapshot: &Snapshot, now_ms: u64) -> Vec<DeltaDiscoveryResponse> {
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

    /// The state of each subscribed type.
    pub fn status(&self) -> BTreeMap<ResourceType, TypeStatus> {
        self.subscriptions.iter().map(|(kind, s)| (*kind, s.status())).collect()
    }

    /// Whether this Envoy acknowledged every resource of `snapshot`. One that
    /// nothing makes Envoy ask for therefore keeps it from ever converging;
    /// removals that are still to come do not.
    pub fn converged(&self, snapshot: &Snapshot) -> bool {
        ResourceType::ALL.iter().all(|kind| {
            let subscription = self.subscriptions.get(kind);
            snapshot.of(*kind).values().all(|r| subscription.is_some_and(|s| s.has(r)))
        })
    }

    fn flush(&mut self, snapshot: &Snapshot, now_ms: u64) -> Vec<DeltaDiscoveryResponse> {
        for (kind, subscription) in &mut self.subscriptions {
            subscription.refresh(snapshot.of(*kind));
        }
        order::note_unused(&mut self.subscriptions, snapshot, now_ms);
        let all = ResourceType::ALL.into_iter();
        let responses = all.filter_map(|kind| self.next_response(kind, snapshot, now_ms)).collect();
        self.deadline_ms = order::next_deadline(&self.subscriptions, &self.settings, now_ms);
        responses
    }

    fn next_response(
        &mut self,
        kind: ResourceType,
        snapshot: &Snapshot,
        now_ms: u64,
    ) -> Option<DeltaDiscoveryResponse> {
        let push = self.next_push(kind, snapshot, now_ms)?;
        self.nonce += 1;
        let nonce = self.nonce.to_string();
        if kind == ResourceType::Cluster {
            self.owe_endpoints(&push, snapshot);
        }
        let subscription = self.subscriptions.get_mut(&kind)?;
        subscription.sent(&push, &nonce, snapshot.version(), now_ms);
        Some(response(kind, push, nonce, snapshot.version()))
    }

    fn next_push(&mut self, kind: ResourceType, snapshot: &Snapshot, now_ms: u64) -> Option<Push> {
        let waits = order::users_from_ms(&self.subscriptions, &self.settings) > now_ms;
        if order::is_user(kind) && waits {
            return None;
        }
        let removable =
            order::removable(&self.subscriptions, snapshot, kind, &self.settings, now_ms);
        let held: Vec<&str> = snapshot
            .of(kind)
            .values()
            .filter(|r| order::is_held(&self.subscriptions, snapshot, kind, r))
            .map(|r| r.name.as_str())
            .collect();
        let subscription = self.subscriptions.get_mut(&kind)?;
        let is_held = |name: &str| held.binary_search(&name).is_ok();
        subscription.next_push(snapshot.of(kind), |r| is_held(&r.name), removable)
    }

    /// Envoy does not ask again for the endpoints of a changed cluster and
    /// keeps it warming until it gets them (envoy#13009, envoy#19262).
    fn owe_endpoints(&mut self, push: &Push, snapshot: &Snapshot) {
        let Some(endpoints) = self.subscriptions.get_mut(&ResourceType::Endpoints) else { return };
        for cluster in &push.resources {
            let name = snapshot.endpoints_name(&cluster.name);
            let exists = snapshot.get(ResourceType::Endpoints, name).is_some();
            if endpoints.wants_by_name(name) || (exists && endpoints.wants(name)) {
                endpoints.owe(name);
            }
        }
    }
}

fn response(
    kind: ResourceType,
    push: Push,
    nonce: String,
    snapshot_version: &str,
) -> DeltaDiscoveryResponse {
    let resources = push.resources.iter().map(|resource| WireResource {
        name: resource.name.clone(),
        version: resource.version.clone(),
        resource: Some(resource.body.clone()),
        ..Default::default()
    });
    DeltaDiscoveryResponse {
        system_version_info: snapshot_version.to_owned(),
        resources: resources.collect(),
        type_url: kind.type_url().to_owned(),
        removed_resources: push.removed.into_iter().collect(),
        nonce,
        ..Default::default()
    }
}
