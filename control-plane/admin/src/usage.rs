//! `GET /api/v1/usage`: every record, sums, or charges in the columns of FOCUS.
//!
//! Records are read from the ledger a page at a time, and each page is sent before the next
//! is read: ten million of them are never in memory.

mod charges;
mod form;
mod records;

pub use form::Form;

use crate::api::{Admin, CLOCK};
use crate::problem::Problem;
use crate::when;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use ledger::{GroupBy, UsageFilter, UsageSum};
use serde::Deserialize;

/// Records of a page: some 2 MiB of them.
const PAGE_RECORDS: u32 = 2_000;

/// Columns of the sums' CSV.
const SUM_COLUMNS: &[&str] = &[
    "group",
    "requests",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_nanodollars",
    "corrected_nanodollars",
    "images",
    "pages",
    "audio_ms",
    "gpu_ms",
];

/// The query: filters, and what to add up by.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportQuery {
    organisation: Option<String>,
    tenant: Option<String>,
    key: Option<String>,
    user: Option<String>,
    model: Option<String>,
    pool: Option<String>,
    since: Option<String>,
    until: Option<String>,
    by: Option<GroupBy>,
    format: Option<Form>,
}

/// `GET usage`; in the form that `format` or `Accept` names, JSON where neither does.
pub async fn report(
    State(admin): State<Admin>,
    headers: HeaderMap,
    query: Result<Query<ReportQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let form = query.format.unwrap_or_else(|| Form::accepted(&headers));
    let by = query.by;
    let filter = filter(query)?;
    match (by, form) {
        (Some(_), Form::Focus) => Err(Problem::invalid(
            "by: the columns of FOCUS have groups of their own; leave it out.",
        )),
        (Some(by), form) => sums(&admin.ledger.usage_sums(&filter, by).await?, form),
        (None, Form::Focus) => charges::answer(admin.ledger, filter).await,
        (None, form) => records::answer(admin.ledger, filter, form).await,
    }
}

fn filter(query: ReportQuery) -> Result<UsageFilter, Problem> {
    let now_ms = CLOCK.now_ms();
    Ok(UsageFilter {
        since_ms: when::asked_ms("since", query.since.as_deref(), now_ms)?,
        until_ms: when::asked_ms("until", query.until.as_deref(), now_ms)?,
        organisation: query.organisation,
        tenant: query.tenant,
        key: query.key,
        user: query.user,
        model: query.model,
        pool: query.pool,
    })
}

/// All sums at once: they are few.
fn sums(sums: &[UsageSum], form: Form) -> Result<Response, Problem> {
    if form == Form::Json {
        return Ok(Json(sums).into_response());
    }
    let text = form.text(SUM_COLUMNS, sums).map_err(|error| Problem::internal(error.as_ref()))?;
    Ok(([(CONTENT_TYPE, form.media_type())], text).into_response())
}
