//! Bursts, gaps, restarts and clocks.

use super::*;
use proptest::prelude::*;

const INTERVAL: Duration = Duration::from_secs(1);

fn running(running: f64) -> Snapshot {
    Snapshot {
        signals: Signals { running: Some(running), ..Signals::default() },
        ..Snapshot::default()
    }
}

fn tokens(prompt: f64, generated: f64) -> Snapshot {
    Snapshot {
        prompt_tokens: Some(prompt),
        generated_tokens: Some(generated),
        ..Snapshot::default()
    }
}

fn prefix(asked: f64, hit: f64) -> Snapshot {
    Snapshot { prefix: Some(Prefix::Counted { asked, hit }), ..Snapshot::default() }
}

fn near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 1e-6)
}

#[test]
fn the_first_answer_is_taken_as_it_is() {
    let reading = Window::new(INTERVAL, 5).take(&running(7.0), 10_000);
    assert_eq!((reading.load.running, reading.latest.running), (Some(7.0), Some(7.0)));
    assert_eq!((reading.at_ms, reading.fresh_until_ms), (10_000, 15_000));
    assert_eq!(reading.prompt_tokens_per_second, None);
}

#[test]
fn a_jump_is_followed_by_the_time_constant() {
    let mut window = Window::new(INTERVAL, 5);
    window.take(&running(0.0), 0);
    let reading = window.take(&running(10.0), 1000);
    assert!(near(reading.load.running, 10.0 * (1.0 - (-0.5_f64).exp())));
    assert_eq!(reading.latest.running, Some(10.0));
    let reading = window.take(&running(10.0), 20_000);
    assert!(reading.load.running.is_some_and(|running| running > 9.99));
}

#[test]
fn a_gap_weighs_as_much_as_its_answers_would_have() {
    let mut regular = Window::new(INTERVAL, 5);
    let mut gap = Window::new(INTERVAL, 5);
    regular.take(&running(0.0), 0);
    gap.take(&running(0.0), 0);
    regular.take(&running(10.0), 1000);
    let regular = regular.take(&running(10.0), 2000);
    let gap = gap.take(&running(10.0), 2000);
    assert!(near(gap.load.running, regular.load.running.unwrap()));
}

#[test]
fn a_signal_that_ends_is_not_remembered() {
    let mut window = Window::new(INTERVAL, 5);
    window.take(&running(9.0), 0);
    assert_eq!(window.take(&tokens(0.0, 0.0), 1000).load.running, None);
    assert_eq!(window.take(&running(1.0), 2000).load.running, Some(1.0));
}

#[test]
fn counters_become_rates() {
    let mut window = Window::new(INTERVAL, 5);
    window.take(&tokens(1000.0, 50.0), 0);
    let reading = window.take(&tokens(1500.0, 70.0), 500);
    assert!(near(reading.prompt_tokens_per_second, 1000.0));
    assert!(near(reading.generated_tokens_per_second, 40.0));
    let quiet = window.take(&tokens(1500.0, 70.0), 30_000);
    assert!(quiet.prompt_tokens_per_second.is_some_and(|rate| rate < 0.01));
}

#[test]
fn a_counter_that_fell_began_anew() {
    let mut window = Window::new(INTERVAL, 5);
    window.take(&tokens(1_000_000.0, 0.0), 0);
    let reading = window.take(&tokens(300.0, 0.0), 1000);
    assert!(near(reading.prompt_tokens_per_second, 300.0));
}

#[test]
fn a_counter_that_appears_is_no_burst() {
    let mut window = Window::new(INTERVAL, 5);
    window.take(&running(1.0), 0);
    let reading = window.take(&tokens(1_000_000.0, 0.0), 1000);
    assert!(near(reading.prompt_tokens_per_second, 0.0));
}

#[test]
fn hits_are_a_share_of_what_was_asked_lately() {
    let mut window = Window::new(INTERVAL, 5);
    assert_eq!(window.take(&prefix(1000.0, 0.0), 0).prefix_hit_ratio, None);
    assert!(near(window.take(&prefix(1400.0, 100.0), 1000).prefix_hit_ratio, 0.25));
    let lately = window.take(&prefix(1800.0, 500.0), 60_000).prefix_hit_ratio;
    assert!(near(lately, 1.0), "{lately:?}");
    assert_eq!(window.take(&prefix(1800.0, 500.0), 120_000).prefix_hit_ratio, None);
}

#[test]
fn an_engines_own_ratio_is_passed_on() {
    let ratio = Snapshot { prefix: Some(Prefix::Ratio(0.5)), ..Snapshot::default() };
    assert_eq!(Window::new(INTERVAL, 5).take(&ratio, 0).prefix_hit_ratio, Some(0.5));
}

#[test]
fn a_clock_that_stands_or_goes_back_changes_no_mean() {
    let mut window = Window::new(INTERVAL, 5);
    window.take(&running(4.0), 5000);
    for now_ms in [5000, 1000] {
        let reading = window.take(&running(9.0), now_ms);
        assert_eq!(reading.load.running, Some(4.0));
        assert_eq!(reading.prompt_tokens_per_second, None);
    }
}

#[test]
fn limits_of_time_do_not_overflow() {
    let reading = Window::new(Duration::MAX, u32::MAX).take(&running(1.0), u64::MAX);
    assert_eq!(reading.fresh_until_ms, u64::MAX);
    let reading = Window::new(Duration::ZERO, 0).take(&running(1.0), 7);
    assert_eq!(reading.fresh_until_ms, 7);
}

proptest! {
    #[test]
    fn a_mean_stays_between_the_least_and_the_greatest(
        answers in proptest::collection::vec((0.0f64..1e6, 0u64..10_000), 1..30),
    ) {
        let mut window = Window::new(INTERVAL, 5);
        let least = answers.iter().map(|answer| answer.0).fold(f64::MAX, f64::min);
        let greatest = answers.iter().map(|answer| answer.0).fold(0.0, f64::max);
        let mut now_ms = 0;
        for (value, later_ms) in answers {
            now_ms += later_ms;
            let mean = window.take(&running(value), now_ms).load.running.unwrap();
            prop_assert!(mean >= least - 1e-6 && mean <= greatest + 1e-6);
        }
    }

    #[test]
    fn rates_and_ratios_are_never_negative_nor_endless(
        answers in proptest::collection::vec((0.0f64..1e15, 0.0f64..1e15, 0u64..10_000), 1..30),
    ) {
        let mut window = Window::new(INTERVAL, 5);
        let mut now_ms = 0;
        for (asked, hit, later_ms) in answers {
            now_ms += later_ms;
            let snapshot = Snapshot { prompt_tokens: Some(asked), ..prefix(asked, hit) };
            let reading = window.take(&snapshot, now_ms);
            let rate = reading.prompt_tokens_per_second.unwrap_or(0.0);
            prop_assert!(rate >= 0.0 && rate.is_finite());
            prop_assert!((0.0..=1.0).contains(&reading.prefix_hit_ratio.unwrap_or(0.0)));
        }
    }
}

#[test]
fn a_load_that_does_not_change_stays_what_it_is_to_the_last_bit() {
    let mut window = Window::new(Duration::from_millis(250), 5);
    let signals = Signals { running: Some(3.0), kv_use: Some(0.1), ..Signals::default() };
    let now = Snapshot { signals, ..Snapshot::default() };
    let mut at_ms = 0;
    for step_ms in (1..2_000).step_by(7) {
        at_ms += step_ms;
        assert_eq!(window.take(&now, at_ms).load, signals, "{step_ms}");
    }
}

#[test]
fn how_soon_an_engine_answers_is_told_with_the_rest() {
    use crate::signals::Answered;
    let answered = |seconds, count| Snapshot {
        answered: Some(Answered { seconds, count }),
        ..Snapshot::default()
    };
    let mut window = Window::new(INTERVAL, 5);
    assert_eq!(window.take(&answered(1.0, 10.0), 1_000).latency_ms, None);
    let reading = window.take(&answered(2.0, 20.0), 2_000);
    assert!(near(reading.latency_ms, 100.0));
    let reading = window.take(&answered(2.0, 20.0), 3_000);
    assert!(near(reading.latency_ms, 100.0), "nobody was answered since");
    assert_eq!(window.take(&answered(2.0, 20.0), 90_000).latency_ms, None);
}
