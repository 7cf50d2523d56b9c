use super::*;

#[test]
fn the_same_seed_gives_the_same_figures() {
    let scenario = Scenario { seconds: 20, ..Scenario::bursts(4, 3) };
    let once = run(&scenario, Policy::LoadPrefix, &[1]);
    assert!(once.requests > 50, "{once:?}");
    assert_eq!(run(&scenario, Policy::LoadPrefix, &[1]), once);
    assert_ne!(run(&scenario, Policy::LoadPrefix, &[2]), once);
    assert!(run(&scenario, Policy::LoadPrefix, &[1, 2]).requests > once.requests);
}

/// The bar of the whole simulation, on less of it.
#[test]
fn prefixes_halve_the_slowest_first_tokens_and_lose_nothing() {
    let scenario = Scenario { seconds: 80, ..Scenario::one_hot(4, 1) };
    let [round_robin, least_request, prefix] =
        [Policy::RoundRobin, Policy::LeastRequest, Policy::LoadPrefix]
            .map(|policy| run(&scenario, policy, &[3]));
    assert!(prefix.p99_ms * 2.0 <= round_robin.p99_ms, "{prefix:?} {round_robin:?}");
    assert!(prefix.p99_ms * 2.0 <= least_request.p99_ms, "{prefix:?} {least_request:?}");
    assert!(prefix.mean_ms <= least_request.mean_ms, "{prefix:?} {least_request:?}");
    assert!(prefix.hits > round_robin.hits, "{prefix:?} {round_robin:?}");
}

/// Where prompts have nothing in common there is nothing to win.
#[test]
fn without_anything_in_common_nothing_is_lost() {
    let scenario = Scenario { seconds: 80, ..Scenario::short(4, 3) };
    let [least_request, prefix] =
        [Policy::LeastRequest, Policy::LoadPrefix].map(|policy| run(&scenario, policy, &[3]));
    assert!(prefix.mean_ms <= least_request.mean_ms, "{prefix:?} {least_request:?}");
    assert!(prefix.p99_ms <= least_request.p99_ms, "{prefix:?} {least_request:?}");
}
