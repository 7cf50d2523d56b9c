//! The last number of each series and, where it is a chain, its hash, in a database.

use super::dialect::Connection;
use super::words::{loaded, stored};
use crate::audit::Head;
use sqlx::Row as _;

/// The chain of records.
pub(super) const RECORDS: &str = "usage";

/// The chain of postings.
pub(super) const POSTINGS: &str = "postings";

/// The numbers of leases.
pub(super) const LEASES: &str = "leases";

pub(super) async fn head(connection: &mut Connection, name: &str) -> sqlx::Result<Head> {
    let row = sqlx::query("SELECT seq, hash FROM heads WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(Head::GENESIS) };
    let hash: Vec<u8> = row.try_get("hash")?;
    let hash = hash.try_into().map_err(|_| sqlx::Error::ColumnNotFound("heads.hash".to_owned()))?;
    Ok(Head { seq: loaded(row.try_get("seq")?), hash })
}

pub(super) async fn set_head(
    connection: &mut Connection,
    name: &str,
    head: Head,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO heads (name, seq, hash) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
    )
    .bind(name)
    .bind(stored(head.seq))
    .bind(head.hash.to_vec())
    .execute(connection)
    .await
    .map(drop)
}
