//! All of the money at one moment, out of a database.

use super::dialect::{Connection, Pool, Row, Transaction, begin_read};
use super::heads::{POSTINGS, RECORDS, head};
use super::lease_rows;
use super::records::record_of;
use super::words::{loaded, stored};
use crate::audit::Head;
use crate::chain::{Entry, PostingKind, SealedPosting, SealedRecord};
use crate::error::Error;
use crate::lease::LeaseRow;
use crate::snapshot::{Balance, Snapshot};
use crate::store::Position;
use sqlx::Row as _;

const DOING: &str = "verifying the books";

/// A transaction that reads.
struct Moment(Transaction);

pub(super) async fn begin(reader: &Pool) -> Result<Box<dyn Snapshot>, Error> {
    Ok(Box::new(Moment(begin_read(reader, DOING).await?)))
}

#[async_trait::async_trait]
impl Snapshot for Moment {
    async fn records(&mut self, after: u64, limit: u32) -> Result<Vec<SealedRecord>, Error> {
        let sql = "SELECT * FROM usage WHERE seq > $1 ORDER BY seq LIMIT $2";
        let rows = page(&mut self.0, sql, after, limit).await;
        let read = |rows: Vec<Row>| rows.iter().map(record).collect();
        rows.and_then(read).map_err(Error::database(DOING))
    }

    async fn postings(&mut self, after: u64, limit: u32) -> Result<Vec<SealedPosting>, Error> {
        let sql = "SELECT * FROM postings WHERE seq > $1 ORDER BY seq LIMIT $2";
        let rows = page(&mut self.0, sql, after, limit).await;
        let read = |rows: Vec<Row>| rows.iter().map(posting).collect();
        rows.and_then(read).map_err(Error::database(DOING))
    }

    async fn balances(&mut self, after: (&str, &str), limit: u32) -> Result<Vec<Balance>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM balances WHERE account > $1 OR (account = $1 AND period > $2)
             ORDER BY account, period LIMIT $3",
        )
        .bind(after.0)
        .bind(after.1)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0)
        .await;
        let read = |rows: Vec<Row>| rows.iter().map(balance).collect();
        rows.and_then(read).map_err(Error::database(DOING))
    }

    async fn leases(&mut self, after: u64, limit: u32) -> Result<Vec<LeaseRow>, Error> {
        let sql = "SELECT * FROM leases WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = page(&mut self.0, sql, after, limit).await;
        let read = |rows: Vec<Row>| rows.iter().map(lease_rows::row_of).collect();
        rows.and_then(read).map_err(Error::database(DOING))
    }

    async fn positions(&mut self) -> Result<Vec<(String, Position)>, Error> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT spool, generation, byte_offset FROM spool_positions ORDER BY spool",
        )
        .fetch_all(&mut *self.0)
        .await
        .map_err(Error::database(DOING))?;
        let positions = rows.into_iter().map(|(spool, generation, offset)| {
            (spool, Position { generation: loaded(generation), offset: loaded(offset) })
        });
        Ok(positions.collect())
    }

    async fn heads(&mut self) -> Result<(Head, Head), Error> {
        let records = head(&mut self.0, RECORDS).await.map_err(Error::database(DOING))?;
        let postings = head(&mut self.0, POSTINGS).await.map_err(Error::database(DOING))?;
        Ok((records, postings))
    }
}

async fn page(
    connection: &mut Connection,
    sql: &'static str,
    after: u64,
    limit: u32,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query(sql).bind(stored(after)).bind(i64::from(limit)).fetch_all(connection).await
}

fn record(row: &Row) -> sqlx::Result<SealedRecord> {
    Ok(SealedRecord {
        seq: loaded(row.try_get("seq")?),
        record: record_of(row).ok(),
        periods: row.try_get("periods")?,
        hash: row.try_get::<Option<Vec<u8>>, _>("hash")?.unwrap_or_default(),
    })
}

fn posting(row: &Row) -> sqlx::Result<SealedPosting> {
    Ok(SealedPosting {
        seq: loaded(row.try_get("seq")?),
        entry: entry(row).ok().flatten(),
        hash: row.try_get("hash")?,
    })
}

/// `None`: it is of a kind that is never written.
fn entry(row: &Row) -> sqlx::Result<Option<Entry>> {
    let word: String = row.try_get("kind")?;
    let kind = PostingKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    let Some(kind) = kind else { return Ok(None) };
    Ok(Some(Entry {
        at_ms: loaded(row.try_get("at_ms")?),
        kind,
        debit: row.try_get("debit")?,
        credit: row.try_get("credit")?,
        nanodollars: row.try_get("nanodollars")?,
        record: row.try_get::<Option<i64>, _>("record")?.map(loaded),
        lease: row.try_get::<Option<i64>, _>("lease")?.map(loaded),
        why: row.try_get("why")?,
    }))
}

fn balance(row: &Row) -> sqlx::Result<Balance> {
    Ok(Balance {
        account: row.try_get("account")?,
        period: row.try_get("period")?,
        nanodollars: row.try_get("nanodollars")?,
        corrected_nanodollars: row.try_get("corrected_nanodollars")?,
        input_tokens: loaded(row.try_get("input_tokens")?),
        output_tokens: loaded(row.try_get("output_tokens")?),
        requests: loaded(row.try_get("requests")?),
    })
}
