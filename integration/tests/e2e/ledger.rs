//! What clients saw, held against what the ledger says.

use integration::{Outcome, Result, Tollgate};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

/// How long a record may take to appear.
pub const RECORD_TIMEOUT: Duration = Duration::from_secs(15);

/// The record of a request, once it is there.
pub async fn record(gate: &Tollgate, id: &str) -> Result<Value> {
    let has = |rows: &[Value]| rows.iter().any(|row| row["id"] == id);
    let rows = gate.usage_when(has, RECORD_TIMEOUT).await?;
    Ok(rows.into_iter().find(|row| row["id"] == id).unwrap_or_default())
}

/// Asserts that every answer that a client had whole is in the ledger exactly
/// once and to the token; returns all records by id.
pub async fn assert_whole_answers_are_billed(
    gate: &Tollgate,
    outcomes: &[Outcome],
) -> Result<HashMap<String, Value>> {
    let whole: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.complete).collect();
    let wanted = whole.len();
    let rows = gate.usage_when(|rows| complete(rows) >= wanted, RECORD_TIMEOUT).await?;
    let mut by_id = HashMap::new();
    for row in rows {
        let id = row["id"].as_str().unwrap_or_default().to_owned();
        assert!(by_id.insert(id.clone(), row).is_none(), "{id} is in the ledger twice");
    }
    for outcome in whole {
        let id = outcome.id.as_deref().expect("an answer has an id");
        let row = by_id.get(id).unwrap_or_else(|| panic!("{id} was answered and is not billed"));
        assert_eq!(row["end"], "complete", "{row}");
        assert_eq!(row["source"], "engine", "{row}");
        assert_eq!(row["input_tokens"].as_u64(), outcome.input_tokens, "{row}");
        assert_eq!(row["output_tokens"].as_u64(), outcome.output_tokens, "{row}");
    }
    Ok(by_id)
}

fn complete(rows: &[Value]) -> usize {
    rows.iter().filter(|row| row["end"] == "complete").count()
}
