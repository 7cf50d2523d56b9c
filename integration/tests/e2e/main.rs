//! The whole product: the real Envoy, the real `tollgate`, engines that are
//! simulated or replayed, clients that are real programs.

mod admin_guard;
mod ads;
mod ask;
mod audit;
mod captures;
mod certificates;
mod config;
mod crash;
mod discovery;
mod faults;
mod headers;
mod health;
mod hmac;
mod http2;
mod jwt;
mod keys;
mod ledger;
mod made;
mod masking;
mod mtls;
mod rbac;
mod refusals;
mod reloads;
mod replays;
mod restarts;
mod rotate;
mod sdks;
mod secrets;
mod serving;
mod stale;
mod status;
mod throttle;
mod validation;
mod xds_bytes;
mod xds_port;
