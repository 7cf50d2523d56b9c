//! What is measured, and the order of the runs.

use integration::Result;

use crate::figures::{each, micros};
use crate::load::{Sample, Times, run};
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
        sides: 3,
        columns: &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED],
    },
    Scenario {
        title: "JSON answer to a 2 KB chat, 64 connections",
        ask: Ask::Json,
        connections: 64,
        sides: 3,
        columns: &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED],
    },
    Scenario {
        title: "Latency: JSON answer to a 2 KB chat, 1 connection",
        ask: Ask::Json,
        connections: 1,
        sides: 2,
        columns: &[P50, P99, CPU_PER_REQUEST, WAITED],
    },
    Scenario {
        title: "Stream of 500 tokens as fast as it can be written, 4 connections",
        ask: Ask::Stream { tokens: STREAM_TOKENS, interval_us: 0 },
        connections: 4,
        sides: 2,
        columns: &[EVENTS, CPU_PER_EVENT, BUSY, WAITED],
    },
    Scenario {
        title: "Stream of 500 tokens, one every 2 ms, 16 connections",
        ask: Ask::Stream { tokens: STREAM_TOKENS, interval_us: 2_000 },
        connections: 16,
        sides: 2,
        columns: &[EVENTS, CPU_PER_EVENT, BUSY, WAITED],
    },
];

/// Runs a scenario in rounds, in each of them one side after the other; the
/// samples of every side, in the order of the rounds.
///
/// # Errors
/// A side does not answer as it should before the load begins, or is gone.
pub async fn measure(
    scenario: &Scenario,
    stub: &Stub,
    sides: &mut [Side],
    rounds: usize,
    times: Times,
) -> Result<Vec<Vec<Sample>>> {
    let events = stub.events_of(scenario.ask).await?;
    let mut targets = Vec::new();
    for side in sides.iter_mut().take(scenario.sides) {
        targets.push(side.target(scenario.ask, events).await?);
    }
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); targets.len()];
    for round in 1..=rounds {
        eprintln!("{}: round {round} of {rounds}", scenario.title);
        for ((side, target), samples) in sides.iter_mut().zip(&targets).zip(&mut samples) {
            let sample = run(target, scenario.connections, times).await?;
            side.answers += sample.whole;
            samples.push(sample);
            side.settle().await?;
        }
    }
    Ok(samples)
}
