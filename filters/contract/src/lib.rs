//! The words that both planes share.
//!
//! The data plane (the Wasm module) and the control plane are built apart and
//! upgraded apart; what one writes and the other reads is defined here and only
//! here: the configuration of the module ([`policy`]), what a key digest stands
//! for ([`keyring`]), what a request used ([`usage`]), the line of the usage
//! spool ([`spool`]), what a client is told when it is refused ([`refusal`]), and
//! which names a pattern of the configuration stands for ([`glob`]). Named limits
//! are in [`limits`].
//!
//! Nothing here decides about a request: these are plain values with serde, and what
//! their words mean.

pub mod attempt;
pub mod fleet;
pub mod glob;
pub mod keyring;
pub mod lease;
pub mod limits;
pub mod masking;
pub mod names;
pub mod policy;
pub mod price;
pub mod refusal;
pub mod routes;
pub mod spool;
pub mod usage;
