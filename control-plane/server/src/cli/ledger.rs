//! `tollgate ledger`.

use super::client::{self, Client};
use super::{load, say, say_json};
use crate::args::{self, CorrectLedger, Format, Ledger, MigrateLedger, VerifyLedger};
use crate::database;
use crate::error::Failure;
use crate::lock::{self, DataLock};
use ::ledger::migrate::{Migrated, migrate};
use ::ledger::{PostgresStore, SqliteStore};
use admin::{CorrectRecord, CorrectedRecord, LedgerVerdict};
use std::path::Path;

/// Verifies, moves or corrects.
pub async fn run(ledger: Ledger) -> Result<u8, Failure> {
    match ledger {
        Ledger::Verify(wanted) => verify(&wanted).await,
        Ledger::Migrate(wanted) => self::move_to(&wanted).await,
        Ledger::Correct(wanted) => correct(&wanted).await,
    }
}

async fn verify(wanted: &VerifyLedger) -> Result<u8, Failure> {
    let verdict = match stopped(&wanted.target).await? {
        Some(_held) => verdict_of(&wanted.target.config).await?,
        None => Client::of(&wanted.target)?.get("ledger/verify", &[]).await?,
    };
    match wanted.format {
        Format::Json => say_json(&verdict)?,
        Format::Table => say(&in_words(&verdict))?,
    }
    Ok(if verdict.sound { args::DONE } else { args::REFUSED })
}

/// Keeps a Tollgate that does not run from being started; `None`: it runs, here or
/// elsewhere.
async fn stopped(target: &args::Target) -> Result<Option<DataLock>, Failure> {
    if target.admin.is_some() {
        return Ok(None);
    }
    let data = client::data_folder(&target.config)?;
    if !data.is_dir() {
        return Err(Failure::Refused(format!("there is no data folder {}", data.display())));
    }
    match lock::take(&data).await {
        Ok(held) => Ok(Some(held)),
        Err(Failure::AlreadyRunning(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

async fn verdict_of(config: &Path) -> Result<LedgerVerdict, Failure> {
    let control = load(config)?.config.control;
    let data = crate::files::absolute(&control.data)?;
    let opened = database::open(control.database.as_ref(), &data).await?;
    let verified = opened.ledger.verify().await;
    let verified = verified.map_err(|error| Failure::Ledger(error.to_string()))?;
    LedgerVerdict::of(&verified).map_err(Failure::internal)
}

fn in_words(verdict: &LedgerVerdict) -> String {
    let mut lines: Vec<String> = verdict.figures().collect();
    lines.push(match verdict.faults.len() {
        0 if verdict.sound => "sound: every sum agrees".to_owned(),
        0 => "not sound".to_owned(),
        count => format!("not sound: {count} faults"),
    });
    lines.extend(verdict.faults.iter().map(|fault| format!("  - {fault}")));
    lines.join("\n")
}

async fn move_to(wanted: &MigrateLedger) -> Result<u8, Failure> {
    let control = load(&wanted.config)?.config.control;
    let data = crate::files::absolute(&control.data)?;
    let file = data.join(ledger::DATABASE_NAME);
    if !file.is_file() {
        return Err(Failure::Refused(format!("there is no ledger at {}", file.display())));
    }
    let _held = lock::take(&data).await?;
    let failed = |error: ::ledger::Error| Failure::Ledger(error.to_string());
    let from = SqliteStore::open(&file).await.map_err(failed)?;
    let to = PostgresStore::open(&wanted.to.0).await.map_err(failed)?;
    let migrated = migrate(&from, &to).await;
    to.close().await;
    say(&moved(&migrated.map_err(failed)?))?;
    Ok(args::DONE)
}

fn moved(migrated: &Migrated) -> String {
    let rows = |(table, rows): &(String, u64)| format!("{rows:>12}  {table}");
    let mut lines: Vec<String> = migrated.tables.iter().map(rows).collect();
    lines.push("All of it is there. Now name it as control.database in the configuration.".into());
    lines.join("\n")
}

async fn correct(wanted: &CorrectLedger) -> Result<u8, Failure> {
    let body = CorrectRecord {
        record: wanted.record.clone(),
        dollars: wanted.dollars.clone(),
        why: wanted.why.clone(),
    };
    let client = Client::of(&wanted.target)?;
    let corrected: CorrectedRecord = client.post("ledger/corrections", &body).await?;
    match wanted.format {
        Format::Json => say_json(&corrected)?,
        Format::Table => say(&format!(
            "{} costs {} dollars now (posting {})",
            corrected.record,
            admin::dollars(corrected.cost_nanodollars),
            corrected.posting
        ))?,
    }
    Ok(args::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Target;
    use serde_json::json;

    fn verdict(json: serde_json::Value) -> LedgerVerdict {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_verdict_in_words() {
        let sound = verdict(json!({"sound": true, "faults": [], "details": {"records": 3}}));
        assert_eq!(in_words(&sound), "records: 3\nsound: every sum agrees");
        let broken = verdict(json!({"sound": false, "faults": ["record 2 was changed"]}));
        assert_eq!(in_words(&broken), "not sound: 1 faults\n  - record 2 was changed");
    }

    fn config(folder: &Path) -> std::path::PathBuf {
        let file = folder.join("tollgate.yaml");
        std::fs::write(&file, "version: 1\npools: {}\nmodels: {}\ntenants: {}\n").unwrap();
        file
    }

    #[tokio::test]
    async fn a_stopped_ledger_is_opened_and_a_running_one_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target { config: config(folder.path()), admin: None };
        let failure = stopped(&target).await.err().unwrap();
        assert!(failure.to_string().contains("there is no data folder"), "{failure}");
        let data = folder.path().join("tollgate-data");
        std::fs::create_dir(&data).unwrap();
        let held = stopped(&target).await.unwrap();
        assert!(held.is_some());
        assert!(stopped(&target).await.unwrap().is_none(), "somebody has it");
        assert!(verdict_of(&target.config).await.unwrap().sound);
    }

    #[tokio::test]
    async fn nothing_is_moved_from_under_a_running_tollgate() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = MigrateLedger {
            config: config(folder.path()),
            to: "postgres://127.0.0.1:1/none".parse().unwrap(),
        };
        let failure = move_to(&wanted).await.err().unwrap();
        assert!(failure.to_string().contains("there is no ledger at"), "{failure}");
        let data = folder.path().join("tollgate-data");
        std::fs::create_dir(&data).unwrap();
        std::fs::write(data.join(ledger::DATABASE_NAME), "").unwrap();
        let _held = lock::take(&data).await.unwrap();
        assert!(matches!(move_to(&wanted).await, Err(Failure::AlreadyRunning(_))));
    }
}
