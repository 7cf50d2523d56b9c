//! Nonces in a database.

use super::dialect::{Connection, Pool, begin};
use super::words::{loaded, stored};
use crate::error::Error;

/// How often the nonces that are over are removed, in seconds.
const PRUNE_EVERY_S: u64 = 60;

/// Most that are removed at a time, so that nobody waits long for it.
const PRUNED_AT_ONCE: i64 = 50_000;

const DOING: &str = "remembering a nonce";

/// What the store does, with room for `most`.
pub(super) async fn remember(
    writer: &Pool,
    (tag, until_s): (&[u8], u64),
    now_s: u64,
    most: u64,
) -> Result<bool, Error> {
    let mut transaction = begin(writer, DOING).await?;
    let fresh = match until(&mut transaction, tag).await.map_err(Error::database(DOING))? {
        Some(until_s) if until_s >= now_s => return Ok(false),
        Some(_) => prolong(&mut transaction, tag, until_s).await,
        None => {
            make_room(&mut transaction, now_s, most).await?;
            add(&mut transaction, tag, until_s).await
        }
    };
    fresh.map_err(Error::database(DOING))?;
    transaction.commit().await.map_err(Error::database(DOING))?;
    Ok(true)
}

/// When the last of all nonces is over.
pub(super) async fn last_until(reader: &Pool) -> Result<u64, Error> {
    let until_s: Option<i64> = sqlx::query_scalar("SELECT MAX(until_s) FROM nonces")
        .fetch_one(reader)
        .await
        .map_err(Error::database("reading when the nonces are over"))?;
    Ok(until_s.map_or(0, loaded))
}

async fn until(connection: &mut Connection, tag: &[u8]) -> sqlx::Result<Option<u64>> {
    let until_s: Option<i64> = sqlx::query_scalar("SELECT until_s FROM nonces WHERE tag = $1")
        .bind(tag)
        .fetch_optional(connection)
        .await?;
    Ok(until_s.map(loaded))
}

async fn prolong(connection: &mut Connection, tag: &[u8], until_s: u64) -> sqlx::Result<()> {
    sqlx::query("UPDATE nonces SET until_s = $1 WHERE tag = $2")
        .bind(stored(until_s))
        .bind(tag)
        .execute(connection)
        .await?;
    Ok(())
}

async fn add(connection: &mut Connection, tag: &[u8], until_s: u64) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO nonces (tag, until_s) VALUES ($1, $2)")
        .bind(tag)
        .bind(stored(until_s))
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE nonce_count SET rows = rows + 1").execute(connection).await?;
    Ok(())
}

/// Removes what is over, now and then and when there is no room; fails when there is
/// none even so.
async fn make_room(connection: &mut Connection, now_s: u64, most: u64) -> Result<(), Error> {
    let (rows, pruned_at_s): (i64, i64) =
        sqlx::query_as("SELECT rows, pruned_at_s FROM nonce_count")
            .fetch_one(&mut *connection)
            .await
            .map_err(Error::database(DOING))?;
    let rested = now_s.saturating_sub(loaded(pruned_at_s)) >= PRUNE_EVERY_S;
    let mut rows = loaded(rows);
    if rested || rows >= most {
        let pruned = prune(connection, now_s).await.map_err(Error::database(DOING))?;
        rows = rows.saturating_sub(pruned);
    }
    if rows >= most { Err(Error::NoncesFull) } else { Ok(()) }
}

async fn prune(connection: &mut Connection, now_s: u64) -> sqlx::Result<u64> {
    let gone = sqlx::query(
        "DELETE FROM nonces WHERE tag IN
         (SELECT tag FROM nonces WHERE until_s < $1 ORDER BY until_s LIMIT $2)",
    )
    .bind(stored(now_s))
    .bind(PRUNED_AT_ONCE)
    .execute(&mut *connection)
    .await?
    .rows_affected();
    sqlx::query("UPDATE nonce_count SET rows = rows - $1, pruned_at_s = $2")
        .bind(stored(gone))
        .bind(stored(now_s))
        .execute(connection)
        .await?;
    Ok(gone)
}
