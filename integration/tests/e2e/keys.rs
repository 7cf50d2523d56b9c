//! The life of a key, seen from the client's side.

use integration::{Engine, RawClient, Result, Tollgate, client, wait_until};
use std::time::{Duration, Instant};

const CHAT: &str = r#"{"model":"tiny","messages":[{"role":"user","content":"hello"}]}"#;

async fn status(gate: &Tollgate, name: &str, value: &str) -> Result<u16> {
    let request = client().post(format!("{}/v1/chat/completions", gate.url()));
    let answer = request.header(name, value).header("content-type", "application/json").body(CHAT);
    Ok(answer.send().await?.status().as_u16())
}

async fn bearer(gate: &Tollgate, key: &str) -> Result<u16> {
    status(gate, "authorization", &format!("Bearer {key}")).await
}

#[tokio::test]
async fn a_key_works_at_once_and_is_revoked_within_a_second() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    for _ in 0..5 {
        let key = gate.key("acme").await?;
        assert_eq!(bearer(&gate, &key.key).await?, 200, "a new key works at once");
        assert_eq!(status(&gate, "x-api-key", &key.key).await?, 200);
        let revoked = gate.cli(&["keys", "revoke", &key.id]).await?;
        assert!(revoked.status.success(), "{revoked:?}");
        let since = Instant::now();
        let refused = async || bearer(&gate, &key.key).await.is_ok_and(|status| status == 401);
        assert!(wait_until(refused, Duration::from_secs(1)).await, "{:?}", since.elapsed());
    }
    Ok(())
}

#[tokio::test]
async fn every_worker_hears_of_a_revocation() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("gateway:\n  workers: 4\n").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?;
    let headers = format!("authorization: Bearer {}\r\n", key.key);
    let mut connections = Vec::new();
    for _ in 0..16 {
        connections.push(RawClient::connect(gate.url()).await?);
    }
    for connection in &mut connections {
        connection.post("/v1/chat/completions", &headers, CHAT).await?;
        assert_eq!(connection.answer().await?.status, 200);
    }
    gate.cli(&["keys", "revoke", &key.id]).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for connection in &mut connections {
        connection.post("/v1/chat/completions", &headers, CHAT).await?;
        assert_eq!(connection.answer().await?.status, 401);
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_once() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("gateway:\n  workers: 1\n").engine("tiny", &engine).start().await?;
    let before = lookups(&gate).await?;
    for _ in 0..20 {
        assert_eq!(bearer(&gate, "a-key-of-somebody-else").await?, 401);
    }
    assert_eq!(lookups(&gate).await?, before + 1);
    assert_eq!(bearer(&gate, "tg_mistyped").await?, 401);
    assert_eq!(lookups(&gate).await?, before + 1, "a mistyped key is refused without asking");
    Ok(())
}

/// Look-ups that the control plane has answered with "unknown", by Envoy's count.
async fn lookups(gate: &Tollgate) -> Result<u64> {
    let run: serde_json::Value =
        serde_json::from_slice(&std::fs::read(gate.data().join("run.json"))?)?;
    let admin = run["envoy_admin"].as_str().unwrap_or_default().to_owned();
    let url = format!("http://{admin}/stats?filter=^cluster.control.upstream_rq_404$");
    let text = client().get(url).send().await?.text().await?;
    Ok(text.rsplit(' ').next().and_then(|count| count.trim().parse().ok()).unwrap_or(0))
}

#[tokio::test]
async fn without_the_control_plane_known_keys_work_and_others_are_not_judged() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let mut gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?;
    assert_eq!(bearer(&gate, &key.key).await?, 200);
    gate.kill9();
    assert_eq!(bearer(&gate, &key.key).await?, 200);
    assert_eq!(bearer(&gate, "nobody-knows").await?, 503, "never 401 for what was not looked up");
    gate.start_again().await?;
    let judged = async || bearer(&gate, "nobody-knows").await.is_ok_and(|status| status == 401);
    assert!(wait_until(judged, Duration::from_secs(5)).await);
    gate.cli(&["keys", "revoke", &key.id]).await?;
    let refused = async || bearer(&gate, &key.key).await.is_ok_and(|status| status == 401);
    assert!(wait_until(refused, Duration::from_secs(1)).await, "revoked after the restart");
    Ok(())
}

#[tokio::test]
async fn a_key_of_the_configuration_works_and_goes_with_it() -> Result<()> {
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // of "abc"
    let engine = Engine::start().spawn().await?;
    let tenants = format!("tenants:\n  acme:\n    keys: [{{ name: ci, sha256: \"{digest}\" }}]\n");
    let gate = Tollgate::with(&tenants).engine("tiny", &engine).start().await?;
    assert_eq!(bearer(&gate, "abc").await?, 200);
    gate.rewrite_config(|yaml| {
        let keys = format!("    keys: [{{ name: ci, sha256: \"{digest}\" }}]");
        yaml.replace(&keys, "    models: [\"*\"]")
    })?;
    let refused = async || bearer(&gate, "abc").await.is_ok_and(|status| status == 401);
    assert!(wait_until(refused, Duration::from_secs(2)).await);
    Ok(())
}

#[tokio::test]
async fn models_are_the_callers_own() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let yaml = "models: { tiny: p, other: p }\n\
                roles: { half: { models: [tiny] } }\n\
                tenants: { acme: {}, narrow: { models: [other] } }\n";
    let gate = Tollgate::with(yaml).engine("p", &engine).start().await?;
    let (all, narrow) = (gate.key("acme").await?, gate.key("narrow").await?);
    let make = ["keys", "create", "--tenant", "acme", "--name", "half", "--role", "half"];
    let half = gate.cli_json(&[&make[..], &["--format", "json"]].concat()).await?;
    let half = half["key"].as_str().unwrap_or_default().to_owned();
    let models = async |key: &str| -> Result<Vec<String>> {
        let request = client().get(format!("{}/v1/models", gate.url())).header("x-api-key", key);
        let list: serde_json::Value = request.send().await?.json().await?;
        let rows = list["data"].as_array().cloned().unwrap_or_default();
        Ok(rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect())
    };
    assert_eq!(models(&all.key).await?, ["other", "tiny"]);
    assert_eq!(models(&narrow.key).await?, ["other"]);
    assert_eq!(models(&half).await?, ["tiny"]);
    assert_eq!(bearer(&gate, &narrow.key).await?, 404, "tiny does not exist for this caller");
    Ok(())
}
