//! Client certificates: which tenant they are of, alone and beside a credential.

use super::made::{self, Authority, Pair};
use integration::{Engine, Result, Tollgate};
use rcgen::SanType;
use serde_json::{Value, json};

fn uri(name: &str) -> SanType {
    SanType::URI(name.try_into().expect("an ASCII name"))
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("an ASCII name"))
}

/// What the gateway answers to somebody who shows a certificate, a key, both or none.
async fn told(
    gate: &Tollgate,
    shown: Option<&Pair>,
    key: Option<&str>,
) -> Result<(u16, String, String)> {
    let body = json!({"model": "tiny", "messages": [{"role": "user", "content": "hello"}]});
    let mut request =
        made::showing(shown).post(format!("{}/v1/chat/completions", gate.url())).json(&body);
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let answer = request.header("x-sim-echo", "body").send().await?;
    let id = answer
        .headers()
        .get("x-request-id")
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await?;
    let seen = body["choices"][0]["message"]["content"].as_str().unwrap_or_default();
    assert!(!seen.contains("x-forwarded-client-cert") && !seen.contains("spiffe"), "{seen}");
    Ok((status, body["error"]["code"].as_str().unwrap_or_default().to_owned(), id))
}

async fn gate(engine: &Engine, authority: &Authority) -> Result<Tollgate> {
    let server = made::pair("gateway.example");
    let yaml = "gateway:\n  tls: { cert: server.pem, key: server-key.pem, client_ca: clients.pem }\n\
                tenants:\n  acme: { mtls: [\"spiffe://acme/*\", \"*.acme.example\"] }\n  rich: { mtls: [\"spiffe://rich/*\"] }\n";
    let start =
        Tollgate::with(yaml).file("server.pem", &server.cert).file("server-key.pem", &server.key);
    start.file("clients.pem", &authority.pem).engine("tiny", engine).start().await
}

#[tokio::test]
async fn a_certificate_is_of_the_tenant_that_names_it() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let (authority, other) = (Authority::new(), Authority::new());
    let gate = gate(&engine, &authority).await?;
    let of = |name: SanType| authority.sign_named(vec![name]);
    for (pair, key) in [
        (of(uri("spiffe://acme/one")), "mtls:spiffe://acme/one"),
        (of(dns("a.acme.example")), "mtls:a.acme.example"),
    ] {
        let (status, code, id) = told(&gate, Some(&pair), None).await?;
        assert_eq!((status, code.as_str()), (200, ""), "{key}");
        let row = super::ledger::record(&gate, &id).await?;
        assert_eq!((&row["tenant"], &row["key"]), (&"acme".into(), &key.into()), "{row}");
    }
    let nobodys = [
        uri("spiffe://nobody/one"),
        uri("spiffe://acme.example.org/one"),
        uri("SPIFFE://acme/one"),
        dns("acme.example.org"),
        dns("spiffe"),
    ];
    for name in nobodys {
        let shown = format!("{name:?}");
        let (status, code, _) = told(&gate, Some(&of(name)), None).await?;
        assert_eq!((status, code.as_str()), (401, "missing_credentials"), "{shown}");
    }
    let (status, code, _) = told(&gate, None, None).await?;
    assert_eq!((status, code.as_str()), (401, "missing_credentials"));
    let foreign = other.sign_named(vec![uri("spiffe://acme/one")]);
    assert!(told(&gate, Some(&foreign), None).await.is_err(), "nobody knows who signed it");
    let own = made::pair("a.acme.example");
    assert!(told(&gate, Some(&own), None).await.is_err(), "it signed itself");
    Ok(())
}

/// The name comes from the handshake, and from nowhere else.
#[tokio::test]
async fn a_name_in_a_header_is_no_certificate() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let authority = Authority::new();
    let gate = gate(&engine, &authority).await?;
    let nobody = authority.sign_named(vec![uri("spiffe://nobody/one")]);
    let told = "By=spiffe://rich/gateway;Hash=00;URI=spiffe://rich/one;DNS=a.acme.example";
    let names = [
        "x-forwarded-client-cert",
        "X-Forwarded-Client-Cert",
        "x-client-cert",
        "ssl-client-cert",
        "x-tollgate-certificate",
    ];
    for name in names {
        for shown in [None, Some(&nobody)] {
            let client = made::showing(shown);
            let request =
                client.post(format!("{}/v1/chat/completions", gate.url())).header(name, told);
            let answer =
                request.header("content-type", "application/json").body("{}").send().await?;
            assert_eq!(answer.status(), 401, "{name}");
        }
    }
    let acme = authority.sign_named(vec![uri("spiffe://acme/one")]);
    let body = json!({"model": "tiny", "messages": [{"role": "user", "content": "hello"}]});
    let request =
        made::showing(Some(&acme)).post(format!("{}/v1/chat/completions", gate.url())).json(&body);
    let answer = request.header("x-forwarded-client-cert", told).send().await?;
    let id = answer.headers()["x-request-id"].to_str()?.to_owned();
    assert_eq!(super::ledger::record(&gate, &id).await?["tenant"], "acme");
    Ok(())
}

#[tokio::test]
async fn beside_a_key_it_must_be_of_the_same_tenant() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let authority = Authority::new();
    let gate = gate(&engine, &authority).await?;
    let (acme, rich) = (gate.key("acme").await?.key, gate.key("rich").await?.key);
    let of = |name: &str| authority.sign_named(vec![uri(name)]);
    let table = [
        (None, &acme, (200, "")),
        (Some("spiffe://acme/one"), &acme, (200, "")),
        (Some("spiffe://rich/one"), &rich, (200, "")),
        (Some("spiffe://acme/one"), &rich, (403, "forbidden")),
        (Some("spiffe://rich/one"), &acme, (403, "forbidden")),
        (Some("spiffe://nobody/one"), &acme, (403, "forbidden")),
    ];
    for (name, key, (status, code)) in table {
        let pair = name.map(of);
        let got = told(&gate, pair.as_ref(), Some(key)).await?;
        assert_eq!((got.0, got.1.as_str()), (status, code), "{name:?}");
    }
    let pair = of("spiffe://acme/one");
    let (status, code, _) = told(&gate, Some(&pair), Some("nobody")).await?;
    assert_eq!((status, code.as_str()), (401, "invalid_api_key"), "a wrong key is not made good");
    Ok(())
}
