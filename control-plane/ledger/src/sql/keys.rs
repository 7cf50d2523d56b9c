//! Keys in a database.

use super::audit;
use super::dialect::{Connection, Db, Pool, Row, begin, begin_read};
use super::granting::budget;
use super::words::{loaded, stored};
use crate::audit::{Action, Actor, AuditEvent};
use crate::budget::Budget;
use crate::error::Error;
use crate::key::{Key, NewKey, Revocation};
use contract::keyring::{KeyChange, KeyEntry, KeyringDelta};
use sqlx::{QueryBuilder, Row as _};

const TABLE: &str = "keys";

/// Bytes of randomness in the keyring's epoch.
pub(super) const EPOCH_BYTES: usize = 16;

/// Names the history that the keyring's versions count in, once for each database.
pub(super) async fn make_epoch(writer: &Pool) -> Result<(), Error> {
    let mut random = [0; EPOCH_BYTES];
    getrandom::fill(&mut random).map_err(Error::Random)?;
    sqlx::query(
        "INSERT INTO keyring (only_row, epoch, version) VALUES (1, $1, 0) ON CONFLICT DO NOTHING",
    )
    .bind(hex::encode(random))
    .execute(writer)
    .await
    .map_err(Error::database("naming the keyring's epoch"))?;
    Ok(())
}

pub(super) async fn create(writer: &Pool, key: &NewKey) -> Result<(), Error> {
    let doing = "making a key";
    let mut transaction = begin(writer, doing).await?;
    insert(&mut transaction, key, None).await?;
    audit::append(&mut transaction, &[created(key)]).await?;
    transaction.commit().await.map_err(Error::database(doing))
}

/// Writes a created key, which stands in for `rotated_from`.
pub(super) async fn insert(
    connection: &mut Connection,
    key: &NewKey,
    rotated_from: Option<&str>,
) -> Result<(), Error> {
    let doing = "writing a key";
    let seq = next_version(connection, doing).await?;
    sqlx::query(
        r#"INSERT INTO keys (sha256, id, name, tenant, "user", roles, models, masking, configured,
         created_at_s, expires_at_s, rotated_from, changed_seq, limits, has_budget,
         budget_nanodollars, budget_per)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE, $9, $10, $11, $12, $13, $14, $15, $16)"#,
    )
    .bind(&key.sha256)
    .bind(&key.id)
    .bind(&key.name)
    .bind(&key.tenant)
    .bind(&key.user)
    .bind(list_text(&key.roles))
    .bind(list_text(&key.models))
    .bind(&key.masking)
    .bind(stored(key.at_s))
    .bind(key.expires_at_s.map(stored))
    .bind(rotated_from)
    .bind(seq)
    .bind(&key.limits)
    .bind(key.budget.is_some())
    .bind(key.budget.map(|budget| stored(budget.nanodollars)))
    .bind(key.budget.map(|budget| budget.per.as_str()))
    .execute(connection)
    .await
    .map_err(taken_or(doing))?;
    Ok(())
}

/// What the audit trail says of a key that was made.
pub(super) fn created(key: &NewKey) -> AuditEvent {
    event(key.at_s, Actor::Admin, Action::KeyCreated, &key.id)
        .with("tenant", key.tenant.as_str())
        .with("name", key.name.as_str())
        .with("user", key.user.clone())
        .with("roles", key.roles.clone())
        .with("models", key.models.clone())
        .with("masking", key.masking.clone())
        .with("limits", key.limits.clone())
        .with("budget_nanodollars", key.budget.map(|budget| budget.nanodollars))
        .with("budget_per", key.budget.map(|budget| budget.per.as_str()))
        .with("expires_at_s", key.expires_at_s)
}

/// Something that was done to the key `id` at Unix second `at_s`.
pub(super) fn event(at_s: u64, actor: Actor, action: Action, id: &str) -> AuditEvent {
    AuditEvent::new(at_s.saturating_mul(1_000), actor, action, id)
}

fn taken_or(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |cause| match &cause {
        sqlx::Error::Database(said) if said.is_unique_violation() => Error::KeyExists,
        _ => Error::Database { doing, cause },
    }
}

pub(super) async fn revoke(writer: &Pool, id: &str, at_s: u64) -> Result<Revocation, Error> {
    let doing = "revoking a key";
    let mut transaction = begin(writer, doing).await?;
    let before = standing(&mut transaction, id).await.map_err(Error::database(doing))?;
    if before != Revocation::Revoked {
        return Ok(before);
    }
    make_void(&mut transaction, id, at_s).await?;
    let revoked = event(at_s, Actor::Admin, Action::KeyRevoked, id);
    audit::append(&mut transaction, &[revoked]).await?;
    transaction.commit().await.map_err(Error::database(doing))?;
    Ok(Revocation::Revoked)
}

/// Revokes a created key.
pub(super) async fn make_void(
    connection: &mut Connection,
    id: &str,
    at_s: u64,
) -> Result<(), Error> {
    let doing = "making a key void";
    let seq = next_version(connection, doing).await?;
    sqlx::query(
        "UPDATE keys SET revoked_at_s = $1, changed_seq = $2 WHERE id = $3 AND NOT configured",
    )
    .bind(stored(at_s))
    .bind(seq)
    .bind(id)
    .execute(connection)
    .await
    .map_err(Error::database(doing))?;
    Ok(())
}

/// What a revocation of `id` would come to. A created key goes before a
/// configured one of the same id.
async fn standing(connection: &mut Connection, id: &str) -> Result<Revocation, sqlx::Error> {
    let found: Option<(bool, bool)> = sqlx::query_as(
        "SELECT configured, revoked_at_s IS NOT NULL FROM keys WHERE id = $1
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

pub(super) async fn list(reader: &Pool, tenant: Option<&str>) -> Result<Vec<Key>, Error> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT * FROM keys WHERE NOT (configured AND revoked_at_s IS NOT NULL)",
    );
    if let Some(tenant) = tenant {
        query.push(" AND tenant = ").push_bind(tenant);
    }
    query.push(" ORDER BY rowid");
    let rows =
        query.build().fetch_all(reader).await.map_err(Error::database("listing the keys"))?;
    rows.iter().map(key_of).collect()
}

pub(super) async fn in_force(reader: &Pool) -> Result<u64, Error> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM keys WHERE revoked_at_s IS NULL")
        .fetch_one(reader)
        .await
        .map_err(Error::database("counting the keys"))?;
    Ok(loaded(count))
}

pub(super) async fn by_digest(reader: &Pool, sha256: &str) -> Result<Option<KeyEntry>, Error> {
    let row = sqlx::query("SELECT * FROM keys WHERE sha256 = $1 AND revoked_at_s IS NULL")
        .bind(sha256)
        .fetch_optional(reader)
        .await
        .map_err(Error::database("looking a key up"))?;
    row.as_ref().map(entry_of).transpose()
}

pub(super) async fn version(reader: &Pool) -> Result<u64, Error> {
    let version: i64 = sqlx::query_scalar("SELECT version FROM keyring")
        .fetch_one(reader)
        .await
        .map_err(Error::database("reading the keyring's version"))?;
    Ok(loaded(version))
}

pub(super) async fn since(
    reader: &Pool,
    epoch: Option<&str>,
    since: u64,
    max: usize,
) -> Result<KeyringDelta, Error> {
    let doing = "reading the keyring";
    let mut transaction = begin_read(reader, doing).await?;
    let (ours, newest): (String, i64) = sqlx::query_as("SELECT epoch, version FROM keyring")
        .fetch_one(&mut *transaction)
        .await
        .map_err(Error::database(doing))?;
    let goes_on = epoch == Some(ours.as_str()) && since <= loaded(newest);
    let rows =
        sqlx::query("SELECT * FROM keys WHERE changed_seq > $1 ORDER BY changed_seq LIMIT $2")
            .bind(if goes_on { stored(since) } else { 0 })
            .bind(stored(max.max(1) as u64).saturating_add(1))
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::database(doing))?;
    delta_of(ours, loaded(newest), &rows, max.max(1))
}

/// The changes of `rows`, of which there is one too many when more wait.
fn delta_of(epoch: String, newest: u64, rows: &[Row], max: usize) -> Result<KeyringDelta, Error> {
    let more = rows.len() > max;
    let rows = rows.get(..max).unwrap_or(rows);
    let changes = rows.iter().map(change_of).collect::<Result<Vec<_>, _>>()?;
    let version = match rows.last() {
        Some(last) if more => loaded(column(last, "changed_seq")?),
        _ => newest,
    };
    Ok(KeyringDelta { epoch, version, more, changes, ..KeyringDelta::default() })
}

/// Takes the next version of the keyring.
pub(super) async fn next_version(
    connection: &mut Connection,
    doing: &'static str,
) -> Result<i64, Error> {
    next_versions(connection, 1, doing).await
}

/// Takes the next `count` versions of the keyring; returns the first of them.
pub(super) async fn next_versions(
    connection: &mut Connection,
    count: i64,
    doing: &'static str,
) -> Result<i64, Error> {
    sqlx::query_scalar("UPDATE keyring SET version = version + $1 RETURNING version - $1 + 1")
        .bind(count)
        .fetch_one(connection)
        .await
        .map_err(Error::database(doing))
}

pub(super) fn change_of(row: &Row) -> Result<KeyChange, Error> {
    let revoked: Option<i64> = column(row, "revoked_at_s")?;
    let entry = if revoked.is_some() { None } else { Some(entry_of(row)?) };
    Ok(KeyChange { sha256: column(row, "sha256")?, entry })
}

fn entry_of(row: &Row) -> Result<KeyEntry, Error> {
    Ok(KeyEntry {
        id: column(row, "id")?,
        tenant: column(row, "tenant")?,
        user: column(row, "user")?,
        roles: list_of(row, "roles")?,
        models: list_of(row, "models")?,
        masking: column(row, "masking")?,
        limits: column(row, "limits")?,
        budget: column(row, "has_budget")?,
        expires_at_s: column::<Option<i64>>(row, "expires_at_s")?.map(loaded),
    })
}

pub(super) fn key_of(row: &Row) -> Result<Key, Error> {
    Ok(Key {
        id: column(row, "id")?,
        name: column(row, "name")?,
        tenant: column(row, "tenant")?,
        user: column(row, "user")?,
        roles: list_of(row, "roles")?,
        models: list_of(row, "models")?,
        masking: column(row, "masking")?,
        limits: column(row, "limits")?,
        budget: budget_of(row)?,
        configured: column(row, "configured")?,
        created_at_s: loaded(column(row, "created_at_s")?),
        expires_at_s: column::<Option<i64>>(row, "expires_at_s")?.map(loaded),
        revoked_at_s: column::<Option<i64>>(row, "revoked_at_s")?.map(loaded),
        last_used_at_s: column::<Option<i64>>(row, "last_used_at_s")?.map(loaded),
        rotated_from: column(row, "rotated_from")?,
        replaced_by: column(row, "replaced_by")?,
    })
}

fn budget_of(row: &Row) -> Result<Option<Budget>, Error> {
    let nanodollars: Option<i64> = column(row, "budget_nanodollars")?;
    let per: Option<String> = column(row, "budget_per")?;
    Ok(nanodollars.zip(per).and_then(|(nanodollars, per)| budget(nanodollars, &per)))
}

pub(super) fn list_text(words: &[String]) -> String {
    serde_json::Value::from(words).to_string()
}

fn list_of(row: &Row, name: &str) -> Result<Vec<String>, Error> {
    let text: String = column(row, name)?;
    serde_json::from_str(&text).map_err(|_| Error::Corrupt { table: TABLE })
}

pub(super) fn column<'r, T>(row: &'r Row, name: &str) -> Result<T, Error>
where
    T: sqlx::Decode<'r, Db> + sqlx::Type<Db>,
{
    row.try_get(name).map_err(|_| Error::Corrupt { table: TABLE })
}
