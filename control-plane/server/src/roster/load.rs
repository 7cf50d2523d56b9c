//! How much of a pool's work each server is given.

use discovery::Target;
use engines::{Report, Scrape};
use model::{Balance, Metrics, Pool};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// How often weights are worked out: as often as the engines are asked, and not
/// more often than this, in milliseconds.
const WEIGH_EVERY_MIN_MS: u64 = 250;

/// The load of one pool.
pub struct Load {
    engine: model::Engine,
    metrics: Metrics,
    max_active: u32,
    /// What the weights follow; without it the load is only shown.
    weighs: Option<Weighs>,
    /// Above which mean load of the servers that are near others take part, in percent.
    spill_percent: u8,
    /// Whether they do.
    spills: bool,
    /// Whether some may be nearer than others.
    zoned: bool,
    weights: BTreeMap<SocketAddr, u32>,
    weighed_at_ms: u64,
}

/// What weights are made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weighs {
    /// How much an engine has to do.
    Load,
    /// How soon it answers.
    Latency,
}

impl Weighs {
    fn of(balance: Balance) -> Option<Weighs> {
        match balance {
            Balance::Load => Some(Weighs::Load),
            Balance::Latency => Some(Weighs::Latency),
            Balance::RoundRobin | Balance::LeastRequest => None,
        }
    }
}

/// By how much the load has to be below the bound before those far away are let go, in
/// percent: without it they would come and go with every batch.
const SPILL_BACK: u8 = 10;

impl Load {
    /// `None`: nobody asks for the load of this pool.
    pub fn of(pool: &Pool, zoned: bool) -> Option<Load> {
        Some(Load {
            engine: pool.engine,
            metrics: pool.metrics.clone()?,
            max_active: pool.max_active,
            weighs: Weighs::of(pool.balance),
            spill_percent: pool.spill_percent,
            spills: false,
            zoned,
            weights: BTreeMap::new(),
            weighed_at_ms: 0,
        })
    }

    /// As [`Load::of`], with the weights of before.
    pub fn taking_over(before: Option<Load>, pool: &Pool, zoned: bool) -> Option<Load> {
        let load = Load::of(pool, zoned)?;
        let Some(before) = before else { return Some(load) };
        let same = load.weighs.is_some() && load.weighs == before.weighs;
        let weights = if same { before.weights } else { BTreeMap::new() };
        Some(Load { weights, spills: before.spills && zoned, ..load })
    }

    /// There are other servers: their weights are due now. One without a weight
    /// beside others that have one would get next to nothing.
    pub fn servers_changed(&mut self) {
        self.weighed_at_ms = 0;
    }

    /// What to ask this server.
    pub fn scrape(&self, target: &Target) -> Scrape {
        let name = target.hostname.as_deref();
        Scrape::new(target.address, name, target.tls, self.engine, &self.metrics)
    }

    /// Works out the weights of `servers`; whether one is another than before.
    pub fn weigh(
        &mut self,
        servers: impl Iterator<Item = SocketAddr>,
        reports: &BTreeMap<SocketAddr, Report>,
        now_ms: u64,
        reports_now_ms: u64,
    ) -> bool {
        self.weighed_at_ms = now_ms;
        let reading = |server| reports.get(&server).and_then(|report| report.reading);
        let read: Vec<_> = servers.map(|one| (one, reading(one))).collect();
        let weights = match self.weighs {
            Some(Weighs::Load) => {
                engines::weigh(&read, self.max_active, &self.weights, reports_now_ms)
            }
            Some(Weighs::Latency) => {
                engines::weigh_by_latency(&read, &self.weights, reports_now_ms)
            }
            None => BTreeMap::new(),
        };
        let moved = weights != self.weights;
        self.weights = weights;
        moved
    }

    /// Looks whether those that are near have more than enough to do; whether that is
    /// something else than before. While nobody knows their load, it stays.
    pub fn look_at_spill(
        &mut self,
        near: impl Iterator<Item = SocketAddr>,
        reports: &BTreeMap<SocketAddr, Report>,
        reports_now_ms: u64,
    ) -> bool {
        let load = |server| {
            let reading = reports.get(&server)?.reading?;
            reading.is_fresh(reports_now_ms).then(|| engines::load(&reading, self.max_active))?
        };
        let loads: Vec<f64> = near.filter_map(load).collect();
        if loads.is_empty() {
            return false;
        }
        // As many servers as there are in a zone: exact.
        let mean_percent = loads.iter().sum::<f64>() / loads.len() as f64 * 100.0;
        let bound = if self.spills {
            self.spill_percent.saturating_sub(SPILL_BACK)
        } else {
            self.spill_percent
        };
        let spills = mean_percent > f64::from(bound);
        std::mem::replace(&mut self.spills, spills) != spills
    }

    /// Whether those far away take part because of the load of those that are near.
    pub fn spills(&self) -> bool {
        self.spills
    }

    /// Whether the weights are to be worked out again, and whether those far away take part.
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.next_ms().is_some_and(|due_ms| due_ms <= now_ms)
    }

    /// The weight of this server; `None`: as much as any other.
    pub fn weight(&self, server: SocketAddr) -> Option<u32> {
        self.weighs.and_then(|_| self.weights.get(&server).copied())
    }

    /// When that is to be.
    pub fn next_ms(&self) -> Option<u64> {
        (self.weighs.is_some() || self.zoned).then(|| self.due_ms())
    }

    fn due_ms(&self) -> u64 {
        let interval = u64::try_from(self.metrics.interval.as_millis()).unwrap_or(u64::MAX);
        self.weighed_at_ms.saturating_add(interval.max(WEIGH_EVERY_MIN_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file::load_text;
    use engines::{Reading, Signals};
    use model::Engine;
    use std::path::Path;

    const NOW_MS: u64 = 100;

    fn load(pool: &str) -> Load {
        let endpoints = "endpoints: [{ url: \"http://10.0.0.1:1\", zone: east }]";
        let pool = format!("a: {{ engine: vllm, model: m, {endpoints}, {pool} }}");
        let text = format!("version: 1\ngateway: {{ zone: east }}\npools:\n  {pool}\n");
        match load_text(Path::new("/t/tollgate.yaml"), &text) {
            Ok(loaded) => Load::of(loaded.config.pools.values().next().unwrap(), true).unwrap(),
            Err(invalid) => panic!("{:?}", invalid.0),
        }
    }

    fn at(number: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, number], 1))
    }

    fn reports(readings: &[Reading]) -> BTreeMap<SocketAddr, Report> {
        let report = |reading: &Reading| Report {
            engine: Engine::Vllm,
            reading: Some(Reading { fresh_until_ms: NOW_MS, ..*reading }),
            failures: 0,
            last_failure: None,
            scrapes: 1,
        };
        (1..).zip(readings).map(|(number, reading)| (at(number), report(reading))).collect()
    }

    fn full_to(percent: f64) -> Reading {
        let kv_use = Some(percent / 100.0);
        Reading { load: Signals { kv_use, ..Signals::default() }, ..Reading::default() }
    }

    #[test]
    fn others_take_part_above_the_bound_and_go_well_below_it() {
        let mut load = load("balance: { by: load }, spill: 80%");
        let mut look = |percents: &[f64], now_ms| {
            let readings: Vec<_> = percents.iter().map(|percent| full_to(*percent)).collect();
            let moved = load.look_at_spill([at(1), at(2)].into_iter(), &reports(&readings), now_ms);
            (moved, load.spills())
        };
        let table = [
            (vec![79.0, 81.0], 1, (false, false)),
            (vec![75.0, 87.0], 1, (true, true)),
            (vec![75.0, 71.0], 1, (false, true)),
            // What nobody knows moves nothing.
            (vec![], 1, (false, true)),
            (vec![0.0, 0.0], NOW_MS + 1, (false, true)),
            (vec![69.0, 69.0], 1, (true, false)),
            (vec![79.0, 79.0], 1, (false, false)),
            (vec![99.0], 1, (true, true)),
        ];
        for (percents, now_ms, expected) in table {
            assert_eq!(look(&percents, now_ms), expected, "{percents:?}");
        }
    }

    #[test]
    fn weights_follow_how_soon_engines_answer() {
        let mut load = load("balance: { by: latency }");
        let soon = |ms| Reading { latency_ms: Some(ms), ..full_to(1.0) };
        let told = reports(&[soon(100.0), soon(400.0)]);
        assert!(load.weigh([at(1), at(2)].into_iter(), &told, 1_000, 1));
        assert_eq!(
            (load.weight(at(1)), load.weight(at(2)), load.weight(at(3))),
            (Some(128), Some(32), None)
        );
        assert!(!load.is_due(1_001) && load.is_due(load.next_ms().unwrap()));
    }
}
