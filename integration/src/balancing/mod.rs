//! A simulation of balancing: engines with continuous batching and prefix caches, the traffic
//! of chats, and gateways that choose by the same code as the real ones. Nothing of it knows
//! the real time, and the same seed gives the same figures.

mod cache;
mod engine;
mod figures;
mod gateway;
mod plane;
mod random;
mod scenario;
mod traffic;
mod world;

pub use figures::Figures;
pub use gateway::Policy;
pub use scenario::Scenario;
pub use world::run;

/// Moments and times of the simulation, in microseconds.
pub type Micros = u64;

#[cfg(test)]
mod tests;
