//! The chain of postings in a database.

use super::dialect::{Connection, Db};
use super::heads::{POSTINGS, head, set_head};
use super::words::stored;
use crate::audit::Head;
use crate::chain::{Entry, entry_hash};
use sqlx::QueryBuilder;

/// Rows of one INSERT: full ones share one prepared statement.
const ROWS_PER_INSERT: usize = 64;

/// Adds postings within the transaction of what they tell of; returns the chain's end.
pub(super) async fn append(connection: &mut Connection, entries: &[Entry]) -> sqlx::Result<Head> {
    let mut end = head(connection, POSTINGS).await?;
    if entries.is_empty() {
        return Ok(end);
    }
    for some in entries.chunks(ROWS_PER_INSERT) {
        end = append_some(connection, end, some).await?;
    }
    set_head(connection, POSTINGS, end).await?;
    Ok(end)
}

async fn append_some(
    connection: &mut Connection,
    mut end: Head,
    entries: &[Entry],
) -> sqlx::Result<Head> {
    let sealed = entries.iter().map(|entry| {
        let seq = end.seq.saturating_add(1);
        end = Head { seq, hash: entry_hash(&end.hash, seq, entry) };
        (entry, end)
    });
    let mut insert = QueryBuilder::<Db>::new(
        "INSERT INTO postings (seq, at_ms, kind, debit, credit, nanodollars, record, lease, why,
         hash) ",
    );
    insert.push_values(sealed, |mut row, (entry, head)| {
        row.push_bind(stored(head.seq))
            .push_bind(stored(entry.at_ms))
            .push_bind(entry.kind.as_str())
            .push_bind(entry.debit.clone())
            .push_bind(entry.credit.clone())
            .push_bind(entry.nanodollars)
            .push_bind(entry.record.map(stored))
            .push_bind(entry.lease.map(stored))
            .push_bind(entry.why.clone())
            .push_bind(head.hash.to_vec());
    });
    insert.build().execute(connection).await?;
    Ok(end)
}
