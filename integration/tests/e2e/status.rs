//! What `tollgate status` and the metrics tell of what really runs.

use super::made::{self, Pair};
use integration::{Engine, Failure, Result, Tollgate, client, wait_until};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);
/// "Must staple" (RFC 7633): what OCSP says of the certificate has to come with it.
const TLS_FEATURE: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 24];
/// A list with the one TLS feature `status_request`.
const MUST_STAPLE: [u8; 5] = [0x30, 0x03, 0x02, 0x01, 0x05];

async fn status(gate: &Tollgate) -> Value {
    gate.cli_json(&["status", "--format", "json"]).await.unwrap_or_default()
}

async fn table(gate: &Tollgate) -> Result<String> {
    Ok(String::from_utf8_lossy(&gate.cli(&["status"]).await?.stdout).into_owned())
}

/// `GET /metrics` with this token: the status and the text.
async fn ask(gate: &Tollgate, token: Option<&str>) -> Result<(u16, String)> {
    let run: Value = serde_json::from_slice(&std::fs::read(gate.data().join("run.json"))?)?;
    let admin = run["admin"].as_str().ok_or_else(|| Failure::new("no admin address"))?;
    let request = client().get(format!("http://{admin}/metrics"));
    let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

/// Every series with its value.
async fn metrics(gate: &Tollgate) -> Result<BTreeMap<String, f64>> {
    let token = std::fs::read_to_string(gate.data().join("admin-token"))?;
    let (status, text) = ask(gate, Some(token.trim())).await?;
    assert_eq!(status, 200, "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let read = samples.filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        Some((series.to_owned(), value.parse().ok()?))
    });
    Ok(read.collect())
}

fn put(gate: &Tollgate, pair: &Pair) -> Result<()> {
    for (name, text) in [("server.pem", &pair.cert), ("server-key.pem", &pair.key)] {
        let next = gate.folder().join(format!("{name}.next"));
        std::fs::write(&next, text)?;
        std::fs::rename(next, gate.folder().join(name))?;
    }
    Ok(())
}

/// A sound pair that Envoy does not take without an OCSP response.
fn must_staple() -> Pair {
    let mut params = CertificateParams::new(vec!["gateway.example".to_owned()]).unwrap();
    let feature = CustomExtension::from_oid_content(&TLS_FEATURE, MUST_STAPLE.to_vec());
    params.custom_extensions.push(feature);
    let key = KeyPair::generate().unwrap();
    Pair { cert: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

#[tokio::test]
async fn metrics_are_for_whoever_has_the_token() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    for token in [None, Some("made-up")] {
        let (status, text) = ask(&gate, token).await?;
        assert_eq!(status, 401);
        assert!(!text.contains("tollgate_"), "{text}");
    }
    // The last acknowledgement may be on its way when the first request is served.
    let current = async || {
        metrics(&gate)
            .await
            .is_ok_and(|it| it.get(r#"tollgate_xds_converged{node="gateway"}"#) == Some(&1.0))
    };
    assert!(wait_until(current, SOON).await, "{:?}", metrics(&gate).await?);
    let metrics = metrics(&gate).await?;
    let address = engine.url().trim_start_matches("http://");
    let of_engine = |name: &str| format!(r#"{name}{{pool="tiny",endpoint="{address}"}}"#);
    let expected = [
        ("tollgate_envoys_connected".to_owned(), 1.0),
        (r#"tollgate_envoy_supported{node="gateway"}"#.to_owned(), 1.0),
        (r#"tollgate_envoy_duplicate{node="gateway"}"#.to_owned(), 0.0),
        (r#"tollgate_xds_refused_resources{node="gateway",type="cluster"}"#.to_owned(), 0.0),
        (r#"tollgate_xds_nacks_total{node="gateway",type="cluster"}"#.to_owned(), 0.0),
        ("tollgate_envoy_restarts_total".to_owned(), 0.0),
        ("tollgate_config_refused".to_owned(), 0.0),
        (r#"tollgate_pool_endpoints{pool="tiny",state="active"}"#.to_owned(), 1.0),
        (of_engine("tollgate_endpoint_healthy"), 1.0),
        (of_engine("tollgate_endpoint_requests_active"), 0.0),
        ("tollgate_ledger_lost_requests_total".to_owned(), 0.0),
    ];
    for (series, value) in expected {
        assert_eq!(metrics.get(&series), Some(&value), "{series}: {metrics:?}");
    }
    let sent = metrics.get(r#"tollgate_xds_responses_total{node="gateway",type="cluster"}"#);
    assert!(sent.is_some_and(|sent| *sent >= 1.0), "{metrics:?}");
    Ok(())
}

#[tokio::test]
async fn what_envoy_refuses_is_seen_everywhere_until_it_is_mended() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let (good, next) = (made::pair("a.example"), made::pair("b.example"));
    let tls = "gateway:\n  tls: { cert: server.pem, key: server-key.pem }\n";
    let start = Tollgate::with(tls).engine("tiny", &engine);
    let start = start.file("server.pem", &good.cert).file("server-key.pem", &good.key);
    let gate = start.start().await?;
    put(&gate, &must_staple())?;
    let refused = async || {
        let status = status(&gate).await;
        let nack = &status["envoys"][0]["types"]["secret"]["refused"]["gateway-certificate"];
        nack["error"].as_str().is_some_and(|it| it.contains("OCSP")) && nack["at_ms"].is_u64()
    };
    assert!(wait_until(refused, SOON).await, "{:#}\n{}", status(&gate).await, gate.tails());
    assert_eq!(status(&gate).await["envoys"][0]["converged"], false);
    let said = table(&gate).await?;
    let line = said.lines().find(|line| line.starts_with("NACK 20")).unwrap_or_default();
    assert!(line.contains("Z gateway: secret gateway-certificate: "), "{said}");
    let refusing = metrics(&gate).await?;
    let of_secrets = |name: &str| format!(r#"tollgate_xds_{name}{{node="gateway",type="secret"}}"#);
    assert_eq!(refusing.get(&of_secrets("refused_resources")), Some(&1.0), "{refusing:?}");
    assert_eq!(refusing.get(r#"tollgate_xds_converged{node="gateway"}"#), Some(&0.0));
    // It is not sent again, and the last good one is shown to callers meanwhile.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let nacks = metrics(&gate).await?.get(&of_secrets("nacks_total")).copied();
    assert_eq!(nacks, refusing.get(&of_secrets("nacks_total")).copied());
    assert!(nacks.is_some_and(|nacks| nacks >= 1.0));
    assert_eq!(made::handshake(gate.url(), &["h2"]).await?.leaf, good.leaf());

    put(&gate, &next)?;
    let mended = async || {
        let envoy = status(&gate).await["envoys"][0].clone();
        envoy["converged"] == true
            && envoy["types"]["secret"]["refused"]
                .as_object()
                .is_some_and(serde_json::Map::is_empty)
    };
    assert!(wait_until(mended, SOON).await, "{:#}", status(&gate).await);
    assert_eq!(made::handshake(gate.url(), &["h2"]).await?.leaf, next.leaf());
    assert!(!table(&gate).await?.contains("NACK"));
    assert_eq!(metrics(&gate).await?.get(&of_secrets("nacks_total")).copied(), nacks);
    Ok(())
}
