//! Keys, prices and usage: what has to outlive every process.
//!
//! The way of a coin: Envoy writes the usage spool ([`generation`] names its
//! files), [`tail`] reads it, [`spool`] folds lines into a [`store::Batch`] by
//! the rules of [`apply`], and a [`store::Store`] commits postings and reading
//! position in one transaction. So each request is billed once: what a crash
//! leaves unread is read again, and what was posted is known by its id.
//!
//! [`audit`] is the trail of what was done, by whom, that cannot be changed unseen.
//!
//! [`Ledger`] is the handle that the rest of the control plane holds.
//! Money is integer nano-dollars throughout.

pub mod apply;
pub mod audit;
#[cfg(test)]
mod conformance;
pub mod error;
pub mod generation;
mod handle;
pub mod journal;
pub mod key;
pub mod record;
pub mod spool;
pub mod sqlite;
pub mod store;
pub mod tail;

pub use audit::{Action, Actor, AuditEvent, AuditFilter, AuditRow, Fault, Head, Verdict};
pub use error::Error;
pub use generation::{
    LIVE_BYTES_MAX, awaits_reopen, live_bytes, rotate_for_dead_gateway, rotate_live,
};
pub use handle::{Ledger, Status};
pub use key::{Key, NewKey, NewSecret, Revocation, Rotation, StaticKeysChange};
pub use record::{GroupBy, UsageFilter, UsageRecord, UsageSum};
pub use sqlite::SqliteStore;
pub use store::{Counts, Position, Store};
