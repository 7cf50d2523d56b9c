//! What clients saw, held against what the ledger says.

use integration::{Outcome, Result, Tollgate};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
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
    // Requests that nobody counts may be billed before the last of these is.
    let all = |rows: &[Value]| {
        let ids: HashSet<_> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
        whole.iter().all(|outcome| outcome.id.as_deref().is_some_and(|id| ids.contains(id)))
    };
    // Which one is missing is said below.
    let rows = match gate.usage_when(all, RECORD_TIMEOUT).await {
        Ok(rows) => rows,
        Err(_) => gate.usage().await?,
    };
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
