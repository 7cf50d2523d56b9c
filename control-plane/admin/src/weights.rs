//! `/api/v1/rollouts`: the shares of a model's pools, moved by command. Each step is noted in
//! the audit trail in the transaction that makes it, and can be taken back.
//!
//! How far a change of the resources has got is something else: `crate::rollout`.

use crate::api::{Admin, CLOCK};
use crate::problem::Problem;
use crate::when;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use ledger::{Actor, Cause, WeightChange, WeightStanding, Weights};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The split of each model as the configuration has it: weights by pool, by model. A family
/// of models is here by its pattern.
pub type Splits = BTreeMap<String, Weights>;

/// Largest weight of a pool, as in the configuration.
pub const WEIGHT_MAX: u32 = model::WEIGHT_MAX;

/// The weight of the only pool after a switch.
const ALL_OF_IT: u32 = 100;

/// How the weights of a model stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsRow {
    /// The model, or the pattern of a family.
    pub model: String,
    /// What holds.
    pub weights: Weights,
    /// What the configuration says.
    pub configured: Weights,
    /// Whether that is something else.
    pub moved: bool,
    /// When the last step was made, RFC 3339 in UTC; none before the first.
    pub at: Option<String>,
    /// Steps that can be taken back.
    pub steps_to_undo: u64,
}

/// The body of `PUT rollouts/{model}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetWeights {
    /// Weights by pool; a pool that is left out keeps what it has.
    pub weights: Weights,
}

/// The body of `POST rollouts/{model}/switch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchPool {
    /// The pool that gets all of it; the others get nothing.
    pub pool: String,
}

/// `GET rollouts`: the models with more than one pool, by their names.
pub async fn list(State(admin): State<Admin>) -> Result<Json<Vec<WeightsRow>>, Problem> {
    let standings = admin.ledger.weights().await?;
    Ok(Json(rows(&admin.splits.borrow(), &standings)))
}

/// The models with more than one pool, by their names, as `standings` have them.
#[must_use]
pub fn rows(splits: &Splits, standings: &[WeightStanding]) -> Vec<WeightsRow> {
    let several = splits.iter().filter(|(_, split)| split.len() > 1);
    several.map(|(model, split)| row(model, split, standings)).collect()
}

/// `GET rollouts/{model}`
pub async fn one(
    State(admin): State<Admin>,
    Path(model): Path<String>,
) -> Result<Json<WeightsRow>, Problem> {
    Ok(Json(standing(&admin, &model).await?))
}

/// `PUT rollouts/{model}`
pub async fn set(
    State(admin): State<Admin>,
    Path(model): Path<String>,
    body: Result<Json<SetWeights>, JsonRejection>,
) -> Result<Json<WeightsRow>, Problem> {
    let Json(wanted) = body?;
    let now = standing(&admin, &model).await?;
    let weights = moved(&now, &wanted.weights)?;
    change(&admin, model, Some(weights)).await
}

/// `POST rollouts/{model}/switch`
pub async fn switch(
    State(admin): State<Admin>,
    Path(model): Path<String>,
    body: Result<Json<SwitchPool>, JsonRejection>,
) -> Result<Json<WeightsRow>, Problem> {
    let Json(wanted) = body?;
    let now = standing(&admin, &model).await?;
    known(&now, &wanted.pool)?;
    let weight = |pool: &String| if *pool == wanted.pool { ALL_OF_IT } else { 0 };
    let weights = now.configured.keys().map(|pool| (pool.clone(), weight(pool))).collect();
    change(&admin, model, Some(weights)).await
}

/// `POST rollouts/{model}/undo`
pub async fn undo(
    State(admin): State<Admin>,
    Path(model): Path<String>,
) -> Result<Json<WeightsRow>, Problem> {
    standing(&admin, &model).await?;
    if !admin.ledger.undo_weights(&model, Actor::Admin, CLOCK.now_ms()).await? {
        return Err(Problem::conflict(format!("rollout of {model}: there is no step to undo.")));
    }
    told(&admin, &model).await
}

/// `DELETE rollouts/{model}`: the weights of the configuration hold again.
pub async fn reset(
    State(admin): State<Admin>,
    Path(model): Path<String>,
) -> Result<Json<WeightsRow>, Problem> {
    standing(&admin, &model).await?;
    change(&admin, model, None).await
}

async fn change(
    admin: &Admin,
    model: String,
    weights: Option<Weights>,
) -> Result<Json<WeightsRow>, Problem> {
    let cause = if weights.is_some() { Cause::Set } else { Cause::Reset };
    let at_ms = CLOCK.now_ms();
    let change = WeightChange { model, weights, cause, actor: Actor::Admin, at_ms };
    admin.ledger.change_weights(&change).await?;
    told(admin, &change.model).await
}

/// What has become of the model, for the caller and the log.
async fn told(admin: &Admin, model: &str) -> Result<Json<WeightsRow>, Problem> {
    let row = standing(admin, model).await?;
    tracing::info!(target: "audit", model, weights = ?row.weights, "weights of the split");
    Ok(Json(row))
}

async fn standing(admin: &Admin, model: &str) -> Result<WeightsRow, Problem> {
    let standings = admin.ledger.weights().await?;
    let splits = admin.splits.borrow();
    let split = splits.get(model).ok_or_else(|| {
        Problem::not_found("There is no model of this name in the configuration.")
    })?;
    if split.len() < 2 {
        return Err(Problem::invalid(format!(
            "{model} has one pool alone; give it a `split` with all pools that it may be moved to."
        )));
    }
    Ok(row(model, split, &standings))
}

/// Steps whose pools are others than those of the configuration do not hold.
fn row(model: &str, split: &Weights, standings: &[WeightStanding]) -> WeightsRow {
    let standing = standings.iter().find(|standing| standing.model == model);
    let held = standing.and_then(|standing| standing.weights.as_ref());
    let weights = held.filter(|held| held.keys().eq(split.keys())).unwrap_or(split);
    WeightsRow {
        model: model.to_owned(),
        weights: weights.clone(),
        configured: split.clone(),
        moved: weights != split,
        at: standing.map(|standing| when::rfc3339(standing.at_ms / 1_000)),
        steps_to_undo: standing.map_or(0, |standing| standing.steps_to_undo),
    }
}

/// The weights that hold, with those that are wanted in their place.
fn moved(now: &WeightsRow, wanted: &Weights) -> Result<Weights, Problem> {
    if wanted.is_empty() {
        return Err(Problem::invalid("weights: name at least one pool."));
    }
    let mut weights = now.weights.clone();
    for (pool, weight) in wanted {
        known(now, pool)?;
        if *weight > WEIGHT_MAX {
            return Err(Problem::invalid(format!("weights.{pool}: takes 0 to {WEIGHT_MAX}.")));
        }
        weights.insert(pool.clone(), *weight);
    }
    if weights.values().all(|weight| *weight == 0) {
        return Err(Problem::invalid("weights: all are 0; at least one pool must get requests."));
    }
    Ok(weights)
}

fn known(now: &WeightsRow, pool: &str) -> Result<(), Problem> {
    if now.configured.contains_key(pool) {
        return Ok(());
    }
    let pools: Vec<_> = now.configured.keys().map(String::as_str).collect();
    Err(Problem::invalid(format!(
        "{pool} is not in the split of {}; its pools are {}.",
        now.model,
        pools.join(", ")
    )))
}
