//! What the postings tell of credentials: when a key was last used, and on which days
//! each was.

use super::audit;
use super::dialect::{Connection, Db};
use super::words::{loaded, stored};
use crate::audit::{Action, Actor, AuditEvent};
use crate::error::Error;
use crate::record::UsageRecord;
use sqlx::QueryBuilder;
use std::collections::{BTreeMap, HashSet};

const MS_PER_DAY: u64 = 24 * 60 * 60 * 1_000;

/// Rows of one statement: full ones share one that is prepared.
const ROWS_PER_STATEMENT: usize = 64;

const DOING: &str = "noting the use of keys";

/// Notes the uses of posted records, within their transaction. What is noted again
/// changes nothing.
pub(super) async fn note(
    connection: &mut Connection,
    records: &[UsageRecord],
) -> Result<(), Error> {
    let last: Vec<_> = last_uses(records).into_iter().collect();
    for some in last.chunks(ROWS_PER_STATEMENT) {
        used(connection, some).await.map_err(Error::database(DOING))?;
    }
    let first: Vec<_> = first_uses(records).into_iter().collect();
    let mut events = Vec::new();
    for some in first.chunks(ROWS_PER_STATEMENT) {
        let new = new_days(connection, some).await.map_err(Error::database(DOING))?;
        events.extend(some.iter().filter(|(used, _)| new.contains(&owned(used))).map(accepted));
    }
    if !events.is_empty() {
        audit::append(connection, &events).await?;
    }
    Ok(())
}

/// A day since 1970 in UTC, and a tenant and its credential that was used on it.
type Use<'a> = (u64, &'a str, &'a str);

fn owned((day, tenant, key): &Use<'_>) -> (u64, String, String) {
    (*day, (*tenant).to_owned(), (*key).to_owned())
}

fn accepted(((_, tenant, key), at_ms): &(Use<'_>, u64)) -> AuditEvent {
    let event = AuditEvent::new(*at_ms, Actor::Gateway, Action::AuthAccepted, *key);
    event.with("tenant", *tenant)
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
fn first_uses(records: &[UsageRecord]) -> BTreeMap<Use<'_>, u64> {
    let mut first = BTreeMap::new();
    for record in records {
        let use_of = (record.at_ms / MS_PER_DAY, record.tenant.as_str(), record.key.as_str());
        let at_ms = first.entry(use_of).or_insert(record.at_ms);
        *at_ms = record.at_ms.min(*at_ms);
    }
    first
}

/// A credential that is no key has no row, and nothing happens.
async fn used(connection: &mut Connection, last: &[(&str, u64)]) -> sqlx::Result<()> {
    let mut update = QueryBuilder::<Db>::new("WITH fresh (id, at_s) AS (");
    update.push_values(last, |mut row, (key, at_ms)| {
        row.push_bind((*key).to_owned()).push_bind(stored(at_ms / 1_000));
    });
    update.push(
        ") UPDATE keys SET last_used_at_s = fresh.at_s FROM fresh WHERE keys.id = fresh.id
         AND (keys.last_used_at_s IS NULL OR keys.last_used_at_s < fresh.at_s)
         AND (NOT keys.configured OR keys.revoked_at_s IS NULL)",
    );
    update.build().execute(connection).await.map(drop)
}

/// Notes uses; returns those that are the first on their day.
async fn new_days(
    connection: &mut Connection,
    uses: &[(Use<'_>, u64)],
) -> sqlx::Result<HashSet<(u64, String, String)>> {
    let mut insert = QueryBuilder::<Db>::new(r#"INSERT INTO days_of_use (day, tenant, "key") "#);
    insert.push_values(uses, |mut row, ((day, tenant, key), _)| {
        row.push_bind(stored(*day)).push_bind((*tenant).to_owned()).push_bind((*key).to_owned());
    });
    insert.push(r#" ON CONFLICT DO NOTHING RETURNING day, tenant, "key""#);
    let new: Vec<(i64, String, String)> = insert.build_query_as().fetch_all(connection).await?;
    Ok(new.into_iter().map(|(day, tenant, key)| (loaded(day), tenant, key)).collect())
}
