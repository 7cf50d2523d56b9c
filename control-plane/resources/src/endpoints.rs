//! The servers of each cluster: those with addresses are pushed by EDS, those
//! with names are inside their cluster, for Envoy to resolve.

use crate::well_known::{address, host_and_port, number};
use envoy_types::pb::envoy::config::core::v3::{Address, HealthStatus};
use envoy_types::pb::envoy::config::endpoint::v3::{
    ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints, endpoint::HealthCheckConfig,
    lb_endpoint::HostIdentifier,
};
use plan::{Endpoints, Host, Member, Plan, PoolPlan};

/// The assignments of EDS.
pub(crate) fn all(pools: &[PoolPlan]) -> Vec<ClusterLoadAssignment> {
    pools
        .iter()
        .filter(|pool| matches!(pool.endpoints, Endpoints::Members(_)))
        .map(|pool| assignment(&pool.cluster, &pool.endpoints))
        .collect()
}

/// The assignments that make `new` of `old`, if nothing else differs between them
/// that Envoy is told; `None` if something does. Where servers are known by their
/// addresses in TLS, their cluster names them.
pub(crate) fn changed(old: &Plan, new: &Plan) -> Option<Vec<ClusterLoadAssignment>> {
    let same = (&old.listener, &old.filter) == (&new.listener, &new.filter)
        && (&old.issuers, &old.detectors) == (&new.issuers, &new.detectors);
    if !same || old.pools.len() != new.pools.len() {
        return None;
    }
    let mut changed = Vec::new();
    for (before, after) in old.pools.iter().zip(&new.pools) {
        if before == after {
            continue;
        }
        let alike = after.with_endpoints_of(before) == *before;
        let pushed = |pool: &PoolPlan| matches!(pool.endpoints, Endpoints::Members(_));
        if !alike || (after.tls && !after.named) || !pushed(before) || !pushed(after) {
            return None;
        }
        changed.push(assignment(&after.cluster, &after.endpoints));
    }
    Some(changed)
}

/// The servers of one cluster.
pub(crate) fn assignment(cluster: &str, endpoints: &Endpoints) -> ClusterLoadAssignment {
    let lb_endpoints = match endpoints {
        Endpoints::Members(all) => all.iter().map(member).collect(),
        Endpoints::Names(all) => all.iter().map(|(host, port)| named(host, *port)).collect(),
    };
    ClusterLoadAssignment {
        cluster_name: cluster.to_owned(),
        endpoints: vec![LocalityLbEndpoints { lb_endpoints, ..LocalityLbEndpoints::default() }],
        ..ClusterLoadAssignment::default()
    }
}

/// Envoy sends nothing new to a server that is draining and lets it end what it
/// began, whatever the health checks say of it.
fn member(member: &Member) -> LbEndpoint {
    let health = if member.draining { HealthStatus::Draining } else { HealthStatus::Unknown };
    LbEndpoint {
        health_status: health.into(),
        load_balancing_weight: member.weight.and_then(number),
        ..server(address(member.address), member.hostname.as_deref())
    }
}

fn named(host: &Host, port: u16) -> LbEndpoint {
    match host {
        Host::Ip(ip) => server(host_and_port(ip.to_string(), port), None),
        Host::Name(name) => server(host_and_port(name.clone(), port), Some(name)),
    }
}

/// A server; a name is what it is asked by, in `Host` and in TLS.
fn server(address: Address, name: Option<&str>) -> LbEndpoint {
    let name = name.unwrap_or_default();
    let endpoint = Endpoint {
        address: Some(address),
        hostname: name.to_owned(),
        health_check_config: (!name.is_empty())
            .then(|| HealthCheckConfig { hostname: name.to_owned(), ..Default::default() }),
        ..Endpoint::default()
    };
    LbEndpoint {
        host_identifier: Some(HostIdentifier::Endpoint(endpoint)),
        ..LbEndpoint::default()
    }
}
