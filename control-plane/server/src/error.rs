//! Why a command did not do what it was asked to.

use crate::args;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Every way to fail. Each is one line for the operator and has an exit code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file of ours.
    #[error("cannot {doing} {}: {cause}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
    /// An address that cannot be had.
    #[error("cannot listen on {address} ({setting}): {cause}")]
    Listen {
        /// The setting that names the address.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why it failed.
        cause: io::Error,
    },
    /// The configuration is not valid: everything that is wrong, a line each.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
    /// The Wasm module is not where the configuration says.
    #[error("there is no Wasm module at {} (control.wasm); ./wasm-build.sh builds it", .0.display())]
    NoWasm(PathBuf),
    /// There is no Envoy.
    #[error("there is no Envoy: put `envoy` on PATH, or say ENVOY=/path/to/envoy")]
    NoEnvoy,
    /// Another Tollgate has this data folder.
    #[error("another tollgate is running on the data folder {}", .0.display())]
    AlreadyRunning(PathBuf),
    /// Envoy could not be started or asked.
    #[error("envoy: {0}")]
    Envoy(String),
    /// The ledger failed.
    #[error("the ledger: {0}")]
    Ledger(String),
    /// The database that the configuration names cannot be used.
    #[error("control.database: {place} cannot be used: {cause}")]
    Database {
        /// Which one, without user and password.
        place: String,
        /// Why.
        cause: ledger::Error,
    },
    /// The control plane cannot be reached.
    #[error("the control plane cannot be reached: {0}")]
    Unreachable(String),
    /// The control plane said no.
    #[error("{0}")]
    Refused(String),
    /// The command line lacks something that clap does not know of.
    #[error("{0}")]
    Usage(String),
    /// Something that should not fail did.
    #[error("internal: {0}")]
    Internal(String),
}

impl Failure {
    /// A failure with a file.
    pub fn file(doing: &'static str, path: &Path, cause: io::Error) -> Self {
        Failure::File { doing, path: path.to_owned(), cause }
    }

    /// A failure that nothing but a fault of the program explains.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Failure::Internal(cause.to_string())
    }

    /// The exit code that the contract has for it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Unreachable(_) => args::UNREACHABLE,
            Failure::Usage(_) => args::WRONG_USAGE,
            _ => args::REFUSED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes() {
        assert_eq!(Failure::Usage("no token".into()).exit_code(), 2);
        assert_eq!(Failure::Unreachable("refused".into()).exit_code(), 3);
        assert_eq!(Failure::NoEnvoy.exit_code(), 1);
        assert_eq!(Failure::Invalid(Vec::new()).exit_code(), 1);
    }
}
