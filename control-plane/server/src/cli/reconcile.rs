//! `tollgate reconcile`.

use super::client::Client;
use super::{say, say_json, table, when};
use crate::args::{Format, Reconcile};
use crate::error::Failure;
use admin::{Difference, PoolRow};

/// Prints how the ledger and the engines compare.
pub async fn run(wanted: &Reconcile) -> Result<(), Failure> {
    let query: Vec<(&'static str, &str)> = [
        ("since", wanted.since.as_deref()),
        ("until", wanted.until.as_deref()),
        ("pool", wanted.pool.as_deref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let rows: Vec<PoolRow> = Client::of(&wanted.target)?.get("reconcile", &query).await?;
    match wanted.format {
        Format::Json => say_json(&rows),
        Format::Table => say(&text(&rows)),
    }
}

/// The figures as a table, and under it why they may differ.
fn text(rows: &[PoolRow]) -> String {
    let mut parts = vec![as_table(rows)];
    for row in rows.iter().filter(|row| !row.explanations.is_empty()) {
        let reasons = row.explanations.iter().map(|why| format!("  - {}", table::plain(why)));
        parts.push(format!("{}:\n{}", row.pool, reasons.collect::<Vec<_>>().join("\n")));
    }
    parts.join("\n\n")
}

fn as_table(rows: &[PoolRow]) -> String {
    let numbers = ["REQUESTS", "LEDGER", "ENGINES", "DIFFERENCE", "PERCENT"];
    let columns =
        ["POOL", "FROM", "TO", "REQUESTS", "TOKENS", "LEDGER", "ENGINES", "DIFFERENCE", "PERCENT"];
    let mut table = table::new(&columns, &numbers);
    for row in rows {
        let (input, output) = (row.engines.map(|it| it.input), row.engines.map(|it| it.output));
        let both = [
            ("input", row.ledger.input, input, &row.input_difference),
            ("output", row.ledger.output, output, &row.output_difference),
        ];
        for (what, ledger, engines, difference) in both {
            let of = |figure: fn(&Difference) -> Option<String>| {
                table::or_nothing(difference.as_ref().and_then(figure))
            };
            table.add_row([
                row.pool.clone(),
                table::or_nothing(row.window.map(|window| when(window.0))),
                table::or_nothing(row.window.map(|window| when(window.1))),
                row.requests.to_string(),
                what.to_owned(),
                ledger.to_string(),
                table::or_nothing(engines),
                of(|difference| Some(difference.tokens.to_string())),
                of(|difference| difference.percent.clone()),
            ]);
        }
    }
    table::text(&table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use admin::Tokens;
    use contract::policy::Engine;

    #[test]
    fn figures_and_reasons() {
        let difference =
            |tokens, percent: &str| Some(Difference { tokens, percent: Some(percent.into()) });
        let row = PoolRow {
            pool: "a".into(),
            engine: Engine::Vllm,
            window: Some((1_795_252_163_120, 1_795_252_223_120)),
            requests: 2,
            ledger: Tokens { input: 100, output: 50 },
            engines: Some(Tokens { input: 100, output: 51 }),
            input_difference: difference(0, "0.00"),
            output_difference: difference(1, "2.00"),
            explanations: vec!["1 answers were cut".into()],
        };
        let unread = PoolRow {
            engines: None,
            window: None,
            input_difference: None,
            output_difference: None,
            explanations: Vec::new(),
            ..row.clone()
        };
        let text = text(&[row, unread]);
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[2][3..], ["2", "output", "50", "51", "1", "2.00"]);
        assert_eq!(lines[3], ["a", "-", "-", "2", "input", "100", "-", "-", "-"]);
        assert!(text.ends_with("\n\na:\n  - 1 answers were cut"), "{text}");
    }
}
