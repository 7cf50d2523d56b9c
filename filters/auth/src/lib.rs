//! Who is calling, and what may they do.
//!
//! The way of a credential: [`credential::take`] finds the one that a request
//! carries. A key: [`key`] knows its form and digest, [`keyring`] what shared data
//! says of the digest, and [`mod@authenticate`] makes a [`Caller`] of it. A signature:
//! [`hmac`] and [`nonce`]. A token that Envoy has verified: [`jwt`]. A client
//! certificate, alone or beside one of these: [`certificate`]. Who fails too often is
//! known to [`failures`]. [`authorize`] says what the caller may do.

pub mod authenticate;
pub mod authorize;
pub mod certificate;
pub mod credential;
pub mod failures;
pub mod hmac;
pub mod jwt;
pub mod key;
pub mod keyring;
pub mod nonce;

pub use authenticate::{Caller, Means, Roles, authenticate};
pub use authorize::Access;
pub use certificate::Certificates;
