//! `/api/v1/audit`: what was done, and whether the trail of it is whole.

use crate::api::{Admin, CLOCK};
use crate::problem::Problem;
use crate::when;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use ledger::{Action, AuditFilter, AuditRow, Head, Verdict};
use serde::Deserialize;

/// Rows of an answer when the query does not say.
const LIMIT_DEFAULT: u32 = 1_000;

/// Most rows of an answer; older ones are asked for with `until`.
const LIMIT_MAX: u32 = 10_000;

/// The query of `GET audit`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrailQuery {
    since: Option<String>,
    until: Option<String>,
    action: Option<String>,
    subject: Option<String>,
    limit: Option<u32>,
}

/// The query of `GET audit/verify`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VerifyQuery {
    head: Option<String>,
}

/// `GET audit`: the newest rows that match, the oldest of them first.
pub async fn trail(
    State(admin): State<Admin>,
    query: Result<Query<TrailQuery>, QueryRejection>,
) -> Result<Json<Vec<AuditRow>>, Problem> {
    let Query(query) = query?;
    Ok(Json(admin.ledger.audit(&filter(query)?).await?))
}

/// `GET audit/verify`: reads the whole trail. That it is not cut at its end is known
/// only with a `head` that an earlier answer said.
pub async fn verify(
    State(admin): State<Admin>,
    query: Result<Query<VerifyQuery>, QueryRejection>,
) -> Result<Json<Verdict>, Problem> {
    let Query(query) = query?;
    let known: Option<Head> = query
        .head
        .map(|text| text.parse())
        .transpose()
        .map_err(|why| Problem::invalid(format!("head: {why}.")))?;
    Ok(Json(admin.ledger.verify_audit(known).await?))
}

fn filter(query: TrailQuery) -> Result<AuditFilter, Problem> {
    let now_ms = CLOCK.now_ms();
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::invalid(format!("limit: takes 1 to {LIMIT_MAX}.")));
    }
    query.action.iter().try_for_each(|action| known(action))?;
    Ok(AuditFilter {
        since_ms: when::asked_ms("since", query.since.as_deref(), now_ms)?,
        until_ms: when::asked_ms("until", query.until.as_deref(), now_ms)?,
        action: query.action,
        subject: query.subject,
        limit,
    })
}

fn known(action: &str) -> Result<(), Problem> {
    let words = Action::ALL.map(Action::as_str);
    if words.contains(&action) {
        return Ok(());
    }
    Err(Problem::invalid(format!(
        "action: there is no such action; allowed: {}.",
        words.join(", ")
    )))
}
