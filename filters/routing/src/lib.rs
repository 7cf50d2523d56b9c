//! Which pools serve a request, and which of a pool's servers should have it.
//!
//! [`Table`] leads from the name that was asked for to a [`Model`], the model from what is
//! known of the request to a [`Chain`] of pools. [`prefix`] and [`pick`] say which server of
//! a pool has seen such a request before. All of it is pure: time and what is remembered are
//! arguments.

pub mod chain;
mod family;
pub mod memory;
pub mod model;
pub mod pick;
pub mod prefix;
pub mod prompt;
mod rendezvous;
mod rules;
mod split;
pub mod table;

pub use chain::Chain;
pub use memory::Memory;
pub use model::{Draw, Facts, Model};
pub use pick::{Picks, Pool};
pub use prefix::Blocks;
pub use table::{Route, Table};
