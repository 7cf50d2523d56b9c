//! Which servers each pool has now: from the configuration or from discovery,
//! with those that leave, and how much of the work each is given.

mod kept;
mod load;
mod places;
mod pool;
mod rests;

#[cfg(test)]
mod tests;

pub use kept::Kept;

use admin::{ServerLoad, SourceStatus};
use engines::{Report, Scrape, Scraper};
use model::Config;
use model::ids::PoolName;
use plan::Member;
use pool::PoolRoster;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The servers of every pool. Clones share it.
#[derive(Clone)]
pub struct Roster {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

/// What is known of one pool's servers.
pub struct PoolView {
    /// Where they come from.
    pub source: SourceStatus,
    /// How much of their weight those of other zones have because of the load of those that
    /// are near, in percent; 0: they take no part.
    pub spill_share: u8,
    /// Each of them; none where Envoy resolves names.
    pub servers: BTreeMap<SocketAddr, ServerLoad>,
}

/// A server of a pool has asked to be left alone for so long.
#[derive(Debug, PartialEq, Eq)]
pub struct PutOff<'w> {
    /// The pool's name.
    pub pool: &'w str,
    /// The server.
    pub server: SocketAddr,
    /// For how long.
    pub seconds: u32,
}

struct State {
    pools: BTreeMap<PoolName, PoolRoster>,
    /// Whether something was seen that nobody was told of.
    is_missed: bool,
    scraper: Scraper,
    kept: Kept,
}

impl Roster {
    /// Nobody yet. `kept` has what was found before this process started.
    pub fn new(scraper: Scraper, kept: Kept) -> Roster {
        let state = State { pools: BTreeMap::new(), is_missed: false, scraper, kept };
        Roster { state: Arc::new(Mutex::new(state)), changed: Arc::default() }
    }

    /// Takes over the pools of `config`: sources that it has no more are no longer
    /// asked, those that it has already go on. A pool that is new, or has another
    /// name, begins with what its source said before.
    pub fn configure(&self, config: &Config, now_ms: u64) {
        let mut state = self.lock();
        let known: Vec<_> = state.pools.values().filter_map(PoolRoster::found).collect();
        state.pools.retain(|name, _| config.pools.contains_key(name));
        let State { pools, kept, .. } = &mut *state;
        let zone = config.gateway.zone.as_ref();
        for (name, pool) in &config.pools {
            let before = || {
                let same = known.iter().find(|(asked, _)| Some(asked) == pool.discover.as_ref());
                same.map_or_else(|| kept.of(name, pool), |(_, targets)| targets.clone())
            };
            match pools.get_mut(name) {
                Some(known) => known.configure((pool, zone), &self.changed, before, now_ms),
                None => {
                    let new = PoolRoster::new(name, (pool, zone), &self.changed, before, now_ms);
                    pools.insert(name.clone(), new);
                }
            }
        }
        state.look(now_ms);
    }

    /// Takes in what was found and what time has brought; whether the servers or
    /// their weights are others than before.
    pub fn look(&self, now_ms: u64) -> bool {
        self.lock().look(now_ms)
    }

    /// The servers of each pool whose servers have addresses.
    pub fn members(&self) -> BTreeMap<PoolName, Vec<Member>> {
        let state = self.lock();
        let named = |(name, pool): (&PoolName, &PoolRoster)| Some((name.clone(), pool.members()?));
        state.pools.iter().filter_map(named).collect()
    }

    /// Pools whose servers in the gateway's zone have more than enough to do, and how much of
    /// their weight the others have in them, in percent.
    pub fn spilling(&self) -> BTreeMap<PoolName, u8> {
        let state = self.lock();
        let shares = state.pools.iter().map(|(name, pool)| (name.clone(), pool.spill_share()));
        shares.filter(|(_, share)| *share > 0).collect()
    }

    /// What each engine said last, and the time by the clock of that.
    pub fn reports(&self) -> (BTreeMap<SocketAddr, Report>, u64) {
        let state = self.lock();
        (state.scraper.reports(), state.scraper.now_ms())
    }

    /// When [`Roster::look`] will find something though nobody said anything, in
    /// milliseconds since 1970.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.lock().pools.values().filter_map(PoolRoster::next_deadline_ms).min()
    }

    /// Whether a source is still to say something, and that is worth waiting for:
    /// it is new and nothing is known from before.
    pub fn awaits(&self, now_ms: u64) -> bool {
        self.lock().pools.values().any(|pool| pool.is_awaited(now_ms))
    }

    /// How to ask each engine for its metrics, by pool; none of pools whose engines are not
    /// to be asked.
    pub fn scrapes(&self) -> Vec<(PoolName, Scrape)> {
        let state = self.lock();
        let of = |(name, pool): (&PoolName, &PoolRoster)| {
            let name = name.clone();
            pool.scrapes().into_iter().map(move |scrape| (name.clone(), scrape))
        };
        state.pools.iter().flat_map(of).collect()
    }

    /// Servers have asked to be left alone. Nobody is left alone whose pool does not have him.
    pub fn put_off<'w>(&self, words: impl Iterator<Item = PutOff<'w>>, now_ms: u64) {
        let mut state = self.lock();
        let mut rests = false;
        for PutOff { pool, server, seconds } in words {
            let pool = state.pools.iter_mut().find(|(name, _)| name.as_str() == pool);
            rests |= pool.is_some_and(|(_, pool)| pool.put_off(server, seconds, now_ms));
        }
        if rests {
            self.changed.notify_one();
        }
    }

    /// What was seen since the last publication did not get out: the next look finds it again.
    pub fn publish_again(&self) {
        self.lock().is_missed = true;
        self.changed.notify_one();
    }

    /// Returns when some source has something to say, or a server.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// How the source of each pool and its servers are doing.
    pub fn status(&self) -> BTreeMap<PoolName, PoolView> {
        let state = self.lock();
        let (reports, now_ms) = (state.scraper.reports(), state.scraper.now_ms());
        let told = |(name, pool): (&PoolName, &PoolRoster)| {
            let servers = pool.servers(&reports, now_ms);
            let view = PoolView { source: pool.source(), spill_share: pool.spill_share(), servers };
            (name.clone(), view)
        };
        state.pools.iter().map(told).collect()
    }

    /// The state is whole after every method, so a panic elsewhere does not spoil
    /// it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn look(&mut self, now_ms: u64) -> bool {
        let mut moved = false;
        for pool in self.pools.values_mut() {
            moved |= pool.look(now_ms);
        }
        if moved {
            self.kept.write(&self.pools);
        }
        self.scraper.set(self.pools.values().flat_map(PoolRoster::scrapes));
        for pool in self.pools.values_mut() {
            moved |= pool.look_at_rests(now_ms);
        }
        moved | self.weigh(now_ms) | std::mem::take(&mut self.is_missed)
    }

    fn weigh(&mut self, now_ms: u64) -> bool {
        let mut moved = false;
        let due = self.pools.values_mut().filter(|pool| pool.weighs_at(now_ms));
        let reports = self.scraper.reports();
        for pool in due {
            moved |= pool.weigh(&reports, now_ms, self.scraper.now_ms());
        }
        moved
    }
}
