//! The OpenAI SDKs as real programs: a chat, a stream, the list of models.

use integration::{Engine, Result, Tollgate};
use serde_json::Value;
use std::path::PathBuf;
use tokio::process::Command;

fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

async fn run(mut program: Command) -> Result<Value> {
    let engine = Engine::start().model("sim/tiny").tokens(6).spawn().await?;
    let gate = Tollgate::with("models: { tiny: demo }\n").engine("demo", &engine).start().await?;
    let key = gate.key("acme").await?;
    program.env("BASE_URL", format!("{}/v1", gate.url()));
    program.env("API_KEY", &key.key).env("MODEL", "tiny");
    let output = program.kill_on_drop(true).output().await?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
    let rows = gate.usage_when(|rows| billed(rows) >= 2, super::ledger::RECORD_TIMEOUT).await?;
    let tokens: Vec<_> = rows.iter().filter_map(|row| row["output_tokens"].as_u64()).collect();
    assert_eq!(tokens.iter().sum::<u64>(), 12, "{rows:?}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn billed(rows: &[Value]) -> usize {
    rows.iter().filter(|row| row["output_tokens"].as_u64() > Some(0)).count()
}

fn assert_got_all(got: &Value) {
    for kind in ["chat", "stream"] {
        assert_eq!(got[kind]["content"], "w0 w1 w2 w3 w4 w5", "{got}");
        assert_eq!(got[kind]["model"], "tiny", "{got}");
        assert_eq!(got[kind]["usage"]["output_tokens"], 6, "{got}");
    }
    assert_eq!(got["models"], serde_json::json!(["tiny"]), "{got}");
}

#[tokio::test]
async fn python() -> Result<()> {
    let folder = checkout();
    let mut program = Command::new(folder.join(".tools/sdk-python/bin/python"));
    program.arg(folder.join("integration/sdk/python/chat.py"));
    assert_got_all(&run(program).await?);
    Ok(())
}

#[tokio::test]
async fn node() -> Result<()> {
    let mut program = Command::new("node");
    program.arg(checkout().join(".tools/sdk-node/chat.mjs"));
    assert_got_all(&run(program).await?);
    Ok(())
}
