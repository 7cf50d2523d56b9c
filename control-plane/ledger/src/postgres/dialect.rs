//! What PostgreSQL has of its own: everything else is in the queries that it shares.

use crate::error::Error;
use sqlx::{Postgres, QueryBuilder};

pub(super) type Db = Postgres;
pub(super) type Connection = sqlx::PgConnection;
pub(super) type Pool = sqlx::PgPool;
pub(super) type Row = sqlx::postgres::PgRow;
pub(super) type Transaction = sqlx::Transaction<'static, Postgres>;

/// The day of `at_ms` in UTC.
pub(super) const DAY: &str = "to_char(to_timestamp(at_ms / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')";

/// Who writes holds this lock until the commit is on disk, in one round trip; the number
/// is "tollgate" in ASCII. Keyring, trail and postings are series without gaps, each row
/// of which needs the one before: one writer after the other is what they come to in any
/// case, and with the lock none has to be tried again. It holds with READ COMMITTED
/// alone, where each statement sees what was committed before the statement: a snapshot
/// of the whole transaction would be older than the lock (PostgreSQL, "Transaction
/// Isolation" and "Explicit Locking").
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; \
     SELECT pg_advisory_xact_lock(8390043843661231205)";

/// Begins to write. It waits for the writers of all control planes here, so that it
/// never fails halfway.
pub(super) async fn begin(writer: &Pool, doing: &'static str) -> Result<Transaction, Error> {
    writer.begin_with(BEGIN).await.map_err(Error::database(doing))
}

/// Begins to read: all that is read is of one moment.
pub(super) async fn begin_read(reader: &Pool, doing: &'static str) -> Result<Transaction, Error> {
    let begun = reader.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await;
    begun.map_err(Error::database(doing))
}

/// Appends that the column before is one of `texts`.
pub(super) fn push_in(query: &mut QueryBuilder<Db>, texts: &[String]) {
    query.push(" = ANY(").push_bind(texts.to_vec()).push(")");
}
