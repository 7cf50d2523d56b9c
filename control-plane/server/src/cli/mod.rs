//! The commands that ask a running Tollgate, and what they print.

pub mod audit;
pub mod budgets;
pub mod check;
mod client;
pub mod keys;
pub mod ledger;
pub mod mask;
pub mod reconcile;
pub mod rollout;
pub mod schema;
pub mod status;
mod table;
pub mod usage;

use crate::config_file::{self, Invalid, Loaded};
use crate::error::Failure;
use serde::Serialize;
use std::io::{self, Write as _};
use std::path::Path;

/// Prints a text on the standard output, with a line break, at once. A reader
/// that has seen enough (`| head`) is no failure.
pub fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let line_break = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{line_break}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::internal(error)),
        _ => Ok(()),
    }
}

/// Passes a part of an answer on to the standard output; whether somebody still reads it.
fn pass_on(part: &[u8]) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(part).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::internal(error)),
    }
}

/// Prints a value as JSON.
fn say_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    say(&serde_json::to_string_pretty(value).map_err(Failure::internal)?)
}

/// A Unix time in milliseconds, as RFC 3339 in UTC.
fn when(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.map_or_else(|| at_ms.to_string(), |at| format!("{at:.3}"))
}

/// Reads a configuration that has to be valid.
pub fn load(file: &Path) -> Result<Loaded, Failure> {
    config_file::load(file).map_err(|Invalid(problems)| Failure::Invalid(problems))
}
