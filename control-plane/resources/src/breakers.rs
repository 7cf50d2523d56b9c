//! The most that one Envoy has under way to a pool. What is above it is refused at once, and
//! goes to no other pool: Envoy does not try again what has overflowed (seen on 1.40).

use crate::well_known::number;
use envoy_types::pb::envoy::config::cluster::v3::{
    CircuitBreakers,
    circuit_breakers::{Thresholds, thresholds::RetryBudget},
};
use envoy_types::pb::envoy::r#type::v3::Percent;
use plan::Breakers;
use std::num::NonZeroU32;

/// Where nothing is said. Envoy's own 1024 would turn callers away long before the engines
/// are full; what a pool may take is for the limits of the configuration to say.
const UNLIMITED: u32 = 1_000_000;

/// Attempts after the first that may be under way to a pool however few requests there are
/// beside them.
const RETRIES_MIN: u32 = 100;

/// The breakers of a pool. `budget_percent`: the most of its active requests that may be
/// attempts after the first; `None`: a chain goes on from it. Envoy counts an attempt at the
/// next pool against the first one's budget, until its answer has ended (seen on 1.40): of a
/// pool that fails at once, hardly anything is active, and its callers would be left with its
/// failures. What bounds their attempts is the chain.
pub(crate) fn of(breakers: &Breakers, budget_percent: Option<u8>) -> CircuitBreakers {
    let most = |limit: Option<NonZeroU32>| number(limit.map_or(UNLIMITED, NonZeroU32::get));
    let budget = |percent: u8| RetryBudget {
        budget_percent: Some(Percent { value: percent.into() }),
        min_retry_concurrency: number(RETRIES_MIN),
        ..RetryBudget::default()
    };
    CircuitBreakers {
        thresholds: vec![Thresholds {
            max_connections: most(breakers.connections),
            max_pending_requests: most(breakers.waiting),
            max_requests: most(breakers.requests),
            max_retries: number(UNLIMITED),
            retry_budget: budget_percent.map(budget),
            ..Thresholds::default()
        }],
        ..CircuitBreakers::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_no_limit() {
        let breakers = Breakers { requests: NonZeroU32::new(7), ..Breakers::default() };
        let told = of(&breakers, Some(20)).thresholds.remove(0);
        assert_eq!(told.max_requests, number(7));
        assert_eq!(told.max_connections, number(UNLIMITED));
        let budget = told.retry_budget.unwrap();
        assert_eq!(budget.budget_percent, Some(Percent { value: 20.0 }));
    }

    #[test]
    fn where_a_chain_goes_on_every_attempt_may_be_made() {
        let told = of(&Breakers::default(), None).thresholds.remove(0);
        assert_eq!((told.retry_budget, told.max_retries), (None, number(UNLIMITED)));
    }
}
