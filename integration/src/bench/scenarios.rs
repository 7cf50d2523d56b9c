//! What is measured, and the order of the runs.

use std::time::Duration;

use integration::Result;

use crate::figures::{each, micros};
use crate::load::{Sample, Target, Times, run};
use crate::report::{Column, Compare};
use crate::request::Ask;
use crate::sides::{Side, Stub};

/// Events of a long answer.
const STREAM_TOKENS: u64 = 500;

/// One table.
pub struct Scenario {
    /// Its heading.
    pub title: &'static str,
    /// What every connection asks for.
    pub ask: Ask,
    /// At once.
    pub connections: usize,
    /// Whether it is the first to ask for this kind of answer.
    pub is_first: bool,
    /// How many of the sides take part, the first ones.
    pub sides: usize,
    /// What is told of every side.
    pub columns: &'static [Column],
}

const REQUESTS: Column = Column {
    title: "requests/s",
    digits: 0,
    value: |sample| sample.answers as f64 / sample.elapsed.as_secs_f64(),
    compare: Compare::Ratio,
};
const CPU_PER_REQUEST: Column = Column {
    title: "CPU µs/request",
    digits: 1,
    value: |sample| each(micros(sample.envoy.on_core), sample.answers),
    compare: Compare::RatioAndDifference,
};
const EVENTS: Column = Column {
    title: "events/s",
    digits: 0,
    value: |sample| sample.events as f64 / sample.elapsed.as_secs_f64(),
    compare: Compare::Ratio,
};
const CPU_PER_EVENT: Column = Column {
    title: "CPU µs/event",
    digits: 2,
    value: |sample| each(micros(sample.envoy.on_core), sample.events),
    compare: Compare::RatioAndDifference,
};
const P50: Column = Column {
    title: "p50 µs",
    digits: 0,
    value: |sample| micros(sample.p50),
    compare: Compare::RatioAndDifference,
};
const P99: Column = Column {
    title: "p99 µs",
    digits: 0,
    value: |sample| micros(sample.p99),
    compare: Compare::RatioAndDifference,
};
const BUSY: Column = Column {
    title: "Envoy's core %",
    digits: 0,
    value: |sample| 100.0 * sample.envoy.on_core.as_secs_f64() / sample.elapsed.as_secs_f64(),
    compare: Compare::Nothing,
};
const WAITED: Column = Column {
    title: "waited for it %",
    digits: 0,
    value: |sample| 100.0 * sample.envoy.waited.as_secs_f64() / sample.elapsed.as_secs_f64(),
    compare: Compare::Nothing,
};

/// All tables, in the order of the report.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        title: "JSON answer to a 2 KB chat, 8 connections",
        ask: Ask::Json,
        connections: 8,
        is_first: true,
        sides: 3,
        columns: &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED],
    },
    Scenario {
        title: "JSON answer to a 2 KB chat, 64 connections",
        ask: Ask::Json,
        connections: 64,
        is_first: false,
        sides: 3,
        columns: &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED],
    },
    Scenario {
        title: "Latency: JSON answer to a 2 KB chat, 1 connection",
        ask: Ask::Json,
        connections: 1,
        is_first: false,
        sides: 2,
        columns: &[P50, P99, CPU_PER_REQUEST, WAITED],
    },
    Scenario {
        title: "Stream of 500 tokens as fast as it can be written, 4 connections",
        ask: Ask::Stream { tokens: STREAM_TOKENS, interval_us: 0 },
        connections: 4,
        is_first: true,
        sides: 2,
        columns: &[EVENTS, CPU_PER_EVENT, BUSY, WAITED],
    },
    Scenario {
        title: "Stream of 500 tokens, one every 2 ms, 16 connections",
        ask: Ask::Stream { tokens: STREAM_TOKENS, interval_us: 2_000 },
        connections: 16,
        is_first: false,
        sides: 2,
        columns: &[EVENTS, CPU_PER_EVENT, BUSY, WAITED],
    },
];

/// Runs a scenario in rounds, in each of them one side after the other; the
/// samples of every side, in the order of the rounds.
///
/// Gateways are heated first: V8 may compile what is called often once more, in a
/// thread of Envoy, and the memory of both planes grows to what the load needs.
///
/// # Errors
/// A side does not answer as it should before the load begins, or is gone.
pub async fn measure(
    scenario: &Scenario,
    stub: &Stub,
    sides: &mut [Side],
    rounds: u64,
    times: Times,
    heat: Duration,
) -> Result<Vec<Vec<Sample>>> {
    let events = stub.events_of(scenario.ask).await?;
    let mut targets = Vec::new();
    for side in sides.iter_mut().take(scenario.sides) {
        targets.push(side.target(scenario.ask, events).await?);
    }
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); targets.len()];
    if scenario.is_first {
        for ((side, target), samples) in sides.iter_mut().zip(&targets).zip(&mut samples).skip(1) {
            eprintln!("{}: {} is heated", scenario.title, side.name);
            let heating = Times { warm_up: heat, measured: times.measured };
            let sample = load_side(side, target, scenario, heating).await?;
            samples.extend(Some(sample).filter(|sample| sample.failed > 0));
        }
    }
    for round in 1..=rounds {
        eprintln!("{}: round {round} of {rounds}", scenario.title);
        for ((side, target), samples) in sides.iter_mut().zip(&targets).zip(&mut samples) {
            samples.push(load_side(side, target, scenario, times).await?);
        }
    }
    Ok(samples)
}

/// One run, with what it leaves to the control plane.
async fn load_side(
    side: &mut Side,
    target: &Target,
    scenario: &Scenario,
    times: Times,
) -> Result<Sample> {
    let sample = run(target, scenario.connections, times).await?;
    side.answers += sample.whole;
    eprintln!("    {}: {}", side.name, in_short(scenario.columns, &sample));
    side.settle().await?;
    Ok(sample)
}

/// The figures of one run, for those who watch.
fn in_short(columns: &[Column], sample: &Sample) -> String {
    let figures = columns
        .iter()
        .map(|column| format!("{:.*} {}", column.digits, (column.value)(sample), column.title));
    figures.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_told_in_one_line() {
        let mut sample = Sample { answers: 50, ..Sample::default() };
        sample.elapsed = Duration::from_millis(500);
        sample.envoy.on_core = Duration::from_millis(1);
        let told = in_short(&[REQUESTS, CPU_PER_REQUEST], &sample);
        assert_eq!(told, "100 requests/s, 20.0 CPU µs/request");
    }
}
