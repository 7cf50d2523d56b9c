//! Corrections in a database.

use super::dialect::{Connection, Db, Pool, Row, begin};
use super::records::{column, number, record_of};
use super::words::{loaded, stored};
use super::{audit, balances, entries, reports};
use crate::audit::{Action, AuditEvent};
use crate::chain::{Entry, PostingKind};
use crate::correction::{Corrected, Correction, NewCorrection};
use crate::error::Error;
use crate::moves::{Amounts, Sums, pool_account};
use crate::record::{UsageFilter, UsageRecord};
use sqlx::QueryBuilder;

const DOING: &str = "correcting a record";

pub(super) async fn correct(writer: &Pool, correction: &NewCorrection) -> Result<Corrected, Error> {
    let mut transaction = begin(writer, DOING).await?;
    let Some(row) = row_of(&mut transaction, &correction.record).await? else {
        return Ok(Corrected::Unknown);
    };
    let (seq, record) = (number(&row, "seq")?, record_of(&row)?);
    let before = corrected(&mut transaction, seq).await.map_err(Error::database(DOING))?;
    let after = before
        .checked_add(correction.nanodollars)
        .and_then(|sum| sum.checked_add(record.cost_nanodollars));
    let Some(nanodollars) = after.filter(|cost| *cost >= 0) else {
        return Ok(Corrected::OutOfBounds);
    };
    let periods: Option<String> = column(&row, "periods")?;
    let posting = post(&mut transaction, seq, &record, periods.as_deref(), correction)
        .await
        .map_err(Error::database(DOING))?;
    audit::append(&mut transaction, &[event(&record, correction)]).await?;
    transaction.commit().await.map_err(Error::database(DOING))?;
    Ok(Corrected::Posted { posting, nanodollars })
}

async fn row_of(connection: &mut Connection, id: &str) -> Result<Option<Row>, Error> {
    sqlx::query("SELECT * FROM usage WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(Error::database(DOING))
}

/// What corrections have added to a record's cost.
async fn corrected(connection: &mut Connection, seq: u64) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(nanodollars), 0) AS BIGINT) FROM postings
         WHERE kind = 'correction' AND record = $1",
    )
    .bind(stored(seq))
    .fetch_one(connection)
    .await
}

async fn post(
    connection: &mut Connection,
    seq: u64,
    record: &UsageRecord,
    periods: Option<&str>,
    correction: &NewCorrection,
) -> sqlx::Result<u64> {
    let entry = Entry {
        at_ms: correction.at_ms,
        kind: PostingKind::Correction,
        debit: format!("tenant/{}", record.tenant),
        credit: pool_account(record.pool.as_deref()),
        nanodollars: correction.nanodollars,
        record: Some(seq),
        lease: None,
        why: Some(correction.why.clone()),
    };
    let mut sums = Sums::default();
    let amounts = Amounts { corrected_nanodollars: correction.nanodollars, ..Amounts::default() };
    sums.add(record, periods, amounts);
    balances::add(connection, &sums.balances()).await?;
    Ok(entries::append(connection, &[entry]).await?.seq)
}

fn event(record: &UsageRecord, correction: &NewCorrection) -> AuditEvent {
    AuditEvent::new(correction.at_ms, correction.actor, Action::RecordCorrected, &record.id)
        .with("tenant", record.tenant.as_str())
        .with("nanodollars", correction.nanodollars)
        .with("why", correction.why.as_str())
}

pub(super) async fn all(reader: &Pool, filter: &UsageFilter) -> Result<Vec<Correction>, Error> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT usage.*, made.seq AS made_seq, made.at_ms AS made_ms,
         made.nanodollars AS made_nanodollars, made.why AS made_why
         FROM postings made JOIN usage ON usage.seq = made.record",
    );
    reports::push_filter(&mut query, filter);
    query.push(" AND made.kind = 'correction' ORDER BY made.seq");
    let rows =
        query.build().fetch_all(reader).await.map_err(Error::database("reading corrections"));
    rows?.iter().map(correction_of).collect()
}

fn correction_of(row: &Row) -> Result<Correction, Error> {
    Ok(Correction {
        posting: loaded(column(row, "made_seq")?),
        at_ms: loaded(column(row, "made_ms")?),
        nanodollars: column(row, "made_nanodollars")?,
        why: column::<Option<String>>(row, "made_why")?.unwrap_or_default(),
        record: record_of(row)?,
    })
}
