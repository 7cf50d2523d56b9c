//! Reading positions and open requests of spools in a database.

use super::dialect::{Connection, Db, Pool, begin, push_in};
use super::words::{loaded, numbers_of, numbers_text, stored};
use crate::error::Error;
use crate::store::{Batch, OpenRequest, Position};
use sqlx::QueryBuilder;

/// Rows of one INSERT: full ones share one prepared statement.
const ROWS_PER_INSERT: usize = 64;

pub(super) async fn register(writer: &Pool, spool: &str) -> Result<(), Error> {
    let doing = "naming the spool";
    let mut transaction = begin(writer, doing).await?;
    let known: Option<i64> =
        sqlx::query_scalar("SELECT generation FROM spool_positions WHERE spool = $1")
            .bind(spool)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::database(doing))?;
    if known.is_none() {
        name(&mut transaction, spool).await.map_err(Error::database(doing))?;
    }
    transaction.commit().await.map_err(Error::database(doing))
}

async fn name(connection: &mut Connection, spool: &str) -> sqlx::Result<()> {
    for statement in [
        "UPDATE spool_positions SET spool = $1 WHERE spool = ''",
        "UPDATE open_requests SET spool = $1 WHERE spool = ''",
        "INSERT INTO spool_positions (spool, generation, byte_offset) VALUES ($1, 1, 0)
         ON CONFLICT DO NOTHING",
    ] {
        sqlx::query(statement).bind(spool).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A spool that was never heard of begins at its first file.
pub(super) async fn position(reader: &Pool, spool: &str) -> Result<Position, Error> {
    let found: Option<(i64, i64)> =
        sqlx::query_as("SELECT generation, byte_offset FROM spool_positions WHERE spool = $1")
            .bind(spool)
            .fetch_optional(reader)
            .await
            .map_err(Error::database("reading the spool's position"))?;
    let (generation, offset) = found.unwrap_or((1, 0));
    Ok(Position { generation: loaded(generation), offset: loaded(offset) })
}

pub(super) async fn open_requests(
    reader: &Pool,
    spool: &str,
    until: u64,
) -> Result<Vec<OpenRequest>, Error> {
    let rows: Vec<(String, i64, i64, String, String)> = sqlx::query_as(
        "SELECT id, generation, byte_offset, leases, line FROM open_requests
         WHERE spool = $1 AND generation <= $2 ORDER BY rowid",
    )
    .bind(spool)
    .bind(stored(until))
    .fetch_all(reader)
    .await
    .map_err(Error::database("reading the open requests"))?;
    let open = rows.into_iter().map(|(id, generation, offset, leases, line)| OpenRequest {
        id,
        generation: loaded(generation),
        offset: loaded(offset),
        leases: numbers_of(&leases),
        line,
        start_only: false,
    });
    Ok(open.collect())
}

/// Moves the position, unless it is not where the batch begins.
pub(super) async fn advance(connection: &mut Connection, batch: &Batch) -> sqlx::Result<bool> {
    let moved = sqlx::query(
        "UPDATE spool_positions SET generation = $1, byte_offset = $2
         WHERE generation = $3 AND byte_offset = $4 AND spool = $5",
    )
    .bind(stored(batch.to.generation))
    .bind(stored(batch.to.offset))
    .bind(stored(batch.from.generation))
    .bind(stored(batch.from.offset))
    .bind(&batch.spool)
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Keeps the last lines of running requests, and forgets those that have ended.
pub(super) async fn keep(connection: &mut Connection, batch: &Batch) -> sqlx::Result<()> {
    for open in batch.open.chunks(ROWS_PER_INSERT) {
        keep_open(connection, &batch.spool, open).await?;
    }
    if !batch.ended.is_empty() {
        let mut delete = QueryBuilder::<Db>::new("DELETE FROM open_requests WHERE id");
        push_in(&mut delete, &batch.ended);
        delete.build().execute(&mut *connection).await?;
    }
    if batch.renumbered {
        sqlx::query("UPDATE open_requests SET generation = 0 WHERE spool = $1")
            .bind(&batch.spool)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// A line that is read again after its request was posted opens nothing.
async fn keep_open(
    connection: &mut Connection,
    spool: &str,
    open: &[OpenRequest],
) -> sqlx::Result<()> {
    let mut insert = QueryBuilder::<Db>::new(
        "WITH fresh (id, spool, generation, byte_offset, leases, line, start_only) AS (",
    );
    insert.push_values(open, |mut row, each| {
        row.push_bind(each.id.clone())
            .push_bind(spool.to_owned())
            .push_bind(stored(each.generation))
            .push_bind(stored(each.offset))
            .push_bind(numbers_text(&each.leases))
            .push_bind(each.line.clone())
            .push_bind(each.start_only);
    });
    insert.push(
        ") INSERT INTO open_requests (id, spool, generation, byte_offset, leases, line)
         SELECT id, spool, generation, byte_offset, leases, line FROM fresh
         WHERE id NOT IN (SELECT usage.id FROM usage WHERE usage.id = fresh.id)
         AND NOT (start_only AND EXISTS (SELECT 1 FROM open_requests was WHERE was.id = fresh.id))
         ON CONFLICT (id) DO UPDATE SET generation = excluded.generation,
         byte_offset = excluded.byte_offset, leases = excluded.leases, line = excluded.line",
    );
    insert.build().execute(connection).await.map(drop)
}
