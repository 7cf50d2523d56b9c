//! Where gateways come for leases: many requests at once are answered in one commit.

use crate::budget::BudgetBook;
use crate::error::Error;
use crate::generation;
use crate::lease::LeaseAsk;
use crate::storable;
use crate::store::Store;
use contract::lease::{LeaseAnswer, LeaseRequest};
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{oneshot, watch};

/// A request that waits, with the time it came at.
struct Waiting {
    request: LeaseRequest,
    now_ms: u64,
    answer: oneshot::Sender<LeaseAnswer>,
}

/// The desk of one control plane.
pub(crate) struct LeaseDesk {
    store: Arc<dyn Store>,
    spool: PathBuf,
    spool_id: Arc<str>,
    budgets: watch::Sender<Option<Arc<BudgetBook>>>,
    waiting: Mutex<Vec<Waiting>>,
    /// Held while a commit is under way: what comes meanwhile is in the next one.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl LeaseDesk {
    pub fn new(store: Arc<dyn Store>, spool: PathBuf, spool_id: Arc<str>) -> Self {
        LeaseDesk {
            store,
            spool,
            spool_id,
            budgets: watch::Sender::new(None),
            waiting: Mutex::default(),
            turn: Arc::default(),
        }
    }

    pub fn set_budgets(&self, book: BudgetBook) {
        self.budgets.send_replace(Some(Arc::new(book)));
    }

    /// Tells the budgets that hold from any others; 0 before the first.
    pub fn budgets_version(&self) -> u64 {
        self.budgets.borrow().as_ref().map_or(0, |book| version(book))
    }

    /// The budgets that hold; waits for the first.
    pub async fn budgets(&self) -> Result<Arc<BudgetBook>, Error> {
        let mut budgets = self.budgets.subscribe();
        let known = budgets.wait_for(Option::is_some).await.map_err(|_| Error::Interrupted)?;
        known.clone().ok_or(Error::Interrupted)
    }

    /// Answers in the same commit as whoever waits at the same time.
    pub async fn lease(&self, request: LeaseRequest, now_ms: u64) -> Result<LeaseAnswer, Error> {
        let book = self.budgets().await?;
        let (answer, mut answered) = oneshot::channel();
        self.queue().push(Waiting { request, now_ms, answer });
        let turn = Arc::clone(&self.turn).lock_owned().await;
        match answered.try_recv() {
            Ok(answer) => return Ok(answer),
            // Who had the turn had it with this request, and failed.
            Err(TryRecvError::Closed) => return Err(Error::Interrupted),
            Err(TryRecvError::Empty) => {}
        }
        let mut waiting = std::mem::take(&mut *self.queue());
        // Who has gone needs no money: after an outage these are most.
        waiting.retain(|each| !each.answer.is_closed());
        let group = Group {
            store: Arc::clone(&self.store),
            spool: self.spool.clone(),
            spool_id: Arc::clone(&self.spool_id),
            book,
        };
        // In a task of its own: a caller that goes must not take the others' answers along.
        let committed = tokio::spawn(async move {
            let committed = group.commit(waiting).await;
            drop(turn);
            committed
        });
        committed.await.map_err(|_| Error::Interrupted)??;
        answered.await.map_err(|_| Error::Interrupted)
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        // Nothing is left half done in it.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first bytes of the digest of what a book says.
fn version(book: &BudgetBook) -> u64 {
    let digest = Sha256::digest(format!("{book:?}"));
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// What a commit of several requests needs.
struct Group {
    store: Arc<dyn Store>,
    spool: PathBuf,
    spool_id: Arc<str>,
    book: Arc<BudgetBook>,
}

impl Group {
    async fn commit(self, waiting: Vec<Waiting>) -> Result<(), Error> {
        let spool = self.spool.clone();
        let listing = tokio::task::spawn_blocking(move || generation::list(&spool))
            .await
            .map_err(|_| Error::Interrupted)??;
        let generation = listing.live_generation();
        let now_ms = waiting.iter().map(|each| each.now_ms).max().unwrap_or(0);
        let (requests, answers): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|each| (each.request, each.answer)).unzip();
        let asks: Vec<_> = requests
            .into_iter()
            .map(|request| LeaseAsk {
                request: storable::request(request),
                spool: self.spool_id.to_string(),
                generation,
            })
            .collect();
        let given = self.store.lease(&asks, &self.book, now_ms).await?;
        for (to, answer) in answers.into_iter().zip(given) {
            // Who has gone learns of it with the next request.
            let _gone = to.send(answer);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
