//! An ADS server for Envoy: the protocol, and nothing of what is served.
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
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let cache = Cache::new();
//! let registry = Registry::new(&cache);
//! let service = Server::new(cache.clone(), registry.clone()).into_service();
//! // mount `service` on a tonic or axum router, then, whenever the plan changes:
//! let mut builder = Snapshot::builder_after(cache.current());
//! builder.put(ResourceType::Cluster, "engines", &cluster());
//! cache.publish(builder.build());
//! // and for whoever asks: who is connected, what did they refuse
//! let envoys = registry.snapshot();
//! # let _ = (service, envoys);
//! # }
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
//! # Two protocols
//!
//! Delta is the main one. State of the world (SotW) is served from the same
//! snapshot by the same session, with the same order and the same care for what
//! was refused. What the older protocol cannot say is weaker in it:
//!
//! - A response about clusters or listeners holds all of them, so an Envoy that
//!   *reconnects* loses at once what the snapshot has no more; and if it refuses
//!   that first response, nothing is halved (a part of it would take the rest
//!   away): the whole rests until the snapshot changes.
//! - Endpoints, routes, secrets and extension configurations cannot be taken
//!   away, nor a name be answered as unknown.
//!
//! # Bounds
//!
//! Of each type one response is unanswered at most, and it holds about 32 KiB
//! (more only if one resource does, or in a full state); the next follows the
//! acknowledgement. What waits shares its resources with the snapshot and is
//! encoded when the transport has room. So an Envoy that never reads costs its
//! own stream, a few responses and a pointer or two for each name it asked for,
//! and holds up nobody. A stream with more than 100,000 names, a name of more
//! than 1024 bytes, or a request of more than 8 MiB ends with
//! `RESOURCE_EXHAUSTED`.
//!
//! # Who gets what, and when
//!
//! [`Cache::with_canary`] lets some Envoys try a change before the others
//! ([`Rollout`] says how far it got); [`Cache::with_variants`] and
//! [`Cache::publish_all`] give Envoys of different abilities different
//! snapshots.

mod ask;
mod cache;
mod canary;
mod clock;
pub mod delta;
mod had;
mod order;
mod registry;
mod resource;
mod server;
mod session;
mod snapshot;
pub mod sotw;
mod status;
mod stream;
mod subscription;
#[cfg(test)]
mod tests;

pub use ask::{Answer, Ask, Protocol};
pub use cache::Cache;
pub use canary::{Canary, Rollout};
pub use order::Settings;
pub use registry::{EnvoyStatus, Registry};
pub use resource::{Resource, ResourceType, Version};
pub use server::Server;
pub use session::{Exceeded, Session};
pub use snapshot::{Snapshot, SnapshotBuilder};
pub use status::{Counts, Nack, TypeStatus};
