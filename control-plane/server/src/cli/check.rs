//! `tollgate check`: the problems are the answer, so they go to the standard
//! output.

use super::say;
use crate::args::{Check, DONE, REFUSED};
use crate::config_file::{self, Invalid, Loaded};
use crate::error::Failure;
use crate::publish;
use std::path::Path;

/// Prints what is wrong, and returns the exit code.
pub fn run(check: &Check) -> Result<u8, Failure> {
    match problems(&check.file) {
        Ok(()) => Ok(DONE),
        Err(Invalid(problems)) => {
            say(&problems.join("\n"))?;
            Ok(REFUSED)
        }
    }
}

fn problems(file: &Path) -> Result<(), Invalid> {
    let Loaded { config, .. } = config_file::load(file)?;
    // What the filter would refuse is as wrong as what the reader refuses.
    publish::dry_run(&config).map_err(|why| Invalid::as_a_whole(file, why))
}
