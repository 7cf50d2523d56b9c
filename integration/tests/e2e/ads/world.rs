//! What the tests serve: a listener with a filter by ECDS, one route, and the
//! clusters that a test names.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::cluster::v3::cluster::{
    ClusterDiscoveryType, DiscoveryType, EdsClusterConfig,
};
use envoy_types::pb::envoy::config::common::mutation_rules::v3::{
    HeaderMutation as Mutation, header_mutation::Action as Mutate,
};
use envoy_types::pb::envoy::config::core::v3::{
    Address, AggregatedConfigSource, ApiVersion, ConfigSource, ExtensionConfigSource, HeaderValue,
    HeaderValueOption, SocketAddress, TypedExtensionConfig, address,
    config_source::ConfigSourceSpecifier, socket_address::PortSpecifier,
};
use envoy_types::pb::envoy::config::endpoint::v3::{
    ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints, lb_endpoint::HostIdentifier,
};
use envoy_types::pb::envoy::config::listener::v3::{Filter, FilterChain, Listener, filter};
use envoy_types::pb::envoy::config::route::v3::{
    Route, RouteAction, RouteConfiguration, RouteMatch, VirtualHost, route::Action,
    route_action::ClusterSpecifier, route_match::PathSpecifier,
};
use envoy_types::pb::envoy::extensions::filters::http::header_mutation::v3::{
    HeaderMutation, Mutations,
};
use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as hcm;
use envoy_types::pb::google::protobuf::Duration;
use envoy_types::util::pack_any;
use integration::Engine;
use prost::Name;
use xds::{ResourceType, Snapshot};

/// Name of the listener, of the route configuration and of the filter.
pub const GATE: &str = "gate";
/// Header of every answer: the cluster that was chosen.
pub const CLUSTER: &str = "x-cluster";
/// Header of every answer: the server that was chosen.
pub const HOST: &str = "x-host";
/// Header of every answer: the mark of the filter.
pub const MARK: &str = "x-mark";

/// A cluster as a test says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Name of its endpoints.
    pub endpoints: String,
    /// Its connect timeout in milliseconds, under 1000: a change of it is a changed
    /// cluster, and 0 is one that Envoy refuses.
    pub connect_ms: i32,
}

/// Everything that is served; change it, and publish its snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// Clusters by name.
    pub pools: BTreeMap<String, Pool>,
    /// Servers by the name of the endpoints.
    pub endpoints: BTreeMap<String, Vec<SocketAddr>>,
    /// The cluster of the one route; `None`: there is no route configuration.
    pub route: Option<String>,
    /// What the filter writes into answers; `None`: it is not there.
    pub mark: Option<String>,
    /// How long clusters wait for their endpoints, under a second. `None`, without end, is what most
    /// tests want: none then passes because Envoy gave up waiting.
    pub patience: Option<std::time::Duration>,
}

impl World {
    /// One cluster `name` with this engine, and the route to it.
    pub fn of(name: &str, engine: &Engine) -> World {
        let mut world = World {
            pools: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            route: Some(name.to_owned()),
            mark: Some("first".to_owned()),
            patience: None,
        };
        world.add(name, engine);
        world
    }

    /// Another cluster, whose endpoints have its name.
    pub fn add(&mut self, name: &str, engine: &Engine) {
        self.pools.insert(name.to_owned(), Pool { endpoints: name.to_owned(), connect_ms: 500 });
        self.endpoints.insert(name.to_owned(), vec![engine.address()]);
    }

    /// The cluster, to be changed.
    pub fn pool(&mut self, name: &str) -> &mut Pool {
        self.pools.get_mut(name).expect("a cluster of the test")
    }

    /// As it is served.
    pub fn snapshot(&self) -> Snapshot {
        let mut builder = Snapshot::builder();
        for (name, pool) in &self.pools {
            builder.put(ResourceType::Cluster, name, &self.cluster(name, pool));
            builder.endpoints_of(name, &pool.endpoints);
        }
        for (name, addresses) in &self.endpoints {
            builder.put(ResourceType::Endpoints, name, &assignment(name, addresses));
        }
        if let Some(to) = &self.route {
            builder.put(ResourceType::Route, GATE, &route(to));
        }
        if let Some(mark) = &self.mark {
            builder.put(ResourceType::ExtensionConfig, GATE, &marking(mark));
        }
        builder.put(ResourceType::Listener, GATE, &listener());
        builder.build()
    }

    fn cluster(&self, name: &str, pool: &Pool) -> Cluster {
        let patience = self.patience.unwrap_or_default().subsec_nanos();
        let eds_config = ConfigSource {
            initial_fetch_timeout: Some(Duration { seconds: 0, nanos: patience as i32 }),
            ..over_ads()
        };
        let nanos = pool.connect_ms.saturating_mul(1_000_000);
        Cluster {
            name: name.to_owned(),
            cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::Eds.into())),
            eds_cluster_config: Some(EdsClusterConfig {
                eds_config: Some(eds_config),
                service_name: pool.endpoints.clone(),
            }),
            connect_timeout: Some(Duration { seconds: 0, nanos }),
            ..Cluster::default()
        }
    }
}

fn assignment(name: &str, addresses: &[SocketAddr]) -> ClusterLoadAssignment {
    let server = |at: &SocketAddr| LbEndpoint {
        host_identifier: Some(HostIdentifier::Endpoint(Endpoint {
            address: Some(address(*at)),
            ..Endpoint::default()
        })),
        ..LbEndpoint::default()
    };
    let lb_endpoints = addresses.iter().map(server).collect();
    ClusterLoadAssignment {
        cluster_name: name.to_owned(),
        endpoints: vec![LocalityLbEndpoints { lb_endpoints, ..LocalityLbEndpoints::default() }],
        ..ClusterLoadAssignment::default()
    }
}

fn route(cluster: &str) -> RouteConfiguration {
    let header = |name: &str, value: &str| HeaderValueOption {
        header: Some(HeaderValue {
            key: name.to_owned(),
            value: value.to_owned(),
            ..HeaderValue::default()
        }),
        ..HeaderValueOption::default()
    };
    let to = RouteAction {
        cluster_specifier: Some(ClusterSpecifier::Cluster(cluster.to_owned())),
        timeout: Some(Duration::default()),
        ..RouteAction::default()
    };
    let everything = RouteMatch {
        path_specifier: Some(PathSpecifier::Prefix("/".to_owned())),
        ..RouteMatch::default()
    };
    RouteConfiguration {
        name: GATE.to_owned(),
        virtual_hosts: vec![VirtualHost {
            name: GATE.to_owned(),
            domains: vec!["*".to_owned()],
            routes: vec![Route {
                r#match: Some(everything),
                action: Some(Action::Route(to)),
                ..Route::default()
            }],
            ..VirtualHost::default()
        }],
        response_headers_to_add: vec![
            header(CLUSTER, cluster),
            header(HOST, "%UPSTREAM_REMOTE_ADDRESS%"),
        ],
        ..RouteConfiguration::default()
    }
}

fn marking(mark: &str) -> TypedExtensionConfig {
    let header =
        HeaderValue { key: MARK.to_owned(), value: mark.to_owned(), ..HeaderValue::default() };
    let append = HeaderValueOption { header: Some(header), ..HeaderValueOption::default() };
    let mutations = Mutations {
        response_mutations: vec![Mutation { action: Some(Mutate::Append(append)) }],
        ..Mutations::default()
    };
    let filter = HeaderMutation { mutations: Some(mutations), ..HeaderMutation::default() };
    TypedExtensionConfig { name: GATE.to_owned(), typed_config: Some(pack_any(filter)) }
}

fn listener() -> Listener {
    let manager = hcm::HttpConnectionManager {
        stat_prefix: GATE.to_owned(),
        http_filters: vec![discovered_filter(), router()],
        route_specifier: Some(hcm::http_connection_manager::RouteSpecifier::Rds(hcm::Rds {
            config_source: Some(over_ads()),
            route_config_name: GATE.to_owned(),
        })),
        ..hcm::HttpConnectionManager::default()
    };
    let manager = Filter {
        name: "envoy.filters.network.http_connection_manager".to_owned(),
        config_type: Some(filter::ConfigType::TypedConfig(pack_any(manager))),
    };
    Listener {
        name: GATE.to_owned(),
        address: Some(address("127.0.0.1:0".parse().expect("an address"))),
        filter_chains: vec![FilterChain { filters: vec![manager], ..FilterChain::default() }],
        ..Listener::default()
    }
}

fn discovered_filter() -> hcm::HttpFilter {
    let source = ExtensionConfigSource {
        config_source: Some(over_ads()),
        type_urls: vec![HeaderMutation::type_url()],
        ..ExtensionConfigSource::default()
    };
    hcm::HttpFilter {
        name: GATE.to_owned(),
        config_type: Some(hcm::http_filter::ConfigType::ConfigDiscovery(source)),
        ..hcm::HttpFilter::default()
    }
}

fn router() -> hcm::HttpFilter {
    hcm::HttpFilter {
        name: "envoy.filters.http.router".to_owned(),
        config_type: Some(hcm::http_filter::ConfigType::TypedConfig(pack_any(Router::default()))),
        ..hcm::HttpFilter::default()
    }
}

fn over_ads() -> ConfigSource {
    ConfigSource {
        resource_api_version: ApiVersion::V3.into(),
        initial_fetch_timeout: Some(Duration::default()),
        config_source_specifier: Some(ConfigSourceSpecifier::Ads(AggregatedConfigSource {})),
        ..ConfigSource::default()
    }
}

fn address(of: SocketAddr) -> Address {
    Address {
        address: Some(address::Address::SocketAddress(SocketAddress {
            address: of.ip().to_string(),
            port_specifier: Some(PortSpecifier::PortValue(of.port().into())),
            ..SocketAddress::default()
        })),
    }
}
