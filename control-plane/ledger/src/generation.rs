//! The files of the usage spool, by their generations.
//!
//! | name | what |
//! | --- | --- |
//! | `usage.jsonl` | the live file, to which Envoy writes |
//! | `usage.N.jsonl` | rotated while its Envoy lives: late lines may come until Envoy has reopened its logs |
//! | `usage.N.closed.jsonl` | its Envoy is dead: final |
//! | `usage.N.done` | an empty mark: generation N was read to its end and removed |
//! | `usage.journal` | the journal of the Envoy that runs ([`crate::journal`]) |
//! | `id` | the spool's name |
//! | `usage.N.journal` | the one of the dead Envoy that wrote generation N last |
//!
//! Generations count from 1. The live file's is one more than the largest N of
//! any other name; the mark keeps that number known when all is read.

use crate::error::Error;
use crate::journal;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Size from which the live file is to be rotated: 64 MiB, which is read in
/// seconds and keeps what waits on disk in pieces that can be removed.
pub const LIVE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Name of the live file in the spool folder.
pub const LIVE_NAME: &str = "usage.jsonl";

/// Name of the file that holds the spool's name.
const ID_NAME: &str = "id";

/// Bytes of randomness in it.
const ID_BYTES: usize = 16;

/// Two rotations at once would give one number to two files.
static ROTATION: Mutex<()> = Mutex::new(());

/// What a rotated file may still become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Its Envoy lives.
    Rotated,
    /// Its Envoy is dead: no line comes after the last.
    Closed,
}

/// What lies in a spool folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Files that are not live, by generation.
    pub rotated: BTreeMap<u64, Fate>,
    /// Generations that were read to the end.
    pub done: Vec<u64>,
    /// Whether there is a live file.
    pub live: bool,
    /// Whether there is a journal that belongs to no generation yet.
    pub journal: bool,
    /// Generations with a journal.
    pub journals: BTreeSet<u64>,
}

/// Where a generation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the live file, which may not have been made yet.
    Live,
    /// It was rotated; `newer`: Envoy writes elsewhere by now.
    Rotated {
        /// What the file may still become.
        fate: Fate,
        /// Whether a file of a later generation exists.
        newer: bool,
    },
    /// It is not there: reading goes on with this generation.
    Gone(u64),
}

impl Listing {
    /// The generation that the live file has or will have.
    #[must_use]
    pub fn live_generation(&self) -> u64 {
        let newest = self.rotated.keys().chain(&self.done).max();
        newest.map_or(1, |newest| newest.saturating_add(1))
    }

    /// Where `generation` is.
    #[must_use]
    pub fn place(&self, generation: u64) -> Place {
        let live = self.live_generation();
        let later = |than: u64| self.rotated.keys().copied().find(|each| *each > than);
        match self.rotated.get(&generation) {
            Some(&fate) => Place::Rotated { fate, newer: self.live || later(generation).is_some() },
            None if live == generation => Place::Live,
            // Other numbers than those that were counted by: begin at the oldest.
            None if live < generation => Place::Gone(later(0).unwrap_or(live)),
            None => Place::Gone(later(generation).unwrap_or(live)),
        }
    }

    fn note(&mut self, name: &str) {
        if name == LIVE_NAME {
            self.live = true;
        }
        if name == journal::NAME {
            self.journal = true;
        }
        let Some(rest) = name.strip_prefix("usage.") else { return };
        let Some((number, ending)) = rest.split_once('.') else { return };
        let Ok(generation) = number.parse() else { return };
        match ending {
            "jsonl" => {
                self.rotated.entry(generation).or_insert(Fate::Rotated);
            }
            "closed.jsonl" => {
                self.rotated.insert(generation, Fate::Closed);
            }
            "done" => self.done.push(generation),
            "journal" => {
                self.journals.insert(generation);
            }
            _ => {}
        }
    }
}

/// What lies in the folder `spool`; a folder that is not there is empty.
pub fn list(spool: &Path) -> Result<Listing, Error> {
    let mut listing = Listing::default();
    let entries = match std::fs::read_dir(spool) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(listing),
        entries => entries.map_err(Error::spool(spool))?,
    };
    for entry in entries {
        let name = entry.map_err(Error::spool(spool))?.file_name();
        if let Some(name) = name.to_str() {
            listing.note(name);
        }
    }
    Ok(listing)
}

/// The name of the spool in the folder `spool`, made at random when it has none: what tells
/// it from the spools of other control planes on the same database.
pub fn spool_id(spool: &Path) -> Result<String, Error> {
    let _alone = ROTATION.lock();
    let path = spool.join(ID_NAME);
    match std::fs::read_to_string(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        read => {
            let id = read.map_err(Error::spool(&path))?.trim().to_owned();
            if !id.is_empty() {
                return Ok(id);
            }
        }
    }
    let mut random = [0; ID_BYTES];
    getrandom::fill(&mut random).map_err(Error::Random)?;
    let id = hex::encode(random);
    // Whole or not at all: a name that was half written would be another spool's.
    let fresh = spool.join(format!("{ID_NAME}.new"));
    std::fs::write(&fresh, &id).map_err(Error::spool(&fresh))?;
    rename(&fresh, &path)?;
    Ok(id)
}

/// The path of a rotated file.
#[must_use]
pub fn rotated_path(spool: &Path, generation: u64, fate: Fate) -> PathBuf {
    spool.join(match fate {
        Fate::Rotated => format!("usage.{generation}.jsonl"),
        Fate::Closed => format!("usage.{generation}.closed.jsonl"),
    })
}

/// The path of a dead Envoy's journal.
#[must_use]
pub fn journal_path(spool: &Path, generation: u64) -> PathBuf {
    spool.join(format!("usage.{generation}.journal"))
}

/// Rotates the live file of a running Envoy and returns its new path; `None`
/// when there is none. The caller then has Envoy reopen its logs (`POST
/// /reopen_logs` of its admin port); until it did, it writes to the new path,
/// which [`awaits_reopen`] tells.
pub fn rotate_live(spool: &Path) -> Result<Option<PathBuf>, Error> {
    let _alone = ROTATION.lock();
    let listing = list(spool)?;
    if !listing.live {
        return Ok(None);
    }
    let path = rotated_path(spool, listing.live_generation(), Fate::Rotated);
    rename(&spool.join(LIVE_NAME), &path)?;
    Ok(Some(path))
}

/// Whether Envoy has not reopened its logs since the last [`rotate_live`].
pub fn awaits_reopen(spool: &Path) -> Result<bool, Error> {
    let listing = list(spool)?;
    let newest = listing.rotated.last_key_value();
    Ok(!listing.live && newest.is_some_and(|(_, fate)| *fate == Fate::Rotated))
}

/// Closes the file that a dead Envoy wrote to last, with its journal, and returns
/// the file's new path; `None` when it is closed already. To be called when the
/// old Envoy is known to be dead and before a new one starts.
pub fn rotate_for_dead_gateway(spool: &Path) -> Result<Option<PathBuf>, Error> {
    let _alone = ROTATION.lock();
    let listing = list(spool)?;
    let Some((from, generation)) = last_written(spool, &listing) else { return Ok(None) };
    // The journal first: who finds the closed file finds the journal, too.
    if listing.journal {
        rename(&spool.join(journal::NAME), &journal_path(spool, generation))?;
    }
    let path = rotated_path(spool, generation, Fate::Closed);
    match from {
        Some(from) => rename(&from, &path)?,
        None => std::fs::File::create(&path).map(drop).map_err(Error::spool(&path))?,
    }
    Ok(Some(path))
}

/// The file that the last Envoy wrote to, and its generation. An Envoy that died
/// before it had made one has left a journal at most, which gets a generation
/// all the same, so that it is read and removed.
fn last_written(spool: &Path, listing: &Listing) -> Option<(Option<PathBuf>, u64)> {
    let live = listing.live_generation();
    match listing.rotated.last_key_value() {
        _ if listing.live => Some((Some(spool.join(LIVE_NAME)), live)),
        // It died between the rotation and the reopening.
        Some((&newest, &Fate::Rotated)) => {
            Some((Some(rotated_path(spool, newest, Fate::Rotated)), newest))
        }
        _ => (listing.journal || listing.journals.contains(&live)).then_some((None, live)),
    }
}

/// Bytes in the live file, for [`LIVE_BYTES_MAX`].
pub fn live_bytes(spool: &Path) -> Result<u64, Error> {
    let path = spool.join(LIVE_NAME);
    match std::fs::metadata(&path) {
        Ok(found) => Ok(found.len()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(cause) => Err(Error::spool(path)(cause)),
    }
}

/// Removes a generation that was read to its end, and its journal, leaving its
/// mark.
pub fn retire(spool: &Path, generation: u64) -> Result<(), Error> {
    let mark = spool.join(format!("usage.{generation}.done"));
    for fate in [Fate::Rotated, Fate::Closed] {
        let path = rotated_path(spool, generation, fate);
        match std::fs::rename(&path, &mark) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed.map_err(Error::spool(path))?,
        }
    }
    std::fs::File::create(&mark).map_err(Error::spool(&mark))?;
    let listing = list(spool)?;
    let done = listing.done.into_iter().filter(|older| *older < generation);
    let journals = listing.journals.into_iter().filter(|each| *each <= generation);
    let marks = done.map(|older| spool.join(format!("usage.{older}.done")));
    for path in marks.chain(journals.map(|each| journal_path(spool, each))) {
        std::fs::remove_file(&path).map_err(Error::spool(path))?;
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::rename(from, to).map_err(Error::spool(from))
}

#[cfg(test)]
mod tests;
