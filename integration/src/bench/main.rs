//! `bench`: what the gateway costs, against plain Envoy on the same core before
//! the same engine. `docs/performance.md` says how to read what it prints.

mod answer;
mod cores;
mod figures;
mod load;
mod machine;
mod plain;
mod report;
mod request;
mod scenarios;
mod sides;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use integration::engine::duration;
use integration::{Failure, Result};
use tokio::signal::unix::{SignalKind, signal};

use cores::Cores;
use figures::{Spread, each, micros};
use load::{Sample, Times};
use report::{markdown, table};
use scenarios::{SCENARIOS, Scenario};
use sides::{Side, Stub};

/// The values of `usage_flush` that are compared, the default first.
const FLUSHES: &[&str] = &["line", "100ms"];

/// Share of a run that plain Envoy may have waited for its core, which nothing
/// else is put on: above it, others had the core too.
const WAITED_SHARE_MAX: f64 = 0.1;

/// Measures what the gateway costs, against plain Envoy.
#[derive(Debug, clap::Parser)]
#[command(name = "bench", version)]
struct Options {
    /// Rounds of every scenario: each side once in each round.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// How long a run counts.
    #[arg(long, default_value = "2s", value_parser = duration)]
    time: Duration,
    /// How long it runs before.
    #[arg(long, default_value = "1s", value_parser = duration)]
    warm_up: Duration,
    /// How long each gateway works before its first run, of JSON and of streams.
    #[arg(long, default_value = "5s", value_parser = duration)]
    heat: Duration,
    /// Only the tables whose heading has this in it.
    #[arg(long, default_value = "")]
    only: String,
}

/// The processor affinity is set before there is any other thread.
fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = Cores::split().and_then(|cores| {
        cores.leave_envoys()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(unless_stopped(options, cores)))
    });
    match outcome.map_err(Failure::from).and_then(|outcome| outcome) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failures) => {
            eprintln!("bench: {failures} failures: the figures above do not count");
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Ctrl-C and SIGTERM end what was started as well.
async fn unless_stopped(options: Options, cores: Cores) -> Result<u64> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = bench(&options, &cores) => outcome,
        _ = interrupted.recv() => Err(Failure::new("interrupted")),
        _ = terminated.recv() => Err(Failure::new("terminated")),
    }
}

/// The whole measurement; how many failures there were.
async fn bench(options: &Options, cores: &Cores) -> Result<u64> {
    let stub = Stub::start().await?;
    let mut sides = start(&stub, cores).await?;
    let times = Times { warm_up: options.warm_up, measured: options.time };
    if let Some(side) = sides.first() {
        print!("# What the gateway costs\n\n{}", machine::facts(cores, &side.envoy_program()?));
    }
    let Options { rounds, time, warm_up, heat, only } = options;
    println!("- in brackets after Tollgate: its `usage_flush`");
    println!(
        "- rounds: {rounds}; runs: {time:?} after {warm_up:?}, side after side; heated for {heat:?}"
    );
    let mut failures = 0;
    for scenario in SCENARIOS.iter().filter(|it| it.title.contains(only.as_str())) {
        let samples =
            scenarios::measure(scenario, &stub, &mut sides, *rounds, times, *heat).await?;
        failures += tell(scenario, &sides, &samples);
    }
    failures += tell_ledger(&sides).await?;
    println!("\nRead the rows with ÷ and −: they compare runs of one round. docs/performance.md");
    Ok(failures)
}

/// Plain Envoy first. It is the program that Tollgate has chosen to run.
async fn start(stub: &Stub, cores: &Cores) -> Result<Vec<Side>> {
    let mut sides = Vec::new();
    for flush in FLUSHES {
        sides.push(Side::tollgate(flush, stub, cores).await?);
    }
    let program = sides.first().map(Side::envoy_program).transpose()?.unwrap_or_default();
    sides.insert(0, Side::plain(&program, stub, cores).await?);
    Ok(sides)
}

fn tell(scenario: &Scenario, sides: &[Side], samples: &[Vec<Sample>]) -> u64 {
    let named = sides.iter().zip(samples).map(|(side, of)| (side.name.as_str(), of.as_slice()));
    let named: Vec<(&str, &[Sample])> = named.collect();
    println!("\n## {}\n\n{}", scenario.title, table(scenario.columns, &named).trim_end());
    let mut failures = 0;
    for (name, samples) in named {
        let failed: u64 = samples.iter().map(|sample| sample.failed).sum();
        let told = samples.iter().flat_map(|sample| &sample.failures).take(3);
        told.for_each(|failure| println!("\nFAILED: {name}: {failure}"));
        failures += failed;
    }
    println!("\nFailed requests: {failures}");
    if samples.first().is_some_and(|plain| !is_quiet(plain)) {
        println!("\nNOT QUIET: others used Envoy's core meanwhile; do not quote this table");
    }
    failures
}

fn is_quiet(plain: &[Sample]) -> bool {
    let share = |it: &Sample| it.envoy.waited.as_secs_f64() / it.elapsed.as_secs_f64();
    Spread::of(plain.iter().map(share)).is_some_and(|share| share.median <= WAITED_SHARE_MAX)
}

/// Every answer is in the ledger once, or what was measured was not the whole gateway.
async fn tell_ledger(sides: &[Side]) -> Result<u64> {
    let heading =
        ["", "answers", "usage records", "control plane, CPU µs/record (not counted above)"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let mut failures = 0;
    for side in sides {
        let Some(billed) = side.billed().await? else { continue };
        failures += side.answers.abs_diff(billed.records);
        let cost = each(micros(billed.control_plane), billed.records);
        let (answers, records) = (side.answers.to_string(), billed.records.to_string());
        rows.push(vec![side.name.clone(), answers, records, format!("{cost:.0}")]);
    }
    println!("\n## Ledger\n\n{}", markdown(&rows).trim_end());
    Ok(failures)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waited(millis: u64) -> Sample {
        let mut sample = Sample { elapsed: Duration::from_secs(1), ..Sample::default() };
        sample.envoy.waited = Duration::from_millis(millis);
        sample
    }

    #[test]
    fn a_machine_is_quiet_when_plain_envoy_hardly_waits() {
        assert!(is_quiet(&[waited(20), waited(50), waited(900)]));
        assert!(!is_quiet(&[waited(20), waited(150), waited(900)]));
    }
}
