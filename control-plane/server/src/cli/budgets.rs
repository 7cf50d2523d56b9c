//! `tollgate budgets`.

use super::client::Client;
use super::{pass_on, say, say_json, table};
use crate::args::{Budgets, BudgetsFormat};
use crate::error::Failure;
use admin::BudgetRow;

/// Prints how each budget stands.
pub async fn run(wanted: &Budgets) -> Result<(), Failure> {
    let client = Client::of(&wanted.target)?;
    let query: Vec<(&'static str, &str)> =
        wanted.tenant.iter().map(|tenant| ("tenant", tenant.as_str())).collect();
    if wanted.format == BudgetsFormat::Csv {
        let mut parts = client.get_parts("budgets", &query, "text/csv").await?;
        while let Some(part) = parts.next().await? {
            if !pass_on(&part)? {
                break;
            }
        }
        return Ok(());
    }
    let rows: Vec<BudgetRow> = client.get("budgets", &query).await?;
    if wanted.format == BudgetsFormat::Json { say_json(&rows) } else { say(&as_table(&rows)) }
}

fn as_table(rows: &[BudgetRow]) -> String {
    let numbers = ["LIMIT", "SPENT", "HELD", "LEFT"];
    let columns = ["ACCOUNT", "PER", "PERIOD", "LIMIT", "SPENT", "HELD", "LEFT", "ENDS"];
    let mut table = table::new(&columns, &numbers);
    for row in rows {
        table.add_row([
            table::plain(&row.account),
            row.per.as_str().to_owned(),
            row.period.clone(),
            table::dollars_of(row.limit_nanodollars),
            admin::dollars(row.spent_nanodollars),
            table::dollars_of(row.held_nanodollars),
            table::dollars_of(row.left_nanodollars),
            table::or_nothing(row.ends_at.as_ref()),
        ]);
    }
    table::text(&table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_for_people() {
        let row = BudgetRow {
            account: "tenant/acme".into(),
            per: ledger::Per::Month,
            period: "2026-11".into(),
            limit_nanodollars: 250_000_000_000,
            spent_nanodollars: 1,
            held_nanodollars: 2_000_000_000,
            left_nanodollars: 247_999_999_999,
            starts_at: Some("2026-11-01T00:00:00Z".into()),
            ends_at: Some("2026-12-01T00:00:00Z".into()),
        };
        let text = as_table(&[row]);
        let words: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        let money = ["250.000000000", "0.000000001", "2.000000000", "247.999999999"];
        assert_eq!(words[..3], ["tenant/acme", "month", "2026-11"]);
        assert_eq!((&words[3..7], words[7]), (&money[..], "2026-12-01T00:00:00Z"));
    }
}
