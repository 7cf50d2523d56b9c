//! What a request may cost, on its way and on that of its answer: limits and budgets are
//! kept by `billing` in the table that all workers share.

mod admission;
mod course;
mod demand;
pub mod marks;
mod rules;
#[cfg(test)]
pub(crate) mod trial;
mod user;

pub use admission::{Admission, Denied, admit, install, standing_headers};
pub use course::Course;
pub(crate) use demand::BYTES_PER_TOKEN_MAX;
pub use demand::{Demand, Whose, asked};
pub use rules::Rules;
pub use user::recorded_user;

use billing::table::Table;
use billing::vms::Alive;
use contract::refusal::{Code, Refusal};
use std::rc::Rc;

/// The table, and what has to be known to use it.
pub struct Till<'t, T> {
    /// The table of the process.
    pub table: &'t T,
    /// The VM that asks.
    pub vm: u32,
    /// Which VMs live.
    pub alive: Rc<Alive>,
    /// How many gateways share the limits.
    pub gateways: u32,
    /// With what names are hashed.
    pub salt: u64,
    /// Whether usage can hardly be written any more.
    pub spool_full: bool,
    /// Unix time in milliseconds.
    pub now_ms: u64,
}

impl<T: Table> Till<'_, T> {
    /// Unix time in nanoseconds.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.now_ms.saturating_mul(1_000_000)
    }
}

/// What a request is bounded by has not arrived yet.
fn unavailable() -> Refusal {
    Refusal::new(Code::ControlUnavailable, "The limits of this request are not known; try again.")
}
