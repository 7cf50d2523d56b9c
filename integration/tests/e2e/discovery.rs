//! Pools whose servers are found: where they come from, and how they go.

use integration::engine::Pose;
use integration::{Engine, Load, Outcome, Result, Tollgate, TollgateStart, wait_until};
use std::time::Duration;

const FILE: &str = "servers.yaml";
/// What a change may take: no bound of the product, but the end of patience.
const SOON: Duration = Duration::from_secs(10);

/// A pool `tiny` whose servers `source` names, asked for by the model's name.
fn discovering(source: &str) -> TollgateStart {
    Tollgate::with(&format!(
        "models: {{ tiny: tiny }}\npools:\n  tiny:\n    engine: vllm\n    model: tiny\n    \
         discover: {{ {source} }}\n"
    ))
}

/// A file that lists these.
fn listing(engines: &[&Engine]) -> String {
    engines.iter().map(|engine| format!("- {}\n", engine.url())).collect()
}

/// Answers of one token, which slow engines give at once too.
fn short(gate: &Tollgate, key: &str) -> Load {
    Load::on(gate.url()).key(key).field("max_tokens", 1.into())
}

/// Whether requests reach this engine.
async fn is_reached(gate: &Tollgate, key: &str, engine: &Engine) -> bool {
    let before = engine.chats().await.unwrap_or(u64::MAX);
    let asked = short(gate, key).count(4).await;
    asked.is_ok() && engine.chats().await.unwrap_or(0) > before
}

/// What the status tells of the one source.
async fn source_is(gate: &Tollgate, state: &str) -> bool {
    let status = gate.cli_json(&["status", "--format", "json"]).await.unwrap_or_default();
    status.to_string().contains(&format!("\"state\":\"{state}\""))
}

async fn is_served(gate: &Tollgate, key: &str) -> bool {
    Load::on(gate.url()).key(key).count(1).await.is_ok_and(|all| all[0].complete)
}

fn failed(outcomes: &[Outcome]) -> Vec<&Outcome> {
    outcomes.iter().filter(|outcome| !outcome.complete).collect()
}

#[tokio::test]
async fn a_file_is_followed_under_load() -> Result<()> {
    let (one, two) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
    let start = discovering(&format!("file: {FILE}")).file(FILE, &listing(&[&one]));
    let gate = start.start().await?;
    let key = gate.key("acme").await?.key;
    assert!(wait_until(async || is_served(&gate, &key).await, SOON).await);
    let load = Load::on(gate.url()).key(&key).clients(4).start();
    gate.replace_file(FILE, &listing(&[&one, &two]))?;
    assert!(wait_until(async || is_reached(&gate, &key, &two).await, SOON).await);
    gate.replace_file(FILE, &listing(&[&two]))?;
    let left = async || !is_reached(&gate, &key, &one).await;
    assert!(wait_until(left, SOON).await, "what was removed is still asked");
    // Half of a file, and one that lists no servers, change nothing and are told of.
    for broken in ["- http://127.0.0.1:1\n- [", "- no server\n"] {
        assert!(wait_until(async || source_is(&gate, "fresh").await, SOON).await);
        gate.replace_file(FILE, broken)?;
        assert!(wait_until(async || source_is(&gate, "failing").await, SOON).await, "{broken:?}");
        assert!(is_reached(&gate, &key, &two).await, "{broken:?}");
        gate.replace_file(FILE, &listing(&[&two]))?;
    }
    let outcomes = load.stop().await?;
    assert_eq!(
        failed(&outcomes).len(),
        0,
        "of {}: {:?}",
        outcomes.len(),
        failed(&outcomes).first()
    );
    Ok(())
}

/// As Envoy itself would be given them.
#[tokio::test]
async fn envoys_own_file_of_endpoints_is_understood() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let (ip, port) = (engine.address().ip(), engine.address().port());
    let eds = format!(
        "resources:\n- \"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment\n  \
         cluster_name: tiny\n  endpoints:\n  - lb_endpoints:\n    - endpoint:\n        address:\n          \
         socket_address: {{ address: {ip}, port_value: {port} }}\n"
    );
    let gate = discovering(&format!("file: {FILE}")).file(FILE, &eds).start().await?;
    let key = gate.key("acme").await?.key;
    assert!(wait_until(async || is_reached(&gate, &key, &engine).await, SOON).await);
    Ok(())
}

#[tokio::test]
async fn a_variable_names_the_servers() -> Result<()> {
    let (one, two) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
    let servers = format!("{}, {}", one.url(), two.address());
    let gate = discovering("env: TINY_SERVERS").env("TINY_SERVERS", &servers).start().await?;
    let key = gate.key("acme").await?.key;
    for engine in [&one, &two] {
        assert!(wait_until(async || is_reached(&gate, &key, engine).await, SOON).await);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_removed_gets_nothing_new_and_ends_its_streams_in_peace() -> Result<()> {
    // They run until the engine is told to hurry.
    let slow = Engine::start().tokens(3_000).token_interval(Duration::from_millis(20));
    let (old, new) = (slow.spawn().await?, Engine::start().spawn().await?);
    let start = discovering(&format!("file: {FILE}")).file(FILE, &listing(&[&old]));
    let gate = start.start().await?;
    let key = gate.key("acme").await?.key;
    let running = Load::on(gate.url()).key(&key).clients(3).stream();
    let running = tokio::spawn(async move { running.count(3).await });
    assert!(wait_until(async || old.chats().await.is_ok_and(|count| count == 3), SOON).await);
    gate.replace_file(FILE, &listing(&[&new]))?;
    assert!(wait_until(async || is_reached(&gate, &key, &new).await, SOON).await);
    assert!(wait_until(async || !is_reached(&gate, &key, &old).await, SOON).await);
    let before = old.chats().await?;
    let outcomes = short(&gate, &key).clients(2).count(40).await?;
    assert_eq!(failed(&outcomes).len(), 0, "{outcomes:?}");
    assert_eq!(old.chats().await?, before, "a draining server got a request");
    let counters = old.counters().await?;
    assert_eq!(
        (counters.in_flight, counters.aborted),
        (3, 0),
        "the streams were to be running still"
    );
    old.pose(&Pose { hurry: true, ..Pose::default() }).await?;
    let streams = running.await??;
    assert_eq!(failed(&streams).len(), 0, "{streams:?}");
    Ok(())
}

#[tokio::test]
async fn a_list_that_is_suddenly_empty_is_doubted() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let start = discovering(&format!("file: {FILE}")).file(FILE, &listing(&[&engine]));
    let gate = start.start().await?;
    let key = gate.key("acme").await?.key;
    assert!(wait_until(async || is_served(&gate, &key).await, SOON).await);
    gate.replace_file(FILE, "[]\n")?;
    assert!(wait_until(async || source_is(&gate, "doubted").await, SOON).await);
    let outcomes = Load::on(gate.url()).key(&key).clients(2).count(50).await?;
    assert_eq!(failed(&outcomes).len(), 0, "{outcomes:?}");
    Ok(())
}

#[tokio::test]
async fn an_empty_list_is_believed_where_the_operator_says_so() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let source = format!("file: {FILE}, hold_empty: 0s");
    let gate = discovering(&source).file(FILE, &listing(&[&engine])).start().await?;
    let key = gate.key("acme").await?.key;
    assert!(wait_until(async || is_served(&gate, &key).await, SOON).await);
    gate.replace_file(FILE, "[]\n")?;
    let gone = async || {
        let asked = Load::on(gate.url()).key(&key).count(1).await;
        asked.is_ok_and(|all| all[0].status == Some(503))
    };
    assert!(wait_until(gone, SOON).await);
    gate.replace_file(FILE, &listing(&[&engine]))?;
    assert!(wait_until(async || is_served(&gate, &key).await, SOON).await);
    Ok(())
}
