//! The rotation of a key in a database.

use super::audit;
use super::dialect::{Connection, Pool, Row, begin};
use super::keys::{created, event, insert, key_of, make_void, next_version};
use super::words::stored;
use crate::audit::{Action, Actor};
use crate::error::Error;
use crate::key::{Key, NewKey, NewSecret, Rotation};

const DOING: &str = "rotating a key";

pub(super) async fn rotate(
    writer: &Pool,
    id: &str,
    new: &NewSecret,
    overlap_s: u64,
    at_s: u64,
) -> Result<Rotation, Error> {
    let mut transaction = begin(writer, DOING).await?;
    let Some(old) = row_of(&mut transaction, id).await? else { return Ok(Rotation::Unknown) };
    let old = key_of(&old)?;
    if let Some(refusal) = refusal(&old, at_s) {
        return Ok(refusal);
    }
    let next = successor(&old, new, at_s);
    insert(&mut transaction, &next, Some(id)).await?;
    // After the new one: no gateway knows neither.
    let old_valid_until_s = end(&mut transaction, &old, overlap_s, at_s).await?;
    replaced(&mut transaction, id, &new.id).await?;
    let rotated = event(at_s, Actor::Admin, Action::KeyRotated, id)
        .with("replaced_by", new.id.as_str())
        .with("tenant", old.tenant.as_str())
        .with("valid_until_s", old_valid_until_s);
    audit::append(&mut transaction, &[created(&next).with("replaces", id), rotated]).await?;
    let key = row_of(&mut transaction, &new.id).await?.as_ref().map(key_of).transpose()?;
    let key = key.ok_or(Error::Corrupt { table: "keys" })?;
    transaction.commit().await.map_err(Error::database(DOING))?;
    Ok(Rotation::Rotated { key: Box::new(key), old_valid_until_s })
}

/// The key with this id; a created one goes before a configured one.
async fn row_of(connection: &mut Connection, id: &str) -> Result<Option<Row>, Error> {
    sqlx::query(
        "SELECT * FROM keys WHERE id = $1 ORDER BY configured, revoked_at_s IS NOT NULL LIMIT 1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
    .map_err(Error::database(DOING))
}

/// Why a key is not rotated.
fn refusal(old: &Key, at_s: u64) -> Option<Rotation> {
    if let Some(by) = &old.replaced_by {
        return Some(Rotation::Replaced { by: by.clone() });
    }
    if old.revoked_at_s.is_some() {
        return Some(Rotation::Revoked);
    }
    if old.configured {
        return Some(Rotation::Configured);
    }
    old.expires_at_s.is_some_and(|end_s| end_s <= at_s).then_some(Rotation::Expired)
}

fn successor(old: &Key, new: &NewSecret, at_s: u64) -> NewKey {
    NewKey {
        id: new.id.clone(),
        sha256: new.sha256.clone(),
        name: old.name.clone(),
        tenant: old.tenant.clone(),
        user: old.user.clone(),
        roles: old.roles.clone(),
        models: old.models.clone(),
        masking: old.masking.clone(),
        limits: old.limits.clone(),
        budget: old.budget,
        expires_at_s: old.expires_at_s,
        at_s,
    }
}

/// Lets the old key end; returns when.
async fn end(
    connection: &mut Connection,
    old: &Key,
    overlap_s: u64,
    at_s: u64,
) -> Result<u64, Error> {
    if overlap_s == 0 {
        make_void(connection, &old.id, at_s).await?;
        return Ok(at_s);
    }
    let end_s = at_s.saturating_add(overlap_s).min(old.expires_at_s.unwrap_or(u64::MAX));
    let seq = next_version(connection, DOING).await?;
    sqlx::query(
        "UPDATE keys SET expires_at_s = $1, changed_seq = $2 WHERE id = $3 AND NOT configured",
    )
    .bind(stored(end_s))
    .bind(seq)
    .bind(&old.id)
    .execute(connection)
    .await
    .map_err(Error::database(DOING))?;
    Ok(end_s)
}

async fn replaced(connection: &mut Connection, old: &str, by: &str) -> Result<(), Error> {
    sqlx::query("UPDATE keys SET replaced_by = $1 WHERE id = $2 AND NOT configured")
        .bind(by)
        .bind(old)
        .execute(connection)
        .await
        .map_err(Error::database(DOING))?;
    Ok(())
}
