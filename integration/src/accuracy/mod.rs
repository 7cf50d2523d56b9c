//! The accounting-accuracy suite: does a gateway bill what it delivers?
//!
//! Engines that count every token that their sockets have taken, clients that count every
//! token that they have read, and the gateway's own records in between. A token that was
//! billed lies between the two: what a client that hangs up had still on its way, nobody
//! can say.
//!
#![doc = include_str!("running.md")]

mod books;
mod captured;
mod client;
mod kills;
mod plain;
mod race;
mod report;
mod verdict;
mod world;

pub use books::{Billed, Books};
pub use captured::{CAPTURED, captured};
pub use client::{Heard, Leave, Question};
pub use kills::{Kills, Victim};
pub use plain::{PLAIN, Plain};
pub use race::{Race, Shared};
pub use report::{json, table};
pub use verdict::{Bar, ESTIMATE_PERCENT_MAX, Evidence, Row, Sum};
pub use world::{Mark, World};
