//! What goes on in the background. Each task may run at any moment, and losing
//! one's turn loses nothing.

pub mod count_gateways;
pub mod engine_counters;
pub mod envoy_log;
pub mod follow_servers;
pub mod follow_weights;
pub mod materials;
pub mod rotate;
pub mod spool_guard;
pub mod tell_fleet;
pub mod watch_config;
pub mod watch_envoys;
