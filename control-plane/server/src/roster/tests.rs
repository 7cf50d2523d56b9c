//! The roster over real sources: what is written down, and a file.

use super::*;
use crate::config_file::load_text;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long anything may take to show.
const PATIENCE: Duration = Duration::from_secs(20);

fn config(folder: &Path, pool: &str) -> Config {
    let text = format!("version: 1\npools:\n  a: {{ engine: vllm, model: m, {pool} }}\n");
    match load_text(&folder.join("tollgate.yaml"), &text) {
        Ok(loaded) => loaded.config,
        Err(invalid) => panic!("{:?}", invalid.0),
    }
}

fn roster(data: &Path) -> Roster {
    Roster::new(Scraper::new(engines::http_client().unwrap()), Kept::read(data))
}

/// Addresses of the one pool, with a mark behind those that drain.
fn shown(roster: &Roster) -> Vec<String> {
    let members = roster.members().into_values().next().unwrap_or_default();
    let mark = |member: &Member| if member.draining { " draining" } else { "" };
    members.iter().map(|member| format!("{}{}", member.address, mark(member))).collect()
}

/// Looks again and again, as the task does.
async fn until(roster: &Roster, expected: &[&str]) {
    let start = Instant::now();
    while shown(roster) != expected {
        assert!(start.elapsed() < PATIENCE, "{:?} and not {expected:?}", shown(roster));
        roster.look(admin::CLOCK.now_ms());
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_server_that_is_taken_from_the_list_drains_for_its_time() {
    let folder = TempDir::new().unwrap();
    let roster = roster(folder.path());
    let both = "drain: 2s, endpoints: [\"http://10.0.0.1:1\", \"http://10.0.0.2:1\"]";
    roster.configure(&config(folder.path(), both), 1_000);
    assert_eq!(shown(&roster), ["10.0.0.1:1", "10.0.0.2:1"]);
    let one = "drain: 2s, endpoints: [\"http://10.0.0.2:1\"]";
    roster.configure(&config(folder.path(), one), 2_000);
    assert_eq!(shown(&roster), ["10.0.0.1:1 draining", "10.0.0.2:1"]);
    assert_eq!(roster.next_deadline_ms(), Some(4_000));
    assert!(!roster.look(3_999));
    assert!(roster.look(4_000));
    assert_eq!(shown(&roster), ["10.0.0.2:1"]);
    assert_eq!(roster.next_deadline_ms(), None);
}

#[tokio::test]
async fn a_server_that_asks_for_it_rests_for_its_time() {
    let folder = TempDir::new().unwrap();
    let roster = roster(folder.path());
    let pool = "ejection: { retry_after: 10s }, \
                endpoints: [\"http://10.0.0.1:1\", \"http://10.0.0.2:1\"]";
    roster.configure(&config(folder.path(), pool), 1_000);
    let at = |address: &str| address.parse().unwrap();
    let put_off = |pool, address, seconds, now_ms| {
        let words = [PutOff { pool, server: at(address), seconds }];
        roster.put_off(words.into_iter(), now_ms);
    };
    let resting = || -> Vec<bool> {
        roster.members().values().flatten().map(|member| member.resting).collect()
    };
    put_off("b", "10.0.0.1:1", 4, 1_000);
    put_off("a", "10.0.0.9:1", 4, 1_000);
    assert!(!roster.look(1_000), "nobody of the pool has asked");
    put_off("a", "10.0.0.1:1", 4, 1_000);
    assert!(roster.look(1_000) && !roster.look(1_001));
    assert_eq!((resting(), roster.next_deadline_ms()), (vec![true, false], Some(5_000)));
    put_off("a", "10.0.0.2:1", 3_600, 2_000);
    assert!(roster.look(2_000));
    assert_eq!((resting(), roster.next_deadline_ms()), (vec![true, true], Some(5_000)));
    assert!(!roster.look(4_999) && roster.look(5_000));
    assert_eq!((resting(), roster.next_deadline_ms()), (vec![false, true], Some(12_000)));
    assert!(roster.look(12_000));
    assert_eq!((resting(), roster.next_deadline_ms()), (vec![false, false], None));
    roster.publish_again();
    assert!(roster.look(12_001) && !roster.look(12_002));
}

#[tokio::test]
async fn names_are_left_to_envoy() {
    let folder = TempDir::new().unwrap();
    let roster = roster(folder.path());
    roster.configure(&config(folder.path(), "endpoints: [\"http://engine.example:1\"]"), 1);
    assert!(roster.members().is_empty());
    let status = roster.status();
    let view = status.values().next().unwrap();
    assert_eq!((view.source.kind.as_str(), view.servers.len()), ("envoy_dns", 0));
}

#[tokio::test]
async fn a_file_is_followed_and_what_it_said_outlives_the_process() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("engines.json");
    std::fs::write(&file, "[\"10.0.0.1:1\", \"10.0.0.2:1\"]").unwrap();
    let config = config(folder.path(), "drain: 0s, discover: { file: engines.json }");
    {
        let roster = roster(folder.path());
        roster.configure(&config, admin::CLOCK.now_ms());
        until(&roster, &["10.0.0.1:1", "10.0.0.2:1"]).await;
        std::fs::write(&file, "[\"10.0.0.2:1\"]").unwrap();
        until(&roster, &["10.0.0.2:1"]).await;
        assert_eq!(roster.status().values().next().unwrap().source.state, "fresh");
    }
    std::fs::remove_file(&file).unwrap();
    let roster = roster(folder.path());
    roster.configure(&config, admin::CLOCK.now_ms());
    assert!(!roster.awaits(admin::CLOCK.now_ms()));
    assert_eq!(shown(&roster), ["10.0.0.2:1"]);
}

#[tokio::test]
async fn a_source_that_says_there_are_none_is_doubted_and_told_of() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("engines.json");
    std::fs::write(&file, "[\"10.0.0.1:1\"]").unwrap();
    let roster = roster(folder.path());
    roster.configure(&config(folder.path(), "discover: { file: engines.json }"), 1_000);
    until(&roster, &["10.0.0.1:1"]).await;
    std::fs::write(&file, "[]").unwrap();
    let start = Instant::now();
    let state = || roster.status().into_values().next().unwrap().source.state;
    while state() != "doubted" {
        assert!(start.elapsed() < PATIENCE, "{}", state());
        roster.look(admin::CLOCK.now_ms());
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(shown(&roster), ["10.0.0.1:1"]);
}

#[tokio::test]
async fn a_new_source_is_awaited_for_a_while_and_a_renamed_pool_is_not() {
    let folder = TempDir::new().unwrap();
    let roster = roster(folder.path());
    let from = "discover: { consul: { service: a, address: \"http://127.0.0.1:1\" } }";
    roster.configure(&config(folder.path(), from), 1_000);
    assert!(roster.awaits(1_000) && !roster.awaits(1_000 + 3_000));
    let file = folder.path().join("engines.json");
    std::fs::write(&file, "[\"10.0.0.1:1\"]").unwrap();
    let written = config(folder.path(), "discover: { file: engines.json }");
    roster.configure(&written, 9_000);
    until(&roster, &["10.0.0.1:1"]).await;
    let mut renamed = written;
    let pool = renamed.pools.pop_first().unwrap().1;
    renamed.pools.insert(PoolName::parse("z").unwrap(), pool);
    roster.configure(&renamed, 10_000);
    assert!(!roster.awaits(10_000));
    assert_eq!(shown(&roster), ["10.0.0.1:1"]);
}

#[tokio::test]
async fn a_source_that_names_nobody_from_the_start_is_told_of() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("engines.json"), "[]").unwrap();
    let roster = roster(folder.path());
    roster.configure(&config(folder.path(), "discover: { file: engines.json }"), 1_000);
    let start = Instant::now();
    while roster.awaits(1_000) {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(10)).await;
    }
    let source = roster.status().into_values().next().unwrap().source;
    assert_eq!(
        (source.state.as_str(), source.error.as_deref()),
        ("fresh", Some("it names no endpoint"))
    );
}

#[tokio::test]
async fn what_does_not_speak_as_the_pool_does_is_left_out_and_told_of() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("engines.json");
    std::fs::write(&file, "[\"http://10.0.0.1:1\", \"https://10.0.0.2:1\"]").unwrap();
    let roster = roster(folder.path());
    roster.configure(&config(folder.path(), "discover: { file: engines.json }"), 1_000);
    until(&roster, &["10.0.0.1:1"]).await;
    let error = roster.status().into_values().next().unwrap().source.error.unwrap();
    assert!(error.contains("10.0.0.2:1: not http"), "{error}");
    std::fs::write(&file, "[\"https://10.0.0.2:1\"]").unwrap();
    let start = Instant::now();
    let all = |error: &str| error.starts_with("1 endpoints");
    let told = || roster.status().into_values().next().unwrap().source.error;
    while !told().is_some_and(|error| all(&error) && error.contains("10.0.0.2")) {
        assert!(start.elapsed() < PATIENCE);
        roster.look(admin::CLOCK.now_ms());
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(shown(&roster), ["10.0.0.1:1"]);
}
