//! What each Envoy has, and what it refused: for `status` and for waiting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::config::core::v3::node::UserAgentVersionType;

use crate::ask::Protocol;
use crate::cache::{Cache, Seat};
use crate::resource::ResourceType;
use crate::status::{Counts, TypeStatus};

/// How many Envoys that went away stay listed; the longest gone drop out.
const GONE_MAX: usize = 1000;

/// How Envoy calls its V8 among its extensions.
const WASM_V8: &str = "envoy.wasm.runtime.v8";

/// One Envoy, for people and programs to read. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct EnvoyStatus {
    /// `node.id`.
    pub node: String,
    /// `node.cluster`.
    pub cluster: String,
    /// Envoy's own version, as `1.40.0`; empty if it does not say.
    pub envoy_version: String,
    /// Whether it can run Wasm modules by V8; `None` if it does not list its
    /// extensions.
    pub wasm_v8: Option<bool>,
    /// Which of the published variants it gets.
    pub variant: String,
    /// Whether it gets changes before the others.
    pub canary: bool,
    /// How it talks.
    pub protocol: Protocol,
    /// Another Envoy with the same `node.id` is connected: they hide each other.
    pub duplicate: bool,
    /// When its present or last stream began.
    pub connected_since_ms: u64,
    /// When its last stream ended; `None` while it is connected.
    pub disconnected_at_ms: Option<u64>,
    /// The version of the last snapshot of which it has every resource.
    pub converged_to: Option<String>,
    /// By type, what it has and has refused.
    pub types: BTreeMap<ResourceType, TypeStatus>,
    /// By type, messages of all its streams since this process began.
    pub counts: BTreeMap<ResourceType, Counts>,
}

/// A stream's place in the registry. Of two streams of one node the later
/// counts, so that the end of the old one after a reconnect changes nothing.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) node: String,
    pub(crate) stream: u64,
    pub(crate) seat: Seat,
}

/// The Envoys that are or were connected. Clones share the same content.
#[derive(Clone, Debug)]
pub struct Registry {
    cache: Cache,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    streams: u64,
    envoys: BTreeMap<String, Known>,
}

/// All that is known of one node id. Never without a stream.
#[derive(Debug, Default)]
struct Known {
    /// Those that live, or the last one that did.
    streams: BTreeMap<u64, EnvoyStatus>,
    counts: BTreeMap<ResourceType, Counts>,
}

impl Known {
    fn shown(&self) -> Option<EnvoyStatus> {
        let mut status = self.last()?.clone();
        status.duplicate = self.streams.len() > 1;
        status.counts.clone_from(&self.counts);
        Some(status)
    }

    fn last(&self) -> Option<&EnvoyStatus> {
        self.streams.values().next_back()
    }

    fn gone_at_ms(&self) -> Option<u64> {
        self.last()?.disconnected_at_ms
    }
}

impl Registry {
    /// An empty registry beside `cache`, which tells it what is in force.
    pub fn new(cache: &Cache) -> Self {
        Self { cache: cache.clone(), state: Arc::default() }
    }

    /// All known Envoys as of now, by node id.
    pub fn snapshot(&self) -> Vec<EnvoyStatus> {
        self.lock().envoys.values().filter_map(Known::shown).collect()
    }

    /// How many Envoys are connected now, those with the same node id among them.
    pub fn connected(&self) -> usize {
        let state = self.lock();
        let streams = state.envoys.values().flat_map(|known| known.streams.values());
        streams.filter(|status| status.disconnected_at_ms.is_none()).count()
    }

    /// Whether this Envoy is connected and acknowledged every resource of the
    /// snapshot that is in force for it.
    pub fn converged(&self, node: &str) -> bool {
        let state = self.lock();
        let Some(status) = state.envoys.get(node).and_then(Known::last) else { return false };
        let seat = Seat { canary: status.canary, variant: status.variant.clone() };
        let Some(served) = self.cache.served(&seat) else { return false };
        let has_it = status.converged_to.as_deref() == Some(served.version());
        status.disconnected_at_ms.is_none() && has_it
    }

    pub(crate) fn connect(&self, node: &Node, protocol: Protocol, now_ms: u64) -> Entry {
        let seat = self.cache.seat(node);
        let mut state = self.lock();
        state.streams += 1;
        let stream = state.streams;
        let status = EnvoyStatus {
            node: node.id.clone(),
            cluster: node.cluster.clone(),
            envoy_version: envoy_version(node),
            wasm_v8: wasm_v8(node),
            variant: seat.variant.clone(),
            canary: seat.canary,
            protocol,
            duplicate: false,
            connected_since_ms: now_ms,
            disconnected_at_ms: None,
            converged_to: None,
            types: BTreeMap::new(),
            counts: BTreeMap::new(),
        };
        let known = state.envoys.entry(node.id.clone()).or_default();
        known.streams.retain(|_, status| status.disconnected_at_ms.is_none());
        known.streams.insert(stream, status);
        drop(state);
        self.cache.connect(stream, &node.id, &seat);
        Entry { node: node.id.clone(), stream, seat }
    }

    /// `converged_to`: the version of the snapshot, if all of it was accepted.
    pub(crate) fn report(
        &self,
        entry: &Entry,
        types: BTreeMap<ResourceType, TypeStatus>,
        counts: BTreeMap<ResourceType, Counts>,
        converged_to: Option<&str>,
    ) {
        let mut state = self.lock();
        let Some(known) = state.envoys.get_mut(&entry.node) else { return };
        for (kind, more) in counts {
            *known.counts.entry(kind).or_default() += more;
        }
        let Some(status) = known.streams.get_mut(&entry.stream) else { return };
        status.types = types;
        if let Some(version) = converged_to
            && status.converged_to.as_deref() != Some(version)
        {
            status.converged_to = Some(version.to_owned());
        }
    }

    pub(crate) fn disconnect(&self, entry: &Entry, now_ms: u64) {
        self.cache.disconnect(entry.stream, &entry.seat);
        let mut state = self.lock();
        let Some(known) = state.envoys.get_mut(&entry.node) else { return };
        if known.streams.len() > 1 {
            known.streams.remove(&entry.stream);
        } else if let Some(status) = known.streams.get_mut(&entry.stream) {
            status.disconnected_at_ms = Some(now_ms);
        }
        drop_longest_gone(&mut state);
    }

    /// The state is whole after every statement, so a panic elsewhere while it
    /// was locked does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_longest_gone(state: &mut State) {
    let gone = state.envoys.iter().filter_map(|(node, known)| Some((known.gone_at_ms()?, node)));
    if gone.clone().count() <= GONE_MAX {
        return;
    }
    if let Some(node) = gone.min().map(|(_, node)| node.clone()) {
        state.envoys.remove(&node);
    }
}

fn wasm_v8(node: &Node) -> Option<bool> {
    let listed = !node.extensions.is_empty();
    listed.then(|| node.extensions.iter().any(|extension| extension.name == WASM_V8))
}

fn envoy_version(node: &Node) -> String {
    match &node.user_agent_version_type {
        Some(UserAgentVersionType::UserAgentVersion(version)) => version.clone(),
        Some(UserAgentVersionType::UserAgentBuildVersion(build)) => {
            let number = build.version.as_ref();
            number.map_or_else(String::new, |v| {
                format!("{}.{}.{}", v.major_number, v.minor_number, v.patch)
            })
        }
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: usize) -> Node {
        Node { id: format!("envoy-{id:05}"), ..Default::default() }
    }

    fn connect(registry: &Registry, id: usize, now_ms: u64) -> Entry {
        registry.connect(&node(id), Protocol::Delta, now_ms)
    }

    #[test]
    fn the_end_of_an_old_stream_does_not_disconnect_the_new_one() {
        let registry = Registry::new(&Cache::new());
        let old = connect(&registry, 1, 10);
        let new = connect(&registry, 1, 20);
        assert_eq!(registry.connected(), 2);
        registry.disconnect(&old, 30);
        assert_eq!(registry.connected(), 1);
        assert_eq!(registry.snapshot()[0].disconnected_at_ms, None);
        registry.disconnect(&new, 40);
        assert_eq!(registry.snapshot()[0].disconnected_at_ms, Some(40));
    }

    #[test]
    fn two_live_streams_of_one_node_id_are_flagged_while_both_live() {
        let registry = Registry::new(&Cache::new());
        let old = connect(&registry, 1, 10);
        assert!(!registry.snapshot()[0].duplicate);
        let new = connect(&registry, 1, 20);
        assert!(registry.snapshot()[0].duplicate);
        registry.disconnect(&new, 30);
        let shown = &registry.snapshot()[0];
        assert!(!shown.duplicate && shown.disconnected_at_ms.is_none(), "the old one lives on");
        registry.disconnect(&old, 40);
        connect(&registry, 1, 50);
        assert!(!registry.snapshot()[0].duplicate, "a reconnect is no duplicate");
    }

    #[test]
    fn counts_go_on_over_a_reconnect() {
        let registry = Registry::new(&Cache::new());
        let counts = |nacks| {
            let counts = Counts { responses: 2, acks: 1, nacks };
            BTreeMap::from([(ResourceType::Cluster, counts)])
        };
        for nacks in [0, 1] {
            let entry = connect(&registry, 1, 10);
            registry.report(&entry, BTreeMap::new(), counts(nacks), None);
            registry.disconnect(&entry, 20);
        }
        let expected = Counts { responses: 4, acks: 2, nacks: 1 };
        assert_eq!(registry.snapshot()[0].counts[&ResourceType::Cluster], expected);
    }

    #[test]
    fn gone_envoys_stay_listed_up_to_a_bound_and_the_longest_gone_drop_out() {
        let registry = Registry::new(&Cache::new());
        let stays = connect(&registry, 0, 0);
        for id in 1..=GONE_MAX + 5 {
            let entry = connect(&registry, id, 1);
            registry.disconnect(&entry, id as u64);
        }
        let listed = registry.snapshot();
        assert_eq!(listed.len(), GONE_MAX + 1);
        assert_eq!(listed[0].node, stays.node);
        assert_eq!(listed[1].node, "envoy-00006");
    }
}
