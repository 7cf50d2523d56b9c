//! Failed authentications by source address: who fails too often is refused before
//! anything is looked up for him.
//!
//! Each address has a cell of the generic cell rate algorithm (ITU-T I.371, Annex A) in
//! one of a fixed number of slots of shared data: as many failures at once as are
//! allowed in a minute, and one more whenever that part of a minute has passed.
//! Failures beyond do not count, so that waiting always ends the refusals.
//!
//! Addresses that share a slot share its cell. When it is used up, the one that failed
//! last is refused; another one of the slot that fails too is told so once more, and
//! from then on all of them are refused until the cell allows a failure again. So many
//! addresses in one slot get at most twice what one gets, and somebody who has a
//! stranger in his slot may be refused early: after one failure of his own, or with a
//! key that is so new that it would have to be looked up. A credential that is known to
//! be good is never refused here.

use contract::limits::FAILURE_SLOTS;
use contract::refusal::{Code, Refusal};
use sha2::{Digest as _, Sha256};
use std::net::{IpAddr, Ipv6Addr};

const MINUTE_NS: u64 = 60_000_000_000;

/// In place of an owner: the cell is used up for all addresses of the slot. No source
/// looks like it.
const EVERYBODY: [u8; 9] = [0xff; 9];

/// Where a request comes from, as far as failures are told apart: an IPv4 address, the
/// 64 bits of an IPv6 address that name a network (RFC 4291 §2.5.4: a host has all of
/// the others to itself), or unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source([u8; 9]);

/// What became of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The slot's new content, when it changes.
    pub slot: Option<Vec<u8>>,
    /// Whether it was one too many: 429 in place of 401.
    pub over: bool,
}

impl Source {
    /// The source of a request from `address`, in text. All that is not an address is
    /// one source.
    #[must_use]
    pub fn parse(address: &str) -> Source {
        match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(IpAddr::V4(address)) => Source::of(4, u64::from(address.to_bits()).to_be_bytes()),
            Ok(IpAddr::V6(address)) => Source::of(6, network(address)),
            Err(_) => Source::of(0, [0; 8]),
        }
    }

    /// The name of the slot with its cell.
    #[must_use]
    pub fn slot_name(&self) -> String {
        let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(self.0));
        format!("f/{}", u32::from_le_bytes([a, b, c, d]) % FAILURE_SLOTS)
    }

    fn of(kind: u8, bits: [u8; 8]) -> Source {
        let [a, b, c, d, e, f, g, h] = bits;
        Source([kind, a, b, c, d, e, f, g, h])
    }
}

/// What a source that failed too often is told.
#[must_use]
pub fn refusal() -> Refusal {
    Refusal::new(
        Code::RateLimitExceeded,
        "Too many credentials from this address were not valid. Try again later.",
    )
}

/// How many seconds (at least 1) `source` has to wait because it failed too often;
/// `None` when it need not. `slot` is the content of its slot, `per_minute` (1 or more)
/// the failures that are allowed.
#[must_use]
pub fn retry_after_s(
    slot: Option<&[u8]>,
    source: Source,
    now_ms: u64,
    per_minute: u32,
) -> Option<u64> {
    let cell = Cell::read(slot?)?;
    let pace = Pace::new(now_ms, per_minute);
    (cell.holds(source) && pace.is_over(cell)).then(|| pace.retry_after_s(cell))
}

/// Counts a failed authentication of `source`.
#[must_use]
pub fn note(slot: Option<&[u8]>, source: Source, now_ms: u64, per_minute: u32) -> Noted {
    let pace = Pace::new(now_ms, per_minute);
    let (cell, over) = match slot.and_then(Cell::read) {
        Some(cell) if !pace.is_over(cell) => (Some(pace.next(Some(cell), source)), false),
        Some(cell) if cell.holds(source) => (None, true),
        Some(cell) => (Some(Cell { owner: EVERYBODY, ..cell }), false),
        None => (Some(pace.next(None, source)), false),
    };
    Noted { slot: cell.map(Cell::write), over }
}

/// A cell as it stands in a slot.
#[derive(Clone, Copy)]
struct Cell {
    /// The source that failed last, or [`EVERYBODY`].
    owner: [u8; 9],
    /// When all failures are allowed again, Unix nanoseconds: the theoretical arrival
    /// time of the algorithm.
    full_at_ns: u64,
}

impl Cell {
    fn read(slot: &[u8]) -> Option<Cell> {
        let (owner, rest) = slot.split_first_chunk()?;
        Some(Cell { owner: *owner, full_at_ns: u64::from_le_bytes(rest.try_into().ok()?) })
    }

    /// Whether `source` is refused when the cell is used up.
    fn holds(self, source: Source) -> bool {
        [source.0, EVERYBODY].contains(&self.owner)
    }

    fn write(self) -> Vec<u8> {
        [&self.owner[..], &self.full_at_ns.to_le_bytes()[..]].concat()
    }
}

/// The clock, and how long one failure is counted.
#[derive(Clone, Copy)]
struct Pace {
    now_ns: u64,
    interval_ns: u64,
}

impl Pace {
    fn new(now_ms: u64, per_minute: u32) -> Pace {
        let interval_ns = MINUTE_NS / u64::from(per_minute.max(1));
        Pace { now_ns: now_ms.saturating_mul(1_000_000), interval_ns }
    }

    /// What the cell still owes, in nanoseconds: never more than a minute. Requests that
    /// came later may have been noted before this one; a cell that is further ahead than
    /// that is from before the clock was set back, and owes nothing.
    fn debt_ns(self, cell: Cell) -> u64 {
        match cell.full_at_ns.saturating_sub(self.now_ns) {
            debt_ns @ ..=MINUTE_NS => debt_ns,
            debt_ns if debt_ns <= 2 * MINUTE_NS => MINUTE_NS,
            _ => 0,
        }
    }

    fn is_over(self, cell: Cell) -> bool {
        self.debt_ns(cell) > MINUTE_NS - self.interval_ns
    }

    /// The cell after one more failure.
    fn next(self, cell: Option<Cell>, source: Source) -> Cell {
        let debt_ns = cell.map_or(0, |cell| self.debt_ns(cell)).saturating_add(self.interval_ns);
        Cell { owner: source.0, full_at_ns: self.now_ns.saturating_add(debt_ns) }
    }

    fn retry_after_s(self, cell: Cell) -> u64 {
        let over_ns = self.debt_ns(cell).saturating_sub(MINUTE_NS - self.interval_ns);
        over_ns.div_ceil(1_000_000_000).max(1)
    }
}

fn network(address: Ipv6Addr) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = address.octets();
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests;
