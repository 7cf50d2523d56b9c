//! The rules as tables, a simulated Envoy for any interleaving, and a real
//! client over loopback.

mod convergence;
mod envoy;
mod loopback;
mod ordering;
mod rules;
