//! The store in SQLite: one file, write-ahead log, every commit synced to disk.

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
mod takeover;
#[cfg(test)]
mod tampering;
#[path = "sql/uses.rs"]
mod uses;
#[path = "sql/weights.rs"]
mod weights;
#[path = "sql/words.rs"]
mod words;

use crate::error::Error;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections for reading; readers do not wait for the writer.
const READERS: u32 = 4;

/// A SQLite database.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    /// One connection, so that writers queue instead of finding the file locked.
    pub(crate) writer: SqlitePool,
    reader: SqlitePool,
}

/// What the modules that both databases share call the store.
type This = SqliteStore;

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
        sqlx::migrate!("./migrations/sqlite").run(&writer).await?;
        keys::make_epoch(&writer).await?;
        takeover::all(&writer).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use crate::key::StaticKeysChange;
    use crate::store::Store;
    use contract::keyring::KeyEntry;
    use contract::price::Prices;

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
            .record_prices(&[Prices {
                input: u64::MAX,
                cached_input: 0,
                output: 2,
                ..Prices::default()
            }])
            .await
            .unwrap();
        first.close().await;
        let second = SqliteStore::open(&file).await.unwrap();
        assert_eq!(second.keyring_since(None, 0, 1).await.unwrap().epoch, epoch);
        assert_eq!(epoch.len(), 2 * keys::EPOCH_BYTES);
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
        let mut first = sqlx::migrate!("./migrations/sqlite");
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

    /// Records that were written before there were chains and balances.
    #[tokio::test]
    async fn older_records_are_taken_over_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let old = connect(options, 1).await.unwrap();
        let mut first = sqlx::migrate!("./migrations/sqlite");
        first.migrations.to_mut().truncate(3);
        first.run(&old).await.unwrap();
        let rows = r#"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 6000)
            INSERT INTO usage (seq, id, at_ms, tenant, "key", stream, status, input_tokens,
            cached_input_tokens, output_tokens, reasoning_tokens, source, "end",
            cost_nanodollars, duration_ms, masked)
            SELECT 2 * n, 'r' || n, 1795252163120, 'acme', 'k1', 0, 200, 5, 0, 1, 0, 'engine',
            'complete', 3, 9, '{}' FROM n;
            UPDATE spool_position SET generation = 4, byte_offset = 9;"#;
        sqlx::raw_sql(rows).execute(&old).await.unwrap();
        old.close().await;
        for _ in 0..2 {
            let store = SqliteStore::open(&file).await.unwrap();
            store.register_spool("s").await.unwrap();
            let found = crate::verify::verify(&store, folder.path(), "none").await.unwrap();
            assert!(found.is_sound(), "{:?}", found.faults);
            assert_eq!((found.records, found.cost_nanodollars), (6_000, 18_000));
            assert_eq!((found.record_head.seq, found.posting_head.seq), (12_000, 6_000));
            let position = store.position("s").await.unwrap();
            assert_eq!((position.generation, position.offset), (4, 9));
            store.close().await;
        }
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
            (
                "SELECT * FROM leases WHERE account = 'a' AND period = 'b' AND state <> 'closed'",
                "leases_that_hold",
            ),
            ("SELECT * FROM leases WHERE spool = 'a' AND state <> 'closed'", "leases_of_spools"),
            (
                "SELECT SUM(nanodollars) FROM postings WHERE kind = 'correction' AND record = 5",
                "postings_that_correct",
            ),
            ("SELECT * FROM usage WHERE seq > 5 ORDER BY seq LIMIT 9", "INTEGER PRIMARY KEY"),
        ] {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(explain).fetch_all(&store.writer).await.unwrap();
            assert!(plan.iter().any(|step| step.3.contains(index)), "{sql}: {plan:?}");
        }
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_and_for_more_once_some_are_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("a.db")).await.unwrap();
        // Until, now, what comes of it: three have room.
        for (tag, until_s, now_s, expected) in [
            (b"a", 100, 50, Some(true)),
            (b"b", 200, 50, Some(true)),
            (b"c", 200, 50, Some(true)),
            (b"d", 200, 50, None),
            (b"d", 200, 50, None),
            (b"b", 200, 50, Some(false)),
            (b"d", 200, 100, None),
            (b"d", 200, 101, Some(true)),
            (b"e", 200, 101, None),
            (b"a", 300, 201, Some(true)),
            (b"e", 300, 201, Some(true)),
        ] {
            let found = nonces::remember(&store.writer, (tag, until_s), now_s, 3).await;
            match expected {
                Some(fresh) => assert_eq!(found.unwrap(), fresh, "{tag:?} {now_s}"),
                None => assert!(matches!(found, Err(Error::NoncesFull)), "{tag:?} {now_s}"),
            }
        }
        let (counted, rows): (i64, i64) =
            sqlx::query_as("SELECT rows, (SELECT COUNT(*) FROM nonces) FROM nonce_count")
                .fetch_one(&store.writer)
                .await
                .unwrap();
        assert_eq!((counted, rows), (2, 2));
    }
}
