//! What can be served: resources, encoded once, and a consistent set of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use envoy_types::pb::google::protobuf::Any;
use sha2::{Digest, Sha256};

/// Bytes of the SHA-256 that make a version; 128 bits do not collide by accident.
const VERSION_BYTES: usize = 16;

/// A kind of resource, in the order in which they are sent to an Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceType {
    /// SDS.
    Secret,
    /// CDS.
    Cluster,
    /// EDS: a `ClusterLoadAssignment`.
    Endpoints,
    /// LDS.
    Listener,
    /// RDS.
    Route,
    /// ECDS: a `TypedExtensionConfig`.
    ExtensionConfig,
}

impl ResourceType {
    /// Every type, in sending order.
    pub const ALL: [Self; 6] = [
        Self::Secret,
        Self::Cluster,
        Self::Endpoints,
        Self::Listener,
        Self::Route,
        Self::ExtensionConfig,
    ];

    /// The type URL of the protocol and of the bodies.
    pub fn type_url(self) -> &'static str {
        match self {
            Self::Secret => "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
            Self::Cluster => "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            Self::Endpoints => "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
            Self::Listener => "type.googleapis.com/envoy.config.listener.v3.Listener",
            Self::Route => "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
            Self::ExtensionConfig => {
                "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
            }
        }
    }

    /// The type of this URL, if it is one that is served here.
    pub fn from_type_url(url: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.type_url() == url)
    }

    /// Whether a first request without names means "all": the protocol grants
    /// this legacy form to listeners and clusters alone; `*` works for all.
    pub(crate) fn has_legacy_wildcard(self) -> bool {
        matches!(self, Self::Cluster | Self::Listener)
    }
}

/// One resource as it goes over the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Unique within its type.
    pub name: String,
    /// Hash of the body, in hexadecimal: equal bytes, equal version.
    pub version: String,
    /// The encoded message.
    pub body: Any,
}

/// The name of a resource within a snapshot.
pub(crate) type Key = (ResourceType, String);
pub(crate) type ResourceMap = BTreeMap<String, Arc<Resource>>;

static NONE: ResourceMap = BTreeMap::new();

/// Everything an Envoy shall have. Immutable, and cheap to share by `Arc`.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    resources: BTreeMap<ResourceType, ResourceMap>,
    endpoints_of: BTreeMap<String, String>,
    needs: BTreeMap<Key, Vec<Key>>,
    version: String,
}

impl Snapshot {
    /// An empty builder.
    pub fn builder() -> SnapshotBuilder {
        SnapshotBuilder::default()
    }

    /// Hash over the names and versions of all resources, in hexadecimal.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// One resource.
    pub fn get(&self, kind: ResourceType, name: &str) -> Option<&Arc<Resource>> {
        self.of(kind).get(name)
    }

    /// How many resources of this type there are.
    pub fn count(&self, kind: ResourceType) -> usize {
        self.of(kind).len()
    }

    pub(crate) fn of(&self, kind: ResourceType) -> &ResourceMap {
        self.resources.get(&kind).unwrap_or(&NONE)
    }

    pub(crate) fn endpoints_name<'a>(&'a self, cluster: &'a str) -> &'a str {
        self.endpoints_of.get(cluster).map_or(cluster, String::as_str)
    }

    pub(crate) fn needs_of(&self, kind: ResourceType, name: &str) -> &[Key] {
        self.needs.get(&(kind, name.to_owned())).map_or(&[], Vec::as_slice)
    }
}

/// Collects the resources of a [`Snapshot`].
#[derive(Clone, Debug, Default)]
pub struct SnapshotBuilder(Snapshot);

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
        let value = message.encode_to_vec();
        let body = Any { type_url: kind.type_url().to_owned(), value };
        let version = version_of(&[&body.value]);
        let resource = Arc::new(Resource { name: name.to_owned(), version, body });
        self.0.resources.entry(kind).or_default().insert(name.to_owned(), resource);
        self
    }

    /// Says that the endpoints of `cluster` have a name of their own
    /// (`eds_cluster_config.service_name`); without this it is the cluster's.
    pub fn endpoints_of(&mut self, cluster: &str, endpoints: &str) -> &mut Self {
        self.0.endpoints_of.insert(cluster.to_owned(), endpoints.to_owned());
        self
    }

    /// Says that a change of `user` is worth nothing without `used`: an Envoy
    /// that has an older `user` keeps it until it has accepted some `used`.
    /// Meant for listeners, routes and extension configurations.
    pub fn needs(&mut self, user: (ResourceType, &str), used: (ResourceType, &str)) -> &mut Self {
        let user = (user.0, user.1.to_owned());
        self.0.needs.entry(user).or_default().push((used.0, used.1.to_owned()));
        self
    }

    /// The snapshot of what was put so far; the builder keeps it and can go on.
    pub fn build(&self) -> Snapshot {
        let mut snapshot = self.0.clone();
        let mut parts: Vec<&[u8]> = Vec::new();
        for (kind, resources) in &self.0.resources {
            for resource in resources.values() {
                parts.push(kind.type_url().as_bytes());
                parts.push(resource.name.as_bytes());
                parts.push(resource.version.as_bytes());
            }
        }
        snapshot.version = version_of(&parts);
        snapshot
    }
}

/// Each part is preceded by its length, so that parts cannot run together.
fn version_of(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize().get(..VERSION_BYTES).unwrap_or_default())
}
