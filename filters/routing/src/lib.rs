//! Which pool serves a request.

pub mod table;

pub use table::{Route, Table};
