//! Servers that speak HTTP/2, that are behind TLS of their own authority, and that listen on
//! an IPv6 address.

mod fronts;

use super::ask::{self, Told};
use super::made::Authority;
use fronts::{Http2Front, TlsFront};
use integration::{Engine, Load, Result, Tollgate};

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
