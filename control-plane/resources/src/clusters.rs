//! The clusters: one for each pool, and the empty one that a request is on while
//! its body is read. Those that keys are fetched from: see [`crate::key_clusters`];
//! those of external detectors: [`crate::detector_clusters`].

use crate::endpoints::assignment;
use crate::upstream_tls::{self, certified};
use crate::well_known::{boolean, duration, number, over_ads};
use crate::{detector_clusters, key_clusters};
use contract::names::HOLDING_CLUSTER;
use envoy_types::pb::envoy::config::cluster::v3::{
    CircuitBreakers, Cluster, OutlierDetection, UpstreamConnectionOptions,
    circuit_breakers::Thresholds,
    cluster::{
        ClusterDiscoveryType, CommonLbConfig, CustomClusterType, DiscoveryType, EdsClusterConfig,
        LbPolicy,
    },
};
use envoy_types::pb::envoy::config::core::v3::{
    HealthCheck, Http1ProtocolOptions, HttpProtocolOptions, TcpKeepalive,
    health_check::{HealthChecker, HttpHealthCheck},
};
use envoy_types::pb::envoy::extensions::clusters::common::dns::v3::DnsLookupFamily;
use envoy_types::pb::envoy::extensions::clusters::dns::v3::DnsCluster;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    SubjectAltNameMatcher, subject_alt_name_matcher::SanType,
};
use envoy_types::pb::envoy::extensions::upstreams::http::v3 as upstream;
use envoy_types::pb::envoy::r#type::v3::Percent;
use envoy_types::util::pack_any;
use plan::{Balance, Ejection, Endpoints, HealthPlan, Member, Plan, PoolPlan};
use std::time::Duration;

/// Connections, requests and waiting requests of one pool in one Envoy. Envoy's
/// own 1024 would turn callers away long before the engines are full; what a
/// pool may take is for the limits of the configuration to say.
const CIRCUIT_BREAKER: u32 = 1_000_000;

/// Bytes that Envoy holds for one connection to an engine before it stops
/// reading: the streams of a slow client cost no more than this each.
const CONNECTION_BUFFER_BYTES: u32 = 256 * 1024;

/// An idle connection to an engine is closed by us, before the engine does it
/// (uvicorn, which most are served by, after 5 s): a request that is sent
/// while the other side closes is lost.
const ENGINE_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Longest time a server that goes on failing is passed over.
const EJECTION_MAX: Duration = Duration::from_secs(8);

/// How often Envoy looks for ejections that are over.
const EJECTION_SWEEP: Duration = Duration::from_secs(1);

/// Most of a pool's servers, in percent, that may be passed over at once: the
/// only server of a pool never is.
const EJECTED_PERCENT_MAX: u32 = 50;

/// Failed health checks in a row after which a server gets no more requests.
const UNHEALTHY_AFTER: u32 = 2;

/// Servers of a pool among which error rates are held against the threshold.
const ERROR_RATE_SERVERS_MIN: u32 = 2;

/// Requests to one server within a sweep from which on its error rate says
/// something.
const ERROR_RATE_REQUESTS_MIN: u32 = 5;

/// What a health check calls a server that has no name.
const HEALTH_CHECK_HOST: &str = "engine";

/// A name that no certificate can be of (RFC 6761, section 6.4).
const NOBODY: &str = "nobody.invalid";

/// All clusters, the holding one first.
pub(crate) fn all(plan: &Plan) -> Vec<Cluster> {
    let pools = std::iter::once(holding()).chain(plan.pools.iter().map(pool));
    let keys = key_clusters::all(&plan.issuers);
    pools.chain(keys).chain(detector_clusters::all(&plan.detectors)).collect()
}

fn holding() -> Cluster {
    Cluster {
        name: HOLDING_CLUSTER.to_owned(),
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::Static.into())),
        ..Cluster::default()
    }
}

fn pool(pool: &PoolPlan) -> Cluster {
    let cluster = Cluster {
        name: pool.cluster.clone(),
        connect_timeout: duration(pool.connect_timeout),
        per_connection_buffer_limit_bytes: number(CONNECTION_BUFFER_BYTES),
        lb_policy: lb_policy(pool.balance).into(),
        health_checks: pool.health.iter().map(health_check).collect(),
        circuit_breakers: Some(circuit_breakers()),
        outlier_detection: Some(outlier_detection(&pool.ejection)),
        common_lb_config: Some(common_lb()),
        typed_extension_protocol_options: [protocol()].into(),
        transport_socket: pool.tls.then(|| upstream_tls::socket(names_in_certificates(pool))),
        upstream_connection_options: Some(keepalive()),
        ignore_health_on_host_removal: true,
        ..Cluster::default()
    };
    discovered(cluster, &pool.endpoints)
}

/// How Envoy learns the servers.
fn discovered(cluster: Cluster, endpoints: &Endpoints) -> Cluster {
    match endpoints {
        Endpoints::Members(_) => Cluster {
            cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::Eds.into())),
            eds_cluster_config: Some(EdsClusterConfig {
                eds_config: Some(over_ads(false)),
                ..EdsClusterConfig::default()
            }),
            ..cluster
        },
        Endpoints::Names(_) => Cluster {
            cluster_discovery_type: Some(ClusterDiscoveryType::ClusterType(by_dns())),
            load_assignment: Some(assignment(&cluster.name, endpoints)),
            ..cluster
        },
    }
}

/// Every address that the names resolve to is a server of its own, asked for
/// again when the answer of the name service is stale.
pub(crate) fn by_dns() -> CustomClusterType {
    let dns = DnsCluster {
        respect_dns_ttl: true,
        dns_lookup_family: DnsLookupFamily::V4Preferred.into(),
        all_addresses_in_single_endpoint: false,
        ..DnsCluster::default()
    };
    CustomClusterType { name: "envoy.cluster.dns".to_owned(), typed_config: Some(pack_any(dns)) }
}

const fn lb_policy(balance: Balance) -> LbPolicy {
    match balance {
        Balance::RoundRobin => LbPolicy::RoundRobin,
        Balance::LeastRequest | Balance::Load => LbPolicy::LeastRequest,
    }
}

fn health_check(plan: &HealthPlan) -> HealthCheck {
    HealthCheck {
        timeout: duration(plan.timeout),
        interval: duration(plan.interval),
        // Envoy asks a cluster without traffic once a minute, if not told otherwise.
        no_traffic_interval: duration(plan.interval),
        no_traffic_healthy_interval: duration(plan.interval),
        unhealthy_interval: duration(plan.unhealthy_interval),
        unhealthy_edge_interval: duration(plan.unhealthy_interval),
        unhealthy_threshold: number(UNHEALTHY_AFTER),
        healthy_threshold: number(1),
        health_checker: Some(HealthChecker::HttpHealthCheck(HttpHealthCheck {
            host: HEALTH_CHECK_HOST.to_owned(),
            path: plan.path.clone(),
            ..HttpHealthCheck::default()
        })),
        ..HealthCheck::default()
    }
}

fn circuit_breakers() -> CircuitBreakers {
    CircuitBreakers {
        thresholds: vec![Thresholds {
            max_connections: number(CIRCUIT_BREAKER),
            max_pending_requests: number(CIRCUIT_BREAKER),
            max_requests: number(CIRCUIT_BREAKER),
            ..Thresholds::default()
        }],
        ..CircuitBreakers::default()
    }
}

/// Passes over a server that cannot be reached, or whose answers are mostly
/// failures, whatever it says of its own health (vLLM calls itself well while it
/// refuses everything before its end). In a row only gateway errors count: one
/// caller's strange request, answered by 500, must not take a server from the
/// others.
fn outlier_detection(ejection: &Ejection) -> OutlierDetection {
    OutlierDetection {
        interval: duration(EJECTION_SWEEP),
        base_ejection_time: duration(ejection.base),
        max_ejection_time: duration(EJECTION_MAX.max(ejection.base)),
        max_ejection_percent: number(EJECTED_PERCENT_MAX),
        // A health check that passes would end the ejection at once.
        successful_active_health_check_uneject_host: boolean(false),
        split_external_local_origin_errors: true,
        consecutive_gateway_failure: number(ejection.failures),
        enforcing_consecutive_gateway_failure: number(100),
        consecutive_local_origin_failure: number(ejection.failures),
        enforcing_consecutive_local_origin_failure: number(100),
        enforcing_consecutive_5xx: number(0),
        enforcing_success_rate: number(0),
        enforcing_local_origin_success_rate: number(0),
        failure_percentage_threshold: number(ejection.error_percent.into()),
        failure_percentage_minimum_hosts: number(ERROR_RATE_SERVERS_MIN),
        failure_percentage_request_volume: number(ERROR_RATE_REQUESTS_MIN),
        enforcing_failure_percentage: number(100),
        enforcing_failure_percentage_local_origin: number(100),
        ..OutlierDetection::default()
    }
}

/// A request for servers that are all unwell is refused, not sent to them. A
/// server's change of health or weight counts at once: by default Envoy holds
/// back, for a second, each that follows another, which made a second lying
/// server answer some forty requests more.
fn common_lb() -> CommonLbConfig {
    CommonLbConfig {
        healthy_panic_threshold: Some(Percent { value: 0.0 }),
        update_merge_window: duration(Duration::ZERO),
        ..CommonLbConfig::default()
    }
}

fn keepalive() -> UpstreamConnectionOptions {
    UpstreamConnectionOptions {
        tcp_keepalive: Some(TcpKeepalive {
            keepalive_probes: number(3),
            keepalive_time: number(30),
            keepalive_interval: number(10),
        }),
        ..UpstreamConnectionOptions::default()
    }
}

/// HTTP/1.1: what every engine speaks, and every server of keys.
pub(crate) fn protocol() -> (String, envoy_types::pb::google::protobuf::Any) {
    use upstream::http_protocol_options::{
        ExplicitHttpConfig, UpstreamProtocolOptions, explicit_http_config::ProtocolConfig,
    };
    let http1 = ProtocolConfig::HttpProtocolOptions(Http1ProtocolOptions::default());
    let options = upstream::HttpProtocolOptions {
        common_http_protocol_options: Some(HttpProtocolOptions {
            idle_timeout: duration(ENGINE_IDLE_TIMEOUT),
            ..HttpProtocolOptions::default()
        }),
        upstream_protocol_options: Some(UpstreamProtocolOptions::ExplicitHttpConfig(
            ExplicitHttpConfig { protocol_config: Some(http1) },
        )),
        ..upstream::HttpProtocolOptions::default()
    };
    ("envoy.extensions.upstreams.http.v3.HttpProtocolOptions".to_owned(), pack_any(options))
}

/// What the certificates have to be of. Envoy holds a name against the
/// certificate by itself, an address it does not. So where there may be addresses,
/// all servers are listed, and the list is never empty: with an empty one Envoy
/// would take any certificate for a server that has no name.
fn names_in_certificates(pool: &PoolPlan) -> Vec<SubjectAltNameMatcher> {
    let Endpoints::Members(members) = &pool.endpoints else { return Vec::new() };
    if pool.named {
        return Vec::new();
    }
    let exact = |member: &Member| match &member.hostname {
        Some(name) => certified(SanType::Dns, name.clone()),
        None => certified(SanType::IpAddress, member.address.ip().to_string()),
    };
    let nobody = certified(SanType::Dns, NOBODY.to_owned());
    std::iter::once(nobody).chain(members.iter().map(exact)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoy_types::pb::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
    use std::net::SocketAddr;

    fn pool(named: bool, members: Vec<Member>) -> PoolPlan {
        PoolPlan {
            name: "a".to_owned(),
            cluster: "pool/a".to_owned(),
            endpoints: Endpoints::Members(members),
            tls: true,
            named,
            balance: Balance::LeastRequest,
            health: None,
            ejection: Ejection::default(),
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_certificate_has_to_be_of_the_server() {
        let address: SocketAddr = "10.0.0.7:8443".parse().unwrap();
        let server = Member { address, hostname: None, draining: false, weight: None };
        let called = Member { hostname: Some("engine.example".to_owned()), ..server.clone() };
        let names = |pool: &PoolPlan| {
            let all = names_in_certificates(pool).into_iter().filter_map(|one| one.matcher);
            all.map(|name| name.match_pattern).collect::<Vec<_>>()
        };
        let exact = |name: &str| Some(MatchPattern::Exact(name.to_owned()));
        let listed = names(&pool(false, vec![server, called.clone()]));
        assert_eq!(listed, [exact(NOBODY), exact("10.0.0.7"), exact("engine.example")]);
        assert_eq!(names(&pool(false, vec![called.clone()])).len(), 2);
        assert_eq!(names(&pool(false, vec![])), [exact(NOBODY)]);
        assert_eq!(names(&pool(true, vec![called])), []);
    }
}
