//! `/api/v1/ledger`: whether the ledger is sound, and what sets a record right.

use crate::api::{Admin, CLOCK};
use crate::money;
use crate::problem::Problem;
use crate::when;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use ledger::{Actor, Corrected, Correction, NewCorrection, UsageFilter, Verification};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest reason of a correction, in bytes.
const WHY_BYTES_MAX: usize = 1_000;

/// Longest id of a record, in bytes.
const ID_BYTES_MAX: usize = 128;

/// Whether the ledger is sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerVerdict {
    /// Whether it is.
    pub sound: bool,
    /// What is wrong, each in a sentence.
    pub faults: Vec<String>,
    /// The figures of the verification by their names.
    #[serde(default)]
    pub details: Value,
}

impl LedgerVerdict {
    /// The verdict of a verification.
    ///
    /// # Errors
    /// When that cannot be written as JSON.
    pub fn of(verified: &Verification) -> Result<LedgerVerdict, serde_json::Error> {
        let mut details = serde_json::to_value(verified)?;
        if let Some(details) = details.as_object_mut() {
            details.remove("faults");
        }
        let faults = verified.faults.iter().map(ToString::to_string).collect();
        Ok(LedgerVerdict { sound: verified.is_sound(), faults, details })
    }

    /// The figures, each in a line.
    pub fn figures(&self) -> impl Iterator<Item = String> {
        let figures = self.details.as_object().into_iter().flatten();
        figures.map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name}: {text}"),
            None => format!("{name}: {value}"),
        })
    }
}

/// `GET ledger/verify`: reads all of the ledger.
pub async fn verify(State(admin): State<Admin>) -> Result<Json<LedgerVerdict>, Problem> {
    let verified = admin.ledger.verify().await?;
    let verdict = LedgerVerdict::of(&verified).map_err(|error| Problem::internal(&error))?;
    Ok(Json(verdict))
}

/// The body of `POST ledger/corrections`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectRecord {
    /// The record's id.
    pub record: String,
    /// What is added to its cost, in dollars as decimal text such as `-0.25`.
    pub dollars: String,
    /// Why, for people.
    pub why: String,
}

/// The answer of `POST ledger/corrections`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectedRecord {
    /// The record's id.
    pub record: String,
    /// The number of the new posting.
    pub posting: u64,
    /// What the record costs now, all corrections included.
    pub cost_nanodollars: i64,
}

/// The query of `GET ledger/corrections`: of which records.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorrectionsQuery {
    tenant: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

/// `GET ledger/corrections`
pub async fn corrections(
    State(admin): State<Admin>,
    query: Result<Query<CorrectionsQuery>, QueryRejection>,
) -> Result<Json<Vec<Correction>>, Problem> {
    let Query(query) = query?;
    let now_ms = CLOCK.now_ms();
    let filter = UsageFilter {
        tenant: query.tenant,
        since_ms: when::asked_ms("since", query.since.as_deref(), now_ms)?,
        until_ms: when::asked_ms("until", query.until.as_deref(), now_ms)?,
        ..UsageFilter::default()
    };
    Ok(Json(admin.ledger.corrections(&filter).await?))
}

/// `POST ledger/corrections`: noted in the audit trail in the transaction that posts it.
pub async fn correct(
    State(admin): State<Admin>,
    body: Result<Json<CorrectRecord>, JsonRejection>,
) -> Result<(StatusCode, Json<CorrectedRecord>), Problem> {
    let Json(wanted) = body?;
    let nanodollars = checked(&wanted)?;
    let correction = NewCorrection {
        record: wanted.record.clone(),
        nanodollars,
        why: wanted.why,
        actor: Actor::Admin,
        at_ms: CLOCK.now_ms(),
    };
    match admin.ledger.correct(&correction).await? {
        Corrected::Posted { posting, nanodollars: cost_nanodollars } => {
            let record = wanted.record;
            tracing::info!(target: "audit", record, nanodollars, posting, "record corrected");
            Ok((StatusCode::CREATED, Json(CorrectedRecord { record, posting, cost_nanodollars })))
        }
        Corrected::Unknown => Err(Problem::not_found("There is no record with this id.")),
        Corrected::OutOfBounds => Err(Problem::conflict(
            "The record would cost less than nothing, or more than can be written.",
        )),
    }
}

/// The nano-dollars of a correction that can be posted.
fn checked(wanted: &CorrectRecord) -> Result<i64, Problem> {
    if !(1..=ID_BYTES_MAX).contains(&wanted.record.len()) {
        return Err(Problem::invalid(format!("record: takes 1 to {ID_BYTES_MAX} bytes.")));
    }
    let sized = (1..=WHY_BYTES_MAX).contains(&wanted.why.trim().len());
    if !sized || wanted.why.chars().any(char::is_control) {
        return Err(Problem::invalid(format!(
            "why: takes 1 to {WHY_BYTES_MAX} bytes without control characters."
        )));
    }
    let amount = money::nanodollars(&wanted.dollars).filter(|amount| *amount != 0);
    amount.ok_or_else(|| {
        Problem::invalid("dollars: takes an amount other than 0 with up to nine places, as -0.25.")
    })
}
