//! The real analyzer of Microsoft Presidio as a policy's external detector, over a blank
//! language model and lists of names (`presidio/analyzer.py`): its interface, scores and
//! offsets are real, what a model would find is not. It has to be installed:
//! `make test-presidio`.

use integration::{Engine, Process, Result, Tollgate, client, free_address, wait_until};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/presidio/bin/python");
const ANALYZER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/presidio/analyzer.py");
/// It reads its recognizers and tries to fetch a list of domains first.
const START_TIMEOUT: Duration = Duration::from_secs(60);

async fn analyzer(logs: &Path) -> Result<(Process, String)> {
    let address = free_address();
    let mut command = Command::new(PYTHON);
    command.arg(ANALYZER).arg(address.port().to_string());
    let process = Process::spawn(command, logs, "analyzer")?;
    let url = format!("http://{address}");
    let is_up = async || client().get(format!("{url}/health")).send().await.is_ok();
    assert!(wait_until(is_up, START_TIMEOUT).await, "{}", process.tails());
    Ok((process, format!("{url}/analyze")))
}

#[tokio::test]
async fn scores_and_places_of_presidio_are_understood() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (_analyzer, url) = analyzer(folder.path()).await?;
    let engine = Engine::start().record().spawn().await?;
    let yaml = format!(
        "masking:\n  policies:\n    default:\n      external: {{ url: \"{url}\", language: en, timeout: 5s }}\n\
         tenants:\n  acme:\n    masking: default\n"
    );
    let gate = Tollgate::with(&yaml).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let texts = [
        "Ann Lee 홍길동 \u{1F600}",
        "Bob Stone, a@b.example.com, lives in Springfield; 서울특별시 종로구",
    ];
    let messages = texts.map(|text| json!({"role": "user", "content": text}));
    let request = client().post(format!("{}/v1/chat/completions", gate.url())).bearer_auth(key);
    let request = request.header("x-sim-echo", "text");
    let answer = request.json(&json!({"model": "tiny", "messages": messages})).send().await?;
    assert_eq!(answer.headers()["x-tollgate-masked"], "6");
    let answer: Value = answer.json().await?;
    assert_eq!(answer["choices"][0]["message"]["content"], texts.join("\n"), "{answer}");
    let received = engine.received(0).await?.pop().map(|it| it.body).unwrap_or_default();
    let received = String::from_utf8_lossy(&received).into_owned();
    for gone in ["Ann", "홍길동", "Bob", "a@b.example.com", "Springfield", "종로구"] {
        assert!(!received.contains(gone), "{gone}: {received}");
    }
    assert_eq!(received.matches("[PERSON_").count(), 3, "{received}");
    assert_eq!(received.matches("[ADDRESS_").count(), 2, "{received}");
    Ok(())
}
