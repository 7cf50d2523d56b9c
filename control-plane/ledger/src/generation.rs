//! The files of the usage spool, by their generations.
//!
//! | name | what |
//! | --- | --- |
//! | `usage.jsonl` | the live file, to which Envoy writes |
//! | `usage.N.jsonl` | rotated while its Envoy lives: late lines may come until Envoy has reopened its logs |
//! | `usage.N.closed.jsonl` | its Envoy is dead: final |
//! | `usage.N.done` | an empty mark: generation N was read to its end and removed |
//!
//! Generations count from 1. The live file's is one more than the largest N of
//! any other name; the mark keeps that number known when all is read.

use crate::error::Error;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Size from which the live file is to be rotated: 64 MiB, which is read in
/// seconds and keeps what waits on disk in pieces that can be removed.
pub const LIVE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Name of the live file in the spool folder.
pub const LIVE_NAME: &str = "usage.jsonl";

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

/// The path of a rotated file.
#[must_use]
pub fn rotated_path(spool: &Path, generation: u64, fate: Fate) -> PathBuf {
    spool.join(match fate {
        Fate::Rotated => format!("usage.{generation}.jsonl"),
        Fate::Closed => format!("usage.{generation}.closed.jsonl"),
    })
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

/// Closes the file that a dead Envoy wrote to last and returns its new path;
/// `None` when it is closed already. To be called when the old Envoy is known
/// to be dead and before a new one starts.
pub fn rotate_for_dead_gateway(spool: &Path) -> Result<Option<PathBuf>, Error> {
    let _alone = ROTATION.lock();
    let listing = list(spool)?;
    let (from, generation) = if listing.live {
        (spool.join(LIVE_NAME), listing.live_generation())
    } else {
        match listing.rotated.last_key_value() {
            // It died between the rotation and the reopening.
            Some((&newest, &Fate::Rotated)) => (rotated_path(spool, newest, Fate::Rotated), newest),
            _ => return Ok(None),
        }
    };
    let path = rotated_path(spool, generation, Fate::Closed);
    rename(&from, &path)?;
    Ok(Some(path))
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

/// Removes a generation that was read to its end, leaving its mark.
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
    for older in list(spool)?.done.into_iter().filter(|older| *older < generation) {
        let path = spool.join(format!("usage.{older}.done"));
        std::fs::remove_file(&path).map_err(Error::spool(path))?;
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::rename(from, to).map_err(Error::spool(from))
}

#[cfg(test)]
mod tests;
