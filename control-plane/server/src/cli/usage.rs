//! `tollgate usage`.

use super::client::{Client, Query};
use super::{say, say_json, table};
use crate::args::{By, ReportFormat, Usage};
use crate::error::Failure;
use ledger::{UsageRecord, UsageSum};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Prints records or sums.
pub async fn run(wanted: &Usage) -> Result<(), Failure> {
    let client = Client::of(&wanted.target)?;
    let by = wanted.by.map(By::as_str);
    let query: Vec<(&'static str, &str)> =
        [("by", by), ("since", wanted.since.as_deref()), ("until", wanted.until.as_deref())]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
    if wanted.format == ReportFormat::Csv {
        return say(&client.get_csv("usage", &query).await?);
    }
    match by {
        Some(by) => show(&client, &query, wanted.format, |sums| sums_table(by, sums)).await,
        None => show(&client, &query, wanted.format, records_table).await,
    }
}

async fn show<T: Serialize + DeserializeOwned>(
    client: &Client,
    query: &Query<'_>,
    format: ReportFormat,
    as_table: impl Fn(&[T]) -> String,
) -> Result<(), Failure> {
    let rows: Vec<T> = client.get("usage", query).await?;
    if format == ReportFormat::Json { say_json(&rows) } else { say(&as_table(&rows)) }
}

fn records_table(records: &[UsageRecord]) -> String {
    let columns = [
        "AT", "ID", "TENANT", "KEY", "USER", "MODEL", "POOL", "STATUS", "INPUT", "CACHED",
        "OUTPUT", "DOLLARS", "END", "MS",
    ];
    let numbers = ["STATUS", "INPUT", "CACHED", "OUTPUT", "DOLLARS", "MS"];
    let mut table = table::new(&columns, &numbers);
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
            table::dollars(record.cost_nanodollars),
            word(&record.end),
            record.duration_ms.to_string(),
        ]);
    }
    table::text(&table)
}

fn sums_table(by: &str, sums: &[UsageSum]) -> String {
    let by = by.to_uppercase();
    let numbers = ["REQUESTS", "INPUT", "CACHED", "OUTPUT", "REASONING", "DOLLARS"];
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
            table::dollars(sum.cost_nanodollars),
        ]);
    }
    table::text(&table)
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

    #[test]
    fn sums_have_the_name_of_what_they_are_by() {
        let sums = [
            UsageSum {
                group: Some("acme".into()),
                requests: 2,
                input_tokens: 16,
                output_tokens: 14,
                cost_nanodollars: 34_800,
                ..UsageSum::default()
            },
            UsageSum { requests: 1, ..UsageSum::default() },
        ];
        let text = sums_table("tenant", &sums);
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0][..2], ["TENANT", "REQUESTS"]);
        assert_eq!(lines[1], ["acme", "2", "16", "0", "14", "0", "0.000034800"]);
        assert_eq!(lines[2][0], "-");
    }

    #[test]
    fn words_are_those_of_the_records() {
        assert_eq!(word(&contract::usage::End::GatewayLost), "gateway_lost");
        assert_eq!(at(1_795_252_163_120), "2026-11-21T09:09:23.120Z");
    }
}
