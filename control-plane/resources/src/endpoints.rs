//! The servers of each cluster: those with addresses are pushed by EDS, those
//! with names are inside their cluster, for Envoy to resolve.

use crate::nobody;
use crate::well_known::{address, host_and_port, number};
use envoy_types::pb::envoy::config::core::v3::{Address, HealthStatus};
use envoy_types::pb::envoy::config::endpoint::v3::{
    ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints,
    cluster_load_assignment::Policy, endpoint::HealthCheckConfig, lb_endpoint::HostIdentifier,
};
use plan::{Endpoints, Host, Member, Named, Plan, PoolPlan};
use std::collections::BTreeMap;

/// By how much, in percent, a priority's share of well servers is multiplied before the next
/// priority gets a part of the requests: so that one server that is well gets all of them.
/// (Envoy's own is 140. Whether servers of another zone take part is decided by load.)
const ONE_WELL_SERVER_IS_ENOUGH: u32 = 100_000;

/// The same where all servers are to be asked when fewer than `panic_percent` of them are well:
/// Envoy does so only where the well ones, multiplied, are not enough (seen in the source of
/// 1.40). What is missing is given to the next priority, if there is one: then there is no panic.
fn overprovisioning(panic_percent: Option<u8>, priorities: usize) -> u32 {
    let percent = panic_percent.map(u32::from).filter(|percent| *percent > 0 && priorities <= 1);
    percent.map_or(ONE_WELL_SERVER_IS_ENOUGH, |percent| 10_000_u32.div_ceil(percent))
}

/// The assignments of EDS.
pub(crate) fn all(pools: &[PoolPlan]) -> Vec<ClusterLoadAssignment> {
    pools
        .iter()
        .filter(|pool| matches!(pool.endpoints, Endpoints::Members(_)))
        .map(of_pool)
        .collect()
}

/// The assignments that make `new` of `old`, if nothing else differs between them
/// that Envoy is told; `None` if something does. Where servers are known by their
/// addresses in TLS, their cluster names them.
pub(crate) fn changed(old: &Plan, new: &Plan) -> Option<Vec<ClusterLoadAssignment>> {
    let same = (&old.listener, &old.filter) == (&new.listener, &new.filter)
        && (&old.issuers, &old.detectors) == (&new.issuers, &new.detectors)
        && (&old.retry, &old.credential_headers) == (&new.retry, &new.credential_headers);
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
        changed.push(of_pool(after));
    }
    Some(changed)
}

/// The servers of a pool, and who answers where none of them is well. Among names there is
/// nobody who does: Envoy resolves each server of such a cluster, and leaves out what has no
/// address (seen on 1.40).
fn of_pool(pool: &PoolPlan) -> ClusterLoadAssignment {
    // Who answers in their place is in a priority of his own.
    let panic_percent = pool.panic_percent.filter(|_| !pool.chained);
    let mut all = assignment(&pool.cluster, &pool.endpoints, panic_percent);
    if pool.chained {
        let last = all.endpoints.iter().map(|group| group.priority).max().unwrap_or_default();
        all.endpoints.push(nobody::server(pool, last.saturating_add(1)));
    }
    all
}

/// The servers of one cluster, by priority. Envoy wants every priority from 0 on.
/// `panic_percent`: below which share of well servers all of them are asked.
pub(crate) fn assignment(
    cluster: &str,
    endpoints: &Endpoints,
    panic_percent: Option<u8>,
) -> ClusterLoadAssignment {
    let mut by_priority = BTreeMap::from([(0, Vec::new())]);
    let all: Vec<_> = match endpoints {
        Endpoints::Members(all) => all.iter().map(|one| (one.priority, member(one))).collect(),
        Endpoints::Names(all) => all.iter().map(|one| (one.priority, named(one))).collect(),
    };
    for (priority, server) in all {
        by_priority.entry(priority).or_insert_with(Vec::new).push(server);
    }
    let factor = overprovisioning(panic_percent, by_priority.len());
    ClusterLoadAssignment {
        cluster_name: cluster.to_owned(),
        endpoints: by_priority.into_iter().map(group).collect(),
        policy: Some(Policy { overprovisioning_factor: number(factor), ..Policy::default() }),
        ..ClusterLoadAssignment::default()
    }
}

fn group((priority, lb_endpoints): (u32, Vec<LbEndpoint>)) -> LocalityLbEndpoints {
    LocalityLbEndpoints { priority, lb_endpoints, ..LocalityLbEndpoints::default() }
}

fn member(member: &Member) -> LbEndpoint {
    LbEndpoint {
        health_status: health(member).into(),
        load_balancing_weight: member.weight.and_then(number),
        ..server(address(member.address), member.hostname.as_deref())
    }
}

/// Envoy sends nothing new to a server that is draining and lets it end what it
/// began, whatever the health checks say of it. One that is degraded gets something where no
/// other in the cluster is well: see [`nobody::server`] for who is.
const fn health(member: &Member) -> HealthStatus {
    match member {
        Member { draining: true, .. } => HealthStatus::Draining,
        Member { resting: true, .. } => HealthStatus::Degraded,
        _ => HealthStatus::Unknown,
    }
}

fn named(of: &Named) -> LbEndpoint {
    let server = match &of.host {
        Host::Ip(ip) => server(host_and_port(ip.to_string(), of.port), None),
        Host::Name(name) => server(host_and_port(name.clone(), of.port), Some(name)),
    };
    LbEndpoint { load_balancing_weight: of.weight.and_then(number), ..server }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clusters::tests::pool;

    #[test]
    fn one_well_server_is_enough_unless_a_share_has_to_be() {
        let table = [
            (None, 1, 100_000),
            (Some(1), 1, 10_000),
            (Some(20), 1, 500),
            (Some(100), 1, 100),
            (Some(20), 2, 100_000),
        ];
        for (percent, priorities, factor) in table {
            assert_eq!(overprovisioning(percent, priorities), factor, "{percent:?}");
        }
        // Of three servers one is below 34 %, and two are not.
        let factor = overprovisioning(Some(34), 1);
        assert!(factor / 3 < 100 && 2 * factor / 3 >= 100);
    }

    #[test]
    fn who_answers_in_the_place_of_servers_gets_nothing_while_one_is_well() {
        let members = [1, 2, 3].map(|n| Member::at(std::net::SocketAddr::from(([10, 0, 0, n], 1))));
        for chained in [true, false] {
            let pool = pool(false, members.to_vec());
            let pool = PoolPlan { chained, panic_percent: Some(50), ..pool };
            let factor = of_pool(&pool).policy.unwrap().overprovisioning_factor;
            assert_eq!(factor, number(if chained { 100_000 } else { 200 }));
        }
    }

    #[test]
    fn who_rests_comes_last_and_who_drains_not_at_all() {
        let at = Member::at("10.0.0.1:1".parse().unwrap());
        let table = [
            (false, false, HealthStatus::Unknown),
            (false, true, HealthStatus::Degraded),
            (true, false, HealthStatus::Draining),
            (true, true, HealthStatus::Draining),
        ];
        for (draining, resting, expected) in table {
            let told = member(&Member { draining, resting, ..at.clone() });
            assert_eq!(told.health_status(), expected, "{draining} {resting}");
        }
    }
}
