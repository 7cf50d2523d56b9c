//! The order of things on the way of a request and of its answer.
//!
//! Events go in, commands come out: [`request_path`] and [`response_path`] take
//! what has arrived and say what is to be done; the shell (`gateway`) does it.
//! Nothing here calls a host, knows the time or waits.
//!
//! An exchange goes through the states of [`exchange`], each a type that holds
//! what is known by then and nothing else.

pub mod affinity;
pub mod command;
pub mod exchange;
pub mod fleet;
pub mod headers;
pub mod masking_key;
pub mod model_list;
pub mod note;
pub mod policy;
pub mod privacy;
pub mod request_path;
pub mod response_path;
pub mod spending;
pub mod surface;

pub use auth::authenticate::Means;
pub use auth::key::Digest;
pub use auth::{failures, hmac, keyring, nonce};
pub use billing::{lease, table, vms};
pub use policy::Policy;
