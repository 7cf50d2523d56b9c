//! `GET /api/v1/usage`: every record, or sums.

use crate::api::{Admin, CLOCK};
use crate::problem::Problem;
use crate::when;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use ledger::{GroupBy, UsageFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Columns of the records' CSV, in the order of the contract.
const RECORD_COLUMNS: &[&str] = &[
    "id",
    "client_request_id",
    "at",
    "tenant",
    "key",
    "user",
    "model",
    "pool",
    "endpoint",
    "path",
    "stream",
    "status",
    "code",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "source",
    "end",
    "cost_nanodollars",
    "price_version",
    "first_token_ms",
    "duration_ms",
    "masked",
];

/// Columns of the sums' CSV.
const SUM_COLUMNS: &[&str] = &[
    "group",
    "requests",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_nanodollars",
];

/// The query: filters, and what to add up by.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportQuery {
    tenant: Option<String>,
    key: Option<String>,
    user: Option<String>,
    model: Option<String>,
    since: Option<String>,
    until: Option<String>,
    by: Option<GroupBy>,
}

/// `GET usage`; CSV where `Accept` asks for `text/csv`.
pub async fn report(
    State(admin): State<Admin>,
    headers: HeaderMap,
    query: Result<Query<ReportQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let csv = wants_csv(&headers);
    match query.by {
        Some(by) => {
            let filter = filter(query)?;
            answer(&admin.ledger.usage_sums(&filter, by).await?, SUM_COLUMNS, csv)
        }
        None => answer(&admin.ledger.usage(&filter(query)?).await?, RECORD_COLUMNS, csv),
    }
}

fn filter(query: ReportQuery) -> Result<UsageFilter, Problem> {
    let now_ms = CLOCK.now_ms();
    let moment = |field: &str, text: Option<String>| {
        text.map(|text| when::moment_ms(&text, now_ms))
            .transpose()
            .map_err(|why| Problem::invalid(format!("{field}: {why}.")))
    };
    Ok(UsageFilter {
        since_ms: moment("since", query.since)?,
        until_ms: moment("until", query.until)?,
        tenant: query.tenant,
        key: query.key,
        user: query.user,
        model: query.model,
    })
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|part| part.split(';').next().is_some_and(|t| t.trim() == "text/csv"))
}

fn answer<T: Serialize>(rows: &[T], columns: &[&str], csv: bool) -> Result<Response, Problem> {
    if !csv {
        return Ok(Json(rows).into_response());
    }
    let text = to_csv(rows, columns).map_err(|error| Problem::internal(error.as_ref()))?;
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response())
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn to_csv<T: Serialize>(rows: &[T], columns: &[&str]) -> Result<Vec<u8>, AnyError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns)?;
    for row in rows {
        let row = serde_json::to_value(row)?;
        writer.write_record(columns.iter().map(|column| cell(row.get(column))))?;
    }
    Ok(writer.into_inner()?)
}

/// What has no value is an empty cell; a map is its JSON. A text that a spreadsheet
/// would take for a formula gets an apostrophe first: some are chosen by clients.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.starts_with(['=', '+', '-', '@']) => format!("'{text}"),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(map)) if map.is_empty() => String::new(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn csv_has_the_columns_in_order_and_quotes() {
        let rows = [json!({"b": "x,\"y\"", "a": 1, "c": null, "d": {"EMAIL": 2}, "e": {}})];
        let text = String::from_utf8(to_csv(&rows, &["a", "b", "c", "d", "e"]).unwrap()).unwrap();
        assert_eq!(text, "a,b,c,d,e\n1,\"x,\"\"y\"\"\",,\"{\"\"EMAIL\"\":2}\",\n");
    }

    #[test]
    fn a_cell_is_no_formula() {
        for text in ["=1+1", "+1", "-1", "@a"] {
            assert_eq!(cell(Some(&json!(text))), format!("'{text}"));
        }
        assert_eq!(cell(Some(&json!(-1))), "-1");
    }

    #[test]
    fn csv_where_accept_asks_for_it() {
        let table = [
            ("text/csv", true),
            ("application/json, text/csv;q=0.9", true),
            ("*/*", false),
            ("application/json", false),
        ];
        for (accept, csv) in table {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            assert_eq!(wants_csv(&headers), csv, "{accept}");
        }
    }
}
