//! Records and sums out of SQLite.

use super::{loaded, push_times, push_words};
use crate::error::Error;
use crate::record::{GroupBy, UsageFilter, UsageRecord, UsageSum};
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqlitePool};

const CORRUPT: Error = Error::Corrupt { table: "usage" };

pub(super) async fn usage(
    reader: &SqlitePool,
    filter: &UsageFilter,
) -> Result<Vec<UsageRecord>, Error> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM usage");
    push_filter(&mut query, filter);
    query.push(" ORDER BY seq");
    let rows =
        query.build().fetch_all(reader).await.map_err(Error::database("reading usage records"))?;
    rows.iter().map(record_of).collect()
}

pub(super) async fn sums(
    reader: &SqlitePool,
    filter: &UsageFilter,
    by: GroupBy,
) -> Result<Vec<UsageSum>, Error> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
    query.push(group_expression(by)).push(
        " AS word, COUNT(*), SUM(input_tokens), SUM(cached_input_tokens), SUM(output_tokens),
         SUM(reasoning_tokens), SUM(cost_nanodollars) FROM usage",
    );
    push_filter(&mut query, filter);
    query.push(" GROUP BY word ORDER BY word");
    let rows =
        query.build().fetch_all(reader).await.map_err(Error::database("summing usage records"))?;
    rows.iter().map(|row| sum_of(row).map_err(|_| CORRUPT)).collect()
}

const fn group_expression(by: GroupBy) -> &'static str {
    match by {
        GroupBy::Tenant => "tenant",
        GroupBy::Key => r#""key""#,
        GroupBy::User => "user",
        GroupBy::Model => "model",
        GroupBy::Day => "strftime('%Y-%m-%d', at_ms / 1000, 'unixepoch')",
    }
}

fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &UsageFilter) {
    query.push(" WHERE 1");
    let words = [
        (" AND tenant = ", &filter.tenant),
        (r#" AND "key" = "#, &filter.key),
        (" AND user = ", &filter.user),
        (" AND model = ", &filter.model),
    ];
    push_words(query, &words);
    push_times(query, filter.since_ms, filter.until_ms);
}

fn sum_of(row: &SqliteRow) -> sqlx::Result<UsageSum> {
    Ok(UsageSum {
        group: row.try_get(0)?,
        requests: loaded(row.try_get(1)?),
        input_tokens: loaded(row.try_get(2)?),
        cached_input_tokens: loaded(row.try_get(3)?),
        output_tokens: loaded(row.try_get(4)?),
        reasoning_tokens: loaded(row.try_get(5)?),
        cost_nanodollars: row.try_get(6)?,
    })
}

fn record_of(row: &SqliteRow) -> Result<UsageRecord, Error> {
    Ok(UsageRecord {
        id: column(row, "id")?,
        client_request_id: column(row, "client_request_id")?,
        at_ms: number(row, "at_ms")?,
        tenant: column(row, "tenant")?,
        key: column(row, "key")?,
        user: column(row, "user")?,
        model: column(row, "model")?,
        pool: column(row, "pool")?,
        endpoint: column(row, "endpoint")?,
        path: column(row, "path")?,
        stream: column(row, "stream")?,
        status: column(row, "status")?,
        code: column(row, "code")?,
        input_tokens: number(row, "input_tokens")?,
        cached_input_tokens: number(row, "cached_input_tokens")?,
        output_tokens: number(row, "output_tokens")?,
        reasoning_tokens: number(row, "reasoning_tokens")?,
        source: meaning(row, "source")?,
        end: meaning(row, "end")?,
        cost_nanodollars: column(row, "cost_nanodollars")?,
        price_version: column(row, "price_version")?,
        first_token_ms: column::<Option<i64>>(row, "first_token_ms")?.map(loaded),
        duration_ms: number(row, "duration_ms")?,
        masked: serde_json::from_str(&column::<String>(row, "masked")?).map_err(|_| CORRUPT)?,
    })
}

/// The variant that a word stands for.
fn meaning<T: DeserializeOwned>(row: &SqliteRow, name: &str) -> Result<T, Error> {
    serde_json::from_value(column::<String>(row, name)?.into()).map_err(|_| CORRUPT)
}

fn number(row: &SqliteRow, name: &str) -> Result<u64, Error> {
    column(row, name).map(loaded)
}

fn column<'r, T>(row: &'r SqliteRow, name: &str) -> Result<T, Error>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(name).map_err(|_| CORRUPT)
}
