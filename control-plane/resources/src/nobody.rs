//! Who answers for a pool of which no server is well.
//!
//! Envoy refuses such a request by itself and does not try the next pool. So clusters that
//! a request can go on from have one more server, behind all others: a listener inside of
//! Envoy, which answers each request with a status that is tried again, and that counts
//! against no server.

use crate::upstream_filters::named;
use contract::names::{NOBODY, NOBODY_STATUS};
use envoy_types::pb::envoy::config::cluster::v3::cluster::TransportSocketMatch;
use envoy_types::pb::envoy::config::core::v3::{
    Address, EnvoyInternalAddress, HealthStatus, Metadata, TransportSocket, address,
    envoy_internal_address::AddressNameSpecifier, transport_socket::ConfigType,
};
use envoy_types::pb::envoy::config::endpoint::v3::{
    Endpoint, LbEndpoint, LocalityLbEndpoints, endpoint::HealthCheckConfig,
    lb_endpoint::HostIdentifier,
};
use envoy_types::pb::envoy::config::listener::v3::{
    Filter, FilterChain, Listener, filter,
    listener::{InternalListenerConfig, ListenerSpecifier},
};
use envoy_types::pb::envoy::config::route::v3::{
    DirectResponseAction, Route, RouteConfiguration, RouteMatch, VirtualHost, route::Action,
    route_match::PathSpecifier,
};
use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, http_connection_manager::RouteSpecifier,
};
use envoy_types::pb::envoy::extensions::transport_sockets::raw_buffer::v3::RawBuffer;
use envoy_types::pb::google::protobuf::{Struct, Value, value};
use envoy_types::util::pack_any;
use plan::PoolPlan;

/// The listener, if a pool needs it.
pub(crate) fn listener(pools: &[PoolPlan]) -> Option<Listener> {
    let needed = pools.iter().any(|pool| pool.chained);
    needed.then(|| Listener {
        name: NOBODY.to_owned(),
        filter_chains: vec![FilterChain {
            filters: vec![Filter {
                name: "envoy.filters.network.http_connection_manager".to_owned(),
                config_type: Some(filter::ConfigType::TypedConfig(pack_any(manager()))),
            }],
            ..FilterChain::default()
        }],
        listener_specifier: Some(ListenerSpecifier::InternalListener(InternalListenerConfig {})),
        ..Listener::default()
    })
}

fn manager() -> HttpConnectionManager {
    HttpConnectionManager {
        stat_prefix: NOBODY.to_owned(),
        http_filters: vec![named("envoy.filters.http.router", pack_any(Router::default()))],
        route_specifier: Some(RouteSpecifier::RouteConfig(routes())),
        ..HttpConnectionManager::default()
    }
}

fn routes() -> RouteConfiguration {
    let everything = RouteMatch {
        path_specifier: Some(PathSpecifier::Prefix("/".to_owned())),
        ..RouteMatch::default()
    };
    let answer =
        DirectResponseAction { status: NOBODY_STATUS.into(), ..DirectResponseAction::default() };
    RouteConfiguration {
        name: NOBODY.to_owned(),
        virtual_hosts: vec![VirtualHost {
            name: NOBODY.to_owned(),
            domains: vec!["*".to_owned()],
            routes: vec![Route {
                r#match: Some(everything),
                action: Some(Action::DirectResponse(answer)),
                ..Route::default()
            }],
            ..VirtualHost::default()
        }],
        ..RouteConfiguration::default()
    }
}

/// Metadata of a server by which Envoy chooses its transport socket.
const SOCKET_MATCH: &str = "envoy.transport_socket_match";

fn mark() -> Struct {
    let is = Value { kind: Some(value::Kind::BoolValue(true)) };
    Struct { fields: [(NOBODY.to_owned(), is)].into() }
}

/// How a cluster that speaks TLS to its servers speaks to this one: in clear, it is in the
/// same process.
pub(crate) fn in_clear() -> TransportSocketMatch {
    TransportSocketMatch {
        name: NOBODY.to_owned(),
        r#match: Some(mark()),
        transport_socket: Some(TransportSocket {
            name: "envoy.transport_sockets.raw_buffer".to_owned(),
            config_type: Some(ConfigType::TypedConfig(pack_any(RawBuffer::default()))),
        }),
    }
}

/// The server of a pool's cluster that comes after all others, in a priority of its own.
///
/// Where every request can go on to another pool it is well, and answers before servers that
/// want to be left alone are asked. Where one ends at this pool it is as they are, and comes after
/// them.
pub(crate) fn server(pool: &PoolPlan, priority: u32) -> LocalityLbEndpoints {
    let health = if pool.ends { HealthStatus::Degraded } else { HealthStatus::Unknown };
    let address = EnvoyInternalAddress {
        address_name_specifier: Some(AddressNameSpecifier::ServerListenerName(NOBODY.to_owned())),
        endpoint_id: pool.cluster.clone(),
    };
    let endpoint = Endpoint {
        address: Some(Address { address: Some(address::Address::EnvoyInternalAddress(address)) }),
        // It is always well, and Envoy ends in a panic where it is asked (seen on 1.40).
        health_check_config: Some(HealthCheckConfig {
            disable_active_health_check: true,
            ..HealthCheckConfig::default()
        }),
        ..Endpoint::default()
    };
    LocalityLbEndpoints {
        priority,
        lb_endpoints: vec![LbEndpoint {
            host_identifier: Some(HostIdentifier::Endpoint(endpoint)),
            metadata: Some(Metadata {
                filter_metadata: [(SOCKET_MATCH.to_owned(), mark())].into(),
                ..Metadata::default()
            }),
            health_status: health.into(),
            ..LbEndpoint::default()
        }],
        ..LocalityLbEndpoints::default()
    }
}
