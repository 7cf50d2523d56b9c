//! What can go wrong in the ledger.

use std::path::PathBuf;

/// An error of the ledger, for the operator: nothing in it is a secret, and
/// nothing in it is for a client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or could not be reached.
    #[error("the ledger's database failed while {doing}: {cause}")]
    Database {
        /// What the ledger was at.
        doing: &'static str,
        /// What the database said.
        #[source]
        cause: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("the ledger's database could not be migrated: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The PostgreSQL server or database is none that a ledger can be in.
    #[error("this PostgreSQL cannot hold a ledger: {0}")]
    Unfit(&'static str),
    /// The database that a ledger was to be moved to holds one.
    #[error("the database is not empty: its table {table} has rows")]
    NotEmpty {
        /// The first such table.
        table: String,
    },
    /// What was moved is not what it was.
    #[error("the table {table} was not moved as it is; nothing was moved")]
    Moved {
        /// The table.
        table: String,
    },
    /// A file of the spool could not be read, renamed or listed.
    #[error("the usage spool failed at {path}: {cause}")]
    Spool {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// A row holds what no version of this program writes.
    #[error("the ledger's table {table} holds a value that cannot be read")]
    Corrupt {
        /// The table.
        table: &'static str,
    },
    /// A key with this id or digest exists already.
    #[error("a key with this id or digest exists already")]
    KeyExists,
    /// The reading position is not the one that a batch goes on from: another
    /// process reads the same spool, or an earlier commit did go through.
    #[error("the spool's reading position has moved")]
    PositionMoved,
    /// As many nonces are remembered as there is room for.
    #[error(
        "{} nonces are remembered: no more can be until some are over",
        crate::store::NONCES_MAX
    )]
    NoncesFull,
    /// Every pool of a split would have the weight 0.
    #[error("all weights of the split would be 0; at least one pool must get requests")]
    NoShare,
    /// The system gave no randomness.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
    /// A task of the reader was stopped by the runtime.
    #[error("reading the spool was interrupted")]
    Interrupted,
}

impl Error {
    /// Wraps what the database said with what the ledger was at.
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
        move |cause| Error::Database { doing, cause }
    }

    /// Wraps what the system said with the path it was about.
    pub(crate) fn spool(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        move |cause| Error::Spool { path: path.into(), cause }
    }
}
