//! What the postings tell of credentials: when a key was last used, and on which days
//! each was.

use super::{audit, stored};
use crate::audit::{Action, Actor, AuditEvent};
use crate::error::Error;
use crate::record::UsageRecord;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

const MS_PER_DAY: u64 = 24 * 60 * 60 * 1_000;

const DOING: &str = "noting the use of keys";

/// Notes the uses of posted records, within their transaction. What is noted again
/// changes nothing.
pub(super) async fn note(
    connection: &mut SqliteConnection,
    records: &[UsageRecord],
) -> Result<(), Error> {
    for (key, at_ms) in last_uses(records) {
        used(connection, key, at_ms / 1_000).await.map_err(Error::database(DOING))?;
    }
    let mut events = Vec::new();
    for ((day, tenant, key), at_ms) in first_uses(records) {
        if is_first(connection, day, tenant, key).await.map_err(Error::database(DOING))? {
            let event = AuditEvent::new(at_ms, Actor::Gateway, Action::AuthAccepted, key);
            events.push(event.with("tenant", tenant));
        }
    }
    if !events.is_empty() {
        audit::append(connection, &events).await?;
    }
    Ok(())
}

/// The latest time of each key.
fn last_uses(records: &[UsageRecord]) -> BTreeMap<&str, u64> {
    let mut last = BTreeMap::new();
    for record in records {
        let at_ms = last.entry(record.key.as_str()).or_insert(record.at_ms);
        *at_ms = record.at_ms.max(*at_ms);
    }
    last
}

/// The earliest time of each credential on each day.
fn first_uses(records: &[UsageRecord]) -> BTreeMap<(u64, &str, &str), u64> {
    let mut first = BTreeMap::new();
    for record in records {
        let use_of = (record.at_ms / MS_PER_DAY, record.tenant.as_str(), record.key.as_str());
        let at_ms = first.entry(use_of).or_insert(record.at_ms);
        *at_ms = record.at_ms.min(*at_ms);
    }
    first
}

/// A credential that is no key has no row, and nothing happens.
async fn used(connection: &mut SqliteConnection, key: &str, at_s: u64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE keys SET last_used_at_s = ?1 WHERE id = ?2
         AND (last_used_at_s IS NULL OR last_used_at_s < ?1)
         AND (configured = 0 OR revoked_at_s IS NULL)",
    )
    .bind(stored(at_s))
    .bind(key)
    .execute(connection)
    .await?;
    Ok(())
}

async fn is_first(
    connection: &mut SqliteConnection,
    day: u64,
    tenant: &str,
    key: &str,
) -> sqlx::Result<bool> {
    let new = sqlx::query("INSERT INTO days_of_use VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(stored(day))
        .bind(tenant)
        .bind(key)
        .execute(connection)
        .await?;
    Ok(new.rows_affected() == 1)
}
