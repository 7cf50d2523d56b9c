//! Pools, the sources of their endpoints, and the endpoints.

use super::family::Family;
use super::seconds;
use crate::overview::{EndpointStatus, PoolStatus};
use prometheus_client::registry::Unit;

/// Most endpoints, of all pools together, that have series of their own.
pub const ENDPOINTS_MAX: usize = 10_000;
/// What Envoy says of an endpoint that it uses.
const HEALTHY: &str = "healthy";

/// An endpoint and its pool.
type Placed<'a> = (&'a PoolStatus, &'a EndpointStatus);

/// The endpoints that have series of their own, and how many have none.
pub fn shown(pools: &[PoolStatus]) -> (Vec<Placed<'_>>, usize) {
    let all = || pools.iter().flat_map(|pool| pool.endpoints.iter().map(move |one| (pool, one)));
    let shown: Vec<_> = all().take(ENDPOINTS_MAX).collect();
    let left_out = all().count() - shown.len();
    (shown, left_out)
}

/// Everything about `pools` and the endpoints that are shown.
pub fn families(pools: &[PoolStatus], endpoints: &[Placed<'_>]) -> Vec<Family> {
    let mut families = vec![sizes(pools)];
    families.extend(sources(pools));
    families.extend(loads(endpoints));
    families
}

fn sizes(pools: &[PoolStatus]) -> Family {
    let mut sizes = Family::gauge("pool_endpoints", "Endpoints of the pool, by state.");
    for pool in pools {
        let draining = pool.endpoints.iter().filter(|one| one.load.draining).count();
        let rests = |one: &&EndpointStatus| one.load.resting_until_ms.is_some();
        let resting = pool.endpoints.iter().filter(rests).count();
        let active = pool.endpoints.len() - draining - resting;
        sizes.set([("pool", &pool.name), ("state", "active")], active);
        sizes.set([("pool", &pool.name), ("state", "draining")], draining);
        sizes.set([("pool", &pool.name), ("state", "resting")], resting);
    }
    sizes
}

/// Only of pools whose endpoints are asked for.
fn sources(pools: &[PoolStatus]) -> Vec<Family> {
    let mut up = Family::gauge("discovery_up", "Whether the source of endpoints answers.");
    let mut doubted = Family::gauge(
        "discovery_doubted",
        "Whether the source reports no endpoints and is not believed yet.",
    );
    let mut confirmed = Family::gauge(
        "discovery_last_confirmed_timestamp",
        "When the source last confirmed its endpoints.",
    )
    .in_unit(Unit::Seconds);
    for pool in pools.iter().filter(|pool| !pool.source.state.is_empty()) {
        let source = &pool.source;
        let labels = [("pool", pool.name.as_str()), ("source", source.kind.as_str())];
        up.set(labels, ["fresh", "doubted"].contains(&source.state.as_str()));
        doubted.set(labels, source.state == "doubted");
        confirmed.set(labels, source.confirmed_at_ms.map(seconds));
    }
    vec![up, doubted, confirmed]
}

fn loads(endpoints: &[Placed<'_>]) -> Vec<Family> {
    let family = |name, help, value: fn(&EndpointStatus) -> Option<f64>| {
        of_each(Family::gauge(name, help), endpoints, value)
    };
    let kv_use = Family::gauge("endpoint_kv_use", "Share of the engine's KV cache in use, 0 to 1.")
        .in_unit(Unit::Other("ratio".to_owned()));
    vec![
        family("endpoint_healthy", "Whether Envoy holds the endpoint to be healthy.", |one| {
            one.health.as_ref().map(|health| f64::from(u8::from(health == HEALTHY)))
        }),
        family("endpoint_weight", "Weight among the endpoints of the pool, 1 to 128.", |one| {
            one.load.weight.map(f64::from)
        }),
        family("endpoint_requests_active", "Requests of Envoy's under way there.", |one| {
            one.active_requests.map(|count| count as f64)
        }),
        family("endpoint_requests_running", "Requests that the engine works on.", |one| {
            one.load.running
        }),
        family("endpoint_requests_waiting", "Requests that wait in the engine.", |one| {
            one.load.waiting
        }),
        of_each(kv_use, endpoints, |one| one.load.kv_use),
    ]
}

fn of_each(
    mut family: Family,
    endpoints: &[Placed<'_>],
    value: impl Fn(&EndpointStatus) -> Option<f64>,
) -> Family {
    for (pool, endpoint) in endpoints {
        let labels = [("pool", pool.name.as_str()), ("endpoint", endpoint.address.as_str())];
        family.set(labels, value(endpoint));
    }
    family
}
