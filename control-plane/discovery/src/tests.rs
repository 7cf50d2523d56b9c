use super::*;
use hickory_resolver::proto::rr::RecordType;
use std::time::Duration;
use test_name_server::{Reply, TestNameServer};
use tokio::time::timeout;

fn discovery(source: Source) -> Discovery {
    Discovery { source, tls: false, hold_empty: Duration::from_secs(30) }
}

fn unset(_: &str) -> Option<String> {
    None
}

/// Waits until the source found `expected`: `ADDRESS` or `ADDRESS=NAME`.
async fn until(watched: &mut Watched, expected: &str) -> Found {
    let waiting = watched.receiver.wait_for(|found| shown(found) == expected);
    let found = timeout(Duration::from_secs(30), waiting).await;
    let found = found.map(|found| found.expect("the source runs").clone());
    found.unwrap_or_else(|_| panic!("{expected} expected, not {:?}", watched.receiver.borrow()))
}

fn shown(found: &Found) -> String {
    let Some(targets) = &found.targets else { return "unknown".to_owned() };
    let target = |target: &Target| match &target.hostname {
        Some(hostname) => format!("{}={hostname}", target.address),
        None => target.address.to_string(),
    };
    targets.iter().map(target).collect::<Vec<_>>().join(" ")
}

async fn failure(watched: &mut Watched) -> String {
    let failing = |found: &Found| matches!(found.state, State::Failing { .. });
    let found = timeout(Duration::from_secs(30), watched.receiver.wait_for(failing)).await;
    let found = found.expect("in time").expect("the source runs").clone();
    let State::Failing { error, since_ms } = found.state else { panic!("failing") };
    assert!(since_ms > 0);
    error
}

#[tokio::test]
async fn an_environment_variable() {
    let source = Source::Env("ENGINES".to_owned());
    let env = |name: &str| (name == "ENGINES").then(|| "10.0.0.2:1,http://10.0.0.1:1".to_owned());
    let mut watched = watch(&discovery(source.clone()), env);
    let found = until(&mut watched, "10.0.0.1:1 10.0.0.2:1").await;
    assert_eq!(found.state, State::Fresh);
    let mut watched = watch(&discovery(source), unset);
    assert_eq!(failure(&mut watched).await, "the environment variable ENGINES is not set");
}

#[tokio::test]
async fn what_was_found_once_stays_for_who_looks_later() {
    let env = |_: &str| Some("10.0.0.1:1".to_owned());
    let mut watched = watch(&discovery(Source::Env("ENGINES".to_owned())), env);
    until(&mut watched, "10.0.0.1:1").await;
    let change = timeout(Duration::from_millis(50), watched.receiver.changed()).await;
    assert!(change.is_err(), "the source has ended: {change:?}");
}

#[tokio::test]
async fn a_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("engines.yaml");
    std::fs::write(&path, "- 10.0.0.1:1\n- https://10.0.0.2:1\n").unwrap();
    let mut watched = watch(&Discovery { tls: true, ..discovery(Source::File(path)) }, unset);
    let found = until(&mut watched, "10.0.0.1:1 10.0.0.2:1").await;
    assert!(found.targets.unwrap().iter().all(|target| target.tls));
}

#[tokio::test]
async fn a_name_with_a_port() {
    let server = TestNameServer::start().await;
    server.say_addresses("llama.test", &["10.0.0.2", "10.0.0.1"], 60);
    let dns = Dns { name: "llama.test".to_owned(), port: Some(8000), server: Some(server.address) };
    let mut watched = watch(&discovery(Source::Dns(dns)), unset);
    until(&mut watched, "10.0.0.1:8000=llama.test 10.0.0.2:8000=llama.test").await;
}

#[tokio::test]
async fn a_name_with_services() {
    let server = TestNameServer::start().await;
    server.say_services("_http._tcp.test", &[(0, "a.test", 1), (0, "b.test", 2)], 60);
    server.say_addresses("a.test", &["10.0.0.1"], 60);
    server.say_addresses("b.test", &["fd00::2"], 60);
    let name = "_http._tcp.test".to_owned();
    let dns = Dns { name, port: None, server: Some(server.address) };
    let mut watched = watch(&discovery(Source::Dns(dns)), unset);
    until(&mut watched, "10.0.0.1:1=a.test [fd00::2]:2=b.test").await;
}

#[tokio::test]
async fn who_is_dropped_asks_no_more() {
    let server = TestNameServer::start().await;
    server.say("llama.test", RecordType::A, Reply::Silence);
    let dns = Dns { name: "llama.test".to_owned(), port: Some(8000), server: Some(server.address) };
    let watched = watch(&discovery(Source::Dns(dns)), unset);
    let mut receiver = watched.receiver.clone();
    drop(watched);
    let ended = timeout(Duration::from_secs(30), receiver.changed()).await.expect("in time");
    assert!(ended.is_err());
}

#[test]
fn endpoints_that_are_written_down() {
    let endpoints = |urls: &[&str]| -> Vec<Endpoint> {
        urls.iter().map(|url| Endpoint::parse(url).unwrap()).collect()
    };
    let targets = written_down(&endpoints(&["https://10.0.0.2:1", "http://10.0.0.1:1"])).unwrap();
    let addresses: Vec<String> = targets.iter().map(|target| target.address.to_string()).collect();
    assert_eq!(addresses, ["10.0.0.1:1", "10.0.0.2:1"]);
    assert!(!targets[0].tls && targets[1].tls);
    assert_eq!(written_down(&endpoints(&["http://10.0.0.1:1", "http://llama:1"])), None);
}
