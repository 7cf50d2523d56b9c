//! What is measured of every kind of answer, and the order of the runs.

use std::time::Duration;

use integration::Result;

use crate::columns::{BUSY, CPU_PER_EVENT, CPU_PER_REQUEST, EVENTS, P50, P99, REQUESTS, WAITED};
use crate::load::{Sample, Target, Times, run};
use crate::report::Column;
use crate::request::{Ask, SMALL_BYTES};
use crate::requests::Requests;
use crate::sides::{Side, Stub};

/// Events of a long answer.
pub const STREAM_TOKENS: u64 = 500;

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

/// How long everything takes.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// Each row of a table has its turn in each round.
    pub rounds: u64,
    /// Of one run.
    pub times: Times,
    /// How long a gateway works before its first run.
    pub heat: Duration,
}

/// One row of a table.
pub struct Row {
    /// What it is called.
    pub name: String,
    /// What is asked.
    pub target: Target,
    /// Which of the sides is asked.
    pub side: usize,
    /// Whether it works for a while before its first run.
    pub is_heated: bool,
}

/// How the rows of a table are measured.
pub struct Runs {
    /// For those who watch.
    pub title: String,
    /// At once.
    pub connections: usize,
    /// What is told of a run to those who watch.
    pub columns: &'static [Column],
}

/// Runs a scenario; what [`alternate`] gives.
///
/// # Errors
/// A side does not answer as it should before the load begins, or is gone.
pub async fn measure(
    scenario: &Scenario,
    stub: &Stub,
    sides: &mut [Side],
    schedule: &Schedule,
) -> Result<Vec<Vec<Sample>>> {
    let events = stub.events_of(scenario.ask).await?;
    let mut rows = Vec::new();
    for (at, side) in sides.iter_mut().enumerate().take(scenario.sides) {
        let request = side.chat(scenario.ask, SMALL_BYTES).request(&side.bearer());
        rows.push(Row {
            name: side.name.clone(),
            target: side.target(Requests::same(request), events).await?,
            side: at,
            is_heated: scenario.is_first && at > 0,
        });
    }
    let Scenario { title, connections, columns, .. } = *scenario;
    alternate(&Runs { title: title.to_owned(), connections, columns }, &rows, sides, schedule).await
}

/// Runs the rows in rounds, in each of them one after the other; the samples of every
/// row, in the order of the rounds.
///
/// Gateways are heated first: V8 may compile what is called often once more, in a
/// thread of Envoy, and the memory of both planes grows to what the load needs.
///
/// # Errors
/// A side is gone.
pub async fn alternate(
    runs: &Runs,
    rows: &[Row],
    sides: &mut [Side],
    schedule: &Schedule,
) -> Result<Vec<Vec<Sample>>> {
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); rows.len()];
    let heating = Times { warm_up: schedule.heat, measured: schedule.times.measured };
    for (row, samples) in rows.iter().zip(&mut samples).filter(|(row, _)| row.is_heated) {
        eprintln!("{}: {} is heated", runs.title, row.name);
        let sample = load(runs, row, sides, heating).await?;
        samples.extend(Some(sample).filter(|sample| sample.failed > 0));
    }
    for round in 1..=schedule.rounds {
        eprintln!("{}: round {round} of {}", runs.title, schedule.rounds);
        for (row, samples) in rows.iter().zip(&mut samples) {
            samples.push(load(runs, row, sides, schedule.times).await?);
        }
    }
    Ok(samples)
}

/// One run, with what it leaves to the control plane.
async fn load(runs: &Runs, row: &Row, sides: &mut [Side], times: Times) -> Result<Sample> {
    let sample = run(&row.target, runs.connections, times).await?;
    eprintln!("    {}: {}", row.name, in_short(runs.columns, &sample));
    let side = &mut sides[row.side];
    side.answers += sample.whole;
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
