//! The load: connections that each send their next request when they have the
//! whole answer to the last, all of them on the thread that calls.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::answer::Answer;
use crate::cores::Usage;
use crate::figures::percentile;
use crate::requests::Requests;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 64 * 1024;
/// A connection that has failed waits so long before it is made anew.
const AFTER_FAILURE: Duration = Duration::from_millis(20);
/// After its time a run may take so much longer, for the answers under way.
const GRACE: Duration = Duration::from_secs(10);
/// So many failures of a run are kept in words; the rest is counted.
const FAILURES_KEPT: usize = 5;

/// How long a run takes.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Before anything counts.
    pub warm_up: Duration,
    /// What counts.
    pub measured: Duration,
}

/// What is asked, whom, and what the answer has to be.
pub struct Target {
    /// Of the gateway.
    pub address: SocketAddr,
    /// What is sent.
    pub requests: Requests,
    /// Events of every answer.
    pub events: u64,
    /// Process id of the Envoy whose cost is measured.
    pub envoy: u32,
}

/// One run.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// What the clock says to the time measured.
    pub elapsed: Duration,
    /// Whole answers in that time.
    pub answers: u64,
    /// Events in that time, those of unfinished answers too.
    pub events: u64,
    /// What Envoy used in that time.
    pub envoy: Usage,
    /// Half of the answers took no longer than this.
    pub p50: Duration,
    /// 99 of 100 answers took no longer than this.
    pub p99: Duration,
    /// Whole answers, those before and after the time measured too.
    pub whole: u64,
    /// Requests without a whole answer, at any time.
    pub failed: u64,
    /// Some of them in words.
    pub failures: Vec<String>,
}

/// Sends from so many connections for the times given.
///
/// # Errors
/// What Envoy used could not be read: it is gone. Failed requests are in the sample.
pub async fn run(target: &Target, connections: usize, times: Times) -> io::Result<Sample> {
    let tally = Tally::default();
    let clients = join_all((0..connections).map(|_| client(target, &tally)));
    let patience = times.warm_up + times.measured + GRACE;
    let measured = async {
        let measured = measure(target.envoy, times, &tally).await;
        tally.stopped.set(true);
        measured
    };
    let (ended, sample) = tokio::join!(timeout(patience, clients), measured);
    if ended.is_err() {
        tally.fail(&format!("not every connection had its answer {GRACE:?} after the end"));
    }
    Ok(tally.conclude(sample?))
}

/// The middle of a run, between what the process had used before and after it.
async fn measure(envoy: u32, times: Times, tally: &Tally) -> io::Result<Sample> {
    sleep(times.warm_up).await;
    let (before, begun) = (Usage::of(envoy)?, Instant::now());
    tally.begin();
    sleep(times.measured).await;
    let (answers, events) = (tally.answers.get(), tally.events.get());
    let mut took = tally.took.take().unwrap_or_default();
    let (elapsed, envoy) = (begun.elapsed(), Usage::of(envoy)?.since(before));
    took.sort_unstable();
    let (p50, p99) = (percentile(&took, 0.50), percentile(&took, 0.99));
    Ok(Sample { elapsed, answers, events, envoy, p50, p99, ..Sample::default() })
}

/// What the connections of a run share.
#[derive(Default)]
struct Tally {
    stopped: Cell<bool>,
    whole: Cell<u64>,
    answers: Cell<u64>,
    events: Cell<u64>,
    /// How long each answer took, while that is measured.
    took: RefCell<Option<Vec<Duration>>>,
    failed: Cell<u64>,
    failures: RefCell<Vec<String>>,
}

impl Tally {
    fn begin(&self) {
        self.answers.set(0);
        self.events.set(0);
        self.took.replace(Some(Vec::new()));
    }

    fn answered(&self, took: Duration) {
        self.whole.update(|whole| whole + 1);
        self.answers.update(|answers| answers + 1);
        if let Some(times) = self.took.borrow_mut().as_mut() {
            times.push(took);
        }
    }

    fn fail(&self, what: &str) {
        self.failed.update(|failed| failed + 1);
        let mut failures = self.failures.borrow_mut();
        if failures.len() < FAILURES_KEPT {
            failures.push(what.to_owned());
        }
    }

    fn conclude(self, sample: Sample) -> Sample {
        let (whole, failed) = (self.whole.get(), self.failed.get());
        Sample { whole, failed, failures: self.failures.into_inner(), ..sample }
    }
}

async fn client(target: &Target, tally: &Tally) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut request = target.requests.template();
    while !tally.stopped.get() {
        if let Err(error) = converse(target, tally, &mut request, &mut buffer).await {
            tally.fail(&error.to_string());
            sleep(AFTER_FAILURE).await;
        }
    }
}

/// One connection, until the end of the run or a failure.
async fn converse(
    target: &Target,
    tally: &Tally,
    request: &mut [u8],
    buffer: &mut [u8],
) -> io::Result<()> {
    let mut stream = TcpStream::connect(target.address).await?;
    stream.set_nodelay(true)?;
    while !tally.stopped.get() {
        target.requests.renew(request);
        let begun = Instant::now();
        stream.write_all(request).await?;
        let answer = read_answer(&mut stream, tally, buffer).await?;
        check(&answer, target.events)?;
        tally.answered(begun.elapsed());
    }
    Ok(())
}

fn check(answer: &Answer, events: u64) -> io::Result<()> {
    match (answer.status(), answer.events()) {
        (200, seen) if seen == events => Ok(()),
        (200, seen) => {
            Err(io::Error::other(format!("an answer of {seen} events instead of {events}")))
        }
        (status, _) => Err(io::Error::other(format!("status {status}"))),
    }
}

async fn read_answer(
    stream: &mut TcpStream,
    tally: &Tally,
    buffer: &mut [u8],
) -> io::Result<Answer> {
    let mut answer = Answer::default();
    loop {
        let length = stream.read(buffer).await?;
        if length == 0 {
            return Err(io::Error::other("the connection ended before the answer"));
        }
        let before = answer.events();
        let whole = answer.feed(buffer.get(..length).unwrap_or_default());
        let new = answer.events() - before;
        tally.events.update(|events| events + new);
        if whole.map_err(io::Error::other)? {
            return Ok(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const TIMES: Times =
        Times { warm_up: Duration::from_millis(20), measured: Duration::from_millis(80) };

    /// A server that reads what was sent at once and says `answer` to it.
    async fn server(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = [0; 1024];
                    while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                        let _ = stream.write_all(answer.as_bytes()).await;
                    }
                });
            }
        });
        address
    }

    async fn run_against(answer: &'static str, events: u64) -> Sample {
        let address = server(answer).await;
        let (requests, envoy) = (Requests::same(b"ask".to_vec()), std::process::id());
        run(&Target { address, requests, events, envoy }, 2, TIMES).await.unwrap()
    }

    #[tokio::test]
    async fn whole_answers_are_counted_and_timed() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ndata: a\n\n";
        let sample = run_against(answer, 1).await;
        assert_eq!(sample.failed, 0, "{:?}", sample.failures);
        assert!(sample.answers > 0 && sample.whole > sample.answers);
        assert!(sample.events >= sample.answers && sample.elapsed >= TIMES.measured);
        assert!(sample.p50 > Duration::ZERO && sample.p50 <= sample.p99);
        assert!(sample.envoy.on_core > Duration::ZERO);
    }

    #[tokio::test]
    async fn every_other_answer_is_a_failure() {
        let refused = run_against("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", 0).await;
        assert!(refused.failed > 0 && refused.whole == 0);
        assert_eq!(refused.failures.first().map(String::as_str), Some("status 503"));
        let short = run_against("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na", 2).await;
        assert!(short.failed > 0 && short.whole == 0);
        assert!(short.failures[0].contains("0 events instead of 2"), "{:?}", short.failures);
    }

    #[tokio::test]
    async fn a_closed_port_is_a_failure_and_an_absent_process_ends_the_run() {
        let address = integration::free_address();
        let (requests, envoy) = (Requests::same(vec![]), std::process::id());
        let mut target = Target { address, requests, events: 0, envoy };
        assert!(run(&target, 1, TIMES).await.unwrap().failed > 0);
        target.envoy = u32::MAX;
        assert!(run(&target, 1, TIMES).await.is_err());
    }
}
