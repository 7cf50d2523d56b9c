//! A plan becomes the messages that Envoy is configured with.
//!
//! [`translate`] is pure: the same plan gives the same bytes, so that a resource
//! is sent again only when it changed. The listener hardly ever changes; what
//! does is in the routes, the clusters, the endpoints and the configuration of
//! the filter. [`bootstrap::render`] writes what an Envoy is started with, and
//! [`consistency::check`] holds the resources against each other before they
//! are published.

mod access_log;
mod attempts;
mod balancing;
pub mod bootstrap;
mod breakers;
mod chains;
mod clusters;
pub mod consistency;
mod control_cluster;
mod detector_clusters;
mod endpoints;
mod error;
mod filter_config;
mod jwks;
mod key_clusters;
mod listeners;
mod local_replies;
mod material;
mod metadata;
mod names;
mod nobody;
mod protocol;
mod routes;
pub mod secrets;
mod tokens;
mod turned_away;
mod upstream_filters;
mod upstream_tls;
mod well_known;
mod wellness;

pub use error::TranslateError;
pub use jwks::{Jwks, JwksError};
pub use material::Material;

use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::config::endpoint::v3::ClusterLoadAssignment;
use envoy_types::pb::envoy::config::listener::v3::Listener;
use envoy_types::pb::envoy::config::route::v3::RouteConfiguration;
use plan::Plan;
use prost::{Message, Name};
use secrets::SecretResource;
use std::path::PathBuf;

/// Where things lie on the machine of the Envoy that the resources are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The Wasm module: absolute, a file that never changes under this name.
    pub wasm: PathBuf,
    /// The usage spool that Envoy writes: absolute.
    pub spool_file: PathBuf,
}

/// Everything that Envoy is told over xDS, by type.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvoyResources {
    /// CDS: one a pool, the holding cluster, and one for each server of issuers' keys and
    /// each external detector.
    pub clusters: Vec<Cluster>,
    /// EDS: one for each cluster whose servers have addresses.
    pub endpoints: Vec<ClusterLoadAssignment>,
    /// LDS: the gateway, and who answers for pools of which no server is well.
    pub listeners: Vec<Listener>,
    /// RDS: the gateway's.
    pub routes: Vec<RouteConfiguration>,
    /// ECDS: the configurations of the filter that verifies tokens and of the Wasm
    /// filter. Both are always there.
    pub extensions: Vec<TypedExtensionConfig>,
    /// SDS: the certificate that callers are shown and who signs theirs, if they come
    /// over TLS, and the credentials of pools.
    pub secrets: Vec<SecretResource>,
}

/// One resource in the form in which it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded<'a> {
    /// Of the message, as xDS has it: `type.googleapis.com/…`.
    pub type_url: String,
    /// Unique within its type.
    pub name: &'a str,
    /// The message.
    pub bytes: Vec<u8>,
}

impl EnvoyResources {
    /// Every resource, encoded.
    pub fn encoded(&self) -> impl Iterator<Item = Encoded<'_>> {
        let clusters = self.clusters.iter().map(|one| encoded(&one.name, one));
        let endpoints = self.endpoints.iter().map(|one| encoded(&one.cluster_name, one));
        let listeners = self.listeners.iter().map(|one| encoded(&one.name, one));
        let routes = self.routes.iter().map(|one| encoded(&one.name, one));
        let extensions = self.extensions.iter().map(|one| encoded(&one.name, one));
        let secrets = self.secrets.iter().map(|one| encoded(one.name(), one.reveal()));
        let users = listeners.chain(routes).chain(extensions);
        secrets.chain(clusters).chain(endpoints).chain(users)
    }
}

fn encoded<'a, M: Message + Name>(name: &'a str, message: &M) -> Encoded<'a> {
    Encoded { type_url: M::type_url(), name, bytes: message.encode_to_vec() }
}

/// The endpoints that Envoy has to be told of to come from `old` to `new`, if that
/// is all; `None` if more than endpoints changed, and all is to be translated. It
/// saves the work for all other pools when a server comes, goes or is weighed anew.
#[must_use]
pub fn changed_endpoints(old: &Plan, new: &Plan) -> Option<Vec<ClusterLoadAssignment>> {
    endpoints::changed(old, new)
}

/// Writes `plan` as Envoy's messages. Callers come over TLS exactly where
/// `material` has a certificate.
///
/// # Errors
/// When a path of `placement` is not UTF-8, the filter's configuration cannot be
/// written as JSON, or `material` lacks what the plan names.
pub fn translate(
    plan: &Plan,
    placement: &Placement,
    material: &Material,
) -> Result<EnvoyResources, TranslateError> {
    let tls = secrets::downstream(&plan.listener, material)?;
    let gateway = listeners::gateway(&plan.listener, &placement.spool_file, tls)?;
    Ok(EnvoyResources {
        clusters: clusters::all(plan, placement, material)?,
        endpoints: endpoints::all(&plan.pools),
        listeners: std::iter::once(gateway).chain(nobody::listener(&plan.pools)).collect(),
        routes: vec![routes::gateway(plan)],
        extensions: vec![
            tokens::filter(&plan.issuers, &material.jwks)?,
            filter_config::gateway(&plan.filter, &placement.wasm)?,
        ],
        secrets: secrets::all(plan, material)?,
    })
}
