//! Moving a ledger from SQLite to PostgreSQL: every row of every table, as it is.
//!
//! All of it is one transaction, so that a migration that was killed has moved nothing
//! and can be begun again. Before the commit each table is read back: rows and bytes must
//! be those that were sent.

mod copied;

use crate::audit::Verdict;
use crate::error::Error;
use crate::postgres::{self, PostgresStore};
use crate::sqlite::SqliteStore;
use crate::store::Store;
use copied::{Tally, push_row};
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};
use std::collections::HashSet;

const READING: &str = "reading the ledger that is to be moved";
const WRITING: &str = "moving the ledger";
const PROVING: &str = "reading back what was moved";

/// Bytes that are sent at a time: 256 KiB.
const BYTES_PER_SEND: usize = 256 * 1024;

/// Tables that have a row in an empty ledger, and the condition of a row that is of a
/// ledger in use.
const SEEDED: [(&str, &str); 3] = [
    ("keyring", "version <> 0"),
    ("nonce_count", "rows <> 0"),
    ("spool_positions", "generation <> 1 OR byte_offset <> 0"),
];

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Each table and its rows.
    pub tables: Vec<(String, u64)>,
    /// What the verification of the audit trail says where it is now.
    pub audit: Verdict,
}

/// Copies all of `from` into `to`, which must be empty: [`Error::NotEmpty`]. The control
/// plane of `from` must not run: what it writes afterwards stays behind. Nothing is
/// changed in `from`.
pub async fn migrate(from: &SqliteStore, to: &PostgresStore) -> Result<Migrated, Error> {
    // Keeps other writers out until all is moved.
    let begun = from.writer.begin_with("BEGIN IMMEDIATE").await;
    let mut source = begun.map_err(Error::database(READING))?;
    let mut target = postgres::begin_migration(to).await?;
    let tables = tables(&mut source).await?;
    refuse_unless_empty(&mut target, &tables).await?;
    let mut moved = Vec::new();
    for table in tables {
        let sent = send(&mut source, &mut target, &table).await?;
        if received(&mut target, &table).await? != sent {
            return Err(Error::Moved { table: table.name });
        }
        moved.push((table.name, sent.rows));
    }
    target.commit().await.map_err(Error::database(WRITING))?;
    Ok(Migrated { tables: moved, audit: to.verify_audit(None).await? })
}

/// A table and the columns that are moved; PostgreSQL numbers `rowid` anew.
struct Table {
    name: String,
    columns: Vec<String>,
}

impl Table {
    /// The columns as SQL.
    fn list(&self) -> String {
        let quoted: Vec<_> = self.columns.iter().map(|name| format!("\"{name}\"")).collect();
        quoted.join(", ")
    }
}

/// The tables of the ledger, those with SQLite's and sqlx's own names not among them.
async fn tables(source: &mut SqliteConnection) -> Result<Vec<Table>, Error> {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT tables.name, columns.name
         FROM sqlite_schema tables, pragma_table_info(tables.name) columns
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         AND tables.name <> '_sqlx_migrations' ORDER BY tables.name, columns.cid",
    )
    .fetch_all(source)
    .await
    .map_err(Error::database(READING))?;
    let mut tables: Vec<Table> = Vec::new();
    for (name, column) in columns {
        match tables.last_mut() {
            Some(last) if last.name == name => last.columns.push(column),
            _ => tables.push(Table { name, columns: vec![column] }),
        }
    }
    Ok(tables)
}

/// Takes the rows away that every new ledger has.
async fn refuse_unless_empty(target: &mut PgConnection, tables: &[Table]) -> Result<(), Error> {
    for table in tables {
        let name = &table.name;
        let seeded = SEEDED.iter().find(|(seeded, _)| seeded == name);
        let used = seeded.map_or("TRUE", |(_, used)| used);
        let sql = format!("SELECT EXISTS (SELECT 1 FROM \"{name}\" WHERE {used})");
        let found: bool = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *target)
            .await
            .map_err(Error::database(WRITING))?;
        if found {
            return Err(Error::NotEmpty { table: name.clone() });
        }
        if seeded.is_some() {
            run(target, format!("DELETE FROM \"{name}\"")).await?;
        }
    }
    Ok(())
}

/// Sends the rows of a table.
async fn send(
    source: &mut SqliteConnection,
    target: &mut PgConnection,
    table: &Table,
) -> Result<Tally, Error> {
    let flags = flags(target, table).await?;
    let (name, columns) = (&table.name, table.list());
    let order = if has_rowid(source, name).await? { "ORDER BY rowid" } else { "" };
    let select = AssertSqlSafe(format!("SELECT {columns} FROM \"{name}\" {order}"));
    let mut rows = sqlx::query(select).fetch(source);
    let copy = format!("COPY \"{name}\" ({columns}) FROM STDIN");
    let mut copy = target.copy_in_raw(&copy).await.map_err(Error::database(WRITING))?;
    let (mut tally, mut buffer) = (Tally::default(), Vec::new());
    while let Some(row) = rows.try_next().await.map_err(Error::database(READING))? {
        let begin = buffer.len();
        push_row(&mut buffer, &row, &flags).ok_or(Error::Corrupt { table: "to be moved" })?;
        tally.take(buffer.get(begin..).unwrap_or_default());
        if buffer.len() >= BYTES_PER_SEND {
            copy.send(std::mem::take(&mut buffer)).await.map_err(Error::database(WRITING))?;
        }
    }
    copy.send(buffer).await.map_err(Error::database(WRITING))?;
    copy.finish().await.map_err(Error::database(WRITING))?;
    Ok(tally)
}

/// What stands in the table now.
async fn received(target: &mut PgConnection, table: &Table) -> Result<Tally, Error> {
    let copy = format!("COPY \"{}\" ({}) TO STDOUT", table.name, table.list());
    let mut parts = target.copy_out_raw(&copy).await.map_err(Error::database(PROVING))?;
    let (mut tally, mut rest) = (Tally::default(), Vec::new());
    while let Some(part) = parts.try_next().await.map_err(Error::database(PROVING))? {
        rest.extend_from_slice(&part);
        let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = rest.drain(..whole).collect();
        lines.split_inclusive(|byte| *byte == b'\n').for_each(|line| tally.take(line));
    }
    Ok(tally)
}

/// Which columns are flags there; they are numbers in SQLite.
async fn flags(target: &mut PgConnection, table: &Table) -> Result<Vec<bool>, Error> {
    let names: HashSet<String> = sqlx::query_scalar(
        "SELECT CAST(column_name AS TEXT) FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name = $1 AND data_type = 'boolean'",
    )
    .bind(&table.name)
    .fetch_all(target)
    .await
    .map_err(Error::database(WRITING))?
    .into_iter()
    .collect();
    Ok(table.columns.iter().map(|column| names.contains(column)).collect())
}

/// Whether the table's rows have an order of their own.
async fn has_rowid(source: &mut SqliteConnection, table: &str) -> Result<bool, Error> {
    let without = sqlx::query("SELECT 1 FROM pragma_table_list($1) WHERE wr = 1")
        .bind(table)
        .fetch_optional(source)
        .await
        .map_err(Error::database(READING))?;
    Ok(without.is_none())
}

async fn run(target: &mut PgConnection, sql: String) -> Result<(), Error> {
    let done = sqlx::query(AssertSqlSafe(sql)).execute(target).await;
    done.map(drop).map_err(Error::database(WRITING))
}

#[cfg(test)]
mod tests;
