//! The keys of the configuration in SQLite.

use super::keys::{change_of, column, list_text, next_version};
use super::{audit, keys, stored};
use crate::audit::{Action, Actor, AuditEvent};
use crate::error::Error;
use crate::key::StaticKeysChange;
use contract::keyring::KeyEntry;
use sqlx::{SqliteConnection, SqlitePool};
use std::collections::HashMap;

pub(super) async fn set(
    writer: &SqlitePool,
    keys: &[(String, KeyEntry)],
    at_s: u64,
) -> Result<StaticKeysChange, Error> {
    let doing = "taking over the configured keys";
    let mut transaction =
        writer.begin_with("BEGIN IMMEDIATE").await.map_err(Error::database(doing))?;
    let mut held = held_keys(&mut transaction).await?;
    let mut change = StaticKeysChange::default();
    let mut events = Vec::new();
    for (sha256, entry) in keys {
        match held.remove(sha256) {
            Some(Held::Created) => change.ignored.push(entry.id.clone()),
            Some(Held::Configured(Some(before))) if before == *entry => {}
            before => {
                put(&mut transaction, sha256, entry, at_s).await?;
                let changed = matches!(before, Some(Held::Configured(Some(_))));
                let action = if changed { Action::KeyChanged } else { Action::KeyCreated };
                events.push(given(at_s, action, entry));
            }
        }
    }
    for (sha256, before) in held {
        if let Held::Configured(Some(entry)) = before {
            remove(&mut transaction, &sha256, at_s).await?;
            events.push(keys::event(at_s, Actor::Config, Action::KeyRevoked, &entry.id));
        }
    }
    change.changed = events.len();
    audit::append(&mut transaction, &events).await?;
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

/// What the audit trail says of a key that the configuration gave a meaning.
fn given(at_s: u64, action: Action, entry: &KeyEntry) -> AuditEvent {
    keys::event(at_s, Actor::Config, action, &entry.id)
        .with("tenant", entry.tenant.as_str())
        .with("roles", entry.roles.clone())
        .with("models", entry.models.clone())
        .with("expires_at_s", entry.expires_at_s)
}

async fn put(
    connection: &mut SqliteConnection,
    sha256: &str,
    entry: &KeyEntry,
    at_s: u64,
) -> Result<(), Error> {
    let doing = "writing a configured key";
    let seq = next_version(connection, doing).await?;
    sqlx::query(
        "INSERT INTO keys (sha256, id, name, tenant, user, roles, models, configured,
         created_at_s, expires_at_s, changed_seq)
         VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, ?9)
         ON CONFLICT (sha256) DO UPDATE SET id = ?2, name = ?2, tenant = ?3, user = ?4,
         roles = ?5, models = ?6, created_at_s = ?7, expires_at_s = ?8, revoked_at_s = NULL,
         changed_seq = ?9",
    )
    .bind(sha256)
    .bind(&entry.id)
    .bind(&entry.tenant)
    .bind(&entry.user)
    .bind(list_text(&entry.roles))
    .bind(list_text(&entry.models))
    .bind(stored(at_s))
    .bind(entry.expires_at_s.map(stored))
    .bind(seq)
    .execute(connection)
    .await
    .map_err(Error::database(doing))?;
    Ok(())
}

async fn remove(connection: &mut SqliteConnection, sha256: &str, at_s: u64) -> Result<(), Error> {
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
