//! `GET /api/v1/budgets`: what of each is spent, held by gateways and left.

use crate::api::{Admin, CLOCK};
use crate::problem::Problem;
use crate::usage::Form;
use crate::when;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use contract::lease::Account;
use ledger::{BudgetStanding, Per};
use plan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Columns of the CSV.
const COLUMNS: &[&str] = &[
    "account",
    "per",
    "period",
    "limit_nanodollars",
    "spent_nanodollars",
    "held_nanodollars",
    "left_nanodollars",
    "starts_at",
    "ends_at",
];

/// How a budget stands in its running period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetRow {
    /// `organisation/NAME`, `tenant/NAME`, `key/ID` or `user/TENANT/NAME`.
    pub account: String,
    /// How long the budget lasts.
    pub per: Per,
    /// The period: `2026-11-21T09`, `2026-11-21`, `2026-11` or `total`.
    pub period: String,
    /// What may be spent in it.
    pub limit_nanodollars: u64,
    /// What was, corrections included.
    pub spent_nanodollars: i64,
    /// What gateways may spend without asking, or have spent and not told yet.
    pub held_nanodollars: u64,
    /// What is left to be held or spent.
    pub left_nanodollars: u64,
    /// The period's beginning, RFC 3339 in UTC; none of a budget without an end.
    pub starts_at: Option<String>,
    /// The period's end.
    pub ends_at: Option<String>,
}

impl From<BudgetStanding> for BudgetRow {
    fn from(standing: BudgetStanding) -> Self {
        BudgetRow {
            account: standing.account,
            per: standing.per,
            period: standing.period,
            limit_nanodollars: standing.limit,
            spent_nanodollars: standing.spent,
            held_nanodollars: standing.held,
            left_nanodollars: standing.left,
            starts_at: standing.ends_ms.map(|_| when::rfc3339(standing.starts_ms / 1_000)),
            ends_at: standing.ends_ms.map(|ms| when::rfc3339(ms / 1_000)),
        }
    }
}

/// The query of `GET budgets`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetsQuery {
    tenant: Option<String>,
}

/// `GET budgets`; CSV or a row a line where `Accept` asks for it.
pub async fn list(
    State(admin): State<Admin>,
    headers: HeaderMap,
    query: Result<Query<BudgetsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let mut all = admin.ledger.budgets(CLOCK.now_ms()).await?;
    if let Some(tenant) = &query.tenant {
        let of = Tenant::of(&admin, tenant).await?;
        all.retain(|standing| of.has(&standing.account));
    }
    let rows: Vec<BudgetRow> = all.into_iter().map(BudgetRow::from).collect();
    let form = Form::accepted(&headers);
    let text = match form {
        Form::Json => return Ok(Json(rows).into_response()),
        form => form.text(COLUMNS, &rows).map_err(|error| Problem::internal(error.as_ref()))?,
    };
    Ok(([(CONTENT_TYPE, form.media_type())], text).into_response())
}

/// A tenant, and all whose budgets its requests are paid from.
struct Tenant {
    name: String,
    organisation: Option<String>,
    keys: BTreeSet<String>,
}

impl Tenant {
    async fn of(admin: &Admin, name: &str) -> Result<Tenant, Problem> {
        let keys = admin.ledger.list_keys(Some(name)).await?;
        let organisation = admin.plan.borrow().budgets.organisations.get(name).cloned();
        let keys = keys.into_iter().map(|key| key.id).collect();
        Ok(Tenant { name: name.to_owned(), organisation, keys })
    }

    fn has(&self, account: &str) -> bool {
        match Account::parse(account) {
            Some(Account::Organisation(name)) => self.organisation.as_ref() == Some(&name),
            Some(Account::Tenant(name)) => name == self.name,
            Some(Account::Key(id)) => self.keys.contains(&id),
            Some(Account::User { tenant, .. }) => tenant == self.name,
            None => false,
        }
    }
}

/// The budgets of a plan, as the ledger has them.
#[must_use]
pub fn book(plan: &Plan) -> ledger::BudgetBook {
    let budgets = &plan.budgets;
    ledger::BudgetBook {
        accounts: budgets.accounts.iter().map(|(of, it)| (of.clone(), in_ledger(*it))).collect(),
        users: budgets.users.iter().map(|(of, it)| (of.clone(), in_ledger(*it))).collect(),
    }
}

/// A budget of the configuration's words, in the ledger's.
#[must_use]
pub fn in_ledger(budget: plan::Budget) -> ledger::Budget {
    let per = match budget.per {
        plan::Per::Hour => Per::Hour,
        plan::Per::Day => Per::Day,
        plan::Per::Month => Per::Month,
        plan::Per::Total => Per::Total,
    };
    ledger::Budget { nanodollars: budget.nanodollars, per }
}
