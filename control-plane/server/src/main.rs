//! `tollgate`: the control plane, and the commands that talk to it.

mod args;
mod bootstrap;
mod chains;
mod cli;
mod config_file;
mod config_state;
mod cryptography;
mod database;
mod debounce;
mod error;
mod files;
mod fleet;
mod gateway_health;
mod listen;
mod lock;
mod mint;
mod overview;
mod policies;
mod publish;
mod roster;
mod run_file;
mod signers;
mod stop;
mod supervise;
mod tag_keys;
mod tasks;
mod token;
mod turned_away;
mod wasm;
mod weights;
mod wiring;
mod xds_port;

use args::{Arguments, Command};
use clap::Parser as _;
use error::Failure;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// What is logged when nobody says otherwise. The client of Kubernetes logs every
/// failed question by itself, without the pool; that a source fails is said once,
/// with it.
const LOG_DEFAULT: &str = "info,kube_client=off";

/// Environment variables with the log filter, the first that is set.
const LOG_VARIABLES: [&str; 2] = ["TOLLGATE_LOG", "RUST_LOG"];

#[tokio::main]
async fn main() -> ExitCode {
    cryptography::choose();
    let arguments = Arguments::parse();
    match run(arguments.command).await {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            // Whoever closed the standard error does not want to know.
            let _ = writeln!(std::io::stderr(), "{}", message(&failure));
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Up(at) => {
            log_to_stderr();
            wiring::up(&at.config).await?;
        }
        Command::Serve(at) => {
            log_to_stderr();
            wiring::serve(&at.config).await?;
        }
        Command::Bootstrap(asked) => cli::say(&bootstrap::of_neighbour(&asked)?)?,
        Command::Check(check) => return cli::check::run(&check),
        Command::Schema => cli::schema::run()?,
        Command::Mask(wanted) => cli::mask::run(&wanted)?,
        Command::Keys(keys) => cli::keys::run(keys).await?,
        Command::Usage(usage) => cli::usage::run(&usage).await?,
        Command::Budgets(budgets) => cli::budgets::run(&budgets).await?,
        Command::Rollout(rollout) => cli::rollout::run(rollout).await?,
        Command::Ledger(ledger) => return cli::ledger::run(ledger).await,
        Command::Reconcile(wanted) => cli::reconcile::run(&wanted).await?,
        Command::Audit(audit) => return cli::audit::run(audit).await,
        Command::Status(status) => cli::status::run(&status).await?,
    }
    Ok(args::DONE)
}

/// A problem of the configuration begins with its file, as compilers have it.
fn message(failure: &Failure) -> String {
    match failure {
        Failure::Invalid(_) => failure.to_string(),
        other => format!("tollgate: {other}"),
    }
}

fn log_to_stderr() {
    let filter = LOG_VARIABLES.iter().find_map(|name| EnvFilter::try_from_env(name).ok());
    tracing_subscriber::fmt()
        // Who closed the standard error is not to be told so on it.
        .log_internal_errors(false)
        .with_env_filter(filter.unwrap_or_else(|| EnvFilter::new(LOG_DEFAULT)))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}
