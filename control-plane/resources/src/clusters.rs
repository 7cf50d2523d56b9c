//! The clusters: one for each pool, and the empty one that a request is on while
//! its body is read. Those that keys are fetched from: see [`crate::key_clusters`];
//! those of external detectors: [`crate::detector_clusters`].

use crate::endpoints::assignment;
use crate::upstream_filters::{self, Shared};
use crate::upstream_tls::{self, Asked, certified};
use crate::well_known::{duration, number, over_ads};
use crate::{Material, Placement, TranslateError};
use crate::{balancing, breakers, detector_clusters, key_clusters, nobody, protocol, wellness};
use contract::names::HOLDING_CLUSTER;
use envoy_types::pb::envoy::config::cluster::v3::{
    Cluster, UpstreamConnectionOptions,
    cluster::{
        ClusterDiscoveryType, CommonLbConfig, CustomClusterType, DiscoveryType, EdsClusterConfig,
    },
};
use envoy_types::pb::envoy::config::core::v3::{TcpKeepalive, TransportSocket};
use envoy_types::pb::envoy::extensions::clusters::common::dns::v3::DnsLookupFamily;
use envoy_types::pb::envoy::extensions::clusters::dns::v3::DnsCluster;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    SubjectAltNameMatcher, subject_alt_name_matcher::SanType,
};
use envoy_types::pb::envoy::r#type::v3::Percent;
use envoy_types::util::pack_any;
use plan::{Endpoints, Member, Plan, PoolPlan, Protocol};
use std::time::Duration;

/// Bytes that Envoy holds for one connection to an engine before it stops
/// reading: the streams of a slow client cost no more than this each.
const CONNECTION_BUFFER_BYTES: u32 = 256 * 1024;

/// A name that no certificate can be of (RFC 6761, section 6.4).
const NO_SERVERS_NAME: &str = "nobody.invalid";

/// All clusters, the holding one first.
pub(crate) fn all(
    plan: &Plan,
    placement: &Placement,
    material: &Material,
) -> Result<Vec<Cluster>, TranslateError> {
    let pools = plan.pools.iter().map(|one| pool(one, plan, placement, material));
    let pools: Vec<_> = pools.collect::<Result<_, _>>()?;
    let others = key_clusters::all(&plan.issuers).into_iter();
    let others = others.chain(detector_clusters::all(&plan.detectors));
    Ok(std::iter::once(holding()).chain(pools).chain(others).collect())
}

fn holding() -> Cluster {
    Cluster {
        name: HOLDING_CLUSTER.to_owned(),
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::Static.into())),
        ..Cluster::default()
    }
}

fn pool(
    pool: &PoolPlan,
    plan: &Plan,
    placement: &Placement,
    material: &Material,
) -> Result<Cluster, TranslateError> {
    let shared = Shared { credential_headers: &plan.credential_headers, module: &placement.wasm };
    let filters = upstream_filters::of(pool, shared)?;
    let cluster = Cluster {
        name: pool.cluster.clone(),
        connect_timeout: duration(pool.connect_timeout),
        per_connection_buffer_limit_bytes: number(CONNECTION_BUFFER_BYTES),
        load_balancing_policy: Some(balancing::policy(pool)),
        health_checks: pool
            .health
            .iter()
            .map(|plan| wellness::health_check(plan, pool.protocol))
            .collect(),
        circuit_breakers: Some(breakers::of(
            &pool.breakers,
            (!pool.chained).then_some(plan.retry.budget_percent),
        )),
        outlier_detection: Some(wellness::ejection(&pool.ejection)),
        common_lb_config: Some(common_lb(pool.panic_percent)),
        typed_extension_protocol_options: [protocol::options(pool.protocol, filters)].into(),
        transport_socket: pool.tls.then(|| tls(pool, material)).transpose()?,
        transport_socket_matches: (pool.tls && pool.chained)
            .then(nobody::in_clear)
            .into_iter()
            .collect(),
        upstream_connection_options: Some(keepalive()),
        ignore_health_on_host_removal: true,
        ..Cluster::default()
    };
    Ok(discovered(cluster, pool))
}

fn tls(pool: &PoolPlan, material: &Material) -> Result<TransportSocket, TranslateError> {
    let authorities = match &pool.ca {
        None => None,
        Some(file) => Some(
            material
                .engine_cas
                .get(file)
                .ok_or_else(|| TranslateError::NotRead(file.display().to_string()))?,
        ),
    };
    let protocol = match pool.protocol {
        Protocol::Http1 => upstream_tls::HTTP1,
        Protocol::Http2 => upstream_tls::HTTP2,
    };
    let names = names_in_certificates(pool);
    Ok(upstream_tls::asking(Asked { authorities, names, protocol }))
}

/// How Envoy learns the servers.
fn discovered(cluster: Cluster, pool: &PoolPlan) -> Cluster {
    match &pool.endpoints {
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
            load_assignment: Some(assignment(&cluster.name, &pool.endpoints, pool.panic_percent)),
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

/// A request for servers that are all unwell is refused, not sent to them, unless the
/// configuration wants them asked. A server's change of health or weight counts at once: by
/// default Envoy holds back, for a second, each that follows another, which made a second lying
/// server answer some forty requests more.
fn common_lb(panic_percent: Option<u8>) -> CommonLbConfig {
    let value = panic_percent.unwrap_or_default().into();
    CommonLbConfig {
        healthy_panic_threshold: Some(Percent { value }),
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
    let nobody = certified(SanType::Dns, NO_SERVERS_NAME.to_owned());
    std::iter::once(nobody).chain(members.iter().map(exact)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use envoy_types::pb::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
    use plan::{Balance, Breakers, Ejection};
    use std::net::SocketAddr;

    pub(crate) fn pool(named: bool, members: Vec<Member>) -> PoolPlan {
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
            affinity: false,
            protocol: Protocol::Http1,
            ca: None,
            credentials: None,
            breakers: Breakers::default(),
            slow_start: None,
            panic_percent: None,
            chained: false,
            ends: true,
            rewritten: false,
        }
    }

    #[test]
    fn a_certificate_has_to_be_of_the_server() {
        let address: SocketAddr = "10.0.0.7:8443".parse().unwrap();
        let server = Member::at(address);
        let called = Member { hostname: Some("engine.example".to_owned()), ..server.clone() };
        let names = |pool: &PoolPlan| {
            let all = names_in_certificates(pool).into_iter().filter_map(|one| one.matcher);
            all.map(|name| name.match_pattern).collect::<Vec<_>>()
        };
        let exact = |name: &str| Some(MatchPattern::Exact(name.to_owned()));
        let listed = names(&pool(false, vec![server, called.clone()]));
        assert_eq!(listed, [exact(NO_SERVERS_NAME), exact("10.0.0.7"), exact("engine.example")]);
        assert_eq!(names(&pool(false, vec![called.clone()])).len(), 2);
        assert_eq!(names(&pool(false, vec![])), [exact(NO_SERVERS_NAME)]);
        assert_eq!(names(&pool(true, vec![called])), []);
    }
}
