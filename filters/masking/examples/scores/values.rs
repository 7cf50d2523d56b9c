//! Made-up values in the ways that people write them.

pub mod dates;
pub mod korean;
pub mod money;
pub mod network;
pub mod people;
pub mod secrets;
pub mod telephones;
