//! `tollgate audit`.

use super::client::{Client, Query};
use super::{say, say_json, table, when};
use crate::args::{self, Audit, Format, ListAudit, VerifyAudit};
use crate::error::Failure;
use ledger::{AuditRow, Verdict};

/// Lists or proves.
pub async fn run(audit: Audit) -> Result<u8, Failure> {
    match audit {
        Audit::List(list) => self::list(&list).await,
        Audit::Verify(verify) => self::verify(&verify).await,
    }
}

async fn list(wanted: &ListAudit) -> Result<u8, Failure> {
    let limit = wanted.limit.to_string();
    let query = [
        ("since", wanted.since.as_deref()),
        ("until", wanted.until.as_deref()),
        ("action", wanted.action.as_deref()),
        ("subject", wanted.subject.as_deref()),
        ("limit", Some(limit.as_str())),
    ];
    let query: Vec<_> =
        query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let rows: Vec<AuditRow> = Client::of(&wanted.target)?.get("audit", &query).await?;
    match wanted.format {
        Format::Json => say_json(&rows)?,
        Format::Table => say(&as_table(&rows))?,
    }
    Ok(args::DONE)
}

async fn verify(wanted: &VerifyAudit) -> Result<u8, Failure> {
    let head = wanted.head.map(|head| head.to_string());
    let query: Vec<(&'static str, &str)> =
        head.iter().map(|head| ("head", head.as_str())).collect();
    let query: &Query<'_> = &query;
    let verdict: Verdict = Client::of(&wanted.target)?.get("audit/verify", query).await?;
    match wanted.format {
        Format::Json => say_json(&verdict)?,
        Format::Table => say(&in_words(&verdict))?,
    }
    Ok(match verdict {
        Verdict::Whole { .. } => args::DONE,
        Verdict::Broken { .. } => args::REFUSED,
    })
}

fn as_table(rows: &[AuditRow]) -> String {
    let mut table = table::new(&["ROW", "AT", "ACTOR", "ACTION", "SUBJECT", "DETAIL"], &["ROW"]);
    for row in rows {
        table.add_row([
            row.seq.to_string(),
            when(row.at_ms),
            row.actor.clone(),
            row.action.clone(),
            table::or_nothing(Some(&row.subject).filter(|subject| !subject.is_empty())),
            table::plain(&row.detail.to_string()),
        ]);
    }
    table::text(&table)
}

fn in_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Whole { rows, head } => {
            format!("{rows} rows, all as they were written\nhead: {head}")
        }
        Verdict::Broken { seq, why } => format!("row {seq} is broken: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{Fault, Head};

    #[test]
    fn a_verdict_for_people() {
        let whole = Verdict::Whole { rows: 0, head: Head::GENESIS };
        assert!(in_words(&whole).starts_with("0 rows, all as they were written\nhead: 0:00"));
        let broken = in_words(&Verdict::Broken { seq: 7, why: Fault::Altered });
        assert!(broken.starts_with("row 7 is broken: "), "{broken}");
    }

    #[test]
    fn rows_for_people() {
        let row = AuditRow {
            seq: 1,
            at_ms: 0,
            actor: "admin".into(),
            action: "key.revoked".into(),
            subject: "key_1".into(),
            detail: serde_json::json!({ "tenant": "acme" }),
            hash: String::new(),
        };
        let text = as_table(&[row]);
        assert!(text.lines().last().is_some_and(|line| {
            line.contains("key.revoked") && line.contains(r#"{"tenant":"acme"}"#)
        }));
    }
}
