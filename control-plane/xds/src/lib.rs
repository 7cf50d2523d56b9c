//! A delta ADS server for Envoy: the protocol, and nothing of what is served.
//!
//! A [`Snapshot`] is everything Envoy shall have, by [`ResourceType`] and name,
//! each resource encoded once and versioned by the hash of its bytes. It is
//! published to a [`Cache`]; every connected Envoy has a [`Session`] that works
//! out what to send next; a [`Server`] moves messages between the two and notes
//! in a [`Registry`] what each Envoy has and has refused.
//!
//! ```no_run
//! use xds::{Cache, Registry, ResourceType, Server, Snapshot};
//! # fn cluster() -> envoy_types::pb::envoy::config::cluster::v3::Cluster { Default::default() }
//! let cache = Cache::new();
//! let registry = Registry::new(&cache);
//! let service = Server::new(cache.clone(), registry.clone()).into_service();
//! // mount `service` on a tonic or axum router, then, whenever the plan changes:
//! let mut builder = Snapshot::builder();
//! builder.put(ResourceType::Cluster, "engines", &cluster());
//! cache.publish(builder.build());
//! // and for whoever asks: who is connected, what did they refuse
//! let envoys = registry.snapshot();
//! # let _ = (service, envoys);
//! ```
//!
//! # What a session promises
//!
//! - Make before break: clusters and endpoints first; listeners, routes and
//!   extension configurations once those are acknowledged; clusters, endpoints
//!   and secrets disappear only after all that used them was acknowledged and a
//!   grace time has passed ([`Settings`]).
//! - A changed cluster is followed by its endpoints in the same batch.
//! - An extension configuration is never taken away from an Envoy.
//! - A refused (NACKed) response is not repeated. If it had several resources
//!   it is halved until the bad one is alone: the good ones get through, the
//!   bad one rests until its bytes change, and Envoy keeps the last good one.
//! - A refused cluster holds back only what was declared to need it
//!   ([`SnapshotBuilder::needs`]); everything else goes on.
//! - Nothing is answered before the first snapshot was published, so a
//!   restarted control plane takes nothing away from a running Envoy.
//!
//! State of the world (`StreamAggregatedResources`) is answered with
//! `UNIMPLEMENTED`.

mod cache;
mod order;
mod registry;
mod resource;
mod server;
mod session;
mod subscription;
#[cfg(test)]
mod tests;

pub use cache::Cache;
pub use order::Settings;
pub use registry::{EnvoyStatus, Registry};
pub use resource::{Resource, ResourceType, Snapshot, SnapshotBuilder};
pub use server::Server;
pub use session::Session;
pub use subscription::{Nack, TypeStatus};
