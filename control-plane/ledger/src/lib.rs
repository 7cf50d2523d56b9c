//! Keys, prices and usage: what has to outlive every process.
//!
//! The way of a coin: Envoy writes the usage spool ([`generation`] names its
//! files), [`tail`] reads it, [`spool`] folds lines into a [`store::Batch`] by
//! the rules of [`apply`], and a [`store::Store`] commits postings and reading
//! position in one transaction. So each request is billed once: what a crash
//! leaves unread is read again, and what was posted is known by its id.
//!
//! Every cost moves from one account to another: a posting beside its record, both in chains
//! of hashes ([`chain`]), and the balances of all accounts in every period ([`moves`]). Parts
//! of budgets ([`budget`]) go to the gateways as leases ([`lease`]). What was posted stays;
//! a [`correction`] is another posting. [`verify`] reads the books against each other.
//!
//! [`weights`] are those that commands gave to the splits of models.
//!
//! [`audit`] is the trail of what was done, by whom, that cannot be changed unseen.
//!
//! [`Ledger`] is the handle that the rest of the control plane holds.
//! Money is integer nano-dollars throughout.

#![expect(
    clippy::duplicate_mod,
    reason = "each query is written once and compiled for each database"
)]

pub mod apply;
pub mod audit;
pub mod budget;
pub mod chain;
#[cfg(test)]
mod conformance;
pub mod correction;
pub mod counters;
mod desk;
pub mod error;
pub mod generation;
mod handle;
pub mod journal;
pub mod key;
pub mod lease;
pub mod migrate;
pub mod moves;
pub mod postgres;
pub mod record;
mod seen;
pub mod snapshot;
pub mod spool;
pub mod sqlite;
mod storable;
pub mod store;
pub mod tail;
pub mod verify;
pub mod weights;

pub use audit::{Action, Actor, AuditEvent, AuditFilter, AuditRow, Fault, Head, Verdict};
pub use budget::{Budget, BudgetBook, BudgetStanding, Per, Period};
pub use correction::{Corrected, Correction, NewCorrection};
pub use counters::EngineCounters;
pub use error::Error;
pub use generation::{
    LIVE_BYTES_MAX, awaits_reopen, live_bytes, rotate_for_dead_gateway, rotate_live,
};
pub use handle::{DATABASE_NAME, Ledger, SPOOL_NAME, Status};
pub use key::{Key, NewKey, NewSecret, Revocation, Rotation, StaticKeysChange};
pub use postgres::PostgresStore;
pub use record::{GroupBy, UsageFilter, UsageRecord, UsageSum};
pub use sqlite::SqliteStore;
pub use store::{Counts, Position, Store};
pub use verify::{MoneyFault, Verification};
pub use weights::{Cause, WeightChange, WeightStanding, Weights, fitting as weights_that_fit};
