//! Pools: where their endpoints come from, and what each endpoint does.

use crate::cli::table::{self, plain};
use crate::cli::when;
use admin::{EndpointStatus, PoolStatus, SourceStatus};

const SOURCE_COLUMNS: [&str; 7] =
    ["POOL", "SOURCE", "STATE", "SINCE", "CONFIRMED", "ENDPOINTS", "PROBLEM"];
const BALANCE_COLUMNS: [&str; 7] =
    ["POOL", "BALANCE", "AFFINITY", "SPILLING", "REQUESTS", "WAITING", "CONNECTIONS"];
const ENDPOINT_COLUMNS: [&str; 12] = [
    "POOL", "ENDPOINT", "ZONE", "MODEL", "HEALTH", "DRAINING", "RESTING", "ACTIVE", "WEIGHT",
    "RUNNING", "WAITING", "KV",
];
const NUMBERS: [&str; 5] = ["ACTIVE", "WEIGHT", "RUNNING", "WAITING", "KV"];

/// A row for each pool, also for those without endpoints.
pub fn sources(pools: &[PoolStatus]) -> String {
    let mut table = table::new(&SOURCE_COLUMNS, &["ENDPOINTS"]);
    for PoolStatus { name, source, endpoints, .. } in pools {
        let SourceStatus { kind, state, error, since_ms, confirmed_at_ms } = source;
        table.add_row([
            plain(name),
            word(kind),
            word(state),
            table::or_nothing(since_ms.map(when)),
            table::or_nothing(confirmed_at_ms.map(when)),
            endpoints.len().to_string(),
            table::or_nothing(error.as_deref().map(plain)),
        ]);
    }
    table::text(&table)
}

/// How each pool is balanced, and what one Envoy has under way to it at most.
pub fn balancing(pools: &[PoolStatus]) -> String {
    let numbers = ["REQUESTS", "WAITING", "CONNECTIONS"];
    let mut table = table::new(&BALANCE_COLUMNS, &numbers);
    for pool in pools {
        let spilling = Some(pool.spill_percent).filter(|percent| *percent > 0);
        table.add_row([
            plain(&pool.name),
            word(&pool.balance),
            word(&pool.affinity),
            table::or_nothing(spilling.map(|percent| format!("{percent}%"))),
            table::or_nothing(pool.breakers.requests),
            table::or_nothing(pool.breakers.waiting),
            table::or_nothing(pool.breakers.connections),
        ]);
    }
    table::text(&table)
}

/// A row for each endpoint.
pub fn endpoints(pools: &[PoolStatus]) -> String {
    let mut table = table::new(&ENDPOINT_COLUMNS, &NUMBERS);
    for pool in pools {
        for endpoint in &pool.endpoints {
            table.add_row(endpoint_row(pool, endpoint));
        }
    }
    table::text(&table)
}

fn endpoint_row(pool: &PoolStatus, endpoint: &EndpointStatus) -> [String; 12] {
    let load = &endpoint.load;
    let draining = Some(table::yes_or_no(true)).filter(|_| load.draining);
    [
        plain(&pool.name),
        plain(&endpoint.address),
        table::or_nothing(load.zone.as_deref().map(plain)),
        plain(&pool.model),
        table::or_nothing(endpoint.health.as_deref().map(plain)),
        table::or_nothing(draining),
        table::or_nothing(load.resting_until_ms.map(when)),
        table::or_nothing(endpoint.active_requests),
        table::or_nothing(load.weight),
        table::or_nothing(load.running.map(rounded)),
        table::or_nothing(load.waiting.map(rounded)),
        table::or_nothing(load.kv_use.map(|share| format!("{:.0}%", share * 100.0))),
    ]
}

/// An empty word is none.
fn word(word: &str) -> String {
    table::or_nothing(Some(plain(word)).filter(|word| !word.is_empty()))
}

/// A smoothed count: one digit after the point is all that it can say.
fn rounded(count: f64) -> String {
    format!("{count:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use admin::{BreakersStatus, ServerLoad};

    fn words(text: &str) -> Vec<Vec<&str>> {
        text.lines().map(|row| row.split_whitespace().collect()).collect()
    }

    fn pool() -> PoolStatus {
        let load = ServerLoad {
            draining: true,
            resting_until_ms: Some(2_000),
            zone: Some("east".into()),
            weight: Some(64),
            running: Some(2.46),
            waiting: Some(0.0),
            kv_use: Some(0.417),
        };
        PoolStatus {
            name: "a".into(),
            model: "m".into(),
            balance: "load".into(),
            affinity: "prefix".into(),
            spill_percent: 30,
            breakers: BreakersStatus { waiting: Some(64), ..BreakersStatus::default() },
            source: SourceStatus {
                kind: "dns".into(),
                state: "failing".into(),
                error: Some("no answer\nfrom 127.0.0.1".into()),
                since_ms: Some(1_000),
                confirmed_at_ms: Some(500),
            },
            endpoints: vec![
                EndpointStatus {
                    address: "127.0.0.1:9".into(),
                    health: Some("healthy".into()),
                    active_requests: Some(3),
                    load,
                },
                EndpointStatus { address: "127.0.0.1:8".into(), ..EndpointStatus::default() },
            ],
        }
    }

    #[test]
    fn every_pool_has_its_source_even_one_without_endpoints() {
        let listed = PoolStatus {
            name: "b".into(),
            source: SourceStatus { kind: "list".into(), ..SourceStatus::default() },
            ..PoolStatus::default()
        };
        let text = sources(&[pool(), listed]);
        let rows = words(&text);
        assert_eq!(rows[0], SOURCE_COLUMNS);
        let (since, confirmed) = ("1970-01-01T00:00:01.000Z", "1970-01-01T00:00:00.500Z");
        let told = ["a", "dns", "failing", since, confirmed, "2", "no", "answer", "from"];
        assert_eq!(rows[1][..9], told);
        assert_eq!(rows[2], ["b", "list", "-", "-", "-", "0", "-"]);
    }

    #[test]
    fn every_endpoint_has_its_load() {
        let text = endpoints(&[pool()]);
        let rows = words(&text);
        assert_eq!(rows[0], ENDPOINT_COLUMNS);
        let until = "1970-01-01T00:00:02.000Z";
        let full = ["a", "127.0.0.1:9", "east", "m", "healthy", "yes", until, "3", "64", "2.5"];
        assert_eq!((&rows[1][..10], &rows[1][10..]), (&full[..], &["0.0", "42%"][..]));
        let bare = ["a", "127.0.0.1:8", "-", "m", "-", "-", "-", "-", "-", "-", "-", "-"];
        assert_eq!(rows[2], bare);
    }

    #[test]
    fn every_pool_has_its_balancing() {
        let text = balancing(&[pool(), PoolStatus { name: "b".into(), ..PoolStatus::default() }]);
        let rows = words(&text);
        assert_eq!(rows[0], BALANCE_COLUMNS);
        assert_eq!(rows[1], ["a", "load", "prefix", "30%", "-", "64", "-"]);
        assert_eq!(rows[2], ["b", "-", "-", "-", "-", "-", "-"]);
    }
}
