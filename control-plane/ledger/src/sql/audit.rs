//! The audit trail in a database.

use super::dialect::{Connection, Db, Pool, Row, begin};
use super::words::{loaded, push_times, push_words, stored};
use crate::audit::{self, AuditEvent, AuditFilter, AuditRow, Fault, Head, Sealed};
use crate::audit::{Verdict, Verification};
use crate::error::Error;
use crate::record::AT_MS_MAX;
use serde_json::Value;
use sqlx::{QueryBuilder, Row as _};

/// Rows that are read at a time: some 300 KiB.
const ROWS_PER_READ: i64 = 1_000;

/// Rows that one statement writes: far below what a statement takes of values.
const ROWS_PER_WRITE: usize = 200;

const CORRUPT: Error = Error::Corrupt { table: "audit" };

pub(super) async fn note(writer: &Pool, event: &AuditEvent) -> Result<Head, Error> {
    let doing = "noting in the audit trail";
    let mut transaction = begin(writer, doing).await?;
    let head = append(&mut transaction, std::slice::from_ref(event)).await?;
    transaction.commit().await.map_err(Error::database(doing))?;
    Ok(head)
}

/// Adds rows within the transaction of what they tell of.
pub(super) async fn append(
    connection: &mut Connection,
    events: &[AuditEvent],
) -> Result<Head, Error> {
    let mut head = head_of(connection).await?;
    for events in events.chunks(ROWS_PER_WRITE) {
        head = append_some(connection, head, events).await?;
    }
    Ok(head)
}

async fn append_some(
    connection: &mut Connection,
    mut head: Head,
    events: &[AuditEvent],
) -> Result<Head, Error> {
    let details = events.iter().map(audit::detail_text).collect::<Result<Vec<_>, _>>()?;
    let sealed = events.iter().zip(&details).map(|(event, detail)| {
        let row = next_row(head, event, detail);
        let hash = row.hash(&head.hash);
        head = Head { seq: loaded(row.seq), hash };
        (row, hash)
    });
    let mut insert = QueryBuilder::<Db>::new(
        r#"INSERT INTO audit (seq, at_ms, actor, "action", subject, detail, hash) "#,
    );
    insert.push_values(sealed, |mut values, (row, hash)| {
        values
            .push_bind(row.seq)
            .push_bind(row.at_ms)
            .push_bind(row.actor.to_owned())
            .push_bind(row.action.to_owned())
            .push_bind(row.subject.to_owned())
            .push_bind(row.detail.to_owned())
            .push_bind(hash.to_vec());
    });
    let written = insert.build().execute(connection).await;
    written.map_err(Error::database("writing the audit trail"))?;
    Ok(head)
}

/// The row of an event after the trail's end.
fn next_row<'a>(head: Head, event: &'a AuditEvent, detail: &'a str) -> Sealed<'a> {
    Sealed {
        seq: stored(head.seq).saturating_add(1),
        at_ms: stored(event.at_ms),
        actor: event.actor.as_str(),
        action: event.action.as_str(),
        subject: &event.subject,
        detail,
    }
}

pub(super) async fn head(reader: &Pool) -> Result<Head, Error> {
    let mut connection = reader.acquire().await.map_err(Error::database("reading the trail"))?;
    head_of(&mut connection).await
}

async fn head_of(connection: &mut Connection) -> Result<Head, Error> {
    let last: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
            .fetch_optional(connection)
            .await
            .map_err(Error::database("reading the audit trail's end"))?;
    let Some((seq, hash)) = last else { return Ok(Head::GENESIS) };
    Ok(Head { seq: loaded(seq), hash: hash.try_into().map_err(|_| CORRUPT)? })
}

pub(super) async fn rows(reader: &Pool, filter: &AuditFilter) -> Result<Vec<AuditRow>, Error> {
    let mut query = QueryBuilder::<Db>::new("SELECT * FROM audit WHERE TRUE");
    let words = [(r#" AND "action" = "#, &filter.action), (" AND subject = ", &filter.subject)];
    push_words(&mut query, &words);
    push_times(&mut query, "at_ms", filter.since_ms, filter.until_ms);
    query.push(" ORDER BY seq DESC LIMIT ").push_bind(i64::from(filter.limit));
    let found = query.build().fetch_all(reader).await;
    found.map_err(Error::database("reading the audit trail"))?.iter().rev().map(shown).collect()
}

/// A row as far as it can be shown: one that was tampered with must not hide the rest.
fn shown(row: &Row) -> Result<AuditRow, Error> {
    let detail: String = column(row, "detail")?;
    Ok(AuditRow {
        seq: loaded(column(row, "seq")?),
        at_ms: loaded(column(row, "at_ms")?).min(AT_MS_MAX),
        actor: column(row, "actor")?,
        action: column(row, "action")?,
        subject: column(row, "subject")?,
        detail: serde_json::from_str(&detail).unwrap_or(Value::String(detail)),
        hash: hex::encode(column::<Vec<u8>>(row, "hash")?),
    })
}

pub(super) async fn verify(reader: &Pool, known: Option<Head>) -> Result<Verdict, Error> {
    let mut verification = Verification::against(known);
    // Below the first number that is ever given: what was put in before it counts.
    let mut after = i64::MIN;
    loop {
        let rows = sqlx::query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(after)
            .bind(ROWS_PER_READ)
            .fetch_all(reader)
            .await
            .map_err(Error::database("verifying the audit trail"))?;
        for row in &rows {
            match take(&mut verification, row) {
                Ok(seq) => after = seq,
                Err(verdict) => return Ok(verdict),
            }
        }
        if rows.is_empty() {
            return Ok(verification.end());
        }
    }
}

fn take(verification: &mut Verification, row: &Row) -> Result<i64, Verdict> {
    let seq = verification.expected();
    let read = || {
        let texts = (column(row, "actor")?, column(row, "action")?, column(row, "subject")?);
        let rest: (i64, i64, String) =
            (column(row, "seq")?, column(row, "at_ms")?, column(row, "detail")?);
        Ok::<(_, (String, String, String), Vec<u8>), Error>((rest, texts, column(row, "hash")?))
    };
    let ((number, at_ms, detail), (actor, action, subject), hash) =
        read().map_err(|_| Verdict::Broken { seq, why: Fault::Unreadable })?;
    let sealed = Sealed {
        seq: number,
        at_ms,
        actor: &actor,
        action: &action,
        subject: &subject,
        detail: &detail,
    };
    verification.take(&sealed, &hash)?;
    Ok(number)
}

/// A value that is there: without the option, NULL would be read as an empty one.
fn column<'r, T>(row: &'r Row, name: &str) -> Result<T, Error>
where
    T: sqlx::Decode<'r, Db> + sqlx::Type<Db>,
{
    row.try_get::<Option<T>, _>(name).ok().flatten().ok_or(CORRUPT)
}
