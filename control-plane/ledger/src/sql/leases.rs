//! What happens to leases when usage is posted and spools are read, in a database.

use super::dialect::{Connection, Pool, begin};
use super::words::{loaded, numbers_of, stored};
use super::{entries, lease_rows};
use crate::chain::Entry;
use crate::error::Error;
use crate::lease::{GRACE_MS, LeaseRow, LeaseState, OpenLine};
use crate::record::UsageRecord;
use crate::store::Position;
use std::collections::{BTreeMap, BTreeSet};

/// How long a closed lease is remembered after its time: longer than usage waits in a spool.
const FORGOTTEN_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// Most that are removed at a time, so that nobody waits long for it.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// The leases that records name.
pub(super) async fn named(
    connection: &mut Connection,
    records: &[&UsageRecord],
) -> sqlx::Result<BTreeMap<u64, LeaseRow>> {
    let ids: BTreeSet<u64> =
        records.iter().flat_map(|record| record.leases.iter().copied()).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let found = lease_rows::by_ids(connection, &ids).await?;
    Ok(found.into_iter().map(|lease| (lease.id, lease)).collect())
}

/// Lets leases pay for what was posted; returns what that releases of their holds.
pub(super) async fn pay(
    connection: &mut Connection,
    leases: &BTreeMap<u64, LeaseRow>,
    paid: &BTreeMap<u64, u64>,
    at_ms: u64,
) -> sqlx::Result<Vec<Entry>> {
    let mut releases = Vec::new();
    for (id, cost) in paid.iter().filter(|(_, cost)| **cost > 0) {
        let Some(lease) = leases.get(id) else { continue };
        let mut lease = lease.clone();
        let before = lease.held();
        lease.posted = lease.posted.saturating_add(*cost);
        lease_rows::put(connection, &lease).await?;
        releases.extend(lease.change(before, at_ms));
    }
    Ok(releases)
}

/// The files of a spool are numbered anew: what was granted before is older than any.
pub(super) async fn renumber(connection: &mut Connection, spool: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE leases SET generation = 0, mark_generation = NULL, mark_offset = NULL
         WHERE spool = $1 AND state <> 'closed'",
    )
    .bind(spool)
    .execute(connection)
    .await
    .map(drop)
}

/// The gateways that wrote a spool up to `generation` are dead, and all of it is posted:
/// what they hold comes back, and they are granted nothing more.
pub(super) async fn bury(
    connection: &mut Connection,
    spool: &str,
    generation: u64,
    at_ms: u64,
) -> sqlx::Result<()> {
    let held = lease_rows::of_spool(connection, spool).await?;
    let theirs: Vec<_> = held.into_iter().filter(|lease| lease.generation <= generation).collect();
    let processes: BTreeSet<_> = theirs.iter().map(|lease| lease.process.clone()).collect();
    for process in processes {
        sqlx::query("INSERT INTO buried (process, at_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(process)
            .bind(stored(at_ms))
            .execute(&mut *connection)
            .await?;
    }
    close(connection, theirs, at_ms).await
}

async fn close(connection: &mut Connection, leases: Vec<LeaseRow>, at_ms: u64) -> sqlx::Result<()> {
    let mut releases = Vec::new();
    for mut lease in leases {
        let before = lease.held();
        lease.state = LeaseState::Closed;
        lease_rows::put(connection, &lease).await?;
        releases.extend(lease.change(before, at_ms.max(lease.made_ms)));
    }
    entries::append(connection, &releases).await.map(drop)
}

/// Closes what can be closed of a spool that was just read to its end at `read`; `now_ms`
/// is the time before that.
pub(super) async fn close_over(
    (reader, writer): (&Pool, &Pool),
    spool: &str,
    read: Position,
    now_ms: u64,
) -> Result<u64, Error> {
    let doing = "closing leases";
    let mut connection = reader.acquire().await.map_err(Error::database(doing))?;
    let held = lease_rows::of_spool(&mut connection, spool).await;
    let due = |lease: &LeaseRow| lease.state == LeaseState::Over || lease.has_expired(now_ms);
    if !held.map_err(Error::database(doing))?.iter().any(due) {
        return Ok(0);
    }
    drop(connection);
    let mut transaction = begin(writer, doing).await?;
    let closed = end_and_close(&mut transaction, spool, read, now_ms).await;
    let closed = closed.map_err(Error::database(doing))?;
    transaction.commit().await.map_err(Error::database(doing))?;
    Ok(closed)
}

async fn end_and_close(
    connection: &mut Connection,
    spool: &str,
    read: Position,
    now_ms: u64,
) -> sqlx::Result<u64> {
    let open = open_lines(connection, spool).await?;
    let mut closing = Vec::new();
    for mut lease in lease_rows::of_spool(connection, spool).await? {
        if lease.can_be_closed(&open) {
            closing.push(lease);
        } else if step(&mut lease, read, now_ms) {
            lease_rows::put(connection, &lease).await?;
        }
    }
    let closed = closing.len() as u64;
    close(connection, closing, now_ms).await?;
    forget(connection, now_ms).await?;
    Ok(closed)
}

/// Removes leases that were closed long ago: their postings stay, and come to nothing.
async fn forget(connection: &mut Connection, now_ms: u64) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM leases WHERE id IN (SELECT id FROM leases
         WHERE state = 'closed' AND expires_ms < $1 ORDER BY expires_ms LIMIT $2)",
    )
    .bind(stored(now_ms.saturating_sub(FORGOTTEN_MS)))
    .bind(FORGOTTEN_AT_ONCE)
    .execute(connection)
    .await
    .map(drop)
}

/// Lets a lease that has expired be over, and marks the end of the spool of one that has
/// been over for long enough; whether anything changed.
fn step(lease: &mut LeaseRow, read: Position, now_ms: u64) -> bool {
    match (lease.state, lease.over_at_ms) {
        (LeaseState::Open, _) if lease.has_expired(now_ms) => {
            lease.end(now_ms);
            true
        }
        (LeaseState::Over, Some(over_at_ms)) if lease.mark.is_none() => {
            let due = now_ms >= over_at_ms.saturating_add(GRACE_MS);
            lease.mark = due.then_some(read);
            due
        }
        _ => false,
    }
}

async fn open_lines(connection: &mut Connection, spool: &str) -> sqlx::Result<Vec<OpenLine>> {
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(
        "SELECT generation, byte_offset, leases FROM open_requests WHERE spool = $1",
    )
    .bind(spool)
    .fetch_all(connection)
    .await?;
    let lines = rows.into_iter().map(|(generation, offset, leases)| OpenLine {
        at: Position { generation: loaded(generation), offset: loaded(offset) },
        leases: numbers_of(&leases),
    });
    Ok(lines.collect())
}
