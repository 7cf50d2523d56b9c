//! The store in PostgreSQL, for several control planes at once: one database, every
//! commit on disk before it counts.

#[path = "sql/audit.rs"]
mod audit;
#[path = "sql/balances.rs"]
mod balances;
#[path = "sql/corrections.rs"]
mod corrections;
#[path = "sql/counts.rs"]
mod counts;
mod dialect;
#[path = "sql/entries.rs"]
mod entries;
#[path = "sql/gateways.rs"]
mod gateways;
#[path = "sql/granting.rs"]
mod granting;
#[path = "sql/heads.rs"]
mod heads;
#[path = "sql/keys.rs"]
mod keys;
#[path = "sql/lease_rows.rs"]
mod lease_rows;
#[path = "sql/leases.rs"]
mod leases;
#[path = "sql/nonces.rs"]
mod nonces;
#[path = "sql/postings.rs"]
mod postings;
#[path = "sql/prices.rs"]
mod prices;
#[path = "sql/records.rs"]
mod records;
#[path = "sql/reports.rs"]
mod reports;
#[path = "sql/rotation.rs"]
mod rotation;
#[path = "sql/snapshot.rs"]
mod snapshot;
#[path = "sql/spools.rs"]
mod spools;
#[path = "sql/standings.rs"]
mod standings;
#[path = "sql/static_keys.rs"]
mod static_keys;
#[path = "sql/store.rs"]
mod store;
#[path = "sql/uses.rs"]
mod uses;
#[path = "sql/weights.rs"]
mod weights;
#[path = "sql/words.rs"]
mod words;

use crate::error::Error;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Postgres, Transaction};
use std::time::Duration;

/// Connections for writing. Writers wait for each other in the database; more than one
/// connection is for those whose server has gone and who do not know it yet.
const WRITERS: u32 = 4;

/// Connections for reading; readers do not wait for writers.
const READERS: u32 = 4;

/// How long to wait for a connection: also how long a database that begins anew is
/// waited for.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// The oldest version that is tested, as `server_version_num` says it.
const OLDEST: i64 = 150_000;

/// What each connection asks for. A commit that is not on disk could be lost after the
/// spool's lines went; and who holds the writers' lock and says nothing, because its
/// machine is gone, holds it no longer than this.
const SETTINGS: [(&str, &str); 4] = [
    ("synchronous_commit", "on"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_user_timeout", "10000"),
];

/// A PostgreSQL database.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    /// Apart from the readers: writers that wait for their lock have a connection.
    writer: PgPool,
    reader: PgPool,
}

/// What the modules that both databases share call the store.
type This = PostgresStore;

impl PostgresStore {
    /// Opens the database at `url` (`postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with
    /// `?sslmode=verify-full` over a network) and brings its schema up to date. Several
    /// may do so at once: one migrates, the others wait.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let doing = "reading the database's address";
        let options: PgConnectOptions = url.parse().map_err(Error::database(doing))?;
        let options = options.application_name("tollgate").options(SETTINGS);
        let writer = connect(options.clone(), WRITERS).await?;
        look_at_the_server(&writer).await?;
        sqlx::migrate!("./migrations/postgres").run(&writer).await?;
        keys::make_epoch(&writer).await?;
        let reader = connect(options, READERS).await?;
        Ok(PostgresStore { writer, reader })
    }

    /// Closes all connections, waiting for what runs.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// Begins to move a ledger into the database: nobody else writes to it meanwhile.
pub(crate) async fn begin_migration(
    store: &PostgresStore,
) -> Result<Transaction<'static, Postgres>, Error> {
    let doing = "beginning to move a ledger";
    let mut transaction = dialect::begin(&store.writer, doing).await?;
    // How bytes are written when they are read back; a server may have another default.
    sqlx::query("SET LOCAL bytea_output = 'hex'")
        .execute(&mut *transaction)
        .await
        .map_err(Error::database(doing))?;
    Ok(transaction)
}

async fn connect(options: PgConnectOptions, most: u32) -> Result<PgPool, Error> {
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await
        .map_err(Error::database("connecting to PostgreSQL"))
}

/// Refuses what cannot hold a ledger, and warns of what may lose what it says it has.
async fn look_at_the_server(pool: &PgPool) -> Result<(), Error> {
    let (version, encoding, fsync): (i64, String, String) = sqlx::query_as(
        "SELECT CAST(current_setting('server_version_num') AS BIGINT),
         current_setting('server_encoding'), current_setting('fsync')",
    )
    .fetch_one(pool)
    .await
    .map_err(Error::database("asking PostgreSQL for its version"))?;
    if fsync != "on" {
        tracing::warn!("PostgreSQL runs with fsync off: a crash of its machine may lose usage");
    }
    fit(version, &encoding)
}

fn fit(version: i64, encoding: &str) -> Result<(), Error> {
    if version < OLDEST {
        return Err(Error::Unfit("it is older than PostgreSQL 15"));
    }
    // Another one has no place for most names, and what cannot be posted stops the spool.
    if encoding == "UTF8" { Ok(()) } else { Err(Error::Unfit("the database is not UTF8")) }
}

#[cfg(test)]
pub(crate) mod tests;
