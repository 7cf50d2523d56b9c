//! Weights of splits in a database: a row for each step.

use super::audit;
use super::dialect::{Connection, Pool, Row, begin};
use super::words::{loaded, stored};
use crate::audit::{Action, Actor};
use crate::error::Error;
use crate::weights::{self, WeightChange, WeightStanding, Weights};
use sqlx::Row as _;

const CORRUPT: Error = Error::Corrupt { table: "weight_steps" };

const CHANGING: &str = "changing the weights of a model";
const UNDOING: &str = "taking a step of a model's weights back";
const READING: &str = "reading the weights of models";

/// A step to be written.
struct Step<'a> {
    model: &'a str,
    at_ms: u64,
    actor: Actor,
    held: Option<&'a Weights>,
    weights: Option<&'a Weights>,
    can_undo: bool,
}

pub(super) async fn change(writer: &Pool, change: &WeightChange) -> Result<bool, Error> {
    let mut transaction = begin(writer, CHANGING).await?;
    let last = last_step(&mut transaction, &change.model).await?;
    let held = last.as_ref().map(weights_of).transpose()?.flatten();
    let after = change.cause.after(held.as_ref())?;
    if held == after {
        return Ok(false);
    }
    let step = Step {
        model: &change.model,
        at_ms: change.at_ms,
        actor: change.actor,
        held: held.as_ref(),
        weights: after.as_ref(),
        can_undo: true,
    };
    write(&mut transaction, &step, CHANGING).await?;
    audit::append(&mut transaction, &[change.event(held.as_ref(), after.as_ref())]).await?;
    transaction.commit().await.map_err(Error::database(CHANGING))?;
    Ok(true)
}

pub(super) async fn undo(
    writer: &Pool,
    model: &str,
    actor: Actor,
    at_ms: u64,
) -> Result<bool, Error> {
    let mut transaction = begin(writer, UNDOING).await?;
    let undone = sqlx::query(
        "SELECT * FROM weight_steps WHERE model = $1 AND can_undo ORDER BY seq DESC LIMIT 1",
    )
    .bind(model)
    .fetch_optional(&mut *transaction)
    .await
    .map_err(Error::database(UNDOING))?;
    let Some(undone) = undone else { return Ok(false) };
    let last = last_step(&mut transaction, model).await?;
    let held = last.as_ref().map(weights_of).transpose()?.flatten();
    let back = read(&undone, "held")?;
    sqlx::query("UPDATE weight_steps SET can_undo = FALSE WHERE seq = $1")
        .bind(column::<i64>(&undone, "seq")?)
        .execute(&mut *transaction)
        .await
        .map_err(Error::database(UNDOING))?;
    let (held, back) = (held.as_ref(), back.as_ref());
    let step = Step { model, at_ms, actor, held, weights: back, can_undo: false };
    write(&mut transaction, &step, UNDOING).await?;
    let noted = weights::event(Action::RolloutUndone, (model, actor, at_ms), (held, back));
    audit::append(&mut transaction, &[noted]).await?;
    transaction.commit().await.map_err(Error::database(UNDOING))?;
    Ok(true)
}

async fn last_step(connection: &mut Connection, model: &str) -> Result<Option<Row>, Error> {
    sqlx::query("SELECT * FROM weight_steps WHERE model = $1 ORDER BY seq DESC LIMIT 1")
        .bind(model)
        .fetch_optional(connection)
        .await
        .map_err(Error::database(READING))
}

async fn write(
    connection: &mut Connection,
    step: &Step<'_>,
    doing: &'static str,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO weight_steps (seq, model, at_ms, actor, held, weights, can_undo)
         SELECT COALESCE(MAX(seq), 0) + 1, $1, $2, $3, $4, $5, $6 FROM weight_steps",
    )
    .bind(step.model)
    .bind(stored(step.at_ms))
    .bind(step.actor.as_str())
    .bind(step.held.map(text).transpose()?)
    .bind(step.weights.map(text).transpose()?)
    .bind(step.can_undo)
    .execute(connection)
    .await
    .map(drop)
    .map_err(Error::database(doing))
}

/// How every model stands that ever had a step, in the order of their names.
pub(super) async fn standings(reader: &Pool) -> Result<Vec<WeightStanding>, Error> {
    let rows = sqlx::query(
        "SELECT last.*, COALESCE(undo.steps, 0) AS steps_to_undo FROM weight_steps last
         JOIN (SELECT model, MAX(seq) AS seq FROM weight_steps GROUP BY model) newest
         ON newest.seq = last.seq
         LEFT JOIN (SELECT model, COUNT(*) AS steps FROM weight_steps WHERE can_undo
         GROUP BY model) undo ON undo.model = last.model
         ORDER BY last.model",
    )
    .fetch_all(reader)
    .await
    .map_err(Error::database(READING))?;
    rows.iter().map(standing_of).collect()
}

/// Goes up with every step.
pub(super) async fn version(reader: &Pool) -> Result<u64, Error> {
    let version: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM weight_steps")
        .fetch_one(reader)
        .await
        .map_err(Error::database(READING))?;
    Ok(loaded(version))
}

fn standing_of(row: &Row) -> Result<WeightStanding, Error> {
    Ok(WeightStanding {
        model: column(row, "model")?,
        weights: weights_of(row)?,
        at_ms: loaded(column(row, "at_ms")?),
        steps_to_undo: loaded(column(row, "steps_to_undo")?),
    })
}

/// What a step led to.
fn weights_of(row: &Row) -> Result<Option<Weights>, Error> {
    read(row, "weights")
}

fn read(row: &Row, name: &str) -> Result<Option<Weights>, Error> {
    let text: Option<String> = row.try_get(name).map_err(|_| CORRUPT)?;
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| CORRUPT)
}

fn text(weights: &Weights) -> Result<String, Error> {
    serde_json::to_string(weights).map_err(|_| CORRUPT)
}

fn column<'r, T>(row: &'r Row, name: &str) -> Result<T, Error>
where
    T: sqlx::Decode<'r, super::dialect::Db> + sqlx::Type<super::dialect::Db>,
{
    row.try_get(name).map_err(|_| CORRUPT)
}
