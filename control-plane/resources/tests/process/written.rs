//! Resources written into the bootstrap of an Envoy.

use super::can_chain;
use crate::fixture;
use envoy_types::pb::envoy::config::bootstrap::v3::{
    Admin, Bootstrap,
    bootstrap::{DynamicResources, StaticResources},
};
use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::cluster::v3::cluster::{ClusterDiscoveryType, DiscoveryType};
use envoy_types::pb::envoy::config::core::v3::{
    Address, ApiConfigSource, ApiVersion, ConfigSource, GrpcService, Node, PathConfigSource,
    SocketAddress, TypedExtensionConfig, address,
    api_config_source::ApiType,
    config_source::ConfigSourceSpecifier,
    grpc_service::{EnvoyGrpc, TargetSpecifier},
    socket_address::PortSpecifier,
};
use envoy_types::pb::envoy::config::listener::v3::{Listener, filter::ConfigType};
use envoy_types::pb::envoy::extensions::bootstrap::internal_listener::v3::InternalListener;
use envoy_types::pb::envoy::extensions::filters::http::credential_injector::v3::CredentialInjector;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, http_connection_manager::RouteSpecifier, http_filter,
};
use envoy_types::pb::envoy::extensions::http::injected_credentials::generic::v3::Generic;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use envoy_types::pb::envoy::service::discovery::v3::DiscoveryResponse;
use envoy_types::pb::google::protobuf::Any;
use envoy_types::util::pack_any;
use plan::Plan;
use prost::{Message, Name};
use resources::{EnvoyResources, Placement, translate};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The resources of the small plan, with chains where this Envoy has them.
pub fn resources_for_this_envoy(engine: SocketAddr, wasm: &Path, spool: &Path) -> EnvoyResources {
    let placement = Placement { wasm: wasm.to_owned(), spool_file: spool.to_owned() };
    let plan = for_this_envoy(fixture::plan(engine));
    translate(&plan, &placement, &fixture::material()).unwrap()
}

/// The plan, with chains where this Envoy has them.
pub fn for_this_envoy(mut plan: Plan) -> Plan {
    plan.filter.chains = can_chain();
    plan.pools.iter_mut().for_each(|pool| pool.chained &= can_chain());
    plan
}

/// A bootstrap that holds the resources themselves where they refer to xDS; the routes, in
/// the bytes that are sent, in a file of this folder.
pub fn inlined(resources: EnvoyResources, folder: &Path) -> Vec<u8> {
    let all = resources.clone();
    let routes = routes_file(&resources, folder);
    let listeners = all.listeners.into_iter().map(|one| listener(one, &resources, &routes));
    let bootstrap = Bootstrap {
        admin: Some(Admin { address: Some(any_port()), ..Admin::default() }),
        node: Some(node()),
        bootstrap_extensions: vec![internal_listeners()],
        static_resources: Some(StaticResources {
            listeners: listeners.collect(),
            clusters: all.clusters.into_iter().map(|one| cluster(one, &resources)).collect(),
            secrets: all.secrets.iter().map(|one| one.reveal().clone()).collect(),
        }),
        ..Bootstrap::default()
    };
    bootstrap.encode_to_vec()
}

fn internal_listeners() -> TypedExtensionConfig {
    TypedExtensionConfig {
        name: "envoy.bootstrap.internal_listener".to_owned(),
        typed_config: Some(pack_any(InternalListener::default())),
    }
}

fn node() -> Node {
    Node { id: "gateway-1".to_owned(), cluster: "tollgate".to_owned(), ..Node::default() }
}

fn routes_file(resources: &EnvoyResources, folder: &Path) -> PathBuf {
    let routes = resources.encoded().find(|one| one.type_url.ends_with("RouteConfiguration"));
    let routes = routes.unwrap();
    let response = DiscoveryResponse {
        version_info: "1".to_owned(),
        resources: vec![Any { type_url: routes.type_url.clone(), value: routes.bytes }],
        type_url: routes.type_url,
        ..DiscoveryResponse::default()
    };
    let path = folder.join("routes.pb");
    std::fs::write(&path, response.encode_to_vec()).unwrap();
    path
}

/// A bootstrap that holds listeners and clusters as they are sent: the rest is to
/// be asked for over ADS. But for the secrets: as long as it reads its bootstrap, Envoy 1.40
/// ends where a filter inside of a cluster asks for one over ADS; a cluster that comes by
/// CDS may have it.
pub fn as_sent(mut resources: EnvoyResources) -> Vec<u8> {
    resources.clusters.iter_mut().for_each(with_static_secrets);
    let secrets = resources.secrets.iter().map(|one| one.reveal().clone()).collect();
    let control = EnvoyGrpc { cluster_name: "control".to_owned(), ..EnvoyGrpc::default() };
    let service = GrpcService {
        target_specifier: Some(TargetSpecifier::EnvoyGrpc(control)),
        ..GrpcService::default()
    };
    let ads = ApiConfigSource {
        api_type: ApiType::DeltaGrpc.into(),
        transport_api_version: ApiVersion::V3.into(),
        grpc_services: vec![service],
        ..ApiConfigSource::default()
    };
    let control = Cluster { name: "control".to_owned(), ..Cluster::default() };
    let bootstrap = Bootstrap {
        node: Some(node()),
        bootstrap_extensions: vec![internal_listeners()],
        dynamic_resources: Some(DynamicResources {
            ads_config: Some(ads),
            ..DynamicResources::default()
        }),
        static_resources: Some(StaticResources {
            listeners: resources.listeners,
            clusters: resources.clusters.into_iter().chain([control]).collect(),
            secrets,
        }),
        ..Bootstrap::default()
    };
    bootstrap.encode_to_vec()
}

fn any_port() -> Address {
    let socket = SocketAddress {
        address: "127.0.0.1".to_owned(),
        port_specifier: Some(PortSpecifier::PortValue(0)),
        ..SocketAddress::default()
    };
    Address { address: Some(address::Address::SocketAddress(socket)) }
}

fn listener(mut listener: Listener, resources: &EnvoyResources, routes: &Path) -> Listener {
    if listener.address.is_none() {
        return listener;
    }
    let filter = &mut listener.filter_chains[0].filters[0];
    let Some(ConfigType::TypedConfig(any)) = &filter.config_type else { panic!("no manager") };
    let mut manager = HttpConnectionManager::decode(&*any.value).unwrap();
    if let Some(RouteSpecifier::Rds(rds)) = &mut manager.route_specifier {
        rds.config_source = Some(from_file(routes));
    }
    for filter in &mut manager.http_filters {
        let config = resources.extensions.iter().find(|one| one.name == filter.name);
        if let Some(config) = config.and_then(|one| one.typed_config.clone()) {
            filter.config_type = Some(http_filter::ConfigType::TypedConfig(config));
        }
    }
    filter.config_type = Some(ConfigType::TypedConfig(pack_any(manager)));
    listener
}

fn from_file(path: &Path) -> ConfigSource {
    let path = path.to_str().unwrap().to_owned();
    let source = PathConfigSource { path, ..PathConfigSource::default() };
    ConfigSource {
        resource_api_version: ApiVersion::V3.into(),
        config_source_specifier: Some(ConfigSourceSpecifier::PathConfigSource(source)),
        ..ConfigSource::default()
    }
}

/// Its filters take their secrets from the bootstrap.
fn with_static_secrets(cluster: &mut Cluster) {
    for options in cluster.typed_extension_protocol_options.values_mut() {
        let mut all = HttpProtocolOptions::decode(&*options.value).unwrap();
        for filter in &mut all.http_filters {
            let Some(http_filter::ConfigType::TypedConfig(any)) = &mut filter.config_type else {
                continue;
            };
            if any.type_url != CredentialInjector::type_url() {
                continue;
            }
            let mut injector = CredentialInjector::decode(&*any.value).unwrap();
            let credential = injector.credential.as_mut().unwrap();
            let generic = credential.typed_config.as_ref().unwrap();
            let mut generic = Generic::decode(&*generic.value).unwrap();
            generic.credential.as_mut().unwrap().sds_config = None;
            credential.typed_config = Some(pack_any(generic));
            *any = pack_any(injector);
        }
        *options = pack_any(all);
    }
}

fn cluster(mut cluster: Cluster, resources: &EnvoyResources) -> Cluster {
    with_static_secrets(&mut cluster);
    let own = resources.endpoints.iter().find(|one| one.cluster_name == cluster.name);
    if let Some(assignment) = own {
        cluster.eds_cluster_config = None;
        cluster.cluster_discovery_type =
            Some(ClusterDiscoveryType::Type(DiscoveryType::Static.into()));
        cluster.load_assignment = Some(assignment.clone());
    }
    cluster
}
