//! Reading the spool: the task that follows the files and commits what they
//! say. It may be dropped at any moment; what was not committed is read again.

use crate::error::Error;
use crate::generation::{self, Fate, LIVE_NAME, Place};
use crate::journal;
use crate::spool;
use crate::store::{Batch, Counts, Position, PriceBook, Store};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long the task rests when there is nothing to read.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long a rotated file must have been quiet before it counts as read to
/// its end: Envoy reopens its logs at once, but writes what it holds first.
pub const QUIET: Duration = Duration::from_secs(2);

/// How often leases are looked through.
const LEASES_INTERVAL: Duration = Duration::from_secs(1);

/// How long the task rests after an error, which may be a full disk.
const ERROR_INTERVAL: Duration = Duration::from_secs(1);

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was committed; there may be more.
    Moved,
    /// All that is there was read.
    Idle,
    /// What comes next may not be read yet: late lines may still go before it.
    Waiting,
}

/// A reader of one spool folder into one store.
pub struct Tail {
    store: Arc<dyn Store>,
    spool: PathBuf,
    /// The spool's name.
    id: String,
    /// When leases were last looked through.
    leases_at: Option<Instant>,
    /// Since when the rotated file that was read to its end is as long as this.
    quiet: Option<(Position, Instant)>,
}

/// What a file holds from a position on.
enum Found {
    /// These bytes (none: the end), of a file of this kind.
    Bytes(Vec<u8>, Place),
    /// It is shorter than what was read of it.
    Shorter,
    /// Nothing, not even a file.
    Nothing,
    /// Reading goes on elsewhere.
    Elsewhere(u64),
}

impl Tail {
    /// A reader of the folder `spool`, which the store knows by the name `id`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, spool: PathBuf, id: &str) -> Self {
        Tail { store, spool, id: id.to_owned(), leases_at: None, quiet: None }
    }

    /// Reads for ever. `on_idle` is called whenever all was read. Errors are
    /// logged and tried again.
    pub async fn run(mut self, mut on_idle: impl FnMut() + Send) {
        loop {
            let (now, now_ms) = (Instant::now(), unix_ms());
            match self.step(now).await {
                Ok(Step::Moved) => {}
                Ok(Step::Waiting) => tokio::time::sleep(POLL_INTERVAL).await,
                Ok(Step::Idle) => {
                    on_idle();
                    self.close_leases(now, now_ms).await;
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
                Err(error) => {
                    tracing::error!(%error, "usage waits in the spool");
                    tokio::time::sleep(ERROR_INTERVAL).await;
                }
            }
        }
    }

    /// Reads once and commits it. Whatever it returns, and also when it is
    /// dropped, it can be called again.
    pub async fn step(&mut self, now: Instant) -> Result<Step, Error> {
        match self.read_once(now).await {
            // A step that was dropped in its commit: the database did it after
            // this step had read the position. What was read goes for nothing.
            Err(Error::PositionMoved) => Ok(Step::Moved),
            result => result,
        }
    }

    /// Closes leases now and then. `now_ms` is the time before the spool was read to its end.
    async fn close_leases(&mut self, now: Instant, now_ms: u64) {
        let rested = |at: Instant| now.saturating_duration_since(at) >= LEASES_INTERVAL;
        if !self.leases_at.is_none_or(rested) {
            return;
        }
        self.leases_at = Some(now);
        if let Err(error) = self.close_leases_once(now_ms).await {
            tracing::warn!(%error, "leases stay open");
        }
    }

    /// Closes the leases that nothing can come of any more; to be called when all was read.
    /// Returns how many.
    pub async fn close_leases_once(&self, now_ms: u64) -> Result<u64, Error> {
        let read = self.store.position(&self.id).await?;
        self.store.close_leases(&self.id, read, now_ms).await
    }

    async fn read_once(&mut self, now: Instant) -> Result<Step, Error> {
        let position = self.store.position(&self.id).await?;
        let spool = self.spool.clone();
        let found = tokio::task::spawn_blocking(move || find(&spool, position))
            .await
            .map_err(|_| Error::Interrupted)??;
        match found {
            Found::Nothing => Ok(Step::Idle),
            Found::Elsewhere(generation) => {
                let to = Position { generation, offset: 0 };
                tracing::warn!(?position, ?to, "files of the usage spool are missing");
                self.restart(Batch::moving(position, to)).await
            }
            Found::Shorter => {
                tracing::warn!(?position, "a file of the usage spool was cut; reading it again");
                let to = Position { offset: 0, ..position };
                self.restart(Batch::moving(position, to)).await
            }
            Found::Bytes(bytes, place) => self.take(position, &bytes, place, now).await,
        }
    }

    async fn restart(&self, mut batch: Batch) -> Result<Step, Error> {
        batch.renumbered = batch.to.generation < batch.from.generation;
        batch.counts.restarts = 1;
        self.commit(batch).await
    }

    async fn take(
        &mut self,
        position: Position,
        bytes: &[u8],
        place: Place,
        now: Instant,
    ) -> Result<Step, Error> {
        let whole = spool::whole_lines(bytes);
        if !whole.is_empty() {
            let batch = spool::fold(whole, position, &self.store.price_book().await?);
            return self.commit(batch).await;
        }
        if bytes.len() >= spool::BYTES_PER_READ {
            let mut batch = Batch::moving(position, after(position, bytes));
            batch.counts.malformed = 1;
            return self.commit(batch).await;
        }
        if self.is_final(position, bytes, place, now) {
            return self.finish(position, bytes, place).await;
        }
        match place {
            Place::Rotated { newer: true, .. } => Ok(Step::Waiting),
            _ => Ok(Step::Idle),
        }
    }

    /// Whether nothing will ever follow `rest`, the last bytes of the file.
    fn is_final(&mut self, position: Position, rest: &[u8], place: Place, now: Instant) -> bool {
        match place {
            Place::Rotated { fate: Fate::Closed, .. } => true,
            Place::Rotated { fate: Fate::Rotated, newer: true } => {
                let end = after(position, rest);
                let since = match self.quiet {
                    Some((same, since)) if same == end => since,
                    _ => now,
                };
                self.quiet = Some((end, since));
                now.saturating_duration_since(since) >= QUIET
            }
            _ => false,
        }
    }

    /// Goes on to the next generation. With a dead gateway's file the requests
    /// that are open by its journal, too, are lost.
    async fn finish(
        &mut self,
        position: Position,
        rest: &[u8],
        place: Place,
    ) -> Result<Step, Error> {
        let prices = self.store.price_book().await?;
        if spool::is_a_line(rest) {
            return self.commit(spool::fold(rest, position, &prices)).await;
        }
        let closed = matches!(place, Place::Rotated { fate: Fate::Closed, .. });
        let mut batch = match closed {
            true => self.bury(position, &prices).await?,
            false => Batch::moving(position, spool::next_generation(position)),
        };
        batch.counts.torn += u64::from(!rest.is_empty());
        self.commit(batch).await?;
        self.quiet = None;
        generation::retire(&self.spool, position.generation)?;
        Ok(Step::Moved)
    }

    /// What a dead gateway's journal knows is posted; what comes of the requests
    /// that are open still is returned. Until that is committed all of it may be
    /// done again.
    async fn bury(&self, position: Position, prices: &PriceBook) -> Result<Batch, Error> {
        let path = generation::journal_path(&self.spool, position.generation);
        let bytes =
            tokio::task::spawn_blocking(move || journal::read(&path).map_err(Error::spool(path)))
                .await
                .map_err(|_| Error::Interrupted)??;
        let entries = journal::entries(&bytes);
        let mut malformed = 0;
        for lines in entries.lines.chunks(spool::LINES_PER_BATCH) {
            let mut batch = journal::fold(lines, position, prices);
            malformed += std::mem::take(&mut batch.counts.malformed);
            self.commit(batch).await?;
        }
        let open = self.store.open_requests(&self.id, position.generation).await?;
        let mut batch = spool::fold_lost(open, position, prices);
        batch.counts.torn = entries.torn;
        batch.counts.malformed += malformed;
        Ok(batch)
    }

    async fn commit(&self, mut batch: Batch) -> Result<Step, Error> {
        batch.spool.clone_from(&self.id);
        let counts = self.store.commit(&batch).await?;
        tell(&counts);
        Ok(Step::Moved)
    }
}

/// Says what an operator should know. What a line says is never logged.
fn tell(counts: &Counts) {
    if counts.malformed + counts.torn > 0 {
        let (malformed, torn) = (counts.malformed, counts.torn);
        tracing::warn!(malformed, torn, "lines of the usage spool were skipped");
    }
    if counts.unpriced > 0 {
        tracing::warn!(records = counts.unpriced, "usage without known prices costs nothing");
    }
    if counts.conflicts > 0 {
        tracing::warn!(records = counts.conflicts, "requests ended after they were lost");
    }
    if counts.recovered > 0 {
        let records = counts.recovered;
        tracing::info!(records, "only the journal of a dead gateway knew of these requests' end");
    }
    if counts.lost + counts.lost_anonymous > 0 {
        let (billed, anonymous) = (counts.lost, counts.lost_anonymous);
        tracing::warn!(billed, anonymous, "a gateway died with requests running");
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn after(position: Position, bytes: &[u8]) -> Position {
    Position { offset: position.offset.saturating_add(bytes.len() as u64), ..position }
}

/// What the folder holds from `position` on.
fn find(spool: &Path, position: Position) -> Result<Found, Error> {
    let listing = generation::list(spool)?;
    let left_over = position.generation.saturating_sub(1);
    if listing.rotated.contains_key(&left_over) || listing.journals.contains(&left_over) {
        // A crash came between the last commit and the removal.
        generation::retire(spool, left_over)?;
    }
    let place = listing.place(position.generation);
    let path = match place {
        Place::Gone(next) => return Ok(Found::Elsewhere(next)),
        Place::Live => spool.join(LIVE_NAME),
        Place::Rotated { fate, .. } => generation::rotated_path(spool, position.generation, fate),
    };
    let file = match File::open(&path) {
        // Not made yet, or renamed since it was listed: the next step sees it.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        file => file.map_err(Error::spool(&path))?,
    };
    // The live name may belong to the next generation by now.
    if place == Place::Live && generation::list(spool)?.place(position.generation) != place {
        return Ok(Found::Nothing);
    }
    read(file, position.offset, place).map_err(Error::spool(path))
}

fn read(mut file: File, offset: u64, place: Place) -> io::Result<Found> {
    if file.metadata()?.len() < offset {
        return Ok(Found::Shorter);
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(spool::BYTES_PER_READ as u64).read_to_end(&mut bytes)?;
    Ok(Found::Bytes(bytes, place))
}

/// Bytes in the folder that were not read yet. Between two looks at a moving
/// thing: for people, not for decisions.
pub fn lag_bytes(spool: &Path, position: Position) -> Result<u64, Error> {
    let listing = generation::list(spool)?;
    let size = |path: PathBuf| std::fs::metadata(path).map_or(0, |found| found.len());
    let rotated = listing
        .rotated
        .iter()
        .filter(|(each, _)| **each >= position.generation)
        .map(|(each, fate)| size(generation::rotated_path(spool, *each, *fate)));
    let all = rotated.sum::<u64>().saturating_add(size(spool.join(LIVE_NAME)));
    Ok(all.saturating_sub(position.offset))
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;
