//! `bench`: what the gateway costs, against plain Envoy on the same core before
//! the same engine. `docs/performance.md` says how to read what it prints.

mod admin;
mod answer;
mod billing;
mod body;
mod columns;
mod cores;
mod credentials;
mod dialogue;
mod figures;
mod flood;
mod keyring;
mod load;
mod machine;
mod made_up;
mod markdown;
mod masked;
mod memory;
mod peers;
mod plain;
mod report;
mod request;
mod requests;
mod routing;
mod scenarios;
mod sides;
mod sink;
mod tell;
mod timing;
mod welch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use integration::engine::duration;
use integration::{Failure, Result, binaries};
use tokio::signal::unix::{SignalKind, signal};

use cores::Cores;
use load::Times;
use scenarios::{SCENARIOS, Scenario, Schedule};
use sides::{Side, Stub};
use tell::{tell, tell_ledger};

/// The values of `usage_flush` that are compared, the default first.
const FLUSHES: &[&str] = &["line", "100ms"];

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
    /// Keys in the large keyring.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    keys: u32,
    /// Pairs of requests of each comparison of times.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(100..))]
    pairs: u32,
    /// How long the requests may take after which memory is looked at.
    #[arg(long, default_value = "60s", value_parser = duration)]
    memory_time: Duration,
    /// A Python that has presidio-analyzer: masking is measured beside it, and nothing else.
    #[arg(long)]
    presidio: Option<PathBuf>,
    /// The folder of other gateways: they are measured beside it, and nothing else is.
    #[arg(long)]
    peers: Option<PathBuf>,
}

impl Options {
    fn schedule(&self) -> Schedule {
        let times = Times { warm_up: self.warm_up, measured: self.time };
        Schedule { rounds: self.rounds, times, heat: self.heat }
    }
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
    let schedule = options.schedule();
    let program = binaries::envoy().unwrap_or_else(|| PathBuf::from("envoy"));
    print!("# What the gateway costs\n\n{}", machine::facts(cores, &program));
    println!("- in brackets after Tollgate: its `usage_flush`; `line`, where there are none");
    let Schedule { rounds, times: Times { warm_up, measured }, heat } = schedule;
    println!(
        "- rounds: {rounds}; runs: {measured:?} after {warm_up:?}, side after side; heated for \
         {heat:?}"
    );
    if let Some(python) = &options.presidio {
        return masked::presidio::measure(python, rounds).await;
    }
    if let Some(tools) = &options.peers {
        return peers::measure(tools, &schedule, cores).await;
    }
    let is_chosen = |title: &str| title.contains(options.only.as_str());
    let mut failures = kinds_of_answers(&schedule, cores, is_chosen).await?;
    failures += credentials::measure(&schedule, cores, is_chosen).await?;
    if is_chosen(keyring::TITLE) {
        failures += keyring::measure(&schedule, cores, options.keys).await?;
    }
    if is_chosen(flood::TITLE) {
        failures += flood::measure(&schedule, cores).await?;
    }
    failures += billing::measure(&schedule, cores, is_chosen).await?;
    failures += routing::measure(&schedule, cores, is_chosen).await?;
    failures += masked::measure(&schedule, cores, options.memory_time, is_chosen).await?;
    if is_chosen(timing::TITLE) {
        failures += timing::measure(cores, options.pairs).await?;
    }
    println!("\nRead the rows with ÷ and −: they compare runs of one round. docs/performance.md");
    Ok(failures)
}

/// Plain Envoy against the gateway with an API key, in answers of every kind.
async fn kinds_of_answers(
    schedule: &Schedule,
    cores: &Cores,
    is_chosen: impl Fn(&str) -> bool,
) -> Result<u64> {
    let chosen: Vec<&Scenario> = SCENARIOS.iter().filter(|it| is_chosen(it.title)).collect();
    if chosen.is_empty() {
        return Ok(0);
    }
    let stub = Stub::start().await?;
    let mut sides = start(&stub, cores).await?;
    let names: Vec<String> = sides.iter().map(|side| side.name.clone()).collect();
    let mut failures = 0;
    for scenario in chosen {
        let samples = scenarios::measure(scenario, &stub, &mut sides, schedule).await?;
        failures += tell(scenario.title, scenario.columns, &names, &samples);
    }
    failures += tell_ledger("Ledger", &sides).await?;
    Ok(failures)
}

/// Plain Envoy first. It is the program that Tollgate has chosen to run.
async fn start(stub: &Stub, cores: &Cores) -> Result<Vec<Side>> {
    let mut sides = Vec::new();
    for flush in FLUSHES {
        sides.push(Side::tollgate(flush, stub.address(), cores).await?);
    }
    let program = sides.first().map(Side::envoy_program).transpose()?.unwrap_or_default();
    sides.insert(0, Side::plain(&program, stub.address(), cores).await?);
    Ok(sides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_whole_measurement() {
        let options = Options::parse_from(["bench"]);
        assert_eq!((options.keys, options.only.as_str()), (100_000, ""));
        assert_eq!(options.schedule().rounds, 7);
        assert_eq!(options.schedule().times.measured, Duration::from_secs(2));
    }
}
