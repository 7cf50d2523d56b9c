//! Asks each engine for its metrics, once per interval, and keeps what it said.
//!
//! Each engine has a task of its own, so that a slow one holds up nobody. The
//! tasks' phases are spread over the interval by a hash of the address: a hundred
//! engines with one interval are not asked at one moment, and after a restart
//! each has its old place.

mod ask;
mod scrape;

pub use ask::{Failure, http_client};
pub use scrape::Scrape;

use crate::dialects;
use crate::signals::Reading;
use ask::Asker;
use model::Engine;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

/// What is known of one engine, and how asking it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The dialect it is read in.
    pub engine: Engine,
    /// Made by its last good answer, which may be long ago; `None` before the first.
    pub reading: Option<Reading>,
    /// Failures since the last good answer.
    pub failures: u32,
    /// The last of those; `None` after a good answer.
    pub last_failure: Option<Failure>,
    /// How often it was asked.
    pub scrapes: u64,
}

/// A report, and the task that may write it.
struct Entry {
    task: u64,
    report: Report,
}

struct Running {
    scrape: Scrape,
    handle: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

struct Tasks {
    /// How many were ever started: the number of the next one.
    started: u64,
    running: BTreeMap<SocketAddr, Running>,
}

/// What the tasks and the scraper share.
struct Board {
    origin: Instant,
    entries: Mutex<BTreeMap<SocketAddr, Entry>>,
}

/// Asks engines for their metrics, for all gateways together. Ends its tasks
/// when it is dropped.
pub struct Scraper {
    http: reqwest::Client,
    tasks: Mutex<Tasks>,
    board: Arc<Board>,
}

impl Scraper {
    /// A scraper without engines. The client is best [`http_client()`]'s: without
    /// a proxy and following no redirect.
    #[must_use]
    pub fn new(http: reqwest::Client) -> Scraper {
        let board = Board { origin: Instant::now(), entries: Mutex::default() };
        let tasks = Tasks { started: 0, running: BTreeMap::new() };
        Scraper { http, tasks: Mutex::new(tasks), board: Arc::new(board) }
    }

    /// Asks these engines from now on and no others. What is asked already, in
    /// the same way, goes on undisturbed; what is asked differently begins anew.
    /// An engine that stands here twice is asked once, in the way with the
    /// shorter interval. Engines that have no metrics are passed over.
    ///
    /// To be called within a Tokio runtime.
    pub fn set(&self, scrapes: impl IntoIterator<Item = Scrape>) {
        let wanted = once_each(scrapes);
        let mut tasks = lock(&self.tasks);
        tasks.running.retain(|id, running| wanted.get(id) == Some(&running.scrape));
        self.board.forget(|id| !tasks.running.contains_key(id));
        for (id, scrape) in wanted {
            if !tasks.running.contains_key(&id) {
                tasks.started += 1;
                let running = self.start(scrape, tasks.started);
                tasks.running.insert(id, running);
            }
        }
    }

    fn start(&self, scrape: Scrape, task: u64) -> Running {
        self.board.open(&scrape, task);
        let run = run(self.http.clone(), scrape.clone(), Arc::clone(&self.board), task);
        Running { scrape, handle: tokio::spawn(run) }
    }

    /// What is known of each engine now.
    #[must_use]
    pub fn reports(&self) -> BTreeMap<SocketAddr, Report> {
        let entries = lock(&self.board.entries);
        entries.iter().map(|(id, entry)| (*id, entry.report.clone())).collect()
    }

    /// The clock of the readings: milliseconds since this scraper was made. It
    /// does not jump with the time of day.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.board.now_ms()
    }
}

/// Each engine with metrics, once.
fn once_each(scrapes: impl IntoIterator<Item = Scrape>) -> BTreeMap<SocketAddr, Scrape> {
    let mut wanted: BTreeMap<SocketAddr, Scrape> = BTreeMap::new();
    for scrape in scrapes.into_iter().filter(|scrape| dialects::tells(scrape.engine)) {
        let slower = |known: &Scrape| scrape.interval < known.interval;
        if wanted.get(&scrape.id).is_none_or(slower) {
            wanted.insert(scrape.id, scrape);
        }
    }
    wanted
}

impl Board {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn open(&self, scrape: &Scrape, task: u64) {
        let report = Report {
            engine: scrape.engine,
            reading: None,
            failures: 0,
            last_failure: None,
            scrapes: 0,
        };
        lock(&self.entries).insert(scrape.id, Entry { task, report });
    }

    fn forget(&self, gone: impl Fn(&SocketAddr) -> bool) {
        lock(&self.entries).retain(|id, _| !gone(id));
    }

    /// Keeps an outcome, unless its task was ended meanwhile.
    fn record(&self, id: SocketAddr, task: u64, outcome: Result<Reading, Failure>) {
        let mut entries = lock(&self.entries);
        let Some(entry) = entries.get_mut(&id).filter(|entry| entry.task == task) else { return };
        entry.report.take(id, outcome);
        drop(entries);
    }
}

impl Report {
    /// The log has the first failure of a row and its end, not each.
    fn take(&mut self, id: SocketAddr, outcome: Result<Reading, Failure>) {
        self.scrapes = self.scrapes.saturating_add(1);
        match outcome {
            Ok(reading) => {
                if self.failures > 0 {
                    tracing::info!(engine = %id, "the engine's metrics are there again");
                }
                self.reading = Some(reading);
                (self.failures, self.last_failure) = (0, None);
            }
            Err(failure) => {
                if self.failures == 0 {
                    tracing::warn!(engine = %id, %failure, "the engine's metrics are missing");
                }
                self.failures = self.failures.saturating_add(1);
                self.last_failure = Some(failure);
            }
        }
    }
}

/// Asks one engine until it is aborted. An answer that takes longer than the
/// interval costs the questions it overlaps, and the phase stays.
async fn run(http: reqwest::Client, scrape: Scrape, board: Arc<Board>, task: u64) {
    let mut asker = match Asker::new(http, &scrape) {
        Ok(asker) => asker,
        Err(failure) => return board.record(scrape.id, task, Err(failure)),
    };
    let first = Instant::now() + scrape.phase();
    let mut turns = tokio::time::interval_at(first, scrape.period());
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        turns.tick().await;
        let outcome = asker.ask(|| board.now_ms()).await;
        board.record(scrape.id, task, outcome);
    }
}

/// Nothing panics while it holds one of these locks; what a poisoned one holds is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
