//! How budgets stand, in a database.

use super::dialect::{Connection, Pool, begin_read};
use super::granting::{budget, spent};
use super::lease_rows;
use crate::budget::{Budget, BudgetBook, BudgetStanding};
use crate::error::Error;
use crate::lease::LeaseRow;
use contract::lease::Account;
use std::collections::BTreeMap;

const DOING: &str = "reading the budgets";

pub(super) async fn all(
    reader: &Pool,
    book: &BudgetBook,
    now_ms: u64,
) -> Result<Vec<BudgetStanding>, Error> {
    let mut transaction = begin_read(reader, DOING).await?;
    let budgets = budgets(&mut transaction, book, now_ms).await.map_err(Error::database(DOING))?;
    let mut standings = Vec::with_capacity(budgets.len());
    for (account, budget) in budgets {
        let standing = standing(&mut transaction, account, budget, now_ms).await;
        standings.push(standing.map_err(Error::database(DOING))?);
    }
    Ok(standings)
}

/// Every account with a budget: those of the configuration, created keys, and users that
/// have spent in the running period.
async fn budgets(
    connection: &mut Connection,
    book: &BudgetBook,
    now_ms: u64,
) -> sqlx::Result<BTreeMap<String, Budget>> {
    let mut all: BTreeMap<String, Budget> =
        book.accounts.iter().map(|(account, budget)| (account.to_string(), *budget)).collect();
    let keys: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT id, budget_nanodollars, budget_per FROM keys
         WHERE NOT configured AND revoked_at_s IS NULL AND budget_nanodollars IS NOT NULL",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (id, nanodollars, per) in keys {
        let of_key = budget(nanodollars, &per);
        let name = Account::Key(id).to_string();
        all.extend(of_key.filter(|_| !all.contains_key(&name)).map(|budget| (name, budget)));
    }
    for (tenant, of_users) in &book.users {
        for name in users(connection, tenant, *of_users, now_ms).await? {
            all.entry(name).or_insert(*of_users);
        }
    }
    Ok(all)
}

async fn users(
    connection: &mut Connection,
    tenant: &str,
    budget: Budget,
    now_ms: u64,
) -> sqlx::Result<Vec<String>> {
    // From the first name with this prefix to the first one after all of them: `0` comes
    // after `/`.
    let (from, until) = (format!("user/{tenant}/"), format!("user/{tenant}0"));
    sqlx::query_scalar(
        "SELECT account FROM balances WHERE account > $1 AND account < $2 AND period = $3
         UNION SELECT account FROM leases WHERE account > $1 AND account < $2 AND period = $3
         AND state <> 'closed'",
    )
    .bind(from)
    .bind(until)
    .bind(budget.per.period(now_ms).name)
    .fetch_all(connection)
    .await
}

async fn standing(
    connection: &mut Connection,
    account: String,
    budget: Budget,
    now_ms: u64,
) -> sqlx::Result<BudgetStanding> {
    let period = budget.per.period(now_ms);
    let leases = lease_rows::of_account(connection, &account, &period.name).await?;
    let held = leases.iter().map(LeaseRow::held).fold(0, u64::saturating_add);
    let spent = spent(connection, &account, &period.name).await?;
    let gone = u64::try_from(spent).unwrap_or(0).saturating_add(held);
    Ok(BudgetStanding {
        account,
        per: budget.per,
        period: period.name,
        limit: budget.nanodollars,
        spent,
        held,
        left: budget.nanodollars.saturating_sub(gone),
        starts_ms: period.starts_ms,
        ends_ms: period.ends_ms,
    })
}
