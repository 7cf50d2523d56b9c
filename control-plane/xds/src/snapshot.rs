//! A consistent set of resources, and how one is made of the one before.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::resource::{Resource, ResourceType, Version};

pub(crate) type ResourceMap = BTreeMap<Arc<str>, Arc<Resource>>;
/// The name of a resource within a snapshot.
pub(crate) type Key = (ResourceType, String);
type Needs = BTreeMap<ResourceType, BTreeMap<String, Vec<Key>>>;

/// All resources of one type. `version` is over names and versions, so that a
/// session that is done with one knows in one comparison that it still is.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypeSet {
    pub all: Arc<ResourceMap>,
    pub version: Version,
}

static NONE: LazyLock<TypeSet> = LazyLock::new(TypeSet::default);

/// Everything an Envoy shall have. Immutable, and cheap to clone and share.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    sets: BTreeMap<ResourceType, TypeSet>,
    endpoints_of: Arc<BTreeMap<String, String>>,
    needs: Arc<Needs>,
    version: Arc<str>,
}

/// What a canary is asked to try first; endpoints and secrets reach everybody.
const GUARDED: [ResourceType; 4] = [
    ResourceType::Cluster,
    ResourceType::Listener,
    ResourceType::Route,
    ResourceType::ExtensionConfig,
];

pub(crate) fn is_guarded(kind: ResourceType) -> bool {
    GUARDED.contains(&kind)
}

impl Snapshot {
    /// An empty builder.
    pub fn builder() -> SnapshotBuilder {
        SnapshotBuilder::default()
    }

    /// An empty builder that shares what turns out to be the same with
    /// `previous`: of a thousand resources with one change, one is hashed and
    /// kept anew. The result is the same as that of [`Snapshot::builder`].
    pub fn builder_after(previous: Option<Arc<Self>>) -> SnapshotBuilder {
        SnapshotBuilder { previous, ..SnapshotBuilder::default() }
    }

    /// A builder that begins with all that `previous` has: what is not put again
    /// stays.
    pub fn edited(previous: &Arc<Self>) -> SnapshotBuilder {
        let kept = previous.sets.iter().map(|(kind, set)| (*kind, ResourceMap::clone(&set.all)));
        SnapshotBuilder {
            sets: kept.collect(),
            endpoints_of: BTreeMap::clone(&previous.endpoints_of),
            needs: Needs::clone(&previous.needs),
            previous: Some(previous.clone()),
        }
    }

    /// Hash over the names and versions of all resources, in hexadecimal.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// One resource.
    pub fn get(&self, kind: ResourceType, name: &str) -> Option<&Arc<Resource>> {
        self.of(kind).all.get(name)
    }

    /// How many resources of this type there are.
    pub fn count(&self, kind: ResourceType) -> usize {
        self.of(kind).all.len()
    }

    pub(crate) fn of(&self, kind: ResourceType) -> &TypeSet {
        self.sets.get(&kind).unwrap_or(&NONE)
    }

    pub(crate) fn shared_version(&self) -> Arc<str> {
        self.version.clone()
    }

    pub(crate) fn endpoints_name<'a>(&'a self, cluster: &'a str) -> &'a str {
        self.endpoints_of.get(cluster).map_or(cluster, String::as_str)
    }

    pub(crate) fn needs_of(&self, kind: ResourceType, name: &str) -> &[Key] {
        let needs = self.needs.get(&kind).and_then(|by_name| by_name.get(name));
        needs.map_or(&[], Vec::as_slice)
    }

    /// Version of what a canary is asked to try first.
    pub(crate) fn guarded_version(&self) -> Version {
        Version::of(GUARDED.iter().map(|kind| self.of(*kind).version.as_bytes()))
    }

    /// This one with the endpoints and secrets of `new`, as far as this one has
    /// them: what those may have who wait for a canary.
    pub(crate) fn with_parts_of(&self, new: &Self) -> Self {
        let mut snapshot = self.clone();
        for kind in [ResourceType::Secret, ResourceType::Endpoints] {
            let old = self.of(kind);
            let newer = |r: &Arc<Resource>| new.get(kind, &r.name).unwrap_or(r).clone();
            let all: ResourceMap = old.all.iter().map(|(n, r)| (n.clone(), newer(r))).collect();
            snapshot.sets.insert(kind, type_set(all, Some(old)));
        }
        snapshot.version = version_of(&snapshot.sets);
        snapshot
    }
}

/// Collects the resources of a [`Snapshot`].
#[derive(Clone, Debug, Default)]
pub struct SnapshotBuilder {
    previous: Option<Arc<Snapshot>>,
    sets: BTreeMap<ResourceType, ResourceMap>,
    endpoints_of: BTreeMap<String, String>,
    needs: Needs,
}

impl SnapshotBuilder {
    /// Adds or replaces a resource; `message` is encoded here, once.
    ///
    /// The generated types keep proto maps in hash maps, whose order differs
    /// from one message to the next: a map of two or more entries gives other
    /// bytes, and so another version, each time. Keep maps to one entry, or
    /// reuse the message.
    pub fn put<M: prost::Message>(
        &mut self,
        kind: ResourceType,
        name: &str,
        message: &M,
    ) -> &mut Self {
        self.put_encoded(kind, name, message.encode_to_vec())
    }

    /// As [`SnapshotBuilder::put`], for a message that is encoded already.
    pub fn put_encoded(&mut self, kind: ResourceType, name: &str, value: Vec<u8>) -> &mut Self {
        let previous = self.previous.as_ref().and_then(|p| p.get(kind, name));
        let resource = match previous.filter(|r| r.body.value == value) {
            Some(same) => same.clone(),
            None => Arc::new(Resource::new(kind, name, value)),
        };
        self.sets.entry(kind).or_default().insert(resource.name.clone(), resource);
        self
    }

    /// Says that the endpoints of `cluster` have a name of their own
    /// (`eds_cluster_config.service_name`); without this it is the cluster's.
    pub fn endpoints_of(&mut self, cluster: &str, endpoints: &str) -> &mut Self {
        self.endpoints_of.insert(cluster.to_owned(), endpoints.to_owned());
        self
    }

    /// Says that a change of `user` is worth nothing without `used`: an Envoy
    /// that has an older `user` keeps it until it has accepted some `used`.
    /// Meant for listeners, routes and extension configurations.
    pub fn needs(&mut self, user: (ResourceType, &str), used: (ResourceType, &str)) -> &mut Self {
        let by_name = self.needs.entry(user.0).or_default();
        by_name.entry(user.1.to_owned()).or_default().push((used.0, used.1.to_owned()));
        self
    }

    /// The snapshot of what was put so far; the builder keeps it and can go on.
    pub fn build(&self) -> Snapshot {
        let previous = |kind: &ResourceType| self.previous.as_ref().map(|p| p.of(*kind));
        let sets = self.sets.iter();
        let sets: BTreeMap<_, _> =
            sets.map(|(kind, all)| (*kind, type_set(all.clone(), previous(kind)))).collect();
        Snapshot {
            version: version_of(&sets),
            sets,
            endpoints_of: Arc::new(self.endpoints_of.clone()),
            needs: Arc::new(self.needs.clone()),
        }
    }
}

/// The set of these resources; `previous` itself if it holds the very same.
fn type_set(all: ResourceMap, previous: Option<&TypeSet>) -> TypeSet {
    let is_same = |old: &&TypeSet| {
        let mut pairs = old.all.values().zip(all.values());
        old.all.len() == all.len() && pairs.all(|(a, b)| Arc::ptr_eq(a, b))
    };
    match previous.filter(is_same) {
        Some(same) => same.clone(),
        None => TypeSet { version: version_of_all(&all), all: Arc::new(all) },
    }
}

fn version_of_all(all: &ResourceMap) -> Version {
    if all.is_empty() {
        return Version::default();
    }
    Version::of(all.values().flat_map(|r| [r.name.as_bytes(), r.version.as_bytes()]))
}

fn version_of(sets: &BTreeMap<ResourceType, TypeSet>) -> Arc<str> {
    let parts = sets.iter().filter(|(_, set)| !set.all.is_empty());
    let parts = parts.flat_map(|(kind, set)| [kind.type_url().as_bytes(), set.version.as_bytes()]);
    Version::of(parts).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::ResourceType::{Cluster, Endpoints, Route, Secret};
    use super::*;

    fn text(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn what_is_the_same_is_shared_with_the_previous_one() {
        let mut builder = Snapshot::builder();
        builder.put(Cluster, "a", &text("1")).put(Cluster, "b", &text("1"));
        let first = Arc::new(builder.put(Route, "r", &text("1")).build());
        let mut builder = Snapshot::builder_after(Some(first.clone()));
        builder.put(Cluster, "a", &text("1")).put(Cluster, "b", &text("2"));
        let second = builder.put(Route, "r", &text("1")).build();
        let is_shared = |kind, name| {
            Arc::ptr_eq(first.get(kind, name).unwrap(), second.get(kind, name).unwrap())
        };
        assert!(is_shared(Cluster, "a"));
        assert!(!is_shared(Cluster, "b"));
        let edited = Snapshot::edited(&first).put(Cluster, "b", &text("2")).build();
        assert_eq!(edited.version(), second.version());
        assert!(Arc::ptr_eq(&first.of(Route).all, &second.of(Route).all));
        assert_ne!(first.version(), second.version());
        assert_ne!(first.of(Cluster).version, second.of(Cluster).version);
    }

    #[test]
    fn the_version_does_not_say_how_a_snapshot_was_built() {
        let first = Arc::new(Snapshot::builder().put(Cluster, "a", &text("1")).build());
        let mut after = Snapshot::builder_after(Some(first.clone()));
        assert_eq!(after.put(Cluster, "a", &text("1")).build().version(), first.version());
        let nothing = Snapshot::builder_after(Some(first)).build();
        assert_eq!(nothing.version(), Snapshot::builder().build().version());
    }

    #[test]
    fn those_who_wait_get_new_endpoints_and_secrets_of_what_they_have() {
        let mut old = Snapshot::builder();
        old.put(Cluster, "a", &text("1")).put(Endpoints, "a", &text("1"));
        let old = old.put(Endpoints, "gone", &text("1")).put(Secret, "s", &text("1")).build();
        let mut new = Snapshot::builder();
        new.put(Cluster, "a", &text("2")).put(Endpoints, "a", &text("2"));
        let new = new.put(Endpoints, "b", &text("2")).put(Secret, "s", &text("2")).build();
        let composed = old.with_parts_of(&new);
        assert_eq!(composed.get(Cluster, "a"), old.get(Cluster, "a"));
        assert_eq!(composed.get(Endpoints, "a"), new.get(Endpoints, "a"));
        assert_eq!(composed.get(Secret, "s"), new.get(Secret, "s"));
        assert_eq!(composed.get(Endpoints, "gone"), old.get(Endpoints, "gone"));
        assert_eq!(composed.get(Endpoints, "b"), None);
        assert_eq!(composed.guarded_version(), old.guarded_version());
        assert_ne!(composed.guarded_version(), new.guarded_version());
    }
}
