//! What SQLite has of its own: everything else is in the queries that it shares.

use crate::error::Error;
use sqlx::{QueryBuilder, Sqlite};

pub(super) type Db = Sqlite;
pub(super) type Connection = sqlx::SqliteConnection;
pub(super) type Pool = sqlx::SqlitePool;
pub(super) type Row = sqlx::sqlite::SqliteRow;
pub(super) type Transaction = sqlx::Transaction<'static, Sqlite>;

/// The day of `at_ms` in UTC.
pub(super) const DAY: &str = "strftime('%Y-%m-%d', at_ms / 1000, 'unixepoch')";

/// Begins to write. It waits for other writers here, so that it never fails halfway.
pub(super) async fn begin(writer: &Pool, doing: &'static str) -> Result<Transaction, Error> {
    writer.begin_with("BEGIN IMMEDIATE").await.map_err(Error::database(doing))
}

/// Begins to read: all that is read is of one moment.
pub(super) async fn begin_read(reader: &Pool, doing: &'static str) -> Result<Transaction, Error> {
    reader.begin().await.map_err(Error::database(doing))
}

/// Appends that the column before is one of `texts`.
pub(super) fn push_in(query: &mut QueryBuilder<Db>, texts: &[String]) {
    let list = serde_json::Value::from(texts).to_string();
    query.push(" IN (SELECT value FROM json_each(").push_bind(list).push("))");
}
