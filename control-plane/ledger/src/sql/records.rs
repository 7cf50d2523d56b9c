//! Usage records in a database.

use super::dialect::{Connection, Db, Row, push_in};
use super::heads::{RECORDS, head, set_head};
use super::words::{loaded, numbers_of, numbers_text, stored};
use crate::audit::Head;
use crate::chain::record_hash;
use crate::error::Error;
use crate::record::UsageRecord;
use serde::de::DeserializeOwned;
use sqlx::{QueryBuilder, Row as _};
use std::collections::{BTreeMap, HashMap};

/// Rows of one INSERT: 64 records are 2,176 values, and SQLite takes 32,766
/// (SQLite, "Implementation limits", variable number). Full ones share one
/// prepared statement.
const ROWS_PER_INSERT: usize = 64;

const CORRUPT: Error = Error::Corrupt { table: "usage" };

/// A record and the periods that are kept with it.
type Kept<'a> = (&'a UsageRecord, Option<String>);

/// The records whose ids are posted already, and whether as lost with their gateway.
pub(super) async fn known(
    connection: &mut Connection,
    records: &[UsageRecord],
) -> sqlx::Result<HashMap<String, bool>> {
    if records.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<_> = records.iter().map(|record| record.id.clone()).collect();
    let mut query = QueryBuilder::<Db>::new(
        r#"SELECT id, CASE WHEN "end" = 'gateway_lost' THEN 1 ELSE 0 END FROM usage WHERE id"#,
    );
    push_in(&mut query, &ids);
    let rows: Vec<(String, i32)> = query.build_query_as().fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, lost)| (id, lost == 1)).collect())
}

/// Writes records that are not posted yet; returns the number of the first. The numbers of
/// the others follow without gaps.
pub(super) async fn insert(connection: &mut Connection, rows: &[Kept<'_>]) -> sqlx::Result<u64> {
    let mut end = head(connection, RECORDS).await?;
    let first = end.seq.saturating_add(1);
    for some in rows.chunks(ROWS_PER_INSERT) {
        end = insert_some(connection, end, some).await?;
    }
    set_head(connection, RECORDS, end).await?;
    Ok(first)
}

async fn insert_some(
    connection: &mut Connection,
    mut end: Head,
    rows: &[Kept<'_>],
) -> sqlx::Result<Head> {
    let sealed = rows.iter().map(|(record, periods)| {
        let seq = end.seq.saturating_add(1);
        end = Head { seq, hash: record_hash(&end.hash, seq, record, periods.as_deref()) };
        (*record, periods, end)
    });
    let mut insert = QueryBuilder::<Db>::new(
        r#"INSERT INTO usage (seq, id, client_request_id, at_ms, tenant, "key", "user", model,
           pool, endpoint, path, stream, status, code, input_tokens, cached_input_tokens,
           output_tokens, reasoning_tokens, source, "end", cost_nanodollars, price_version,
           first_token_ms, duration_ms, masked, organisation, attempts, images, pages, audio_ms,
           gpu_ms, leases, periods, hash) "#,
    );
    insert.push_values(sealed, |mut row, (record, periods, head)| {
        row.push_bind(stored(head.seq));
        bind(&mut row, record);
        row.push_bind(periods.clone()).push_bind(head.hash.to_vec());
    });
    insert.build().execute(connection).await?;
    Ok(end)
}

fn bind(row: &mut sqlx::query_builder::Separated<'_, Db, &'static str>, record: &UsageRecord) {
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
        .push_bind(i64::from(record.status))
        .push_bind(record.code.clone())
        .push_bind(stored(record.input_tokens))
        .push_bind(stored(record.cached_input_tokens))
        .push_bind(stored(record.output_tokens))
        .push_bind(stored(record.reasoning_tokens))
        .push_bind(record.source_word())
        .push_bind(record.end_word())
        .push_bind(record.cost_nanodollars)
        .push_bind(record.price_version.clone())
        .push_bind(record.first_token_ms.map(stored))
        .push_bind(stored(record.duration_ms))
        .push_bind(masked_text(&record.masked))
        .push_bind(record.organisation.clone())
        .push_bind(stored(record.attempts))
        .push_bind(stored(record.images))
        .push_bind(stored(record.pages))
        .push_bind(stored(record.audio_ms))
        .push_bind(stored(record.gpu_ms))
        .push_bind(Some(numbers_text(&record.leases)).filter(|text| !text.is_empty()));
}

fn masked_text(masked: &BTreeMap<String, u64>) -> String {
    let map: serde_json::Map<_, _> =
        masked.iter().map(|(word, count)| (word.clone(), (*count).into())).collect();
    serde_json::Value::Object(map).to_string()
}

/// The record of a row of the table.
pub(super) fn record_of(row: &Row) -> Result<UsageRecord, Error> {
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
        status: u16::try_from(column::<i64>(row, "status")?).map_err(|_| CORRUPT)?,
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
        organisation: column(row, "organisation")?,
        attempts: number(row, "attempts")?,
        images: number(row, "images")?,
        pages: number(row, "pages")?,
        audio_ms: number(row, "audio_ms")?,
        gpu_ms: number(row, "gpu_ms")?,
        leases: numbers_of(&column::<Option<String>>(row, "leases")?.unwrap_or_default()),
    })
}

/// The variant that a word stands for.
fn meaning<T: DeserializeOwned>(row: &Row, name: &str) -> Result<T, Error> {
    serde_json::from_value(column::<String>(row, name)?.into()).map_err(|_| CORRUPT)
}

pub(super) fn number(row: &Row, name: &str) -> Result<u64, Error> {
    column(row, name).map(loaded)
}

pub(super) fn column<'r, T>(row: &'r Row, name: &str) -> Result<T, Error>
where
    T: sqlx::Decode<'r, Db> + sqlx::Type<Db>,
{
    row.try_get(name).map_err(|_| CORRUPT)
}
