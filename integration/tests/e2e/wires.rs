//! Servers that speak HTTP/2, that are behind TLS of their own authority, and that listen on
//! an IPv6 address.

mod fronts;

use super::ask::{self, Told};
use super::attempts::{is_chained, pool};
use super::made::Authority;
use fronts::{Http2Front, TlsFront};
use integration::engine::Pose;
use integration::{Engine, Load, Result, Tollgate, wait_until};
use std::time::Duration;

/// What is waited for in other processes, with patience.
const SOON: Duration = Duration::from_secs(20);

async fn chat(gate: &Tollgate) -> Result<Told> {
    let key = gate.key("acme").await?.key;
    let streams = Load::on(gate.url()).key(&key).stream().clients(4).count(12).await?;
    assert!(streams.iter().all(|it| it.complete && it.text_events == 16), "{streams:?}");
    ask::chat(gate, &key, "tiny").await
}

#[tokio::test]
async fn a_server_speaks_http2() -> Result<()> {
    let engine = Engine::start().record().spawn().await?;
    let front = Http2Front::before(&engine).await?;
    let yaml = "pools:\n  tiny:\n    protocol: http2\n";
    let gate = Tollgate::with(yaml).endpoint("tiny", "tiny", &front.url()).start().await?;
    let told = chat(&gate).await?;
    assert_eq!((told.status, told.body["model"].as_str()), (200, Some("tiny")), "{}", told.body);
    assert_eq!((engine.chats().await?, front.requests()), (13, 13));
    // A connection of HTTP/2 has many requests at once.
    assert!(front.connections() < 13, "{}", front.connections());
    Ok(())
}

#[tokio::test]
async fn a_server_shows_a_certificate_of_its_own_authority() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let (own, other) = (Authority::new(), Authority::new());
    let front = TlsFront::before(&engine, &own.sign("127.0.0.1")).await?;
    let yaml = "pools:\n  tiny:\n    retries: 0\n    tls: { ca: ca.pem }\n";
    let start = |authority: &Authority| {
        let gate = Tollgate::with(yaml).file("ca.pem", &authority.pem);
        gate.endpoint("tiny", "tiny", &front.url()).start()
    };
    let gate = start(&own).await?;
    let told = chat(&gate).await?;
    assert_eq!((told.status, told.body["model"].as_str()), (200, Some("tiny")), "{}", told.body);
    let asked = engine.chats().await?;
    let gate = start(&other).await?;
    let key = gate.key("acme").await?.key;
    let told = ask::chat(&gate, &key, "tiny").await?;
    assert_eq!(told.status / 100, 5, "a stranger's certificate is believed: {}", told.body);
    assert_eq!(engine.chats().await?, asked);
    Ok(())
}

/// A certificate that is of somebody else, though the authority is the right one.
#[tokio::test]
async fn a_certificate_has_to_name_the_server() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let own = Authority::new();
    let front = TlsFront::before(&engine, &own.sign("engine.example")).await?;
    let yaml = "pools:\n  tiny:\n    retries: 0\n    tls: { ca: ca.pem }\n";
    let gate = Tollgate::with(yaml).file("ca.pem", &own.pem);
    let gate = gate.endpoint("tiny", "tiny", &front.url()).start().await?;
    let key = gate.key("acme").await?.key;
    let told = ask::chat(&gate, &key, "tiny").await?;
    assert_eq!(told.status / 100, 5, "{}", told.body);
    assert_eq!(engine.chats().await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_server_listens_on_ipv6() -> Result<()> {
    let engine = Engine::start().listen("[::1]:0".parse()?).spawn().await?;
    let yaml = format!("pools:\n  tiny:\n    endpoints: [ \"{}\" ]\n", engine.url());
    let gate = Tollgate::with(&yaml).engine("tiny", &engine).start().await?;
    let told = chat(&gate).await?;
    assert_eq!((told.status, told.body["model"].as_str()), (200, Some("tiny")), "{}", told.body);
    let row = super::ledger::record(&gate, told.id()).await?;
    assert_eq!(row["endpoint"], engine.address().to_string(), "{row}");
    Ok(())
}

/// The pool that all of 20 chats are answered by.
async fn all_by(gate: &Tollgate, key: &str, name: &str) -> Result<()> {
    for number in 0..20 {
        let told = ask::chat(gate, key, "chat").await?;
        assert_eq!((told.status, pool(&told)), (200, name), "{number}: {}", told.body);
    }
    Ok(())
}

/// What answers in its place is inside of Envoy, and speaks no TLS.
#[tokio::test]
async fn a_pool_behind_tls_of_which_nobody_is_well_is_passed_over() -> Result<()> {
    let (mut far, near) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
    let own = Authority::new();
    let front = TlsFront::before(&far, &own.sign("127.0.0.1")).await?;
    let yaml = "gateway:\n  expose_pool: true\npools:\n  far:\n    retries: 0\n    \
                tls: { ca: ca.pem }\n    health: { path: /health, interval: 100ms }\n\
                models:\n  chat: { split: [ { pool: far } ], fallback: [near] }\n";
    let gate = Tollgate::with(yaml).file("ca.pem", &own.pem).engine("near", &near);
    let gate = gate.endpoint("far", "tiny", &front.url()).start().await?;
    let key = gate.key("acme").await?.key;
    all_by(&gate, &key, "far").await?;
    far.pose(&Pose { health: Some(503), ..Pose::default() }).await?;
    let wanted = if is_chained() { 200 } else { 503 };
    let is_passed_over = async || {
        let before = far.chats().await.unwrap_or_default();
        let told = ask::chat(&gate, &key, "chat").await;
        let is_told = told.is_ok_and(|told| told.status == wanted);
        is_told && far.chats().await.is_ok_and(|now| now == before)
    };
    assert!(wait_until(is_passed_over, SOON).await, "{}", gate.tails());
    if !is_chained() {
        return Ok(());
    }
    all_by(&gate, &key, "near").await?;
    drop(front);
    far.kill();
    all_by(&gate, &key, "near").await
}
