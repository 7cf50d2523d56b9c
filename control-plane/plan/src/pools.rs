//! How the servers of a pool are reached: one cluster for each pool.

use crate::chains::Chains;
use crate::{CredentialPlan, Endpoints, HealthPlan, Inputs, Member, Named, PoolPlan};
use contract::names::pool_cluster;
use model::ids::{PoolName, ZoneName};
use model::{Credentials, Endpoint, Health, Host, Place, Pool, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a connection to an inference server may take to be made. They are
/// on the same network; one that needs longer is as good as gone.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that was taken out is tried again within this time.
const UNHEALTHY_INTERVAL_MAX: Duration = Duration::from_secs(10);

/// Longest wait for the answer to a health check.
const HEALTH_TIMEOUT_MAX: Duration = Duration::from_secs(5);

/// Every pool, in the order of the names.
pub(crate) fn pools(inputs: &Inputs<'_>) -> Vec<PoolPlan> {
    let chains = Chains::of(inputs);
    let planned = |(name, pool): (&PoolName, &Pool)| PoolPlan {
        name: name.to_string(),
        cluster: pool_cluster(name.as_str()),
        endpoints: endpoints(name, pool, inputs),
        tls: is_tls(pool),
        named: is_named(pool),
        balance: pool.balance,
        affinity: !pool.affinity.is_none(),
        health: pool.health.as_ref().map(health),
        ejection: pool.ejection.clone(),
        connect_timeout: CONNECT_TIMEOUT.min(pool.timeout),
        timeout: pool.timeout,
        protocol: pool.protocol,
        ca: pool.tls.as_ref().map(|tls| tls.ca.clone()),
        credentials: pool.credentials.as_ref().map(|credentials| credential(name, credentials)),
        breakers: pool.breakers,
        slow_start: pool.slow_start,
        panic_percent: pool.panic_percent,
        chained: chains.goes_on(name),
        ends: chains.ends_at(name),
        rewritten: chains.rewrites(name),
    };
    inputs.config.pools.iter().map(planned).collect()
}

/// Each once, in their order.
pub(crate) fn credential_headers(pools: &[PoolPlan]) -> Vec<String> {
    let headers = pools.iter().filter_map(|pool| pool.credentials.as_ref());
    let headers: BTreeSet<_> = headers.map(|credentials| credentials.header.clone()).collect();
    headers.into_iter().collect()
}

/// [`Credentials::value`] stays behind: it travels with the secrets.
fn credential(pool: &PoolName, credentials: &Credentials) -> CredentialPlan {
    let header = credentials.header.to_string();
    CredentialPlan { header, secret: format!("credential/{pool}") }
}

fn is_tls(pool: &Pool) -> bool {
    match &pool.discover {
        Some(discovery) => discovery.tls,
        None => pool.endpoints.iter().any(|endpoint| endpoint.tls),
    }
}

/// A source in the DNS finds nothing but names; whatever else may be addresses.
fn is_named(pool: &Pool) -> bool {
    match &pool.discover {
        Some(discovery) => matches!(discovery.source, Source::Dns(_)),
        None => pool.endpoints.iter().all(|endpoint| matches!(endpoint.host, Host::Name(_))),
    }
}

fn endpoints(name: &PoolName, pool: &Pool, inputs: &Inputs<'_>) -> Endpoints {
    let near = Near {
        zone: inputs.config.gateway.zone.as_ref(),
        share: inputs.spilling.get(name).copied().unwrap_or_default(),
    };
    let written = || pool.endpoints.iter().map(address).collect::<Option<Vec<_>>>();
    let of_now = inputs.members.get(name).cloned();
    let at = |all: Vec<SocketAddr>| all.into_iter().map(Member::at).collect();
    match of_now.or_else(|| written().map(at)) {
        Some(members) => Endpoints::Members(near.members(pool, members)),
        None => Endpoints::Names(near.names(pool)),
    }
}

/// Where an endpoint is, when it has an address.
fn address(endpoint: &Endpoint) -> Option<SocketAddr> {
    let Host::Ip(ip) = endpoint.host else { return None };
    Some(SocketAddr::new(ip, endpoint.port))
}

/// All of a server's weight, in percent.
const WHOLE: u8 = 100;

/// Which servers are as near as the nearest, and what those have that are not.
struct Near<'a> {
    /// Where the gateway is, if that is known.
    zone: Option<&'a ZoneName>,
    /// How much of their weight servers of other zones have beside those nearby, in percent,
    /// because those are busy; 0: they get requests where nobody nearby is well.
    share: u8,
}

impl Near<'_> {
    /// With their places, in the order of the addresses.
    fn members(&self, pool: &Pool, mut members: Vec<Member>) -> Vec<Member> {
        let places = pool.places.iter().filter_map(|(at, place)| Some((address(at)?, place)));
        let places: BTreeMap<_, _> = places.collect();
        for member in &mut members {
            if let Some(Place { zone, weight }) = places.get(&member.address) {
                member.zone = zone.as_ref().map(ToString::to_string).or(member.zone.take());
                member.weight = member.weight.or(*weight);
            }
        }
        let priorities = self.priorities(members.iter().map(|member| member.zone.as_deref()));
        for (member, priority) in members.iter_mut().zip(priorities) {
            member.priority = priority;
        }
        if (1..WHOLE).contains(&self.share) {
            members.iter_mut().for_each(|member| member.weight = Some(self.shared(member)));
        }
        members.sort();
        members
    }

    /// The weight of a server where those of other zones have a part of theirs: in the
    /// proportions of both, at least 1.
    fn shared(&self, member: &Member) -> u32 {
        let share = if self.is_far(member.zone.as_deref()) { self.share } else { WHOLE };
        member.weight.unwrap_or(1).saturating_mul(share.into()).max(1)
    }

    /// In the order of the configuration.
    fn names(&self, pool: &Pool) -> Vec<Named> {
        let place = |endpoint: &Endpoint| pool.places.get(endpoint).cloned().unwrap_or_default();
        let places: Vec<_> = pool.endpoints.iter().map(place).collect();
        let zones = places.iter().map(|place| place.zone.as_ref().map(AsRef::as_ref));
        let named = pool.endpoints.iter().zip(&places).zip(self.priorities(zones));
        let named = named.map(|((endpoint, place), priority)| Named {
            host: endpoint.host.clone(),
            port: endpoint.port,
            weight: place.weight,
            priority,
        });
        named.collect()
    }

    /// 0 for those nearby and 1 for the others, as long as they take no part. Envoy wants no
    /// gap: without any nearby, all are 0.
    fn priorities<'z>(&self, zones: impl Iterator<Item = Option<&'z str>>) -> Vec<u32> {
        let far: Vec<bool> = zones.map(|zone| self.share == 0 && self.is_far(zone)).collect();
        let none_near = far.iter().all(|far| *far);
        far.into_iter().map(|far| u32::from(far && !none_near)).collect()
    }

    /// Whether a server is in another zone. One whose zone nobody knows is not.
    fn is_far(&self, zone: Option<&str>) -> bool {
        self.zone.is_some_and(|own| zone.is_some_and(|zone| zone != own.as_ref()))
    }
}

fn health(health: &Health) -> HealthPlan {
    HealthPlan {
        path: health.path.clone(),
        interval: health.interval,
        unhealthy_interval: health.interval.min(UNHEALTHY_INTERVAL_MAX),
        timeout: health.interval.min(HEALTH_TIMEOUT_MAX),
    }
}

#[cfg(test)]
mod tests;
