//! The control plane's view of engines: it asks each once a second, weighs them by the same
//! code as the real one, and gateways have its word half a second later.

use super::Micros;
use super::engine::{RUNNING_MAX, SimEngine};
use contract::fleet::Server;
use engines::{Answered, Reading, Signals, Snapshot, Window, weigh, weigh_by_latency};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// How often engines are asked.
pub(super) const SCRAPE_US: Micros = 1_000_000;
/// How much later gateways know.
pub(super) const DELIVERY_US: Micros = 500_000;
/// For how many intervals an answer counts.
const STALE_AFTER: u32 = 3;

/// What gateways are told.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// As `by: load` weighs.
    pub(super) load_weights: Vec<u32>,
    /// As `by: latency` weighs.
    pub(super) latency_weights: Vec<u32>,
    /// Requests in each engine.
    pub(super) active: Vec<u32>,
}

/// The control plane.
#[derive(Debug)]
pub(super) struct Plane {
    windows: Vec<Window>,
    load_weights: BTreeMap<SocketAddr, u32>,
    latency_weights: BTreeMap<SocketAddr, u32>,
}

/// The address of an engine.
fn address(number: usize) -> SocketAddr {
    let [high, low] = (number as u16).to_be_bytes();
    SocketAddr::from(([10, 0, high, low], 8_000))
}

impl Plane {
    pub(super) fn new(count: usize) -> Plane {
        Plane {
            windows: vec![Window::new(Duration::from_secs(1), STALE_AFTER); count],
            load_weights: BTreeMap::new(),
            latency_weights: BTreeMap::new(),
        }
    }

    /// Asks all engines.
    pub(super) fn ask(&mut self, engines: &[SimEngine], now: Micros) -> View {
        let now_ms = now / 1_000;
        let asked = engines.iter().zip(&mut self.windows).enumerate();
        let pool: Vec<(SocketAddr, Option<Reading>)> = asked
            .map(|(number, (engine, window))| {
                (address(number), Some(window.take(&snapshot(engine), now_ms)))
            })
            .collect();
        self.load_weights = weigh(&pool, RUNNING_MAX as u32, &self.load_weights, now_ms);
        self.latency_weights = weigh_by_latency(&pool, &self.latency_weights, now_ms);
        View {
            load_weights: pool.iter().map(|(engine, _)| self.load_weights[engine]).collect(),
            latency_weights: pool.iter().map(|(engine, _)| self.latency_weights[engine]).collect(),
            active: engines.iter().map(|engine| engine.active() as u32).collect(),
        }
    }
}

/// What an engine's metrics say.
fn snapshot(engine: &SimEngine) -> Snapshot {
    let told = engine.told();
    Snapshot {
        signals: Signals {
            running: Some(told.running as f64),
            waiting: Some(told.waiting as f64),
            kv_use: Some(told.cache_used),
            gpu_use: None,
        },
        answered: Some(Answered { seconds: told.first_tokens_s, count: told.first_tokens as f64 }),
        ..Snapshot::default()
    }
}

/// The servers as a gateway has them before anything is told.
pub(super) fn servers(count: usize) -> Vec<Server> {
    let server = |number| Server { address: address(number).to_string(), active: None, weight: 1 };
    (0..count).map(server).collect()
}
