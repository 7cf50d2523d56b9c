//! What was counted while reading spools, in a database.

use super::dialect::{Connection, Pool};
use super::words::{loaded, stored};
use crate::error::Error;
use crate::store::Counts;

pub(super) async fn all(reader: &Pool) -> Result<Counts, Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT name, value FROM counts")
        .fetch_all(reader)
        .await
        .map_err(Error::database("reading the counts"))?;
    let named: serde_json::Map<_, _> =
        rows.into_iter().map(|(name, value)| (name, loaded(value).into())).collect();
    serde_json::from_value(named.into()).map_err(|_| Error::Corrupt { table: "counts" })
}

/// Adds what a batch has counted.
pub(super) async fn add(connection: &mut Connection, counts: &Counts) -> sqlx::Result<()> {
    let Ok(serde_json::Value::Object(named)) = serde_json::to_value(counts) else {
        return Ok(());
    };
    for (name, value) in named.iter().filter(|(_, value)| value.as_u64() != Some(0)) {
        sqlx::query(
            "INSERT INTO counts (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = counts.value + excluded.value",
        )
        .bind(name)
        .bind(stored(value.as_u64().unwrap_or(0)))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
