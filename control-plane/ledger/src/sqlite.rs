//! The store in SQLite: one file, write-ahead log, every commit synced to disk.

mod audit;
mod keys;
mod nonces;
mod postings;
mod reports;
mod rotation;
mod static_keys;
mod uses;

use crate::audit::{AuditEvent, AuditFilter, AuditRow, Head, Verdict};
use crate::error::Error;
use crate::key::{Key, NewKey, NewSecret, Revocation, Rotation, StaticKeysChange};
use crate::record::{GroupBy, UsageFilter, UsageRecord, UsageSum};
use crate::store::{Batch, Counts, NONCES_MAX, OpenRequest, Position, PriceBook, Store};
use contract::keyring::{KeyEntry, KeyringDelta};
use contract::price::Prices;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{QueryBuilder, Sqlite, SqlitePool};
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

    async fn rotate_key(
        &self,
        id: &str,
        new: &NewSecret,
        overlap_s: u64,
        at_s: u64,
    ) -> Result<Rotation, Error> {
        rotation::rotate(&self.writer, id, new, overlap_s, at_s).await
    }

    async fn list_keys(&self, tenant: Option<&str>) -> Result<Vec<Key>, Error> {
        keys::list(&self.reader, tenant).await
    }

    async fn key_by_digest(&self, sha256: &str) -> Result<Option<KeyEntry>, Error> {
        keys::by_digest(&self.reader, sha256).await
    }

    async fn keys_in_force(&self) -> Result<u64, Error> {
        keys::in_force(&self.reader).await
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
        static_keys::set(&self.writer, keys, at_s).await
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

    async fn note(&self, event: &AuditEvent) -> Result<Head, Error> {
        audit::note(&self.writer, event).await
    }

    async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, Error> {
        audit::rows(&self.reader, filter).await
    }

    async fn audit_head(&self) -> Result<Head, Error> {
        audit::head(&self.reader).await
    }

    async fn verify_audit(&self, known: Option<Head>) -> Result<Verdict, Error> {
        audit::verify(&self.reader, known).await
    }

    async fn remember_nonce(&self, tag: &[u8], until_s: u64, now_s: u64) -> Result<bool, Error> {
        nonces::remember(&self.writer, (tag, until_s), now_s, NONCES_MAX).await
    }

    async fn nonces_until(&self) -> Result<u64, Error> {
        nonces::last_until(&self.reader).await
    }
}

/// Appends the conditions of those words that are asked for.
fn push_words(query: &mut QueryBuilder<Sqlite>, words: &[(&'static str, &Option<String>)]) {
    for (condition, word) in words {
        if let Some(word) = word {
            query.push(condition).push_bind(word.clone());
        }
    }
}

/// Appends the bounds of `at_ms`, the second not included.
fn push_times(query: &mut QueryBuilder<Sqlite>, since_ms: Option<u64>, until_ms: Option<u64>) {
    for (condition, at_ms) in [(" AND at_ms >= ", since_ms), (" AND at_ms < ", until_ms)] {
        if let Some(at_ms) = at_ms {
            query.push(condition).push_bind(stored(at_ms));
        }
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

    /// The keys of a database that the first release made.
    #[tokio::test]
    async fn a_database_of_an_earlier_schema_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let old = connect(options, 1).await.unwrap();
        let mut first = sqlx::migrate!("./migrations");
        first.migrations.to_mut().truncate(1);
        first.run(&old).await.unwrap();
        let rows = "INSERT INTO keyring VALUES (1, 'e', 2);
            INSERT INTO keys VALUES ('aa', 'k1', 'ci', 'acme', NULL, '[\"user\"]', 0, 5, 9, NULL, 1);
            INSERT INTO keys VALUES ('bb', 'y/ci', 'y/ci', 'acme', NULL, '[]', 1, 5, NULL, NULL, 2);";
        sqlx::raw_sql(rows).execute(&old).await.unwrap();
        old.close().await;
        let store = SqliteStore::open(&file).await.unwrap();
        let keys = store.list_keys(None).await.unwrap();
        let seen: Vec<_> = keys.iter().map(|key| (key.id.as_str(), key.last_used_at_s)).collect();
        assert_eq!(seen, [("k1", None), ("y/ci", None)]);
        assert_eq!(
            (keys[0].roles.len(), keys[0].models.len(), keys[0].expires_at_s),
            (1, 0, Some(9))
        );
        let entry = KeyEntry { id: "y/ci".into(), tenant: "acme".into(), ..KeyEntry::default() };
        let change = store.set_static_keys(&[("bb".to_owned(), entry)], 7).await.unwrap();
        assert_eq!(change, StaticKeysChange::default());
        assert_eq!(store.keyring_version().await.unwrap(), 2);
    }

    /// With 100,000 keys nothing that is asked often may read them all.
    #[tokio::test]
    async fn what_is_asked_often_is_found_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("a.db")).await.unwrap();
        for (sql, index) in [
            ("SELECT * FROM keys WHERE changed_seq > 5 ORDER BY changed_seq LIMIT 9", "by_change"),
            ("SELECT * FROM keys WHERE sha256 = 'a' AND revoked_at_s IS NULL", "autoindex_keys"),
            ("UPDATE keys SET last_used_at_s = 1 WHERE id = 'a'", "keys_by_any_id"),
            ("SELECT * FROM keys WHERE tenant = 'a' ORDER BY rowid", "keys_by_tenant"),
            ("SELECT COUNT(*) FROM keys WHERE revoked_at_s IS NULL", "keys_in_force"),
            ("SELECT * FROM audit WHERE subject = 'a' AND \"action\" = 'b'", "audit_by_subject"),
            ("SELECT tag FROM nonces WHERE until_s < 5 ORDER BY until_s LIMIT 9", "nonces_by_end"),
            ("SELECT MAX(until_s) FROM nonces", "nonces_by_end"),
        ] {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(explain).fetch_all(&store.writer).await.unwrap();
            assert!(plan.iter().any(|step| step.3.contains(index)), "{sql}: {plan:?}");
        }
    }

    #[test]
    fn numbers_beyond_the_database_are_the_largest_it_has() {
        assert_eq!(loaded(stored(u64::MAX)), i64::MAX.unsigned_abs());
        assert_eq!(loaded(stored(7)), 7);
        assert_eq!(loaded(-1), 0);
    }
}
