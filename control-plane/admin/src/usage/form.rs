//! What a report is written in.

use crate::csv_text::text;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// One array.
    Json,
    /// A value a line.
    Jsonl,
    /// Comma-separated, with a row of names.
    Csv,
    /// The charges of each day in the columns of FOCUS, as CSV.
    Focus,
}

/// Any error, on its way to the log.
pub type AnyError = Box<dyn std::error::Error + Send + Sync>;

impl Form {
    /// The first that `Accept` names.
    pub fn accepted(headers: &HeaderMap) -> Form {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let named = accept.split(',').find_map(|part| {
            match part.split(';').next().unwrap_or_default().trim() {
                "text/csv" => Some(Form::Csv),
                "application/x-ndjson" | "application/jsonl" => Some(Form::Jsonl),
                _ => None,
            }
        });
        named.unwrap_or(Form::Json)
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Form::Json => "application/json",
            Form::Jsonl => "application/x-ndjson",
            Form::Csv | Form::Focus => "text/csv; charset=utf-8",
        }
    }

    /// All rows at once, with these columns where there are some.
    pub fn text<T: Serialize>(self, columns: &[&str], rows: &[T]) -> Result<Vec<u8>, AnyError> {
        match self {
            Form::Json => Ok(serde_json::to_vec(rows)?),
            Form::Jsonl => Ok(lines(rows)?),
            Form::Csv | Form::Focus => csv_rows(columns, true, rows),
        }
    }
}

/// A value a line.
pub fn lines<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, row)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// The values of an array and the commas between them, without its brackets.
pub fn elements<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            text.extend(b",\n");
        }
        serde_json::to_writer(&mut text, row)?;
    }
    Ok(text)
}

/// Rows with these columns; the names first, where `names` says so.
pub fn csv_rows<T: Serialize>(
    columns: &[&str],
    names: bool,
    rows: &[T],
) -> Result<Vec<u8>, AnyError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if names {
        writer.write_record(columns)?;
    }
    for row in rows {
        let row = serde_json::to_value(row)?;
        writer.write_record(columns.iter().map(|column| cell(row.get(column))))?;
    }
    Ok(writer.into_inner()?)
}

/// What has no value is an empty cell; a map is its JSON.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(word)) => text(word),
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
        let columns = ["a", "b", "c", "d", "e"];
        let row = "1,\"x,\"\"y\"\"\",,\"{\"\"EMAIL\"\":2}\",\n";
        for (names, expected) in [(true, format!("a,b,c,d,e\n{row}")), (false, row.to_owned())] {
            let text = csv_rows(&columns, names, &rows).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }

    #[test]
    fn a_cell_is_no_formula() {
        assert_eq!(cell(Some(&json!("=1+1"))), "'=1+1");
        assert_eq!(cell(Some(&json!(-1))), "-1");
    }

    #[test]
    fn arrays_and_lines() {
        assert_eq!(elements(&[1, 2]).unwrap(), b"1,\n2");
        assert_eq!(elements::<u8>(&[]).unwrap(), b"");
        assert_eq!(lines(&[1, 2]).unwrap(), b"1\n2\n");
    }

    #[test]
    fn the_form_that_accept_asks_for() {
        let table = [
            ("text/csv", Form::Csv),
            ("application/json, text/csv;q=0.9", Form::Csv),
            ("application/x-ndjson", Form::Jsonl),
            ("*/*", Form::Json),
            ("application/json", Form::Json),
        ];
        for (accept, form) in table {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            assert_eq!(Form::accepted(&headers), form, "{accept}");
        }
        assert_eq!(Form::accepted(&HeaderMap::new()), Form::Json);
    }
}
