//! `tollgate usage`.

use super::client::{Client, Parts, Query};
use super::{pass_on, say, table};
use crate::args::{By, ReportFormat, Usage};
use crate::error::Failure;
use ledger::{UsageRecord, UsageSum};
use serde::Serialize;

/// Rows of a table whose columns are aligned together: a table of all records would have to
/// be in memory as a whole.
const ALIGNED_ROWS: usize = 1_000;

/// Columns of the records for people.
const COLUMNS: [&str; 14] = [
    "AT", "ID", "TENANT", "KEY", "USER", "MODEL", "POOL", "STATUS", "INPUT", "CACHED", "OUTPUT",
    "DOLLARS", "END", "MS",
];

/// Prints records or sums, as they come.
pub async fn run(wanted: &Usage) -> Result<(), Failure> {
    let client = Client::of(&wanted.target)?;
    let by = wanted.by.map(By::as_str);
    let mut query: Vec<(&'static str, &str)> =
        [("by", by), ("since", wanted.since.as_deref()), ("until", wanted.until.as_deref())]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
    query.extend(wanted.of.query());
    match (wanted.format, by) {
        (ReportFormat::Table, Some(by)) => {
            let sums: Vec<UsageSum> = client.get("usage", &query).await?;
            say(&sums_table(by, &sums))
        }
        (ReportFormat::Table, None) => {
            records(client.get_parts("usage", &query, "application/x-ndjson").await?).await
        }
        (format, _) => as_it_comes(&client, query, format).await,
    }
}

async fn as_it_comes(
    client: &Client,
    mut query: Vec<(&'static str, &str)>,
    format: ReportFormat,
) -> Result<(), Failure> {
    let media_type = match format {
        ReportFormat::Jsonl => "application/x-ndjson",
        ReportFormat::Csv => "text/csv",
        _ => "application/json",
    };
    if format == ReportFormat::Focus {
        query.push(("format", "focus"));
    }
    let query: &Query<'_> = &query;
    let mut parts = client.get_parts("usage", query, media_type).await?;
    let mut last = b'\n';
    while let Some(part) = parts.next().await? {
        last = part.last().copied().unwrap_or(last);
        if !pass_on(&part)? {
            return Ok(());
        }
    }
    if last != b'\n' {
        pass_on(b"\n")?;
    }
    Ok(())
}

/// Tables of [`ALIGNED_ROWS`] rows, one under the other.
async fn records(mut parts: Parts) -> Result<(), Failure> {
    let (mut lines, mut rows, mut header) = (Lines::default(), Vec::new(), true);
    while let Some(part) = parts.next().await? {
        rows.extend(lines.take(&part)?);
        while rows.len() >= ALIGNED_ROWS {
            let rest = rows.split_off(ALIGNED_ROWS);
            if !pass_on(records_table(&rows, header).as_bytes())? {
                return Ok(());
            }
            (rows, header) = (rest, false);
        }
    }
    if header || !rows.is_empty() {
        pass_on(records_table(&rows, header).as_bytes())?;
    }
    Ok(())
}

/// Records a line, from parts that end anywhere.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn take(&mut self, part: &[u8]) -> Result<Vec<UsageRecord>, Failure> {
        self.0.extend(part);
        let whole = self.0.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let rest = self.0.split_off(whole);
        let lines = std::mem::replace(&mut self.0, rest);
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).map_err(Failure::internal)).collect()
    }
}

fn records_table(records: &[UsageRecord], header: bool) -> String {
    let numbers = ["STATUS", "INPUT", "CACHED", "OUTPUT", "DOLLARS", "MS"];
    let mut table = table::new(&COLUMNS, &numbers);
    for record in records {
        table.add_row([
            at(record.at_ms),
            record.id.clone(),
            record.tenant.clone(),
            record.key.clone(),
            table::or_nothing(record.user.as_ref()),
            table::or_nothing(record.model.as_ref()),
            table::or_nothing(record.pool.as_ref()),
            record.status.to_string(),
            record.input_tokens.to_string(),
            record.cached_input_tokens.to_string(),
            record.output_tokens.to_string(),
            admin::dollars(record.cost_nanodollars),
            word(&record.end),
            record.duration_ms.to_string(),
        ]);
    }
    let text = table::text(&table);
    let rows = if header { text.as_str() } else { text.split_once('\n').unwrap_or_default().1 };
    format!("{rows}\n")
}

fn sums_table(by: &str, sums: &[UsageSum]) -> String {
    let by = by.to_uppercase();
    let numbers = ["REQUESTS", "INPUT", "CACHED", "OUTPUT", "REASONING", "DOLLARS", "CORRECTED"];
    let mut columns = vec![by.as_str()];
    columns.extend(numbers);
    let mut table = table::new(&columns, &numbers);
    for sum in sums {
        table.add_row([
            table::or_nothing(sum.group.as_ref()),
            sum.requests.to_string(),
            sum.input_tokens.to_string(),
            sum.cached_input_tokens.to_string(),
            sum.output_tokens.to_string(),
            sum.reasoning_tokens.to_string(),
            admin::dollars(sum.cost_nanodollars),
            corrected(sum.corrected_nanodollars),
        ]);
    }
    table::text(&table)
}

fn corrected(nanodollars: i64) -> String {
    table::or_nothing(Some(nanodollars).filter(|it| *it != 0).map(admin::dollars))
}

fn at(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    table::or_nothing(at.map(|at| format!("{at:.3}")))
}

/// The word that a value is written as in JSON.
fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).ok();
    table::or_nothing(json.as_ref().and_then(|json| json.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(id: &str) -> serde_json::Value {
        json!({
            "id": id, "client_request_id": null, "at": "2026-11-21T09:09:23.120Z",
            "tenant": "acme", "key": "k1", "user": null, "model": "llama", "pool": "p",
            "endpoint": null, "path": null, "stream": true, "status": 200, "code": null,
            "input_tokens": 16, "cached_input_tokens": 4, "output_tokens": 14,
            "reasoning_tokens": 2, "source": "engine", "end": "complete",
            "cost_nanodollars": 34_800, "price_version": null, "first_token_ms": null,
            "duration_ms": 90, "masked": {},
        })
    }

    #[test]
    fn sums_have_the_name_of_what_they_are_by() {
        let sums = [
            UsageSum {
                group: Some("acme".into()),
                requests: 2,
                input_tokens: 16,
                output_tokens: 14,
                cost_nanodollars: 34_800,
                corrected_nanodollars: -800,
                ..UsageSum::default()
            },
            UsageSum { requests: 1, ..UsageSum::default() },
        ];
        let text = sums_table("tenant", &sums);
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0][..2], ["TENANT", "REQUESTS"]);
        assert_eq!(lines[1], ["acme", "2", "16", "0", "14", "0", "0.000034800", "-0.000000800"]);
        assert_eq!((lines[2][0], lines[2][7]), ("-", "-"));
    }

    #[test]
    fn records_come_in_parts_that_end_anywhere() {
        let text = format!("{}\n{}\n", record("r1"), record("größe"));
        for at in 0..text.len() {
            let (one, two) = text.as_bytes().split_at(at);
            let mut lines = Lines::default();
            let mut records = lines.take(one).unwrap();
            records.extend(lines.take(two).unwrap());
            let ids: Vec<_> = records.iter().map(|record| record.id.as_str()).collect();
            assert_eq!(ids, ["r1", "größe"], "{at}");
        }
        assert!(Lines::default().take(b"{\n").is_err());
    }

    #[test]
    fn only_the_first_table_has_a_header() {
        let mut lines = Lines::default();
        let records = lines.take(format!("{}\n", record("r1")).as_bytes()).unwrap();
        let (with, without) = (records_table(&records, true), records_table(&records, false));
        assert!(with.starts_with("AT "));
        assert!(without.starts_with("2026-11-21T09:09:23.120Z"));
        assert!(with.ends_with(&without));
        assert_eq!(records_table(&[], true).lines().count(), 1);
    }

    #[test]
    fn words_are_those_of_the_records() {
        assert_eq!(word(&contract::usage::End::GatewayLost), "gateway_lost");
        assert_eq!(at(1_795_252_163_120), "2026-11-21T09:09:23.120Z");
    }
}
