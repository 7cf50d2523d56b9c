//! The whole product: the real Envoy, the real `tollgate`, engines that are
//! simulated or replayed, clients that are real programs.

mod ads;
mod captures;
mod certificates;
mod config;
mod crash;
mod discovery;
mod faults;
mod headers;
mod health;
mod http2;
mod keys;
mod ledger;
mod made;
mod refusals;
mod restarts;
mod sdks;
mod status;
mod xds_port;
