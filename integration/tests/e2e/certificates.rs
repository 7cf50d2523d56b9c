//! `gateway.tls`: callers come over TLS, and the certificate changes under them.

use super::made::{self, Pair};
use integration::{Engine, Load, Result, Tollgate, client, wait_until};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(5);

fn gate_with(pair: &Pair) -> integration::TollgateStart {
    let tls = "gateway:\n  tls: { cert: server.pem, key: server-key.pem }\n";
    Tollgate::with(tls).file("server.pem", &pair.cert).file("server-key.pem", &pair.key)
}

fn put(gate: &Tollgate, name: &str, text: &str) -> Result<()> {
    let next = gate.folder().join(format!("{name}.next"));
    std::fs::write(&next, text)?;
    Ok(std::fs::rename(next, gate.folder().join(name))?)
}

#[tokio::test]
async fn callers_come_over_tls() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let pair = made::pair("gateway.example");
    let gate = gate_with(&pair).engine("tiny", &engine).start().await?;
    assert!(gate.url().starts_with("https://127.0.0.1:"), "ready: {}", gate.url());
    let key = gate.key("acme").await?.key;
    for protocol in ["h2", "http/1.1"] {
        let shown = made::handshake(gate.url(), &[protocol]).await?;
        assert_eq!((shown.leaf, shown.protocol.as_deref()), (pair.leaf(), Some(protocol)));
    }
    let plain = gate.url().replace("https:", "http:");
    let in_clear = Load::on(&plain).key(&key).count(1).await?;
    assert!(!in_clear[0].complete, "{in_clear:?}");
    let client = made::trusting(&[&pair]);
    assert_eq!(made::chat(&client, &gate, &key).await?, 200);
    assert_eq!(made::chat(&client, &gate, "nobody").await?, 401);
    let ready = gate.cli_json(&["status", "--format", "json"]).await?;
    assert_eq!(ready["envoys"].as_array().map(Vec::len), Some(1), "{ready}");
    Ok(())
}

#[tokio::test]
async fn a_certificate_is_replaced_under_load() -> Result<()> {
    let engine = Engine::start().tokens(4).spawn().await?;
    let long =
        Engine::start().tokens(200).token_interval(Duration::from_millis(20)).spawn().await?;
    let (old, new) = (made::pair("old.example"), made::pair("new.example"));
    let gate = gate_with(&old).engine("tiny", &engine).engine("long", &long).start().await?;
    let key = gate.key("acme").await?.key;
    let both = made::trusting(&[&old, &new]);
    let stream = tokio::spawn(made::stream(both.clone(), gate.url().to_owned(), key.clone()));
    let load = made::load(&gate, &key, &[&old, &new]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    // Half of a rotation is none, for as long as it lasts.
    put(&gate, "server.pem", &new.cert)?;
    let until = Instant::now() + Duration::from_millis(1_500);
    while Instant::now() < until {
        assert_eq!(made::handshake(gate.url(), &["h2"]).await?.leaf, old.leaf());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    put(&gate, "server-key.pem", &new.key)?;
    let shown = async || {
        made::handshake(gate.url(), &["h2"]).await.is_ok_and(|shown| shown.leaf == new.leaf())
    };
    assert!(wait_until(shown, SOON).await, "the new certificate is not shown");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let outcomes = load.stop().await?;
    let failed: Vec<_> = outcomes.iter().filter(|answer| answer.as_ref() != Ok(&200)).collect();
    assert!(failed.is_empty(), "{} of {}: {:?}", failed.len(), outcomes.len(), failed.first());
    assert!(outcomes.len() > 50, "{}", outcomes.len());
    let text = stream.await??;
    assert!(text.ends_with("data: [DONE]\n\n"), "the stream was cut: {text}");
    assert!(!gate.tails().contains("PRIVATE"), "a key is in a log");
    let run: serde_json::Value =
        serde_json::from_slice(&std::fs::read(gate.data().join("run.json"))?)?;
    let admin = run["envoy_admin"].as_str().unwrap_or_default();
    let dump = client().get(format!("http://{admin}/config_dump")).send().await?.text().await?;
    // Base64 of "[redacted]".
    assert!(dump.contains("gateway-certificate") && dump.contains("W3JlZGFjdGVkXQ=="), "{dump}");
    Ok(())
}

#[tokio::test]
async fn tls_is_switched_on_and_off_without_a_restart() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let pair = made::pair("gateway.example");
    let gate = gate_with(&pair).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let tls = "  tls: { cert: server.pem, key: server-key.pem }\n";
    let in_clear = gate.url().replace("https:", "http:");
    for round in 0..2 {
        gate.rewrite_config(|yaml| yaml.replace(tls, ""))?;
        let plain = async || {
            let answers = Load::on(&in_clear).key(&key).count(1).await;
            answers.is_ok_and(|answers| answers[0].complete)
        };
        assert!(wait_until(plain, SOON).await, "off, round {round}: {}", gate.tails());
        gate.rewrite_config(|yaml| yaml.replace("gateway:\n", &format!("gateway:\n{tls}")))?;
        let shown = async || {
            let shown = made::handshake(gate.url(), &["h2"]).await;
            shown.is_ok_and(|shown| shown.leaf == pair.leaf())
        };
        assert!(wait_until(shown, SOON).await, "on, round {round}: {}", gate.tails());
    }
    Ok(())
}

#[tokio::test]
async fn a_pair_that_does_not_fit_is_refused_and_said() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let (pair, other) = (made::pair("a.example"), made::pair("b.example"));
    let wrong = Pair { cert: pair.cert.clone(), key: other.key.clone() };
    let start = gate_with(&wrong).engine("tiny", &engine).start().await;
    let told = start.err().map(|failure| failure.to_string()).unwrap_or_default();
    assert!(told.contains("gateway.tls: "), "{told}");
    assert!(told.contains("the certificate and the key do not belong together"), "{told}");
    let gate = gate_with(&pair).engine("tiny", &engine).start().await?;
    put(&gate, "b.pem", &other.cert)?;
    gate.rewrite_config(|yaml| yaml.replace("cert: server.pem", "cert: b.pem"))?;
    let refused = async || {
        let status = gate.cli_json(&["status", "--format", "json"]).await.unwrap_or_default();
        status["config"]["refused"]["problems"].to_string().contains("do not belong together")
    };
    assert!(wait_until(refused, SOON).await, "{}", gate.tails());
    assert_eq!(made::handshake(gate.url(), &["h2"]).await?.leaf, pair.leaf());
    Ok(())
}
