//! The keys of the configuration in a database.

use super::dialect::{Connection, Db, Pool, begin};
use super::keys::{change_of, column, list_text, next_versions};
use super::words::stored;
use super::{audit, keys};
use crate::audit::{Action, Actor, AuditEvent};
use crate::error::Error;
use crate::key::StaticKeysChange;
use contract::keyring::KeyEntry;
use sqlx::QueryBuilder;
use std::collections::HashMap;

/// Keys that one statement writes: far below what it takes of values, and enough
/// that 100,000 keys do not hold the writer for long.
const KEYS_PER_WRITE: usize = 200;

const PUTTING: &str = "writing the configured keys";

pub(super) async fn set(
    writer: &Pool,
    keys: &[(String, KeyEntry)],
    at_s: u64,
) -> Result<StaticKeysChange, Error> {
    let doing = "taking over the configured keys";
    let mut transaction = begin(writer, doing).await?;
    let mut held = held_keys(&mut transaction).await?;
    let mut change = StaticKeysChange::default();
    let (mut given, mut events) = (Vec::new(), Vec::new());
    for key in keys {
        let (sha256, entry) = key;
        match held.remove(sha256) {
            Some(Held::Created) => change.ignored.push(entry.id.clone()),
            Some(Held::Configured(Some(before))) if before == *entry => {}
            before => {
                given.push(key);
                let changed = matches!(before, Some(Held::Configured(Some(_))));
                let action = if changed { Action::KeyChanged } else { Action::KeyCreated };
                events.push(meaning(at_s, action, entry));
            }
        }
    }
    put(&mut transaction, &given, at_s).await?;
    let gone: Vec<_> = held.into_iter().filter_map(configured).collect();
    remove(&mut transaction, &gone, at_s).await?;
    let revoked = |id: &str| keys::event(at_s, Actor::Config, Action::KeyRevoked, id);
    events.extend(gone.iter().map(|(_, entry)| revoked(&entry.id)));
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

/// A key of the configuration that is in force, and its digest.
fn configured((sha256, held): (String, Held)) -> Option<(String, KeyEntry)> {
    match held {
        Held::Configured(Some(entry)) => Some((sha256, entry)),
        Held::Configured(None) | Held::Created => None,
    }
}

async fn held_keys(connection: &mut Connection) -> Result<HashMap<String, Held>, Error> {
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
fn meaning(at_s: u64, action: Action, entry: &KeyEntry) -> AuditEvent {
    keys::event(at_s, Actor::Config, action, &entry.id)
        .with("tenant", entry.tenant.as_str())
        .with("user", entry.user.clone())
        .with("roles", entry.roles.clone())
        .with("models", entry.models.clone())
        .with("masking", entry.masking.clone())
        .with("limits", entry.limits.clone())
        .with("budget", entry.budget)
        .with("expires_at_s", entry.expires_at_s)
}

/// Writes keys in this order, each with a version of its own.
async fn put(
    connection: &mut Connection,
    keys: &[&(String, KeyEntry)],
    at_s: u64,
) -> Result<(), Error> {
    for keys in keys.chunks(KEYS_PER_WRITE) {
        let first = next_versions(connection, stored(keys.len() as u64), PUTTING).await?;
        put_some(connection, (first..).zip(keys.iter().copied()), at_s)
            .await
            .map_err(Error::database(PUTTING))?;
    }
    Ok(())
}

async fn put_some(
    connection: &mut Connection,
    keys: impl Iterator<Item = (i64, &(String, KeyEntry))>,
    at_s: u64,
) -> sqlx::Result<()> {
    let mut insert = QueryBuilder::<Db>::new(
        r#"INSERT INTO keys (sha256, id, name, tenant, "user", roles, models, masking, configured,
         created_at_s, expires_at_s, changed_seq, limits, has_budget) "#,
    );
    insert.push_values(keys, |mut row, (seq, (sha256, entry))| {
        row.push_bind(sha256.clone())
            .push_bind(entry.id.clone())
            .push_bind(entry.id.clone())
            .push_bind(entry.tenant.clone())
            .push_bind(entry.user.clone())
            .push_bind(list_text(&entry.roles))
            .push_bind(list_text(&entry.models))
            .push_bind(entry.masking.clone())
            .push_bind(true)
            .push_bind(stored(at_s))
            .push_bind(entry.expires_at_s.map(stored))
            .push_bind(seq)
            .push_bind(entry.limits.clone())
            .push_bind(entry.budget);
    });
    insert.push(
        r#" ON CONFLICT (sha256) DO UPDATE SET id = excluded.id, name = excluded.name,
         tenant = excluded.tenant, "user" = excluded."user", roles = excluded.roles,
         models = excluded.models, masking = excluded.masking, created_at_s = excluded.created_at_s,
         expires_at_s = excluded.expires_at_s, revoked_at_s = NULL,
         changed_seq = excluded.changed_seq, limits = excluded.limits,
         has_budget = excluded.has_budget"#,
    );
    insert.build().execute(connection).await.map(drop)
}

/// Makes keys void, each with a version of its own.
async fn remove(
    connection: &mut Connection,
    keys: &[(String, KeyEntry)],
    at_s: u64,
) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let doing = "removing the configured keys";
    let first = next_versions(connection, stored(keys.len() as u64), doing).await?;
    for (seq, (sha256, _)) in (first..).zip(keys) {
        sqlx::query("UPDATE keys SET revoked_at_s = $1, changed_seq = $2 WHERE sha256 = $3")
            .bind(stored(at_s))
            .bind(seq)
            .bind(sha256)
            .execute(&mut *connection)
            .await
            .map_err(Error::database(doing))?;
    }
    Ok(())
}
