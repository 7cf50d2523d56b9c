//! A key is replaced by another while both work, and shows when it was used.

use super::ask::{chat, key};
use integration::{Engine, KeyMade, Result, Tollgate, wait_until};
use serde_json::Value;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(15);

async fn rotate(gate: &Tollgate, id: &str, overlap: &str) -> Result<KeyMade> {
    let arguments = ["keys", "rotate", id, "--overlap", overlap, "--format", "json"];
    Ok(serde_json::from_value(gate.cli_json(&arguments).await?)?)
}

async fn listed(gate: &Tollgate, id: &str) -> Result<Value> {
    let keys = gate.cli_json(&["keys", "list", "--format", "json"]).await?;
    let rows = keys.as_array().cloned().unwrap_or_default();
    Ok(rows.into_iter().find(|row| row["id"] == id).unwrap_or_default())
}

async fn is_refused(gate: &Tollgate, key: &str, within: Duration) -> bool {
    let refused = async || {
        let told = chat(gate, key, "tiny").await;
        told.is_ok_and(|told| {
            told.status == 401 && ["invalid_api_key", "key_expired"].contains(&&*told.code)
        })
    };
    wait_until(refused, within).await
}

#[tokio::test]
async fn both_keys_work_until_the_old_one_is_over() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate =
        Tollgate::with("models: { tiny: p, large: p }\n").engine("p", &engine).start().await?;
    let old = key(&gate, "acme", &["--user", "kim", "--model", "tiny"]).await?;
    let new = rotate(&gate, &old.id, "3s").await?;
    assert!(new.id != old.id && new.key != old.key);
    for key in [&old, &new] {
        assert_eq!(chat(&gate, &key.key, "tiny").await?.status, 200);
        assert_eq!(chat(&gate, &key.key, "large").await?.status, 404, "the bounds go along");
    }
    assert!(is_refused(&gate, &old.key, SOON).await, "the old one is over");
    let told = chat(&gate, &new.key, "tiny").await?;
    assert_eq!(told.status, 200);
    let row = super::ledger::record(&gate, told.id()).await?;
    assert_eq!((&row["key"], &row["user"]), (&new.id.clone().into(), &"kim".into()), "{row}");
    let last = rotate(&gate, &new.id, "0s").await?;
    assert!(is_refused(&gate, &new.key, Duration::from_secs(2)).await, "no overlap");
    assert_eq!(chat(&gate, &last.key, "tiny").await?.status, 200);
    let again = gate.cli(&["keys", "rotate", &old.id]).await?;
    assert_eq!(again.status.code(), Some(1), "what is over is not rotated: {again:?}");
    Ok(())
}

#[tokio::test]
async fn a_key_shows_when_it_was_used() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let (used, unused) = (gate.key("acme").await?, gate.key("acme").await?);
    let before_s = integration::signed::now_s();
    assert_eq!(chat(&gate, &used.key, "tiny").await?.status, 200);
    let noted = async || {
        let row = listed(&gate, &used.id).await.unwrap_or_default();
        row["last_used_at_s"].as_u64().is_some_and(|at_s| at_s + 1 >= before_s)
    };
    assert!(wait_until(noted, SOON).await, "{}", listed(&gate, &used.id).await?);
    assert!(listed(&gate, &unused.id).await?["last_used_at_s"].is_null());
    Ok(())
}

/// A mistyped key is told from an unknown one without a look-up, and is told the same.
#[tokio::test]
async fn a_key_that_expires_is_told_so() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let short = key(&gate, "acme", &["--expires", "2s"]).await?;
    assert_eq!(chat(&gate, &short.key, "tiny").await?.status, 200);
    let over = async || {
        let told = chat(&gate, &short.key, "tiny").await;
        told.is_ok_and(|told| told.what() == (401, "key_expired"))
    };
    assert!(wait_until(over, SOON).await);
    Ok(())
}
