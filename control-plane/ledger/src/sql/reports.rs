//! Records and sums out of a database.

use super::dialect::{DAY, Db, Pool, Row};
use super::records::{number, record_of};
use super::words::{loaded, push_times, push_words, stored};
use crate::error::Error;
use crate::record::{GroupBy, UsageFilter, UsageRecord, UsageSum};
use sqlx::{QueryBuilder, Row as _};

/// Columns that are summed, in the order of [`sum_of`].
const SUMMED: [&str; 10] = [
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_nanodollars",
    "COALESCE(made.corrected, 0)",
    "images",
    "pages",
    "audio_ms",
    "gpu_ms",
];

pub(super) async fn usage(reader: &Pool, filter: &UsageFilter) -> Result<Vec<UsageRecord>, Error> {
    let mut query = QueryBuilder::<Db>::new("SELECT usage.* FROM usage");
    push_filter(&mut query, filter);
    query.push(" ORDER BY seq");
    let rows =
        query.build().fetch_all(reader).await.map_err(Error::database("reading usage records"))?;
    rows.iter().map(record_of).collect()
}

pub(super) async fn page(
    reader: &Pool,
    filter: &UsageFilter,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, UsageRecord)>, Error> {
    let mut query = QueryBuilder::<Db>::new("SELECT usage.* FROM usage");
    push_filter(&mut query, filter);
    query.push(" AND usage.seq > ").push_bind(stored(after));
    query.push(" ORDER BY usage.seq LIMIT ").push_bind(i64::from(limit));
    let rows =
        query.build().fetch_all(reader).await.map_err(Error::database("reading usage records"))?;
    rows.iter().map(|row| Ok((number(row, "seq")?, record_of(row)?))).collect()
}

pub(super) async fn sums(
    reader: &Pool,
    filter: &UsageFilter,
    by: GroupBy,
) -> Result<Vec<UsageSum>, Error> {
    let mut query = QueryBuilder::<Db>::new("SELECT ");
    query.push(group_expression(by)).push(" AS word, COUNT(*)");
    for column in SUMMED {
        query.push(format!(", CAST(SUM({column}) AS BIGINT)"));
    }
    query.push(
        " FROM usage LEFT JOIN (SELECT record, SUM(nanodollars) AS corrected FROM postings
         WHERE kind = 'correction' GROUP BY record) made ON made.record = usage.seq",
    );
    push_filter(&mut query, filter);
    query.push(" GROUP BY word ORDER BY word NULLS FIRST");
    let doing = "summing usage records";
    let rows = query.build().fetch_all(reader).await.map_err(Error::database(doing))?;
    rows.iter().map(sum_of).collect::<sqlx::Result<_>>().map_err(Error::database(doing))
}

const fn group_expression(by: GroupBy) -> &'static str {
    match by {
        GroupBy::Organisation => "organisation",
        GroupBy::Tenant => "tenant",
        GroupBy::Key => r#""key""#,
        GroupBy::User => r#""user""#,
        GroupBy::Model => "model",
        GroupBy::Pool => "pool",
        GroupBy::Day => DAY,
    }
}

/// Appends the conditions of a filter on the table `usage`.
pub(super) fn push_filter(query: &mut QueryBuilder<Db>, filter: &UsageFilter) {
    query.push(" WHERE TRUE");
    let words = [
        (" AND organisation = ", &filter.organisation),
        (" AND tenant = ", &filter.tenant),
        (r#" AND "key" = "#, &filter.key),
        (r#" AND "user" = "#, &filter.user),
        (" AND model = ", &filter.model),
        (" AND pool = ", &filter.pool),
    ];
    push_words(query, &words);
    push_times(query, "usage.at_ms", filter.since_ms, filter.until_ms);
}

fn sum_of(row: &Row) -> sqlx::Result<UsageSum> {
    let number = |nth: usize| row.try_get(nth).map(loaded);
    Ok(UsageSum {
        group: row.try_get(0)?,
        requests: number(1)?,
        input_tokens: number(2)?,
        cached_input_tokens: number(3)?,
        output_tokens: number(4)?,
        reasoning_tokens: number(5)?,
        cost_nanodollars: row.try_get(6)?,
        corrected_nanodollars: row.try_get(7)?,
        images: number(8)?,
        pages: number(9)?,
        audio_ms: number(10)?,
        gpu_ms: number(11)?,
    })
}
