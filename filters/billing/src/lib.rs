//! What a request costs. Integers only.

pub mod price;
