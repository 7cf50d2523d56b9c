//! A signed request counts once: whoever sends it at the same moment, whatever became
//! of Envoy and of the configuration meanwhile.

use super::ask::{self, CHAT, HELLO};
use super::serving::{SOON, Serving, ready};
use integration::signed::{Signed, now_s};
use integration::{BareEnvoy, Engine, RawClient, Result, Tollgate, TollgateStart, wait_until};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

const SECRET: &str = "a-made-up-secret-of-partner-1";
const REPLAYED: (u16, &str) = (401, "replayed_request");
/// How often each request is sent at once.
const AT_ONCE: usize = 100;
const ROUNDS: usize = 3;
/// How far ahead of the gateway's clock a client may be.
const AHEAD_S: i64 = 20;
/// Beyond the skew of a test.
const AGE: Duration = Duration::from_secs(6);

fn gate_with(more: &str) -> TollgateStart {
    let hmac = format!("tenants:\n  acme:\n    hmac: [{{ id: partner-1, secret: {SECRET} }}]\n");
    Tollgate::with(&format!("{hmac}{more}"))
}

fn signed_as(credential: &str) -> Signed {
    Signed::post(credential, SECRET, CHAT, HELLO.as_bytes())
}

fn signed() -> Signed {
    signed_as("partner-1")
}

/// What was told, and how often.
type Counts = BTreeMap<(u16, String), usize>;

/// One answer, and all others refused as replays.
fn counted(served: usize) -> Counts {
    let refused = (REPLAYED.0, REPLAYED.1.to_owned());
    BTreeMap::from([((200, String::new()), served), (refused, AT_ONCE - served)])
}

/// Sends a request on many connections at the same moment: each has sent its first line
/// when all send the rest.
async fn sent_at_once(url: &str, header: &str) -> Result<Counts> {
    let together = Arc::new(Barrier::new(AT_ONCE));
    let request = format!(
        "host: test\r\ncontent-type: application/json\r\nauthorization: {header}\r\n\
         content-length: {}\r\n\r\n{HELLO}",
        HELLO.len()
    );
    let mut asking = Vec::new();
    for _ in 0..AT_ONCE {
        let mut connection = RawClient::connect(url).await?;
        connection.send(format!("POST {CHAT} HTTP/1.1\r\n")).await?;
        let (together, request) = (Arc::clone(&together), request.clone());
        asking.push(tokio::spawn(async move {
            together.wait().await;
            connection.send(request).await?;
            connection.answer().await
        }));
    }
    let mut told = Counts::new();
    for asking in asking {
        let answer = asking.await??;
        let code = answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
        *told.entry((answer.status, code)).or_default() += 1;
    }
    Ok(told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_at_once_one_is_served() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("gateway:\n  workers: 4\n").engine("tiny", &engine).start().await?;
    for _ in 0..ROUNDS {
        assert_eq!(sent_at_once(gate.url(), &signed().header()).await?, counted(1));
    }
    assert_eq!(engine.chats().await?, ROUNDS as u64);
    Ok(())
}

/// Sends requests to two gateways on one address, both of which get their share.
async fn served_by_two(auth: &str, each: usize) -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let serving = Serving::start(gate_with(auth).engine("tiny", &engine)).await?;
    let envoys = [serving.envoy("one").await?, serving.envoy("two").await?];
    let url = ready(&envoys).await?;
    for _ in 0..ROUNDS {
        let before = [asked(&envoys[0]).await?, asked(&envoys[1]).await?];
        let told = sent_at_once(&url, &signed().header()).await?;
        for (envoy, before) in envoys.iter().zip(before) {
            assert!(asked(envoy).await? > before, "one gateway got all");
        }
        assert_eq!(told, counted(each), "{}", serving.tails());
    }
    assert_eq!(engine.chats().await?, (ROUNDS * each) as u64);
    Ok(())
}

/// Requests that an Envoy got so far.
async fn asked(envoy: &BareEnvoy) -> Result<u64> {
    envoy.stat("http.gateway.downstream_rq_total").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_two_gateways_one_is_served_by_each() -> Result<()> {
    served_by_two("", 2).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_two_gateways_that_share_nonces_one_is_served_in_all() -> Result<()> {
    served_by_two("auth:\n  hmac:\n    nonces: shared\n", 1).await
}

/// A client whose clock is ahead: its request is refused while it is still ahead of the
/// new process, and when its own time has come.
#[tokio::test]
async fn a_restart_opens_nothing_that_was_used_ahead_of_its_time() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("").fixed_ports().engine("tiny", &engine).start().await?;
    let (used, its_time) = (signed().after_now_s(AHEAD_S).header(), now_s() + AHEAD_S as u64);
    assert_eq!(ask::hello(&gate, &used).await?.status, 200);
    let first = gate.envoy_pid();
    assert!(gate.kill_envoy());
    let honest =
        async || ask::hello(&gate, &signed().header()).await.is_ok_and(|told| told.status == 200);
    assert!(wait_until(honest, SOON).await, "{}", gate.tails());
    assert_ne!(gate.envoy_pid(), first);
    assert_eq!(ask::hello(&gate, &used).await?.what(), REPLAYED);
    while now_s() <= its_time + 1 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ask::hello(&gate, &used).await?.what(), REPLAYED);
    assert_eq!(ask::hello(&gate, &signed().header()).await?.status, 200);
    Ok(())
}

/// What the narrower skew refused as too old, the wider one knows as used.
#[tokio::test]
async fn a_wider_skew_opens_nothing_that_was_used() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let narrow = "auth:\n  hmac:\n    max_skew: 3s\n";
    let gate = gate_with(narrow).engine("tiny", &engine).start().await?;
    let used = signed().header();
    assert_eq!(ask::hello(&gate, &used).await?.status, 200);
    tokio::time::sleep(AGE).await;
    assert_eq!(ask::hello(&gate, &used).await?.what(), (401, "invalid_signature"));
    // Younger than the used one, and too old for the narrow skew.
    let late = async || ask::hello(&gate, &signed().after_now_s(-5).header()).await;
    assert_eq!(late().await?.what(), (401, "invalid_signature"));
    gate.rewrite_config(|yaml| yaml.replace("max_skew: 3s", "max_skew: 300s"))?;
    let wider = async || late().await.is_ok_and(|told| told.status == 200);
    assert!(wait_until(wider, SOON).await, "{}", gate.tails());
    assert_eq!(ask::hello(&gate, &used).await?.what(), REPLAYED);
    Ok(())
}

/// The id is not among the signed lines: a request goes over to whatever the credential
/// of its secret is called now, and is the same request.
#[tokio::test]
async fn a_new_name_of_a_credential_opens_nothing_that_was_used() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate_with("").engine("tiny", &engine).start().await?;
    let (used, unused) = (signed().header(), signed().header());
    assert_eq!(ask::hello(&gate, &used).await?.status, 200);
    gate.rewrite_config(|yaml| yaml.replace("id: partner-1", "id: partner-3"))?;
    let renamed = async || {
        let told = ask::hello(&gate, &signed_as("partner-3").header()).await;
        told.is_ok_and(|told| told.status == 200)
    };
    assert!(wait_until(renamed, SOON).await, "{}", gate.tails());
    let swapped = |header: &str| header.replace("Credential=partner-1", "Credential=partner-3");
    assert_eq!(ask::hello(&gate, &swapped(&used)).await?.what(), REPLAYED);
    assert_eq!(ask::hello(&gate, &swapped(&unused)).await?.status, 200);
    assert_eq!(ask::hello(&gate, &swapped(&unused)).await?.what(), REPLAYED);
    Ok(())
}
