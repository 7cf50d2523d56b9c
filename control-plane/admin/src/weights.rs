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
use ledger::{Actor, Cause, WeightChange, WeightStanding, Weights, weights_that_fit};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// What holds; nothing where the configuration does not have the model.
    pub weights: Weights,
    /// What the configuration says.
    pub configured: Weights,
    /// Whether that is something else.
    pub moved: bool,
    /// What a command said and what is not in force, as it does not fit the configuration's
    /// split. A step or a reset puts it out of the way.
    #[serde(default)]
    pub unfit: Option<Weights>,
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

/// `GET rollouts`: the models with more than one pool and those with weights by command that
/// do not fit, by their names.
pub async fn list(State(admin): State<Admin>) -> Result<Json<Vec<WeightsRow>>, Problem> {
    let standings = admin.ledger.weights().await?;
    Ok(Json(rows(&admin.splits.borrow(), &standings)))
}

/// The models with more than one pool and those with weights by command that do not fit, by
/// their names, as `standings` have them.
#[must_use]
pub fn rows(splits: &Splits, standings: &[WeightStanding]) -> Vec<WeightsRow> {
    let stood = standings.iter().map(|standing| &standing.model);
    let models: BTreeSet<_> = splits.keys().chain(stood).collect();
    let rows = models.into_iter().map(|model| row(model, splits.get(model), standings));
    rows.filter(|row| row.configured.len() > 1 || row.unfit.is_some()).collect()
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
    check(&now, &wanted.weights)?;
    let cause = Cause::Set { weights: wanted.weights, configured: now.configured };
    change(&admin, model, cause).await
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
    change(&admin, model, Cause::Set { weights, configured: now.configured }).await
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

/// `DELETE rollouts/{model}`: the weights of the configuration hold again. It puts weights
/// that do not fit out of the way as well, also of models that are gone.
pub async fn reset(
    State(admin): State<Admin>,
    Path(model): Path<String>,
) -> Result<Json<WeightsRow>, Problem> {
    let now = shown(&admin, &model).await?;
    if now.unfit.is_none() {
        movable(&now)?;
    }
    change(&admin, model, Cause::Reset).await
}

async fn change(admin: &Admin, model: String, cause: Cause) -> Result<Json<WeightsRow>, Problem> {
    let at_ms = CLOCK.now_ms();
    let change = WeightChange { model, cause, actor: Actor::Admin, at_ms };
    admin.ledger.change_weights(&change).await?;
    told(admin, &change.model).await
}

/// What has become of the model, for the caller and the log.
async fn told(admin: &Admin, model: &str) -> Result<Json<WeightsRow>, Problem> {
    let row = shown(admin, model).await?;
    tracing::info!(target: "audit", model, weights = ?row.weights, "weights of the split");
    Ok(Json(row))
}

/// How a model stands that has weights to move.
async fn standing(admin: &Admin, model: &str) -> Result<WeightsRow, Problem> {
    let row = shown(admin, model).await?;
    movable(&row)?;
    Ok(row)
}

/// How a model stands, whatever it is.
async fn shown(admin: &Admin, model: &str) -> Result<WeightsRow, Problem> {
    let standings = admin.ledger.weights().await?;
    Ok(row(model, admin.splits.borrow().get(model), &standings))
}

fn movable(row: &WeightsRow) -> Result<(), Problem> {
    match row.configured.len() {
        0 => Err(Problem::not_found("There is no model of this name in the configuration.")),
        1 => Err(Problem::invalid(format!(
            "{} has one pool alone; give it a `split` with all pools that it may be moved to.",
            row.model
        ))),
        _ => Ok(()),
    }
}

/// Steps whose pools are others than those of the configuration do not hold.
fn row(model: &str, split: Option<&Weights>, standings: &[WeightStanding]) -> WeightsRow {
    let configured = split.cloned().unwrap_or_default();
    let standing = standings.iter().find(|standing| standing.model == model);
    let held = standing.and_then(|standing| standing.weights.as_ref());
    let fitting = weights_that_fit(held, &configured);
    WeightsRow {
        model: model.to_owned(),
        weights: fitting.unwrap_or(&configured).clone(),
        moved: fitting.is_some_and(|weights| *weights != configured),
        unfit: held.filter(|_| fitting.is_none()).cloned(),
        at: standing.map(|standing| when::rfc3339(standing.at_ms / 1_000)),
        steps_to_undo: standing.map_or(0, |standing| standing.steps_to_undo),
        configured,
    }
}

/// Whether the pools can have the weights that are wanted for them.
fn check(now: &WeightsRow, wanted: &Weights) -> Result<(), Problem> {
    if wanted.is_empty() {
        return Err(Problem::invalid("weights: name at least one pool."));
    }
    for (pool, weight) in wanted {
        known(now, pool)?;
        if *weight > WEIGHT_MAX {
            return Err(Problem::invalid(format!("weights.{pool}: takes 0 to {WEIGHT_MAX}.")));
        }
    }
    Ok(())
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
