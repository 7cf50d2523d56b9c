//! Envoy's own log. Envoy writes it to the journal in the spool folder, where the
//! ends of answers stand between what it has to say to people; this copies the
//! latter to a log of their own and gives the disk back what is old.
//!
//! How far it came is kept in a file beside the journal, for the next Tollgate
//! that adopts the same Envoy. That file may be a little behind after a crash:
//! then some lines are in the log twice.

use crate::error::Failure;
use crate::files;
use ledger::journal;
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often the journal is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Of how many looks one also gives back what is old, so that whatever is given
/// back is at least this many looks old.
const LOOKS_PER_RETURN: u32 = 5;
/// Bytes read at once. A line that is longer is copied in pieces.
const CHUNK_BYTES: u64 = 1024 * 1024;
/// Bytes of usage after which the position is written down.
const SAVE_AFTER_BYTES: u64 = 1024 * 1024;
/// Bytes that are kept, half of what the ledger would read.
const KEPT_BYTES: u64 = journal::BYTES_READ / 2;
/// Least bytes that are given back at once.
const RETURN_BYTES: u64 = 1024 * 1024;
/// File systems give back whole blocks; this is the largest of the common ones.
const BLOCK_BYTES: u64 = 4096;

/// The log of one Envoy after the other. Clones share everything.
#[derive(Clone)]
pub struct EnvoyLog {
    journal: Arc<Path>,
    log: Arc<Path>,
    progress: Arc<Mutex<Progress>>,
}

/// How far a journal was copied and given back, in bytes.
struct Progress {
    /// Where it is written down.
    file: PathBuf,
    /// What was copied or passed over.
    position: u64,
    /// What of it is written down.
    saved: u64,
    /// What was copied when something was last given back.
    before: u64,
    /// What was given back.
    returned: u64,
    /// Whether the file system takes anything back.
    takes_back: bool,
}

impl EnvoyLog {
    /// From the journal in the folder `spool` to the file `log`.
    pub fn new(spool: &Path, log: PathBuf) -> EnvoyLog {
        let journal = spool.join(journal::NAME);
        let progress = Progress::read(spool.join(format!("{}.position", journal::NAME)));
        EnvoyLog {
            journal: journal.into(),
            log: log.into(),
            progress: Arc::new(Mutex::new(progress)),
        }
    }

    /// The log, for people.
    pub fn path(&self) -> &Path {
        &self.log
    }

    /// Where Envoy is to write.
    pub fn journal(&self) -> &Path {
        &self.journal
    }

    /// Copies for ever.
    pub async fn follow(self) {
        let mut failing = false;
        for look in 1_u32.. {
            tokio::time::sleep(LOOK_EVERY).await;
            let log = self.clone();
            let returns = look.is_multiple_of(LOOKS_PER_RETURN);
            let looked = tokio::task::spawn_blocking(move || log.look(returns)).await;
            let looked = looked.map_err(Failure::internal).and_then(|looked| looked);
            if let Err(error) = &looked
                && !failing
            {
                tracing::warn!(%error, "envoy's log is not copied");
            }
            failing = looked.is_err();
        }
    }

    fn look(&self, returns: bool) -> Result<(), Failure> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        self.copy(&mut progress, false)?;
        if returns {
            progress.give_back(&self.journal)?;
        }
        Ok(())
    }

    /// Copies the rest of a dead Envoy's journal and has `rotate` take it away.
    /// What cannot be copied does not keep the usage in it from its way.
    pub fn close(&self, rotate: impl FnOnce() -> Result<(), ledger::Error>) -> Result<(), Failure> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.copy(&mut progress, true) {
            tracing::warn!(%error, "the end of envoy's log was not copied");
        }
        rotate().map_err(|error| Failure::Ledger(error.to_string()))?;
        progress.begin_anew()
    }

    /// Copies what is new; `all`: also a last line without its end.
    fn copy(&self, progress: &mut Progress, all: bool) -> Result<(), Failure> {
        let failed = |error| Failure::file("read", &self.journal, error);
        let mut journal = match File::open(&self.journal) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file.map_err(failed)?,
        };
        let length = journal.metadata().map_err(failed)?.len();
        if length < progress.position {
            progress.position = 0;
        }
        while progress.position < length {
            let bytes = chunk(&mut journal, progress.position).map_err(failed)?;
            let at_end = progress.position.saturating_add(bytes.len() as u64) >= length;
            let taken = lines(&bytes, all && at_end);
            if taken.is_empty() {
                break;
            }
            let words = for_people(taken);
            self.append(&words)?;
            progress.position = progress.position.saturating_add(taken.len() as u64);
            if !words.is_empty() || progress.unsaved() >= SAVE_AFTER_BYTES {
                progress.save()?;
            }
        }
        Ok(())
    }

    fn append(&self, words: &[u8]) -> Result<(), Failure> {
        if words.is_empty() {
            return Ok(());
        }
        let mut log = files::append_private(&self.log)?;
        log.write_all(words).map_err(|error| Failure::file("write", &self.log, error))
    }
}

fn chunk(journal: &mut File, from: u64) -> io::Result<Vec<u8>> {
    journal.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    journal.take(CHUNK_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The whole lines of `bytes`; all of it if nothing more comes, or if it is a
/// piece of a very long line.
fn lines(bytes: &[u8], last: bool) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map(|at| at.saturating_add(1));
    match end {
        Some(end) if !last => bytes.get(..end).unwrap_or_default(),
        None if !last && (bytes.len() as u64) < CHUNK_BYTES => &[],
        _ => bytes,
    }
}

/// What is not usage, and was not given back to the disk.
fn for_people(lines: &[u8]) -> Vec<u8> {
    let mut words = Vec::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        if journal::usage_of(line).is_none() && line.first() != Some(&0) {
            words.extend_from_slice(line);
        }
    }
    if words.last().is_some_and(|last| *last != b'\n') {
        words.push(b'\n');
    }
    words
}

impl Progress {
    /// As it was written down; the beginning where it was not.
    fn read(file: PathBuf) -> Progress {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let position = text.trim().parse().unwrap_or(0);
        let takes_back = true;
        Progress { file, position, saved: position, before: 0, returned: 0, takes_back }
    }

    fn unsaved(&self) -> u64 {
        self.position.saturating_sub(self.saved)
    }

    /// Not synced: after a power failure the same lines are copied again.
    fn save(&mut self) -> Result<(), Failure> {
        fs::write(&self.file, format!("{}\n", self.position))
            .map_err(|error| Failure::file("write", &self.file, error))?;
        self.saved = self.position;
        Ok(())
    }

    /// The next journal is a new file.
    fn begin_anew(&mut self) -> Result<(), Failure> {
        (self.position, self.before, self.returned) = (0, 0, 0);
        self.save()
    }

    /// Gives back what was copied by the last time, except for the last of it.
    /// The file keeps its length: Envoy appends to it.
    fn give_back(&mut self, journal: &Path) -> Result<(), Failure> {
        let old = self.before.min(self.position).saturating_sub(KEPT_BYTES);
        let to = old.saturating_sub(old % BLOCK_BYTES);
        self.before = self.position;
        let length = to.saturating_sub(self.returned);
        if !self.takes_back || length < RETURN_BYTES {
            return Ok(());
        }
        self.save()?;
        let failed = |error| Failure::file("shorten", journal, error);
        let file = File::options().write(true).open(journal).map_err(failed)?;
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match fallocate(&file, flags, self.returned, length) {
            Ok(()) => self.returned = to,
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                tracing::warn!(
                    journal = %journal.display(),
                    "this file system cannot free a part of a file: the journal grows until \
                     envoy is started again"
                );
                self.takes_back = false;
            }
            Err(error) => return Err(failed(error.into())),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
