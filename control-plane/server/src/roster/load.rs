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
    /// Whether the weights follow; without it the load is only shown.
    weighs: bool,
    weights: BTreeMap<SocketAddr, u32>,
    weighed_at_ms: u64,
}

impl Load {
    /// `None`: nobody asks for the load of this pool.
    pub fn of(pool: &Pool) -> Option<Load> {
        Some(Load {
            engine: pool.engine,
            metrics: pool.metrics.clone()?,
            max_active: pool.max_active,
            weighs: pool.balance == Balance::Load,
            weights: BTreeMap::new(),
            weighed_at_ms: 0,
        })
    }

    /// As [`Load::of`], with the weights of before.
    pub fn taking_over(before: Option<Load>, pool: &Pool) -> Option<Load> {
        let weights = before.map(|load| load.weights).unwrap_or_default();
        Load::of(pool).map(|load| if load.weighs { Load { weights, ..load } } else { load })
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
        let weights = engines::weigh(&read, self.max_active, &self.weights, reports_now_ms);
        let moved = weights != self.weights;
        self.weights = weights;
        moved
    }

    /// Whether the weights are to be worked out again.
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.weighs && self.due_ms() <= now_ms
    }

    /// The weight of this server; `None`: as much as any other.
    pub fn weight(&self, server: SocketAddr) -> Option<u32> {
        self.weights.get(&server).copied()
    }

    /// When the weights are to be worked out again.
    pub fn next_ms(&self) -> Option<u64> {
        self.weighs.then(|| self.due_ms())
    }

    fn due_ms(&self) -> u64 {
        let interval = u64::try_from(self.metrics.interval.as_millis()).unwrap_or(u64::MAX);
        self.weighed_at_ms.saturating_add(interval.max(WEIGH_EVERY_MIN_MS))
    }
}
