//! What has to be said when only servers changed, and when that is not all.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[cfg(test)]
mod fixture;

use plan::{Balance, Endpoints, Member, Plan};
use resources::{EnvoyResources, Placement};
use std::time::Duration;

fn plan() -> Plan {
    fixture::plan("192.0.2.1:8000".parse().expect("an address"))
}

fn members(plan: &mut Plan, pool: usize) -> &mut Vec<Member> {
    match &mut plan.pools[pool].endpoints {
        Endpoints::Members(all) => all,
        Endpoints::Names(_) => panic!("names"),
    }
}

fn translated(plan: &Plan) -> EnvoyResources {
    let placement = Placement { wasm: "/w.wasm".into(), spool_file: "/u.jsonl".into() };
    resources::translate(plan, &placement, &fixture::material()).expect("a plan that fits")
}

#[test]
fn one_changed_pool_is_one_assignment() {
    let (old, mut new) = (plan(), plan());
    assert_eq!(resources::changed_endpoints(&old, &new), Some(Vec::new()));
    members(&mut new, 0)[0].weight = Some(99);
    let changed = resources::changed_endpoints(&old, &new).expect("endpoints alone");
    assert_eq!(changed.len(), 1);
    let whole = translated(&new);
    assert_eq!(
        Some(&changed[0]),
        whole.endpoints.iter().find(|one| one.cluster_name == "pool/small")
    );
    let mut clusters = whole.clusters.iter().zip(translated(&old).clusters);
    assert!(clusters.all(|(new, old)| *new == old));
}

#[test]
fn anything_else_is_for_the_whole() {
    type Change = fn(&mut Plan);
    let table: [(&str, Change); 11] = [
        ("listener", |plan| plan.listener.max_body_bytes += 1),
        ("filter", |plan| plan.filter.expose_pool = !plan.filter.expose_pool),
        ("issuers", |plan| drop(plan.issuers.pop())),
        ("detectors", |plan| drop(plan.detectors.pop())),
        ("pools", |plan| drop(plan.pools.pop())),
        ("retries", |plan| plan.retry.budget_percent += 1),
        ("credentials", |plan| plan.credential_headers.clear()),
        ("balance", |plan| plan.pools[0].balance = Balance::RoundRobin),
        ("timeout", |plan| plan.pools[0].timeout += Duration::from_millis(1)),
        ("names", |plan| plan.pools[0].endpoints = Endpoints::Names(Vec::new())),
        ("servers in certificates", |plan| {
            plan.pools[0].tls = true;
            members(plan, 0).pop();
        }),
    ];
    for (what, change) in table {
        let (mut old, mut new) = (plan(), plan());
        if what == "servers in certificates" {
            old.pools[0].tls = true;
        }
        change(&mut new);
        assert_eq!(resources::changed_endpoints(&old, &new), None, "{what}");
    }
}
