//! `tollgate mask`.

use clap::Args;
use std::path::PathBuf;

/// `tollgate mask`.
#[derive(Debug, Args)]
pub struct Mask {
    /// The text, UTF-8; `-` or nothing is the standard input.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The configuration with the policy. Left out: every type, as a policy without
    /// fields has it.
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The policy's name. Left out: the only one, or `default`.
    #[arg(long, value_name = "NAME", requires = "config")]
    pub policy: Option<String>,
    /// How to print it: the text as an engine would have it, with the counts on the
    /// standard error; or where each value is, without the text.
    #[arg(long, value_enum, default_value_t)]
    pub format: Output,
}

/// How what was found is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}
