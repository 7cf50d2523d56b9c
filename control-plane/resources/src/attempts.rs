//! When there is another attempt. How many there may be is said by the filter, by header:
//! [`contract::names::RETRIES_HEADER`]; without it there is none.

use crate::well_known::{duration, number};
use contract::names::NOBODY_STATUS;
use envoy_types::pb::envoy::config::route::v3::{
    RetryPolicy,
    retry_policy::{RetryBackOff, RetryHostPredicate, retry_host_predicate::ConfigType},
};
use envoy_types::pb::envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate;
use envoy_types::util::pack_any;
use plan::Retry;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long Envoy waits before the second attempt, about; it doubles from one attempt to
/// the next. Short, because the caller waits, and the next attempt is on another server.
const WAIT: Duration = Duration::from_millis(5);

/// The longest such wait.
const WAIT_MAX: Duration = Duration::from_millis(50);

/// How often another server is drawn in place of one that has failed this request already.
/// A pool with one server gets it again; of two, the one that has failed is drawn each time
/// in one request of 60,000 (with three draws more it was one of 16).
const DRAWS_MAX: i64 = 15;

/// The policy of a route. `silent_for`: how long an engine may say nothing, before its
/// first byte, where the attempt is one that has failed, and after it, where the answer is
/// cut. Envoy ends both as a time-out of the server, so that ejection counts them.
///
/// `pool_to_pool`: each attempt is on the cluster that comes next (Envoy 1.39 and later;
/// without it all attempts stay on the first).
///
/// The time-out of an attempt counts as a reset (Envoy, "Router", `x-envoy-retry-on`).
pub(crate) fn policy(
    retry: &Retry,
    silent_for: Option<Duration>,
    pool_to_pool: bool,
) -> RetryPolicy {
    RetryPolicy {
        retry_on: conditions(retry).join(","),
        retriable_status_codes: statuses(retry).into_iter().map(u32::from).collect(),
        num_retries: number(0),
        refresh_cluster_on_retry: pool_to_pool,
        per_try_idle_timeout: silent_for.and_then(duration),
        retry_host_predicate: vec![not_again()],
        host_selection_retry_max_attempts: DRAWS_MAX,
        retry_back_off: Some(RetryBackOff {
            base_interval: duration(WAIT),
            max_interval: duration(WAIT_MAX),
        }),
        ..RetryPolicy::default()
    }
}

fn conditions(retry: &Retry) -> Vec<&'static str> {
    let connect = retry.connect.then_some(["connect-failure", "refused-stream"]);
    let reset = retry.reset.then_some("reset");
    let own = connect.into_iter().flatten().chain(reset);
    own.chain(["retriable-status-codes"]).collect()
}

/// With the status of [`crate::nobody`], whatever else counts: no engine was asked.
fn statuses(retry: &Retry) -> BTreeSet<u16> {
    retry.statuses.iter().copied().chain([NOBODY_STATUS]).collect()
}

fn not_again() -> RetryHostPredicate {
    RetryHostPredicate {
        name: "envoy.retry_host_predicates.previous_hosts".to_owned(),
        config_type: Some(ConfigType::TypedConfig(pack_any(PreviousHostsPredicate {}))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_configured_is_tried_again_and_nobody_always() {
        let never = Retry { connect: false, reset: false, statuses: [].into(), ..Retry::default() };
        let none = policy(&never, None, false);
        assert_eq!(none.retry_on, "retriable-status-codes");
        assert_eq!(none.retriable_status_codes, [421]);
        let some = policy(&Retry { statuses: [429, 503].into(), ..Retry::default() }, None, true);
        assert_eq!(some.retry_on, "connect-failure,refused-stream,reset,retriable-status-codes");
        assert_eq!(some.retriable_status_codes, [421, 429, 503]);
        assert!(some.refresh_cluster_on_retry && !none.refresh_cluster_on_retry);
    }

    #[test]
    fn there_is_no_second_attempt_unless_the_filter_says_so() {
        let policy = policy(&Retry::default(), Some(Duration::from_secs(60)), false);
        assert_eq!(policy.num_retries, number(0));
        assert_eq!(policy.per_try_timeout, None);
        assert_eq!(policy.per_try_idle_timeout, duration(Duration::from_secs(60)));
    }
}
