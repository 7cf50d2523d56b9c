//! A gateway: Envoy's balancing, and the filter's before it.

mod envoy;

use super::Micros;
use super::plane::{self, View};
use super::random::Random;
use contract::fleet::Server;
use contract::policy::AffinityBounds;
use envoy::Shares;
use routing::memory::{Said, Sent};
use routing::{Blocks, Memory, Picks, Pool};
use std::cell::RefCell;
use std::collections::HashMap;

/// How a pool's requests are balanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// One after another.
    RoundRobin,
    /// Envoy's: of two that are drawn, the one with fewer requests of this gateway.
    LeastRequest,
    /// Weights by load over least request.
    Load,
    /// Weights by first-token time over least request.
    Latency,
    /// By load, and a user always to the same.
    LoadUser,
    /// By load, and beginnings of prompts to who has them.
    LoadPrefix,
}

impl Policy {
    /// All of them.
    pub const ALL: [Policy; 6] = [
        Policy::RoundRobin,
        Policy::LeastRequest,
        Policy::Load,
        Policy::Latency,
        Policy::LoadUser,
        Policy::LoadPrefix,
    ];

    /// As it is called in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Policy::RoundRobin => "round_robin",
            Policy::LeastRequest => "least_request",
            Policy::Load => "load",
            Policy::Latency => "latency",
            Policy::LoadUser => "load + user",
            Policy::LoadPrefix => "load + prefix",
        }
    }
}

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) engine: usize,
    /// What the filter has counted.
    sent: Option<Sent>,
}

/// The defaults of the configuration.
const BOUNDS: AffinityBounds = AffinityBounds { bound_percent: 150, remember_s: 600 };

/// A gateway.
#[derive(Debug)]
pub(super) struct Gateway {
    policy: Policy,
    random: Random,
    /// Its requests in each engine.
    active: Vec<u32>,
    shares: Shares,
    turn: usize,
    servers: Vec<Server>,
    memory: Shelf,
}

impl Gateway {
    pub(super) fn new(policy: Policy, engines: usize, seed: u64) -> Gateway {
        let mut random = Random::new(seed);
        Gateway {
            policy,
            turn: random.below(engines),
            random,
            active: vec![0; engines],
            shares: Shares::default(),
            servers: plane::servers(engines),
            memory: Shelf::default(),
        }
    }

    /// The control plane's word has come.
    pub(super) fn learn(&mut self, view: &View) {
        let weights = match self.policy {
            Policy::RoundRobin | Policy::LeastRequest => return,
            Policy::Latency => &view.latency_weights,
            Policy::Load | Policy::LoadUser | Policy::LoadPrefix => &view.load_weights,
        };
        self.shares.set(weights, &self.active, &mut self.random);
        for ((server, weight), active) in self.servers.iter_mut().zip(weights).zip(&view.active) {
            (server.weight, server.active) = (*weight, Some(*active));
        }
    }

    /// The engine for a request.
    pub(super) fn choose<'t>(
        &mut self,
        user: &str,
        texts: impl Iterator<Item = &'t str>,
        now: Micros,
    ) -> Choice {
        let choice = match self.policy {
            Policy::RoundRobin => Choice { engine: self.next_turn(), sent: None },
            Policy::LeastRequest | Policy::Load | Policy::Latency => self.envoys_choice(),
            Policy::LoadUser => self.by_user(user, now),
            Policy::LoadPrefix => self.by_prefix(texts, now),
        };
        self.active[choice.engine] += 1;
        choice
    }

    /// A request has ended.
    pub(super) fn ended(&mut self, choice: Choice, now: Micros) {
        self.active[choice.engine] -= 1;
        if let Some(sent) = choice.sent {
            pool(&self.servers).ended(sent, &self.memory, now / 1_000);
        }
    }

    fn next_turn(&mut self) -> usize {
        self.turn = (self.turn + 1) % self.active.len();
        self.turn
    }

    fn envoys_choice(&mut self) -> Choice {
        let engine = self.shares.next(&self.active).unwrap_or_else(|| self.less_busy_of_two());
        Choice { engine, sent: None }
    }

    fn less_busy_of_two(&mut self) -> usize {
        let (one, two) =
            (self.random.below(self.active.len()), self.random.below(self.active.len()));
        if self.active[two] < self.active[one] { two } else { one }
    }

    fn by_user(&mut self, user: &str, now: Micros) -> Choice {
        let now_ms = now / 1_000;
        let pool = pool(&self.servers);
        let picks = pool.by_user("acme", user, &self.memory, now_ms);
        let Some(engine) = self.picked(&picks) else { return self.envoys_choice() };
        let sent = pool.sent(&self.servers[engine].address, &self.memory, now_ms);
        Choice { engine, sent }
    }

    fn by_prefix<'t>(&mut self, texts: impl Iterator<Item = &'t str>, now: Micros) -> Choice {
        let now_ms = now / 1_000;
        let blocks = Blocks::of(&["pool"], texts);
        let pool = pool(&self.servers);
        let picks = pool.by_prefix(&blocks, &self.memory, now_ms);
        let Some(engine) = self.picked(&picks) else { return self.envoys_choice() };
        let address = &self.servers[engine].address;
        pool.remember(&blocks, address, &self.memory, now_ms);
        Choice { engine, sent: pool.sent(address, &self.memory, now_ms) }
    }

    fn picked(&self, picks: &Picks<'_>) -> Option<usize> {
        let first = picks.first()?;
        self.servers.iter().position(|server| server.address == first.address)
    }
}

fn pool(servers: &[Server]) -> Pool<'_> {
    Pool { name: "pool", servers, bounds: BOUNDS }
}

/// Envoy's shared data.
#[derive(Debug, Default)]
struct Shelf(RefCell<HashMap<String, Vec<u8>>>);

impl Memory for Shelf {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.0.borrow().get(name).cloned()
    }

    fn change<T>(&self, name: &str, change: &mut dyn FnMut(Option<&[u8]>) -> Said<T>) -> Option<T> {
        let (value, said) = change(self.read(name).as_deref());
        if let Some(value) = value {
            self.0.borrow_mut().insert(name.to_owned(), value);
        }
        Some(said)
    }
}
