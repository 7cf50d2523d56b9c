//! Records of a database from before records were chained: each is sealed, posted and put
//! into balances, once.

use super::dialect::{Connection, Pool, begin};
use super::heads::{RECORDS, head, set_head};
use super::records::{number, record_of};
use super::words::stored;
use super::{balances, entries, postings};
use crate::audit::Head;
use crate::chain::{Entry, record_hash};
use crate::error::Error;
use crate::moves::{Amounts, Sums};
use crate::record::UsageRecord;

/// Records of one transaction.
const RECORDS_PER_COMMIT: i64 = 5_000;

/// The number of the last record that was there before.
const UNSEALED: &str = "unsealed";

const DOING: &str = "taking over older records";

/// Takes all of them over. Where it is broken off, it goes on the next time.
pub(super) async fn all(writer: &Pool) -> Result<(), Error> {
    loop {
        let mut transaction = begin(writer, DOING).await?;
        let last = head(&mut transaction, UNSEALED).await.map_err(Error::database(DOING))?;
        let done = head(&mut transaction, RECORDS).await.map_err(Error::database(DOING))?;
        if done.seq >= last.seq {
            return Ok(());
        }
        some(&mut transaction, done, last.seq).await?;
        transaction.commit().await.map_err(Error::database(DOING))?;
    }
}

async fn some(connection: &mut Connection, mut end: Head, last: u64) -> Result<(), Error> {
    let rows =
        sqlx::query("SELECT * FROM usage WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3")
            .bind(stored(end.seq))
            .bind(stored(last))
            .bind(RECORDS_PER_COMMIT)
            .fetch_all(&mut *connection)
            .await
            .map_err(Error::database(DOING))?;
    let mut records = Vec::with_capacity(rows.len());
    for row in &rows {
        let (seq, record) = (number(row, "seq")?, record_of(row)?);
        end = Head { seq, hash: record_hash(&end.hash, seq, &record, None) };
        seal(connection, end).await.map_err(Error::database(DOING))?;
        records.push((seq, record));
    }
    if rows.is_empty() {
        end.seq = last;
    }
    post(connection, end, &records).await.map_err(Error::database(DOING))
}

async fn seal(connection: &mut Connection, end: Head) -> sqlx::Result<()> {
    sqlx::query("UPDATE usage SET hash = $1 WHERE seq = $2")
        .bind(end.hash.to_vec())
        .bind(stored(end.seq))
        .execute(connection)
        .await
        .map(drop)
}

async fn post(
    connection: &mut Connection,
    end: Head,
    records: &[(u64, UsageRecord)],
) -> sqlx::Result<()> {
    set_head(connection, RECORDS, end).await?;
    let usage: Vec<Entry> =
        records.iter().filter_map(|(seq, record)| postings::usage(*seq, record)).collect();
    entries::append(connection, &usage).await?;
    let mut sums = Sums::default();
    for (_, record) in records {
        sums.add(record, None, Amounts::of(record));
    }
    balances::add(connection, &sums.balances()).await
}
