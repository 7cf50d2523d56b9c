//! The store in SQLite: one file, write-ahead log, every commit synced to disk.

mod keys;
mod postings;
mod reports;

use crate::error::Error;
use crate::key::{Key, NewKey, Revocation, StaticKeysChange};
use crate::record::{GroupBy, UsageFilter, UsageRecord, UsageSum};
use crate::store::{Batch, Counts, OpenRequest, Position, PriceBook, Store};
use contract::keyring::{KeyEntry, KeyringDelta};
use contract::price::Prices;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections for reading; readers do not wait for the writer.
const READERS: u32 = 4;

/// Bytes of randomness in the keyring's epoch.
const EPOCH_BYTES: usize = 16;

/// A SQLite database.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    /// One connection, so that writers queue instead of finding the file locked.
    writer: SqlitePool,
    reader: SqlitePool,
}

impl SqliteStore {
    /// Opens the database at `file`, making it when there is none, and brings
    /// its schema up to date.
    pub async fn open(file: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = connect(options.clone(), 1).await?;
        sqlx::migrate!("./migrations").run(&writer).await?;
        make_epoch(&writer).await?;
        let reader = connect(options, READERS).await?;
        Ok(SqliteStore { writer, reader })
    }

    /// Closes all connections, waiting for what runs.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

async fn connect(options: SqliteConnectOptions, most: u32) -> Result<SqlitePool, Error> {
    SqlitePoolOptions::new()
        .max_connections(most)
        .connect_with(options)
        .await
        .map_err(Error::database("opening the file"))
}

async fn make_epoch(writer: &SqlitePool) -> Result<(), Error> {
    let mut random = [0; EPOCH_BYTES];
    getrandom::fill(&mut random).map_err(Error::Random)?;
    sqlx::query("INSERT INTO keyring VALUES (1, ?, 0) ON CONFLICT DO NOTHING")
        .bind(hex::encode(random))
        .execute(writer)
        .await
        .map_err(Error::database("naming the keyring's epoch"))?;
    Ok(())
}

#[async_trait::async_trait]
impl Store for SqliteStore {
    async fn create_key(&self, key: &NewKey) -> Result<(), Error> {
        keys::create(&self.writer, key).await
    }

    async fn revoke_key(&self, id: &str, at_s: u64) -> Result<Revocation, Error> {
        keys::revoke(&self.writer, id, at_s).await
    }

    async fn list_keys(&self, tenant: Option<&str>) -> Result<Vec<Key>, Error> {
        keys::list(&self.reader, tenant).await
    }

    async fn key_by_digest(&self, sha256: &str) -> Result<Option<KeyEntry>, Error> {
        keys::by_digest(&self.reader, sha256).await
    }

    async fn keyring_version(&self) -> Result<u64, Error> {
        keys::version(&self.reader).await
    }

    async fn keyring_since(
        &self,
        epoch: Option<&str>,
        since: u64,
        max: usize,
    ) -> Result<KeyringDelta, Error> {
        keys::since(&self.reader, epoch, since, max).await
    }

    async fn set_static_keys(
        &self,
        keys: &[(String, KeyEntry)],
        at_s: u64,
    ) -> Result<StaticKeysChange, Error> {
        keys::set_static(&self.writer, keys, at_s).await
    }

    async fn record_prices(&self, prices: &[Prices]) -> Result<(), Error> {
        postings::record_prices(&self.writer, prices).await
    }

    async fn price_book(&self) -> Result<PriceBook, Error> {
        postings::price_book(&self.reader).await
    }

    async fn position(&self) -> Result<Position, Error> {
        postings::position(&self.reader).await
    }

    async fn open_requests(&self, until: u64) -> Result<Vec<OpenRequest>, Error> {
        postings::open_requests(&self.reader, until).await
    }

    async fn commit(&self, batch: &Batch) -> Result<Counts, Error> {
        postings::commit(&self.writer, batch).await
    }

    async fn counts(&self) -> Result<Counts, Error> {
        postings::counts(&self.reader).await
    }

    async fn usage(&self, filter: &UsageFilter) -> Result<Vec<UsageRecord>, Error> {
        reports::usage(&self.reader, filter).await
    }

    async fn usage_sums(&self, filter: &UsageFilter, by: GroupBy) -> Result<Vec<UsageSum>, Error> {
        reports::sums(&self.reader, filter, by).await
    }
}

/// A number as SQLite keeps it; what is larger than fits is the largest.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number as it was stored; none below zero is ever written.
fn loaded(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn conforms() {
        let folder = tempfile::tempdir().unwrap();
        let mut nth = 0;
        conformance::all(async || {
            nth += 1;
            SqliteStore::open(&folder.path().join(format!("{nth}.db"))).await.unwrap()
        })
        .await;
    }

    #[tokio::test]
    async fn opening_again_keeps_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        let first = SqliteStore::open(&file).await.unwrap();
        let epoch = first.keyring_since(None, 0, 1).await.unwrap().epoch;
        first
            .record_prices(&[Prices { input: u64::MAX, cached_input: 0, output: 2 }])
            .await
            .unwrap();
        first.close().await;
        let second = SqliteStore::open(&file).await.unwrap();
        assert_eq!(second.keyring_since(None, 0, 1).await.unwrap().epoch, epoch);
        assert_eq!(epoch.len(), 2 * EPOCH_BYTES);
        let book = second.price_book().await.unwrap();
        assert_eq!(book.values().map(|prices| prices.input).collect::<Vec<_>>(), [u64::MAX]);
    }

    #[test]
    fn numbers_beyond_the_database_are_the_largest_it_has() {
        assert_eq!(loaded(stored(u64::MAX)), i64::MAX.unsigned_abs());
        assert_eq!(loaded(stored(7)), 7);
        assert_eq!(loaded(-1), 0);
    }
}
