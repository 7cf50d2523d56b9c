//! Rows of leases in a database.

use super::dialect::{Connection, Db, Row};
use super::heads::{LEASES, head, set_head};
use super::words::{loaded, stored};
use crate::audit::Head;
use crate::lease::{LeaseRow, LeaseState};
use crate::store::Position;
use sqlx::{QueryBuilder, Row as _};

/// Leases that one statement asks for.
const PER_QUERY: usize = 500;

/// Those that are there, of these numbers.
pub(super) async fn by_ids(
    connection: &mut Connection,
    ids: &[u64],
) -> sqlx::Result<Vec<LeaseRow>> {
    let mut found = Vec::new();
    for ids in ids.chunks(PER_QUERY) {
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM leases WHERE id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(stored(*id));
        }
        query.push(")");
        found.extend(read(query.build().fetch_all(&mut *connection).await?)?);
    }
    Ok(found)
}

/// Those of a spool that are not closed.
pub(super) async fn of_spool(
    connection: &mut Connection,
    spool: &str,
) -> sqlx::Result<Vec<LeaseRow>> {
    let rows = sqlx::query("SELECT * FROM leases WHERE spool = $1 AND state <> 'closed'")
        .bind(spool)
        .fetch_all(connection)
        .await?;
    read(rows)
}

/// Those of an account in a period that are not closed.
pub(super) async fn of_account(
    connection: &mut Connection,
    account: &str,
    period: &str,
) -> sqlx::Result<Vec<LeaseRow>> {
    let rows = sqlx::query(
        "SELECT * FROM leases WHERE account = $1 AND period = $2 AND state <> 'closed' ORDER BY id",
    )
    .bind(account)
    .bind(period)
    .fetch_all(connection)
    .await?;
    read(rows)
}

fn read(rows: Vec<Row>) -> sqlx::Result<Vec<LeaseRow>> {
    rows.iter().map(row_of).collect()
}

pub(super) fn row_of(row: &Row) -> sqlx::Result<LeaseRow> {
    let number = |name: &str| row.try_get::<i64, _>(name).map(loaded);
    let perhaps = |name: &str| row.try_get::<Option<i64>, _>(name).map(|found| found.map(loaded));
    let state: String = row.try_get("state")?;
    let mark = perhaps("mark_generation")?.zip(perhaps("mark_offset")?);
    Ok(LeaseRow {
        id: number("id")?,
        account: row.try_get("account")?,
        period: row.try_get("period")?,
        process: row.try_get("process")?,
        spool: row.try_get("spool")?,
        generation: number("generation")?,
        made_ms: number("made_ms")?,
        granted: number("granted")?,
        returned: number("returned")?,
        posted: number("posted")?,
        expires_ms: number("expires_ms")?,
        // What cannot be read holds what it held.
        state: LeaseState::parse(&state).unwrap_or(LeaseState::Over),
        over_at_ms: perhaps("over_at_ms")?,
        mark: mark.map(|(generation, offset)| Position { generation, offset }),
    })
}

/// The next number of a lease.
pub(super) async fn next_id(connection: &mut Connection) -> sqlx::Result<u64> {
    let last = head(connection, LEASES).await?;
    let id = last.seq.saturating_add(1);
    set_head(connection, LEASES, Head { seq: id, ..last }).await?;
    Ok(id)
}

/// Writes a lease, a new one or one that changed.
pub(super) async fn put(connection: &mut Connection, lease: &LeaseRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO leases (id, account, period, process, spool, generation, made_ms, granted,
         returned, posted, expires_ms, state, over_at_ms, mark_generation, mark_offset)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (id) DO UPDATE SET generation = excluded.generation,
         granted = excluded.granted, returned = excluded.returned, posted = excluded.posted,
         expires_ms = excluded.expires_ms, state = excluded.state,
         over_at_ms = excluded.over_at_ms, mark_generation = excluded.mark_generation,
         mark_offset = excluded.mark_offset",
    )
    .bind(stored(lease.id))
    .bind(&lease.account)
    .bind(&lease.period)
    .bind(&lease.process)
    .bind(&lease.spool)
    .bind(stored(lease.generation))
    .bind(stored(lease.made_ms))
    .bind(stored(lease.granted))
    .bind(stored(lease.returned))
    .bind(stored(lease.posted))
    .bind(stored(lease.expires_ms))
    .bind(lease.state.as_str())
    .bind(lease.over_at_ms.map(stored))
    .bind(lease.mark.map(|mark| stored(mark.generation)))
    .bind(lease.mark.map(|mark| stored(mark.offset)))
    .execute(connection)
    .await
    .map(drop)
}
