//! Which gateways were heard of, and what engines have counted, in a database.

use super::dialect::{Db, Pool, Row, begin};
use super::words::{loaded, stored};
use crate::counters::EngineCounters;
use crate::error::Error;
use sqlx::{QueryBuilder, Row as _};

/// Rows of one INSERT.
const ROWS_PER_INSERT: usize = 100;

/// How long a gateway is remembered that is not heard of.
const FORGOTTEN_MS: u64 = 24 * 60 * 60 * 1_000;

/// How long counters are kept: two months and what it takes to look at the last.
const COUNTERS_MS: u64 = 100 * 24 * 60 * 60 * 1_000;

pub(super) async fn seen(writer: &Pool, process: &str, now_ms: u64) -> Result<(), Error> {
    let doing = "noting a gateway";
    let mut transaction = begin(writer, doing).await?;
    sqlx::query(
        "INSERT INTO gateways (process, seen_ms) VALUES ($1, $2)
         ON CONFLICT (process) DO UPDATE SET seen_ms = excluded.seen_ms",
    )
    .bind(process)
    .bind(stored(now_ms))
    .execute(&mut *transaction)
    .await
    .map_err(Error::database(doing))?;
    sqlx::query("DELETE FROM gateways WHERE seen_ms < $1")
        .bind(stored(now_ms.saturating_sub(FORGOTTEN_MS)))
        .execute(&mut *transaction)
        .await
        .map_err(Error::database(doing))?;
    transaction.commit().await.map_err(Error::database(doing))
}

pub(super) async fn count(reader: &Pool, since_ms: u64) -> Result<u64, Error> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM gateways WHERE seen_ms >= $1")
        .bind(stored(since_ms))
        .fetch_one(reader)
        .await
        .map_err(Error::database("counting the gateways"))?;
    Ok(loaded(count))
}

pub(super) async fn note_counters(writer: &Pool, counters: &[EngineCounters]) -> Result<(), Error> {
    let doing = "keeping the engines' counters";
    let mut transaction = begin(writer, doing).await?;
    for some in counters.chunks(ROWS_PER_INSERT) {
        let mut insert = QueryBuilder::<Db>::new(
            "INSERT INTO engine_counters (at_ms, pool, endpoint, engine, input_tokens,
             cached_input_tokens, output_tokens) ",
        );
        insert.push_values(some, |mut row, each| {
            row.push_bind(stored(each.at_ms))
                .push_bind(each.pool.clone())
                .push_bind(each.endpoint.clone())
                .push_bind(each.engine.clone())
                .push_bind(stored(each.input_tokens))
                .push_bind(each.cached_input_tokens.map(stored))
                .push_bind(stored(each.output_tokens));
        });
        insert.push(" ON CONFLICT DO NOTHING");
        insert.build().execute(&mut *transaction).await.map_err(Error::database(doing))?;
    }
    if let Some(now_ms) = counters.iter().map(|each| each.at_ms).max() {
        sqlx::query("DELETE FROM engine_counters WHERE at_ms < $1")
            .bind(stored(now_ms.saturating_sub(COUNTERS_MS)))
            .execute(&mut *transaction)
            .await
            .map_err(Error::database(doing))?;
    }
    transaction.commit().await.map_err(Error::database(doing))
}

pub(super) async fn counters(
    reader: &Pool,
    since_ms: u64,
    until_ms: u64,
) -> Result<Vec<EngineCounters>, Error> {
    let doing = "reading the engines' counters";
    let rows = sqlx::query(
        "SELECT * FROM engine_counters WHERE at_ms >= $1 AND at_ms < $2
         ORDER BY at_ms, pool, endpoint",
    )
    .bind(stored(since_ms))
    .bind(stored(until_ms))
    .fetch_all(reader)
    .await
    .map_err(Error::database(doing))?;
    rows.iter().map(counters_of).collect::<sqlx::Result<_>>().map_err(Error::database(doing))
}

fn counters_of(row: &Row) -> sqlx::Result<EngineCounters> {
    Ok(EngineCounters {
        at_ms: loaded(row.try_get("at_ms")?),
        pool: row.try_get("pool")?,
        endpoint: row.try_get("endpoint")?,
        engine: row.try_get("engine")?,
        input_tokens: loaded(row.try_get("input_tokens")?),
        cached_input_tokens: row.try_get::<Option<i64>, _>("cached_input_tokens")?.map(loaded),
        output_tokens: loaded(row.try_get("output_tokens")?),
    })
}
