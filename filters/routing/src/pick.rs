//! Which server of a pool should have a request.
//!
//! A server's load is the greater of what it has told and what this gateway has under way
//! there, for its weight. What was told counts for the bound, because it knows of other
//! gateways; where two servers are held against each other, only what is under way does: it is
//! never old, and gateways that all follow one old figure all run to the same server.

mod field;
#[cfg(test)]
mod tests;

use crate::memory::{self, Holders, Memory, Sent, server_id};
use crate::prefix::Blocks;
use crate::rendezvous::hash;
use contract::fleet::Server;
use contract::policy::AffinityBounds;
use field::Field;

/// Servers in the order in which they should be tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picks<'s> {
    servers: Vec<&'s Server>,
}

impl<'s> Picks<'s> {
    /// The server that should have the request.
    #[must_use]
    pub fn first(&self) -> Option<&'s Server> {
        self.servers.first().copied()
    }

    /// All of them: the first, and who takes its place if it fails.
    #[must_use]
    pub fn servers(&self) -> &[&'s Server] {
        &self.servers
    }

    /// The value of [`contract::names::PICK_HEADER`]; `None` where there is nobody to pick.
    #[must_use]
    pub fn header(&self) -> Option<String> {
        let addresses: Vec<&str> =
            self.servers.iter().map(|server| server.address.as_str()).collect();
        (!addresses.is_empty()).then(|| addresses.join(","))
    }
}

/// A pool's servers, as they are known when one is picked.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'s> {
    /// Its name.
    pub name: &'s str,
    /// The servers that may be given requests.
    pub servers: &'s [Server],
    /// How far affinity goes.
    pub bounds: AffinityBounds,
}

impl<'s> Pool<'s> {
    /// By the prompt's beginning: of the servers that hold the longest part of it the least
    /// busy one that is not over the bound. Where there is none: of the two that every gateway
    /// comes to by itself the less busy one, if nobody else has clearly less to do.
    #[must_use]
    pub fn by_prefix(&self, blocks: &Blocks, memory: &impl Memory, now_ms: u64) -> Picks<'s> {
        let field = Field::new(self, memory, now_ms);
        let holder = blocks.longest_first().find_map(|hash| {
            let remember_s = self.bounds.remember_s;
            let holders = Holders::of(memory, hash, seconds(now_ms), remember_s);
            if holders.are_many(seconds(now_ms), remember_s) {
                return field.least_busy_of_all(hash);
            }
            field.least_busy(holders.servers())
        });
        field.picks(holder.or_else(|| field.home(blocks.root())), blocks.root())
    }

    /// By the user: the server that every gateway comes to by itself; where it is over the
    /// bound, the next one that is not.
    #[must_use]
    pub fn by_user(
        &self,
        tenant: &str,
        user: &str,
        memory: &impl Memory,
        now_ms: u64,
    ) -> Picks<'s> {
        let unit = hash(hash(0, tenant.as_bytes()), user.as_bytes());
        let field = Field::new(self, memory, now_ms);
        field.picks(field.first_free(unit), unit)
    }

    /// Counts a request that goes to a server, until [`Pool::ended`]; `None`: nothing could be
    /// counted.
    pub fn sent(&self, address: &str, memory: &impl Memory, now_ms: u64) -> Option<Sent> {
        memory::begin(memory, self.name, server_id(address), now_ms)
    }

    /// The request is over, whatever came of it.
    pub fn ended(&self, sent: Sent, memory: &impl Memory, now_ms: u64) {
        memory::end(memory, self.name, sent, now_ms);
    }

    /// Remembers that a server has this prompt in its cache: when it is picked, and once more
    /// when the answer begins if another one gives it. Where a part of it stands there for
    /// this server since a short time, its own parts do as well.
    pub fn remember(&self, blocks: &Blocks, address: &str, memory: &impl Memory, now_ms: u64) {
        let (server, now_s) = (server_id(address), seconds(now_ms));
        let is_news = |hash| memory::remember(memory, hash, server, now_s, self.bounds.remember_s);
        let _ = blocks.longest_first().all(is_news);
    }
}

/// Unix seconds fit until 2106.
fn seconds(now_ms: u64) -> u32 {
    u32::try_from(now_ms / 1_000).unwrap_or(u32::MAX)
}
