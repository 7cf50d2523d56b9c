//! `tollgate ledger`.

use super::{Format, Target};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `tollgate ledger`.
#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Add everything up again: whether all sums agree, no posting was changed, and the
    /// spool was read as far as it says.
    ///
    /// A Tollgate that runs is asked; of one that does not, the database is opened.
    #[command(after_help = "Examples:\n  tollgate ledger verify\n  \
                            tollgate ledger verify -c tollgate.yaml --format json")]
    Verify(VerifyLedger),
    /// Copy the ledger from the data folder into a PostgreSQL database that has none yet.
    ///
    /// Tollgate must not run meanwhile. The data folder stays as it is; afterwards
    /// control.database names the new one.
    #[command(after_help = "Example:\n  tollgate ledger migrate --to \
                            postgres://tollgate@db.example/tollgate")]
    Migrate(MigrateLedger),
    /// Post a correction of a record: a new posting, and the old one stays.
    #[command(
        after_help = "Example:\n  tollgate ledger correct 8f0c3b1e-5a52-9c4e-8d38-d3e2f1a0b9c8 \
                            --dollars -0.25 --why 'answered twice'"
    )]
    Correct(CorrectLedger),
}

/// `tollgate ledger verify`.
#[derive(Debug, Args)]
pub struct VerifyLedger {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `tollgate ledger migrate`.
#[derive(Debug, Args)]
pub struct MigrateLedger {
    /// The configuration file.
    #[arg(short = 'c', long = "config", value_name = "FILE", default_value = "tollgate.yaml")]
    pub config: PathBuf,
    /// Where to: postgres://USER:PASSWORD@HOST/DATABASE. On a machine with other users put
    /// it into the environment, so that they do not see the password.
    #[arg(long, value_name = "URL", env = "TOLLGATE_DATABASE", hide_env_values = true)]
    pub to: DatabaseUrl,
}

/// A URL with a password; it has no `Display`, and `Debug` does not show it.
#[derive(Clone)]
pub struct DatabaseUrl(pub String);

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseUrl")
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let schemes = ["postgres://", "postgresql://"];
        if schemes.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(DatabaseUrl(text.to_owned()));
        }
        Err("begins with postgres:// or postgresql://")
    }
}

/// `tollgate ledger correct`.
#[derive(Debug, Args)]
pub struct CorrectLedger {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// The record's id, as `usage` shows it.
    pub record: String,
    /// What is added to its cost, in dollars; negative for what is given back.
    #[arg(long, value_name = "DOLLARS", allow_negative_numbers = true)]
    pub dollars: String,
    /// Why, for whoever reads the ledger.
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
