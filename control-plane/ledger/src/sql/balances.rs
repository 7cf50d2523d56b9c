//! What accounts came to, in a database.

use super::dialect::{Connection, Db};
use crate::moves::Balances;
use sqlx::QueryBuilder;

/// Rows of one INSERT: full ones share one prepared statement.
const ROWS_PER_INSERT: usize = 64;

/// The columns that are added to.
const AMOUNTS: [&str; 5] =
    ["nanodollars", "corrected_nanodollars", "input_tokens", "output_tokens", "requests"];

/// Adds to balances. What does not fit stays at the bound: a sum that overflows must not
/// stop the ledger, and a verification finds it.
pub(super) async fn add(connection: &mut Connection, balances: &Balances) -> sqlx::Result<()> {
    let all: Vec<_> = balances.iter().collect();
    for some in all.chunks(ROWS_PER_INSERT) {
        let mut insert = QueryBuilder::<Db>::new(
            "INSERT INTO balances (account, period, nanodollars, corrected_nanodollars,
             input_tokens, output_tokens, requests) ",
        );
        insert.push_values(some, |mut row, ((account, period), amounts)| {
            row.push_bind(account.clone())
                .push_bind(period.clone())
                .push_bind(amounts.nanodollars)
                .push_bind(amounts.corrected_nanodollars)
                .push_bind(amounts.input_tokens)
                .push_bind(amounts.output_tokens)
                .push_bind(amounts.requests);
        });
        insert.push(" ON CONFLICT (account, period) DO UPDATE SET ");
        for (nth, column) in AMOUNTS.iter().enumerate() {
            insert.push(if nth == 0 { "" } else { ", " }).push(bounded_sum(column));
        }
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// `column = the old value + the new one`, at the bounds of 64 bits where that is beyond them.
fn bounded_sum(column: &str) -> String {
    let (old, new) = (format!("balances.{column}"), format!("excluded.{column}"));
    format!(
        "{column} = CASE
         WHEN {new} > 0 AND {old} > 9223372036854775807 - {new} THEN 9223372036854775807
         WHEN {new} < 0 AND {old} < -9223372036854775807 - {new} THEN -9223372036854775807
         ELSE {old} + {new} END"
    )
}
