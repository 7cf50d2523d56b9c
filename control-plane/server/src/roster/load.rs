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
    /// How much of their weight those have then, 0 to 1.
    spill_share: f64,
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

/// By how much the load has to be below the bound before those far away get less, in percent,
/// and at most half of the bound: without it they would get more and less with every batch.
const SPILL_BACK: f64 = 10.0;

/// What those far away get more at a look, where those that are near are full, and less, where
/// they have room, in parts of what the near ones can take. Slow, because a load is some looks
/// old, and what was sent away shows in it only when it has ended; slower back than forth, so
/// that it settles (see the tests).
const SPILL_MORE: f64 = 0.25;
const SPILL_LESS: f64 = 0.02;

/// All of their weight.
const WHOLE: f64 = 1.0;

/// The share of their weight that those far away have after a share of `share`, where the mean
/// load of those that are near is `load`; both 0 to 1. `bound` is in percent; those far away have
/// `far` times the weight of those that are near.
fn next_share(share: f64, load: f64, bound: u8, far: f64) -> f64 {
    let (load, above) = (load * 100.0, f64::from(bound));
    let below = above - SPILL_BACK.min(above / 2.0);
    let moved = if load > above {
        // Where the bound is all that there is, more than that is full.
        let over = (load - above) / (100.0 - above);
        over.clamp(SPILL_LESS, 1.0) * SPILL_MORE
    } else if load < below {
        -SPILL_LESS
    } else {
        0.0
    };
    (share + moved / far).clamp(0.0, WHOLE)
}

impl Load {
    /// `None`: nobody asks for the load of this pool.
    pub fn of(pool: &Pool, zoned: bool) -> Option<Load> {
        Some(Load {
            engine: pool.engine,
            metrics: pool.metrics.clone()?,
            max_active: pool.max_active,
            weighs: Weighs::of(pool.balance),
            spill_percent: pool.spill_percent,
            spill_share: 0.0,
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
        let spill_share = if zoned { before.spill_share } else { 0.0 };
        Some(Load { weights, spill_share, ..load })
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

    /// Looks whether those that are `near` have more than enough to do, where the others have
    /// `far` times their weight; whether those have another share of it than before. While nobody
    /// knows the load, it stays; without others there is none.
    pub fn look_at_spill(
        &mut self,
        near: impl Iterator<Item = SocketAddr>,
        far: f64,
        reports: &BTreeMap<SocketAddr, Report>,
        reports_now_ms: u64,
    ) -> bool {
        let load = |server| {
            let reading = reports.get(&server)?.reading?;
            reading.is_fresh(reports_now_ms).then(|| engines::load(&reading, self.max_active))?
        };
        let before = self.spill_share();
        let loads: Vec<f64> = near.filter_map(load).collect();
        if far <= 0.0 {
            self.spill_share = 0.0;
        } else if !loads.is_empty() {
            // As many servers as there are in a zone: exact.
            let mean = loads.iter().sum::<f64>() / loads.len() as f64;
            self.spill_share = next_share(self.spill_share, mean, self.spill_percent, far);
        }
        self.spill_share() != before
    }

    /// How much of their weight those far away have because of the load of those that are
    /// near, in whole percent; 0: they take no part.
    pub fn spill_share(&self) -> u8 {
        // 0 to 100.
        (self.spill_share * 100.0).round() as u8
    }

    /// Whether the weights are to be worked out again, and the share of those far away.
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
    fn others_take_part_by_degrees() {
        let mut load = load("balance: { by: load }, spill: 80%");
        let mut look = |percents: &[f64], now_ms| {
            let readings: Vec<_> = percents.iter().map(|percent| full_to(*percent)).collect();
            let near = [at(1), at(2)].into_iter();
            let moved = load.look_at_spill(near, 1.0, &reports(&readings), now_ms);
            (moved, load.spill_share())
        };
        let table = [
            (vec![79.0, 81.0], 1, (false, 0)),
            (vec![86.0, 96.0], 1, (true, 14)),
            (vec![100.0, 100.0], 1, (true, 39)),
            // Neither too much nor little.
            (vec![80.0, 80.0], 1, (false, 39)),
            (vec![75.0, 65.0], 1, (false, 39)),
            // What nobody knows moves nothing.
            (vec![], 1, (false, 39)),
            (vec![0.0, 0.0], NOW_MS + 1, (false, 39)),
            (vec![69.0, 69.0], 1, (true, 37)),
            (vec![0.0, 0.0], 1, (true, 35)),
        ];
        for (percents, now_ms, expected) in table {
            assert_eq!(look(&percents, now_ms), expected, "{percents:?}");
        }
        let nobody_far =
            load.look_at_spill([at(1)].into_iter(), 0.0, &reports(&[full_to(100.0)]), 1);
        assert!(nobody_far && load.spill_share() == 0);
    }

    #[test]
    fn a_share_goes_the_right_way_whatever_the_bound() {
        for bound in 1..=100 {
            for far in [0.1, 1.0, 10.0] {
                for share in [0.0, 0.01, 0.5, 1.0] {
                    let next = |load| next_share(share, load, bound, far);
                    assert!(next(0.0) < share || share == 0.0, "{bound} {far} {share}");
                    let full = next(1.0);
                    assert!(full > share || full == WHOLE || bound == 100, "{bound} {far} {share}");
                    assert!(
                        [0.0, 0.3, 0.9, 1.0, 1.3]
                            .iter()
                            .all(|load| { (0.0..=WHOLE).contains(&next(*load)) })
                    );
                }
            }
        }
    }

    /// A pool whose servers nearby are given more than they can take: what they are given shows
    /// in their load after a while, the load is smoothed, and those far away take their share.
    /// Returns the shares and the loads of the last of many looks.
    fn settled(demand: f64, far: f64, lag: f64) -> (Vec<f64>, Vec<f64>) {
        let (mut share, mut busy, mut told): (f64, f64, f64) = (0.0, 0.0, 0.0);
        let (mut shares, mut loads) = (Vec::new(), Vec::new());
        for _ in 0..600 {
            let sent = demand / (1.0 + far * (share * 100.0).round() / 100.0);
            busy += (sent - busy) * (1.0 - (-1.0 / lag).exp());
            told += (busy.min(1.0) - told) * 0.39;
            share = next_share(share, told, 85, far);
            shares.push(share);
            loads.push(busy);
        }
        (shares.split_off(400), loads.split_off(400))
    }

    #[test]
    fn servers_nearby_settle_below_the_bound() {
        let table = [(1.5, 1.0, 1.0), (1.2, 2.0, 3.0), (1.5, 3.0, 3.0), (1.0, 10.0, 3.0)];
        for (demand, far, lag) in table.into_iter().chain([(1.0, 1.0, 8.0), (3.0, 4.0, 8.0)]) {
            let (shares, loads) = settled(demand, far, lag);
            let last = shares.last().copied().unwrap();
            assert!(shares.iter().all(|share| (share - last).abs() < 0.005), "{demand} {far}");
            assert!(loads.iter().all(|load| (0.7..=0.85).contains(load)), "{demand} {far} {lag}");
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
