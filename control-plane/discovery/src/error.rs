//! What can go wrong with a source, in words for the operator.

use std::path::PathBuf;

/// Why a source has nothing new. No variant quotes what was read: a URL may hold
/// a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The environment variable is not set.
    #[error("the environment variable {0} is not set")]
    NotSet(String),
    /// The environment variable holds nothing.
    #[error("the environment variable {0} names no endpoint")]
    NoneSet(String),
    /// An entry of the environment variable; the first is 1.
    #[error("the environment variable {variable}: entry {entry} {what}")]
    Entry {
        /// Its name.
        variable: String,
        /// Which one.
        entry: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The file cannot be read.
    #[error("{} cannot be read: {error}", file.display())]
    Unreadable {
        /// Where it is.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file's text; lines and columns count from 1.
    #[error("{}:{line}:{column}: {what}", file.display())]
    Text {
        /// Where it is.
        file: PathBuf,
        /// Which line.
        line: u64,
        /// Which column.
        column: u64,
        /// What is wrong there.
        what: String,
    },
    /// The configuration of the system's resolver cannot be used.
    #[error("no name server is known: {0}")]
    NoNameServer(String),
    /// A name that is none in the DNS.
    #[error("{0} is not a name of the DNS")]
    NoName(String),
    /// The question was not answered.
    #[error("{name}: {what}")]
    Unanswered {
        /// What was asked for.
        name: String,
        /// What the resolver says.
        what: String,
    },
}
