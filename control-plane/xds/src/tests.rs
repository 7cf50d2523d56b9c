//! The rules as tables, a simulated Envoy for any interleaving, and a real
//! client over loopback.

mod convergence;
mod envoy;
mod loopback;
mod loopback_groups;
mod ordering;
mod rollout;
mod rules;
mod session_rows;
mod subscription_rows;
mod table;
