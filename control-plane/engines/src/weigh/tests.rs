//! A table of scores, the fallbacks, and what holds for any pool.

use super::*;
use proptest::prelude::*;

const NOW_MS: u64 = 1_000_000;

fn engine(number: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], u16::try_from(number).unwrap() + 1))
}

fn signals(active: Option<f64>, kv_use: Option<f64>, gpu_use: Option<f64>) -> Signals {
    Signals { running: active, waiting: None, kv_use, gpu_use }
}

fn steady(load: Signals) -> Reading {
    Reading { load, latest: load, fresh_until_ms: NOW_MS, ..Reading::default() }
}

fn reading(active: f64, kv_use: f64) -> Option<Reading> {
    Some(steady(signals(Some(active), Some(kv_use), None)))
}

/// The weights of engines 0, 1, ... with the weights they had.
fn weights(pool: &[Option<Reading>], previous: &[u32]) -> Vec<u32> {
    let pool: Vec<_> =
        pool.iter().enumerate().map(|(number, reading)| (engine(number), *reading)).collect();
    let previous =
        previous.iter().enumerate().map(|(number, weight)| (engine(number), *weight)).collect();
    weigh(&pool, 32, &previous, NOW_MS).into_values().collect()
}

#[test]
fn a_score_is_made_of_what_is_told() {
    let table = [
        (signals(Some(0.0), Some(0.0), None), 128),
        (signals(Some(32.0), Some(1.0), None), 8),
        (signals(Some(16.0), Some(0.5), None), 64),
        (signals(Some(16.0), Some(0.0), None), 102),
        (signals(Some(0.0), Some(0.5), None), 90),
        (signals(Some(900.0), Some(0.5), None), 38),
        (signals(Some(16.0), Some(0.5), Some(1.0)), 64),
        (signals(Some(16.0), None, Some(0.5)), 64),
        (signals(Some(16.0), None, None), 64),
        (signals(Some(8.0), None, None), 96),
        (signals(None, Some(0.25), None), 96),
        (signals(None, None, Some(0.75)), 32),
        (signals(Some(f64::NAN), Some(0.5), None), 8),
    ];
    for (load, expected) in table {
        assert_eq!(weights(&[Some(steady(load))], &[]), [expected], "{load:?}");
    }
}

#[test]
fn waiting_requests_weigh_as_running_ones() {
    let load = Signals { running: Some(10.0), waiting: Some(6.0), ..Signals::default() };
    assert_eq!(weights(&[Some(steady(load))], &[]), [64]);
}

#[test]
fn an_unknown_engine_gets_the_median() {
    let (idle, half, full) = (reading(0.0, 0.0), reading(16.0, 0.5), reading(32.0, 1.0));
    assert_eq!(weights(&[None, idle, half, full], &[]), [64, 128, 64, 8]);
    assert_eq!(weights(&[idle, half, None, None], &[]), [128, 64, 64, 64]);
    let silent = Some(steady(Signals::default()));
    assert_eq!(weights(&[half, silent], &[]), [64, 64]);
}

#[test]
fn a_stale_engine_is_an_unknown_one() {
    let stale = reading(32.0, 1.0).map(|reading| Reading { fresh_until_ms: NOW_MS - 1, ..reading });
    assert_eq!(weights(&[stale, reading(0.0, 0.0)], &[]), [128, 128]);
}

#[test]
fn a_pool_that_nobody_knows_has_equal_weights() {
    assert_eq!(weights(&[None, None], &[8, 100]), [WEIGHT_MAX, WEIGHT_MAX]);
    assert!(weights(&[], &[]).is_empty());
}

#[test]
fn a_small_move_changes_nothing_and_a_great_one_does() {
    // Engine at weight 64 now; what gateways had, and what they get.
    let table = [(64, 64), (76, 76), (77, 64), (52, 52), (51, 64), (48, 64), (128, 64), (8, 64)];
    for (previous, expected) in table {
        assert_eq!(weights(&[reading(16.0, 0.5)], &[previous]), [expected], "{previous}");
    }
}

#[test]
fn a_small_weight_moves_by_a_quarter_of_itself() {
    // 30 of 32 active and nothing else: weight 8; 28: 16.
    let at = |active| Some(steady(signals(Some(active), None, None)));
    assert_eq!(weights(&[at(28.0)], &[13]), [13]);
    assert_eq!(weights(&[at(28.0)], &[12]), [16]);
    assert_eq!(weights(&[at(30.0)], &[11]), [11]);
    assert_eq!(weights(&[at(30.0)], &[12]), [8]);
}

#[test]
fn a_weight_out_of_bounds_is_not_kept() {
    assert_eq!(weights(&[reading(16.0, 0.5), reading(16.0, 0.5)], &[0, 4000]), [64, 64]);
}

#[test]
fn a_full_engine_steps_down_at_once() {
    let calm = signals(Some(2.0), Some(0.1), None);
    let jumps = |latest| Some(Reading { latest, ..steady(calm) });
    let full_cache = signals(Some(2.0), Some(0.95), None);
    assert_eq!(weights(&[jumps(full_cache)], &[117]), [52]);
    let full_batch = signals(Some(32.0), Some(0.1), None);
    assert_eq!(weights(&[jumps(full_batch)], &[117]), [69]);
    let nearly = signals(Some(31.0), Some(0.94), None);
    assert_eq!(weights(&[jumps(nearly)], &[117]), [117]);
    // By less than the hysteresis too, and never up.
    assert_eq!(weights(&[jumps(full_cache)], &[54]), [52]);
    assert_eq!(weights(&[jumps(full_cache)], &[50]), [50]);
}

#[test]
fn busy_gpus_alone_are_no_saturation() {
    let busy = Some(steady(signals(Some(1.0), None, Some(1.0))));
    assert_eq!(weights(&[busy], &[51]), [51]);
}

fn any_signals() -> impl Strategy<Value = Signals> {
    let share = || proptest::option::of(0.0f64..=1.0);
    let requests = || proptest::option::of(0.0f64..100.0);
    (requests(), requests(), share(), share()).prop_map(|(running, waiting, kv_use, gpu_use)| {
        Signals { running, waiting, kv_use, gpu_use }
    })
}

fn any_reading() -> impl Strategy<Value = Option<Reading>> {
    let reading =
        (any_signals(), any_signals(), any::<bool>()).prop_map(|(load, latest, fresh)| {
            let fresh_until_ms = if fresh { NOW_MS } else { 0 };
            Reading { load, latest, fresh_until_ms, ..Reading::default() }
        });
    proptest::option::of(reading)
}

/// A reading that is busier in some or all that the other one tells.
fn busier(calm: &Signals, more: [f64; 4]) -> Signals {
    let [running, waiting, kv_use, gpu_use] = more;
    Signals {
        running: calm.running.map(|value| value + running * 50.0),
        waiting: calm.waiting.map(|value| value + waiting * 50.0),
        kv_use: calm.kv_use.map(|value| (value + kv_use).min(1.0)),
        gpu_use: calm.gpu_use.map(|value| (value + gpu_use).min(1.0)),
    }
}

fn any_weight() -> impl Strategy<Value = u32> {
    WEIGHT_FLOOR..=WEIGHT_MAX
}

proptest! {
    #[test]
    fn every_engine_has_a_weight_within_the_bounds(
        pool in proptest::collection::vec(any_reading(), 0..20),
        previous in proptest::collection::vec(any::<u32>(), 0..20),
    ) {
        let found = weights(&pool, &previous);
        prop_assert_eq!(found.len(), pool.len());
        prop_assert!(found.iter().all(|weight| (WEIGHT_FLOOR..=WEIGHT_MAX).contains(weight)));
    }

    #[test]
    fn a_busier_engine_never_weighs_more(
        load in any_signals(),
        latest in any_signals(),
        more in proptest::array::uniform4(0.0f64..1.0),
        previous in (any_weight(), any_weight()),
    ) {
        let calm = Reading { load, latest, fresh_until_ms: NOW_MS, ..Reading::default() };
        let busy =
            Reading { load: busier(&load, more), latest: busier(&latest, more), ..calm };
        let [calm_weight, busy_weight] = weights(&[Some(calm), Some(busy)], &[])[..] else {
            return Err(TestCaseError::fail("two engines have two weights"));
        };
        prop_assert!(busy_weight <= calm_weight, "{} > {}", busy_weight, calm_weight);
        // Each may lag by one less than the hysteresis behind its load.
        let held = weights(&[Some(calm), Some(busy)], &[previous.0, previous.1]);
        prop_assert!(held[1] <= held[0] + 2 * (MOVE_MAX - 1), "{:?}", held);
    }

    #[test]
    fn equal_engines_have_equal_weights(reading in any_reading(), previous in any_weight()) {
        let found = weights(&[reading; 3], &[previous; 3]);
        prop_assert!(found.iter().all(|weight| *weight == found[0]), "{:?}", found);
    }

    #[test]
    fn the_order_of_the_pool_does_not_matter(
        pool in proptest::collection::vec(any_reading(), 0..10),
        previous in proptest::collection::vec(any_weight(), 0..10),
        turn in 0usize..10,
    ) {
        let previous: BTreeMap<_, _> =
            previous.iter().enumerate().map(|(number, weight)| (engine(number), *weight)).collect();
        let mut pool: Vec<_> =
            pool.iter().enumerate().map(|(number, reading)| (engine(number), *reading)).collect();
        let straight = weigh(&pool, 32, &previous, NOW_MS);
        pool.reverse();
        if !pool.is_empty() {
            let length = pool.len();
            pool.rotate_left(turn % length);
        }
        prop_assert_eq!(straight, weigh(&pool, 32, &previous, NOW_MS));
    }

    #[test]
    fn what_does_not_change_is_not_moved_again(
        pool in proptest::collection::vec(any_reading(), 1..10),
        previous in proptest::collection::vec(any_weight(), 0..10),
    ) {
        let first = weights(&pool, &previous);
        prop_assert_eq!(weights(&pool, &first), first);
    }
}
