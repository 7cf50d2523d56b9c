//! What attempts rely on: the clusters that routes go to, the secrets and the configurations
//! of the filters inside of clusters, and the listener that answers where nobody is well.

use super::{There, require, unpack};
use crate::TranslateError;
use crate::chains::{self, PriorityGroups};
use crate::protocol::OPTIONS;
use crate::secrets::credential_asked_for;
use contract::policy::PluginConfig;
use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::core::v3::{
    address::Address, envoy_internal_address::AddressNameSpecifier,
};
use envoy_types::pb::envoy::config::endpoint::v3::{
    ClusterLoadAssignment, LbEndpoint, lb_endpoint::HostIdentifier,
};
use envoy_types::pb::envoy::config::route::v3::{
    Route, RouteConfiguration, route::Action, route_action::ClusterSpecifier,
};
use envoy_types::pb::envoy::extensions::filters::http::credential_injector::v3::CredentialInjector;
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpFilter, http_filter::ConfigType,
};
use envoy_types::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use envoy_types::pb::google::protobuf::Any;
use prost::Name;
use std::collections::BTreeSet;

/// The clusters that routes name, for requests and for copies of them.
pub(super) fn routes(config: &RouteConfiguration, there: &There<'_>) -> Vec<TranslateError> {
    let all = config.virtual_hosts.iter().flat_map(|host| &host.routes);
    all.flat_map(|route| {
        let from = format!("the route {}", route.name);
        match targets(&from, route) {
            Ok(names) => missing(&from, "cluster", names, &there.clusters),
            Err(fault) => vec![fault],
        }
    })
    .collect()
}

fn missing(
    from: &str,
    kind: &'static str,
    names: impl IntoIterator<Item = String>,
    there: &BTreeSet<&str>,
) -> Vec<TranslateError> {
    names.into_iter().filter_map(|name| require(from, kind, &name, there)).collect()
}

/// The clusters that a route always goes to, or may be told to go to, once each.
fn targets(from: &str, route: &Route) -> Result<BTreeSet<String>, TranslateError> {
    let Some(Action::Route(action)) = &route.action else { return Ok(BTreeSet::new()) };
    let mut names: BTreeSet<_> =
        action.request_mirror_policies.iter().map(|one| one.cluster.clone()).collect();
    if let Some(ClusterSpecifier::Cluster(name)) = &action.cluster_specifier {
        names.insert(name.clone());
    }
    if let Some(plugin) = chains::plugin(route) {
        let groups = unpack::<PriorityGroups>(from, plugin)?;
        names.extend(groups.clusters().map(str::to_owned));
    }
    Ok(names)
}

/// What the filters inside of a cluster need.
pub(super) fn filters(cluster: &Cluster, there: &There<'_>) -> Vec<TranslateError> {
    let from = format!("the cluster {}", cluster.name);
    let Some(options) = cluster.typed_extension_protocol_options.get(OPTIONS) else {
        return Vec::new();
    };
    match unpack::<HttpProtocolOptions>(&from, options) {
        Ok(options) => {
            options.http_filters.iter().flat_map(|one| filter(&from, one, there)).collect()
        }
        Err(fault) => vec![fault],
    }
}

fn filter(from: &str, filter: &HttpFilter, there: &There<'_>) -> Vec<TranslateError> {
    let Some(ConfigType::TypedConfig(any)) = &filter.config_type else { return Vec::new() };
    let faults = if any.type_url == CredentialInjector::type_url() {
        credential(from, any, there)
    } else if any.type_url == Wasm::type_url() {
        engine(from, any).map(|()| Vec::new())
    } else {
        Ok(Vec::new())
    };
    faults.unwrap_or_else(|fault| vec![fault])
}

fn credential(
    from: &str,
    any: &Any,
    there: &There<'_>,
) -> Result<Vec<TranslateError>, TranslateError> {
    let name = credential_asked_for(&unpack::<CredentialInjector>(from, any)?)?;
    Ok(missing(from, "secret", [name], &there.secrets))
}

fn engine(from: &str, any: &Any) -> Result<(), TranslateError> {
    match super::plugin_config(from, any)? {
        PluginConfig::Engine(_) => Ok(()),
        PluginConfig::Gateway(_) | PluginConfig::Sync(_) => Err(TranslateError::Unreadable {
            what: from.to_owned(),
            why: "its filter is of another role".to_owned(),
        }),
    }
}

/// The listeners inside of Envoy that servers stand for.
pub(super) fn listeners(of: &ClusterLoadAssignment, there: &There<'_>) -> Vec<TranslateError> {
    let from = format!("endpoints of {}", of.cluster_name);
    let servers = of.endpoints.iter().flat_map(|group| &group.lb_endpoints);
    missing(&from, "listener", servers.filter_map(internal), &there.listeners)
}

fn internal(server: &LbEndpoint) -> Option<String> {
    let HostIdentifier::Endpoint(endpoint) = server.host_identifier.as_ref()? else { return None };
    let Address::EnvoyInternalAddress(address) = endpoint.address.as_ref()?.address.as_ref()?
    else {
        return None;
    };
    let AddressNameSpecifier::ServerListenerName(name) = address.address_name_specifier.as_ref()?;
    Some(name.clone())
}
