//! What a request costs, and whether it may: prices, estimates, the bound of what a request
//! can cost, limits, concurrency, and money from leases. Integers only; no host, no clock, no
//! randomness.
//!
//! All state is in a [`table::Table`] that the workers of a process share and change by
//! compare-and-swap.

pub mod bound;
mod bytes;
pub mod concurrency;
pub mod estimate;
pub mod lease;
pub mod limits;
pub mod memory;
pub mod price;
pub mod scope;
pub mod table;
pub mod vms;
