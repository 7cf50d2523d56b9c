//! The trail of what was done: whole, or its first broken row is named.

use super::ask::{chat, running};
use integration::{Engine, Result, Tollgate, client, wait_until};
use serde_json::Value;
use std::time::Duration;

/// A gateway reports what it refused every five seconds.
const SOON: Duration = Duration::from_secs(20);

async fn rows(gate: &Tollgate, action: &str) -> Result<Vec<Value>> {
    let rows = gate.cli_json(&["audit", "list", "--action", action, "--format", "json"]).await?;
    Ok(rows.as_array().cloned().unwrap_or_default())
}

/// Runs SQL on the database, as somebody would who has got at the file.
async fn tamper(gate: &Tollgate, sql: &str) -> Result<()> {
    let script = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1], timeout=20)\n\
                  db.executescript(sys.argv[2])\ndb.commit()\n";
    let database = database(gate)?;
    let mut python = tokio::process::Command::new("python3");
    let output = python.args(["-c", script]).arg(database).arg(sql).output().await?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn database(gate: &Tollgate) -> Result<std::path::PathBuf> {
    let files = std::fs::read_dir(gate.data())?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_database = |path: &std::path::PathBuf| {
        std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0"))
    };
    files.into_iter().find(is_database).ok_or_else(|| integration::Failure::new("no database"))
}

#[tokio::test]
async fn what_was_done_is_told_and_proved() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?;
    assert_eq!(chat(&gate, &key.key, "tiny").await?.status, 200);
    for _ in 0..3 {
        assert_eq!(chat(&gate, "a-guess-that-is-wrong", "tiny").await?.status, 401);
    }
    let rotated = gate.cli_json(&["keys", "rotate", &key.id, "--format", "json"]).await?;
    gate.cli(&["keys", "revoke", rotated["id"].as_str().unwrap_or_default()]).await?;
    let admin = running(&gate, "admin")?;
    let refused =
        client().get(format!("http://{admin}/api/v1/keys")).bearer_auth("wrong").send().await?;
    assert_eq!(refused.status(), 401);
    let subjects = [
        ("key.created", key.id.as_str()),
        ("key.rotated", &key.id),
        ("key.revoked", rotated["id"].as_str().unwrap_or_default()),
    ];
    for (action, subject) in subjects {
        let rows = rows(&gate, action).await?;
        assert!(rows.iter().any(|row| row["subject"] == subject), "{action}: {rows:?}");
        assert!(
            rows.iter().all(|row| row["at"].is_string() && row["actor"].is_string()),
            "{rows:?}"
        );
    }
    gate.rewrite_config(|yaml| format!("{yaml}roles: {{ user: {{ models: [\"*\"] }} }}\n"))?;
    let in_force = async || rows(&gate, "config.applied").await.is_ok_and(|rows| !rows.is_empty());
    assert!(wait_until(in_force, SOON).await, "{}", gate.tails());
    gate.rewrite_config(|yaml| format!("{yaml}unknown: 1\n"))?;
    for action in
        ["control.started", "config.refused", "auth.accepted", "auth.refused", "admin.refused"]
    {
        let told = async || rows(&gate, action).await.is_ok_and(|rows| !rows.is_empty());
        assert!(wait_until(told, SOON).await, "{action}: {}", gate.tails());
    }
    let accepted = rows(&gate, "auth.accepted").await?;
    assert!(accepted.iter().any(|row| row["subject"] == key.id.as_str()), "{accepted:?}");
    let refused = rows(&gate, "auth.refused").await?;
    assert!(refused.iter().any(|row| row.to_string().contains("invalid_api_key")), "{refused:?}");
    let all = gate.cli_json(&["audit", "list", "--format", "json"]).await?.to_string();
    assert!(!all.contains(&key.key) && !all.contains("a-guess"), "{all}");
    let verified = gate.cli(&["audit", "verify"]).await?;
    assert!(verified.status.success(), "{verified:?}");
    Ok(())
}

#[tokio::test]
async fn whoever_changes_a_row_is_found_out() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    for _ in 0..4 {
        gate.key("acme").await?;
    }
    let verified = gate.cli_json(&["audit", "verify", "--format", "json"]).await?;
    let made = rows(&gate, "key.created").await?;
    let seq = made[1]["seq"].as_u64().unwrap_or_default();
    let unlocked = "DROP TRIGGER audit_keeps_rows; DROP TRIGGER audit_loses_no_rows;";
    tamper(&gate, &format!("{unlocked} UPDATE audit SET detail = '{{}}' WHERE seq = {seq};"))
        .await?;
    let broken = gate.cli(&["audit", "verify"]).await?;
    let told = String::from_utf8_lossy(&[broken.stdout, broken.stderr].concat()).into_owned();
    assert_eq!(broken.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("row {seq} ")), "{told}");
    tamper(&gate, &format!("DELETE FROM audit WHERE seq = {};", seq - 1)).await?;
    let broken = gate.cli(&["audit", "verify"]).await?;
    let told = String::from_utf8_lossy(&broken.stdout).into_owned();
    assert!(told.contains(&format!("row {} ", seq - 1)), "{told}");
    assert!(verified.to_string().contains("head"), "{verified}");
    Ok(())
}

/// Rows that are gone from the end are missed by whoever kept the head.
#[tokio::test]
async fn a_trail_that_is_cut_is_known_by_its_head() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    gate.key("acme").await?;
    gate.key("acme").await?;
    let told = gate.cli(&["audit", "verify"]).await?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let head = told.split("head: ").nth(1).unwrap_or_default().trim().to_owned();
    let last: u64 = head.split(':').next().unwrap_or_default().parse()?;
    let whole = gate.cli(&["audit", "verify", "--head", &head]).await?;
    assert!(whole.status.success(), "{whole:?}");
    tamper(
        &gate,
        &format!("DROP TRIGGER audit_loses_no_rows; DELETE FROM audit WHERE seq = {last};"),
    )
    .await?;
    let alone = gate.cli(&["audit", "verify"]).await?;
    let held = gate.cli(&["audit", "verify", "--head", &head]).await?;
    assert!(alone.status.success() && held.status.code() == Some(1), "{held:?}");
    Ok(())
}
