//! The servers of a pool beside one another.

use super::{Picks, Pool};
use crate::memory::{Memory, server_id, under_way};
use crate::rendezvous::hash;
use contract::fleet::Server;

/// Most servers that are named: the first attempt, and `retries` of a pool are 3 at most.
const PICKS_MAX: usize = 4;

/// What a server may have to do whatever the others have: where little is going on, a request
/// more or less is no reason to lose a cache.
const SPARE: u64 = 4;

/// The servers of a pool with their loads.
pub(super) struct Field<'s> {
    places: Vec<Place<'s>>,
    load: u64,
    weight: u64,
    bound_percent: u64,
}

/// A server as it stands now.
#[derive(Clone, Copy)]
pub(super) struct Place<'s> {
    server: &'s Server,
    id: u32,
    /// Requests of this gateway.
    under_way: u64,
    /// Requests, as far as anybody knows.
    load: u64,
    weight: u64,
}

impl<'s> Place<'s> {
    fn new(server: &'s Server, id: u32, under_way: u64) -> Place<'s> {
        let load = under_way.max(u64::from(server.active.unwrap_or(0)));
        Place { server, id, under_way, load, weight: u64::from(server.weight.max(1)) }
    }
}

/// The one where this gateway has fewer requests, or else the first. Weights do not count: they
/// are as old as what was told, and a slow server shows by what is still under way.
fn less_busy<'p, 's>(one: &'p Place<'s>, other: &'p Place<'s>) -> &'p Place<'s> {
    if other.under_way < one.under_way { other } else { one }
}

impl<'s> Field<'s> {
    pub(super) fn new(pool: &Pool<'s>, memory: &impl Memory, now_ms: u64) -> Field<'s> {
        let under_way = under_way(memory, pool.name, now_ms);
        let place = |server: &'s Server| {
            let id = server_id(&server.address);
            Place::new(server, id, under_way.get(&id).copied().unwrap_or(0))
        };
        let places: Vec<Place<'s>> = pool.servers.iter().map(place).collect();
        let load = places.iter().map(|place| place.load).sum();
        let weight = places.iter().map(|place| place.weight).sum();
        Field { places, load, weight, bound_percent: u64::from(pool.bounds.bound_percent) }
    }

    /// Whether a server has more to do than the bound allows it of all, this request among it.
    fn is_over(&self, place: &Place<'_>) -> bool {
        let all = (self.load + 1).saturating_mul(self.bound_percent);
        let has = place.load.saturating_mul(100).saturating_mul(self.weight);
        place.load >= SPARE && has > all.saturating_mul(place.weight)
    }

    /// Of the servers with these ids, the least busy one that is not over the bound.
    pub(super) fn least_busy(&self, ids: impl Iterator<Item = u32>) -> Option<&Place<'s>> {
        let places = ids.filter_map(|id| self.places.iter().find(|place| place.id == id));
        places.filter(|place| !self.is_over(place)).reduce(less_busy)
    }

    /// Where a unit belongs of which nothing is remembered: of its two servers the less busy
    /// one, unless it has two requests more than the least busy of all.
    pub(super) fn home(&self, unit: u64) -> Option<&Place<'s>> {
        let two = self.best_two(unit).into_iter().flatten();
        let two = two.filter(|place| !self.is_over(place)).reduce(less_busy);
        let least = self.least_busy_of_all(unit)?;
        Some(two.filter(|place| place.under_way <= least.under_way + 1).unwrap_or(least))
    }

    /// The first of a unit's servers that is not over the bound.
    pub(super) fn first_free(&self, unit: u64) -> Option<&Place<'s>> {
        let mut two = self.best_two(unit).into_iter().flatten();
        two.find(|place| !self.is_over(place)).or_else(|| self.least_busy_of_all(unit))
    }

    /// The server with the fewest requests of this gateway; of several the one that the unit
    /// belongs to most; one over the bound only where all are. What was told does not count
    /// beyond that: all gateways would run to the same server.
    pub(super) fn least_busy_of_all(&self, unit: u64) -> Option<&Place<'s>> {
        let rank = |place: &&Place<'s>| {
            (self.is_over(place), place.under_way, u64::MAX - belongs(place, unit))
        };
        self.places.iter().min_by_key(rank)
    }

    /// The two that a unit belongs to most, the first one first. Weights do not count here:
    /// they change every second, and who belongs where must not.
    fn best_two(&self, unit: u64) -> [Option<&Place<'s>>; 2] {
        let mut best: [Option<(u64, &Place<'s>)>; 2] = [None, None];
        for place in &self.places {
            let next = Some((belongs(place, unit), place));
            let rank = |of: &Option<(u64, &Place<'s>)>| of.map(|(rank, _)| rank);
            best = match best {
                [first, _] if rank(&next) > rank(&first) => [next, first],
                [first, second] if rank(&next) > rank(&second) => [first, next],
                same => same,
            };
        }
        best.map(|place| place.map(|(_, place)| place))
    }

    /// The chosen one; behind it the unit's own two, and then whoever has least to do.
    pub(super) fn picks(&self, chosen: Option<&Place<'s>>, unit: u64) -> Picks<'s> {
        let mut servers: Vec<&'s Server> = Vec::with_capacity(PICKS_MAX);
        let two = self.best_two(unit).into_iter().flatten();
        let free = two.filter(|place| !self.is_over(place));
        let next = chosen.into_iter().chain(free).chain(self.least_busy_of_all(unit));
        for place in next.chain(&self.places) {
            if servers.len() == PICKS_MAX {
                break;
            }
            if !servers.iter().any(|server| server.address == place.server.address) {
                servers.push(place.server);
            }
        }
        Picks { servers }
    }
}

/// How much a unit belongs to a server.
fn belongs(place: &Place<'_>, unit: u64) -> u64 {
    hash(unit, &place.id.to_le_bytes())
}
