//! `accuracy`: does a gateway bill what it delivers? See [`integration::accuracy`].

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use integration::accuracy::{
    Books, CAPTURED, Kills, PLAIN, Race, Row, Shared, Victim, World, captured, json, table,
};
use integration::{Engine, Failure, Result};

const RUNNING: &str = include_str!("../accuracy/running.md");

/// Holds a gateway's bill against what engines have sent and clients have read.
///
/// Without --gateway it starts Tollgate itself; with --gateway it asks one that runs
/// already, whose inference servers are simulators of this suite (`engine`).
#[derive(Debug, clap::Parser)]
#[command(name = "accuracy", version)]
#[command(after_long_help = RUNNING)]
#[command(after_help = "Example: accuracy --gateway http://127.0.0.1:8080 --key KEY \
    --engine http://127.0.0.1:9000 --records tollgate://ADMIN_TOKEN@127.0.0.1:8081")]
struct Options {
    /// `http://ADDRESS` of a gateway that runs already.
    #[arg(long, requires_all = ["key", "engine", "records"])]
    gateway: Option<String>,
    /// API key of all requests.
    #[arg(long)]
    key: Option<String>,
    /// The model that leads to the engines.
    #[arg(long, default_value = "tiny")]
    model: String,
    /// The model for estimates, best of a pool of its own; left out: the same.
    #[arg(long)]
    estimated: Option<String>,
    /// `http://ADDRESS` of a simulator behind the gateway; repeated for several.
    #[arg(long)]
    engine: Vec<String>,
    /// `tollgate://ADMIN_TOKEN@ADDRESS`, or a CSV file with the columns id, input_tokens
    /// and output_tokens.
    #[arg(long)]
    records: Option<String>,
    /// How often processes are killed, in all.
    #[arg(long, default_value_t = 100)]
    kills: usize,
    /// Only the scenarios whose name has this in it.
    #[arg(long, default_value = "")]
    only: String,
    /// `text` or `json`.
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    format: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match suite(&options).await {
        Ok(rows) => {
            tell(&rows, &options.format);
            let missed = rows.is_empty() || rows.iter().any(|row| !row.missed.is_empty());
            if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(failure) => {
            eprintln!("accuracy: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn tell(rows: &[Row], format: &str) {
    match format {
        "json" => println!("{}", json(rows)),
        _ => print!("{}", table(rows)),
    }
}

async fn suite(options: &Options) -> Result<Vec<Row>> {
    match &options.gateway {
        Some(url) => {
            let places = options.records.as_deref().unwrap_or_default();
            let world = World {
                url: url.clone(),
                key: options.key.clone().unwrap_or_default(),
                model: options.model.clone(),
                estimated: options.estimated.clone().unwrap_or_else(|| options.model.clone()),
                engines: options.engine.clone(),
                books: Books::at(places)?,
            };
            plain(&world, options).await
        }
        None => {
            let mut rows = own_plain(options).await?;
            rows.extend(own_kills(options).await?);
            Ok(rows)
        }
    }
}

async fn plain(world: &World, options: &Options) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for scenario in PLAIN.iter().filter(|it| it.name.contains(&options.only)) {
        eprintln!("{}", scenario.name);
        rows.push(row(scenario.name, scenario.run(world).await));
    }
    if CAPTURED.contains(&options.only) {
        eprintln!("{CAPTURED}");
        rows.push(row(CAPTURED, captured(world).await));
    }
    Ok(rows)
}

/// What could not be run to its end is a line as well.
fn row(scenario: &str, run: Result<Row>) -> Row {
    run.unwrap_or_else(|failure| Row::failed(scenario, &failure))
}

/// The plain scenarios before a gateway of our own.
async fn own_plain(options: &Options) -> Result<Vec<Row>> {
    if !is_plain(options) {
        return Ok(Vec::new());
    }
    let engine = Engine::start().spawn().await?;
    let (_gate, world) = World::of_our_own(&engine).await?;
    plain(&world, options).await
}

fn is_plain(options: &Options) -> bool {
    let mut names = PLAIN.iter().map(|it| it.name).chain([CAPTURED]);
    names.any(|name| name.contains(&options.only))
}

/// Those that need processes to kill, and two gateways.
async fn own_kills(options: &Options) -> Result<Vec<Row>> {
    let is_chosen = |name: &str| name.contains(&options.only);
    let mut rows = Vec::new();
    for (at, (name, victims)) in KILLS.iter().enumerate() {
        let share = options.kills.div_ceil(KILLS.len()).max(1);
        let kills = Kills { name, victims, rounds: share, seed: 1 + at as u64 };
        if is_chosen(name) {
            eprintln!("{name}: {share}");
            rows.push(row(name, kills.run().await));
        }
    }
    for race in RACES.iter().filter(|it| is_chosen(it.name)) {
        eprintln!("{}", race.name);
        rows.push(row(race.name, race.run().await));
    }
    if rows.is_empty() && !is_plain(options) {
        return Err(Failure::new(format!("no scenario has {:?} in its name", options.only)));
    }
    Ok(rows)
}

const KILLS: [(&str, &[Victim]); 5] = [
    ("engine killed under load", &[Victim::Engine]),
    ("Envoy killed under load", &[Victim::Envoy]),
    ("control plane killed under load", &[Victim::Control]),
    ("both killed under load", &[Victim::Both]),
    ("all of them killed in turn", &[Victim::Envoy, Victim::Engine, Victim::Control, Victim::Both]),
];

const RACES: [Race; 2] = [
    Race {
        name: "two gateways, 64 clients, one budget",
        clients: 64,
        time: Duration::from_secs(15),
        microdollars: 100_000,
        ledger: Shared::ByControlPlane,
    },
    Race {
        name: "two control planes on PostgreSQL, restarted under load",
        clients: 64,
        time: Duration::from_secs(24),
        microdollars: 400_000,
        ledger: Shared::ByPostgres { restarts: 3 },
    },
];
