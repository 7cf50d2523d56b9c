//! The whole product: the real Envoy, the real `tollgate`, engines that are
//! simulated or replayed, clients that are real programs.

mod captures;
mod config;
mod crash;
mod faults;
mod headers;
mod http2;
mod keys;
mod ledger;
mod refusals;
mod restarts;
mod sdks;
