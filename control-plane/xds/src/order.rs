//! Make before break: what may go out now, and what has to wait for what.
//!
//! Clusters, endpoints and secrets are *parts*; listeners, routes and extension
//! configurations are their *users*. New parts go out first, users when the
//! parts were acknowledged, and old parts are taken away when the users were
//! acknowledged and a grace time has passed (streams of the old configuration
//! still run). In the wrong order one swap of a cluster costs dozens of
//! requests; in this one it costs none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::resource::{Resource, ResourceType};
use crate::snapshot::Snapshot;
use crate::subscription::Subscription;

/// How long a part stays after nothing uses it any more.
const REMOVAL_GRACE_MS: u64 = 5_000;
/// Envoy's own `initial_fetch_timeout`: a cluster that is still warming then
/// goes active without its endpoints, so waiting longer helps nobody.
const PATIENCE_MS: u64 = 15_000;

/// The times of the ordering, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// From the acknowledgement of the last user of a cluster, its endpoints or
    /// a secret to its removal. 5 s unless said otherwise.
    pub removal_grace_ms: u64,
    /// How long listeners, routes and extension configurations wait for an
    /// Envoy that does not acknowledge clusters or endpoints (it withholds it
    /// while a cluster warms). 15 s unless said otherwise.
    pub patience_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { removal_grace_ms: REMOVAL_GRACE_MS, patience_ms: PATIENCE_MS }
    }
}

pub(crate) type Subscriptions = BTreeMap<ResourceType, Subscription>;

const USERS: [ResourceType; 3] =
    [ResourceType::Listener, ResourceType::Route, ResourceType::ExtensionConfig];
/// Secrets are parts too, but Envoy answers them at once or not at all.
const AWAITED: [ResourceType; 2] = [ResourceType::Cluster, ResourceType::Endpoints];

pub(crate) fn is_user(kind: ResourceType) -> bool {
    USERS.contains(&kind)
}

/// When users may go out: `0` for now, a time in milliseconds if they wait for
/// a response that was sent already. To be asked after the parts were sent.
///
/// A refused part does not close the gate, because Envoy keeps the last good
/// one; what cannot do without it is held by [`is_held`]. A type that is not
/// subscribed does not either: after a reconnect during warming Envoy asks for
/// clusters last (envoy#36951).
pub(crate) fn users_from_ms(subscriptions: &Subscriptions, settings: &Settings) -> u64 {
    let awaited = AWAITED.iter().filter_map(|kind| subscriptions.get(kind));
    let sent = awaited.filter_map(Subscription::in_flight_since_ms).max();
    sent.map_or(0, |sent_ms| sent_ms.saturating_add(settings.patience_ms))
}

/// The users of this type that keep their last good version for now.
pub(crate) fn held(
    subscriptions: &Subscriptions,
    snapshot: &Snapshot,
    kind: ResourceType,
) -> BTreeSet<Arc<str>> {
    let Some(subscription) = subscriptions.get(&kind).filter(|_| is_user(kind)) else {
        return BTreeSet::new();
    };
    let held = |r: &&Arc<Resource>| is_held(subscriptions, snapshot, kind, subscription, r);
    subscription.due(snapshot.of(kind)).filter(held).map(|r| r.name.clone()).collect()
}

/// Whether it needs a part that this Envoy never accepted. An Envoy that has no
/// version of it, or asks for it by name just now, gets it all the same: some
/// configuration beats none.
fn is_held(
    subscriptions: &Subscriptions,
    snapshot: &Snapshot,
    kind: ResourceType,
    subscription: &Subscription,
    user: &Resource,
) -> bool {
    let replaceable = subscription.knows(&user.name) && !subscription.is_owed(&user.name);
    let lacks = |(part, name): &(ResourceType, String)| {
        let subscription = subscriptions.get(part);
        let exists = snapshot.get(*part, name).is_some();
        exists && subscription.is_some_and(|s| s.wants(name) && !s.knows(name))
    };
    replaceable && snapshot.needs_of(kind, &user.name).iter().any(lacks)
}

/// Whether Envoy acknowledged every user it wants. A refused or held one still
/// runs in its last version, which may need old parts.
pub(crate) fn users_settled(subscriptions: &Subscriptions) -> bool {
    USERS.iter().all(|kind| {
        let Some(subscription) = subscriptions.get(kind) else { return true };
        let stays = *kind == ResourceType::ExtensionConfig;
        subscription.is_settled() && (stays || subscription.gone().next().is_none())
    })
}

/// Starts the grace time of gone parts once nothing uses them.
pub(crate) fn note_unused(subscriptions: &mut Subscriptions, now_ms: u64) {
    if !users_settled(subscriptions) {
        return;
    }
    for (_, subscription) in subscriptions.iter_mut().filter(|(kind, _)| !is_user(**kind)) {
        let gone: Vec<Arc<str>> = subscription.gone().cloned().collect();
        for name in gone {
            subscription.unused_since.entry(name).or_insert(now_ms);
        }
    }
}

/// Gone names of a type that may be taken away now.
///
/// Extension configurations never: Envoy answers 500 on every listener that
/// names one that was deleted (envoy#32823).
pub(crate) fn removable(
    subscriptions: &Subscriptions,
    kind: ResourceType,
    settings: &Settings,
    now_ms: u64,
) -> Vec<Arc<str>> {
    let Some(subscription) = subscriptions.get(&kind) else { return Vec::new() };
    let gone = subscription.gone();
    let due = |name: &&Arc<str>| {
        let since = subscription.unused_since.get(*name);
        since.is_some_and(|ms| ms.saturating_add(settings.removal_grace_ms) <= now_ms)
    };
    match kind {
        ResourceType::ExtensionConfig => Vec::new(),
        ResourceType::Listener | ResourceType::Route => gone.cloned().collect(),
        _ if users_settled(subscriptions) => gone.filter(due).cloned().collect(),
        _ => Vec::new(),
    }
}

/// The next time at which something may go out that waits now. Never a time
/// that has come already: then it waits for Envoy, not for the clock.
pub(crate) fn next_deadline(
    subscriptions: &Subscriptions,
    settings: &Settings,
    now_ms: u64,
) -> Option<u64> {
    let unused = subscriptions.values().flat_map(|s| s.unused_since.values());
    let removals = unused.map(|ms| ms.saturating_add(settings.removal_grace_ms));
    let gate = users_from_ms(subscriptions, settings);
    removals.chain([gate]).filter(|ms| *ms > now_ms).min()
}
