//! Postings, prices, open requests and the reading position in SQLite.

use super::{loaded, stored, uses};
use crate::error::Error;
use crate::record::UsageRecord;
use crate::store::{Batch, Counts, OpenRequest, Position, PriceBook};
use contract::price::Prices;
use contract::usage::End;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, SqlitePool};
use std::collections::{BTreeMap, HashSet};

/// Rows of one INSERT: 64 records are 1,536 values, and SQLite takes 32,766
/// (SQLite, "Implementation limits", variable number). Full ones share one
/// prepared statement.
const ROWS_PER_INSERT: usize = 64;

pub(super) async fn record_prices(writer: &SqlitePool, prices: &[Prices]) -> Result<(), Error> {
    let doing = "recording prices";
    let mut transaction =
        writer.begin_with("BEGIN IMMEDIATE").await.map_err(Error::database(doing))?;
    for each in prices {
        sqlx::query("INSERT INTO prices VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(each.version())
            .bind(each.input.cast_signed())
            .bind(each.cached_input.cast_signed())
            .bind(each.output.cast_signed())
            .execute(&mut *transaction)
            .await
            .map_err(Error::database(doing))?;
    }
    transaction.commit().await.map_err(Error::database(doing))
}

pub(super) async fn price_book(reader: &SqlitePool) -> Result<PriceBook, Error> {
    let rows: Vec<(String, i64, i64, i64)> =
        sqlx::query_as("SELECT version, input, cached_input, output FROM prices")
            .fetch_all(reader)
            .await
            .map_err(Error::database("reading the prices"))?;
    let book = rows.into_iter().map(|(version, input, cached_input, output)| {
        let prices = Prices {
            input: input.cast_unsigned(),
            cached_input: cached_input.cast_unsigned(),
            output: output.cast_unsigned(),
        };
        (version, prices)
    });
    Ok(book.collect())
}

pub(super) async fn position(reader: &SqlitePool) -> Result<Position, Error> {
    let (generation, offset): (i64, i64) =
        sqlx::query_as("SELECT generation, byte_offset FROM spool_position")
            .fetch_one(reader)
            .await
            .map_err(Error::database("reading the spool's position"))?;
    Ok(Position { generation: loaded(generation), offset: loaded(offset) })
}

pub(super) async fn open_requests(
    reader: &SqlitePool,
    until: u64,
) -> Result<Vec<OpenRequest>, Error> {
    let rows: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT id, generation, line FROM open_requests WHERE generation <= ? ORDER BY rowid",
    )
    .bind(stored(until))
    .fetch_all(reader)
    .await
    .map_err(Error::database("reading the open requests"))?;
    let open = rows.into_iter().map(|(id, generation, line)| OpenRequest {
        id,
        generation: loaded(generation),
        line,
        start_only: false,
    });
    Ok(open.collect())
}

pub(super) async fn counts(reader: &SqlitePool) -> Result<Counts, Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT name, value FROM counts")
        .fetch_all(reader)
        .await
        .map_err(Error::database("reading the counts"))?;
    let named: serde_json::Map<_, _> =
        rows.into_iter().map(|(name, value)| (name, loaded(value).into())).collect();
    serde_json::from_value(named.into()).map_err(|_| Error::Corrupt { table: "counts" })
}

pub(super) async fn commit(writer: &SqlitePool, batch: &Batch) -> Result<Counts, Error> {
    let doing = "posting usage";
    let mut transaction =
        writer.begin_with("BEGIN IMMEDIATE").await.map_err(Error::database(doing))?;
    if !advance(&mut transaction, batch).await.map_err(Error::database(doing))? {
        return Err(Error::PositionMoved);
    }
    let counts = post_all(&mut transaction, batch).await.map_err(Error::database(doing))?;
    uses::note(&mut transaction, &batch.records).await?;
    transaction.commit().await.map_err(Error::database(doing))?;
    Ok(counts)
}

/// Moves the position, unless it is not where the batch begins.
async fn advance(connection: &mut SqliteConnection, batch: &Batch) -> sqlx::Result<bool> {
    let moved = sqlx::query(
        "UPDATE spool_position SET generation = ?, byte_offset = ?
         WHERE generation = ? AND byte_offset = ?",
    )
    .bind(stored(batch.to.generation))
    .bind(stored(batch.to.offset))
    .bind(stored(batch.from.generation))
    .bind(stored(batch.from.offset))
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

async fn post_all(connection: &mut SqliteConnection, batch: &Batch) -> sqlx::Result<Counts> {
    let mut counts = batch.counts;
    for records in batch.records.chunks(ROWS_PER_INSERT) {
        let posted = post(connection, records).await?;
        if batch.recovery {
            counts.recovered += posted.len() as u64;
            continue;
        }
        for record in records.iter().filter(|record| !posted.contains(&record.id)) {
            recount(connection, record, &mut counts).await?;
        }
    }
    for open in batch.open.chunks(ROWS_PER_INSERT) {
        keep_open(connection, open).await?;
    }
    if !batch.ended.is_empty() {
        forget(connection, &batch.ended).await?;
    }
    if batch.renumbered {
        sqlx::query("UPDATE open_requests SET generation = 0").execute(&mut *connection).await?;
    }
    add_counts(connection, &counts).await?;
    Ok(counts)
}

/// Writes records; returns the ids that were not there before.
async fn post(
    connection: &mut SqliteConnection,
    records: &[UsageRecord],
) -> sqlx::Result<HashSet<String>> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        r#"INSERT INTO usage (id, client_request_id, at_ms, tenant, "key", user, model, pool,
           endpoint, path, stream, status, code, input_tokens, cached_input_tokens, output_tokens,
           reasoning_tokens, source, "end", cost_nanodollars, price_version, first_token_ms,
           duration_ms, masked) "#,
    );
    insert.push_values(records, bind_record);
    insert.push(" ON CONFLICT (id) DO NOTHING RETURNING id");
    let ids: Vec<String> = insert.build_query_scalar().fetch_all(connection).await?;
    Ok(ids.into_iter().collect())
}

fn bind_record(
    mut row: sqlx::query_builder::Separated<'_, Sqlite, &'static str>,
    record: &UsageRecord,
) {
    row.push_bind(record.id.clone())
        .push_bind(record.client_request_id.clone())
        .push_bind(stored(record.at_ms))
        .push_bind(record.tenant.clone())
        .push_bind(record.key.clone())
        .push_bind(record.user.clone())
        .push_bind(record.model.clone())
        .push_bind(record.pool.clone())
        .push_bind(record.endpoint.clone())
        .push_bind(record.path.clone())
        .push_bind(record.stream)
        .push_bind(record.status)
        .push_bind(record.code.clone())
        .push_bind(stored(record.input_tokens))
        .push_bind(stored(record.cached_input_tokens))
        .push_bind(stored(record.output_tokens))
        .push_bind(stored(record.reasoning_tokens))
        .push_bind(word(&record.source))
        .push_bind(word(&record.end))
        .push_bind(record.cost_nanodollars)
        .push_bind(record.price_version.clone())
        .push_bind(record.first_token_ms.map(stored))
        .push_bind(stored(record.duration_ms))
        .push_bind(masked_text(&record.masked));
}

/// The word that a unit variant is written as.
fn word(of: &impl serde::Serialize) -> Option<String> {
    match serde_json::to_value(of) {
        Ok(serde_json::Value::String(word)) => Some(word),
        _ => None,
    }
}

fn masked_text(masked: &BTreeMap<String, u64>) -> String {
    let map: serde_json::Map<_, _> =
        masked.iter().map(|(word, count)| (word.clone(), (*count).into())).collect();
    serde_json::Value::Object(map).to_string()
}

/// Counts a record whose id was posted before: a conflict when that posting
/// took the request for lost and this record knows its end.
async fn recount(
    connection: &mut SqliteConnection,
    record: &UsageRecord,
    counts: &mut Counts,
) -> sqlx::Result<()> {
    let before: Option<String> = sqlx::query(r#"SELECT "end" FROM usage WHERE id = ?"#)
        .bind(&record.id)
        .fetch_one(connection)
        .await?
        .try_get(0)?;
    let lost = word(&End::GatewayLost);
    if before == lost && word(&record.end) != lost {
        counts.conflicts += 1;
    } else {
        counts.duplicates += 1;
    }
    if record.end == End::GatewayLost {
        counts.lost = counts.lost.saturating_sub(1);
    }
    Ok(())
}

/// Keeps the last lines of running requests. A line that is read again after
/// its request was posted opens nothing.
async fn keep_open(connection: &mut SqliteConnection, open: &[OpenRequest]) -> sqlx::Result<()> {
    let mut insert =
        QueryBuilder::<Sqlite>::new("WITH fresh (id, generation, line, start_only) AS (");
    insert.push_values(open, |mut row, each| {
        row.push_bind(each.id.clone())
            .push_bind(stored(each.generation))
            .push_bind(each.line.clone())
            .push_bind(each.start_only);
    });
    insert.push(
        ") INSERT INTO open_requests SELECT id, generation, line FROM fresh
         WHERE id NOT IN (SELECT usage.id FROM usage WHERE usage.id = fresh.id)
         AND NOT (start_only AND EXISTS (SELECT 1 FROM open_requests was WHERE was.id = fresh.id))
         ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, line = excluded.line",
    );
    insert.build().execute(connection).await?;
    Ok(())
}

async fn forget(connection: &mut SqliteConnection, ended: &[String]) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM open_requests WHERE id IN (SELECT value FROM json_each(?))")
        .bind(serde_json::Value::from(ended).to_string())
        .execute(connection)
        .await?;
    Ok(())
}

async fn add_counts(connection: &mut SqliteConnection, counts: &Counts) -> sqlx::Result<()> {
    let Ok(serde_json::Value::Object(named)) = serde_json::to_value(counts) else {
        return Ok(());
    };
    for (name, value) in named.iter().filter(|(_, value)| value.as_u64() != Some(0)) {
        sqlx::query(
            "INSERT INTO counts VALUES (?, ?)
             ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        )
        .bind(name)
        .bind(stored(value.as_u64().unwrap_or(0)))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
