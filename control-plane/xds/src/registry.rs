//! What each Envoy has, and what it refused: for `status` and for waiting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::config::core::v3::node::UserAgentVersionType;

use crate::cache::Cache;
use crate::resource::ResourceType;
use crate::subscription::TypeStatus;

/// How many Envoys that went away stay listed; the longest gone drop out.
const GONE_MAX: usize = 1000;

/// One Envoy, for people and programs to read. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct EnvoyStatus {
    /// `node.id`.
    pub node: String,
    /// `node.cluster`.
    pub cluster: String,
    /// Envoy's own version, as `1.40.0`; empty if it does not say.
    pub envoy_version: String,
    /// When its present or last stream began.
    pub connected_since_ms: u64,
    /// When its last stream ended; `None` while it is connected.
    pub disconnected_at_ms: Option<u64>,
    /// The version of the last snapshot of which it has every resource.
    pub converged_to: Option<String>,
    /// By type, what it has and has refused.
    pub types: BTreeMap<ResourceType, TypeStatus>,
}

/// A stream's place in the registry. Of two streams of one node the later
/// counts, so that the end of the old one after a reconnect changes nothing.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    node: String,
    stream: u64,
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
    envoys: BTreeMap<String, (u64, EnvoyStatus)>,
}

impl Registry {
    /// An empty registry beside `cache`, which tells it what is in force.
    pub fn new(cache: &Cache) -> Self {
        Self { cache: cache.clone(), state: Arc::default() }
    }

    /// All known Envoys as of now, by node id.
    pub fn snapshot(&self) -> Vec<EnvoyStatus> {
        self.lock().envoys.values().map(|(_, status)| status.clone()).collect()
    }

    /// Whether this Envoy is connected and acknowledged every resource of the
    /// snapshot in force.
    pub fn converged(&self, node: &str) -> bool {
        let Some(current) = self.cache.current() else { return false };
        let state = self.lock();
        state.envoys.get(node).is_some_and(|(_, status)| {
            let has_current = status.converged_to.as_deref() == Some(current.version());
            status.disconnected_at_ms.is_none() && has_current
        })
    }

    pub(crate) fn connect(&self, node: &Node, now_ms: u64) -> Entry {
        let mut state = self.lock();
        state.streams += 1;
        let stream = state.streams;
        let status = EnvoyStatus {
            node: node.id.clone(),
            cluster: node.cluster.clone(),
            envoy_version: envoy_version(node),
            connected_since_ms: now_ms,
            disconnected_at_ms: None,
            converged_to: None,
            types: BTreeMap::new(),
        };
        state.envoys.insert(node.id.clone(), (stream, status));
        Entry { node: node.id.clone(), stream }
    }

    /// `converged_to`: the version of the snapshot, if all of it was accepted.
    pub(crate) fn report(
        &self,
        entry: &Entry,
        types: BTreeMap<ResourceType, TypeStatus>,
        converged_to: Option<&str>,
    ) {
        self.change(entry, |status| {
            status.types = types;
            if let Some(version) = converged_to {
                status.converged_to = Some(version.to_owned());
            }
        });
    }

    pub(crate) fn disconnect(&self, entry: &Entry, now_ms: u64) {
        self.change(entry, |status| status.disconnected_at_ms = Some(now_ms));
        drop_longest_gone(&mut self.lock());
    }

    fn change(&self, entry: &Entry, apply: impl FnOnce(&mut EnvoyStatus)) {
        let mut state = self.lock();
        let found = state.envoys.get_mut(&entry.node).filter(|(stream, _)| *stream == entry.stream);
        if let Some((_, status)) = found {
            apply(status);
        }
    }

    /// The state is whole after every statement, so a panic elsewhere while it
    /// was locked does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_longest_gone(state: &mut State) {
    let gone = state.envoys.values().filter_map(|(_, s)| Some((s.disconnected_at_ms?, &s.node)));
    if gone.clone().count() <= GONE_MAX {
        return;
    }
    if let Some(node) = gone.min().map(|(_, node)| node.clone()) {
        state.envoys.remove(&node);
    }
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

    #[test]
    fn the_end_of_an_old_stream_does_not_disconnect_the_new_one() {
        let registry = Registry::new(&Cache::new());
        let old = registry.connect(&node(1), 10);
        let new = registry.connect(&node(1), 20);
        registry.disconnect(&old, 30);
        assert_eq!(registry.snapshot()[0].disconnected_at_ms, None);
        registry.disconnect(&new, 40);
        assert_eq!(registry.snapshot()[0].disconnected_at_ms, Some(40));
    }

    #[test]
    fn gone_envoys_stay_listed_up_to_a_bound_and_the_longest_gone_drop_out() {
        let registry = Registry::new(&Cache::new());
        let stays = registry.connect(&node(0), 0);
        for id in 1..=GONE_MAX + 5 {
            let entry = registry.connect(&node(id), 1);
            registry.disconnect(&entry, id as u64);
        }
        let listed = registry.snapshot();
        assert_eq!(listed.len(), GONE_MAX + 1);
        assert_eq!(listed[0].node, stays.node);
        assert_eq!(listed[1].node, "envoy-00006");
    }
}
