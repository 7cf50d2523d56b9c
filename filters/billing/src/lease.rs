//! Money from leases: what a request can cost is reserved from a lease of each account that
//! pays for it, from all or from none, and is settled when the request has ended.
//!
//! A lease can pay for `granted - returned - spent - reserved`, and never gives back what is
//! reserved. What a worker VM had reserved when it died is spent: the records say what it
//! truly was, and the ledger closes the lease by them.

mod cell;
mod install;
mod payer;
mod reserve;
mod slot;
mod sweep;

pub use install::install;
pub use payer::Payer;
pub use reserve::{extend, reserve, settle};
pub use sweep::{sweep, told};

use contract::lease::Wanted;

/// A lease that ends sooner than this is used no more, in milliseconds: an answer of the
/// control plane may be as late as its time-out, and one on its way must not add to a lease
/// that is given back.
const EXPIRY_MARGIN_MS: u64 = 2 * contract::limits::LEASE_TIMEOUT_MS;

/// How long an account without a budget is remembered as such, in milliseconds.
const UNBOUNDED_MS: u64 = 10_000;

/// How long it is remembered that the ledger has no more, in milliseconds: as long a storm of
/// requests asks it nothing.
const DRY_MS: u64 = 1_000;

/// Money that is held for a request. It is settled once, by [`settle`].
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use = "what is reserved has to be settled"]
pub struct Reservation {
    vm: u32,
    nanodollars: u64,
    parts: Vec<Part>,
}

/// What is held of one lease.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    payer: Payer,
    lease: u64,
    /// Of what the VM holds of the lease, which.
    epoch: u32,
    nanodollars: u64,
}

impl Reservation {
    /// How much is held for each account.
    #[must_use]
    pub const fn nanodollars(&self) -> u64 {
        self.nanodollars
    }

    /// The leases, by their numbers, for the usage record.
    #[must_use]
    pub fn leases(&self) -> Vec<u64> {
        self.parts.iter().map(|part| part.lease).collect()
    }

    /// Whether there is no account that has a budget, or nothing to pay.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// There is too little money; nothing was reserved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Short {
    /// What to ask the control plane for. Nothing: it has said just now that there is no
    /// more, or the table was busy.
    pub missing: Vec<Wanted>,
    /// What all accounts could pay now, in nano-dollars.
    pub available: u64,
    /// Seconds after which there may be more, at least 1; `None`: never.
    pub retry_after_s: Option<u64>,
}

fn name(slot: u32) -> String {
    format!("b/{slot}")
}

#[cfg(test)]
mod tests;
