//! Holds the resources against each other before they are published: Envoy
//! takes a route to a cluster that is not there, and answers 503 from then on.

mod attempts;

use crate::secrets::{self, SecretResource};
use crate::{EnvoyResources, TranslateError};
use contract::names::{GATEWAY, JWT, jwt_payload_header};
use contract::policy::{GatewayConfig, PluginConfig};
use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::cluster::v3::cluster::{ClusterDiscoveryType, DiscoveryType};
use envoy_types::pb::envoy::config::core::v3::{TypedExtensionConfig, http_uri::HttpUpstreamType};
use envoy_types::pb::envoy::config::listener::v3::{Listener, filter};
use envoy_types::pb::envoy::extensions::filters::http::jwt_authn::v3::{
    JwtAuthentication, jwt_provider::JwksSourceSpecifier,
};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, http_connection_manager::RouteSpecifier, http_filter,
};
use envoy_types::pb::google::protobuf::{Any, StringValue};
use prost::{Message, Name};
use std::collections::BTreeSet;

/// Checks that every name that a resource refers to is there, that none is there
/// twice, and that the filter takes its configuration.
///
/// # Errors
/// Everything that does not fit, not only the first.
pub fn check(resources: &EnvoyResources) -> Result<(), Vec<TranslateError>> {
    let there = There::of(resources);
    let faults: Vec<_> = [
        twice(resources),
        resources.listeners.iter().flat_map(|one| listener(one, &there)).collect(),
        resources.routes.iter().flat_map(|one| attempts::routes(one, &there)).collect(),
        servers(resources, &there),
        resources.clusters.iter().flat_map(|one| attempts::filters(one, &there)).collect(),
        resources.endpoints.iter().flat_map(|one| attempts::listeners(one, &there)).collect(),
        resources.extensions.iter().flat_map(|one| extension(one, &there)).collect(),
        issuers(resources),
    ]
    .into_iter()
    .flatten()
    .collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// The names that are there, by type.
struct There<'a> {
    clusters: BTreeSet<&'a str>,
    endpoints: BTreeSet<&'a str>,
    listeners: BTreeSet<&'a str>,
    routes: BTreeSet<&'a str>,
    extensions: BTreeSet<&'a str>,
    secrets: BTreeSet<&'a str>,
}

impl<'a> There<'a> {
    fn of(resources: &'a EnvoyResources) -> Self {
        There {
            clusters: clusters(resources).collect(),
            endpoints: assignments(resources).collect(),
            listeners: resources.listeners.iter().map(|one| one.name.as_str()).collect(),
            routes: resources.routes.iter().map(|one| one.name.as_str()).collect(),
            extensions: resources.extensions.iter().map(|one| one.name.as_str()).collect(),
            secrets: resources.secrets.iter().map(SecretResource::name).collect(),
        }
    }
}

fn twice(resources: &EnvoyResources) -> Vec<TranslateError> {
    [
        doubled("clusters", clusters(resources)),
        doubled("endpoints", assignments(resources)),
        doubled("listeners", resources.listeners.iter().map(|one| one.name.as_str())),
        doubled("routes", resources.routes.iter().map(|one| one.name.as_str())),
        doubled("extensions", resources.extensions.iter().map(|one| one.name.as_str())),
        doubled("secrets", resources.secrets.iter().map(SecretResource::name)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn doubled<'a>(kind: &'static str, names: impl Iterator<Item = &'a str>) -> Vec<TranslateError> {
    let mut seen = BTreeSet::new();
    names
        .filter(|name| !seen.insert(*name))
        .map(|name| TranslateError::Twice { kind, name: name.to_owned() })
        .collect()
}

fn clusters(resources: &EnvoyResources) -> impl Iterator<Item = &str> {
    resources.clusters.iter().map(|one| one.name.as_str())
}

fn assignments(resources: &EnvoyResources) -> impl Iterator<Item = &str> {
    resources.endpoints.iter().map(|one| one.cluster_name.as_str())
}

fn require(
    from: &str,
    kind: &'static str,
    name: &str,
    there: &BTreeSet<&str>,
) -> Option<TranslateError> {
    (!there.contains(name)).then(|| TranslateError::Missing {
        from: from.to_owned(),
        kind,
        name: name.to_owned(),
    })
}

fn listener(listener: &Listener, there: &There<'_>) -> Vec<TranslateError> {
    let from = format!("the listener {}", listener.name);
    let filters = listener.filter_chains.iter().flat_map(|chain| &chain.filters);
    let managers = filters.filter_map(|filter| match &filter.config_type {
        Some(filter::ConfigType::TypedConfig(any)) => Some(any),
        _ => None,
    });
    managers
        .flat_map(|any| match unpack::<HttpConnectionManager>(&from, any) {
            Ok(manager) => connection_manager(&from, &manager, there),
            Err(fault) => vec![fault],
        })
        .chain(certificates(&from, listener, there))
        .collect()
}

fn certificates(from: &str, listener: &Listener, there: &There<'_>) -> Vec<TranslateError> {
    let sockets = listener.filter_chains.iter().filter_map(|chain| chain.transport_socket.as_ref());
    sockets
        .flat_map(|socket| match secrets::asked_for(from, socket) {
            Ok(names) => names
                .iter()
                .filter_map(|name| require(from, "secret", name, &there.secrets))
                .collect(),
            Err(fault) => vec![fault],
        })
        .collect()
}

fn connection_manager(
    from: &str,
    manager: &HttpConnectionManager,
    there: &There<'_>,
) -> Vec<TranslateError> {
    let routes = match &manager.route_specifier {
        Some(RouteSpecifier::Rds(rds)) => {
            require(from, "route configuration", &rds.route_config_name, &there.routes)
        }
        _ => None,
    };
    let discovered = manager.http_filters.iter().filter(|filter| {
        matches!(filter.config_type, Some(http_filter::ConfigType::ConfigDiscovery(_)))
    });
    let extensions = discovered.filter_map(|filter| {
        require(from, "filter configuration", &filter.name, &there.extensions)
    });
    routes.into_iter().chain(extensions).collect()
}

fn servers(resources: &EnvoyResources, there: &There<'_>) -> Vec<TranslateError> {
    let without = resources.clusters.iter().filter(|cluster| by_eds(cluster)).filter_map(|one| {
        require(&format!("the cluster {}", one.name), "endpoints", &one.name, &there.endpoints)
    });
    let orphans = assignments(resources).filter_map(|name| {
        require(&format!("endpoints of {name}"), "cluster", name, &there.clusters)
    });
    without.chain(orphans).collect()
}

fn by_eds(cluster: &Cluster) -> bool {
    let eds = ClusterDiscoveryType::Type(DiscoveryType::Eds.into());
    cluster.cluster_discovery_type.as_ref() == Some(&eds)
}

fn extension(extension: &TypedExtensionConfig, there: &There<'_>) -> Vec<TranslateError> {
    let faults = match extension.name.as_str() {
        JWT => tokens_config(extension).map(|config| key_clusters(&config, there)),
        _ => filter_config(extension).map(|config| filter(&config, there)),
    };
    faults.unwrap_or_else(|fault| vec![fault])
}

fn tokens_config(extension: &TypedExtensionConfig) -> Result<JwtAuthentication, TranslateError> {
    let what = format!("the filter configuration {}", extension.name);
    let any = extension.typed_config.as_ref();
    unpack(&what, any.ok_or_else(|| unreadable(&what, "it is empty"))?)
}

fn key_clusters(config: &JwtAuthentication, there: &There<'_>) -> Vec<TranslateError> {
    let remote = config.providers.values().filter_map(|one| {
        let Some(JwksSourceSpecifier::RemoteJwks(keys)) = &one.jwks_source_specifier else {
            return None;
        };
        let HttpUpstreamType::Cluster(name) =
            keys.http_uri.as_ref()?.http_upstream_type.as_ref()?;
        require(&format!("the issuer {}", one.issuer), "cluster", name, &there.clusters)
    });
    remote.collect()
}

/// Both filters must mean the same issuer by the same header: the one writes into it
/// whom it has verified, the other reads who is calling.
fn issuers(resources: &EnvoyResources) -> Vec<TranslateError> {
    let named = |name: &str| resources.extensions.iter().find(|one| one.name == name);
    let verified = named(JWT).and_then(|one| tokens_config(one).ok());
    let believed = named(GATEWAY).and_then(|one| filter_config(one).ok());
    let (Some(verified), Some(believed)) = (verified, believed) else { return Vec::new() };
    let verified: BTreeSet<_> = verified
        .providers
        .into_values()
        .map(|one| (one.forward_payload_header, one.issuer))
        .collect();
    let believed = believed.auth.issuers.into_iter();
    let believed = believed.map(|one| (jwt_payload_header(&one.issuer), one.issuer)).collect();
    let different = verified.symmetric_difference(&believed);
    different
        .map(|(header, issuer)| TranslateError::Issuers {
            header: header.clone(),
            issuer: issuer.clone(),
        })
        .collect()
}

/// Takes the filter's configuration out of its three wrappings.
fn filter_config(extension: &TypedExtensionConfig) -> Result<GatewayConfig, TranslateError> {
    let what = format!("the filter configuration {}", extension.name);
    let any = extension.typed_config.as_ref();
    let any = any.ok_or_else(|| unreadable(&what, "it is empty"))?;
    match plugin_config(&what, any)? {
        PluginConfig::Gateway(config) => Ok(*config),
        PluginConfig::Sync(_) | PluginConfig::Engine(_) => {
            Err(unreadable(&what, "it is of another role"))
        }
    }
}

/// The module's configuration within that of its filter.
fn plugin_config(what: &str, any: &Any) -> Result<PluginConfig, TranslateError> {
    let plugin = unpack::<Wasm>(what, any)?.config.and_then(|plugin| plugin.configuration);
    let any = plugin.ok_or_else(|| unreadable(what, "the plugin has no configuration"))?;
    let text = unpack::<StringValue>(what, &any)?.value;
    serde_json::from_str(&text).map_err(|error| unreadable(what, &error.to_string()))
}

fn unreadable(what: &str, why: &str) -> TranslateError {
    TranslateError::Unreadable { what: what.to_owned(), why: why.to_owned() }
}

fn filter(config: &GatewayConfig, there: &There<'_>) -> Vec<TranslateError> {
    let pools = config.pools.iter().filter_map(|(name, pool)| {
        require(&format!("the pool {name}"), "cluster", &pool.cluster, &there.clusters)
    });
    let refused = match pipeline::Policy::compile(config) {
        Ok(_) => Vec::new(),
        Err(why) => why,
    };
    let detectors = config.masking.policies.iter().filter_map(|(name, policy)| {
        let cluster = &policy.external.as_ref()?.cluster;
        require(&format!("the masking policy {name}"), "cluster", cluster, &there.clusters)
    });
    pools.chain(detectors).chain(refused.into_iter().map(TranslateError::FilterRefuses)).collect()
}

fn unpack<M: Message + Name + Default>(what: &str, any: &Any) -> Result<M, TranslateError> {
    if any.type_url != M::type_url() {
        return Err(unreadable(what, &format!("it is a {}", any.type_url)));
    }
    M::decode(any.value.as_slice()).map_err(|error| unreadable(what, &error.to_string()))
}
