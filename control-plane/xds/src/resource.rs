//! One resource as it is served: encoded once, known by the hash of its bytes.

use std::fmt;
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
    /// this legacy form to listeners and clusters alone; `*` works for all. The
    /// same two are told in full in every state-of-the-world response.
    pub(crate) fn has_legacy_wildcard(self) -> bool {
        matches!(self, Self::Cluster | Self::Listener)
    }
}

/// The hash of a resource's bytes, or of several versions. Prints as 32 digits
/// in hexadecimal, which is how Envoy sees it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version([u8; VERSION_BYTES]);

impl Version {
    /// Each part is preceded by its length, so that parts cannot run together.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        Self(digest.first_chunk().copied().unwrap_or_default())
    }

    /// What an Envoy declares. A text that was never ours equals no version.
    pub(crate) fn declared(text: &str) -> Self {
        let mut bytes = [0; VERSION_BYTES];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) => Self(bytes),
            Err(_) => Self::of([b"not ours".as_slice(), text.as_bytes()]),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One resource as it goes over the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Unique within its type.
    pub name: Arc<str>,
    /// Hash of the body: equal bytes, equal version.
    pub version: Version,
    /// The encoded message.
    pub body: Any,
}

impl Resource {
    pub(crate) fn new(kind: ResourceType, name: &str, value: Vec<u8>) -> Self {
        let version = Version::of([value.as_slice()]);
        let body = Any { type_url: kind.type_url().to_owned(), value };
        Self { name: name.into(), version, body }
    }

    /// Stands for what an Envoy has and this control plane has not: the bytes
    /// are not known, and never sent.
    pub(crate) fn declared(name: &str, version: Version) -> Self {
        Self { name: name.into(), version, body: Any::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_reads_as_it_prints_and_others_equal_none() {
        let version = Version::of([b"a".as_slice()]);
        assert_eq!(Version::declared(&version.to_string()), version);
        assert_eq!(version.to_string().len(), 32);
        assert_ne!(Version::declared("42"), Version::declared("43"));
        assert_ne!(Version::declared(""), Version::default());
    }

    #[test]
    fn parts_do_not_run_together() {
        let ab_c = Version::of([b"ab".as_slice(), b"c"]);
        assert_ne!(ab_c, Version::of([b"a".as_slice(), b"bc"]));
    }

    #[test]
    fn every_type_is_found_by_its_url() {
        for kind in ResourceType::ALL {
            assert_eq!(ResourceType::from_type_url(kind.type_url()), Some(kind));
        }
        assert_eq!(ResourceType::from_type_url(""), None);
    }
}
