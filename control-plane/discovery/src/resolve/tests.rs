use super::*;
use crate::source::Sink;
use crate::test_name_server::{Reply, TestNameServer};
use hickory_resolver::proto::rr::RecordType;
use model::Endpoint;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A running stage between a source and a pool.
struct Stage {
    server: TestNameServer,
    sink: Sink,
    found: watch::Receiver<Found>,
    task: JoinHandle<()>,
}

impl Stage {
    async fn start() -> Stage {
        let server = TestNameServer::start().await;
        let asker = NameServer::new(Some(server.address));
        let (sink, listed) = Sink::new();
        let first = Found { targets: None, state: State::Waiting, at_ms: 0 };
        let (sender, found) = watch::channel(first);
        let task = tokio::spawn(run(listed, asker, sender));
        Stage { server, sink, found, task }
    }

    fn list(&self, urls: &[&str]) {
        self.sink.found(urls.iter().map(|url| Endpoint::parse(url).unwrap()).collect());
    }

    /// Waits until what was found is shown as `expected`.
    async fn until(&mut self, expected: &str) -> Found {
        let waiting = self.found.wait_for(|found| shown(found) == expected);
        let found =
            timeout(Duration::from_secs(30), waiting).await.map(|found| found.unwrap().clone());
        found.unwrap_or_else(|_| panic!("{expected} expected, not {}", shown(&self.found.borrow())))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Addresses, and `!` if it is failing.
fn shown(found: &Found) -> String {
    let targets = found.targets.as_ref().map_or("unknown".to_owned(), |targets| {
        targets.iter().map(|target| target.address.to_string()).collect::<Vec<_>>().join(" ")
    });
    let mark = if matches!(found.state, State::Failing { .. }) { " !" } else { "" };
    format!("{targets}{mark}")
}

#[tokio::test]
async fn a_name_is_followed_as_its_answers_change() {
    let mut stage = Stage::start().await;
    stage.server.say_addresses("a.test", &["10.0.0.1"], 1);
    stage.list(&["http://a.test:80"]);
    let first = stage.until("10.0.0.1:80").await;
    assert_eq!(first.targets.unwrap()[0].hostname.as_deref(), Some("a.test"));
    stage.server.say_addresses("a.test", &["10.0.0.1", "10.0.0.2"], 1);
    stage.until("10.0.0.1:80 10.0.0.2:80").await;
    stage.server.say("a.test", RecordType::A, Reply::NoSuchName);
    let none = stage.until("").await;
    assert_eq!(none.state, State::Fresh);
    stage.server.say_addresses("a.test", &["10.0.0.3"], 1);
    stage.until("10.0.0.3:80").await;
}

#[tokio::test]
async fn a_broken_server_takes_nothing_away() {
    let mut stage = Stage::start().await;
    stage.server.say_addresses("a.test", &["10.0.0.1"], 0);
    stage.list(&["http://a.test:80"]);
    stage.until("10.0.0.1:80").await;
    stage.server.say("a.test", RecordType::A, Reply::Broken);
    stage.until("10.0.0.1:80 !").await;
    stage.server.say("a.test", RecordType::A, Reply::Silence);
    let asked = stage.server.questions("a.test", RecordType::A);
    while stage.server.questions("a.test", RecordType::A) == asked {
        tokio::task::yield_now().await;
    }
    stage.until("10.0.0.1:80 !").await;
    stage.server.say_addresses("a.test", &["10.0.0.2"], 0);
    stage.until("10.0.0.2:80").await;
}

#[tokio::test]
async fn a_server_that_is_broken_from_the_start_is_told() {
    let mut stage = Stage::start().await;
    stage.server.say("a.test", RecordType::A, Reply::Broken);
    stage.list(&["http://a.test:80"]);
    let found = stage.until("unknown !").await;
    assert_eq!(found.at_ms, 0);
    stage.server.say_addresses("a.test", &["10.0.0.1"], 60);
    let found = stage.until("10.0.0.1:80").await;
    assert!(found.at_ms > 0);
}

#[tokio::test]
async fn a_list_of_new_names_that_fail_takes_nothing_away() {
    let mut stage = Stage::start().await;
    stage.list(&["http://10.0.0.1:80"]);
    stage.until("10.0.0.1:80").await;
    stage.server.say("a.test", RecordType::A, Reply::Broken);
    stage.list(&["http://a.test:80"]);
    stage.until("10.0.0.1:80 !").await;
    stage.list(&["http://10.0.0.2:80", "http://a.test:80"]);
    stage.until("10.0.0.2:80 !").await;
    stage.list(&["http://10.0.0.2:80"]);
    stage.until("10.0.0.2:80").await;
}

#[tokio::test]
async fn a_source_that_fails_keeps_its_names_fresh() {
    let mut stage = Stage::start().await;
    stage.server.say_addresses("a.test", &["10.0.0.1"], 1);
    stage.list(&["http://a.test:80"]);
    stage.until("10.0.0.1:80").await;
    stage.sink.failing("no word".to_owned());
    stage.until("10.0.0.1:80 !").await;
    stage.server.say_addresses("a.test", &["10.0.0.2"], 1);
    stage.until("10.0.0.2:80 !").await;
}

#[tokio::test]
async fn more_names_than_questions_at_once() {
    let mut stage = Stage::start().await;
    let numbers = 1..=2 * QUESTIONS_MAX;
    let mut urls = Vec::new();
    for number in numbers.clone() {
        let name = format!("n{number}.test");
        stage.server.say_addresses(&name, &[&format!("10.0.0.{number}")], 60);
        urls.push(format!("http://{name}:80"));
    }
    stage.list(&urls.iter().map(String::as_str).collect::<Vec<_>>());
    let all: Vec<String> = numbers.map(|number| format!("10.0.0.{number}:80")).collect();
    stage.until(&all.join(" ")).await;
}

fn resolved(ips: &[[u8; 4]], error: Option<&str>) -> Option<Resolved> {
    let target = |ip: &[u8; 4]| crate::Target {
        address: (*ip, 80).into(),
        hostname: None,
        tls: false,
        zone: None,
    };
    Some(Resolved { targets: ips.iter().map(target).collect(), error: error.map(str::to_owned) })
}

#[test]
fn a_failure_has_begun_when_it_began() {
    let mut found = Found { targets: None, state: State::Waiting, at_ms: 0 };
    assert!(!update(&mut found, None, None, 1));
    assert!(update(&mut found, Some("a"), None, 2));
    assert!(update(&mut found, Some("b"), None, 3));
    assert_eq!(found.state, State::Failing { error: "b".to_owned(), since_ms: 2 });
    let one = [[10, 0, 0, 1]];
    assert!(update(&mut found, None, resolved(&one, None), 4));
    assert_eq!((found.state.clone(), found.at_ms), (State::Fresh, 4));
    assert!(!update(&mut found, None, resolved(&one, None), 5));
    assert_eq!(found.at_ms, 5);
    assert!(update(&mut found, None, resolved(&[], Some("c")), 6));
    assert_eq!(shown(&found), "10.0.0.1:80 !");
    assert!(update(&mut found, None, resolved(&[], None), 7));
    assert_eq!(shown(&found), "");
}
