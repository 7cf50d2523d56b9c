//! Signed requests, by a client that knows the contract and not the gateway.

use super::ask::{self, CHAT, HELLO, Told, post};
use integration::signed::{Signed, header_of, now_s};
use integration::{Engine, RawClient, Result, Tollgate, TollgateStart, wait_until};
use std::collections::BTreeMap;
use std::time::Duration;

const SECRET: &str = "a-made-up-secret-of-partner-1";
const SOON: Duration = Duration::from_secs(15);
const SIGNATURE: (u16, &str) = (401, "invalid_signature");
const REPLAYED: (u16, &str) = (401, "replayed_request");

fn gate_with(more: &str) -> TollgateStart {
    let yaml = format!(
        "tenants:\n  acme:\n    hmac:\n      - {{ id: partner-1, secret: \"${{SECRET_1}}\", user: robot }}\n      \
         - {{ id: partner-2, secret: another-made-up-secret }}\n{more}"
    );
    Tollgate::with(&yaml).env("SECRET_1", SECRET)
}

fn signed() -> Signed {
    Signed::post("partner-1", SECRET, CHAT, HELLO.as_bytes())
}

#[tokio::test]
async fn who_signs_is_served_and_named() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("").engine("tiny", &engine).start().await?;
    let told = ask::hello(&gate, &signed().header()).await?;
    assert_eq!(told.status, 200, "{}", told.body);
    let seen = told.echo()["headers"].to_string();
    assert!(!seen.contains("authorization") && !seen.contains("TOLLGATE-HMAC"), "{seen}");
    let row = super::ledger::record(&gate, told.id()).await?;
    let who = (&row["tenant"], &row["key"], &row["user"]);
    assert_eq!(who, (&"acme".into(), &"partner-1".into(), &"robot".into()), "{row}");
    let with_query = format!("{CHAT}?a=1&b=%20");
    let header = signed().path(&with_query).header();
    let told = Told::of(post(&gate, &with_query, &[("authorization", &header)], HELLO)).await?;
    assert_eq!(told.status, 200, "the query is signed: {}", told.body);
    let models = Signed::post("partner-1", SECRET, "/v1/models", b"").method("GET");
    let request = integration::client().get(format!("{}/v1/models", gate.url()));
    let told = Told::of(request.header("authorization", models.header())).await?;
    assert_eq!(told.status, 200, "no body has a digest too: {}", told.body);
    Ok(())
}

/// Each part is told and signed otherwise than the request is.
fn wrong() -> Vec<(&'static str, String)> {
    let one = signed();
    let told = |name: &str, value: String| {
        let mut parts = signed().parts();
        let part = parts.iter_mut().find(|part| part.0 == name).expect("a part of the header");
        part.1 = value;
        header_of(&parts)
    };
    vec![
        ("another method", one.clone().method("GET").header()),
        ("another path", one.clone().path("/v1/embeddings").header()),
        ("a query", one.clone().path(&format!("{CHAT}?a=1")).header()),
        ("another secret", one.clone().secret("not-the-secret-of-partner-1").header()),
        ("an empty secret", one.clone().secret("").header()),
        ("too old", one.clone().after_now_s(-302).header()),
        ("too young", one.clone().after_now_s(310).header()),
        ("of the beginning", one.clone().timestamp("0").header()),
        ("of the end", one.clone().timestamp("18446744073709551615").header()),
        ("beyond the end", one.clone().timestamp("18446744073709551616").header()),
        ("another timestamp", told("Timestamp", (now_s() - 1).to_string())),
        ("another nonce", told("Nonce", integration::signed::nonce())),
        ("another digest", told("BodySha256", integration::signed::sha256(b"{}"))),
        ("no digest", told("BodySha256", "UNSIGNED-PAYLOAD".into())),
        ("another credential", told("Credential", "partner-2".into())),
        ("nobody's credential", told("Credential", "nobody".into())),
        ("no signature", told("Signature", String::new())),
        ("half a signature", told("Signature", one.signature()[..32].to_owned())),
        ("zeros", told("Signature", "0".repeat(64))),
        (
            "a digest of another body, signed",
            one.clone().body_sha256(&integration::signed::sha256(b"{}")).header(),
        ),
    ]
}

/// Headers that are no signature at all.
fn malformed() -> Vec<String> {
    let parts = signed().parts();
    let without = |gone: usize| {
        let kept = parts.iter().enumerate().filter(|(at, _)| *at != gone);
        header_of(&kept.map(|(_, part)| part.clone()).collect::<Vec<_>>())
    };
    let twice = |at: usize| header_of(&[&parts[..], &parts[at..=at]].concat());
    let mut all: Vec<String> = (0..parts.len()).flat_map(|at| [without(at), twice(at)]).collect();
    all.extend([
        "TOLLGATE-HMAC-SHA256".to_owned(),
        "TOLLGATE-HMAC-SHA256 ".to_owned(),
        "TOLLGATE-HMAC-SHA256 Credential".to_owned(),
        signed().nonce("short").header(),
        signed().nonce(&"a".repeat(65)).header(),
        signed().nonce("with/characters+that=are-not-safe").header(),
        signed().timestamp("soon").header(),
        signed().timestamp("-1").header(),
        signed().timestamp(&format!(" {}", now_s())).header(),
        signed().timestamp(&format!("+{}", now_s())).header(),
        signed().header().replace("SHA256 ", "SHA1 "),
        signed().header().replace(", ", "; "),
        format!("{}, Extra=1", signed().header()),
    ]);
    all
}

#[tokio::test]
async fn each_part_counts() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("").engine("tiny", &engine).start().await?;
    for (name, header) in wrong() {
        let told = ask::hello(&gate, &header).await?;
        // A stamp of before the process is one that nobody can judge any more.
        let may_be_replayed = ["too old", "of the beginning", "another timestamp"].contains(&name);
        assert!(
            told.what() == SIGNATURE || may_be_replayed && told.what() == REPLAYED,
            "{name}: {told:?}"
        );
    }
    for header in malformed() {
        let told = ask::hello(&gate, &header).await?;
        assert!([400, 401].contains(&told.status) && !told.code.is_empty(), "{header}: {told:?}");
    }
    assert_eq!(engine.chats().await?, 0);
    assert_eq!(ask::hello(&gate, &signed().header()).await?.status, 200);
    assert_eq!(gate.usage_when(|rows| !rows.is_empty(), SOON).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_body_is_the_one_that_was_signed() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("").engine("tiny", &engine).start().await?;
    for body in [HELLO.replace("hello", "hullo"), format!("{HELLO} "), String::new()] {
        let header = signed().header();
        let told = Told::of(post(&gate, CHAT, &[("authorization", &header)], &body)).await?;
        assert!(
            told.what() == SIGNATURE || body.is_empty() && told.status >= 400,
            "{body:?}: {told:?}"
        );
    }
    assert_eq!(engine.chats().await?, 0);
    Ok(())
}

/// Nobody learns which credentials there are.
#[tokio::test]
async fn who_is_unknown_is_told_what_a_wrong_signature_is_told() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("").engine("tiny", &engine).start().await?;
    let unknown = Signed::post("nobody", SECRET, CHAT, HELLO.as_bytes()).header();
    let wrong = signed().secret("not-the-secret-of-partner-1").header();
    let (one, other) = (ask::hello(&gate, &unknown).await?, ask::hello(&gate, &wrong).await?);
    assert_eq!((one.what(), &one.body), (other.what(), &other.body));
    let names = |told: &Told| told.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other));
    Ok(())
}

#[tokio::test]
async fn a_request_counts_once_whichever_worker_gets_it() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("gateway:\n  workers: 4\n").engine("tiny", &engine).start().await?;
    for _ in 0..3 {
        let headers = format!("authorization: {}\r\n", signed().header());
        let mut connections = Vec::new();
        for _ in 0..24 {
            connections.push(RawClient::connect(gate.url()).await?);
        }
        for connection in &mut connections {
            connection.post(CHAT, &headers, HELLO).await?;
        }
        let mut told = BTreeMap::new();
        for connection in &mut connections {
            let answer = connection.answer().await?;
            let code = answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
            *told.entry((answer.status, code)).or_insert(0) += 1;
        }
        let once =
            BTreeMap::from([((200, String::new()), 1), ((401, "replayed_request".to_owned()), 23)]);
        assert_eq!(told, once);
    }
    assert_eq!(engine.chats().await?, 3);
    Ok(())
}

/// What was used before Envoy died is not taken again after it, also where it was
/// stamped ahead of the time.
#[tokio::test]
async fn a_request_counts_once_over_the_death_of_envoy() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("").fixed_ports().engine("tiny", &engine).start().await?;
    let used = [signed().header(), signed().after_now_s(90).header()];
    for header in &used {
        assert_eq!(ask::hello(&gate, header).await?.status, 200);
    }
    assert!(gate.kill_envoy());
    let again =
        async || ask::hello(&gate, &signed().header()).await.is_ok_and(|told| told.status == 200);
    assert!(wait_until(again, SOON).await, "{}", gate.tails());
    for header in &used {
        assert_eq!(ask::hello(&gate, header).await?.what(), REPLAYED);
    }
    Ok(())
}

/// With `nonces: shared` the control plane remembers, for all gateways.
#[tokio::test]
async fn shared_nonces_are_remembered_by_the_control_plane() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let shared = "auth:\n  hmac:\n    nonces: shared\n";
    let mut gate = gate_with(shared).engine("tiny", &engine).start().await?;
    let header = signed().header();
    assert_eq!(ask::hello(&gate, &header).await?.status, 200);
    assert_eq!(ask::hello(&gate, &header).await?.what(), REPLAYED);
    gate.kill9();
    let alone = ask::hello(&gate, &signed().header()).await?;
    assert_eq!(alone.what(), (503, "control_unavailable"), "nobody can say whether it is new");
    gate.start_again().await?;
    assert_eq!(ask::hello(&gate, &header).await?.what(), REPLAYED);
    let fresh =
        async || ask::hello(&gate, &signed().header()).await.is_ok_and(|told| told.status == 200);
    assert!(wait_until(fresh, SOON).await);
    Ok(())
}

#[tokio::test]
async fn a_credential_comes_and_goes_with_the_configuration() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("").engine("tiny", &engine).start().await?;
    assert_eq!(ask::hello(&gate, &signed().header()).await?.status, 200);
    gate.rewrite_config(|yaml| yaml.replace("id: partner-1", "id: partner-3"))?;
    let gone = async || {
        ask::hello(&gate, &signed().header()).await.is_ok_and(|told| told.what() == SIGNATURE)
    };
    assert!(wait_until(gone, SOON).await);
    let renamed = || Signed::post("partner-3", SECRET, CHAT, HELLO.as_bytes()).header();
    assert_eq!(ask::hello(&gate, &renamed()).await?.status, 200);
    Ok(())
}
