//! Keys in SQLite.

use super::{loaded, stored};
use crate::error::Error;
use crate::key::{Key, NewKey, Revocation, StaticKeysChange};
use contract::keyring::{KeyChange, KeyEntry, KeyringDelta};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqlitePool};
use std::collections::HashMap;

const TABLE: &str = "keys";

pub(super) async fn create(writer: &SqlitePool, key: &NewKey) -> Result<(), Error> {
    let doing = "making a key";
    let mut transaction =
        writer.begin_with("BEGIN IMMEDIATE").await.map_err(Error::database(doing))?;
    let seq = next_version(&mut transaction, doing).await?;
    sqlx::query("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, NULL, ?)")
        .bind(&key.sha256)
        .bind(&key.id)
        .bind(&key.name)
        .bind(&key.tenant)
        .bind(&key.user)
        .bind(roles_text(&key.roles))
        .bind(stored(key.at_s))
        .bind(key.expires_at_s.map(stored))
        .bind(seq)
        .execute(&mut *transaction)
        .await
        .map_err(taken_or(doing))?;
    transaction.commit().await.map_err(Error::database(doing))
}

fn taken_or(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |cause| match &cause {
        sqlx::Error::Database(said) if said.is_unique_violation() => Error::KeyExists,
        _ => Error::Database { doing, cause },
    }
}

pub(super) async fn revoke(writer: &SqlitePool, id: &str, at_s: u64) -> Result<Revocation, Error> {
    let doing = "revoking a key";
    let mut transaction =
        writer.begin_with("BEGIN IMMEDIATE").await.map_err(Error::database(doing))?;
    let before = standing(&mut transaction, id).await.map_err(Error::database(doing))?;
    if before != Revocation::Revoked {
        return Ok(before);
    }
    let seq = next_version(&mut transaction, doing).await?;
    sqlx::query(
        "UPDATE keys SET revoked_at_s = ?, changed_seq = ? WHERE id = ? AND configured = 0",
    )
    .bind(stored(at_s))
    .bind(seq)
    .bind(id)
    .execute(&mut *transaction)
    .await
    .map_err(Error::database(doing))?;
    transaction.commit().await.map_err(Error::database(doing))?;
    Ok(Revocation::Revoked)
}

/// What a revocation of `id` would come to. A created key goes before a
/// configured one of the same id.
async fn standing(connection: &mut SqliteConnection, id: &str) -> Result<Revocation, sqlx::Error> {
    let found: Option<(bool, bool)> = sqlx::query_as(
        "SELECT configured, revoked_at_s IS NOT NULL FROM keys WHERE id = ?
         ORDER BY configured, revoked_at_s IS NOT NULL LIMIT 1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?;
    Ok(match found {
        None => Revocation::Unknown,
        Some((_, true)) => Revocation::AlreadyRevoked,
        Some((true, false)) => Revocation::Configured,
        Some((false, false)) => Revocation::Revoked,
    })
}

pub(super) async fn list(reader: &SqlitePool, tenant: Option<&str>) -> Result<Vec<Key>, Error> {
    let rows = sqlx::query(
        "SELECT * FROM keys WHERE (?1 IS NULL OR tenant = ?1)
         AND NOT (configured = 1 AND revoked_at_s IS NOT NULL) ORDER BY rowid",
    )
    .bind(tenant)
    .fetch_all(reader)
    .await
    .map_err(Error::database("listing the keys"))?;
    rows.iter().map(key_of).collect()
}

pub(super) async fn by_digest(
    reader: &SqlitePool,
    sha256: &str,
) -> Result<Option<KeyEntry>, Error> {
    let row = sqlx::query("SELECT * FROM keys WHERE sha256 = ? AND revoked_at_s IS NULL")
        .bind(sha256)
        .fetch_optional(reader)
        .await
        .map_err(Error::database("looking a key up"))?;
    row.as_ref().map(entry_of).transpose()
}

pub(super) async fn version(reader: &SqlitePool) -> Result<u64, Error> {
    let version: i64 = sqlx::query_scalar("SELECT version FROM keyring")
        .fetch_one(reader)
        .await
        .map_err(Error::database("reading the keyring's version"))?;
    Ok(loaded(version))
}

pub(super) async fn since(
    reader: &SqlitePool,
    epoch: Option<&str>,
    since: u64,
    max: usize,
) -> Result<KeyringDelta, Error> {
    let doing = "reading the keyring";
    let mut transaction = reader.begin().await.map_err(Error::database(doing))?;
    let (ours, newest): (String, i64) = sqlx::query_as("SELECT epoch, version FROM keyring")
        .fetch_one(&mut *transaction)
        .await
        .map_err(Error::database(doing))?;
    let goes_on = epoch == Some(ours.as_str()) && since <= loaded(newest);
    let rows = sqlx::query("SELECT * FROM keys WHERE changed_seq > ? ORDER BY changed_seq LIMIT ?")
        .bind(if goes_on { stored(since) } else { 0 })
        .bind(stored(max.max(1) as u64).saturating_add(1))
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::database(doing))?;
    delta_of(ours, loaded(newest), &rows, max.max(1))
}

/// The changes of `rows`, of which there is one too many when more wait.
fn delta_of(
    epoch: String,
    newest: u64,
    rows: &[SqliteRow],
    max: usize,
) -> Result<KeyringDelta, Error> {
    let more = rows.len() > max;
    let rows = rows.get(..max).unwrap_or(rows);
    let changes = rows.iter().map(change_of).collect::<Result<Vec<_>, _>>()?;
    let version = match rows.last() {
        Some(last) if more => loaded(column(last, "changed_seq")?),
        _ => newest,
    };
    Ok(KeyringDelta { epoch, version, more, changes })
}

pub(super) async fn set_static(
    writer: &SqlitePool,
    keys: &[(String, KeyEntry)],
    at_s: u64,
) -> Result<StaticKeysChange, Error> {
    let doing = "taking over the configured keys";
    let mut transaction =
        writer.begin_with("BEGIN IMMEDIATE").await.map_err(Error::database(doing))?;
    let mut held = held_keys(&mut transaction).await?;
    let mut change = StaticKeysChange::default();
    for (sha256, entry) in keys {
        match held.remove(sha256) {
            Some(Held::Created) => change.ignored.push(entry.id.clone()),
            Some(Held::Configured(Some(before))) if before == *entry => {}
            _ => {
                put_static(&mut transaction, sha256, entry, at_s).await?;
                change.changed += 1;
            }
        }
    }
    for (sha256, before) in held {
        if matches!(before, Held::Configured(Some(_))) {
            remove_static(&mut transaction, &sha256, at_s).await?;
            change.changed += 1;
        }
    }
    transaction.commit().await.map_err(Error::database(doing))?;
    Ok(change)
}

/// What stands in the table for a digest.
enum Held {
    Created,
    /// `None`: it was there once and was removed.
    Configured(Option<KeyEntry>),
}

async fn held_keys(connection: &mut SqliteConnection) -> Result<HashMap<String, Held>, Error> {
    let rows = sqlx::query("SELECT * FROM keys")
        .fetch_all(connection)
        .await
        .map_err(Error::database("reading the configured keys"))?;
    let held = rows.iter().map(|row| {
        let configured: bool = column(row, "configured")?;
        let held = if configured { Held::Configured(change_of(row)?.entry) } else { Held::Created };
        Ok((column(row, "sha256")?, held))
    });
    held.collect()
}

async fn put_static(
    connection: &mut SqliteConnection,
    sha256: &str,
    entry: &KeyEntry,
    at_s: u64,
) -> Result<(), Error> {
    let doing = "writing a configured key";
    let seq = next_version(connection, doing).await?;
    sqlx::query("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, NULL, ?)")
        .bind(sha256)
        .bind(&entry.id)
        .bind(&entry.id)
        .bind(&entry.tenant)
        .bind(&entry.user)
        .bind(roles_text(&entry.roles))
        .bind(stored(at_s))
        .bind(entry.expires_at_s.map(stored))
        .bind(seq)
        .execute(connection)
        .await
        .map_err(Error::database(doing))?;
    Ok(())
}

async fn remove_static(
    connection: &mut SqliteConnection,
    sha256: &str,
    at_s: u64,
) -> Result<(), Error> {
    let doing = "removing a configured key";
    let seq = next_version(connection, doing).await?;
    sqlx::query("UPDATE keys SET revoked_at_s = ?, changed_seq = ? WHERE sha256 = ?")
        .bind(stored(at_s))
        .bind(seq)
        .bind(sha256)
        .execute(connection)
        .await
        .map_err(Error::database(doing))?;
    Ok(())
}

/// Takes the next version of the keyring.
async fn next_version(
    connection: &mut SqliteConnection,
    doing: &'static str,
) -> Result<i64, Error> {
    sqlx::query_scalar("UPDATE keyring SET version = version + 1 RETURNING version")
        .fetch_one(connection)
        .await
        .map_err(Error::database(doing))
}

fn change_of(row: &SqliteRow) -> Result<KeyChange, Error> {
    let revoked: Option<i64> = column(row, "revoked_at_s")?;
    let entry = if revoked.is_some() { None } else { Some(entry_of(row)?) };
    Ok(KeyChange { sha256: column(row, "sha256")?, entry })
}

fn entry_of(row: &SqliteRow) -> Result<KeyEntry, Error> {
    Ok(KeyEntry {
        id: column(row, "id")?,
        tenant: column(row, "tenant")?,
        user: column(row, "user")?,
        roles: roles_of(row)?,
        expires_at_s: column::<Option<i64>>(row, "expires_at_s")?.map(loaded),
    })
}

fn key_of(row: &SqliteRow) -> Result<Key, Error> {
    Ok(Key {
        id: column(row, "id")?,
        name: column(row, "name")?,
        tenant: column(row, "tenant")?,
        user: column(row, "user")?,
        roles: roles_of(row)?,
        configured: column(row, "configured")?,
        created_at_s: loaded(column(row, "created_at_s")?),
        expires_at_s: column::<Option<i64>>(row, "expires_at_s")?.map(loaded),
        revoked_at_s: column::<Option<i64>>(row, "revoked_at_s")?.map(loaded),
    })
}

fn roles_text(roles: &[String]) -> String {
    serde_json::Value::from(roles).to_string()
}

fn roles_of(row: &SqliteRow) -> Result<Vec<String>, Error> {
    let text: String = column(row, "roles")?;
    serde_json::from_str(&text).map_err(|_| Error::Corrupt { table: TABLE })
}

fn column<'r, T>(row: &'r SqliteRow, name: &str) -> Result<T, Error>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(name).map_err(|_| Error::Corrupt { table: TABLE })
}
