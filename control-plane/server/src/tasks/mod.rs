//! What goes on in the background. Each task may run at any moment, and losing
//! one's turn loses nothing.

pub mod envoy_log;
pub mod follow_servers;
pub mod materials;
pub mod rotate;
pub mod watch_config;
