//! The servers of pools with affinity and how busy they are, for the filter that chooses one
//! of them itself. Pure.
//!
//! Envoy sends a request to the server that the filter picked even if it is not well, so that
//! whoever is not well is left out here.

use contract::fleet::{Fleet, Server};
use engines::{Failure, Reading, Report};
use plan::{Endpoints, Member, Plan, PoolPlan};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;

/// Failures in a row after which an engine to which no connection comes about is not well.
const FAILURES_MIN: u32 = 2;

/// What is known of the servers.
pub struct Known<'a> {
    /// What each engine said, by address.
    pub reports: &'a BTreeMap<SocketAddr, Report>,
    /// The clock of the readings.
    pub reports_now_ms: u64,
    /// Those that an Envoy passes over: by cluster, since it judges each by itself.
    pub unwell: &'a BTreeSet<(String, SocketAddr)>,
}

/// The servers of the pools of `plan` that have affinity.
pub fn of(plan: &Plan, known: &Known<'_>) -> Fleet {
    let with_affinity = plan.pools.iter().filter(|pool| pool.affinity);
    let pools: BTreeMap<_, _> =
        with_affinity.map(|pool| (pool.name.clone(), servers(pool, known))).collect();
    Fleet { version: version(&pools), pools }
}

/// Those that get requests now: of several priorities the first, as long as somebody there
/// is well.
fn servers(pool: &PoolPlan, known: &Known<'_>) -> Vec<Server> {
    let Endpoints::Members(members) = &pool.endpoints else { return Vec::new() };
    let well: Vec<_> = members.iter().filter(|member| is_well(pool, member, known)).collect();
    let nearest = well.iter().map(|member| member.priority).min();
    let near = well.into_iter().filter(|member| Some(member.priority) == nearest);
    near.map(|member| server(member, known)).collect()
}

fn is_well(pool: &PoolPlan, member: &Member, known: &Known<'_>) -> bool {
    let lost = known.reports.get(&member.address).is_some_and(is_lost);
    let unwell = known.unwell.contains(&(pool.cluster.clone(), member.address));
    !(member.draining || member.resting || lost || unwell)
}

/// An answer of any kind says that somebody is there.
fn is_lost(report: &Report) -> bool {
    matches!(report.last_failure, Some(Failure::Connect(_))) && report.failures >= FAILURES_MIN
}

fn server(member: &Member, known: &Known<'_>) -> Server {
    let reading = known.reports.get(&member.address).and_then(|report| report.reading.as_ref());
    let fresh = reading.filter(|reading| reading.is_fresh(known.reports_now_ms));
    Server {
        address: member.address.to_string(),
        active: fresh.and_then(active),
        weight: member.weight.unwrap_or(1).max(1),
    }
}

/// As the engine said last; what is no number is 0.
fn active(reading: &Reading) -> Option<u32> {
    reading.latest.active().map(|active| active.round() as u32)
}

/// The same content has the same version in every control plane of one release.
fn version(pools: &BTreeMap<String, Vec<Server>>) -> u64 {
    if pools.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    for (name, servers) in pools {
        (name, servers.len()).hash(&mut hasher);
        for server in servers {
            (&server.address, server.active, server.weight).hash(&mut hasher);
        }
    }
    hasher.finish().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file::load_text;
    use engines::Signals;
    use model::Engine;
    use std::path::Path;

    fn plan(pool: &str) -> Plan {
        let text = format!("version: 1\npools:\n  a: {{ engine: vllm, model: m, {pool} }}\n");
        match load_text(Path::new("/t/tollgate.yaml"), &text) {
            Ok(loaded) => crate::publish::plan(&loaded.config, "127.0.0.1:1".parse().unwrap()),
            Err(invalid) => panic!("{:?}", invalid.0),
        }
    }

    const TWO: &str = "balance: { by: load, affinity: user }, \
                       endpoints: [\"http://10.0.0.1:1\", \"http://10.0.0.2:1\"]";

    fn at(number: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, number], 1))
    }

    fn report(active: f64, failures: u32, last_failure: Option<Failure>) -> Report {
        let latest = Signals { running: Some(active), ..Signals::default() };
        let reading = Some(Reading { latest, fresh_until_ms: 100, ..Reading::default() });
        Report { engine: Engine::Vllm, reading, failures, last_failure, scrapes: 9 }
    }

    fn fleet(
        plan: &Plan,
        reports: &[(u8, Report)],
        now_ms: u64,
        unwell: &[(&str, u8)],
    ) -> Vec<(String, Option<u32>, u32)> {
        let reports = reports.iter().map(|(n, report)| (at(*n), report.clone())).collect();
        let unwell = unwell.iter().map(|(of, n)| ((*of).to_owned(), at(*n))).collect();
        let known = Known { reports: &reports, reports_now_ms: now_ms, unwell: &unwell };
        let servers = of(plan, &known).pools.into_values().next().unwrap_or_default();
        servers.into_iter().map(|one| (one.address, one.active, one.weight)).collect()
    }

    fn servers(of: &[(u8, Option<u32>)]) -> Vec<(String, Option<u32>, u32)> {
        of.iter().map(|(n, active)| (at(*n).to_string(), *active, 1)).collect()
    }

    #[test]
    fn who_gets_requests_is_told_with_his_load() {
        let plan = plan(TWO);
        let cluster = plan.pools[0].cluster.clone();
        let refused = || Some(Failure::Connect("refused".into()));
        let loaded = [(1, report(3.4, 0, None)), (2, report(7.0, 0, None))];
        assert_eq!(fleet(&plan, &loaded, 50, &[]), servers(&[(1, Some(3)), (2, Some(7))]));
        assert_eq!(fleet(&plan, &loaded, 101, &[]), servers(&[(1, None), (2, None)]));
        assert_eq!(fleet(&plan, &loaded, 50, &[(&cluster, 1)]), servers(&[(2, Some(7))]));
        let other = [("another", 1)];
        assert_eq!(fleet(&plan, &loaded, 50, &other), servers(&[(1, Some(3)), (2, Some(7))]));
        let lost = [(1, report(3.0, 2, refused())), (2, report(7.0, 1, refused()))];
        assert_eq!(fleet(&plan, &lost, 50, &[]), servers(&[(2, Some(7))]));
        let silent = [(1, report(3.0, 9, Some(Failure::Status(401))))];
        assert_eq!(fleet(&plan, &silent, 50, &[]), servers(&[(1, Some(3)), (2, None)]));
    }

    #[test]
    fn who_rests_is_left_out() {
        let mut plan = plan(TWO);
        let Endpoints::Members(members) = &mut plan.pools[0].endpoints else { panic!() };
        members[0].resting = true;
        assert_eq!(fleet(&plan, &[], 1, &[]), servers(&[(2, None)]));
    }

    #[test]
    fn who_is_further_away_comes_in_when_nobody_near_is_well() {
        let mut plan = plan(TWO);
        let Endpoints::Members(members) = &mut plan.pools[0].endpoints else { panic!() };
        members[1].priority = 1;
        members[1].weight = Some(7);
        assert_eq!(fleet(&plan, &[], 1, &[]), servers(&[(1, None)]));
        let Endpoints::Members(members) = &mut plan.pools[0].endpoints else { panic!() };
        members[0].draining = true;
        assert_eq!(fleet(&plan, &[], 1, &[]), [(at(2).to_string(), None, 7)]);
    }

    #[test]
    fn a_version_tells_contents_apart_and_nothing_has_none() {
        let without = TWO.replace(", affinity: user", "");
        let nothing = BTreeMap::new();
        let unwell = BTreeSet::new();
        let known = |reports| Known { reports, reports_now_ms: 1, unwell: &unwell };
        assert_eq!(of(&plan(&without), &known(&nothing)), Fleet::default());
        let one = of(&plan(TWO), &known(&nothing));
        assert_eq!(one, of(&plan(TWO), &known(&nothing)));
        assert_ne!(one.version, 0);
        let busy = BTreeMap::from([(at(1), report(3.0, 0, None))]);
        assert_ne!(of(&plan(TWO), &known(&busy)).version, one.version);
    }
}
