//! Who is calling, and what may they do.
//!
//! The way of a credential: [`credential::take`] finds the one that a request
//! carries, [`key`] knows its form and digest, [`keyring`] what shared data says
//! of the digest, [`authenticate`] makes a [`Caller`] of it, and [`authorize`]
//! which models the caller may use.

pub mod authenticate;
pub mod authorize;
pub mod credential;
pub mod glob;
pub mod key;
pub mod keyring;

pub use authenticate::{Caller, authenticate};
pub use authorize::Access;
