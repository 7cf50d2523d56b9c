//! The scraper against small servers that answer as they are told.

use super::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const LOADED: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/sglang-loaded.response.http"));
const NO_KEY: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/llamacpp-no-key.response.http"));

const RUNNING: &str = "vllm:num_requests_running 3\n";

/// Longest time that a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at the reports.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What a peer was asked.
#[derive(Default)]
struct Seen {
    connections: AtomicU64,
    questions: AtomicU64,
    last_head: Mutex<String>,
}

/// An engine that gives one answer to every question.
struct Peer {
    address: SocketAddr,
    seen: Arc<Seen>,
    server: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Peer {
    /// Answers with these bytes after some time; no bytes: never.
    async fn start(answer: Vec<u8>, after: Duration) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Seen> = Arc::default();
        let server = tokio::spawn(serve(listener, answer, after, Arc::clone(&seen)));
        Peer { address, seen, server }
    }

    async fn page(body: &str) -> Peer {
        Peer::start(page(body), Duration::ZERO).await
    }

    fn asked(&self) -> u64 {
        self.seen.questions.load(Ordering::Relaxed)
    }

    fn scrape(&self, engine: Engine) -> Scrape {
        Scrape {
            id: self.address,
            url: format!("http://{}/metrics", self.address),
            hostname: None,
            engine,
            interval: Duration::from_millis(100),
            stale_after: 5,
        }
    }
}

fn page(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

async fn serve(listener: TcpListener, answer: Vec<u8>, after: Duration, seen: Arc<Seen>) {
    let mut conversations = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        seen.connections.fetch_add(1, Ordering::Relaxed);
        conversations.spawn(converse(stream, answer.clone(), after, Arc::clone(&seen)));
    }
}

async fn converse(mut stream: TcpStream, answer: Vec<u8>, after: Duration, seen: Arc<Seen>) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        *lock(&seen.last_head) = String::from_utf8(std::mem::take(&mut head)).unwrap();
        seen.questions.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(after).await;
        if answer.is_empty() {
            std::future::pending::<()>().await;
        }
        if stream.write_all(&answer).await.is_err() || holds_close(&answer) {
            return;
        }
    }
}

fn holds_close(answer: &[u8]) -> bool {
    String::from_utf8_lossy(answer).to_ascii_lowercase().contains("connection: close\r\n")
}

fn scraper() -> Scraper {
    Scraper::new(http_client().unwrap())
}

/// The report of an engine as soon as it is as wanted.
async fn report_when(
    scraper: &Scraper,
    id: SocketAddr,
    wanted: impl Fn(&Report) -> bool,
) -> Report {
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            let report = scraper.reports().get(&id).cloned();
            match report.filter(&wanted) {
                Some(report) => return report,
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    });
    found.await.expect("the report came to be as wanted")
}

async fn first_failure(answer: &[u8]) -> Failure {
    let peer = Peer::start(answer.to_vec(), Duration::ZERO).await;
    let scraper = scraper();
    scraper.set([peer.scrape(Engine::Vllm)]);
    let report = report_when(&scraper, peer.address, |report| report.failures > 0).await;
    assert_eq!(report.reading, None);
    report.last_failure.unwrap()
}

#[tokio::test]
async fn a_recorded_chunked_answer_becomes_a_reading() {
    let peer = Peer::start(LOADED.to_vec(), Duration::ZERO).await;
    let scraper = scraper();
    scraper.set([peer.scrape(Engine::Sglang)]);
    let report = report_when(&scraper, peer.address, |report| report.reading.is_some()).await;
    let reading = report.reading.unwrap();
    assert_eq!((reading.load.running, reading.load.waiting), (Some(4.0), Some(3.0)));
    assert_eq!(reading.load.kv_use, Some(0.03));
    assert_eq!(reading.fresh_until_ms - reading.at_ms, 500);
    assert!(reading.at_ms <= scraper.now_ms());
    assert_eq!((report.failures, report.last_failure), (0, None));
}

#[tokio::test]
async fn one_connection_serves_all_questions_and_setting_the_same_again_disturbs_nothing() {
    let peer = Peer::page(RUNNING).await;
    let scraper = scraper();
    for _ in 0..50 {
        scraper.set([peer.scrape(Engine::Vllm), peer.scrape(Engine::Vllm)]);
    }
    report_when(&scraper, peer.address, |report| report.scrapes >= 3).await;
    scraper.set([peer.scrape(Engine::Vllm)]);
    let report = report_when(&scraper, peer.address, |report| report.scrapes >= 5).await;
    assert_eq!(report.failures, 0);
    assert_eq!(peer.seen.connections.load(Ordering::Relaxed), 1);
    assert!(peer.asked() <= report.scrapes + 1, "{} questions", peer.asked());
}

#[tokio::test]
async fn an_engine_is_asked_once_in_an_interval() {
    let peer = Peer::page(RUNNING).await;
    let scraper = scraper();
    scraper.set([peer.scrape(Engine::Vllm)]);
    tokio::time::sleep(Duration::from_millis(1050)).await;
    // The phase is unknown, and a busy machine may miss some.
    assert!((1..=11).contains(&peer.asked()), "{} questions", peer.asked());
}

#[tokio::test]
async fn a_slow_engine_delays_nobody() {
    let slow = Peer::start(Vec::new(), Duration::ZERO).await;
    let quick = Peer::page(RUNNING).await;
    let scraper = scraper();
    scraper.set([slow.scrape(Engine::Vllm), quick.scrape(Engine::Vllm)]);
    let report = report_when(&scraper, slow.address, |report| report.failures > 0).await;
    assert_eq!(report.last_failure, Some(Failure::Timeout));
    let quick = scraper.reports().remove(&quick.address).unwrap();
    assert!(quick.scrapes >= 3 && quick.failures == 0, "{quick:?}");
}

#[tokio::test]
async fn an_answer_that_takes_longer_than_the_interval_still_counts() {
    let peer = Peer::start(page(RUNNING), Duration::from_millis(300)).await;
    let scraper = scraper();
    scraper.set([peer.scrape(Engine::Vllm)]);
    let report = report_when(&scraper, peer.address, |report| report.scrapes >= 2).await;
    assert_eq!((report.failures, report.reading.unwrap().load.running), (0, Some(3.0)));
}

#[tokio::test]
async fn an_engine_that_is_taken_out_is_forgotten_and_asked_no_more() {
    let (gone, kept) = (Peer::page(RUNNING).await, Peer::page(RUNNING).await);
    let scraper = scraper();
    scraper.set([gone.scrape(Engine::Vllm), kept.scrape(Engine::Vllm)]);
    report_when(&scraper, gone.address, |report| report.scrapes > 0).await;
    scraper.set([kept.scrape(Engine::Vllm)]);
    assert!(!scraper.reports().contains_key(&gone.address));
    let asked = gone.asked();
    let scrapes = scraper.reports()[&kept.address].scrapes;
    report_when(&scraper, kept.address, |report| report.scrapes > scrapes + 3).await;
    assert!(gone.asked() <= asked + 1);
    assert!(!scraper.reports().contains_key(&gone.address));
}

#[tokio::test]
async fn an_engine_that_is_asked_differently_begins_anew() {
    let peer = Peer::page("llamacpp:requests_processing 2\n").await;
    let scraper = scraper();
    scraper.set([peer.scrape(Engine::Vllm)]);
    let report = report_when(&scraper, peer.address, |report| report.failures > 0).await;
    assert_eq!(report.last_failure, Some(Failure::NoSignal));
    scraper.set([peer.scrape(Engine::Llamacpp)]);
    let report = report_when(&scraper, peer.address, |report| report.reading.is_some()).await;
    assert_eq!((report.engine, report.failures), (Engine::Llamacpp, 0));
    assert_eq!(report.reading.unwrap().load.running, Some(2.0));
}

#[tokio::test]
async fn a_scraper_that_is_dropped_asks_no_more() {
    let peer = Peer::page(RUNNING).await;
    let scraper = scraper();
    scraper.set([peer.scrape(Engine::Vllm)]);
    report_when(&scraper, peer.address, |report| report.scrapes > 0).await;
    drop(scraper);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let asked = peer.asked();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(peer.asked(), asked);
}

#[tokio::test]
async fn each_failure_says_what_went_wrong() {
    let too_long = vec![b'#'; 8 * 1024 * 1024 + 1];
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", too_long.len());
    let too_long = [head.as_bytes(), &too_long].concat();
    let redirect = b"HTTP/1.1 307 R\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\nconnection: close\r\n\r\nvllm:num";
    type Expected = fn(&Failure) -> bool;
    let table: [(&str, &[u8], Expected); 6] = [
        ("no key", NO_KEY, |failure| *failure == Failure::Status(401)),
        ("redirect", redirect, |failure| *failure == Failure::Status(307)),
        ("too long", &too_long, |failure| *failure == Failure::TooLong),
        ("another page", &page("<html>\n"), |failure| *failure == Failure::NoSignal),
        ("half", half, |failure| matches!(failure, Failure::Broken(_))),
        ("no HTTP", b"hello\r\n\r\n", |failure| matches!(failure, Failure::Broken(_))),
    ];
    for (name, answer, expected) in table {
        let failure = first_failure(answer).await;
        assert!(expected(&failure), "{name}: {failure:?}");
    }
}

#[tokio::test]
async fn nobody_there_and_no_url_are_failures_too() {
    let peer = Peer::page(RUNNING).await;
    let nobody = peer.scrape(Engine::Vllm);
    let id = nobody.id;
    drop(peer);
    let scraper = scraper();
    // The port may be somebody else's by now, but nobody's who speaks vLLM.
    scraper.set([nobody.clone()]);
    report_when(&scraper, id, |report| report.failures > 1).await;
    scraper.set([Scrape { url: "metrics".to_owned(), ..nobody }]);
    let report = report_when(&scraper, id, |report| report.failures > 0).await;
    assert!(matches!(report.last_failure, Some(Failure::Request(_))), "{report:?}");
}

#[tokio::test]
async fn a_failure_keeps_the_last_reading() {
    let peer = Peer::page(RUNNING).await;
    let (id, scraper) = (peer.address, scraper());
    scraper.set([peer.scrape(Engine::Vllm)]);
    let good = report_when(&scraper, id, |report| report.reading.is_some()).await;
    drop(peer);
    let bad = report_when(&scraper, id, |report| report.failures > 1).await;
    let running = bad.reading.map(|reading| reading.load.running);
    assert_eq!(running, Some(Some(3.0)));
    assert!(bad.scrapes > good.scrapes && bad.last_failure.is_some());
}

#[tokio::test]
async fn a_name_goes_into_the_header_and_is_not_looked_up() {
    let peer = Peer::page(RUNNING).await;
    let port = peer.address.port();
    // The engine answers requests on another port than it has its metrics on.
    let id = SocketAddr::new(peer.address.ip(), 1);
    let urls = [
        format!("http://{}/metrics", peer.address),
        format!("http://engine.invalid:{port}/metrics?all=1"),
    ];
    for url in urls {
        let scraper = scraper();
        let hostname = Some("engine.invalid".to_owned());
        scraper.set([Scrape { id, url, hostname, ..peer.scrape(Engine::Vllm) }]);
        report_when(&scraper, id, |report| report.reading.is_some()).await;
        let head = lock(&peer.seen.last_head).clone();
        assert!(head.contains(&format!("host: engine.invalid:{port}\r\n")), "{head}");
        assert!(head.contains("accept: text/plain;version=0.0.4\r\n"), "{head}");
    }
}

#[tokio::test]
async fn engines_without_metrics_are_not_asked() {
    let peer = Peer::page(RUNNING).await;
    let scraper = scraper();
    scraper.set([peer.scrape(Engine::Openai)]);
    assert!(scraper.reports().is_empty());
}

#[test]
fn an_engine_that_is_named_twice_is_asked_in_the_quicker_way() {
    let id = "127.0.0.1:1".parse().unwrap();
    let scrape = |seconds| Scrape {
        id,
        url: String::new(),
        hostname: None,
        engine: Engine::Vllm,
        interval: Duration::from_secs(seconds),
        stale_after: 5,
    };
    for both in [[scrape(1), scrape(2)], [scrape(2), scrape(1)]] {
        assert_eq!(once_each(both), BTreeMap::from([(id, scrape(1))]));
    }
}
