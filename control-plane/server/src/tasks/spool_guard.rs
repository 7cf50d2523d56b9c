//! Looks after the space that usage is written to: billable requests are refused before a
//! line of the spool can be lost.

use admin::SpoolStatus;
use rustix::fs::statvfs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;

/// How often the space is looked at: at 20,000 lines a second of half a KiB, six seconds
/// fill [`RESERVE_BYTES`].
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is kept free, unless somebody says otherwise: 64 MiB. It is for the requests that
/// are under way when the gateways hear of it, for the database and for the logs.
pub const RESERVE_BYTES: u64 = 64 * 1024 * 1024;

/// The guard of one spool.
pub struct SpoolGuard {
    /// Its folder.
    pub spool: PathBuf,
    /// With less than this, in bytes, it counts as full; it has room again with a quarter
    /// more.
    pub reserve_bytes: u64,
    /// Where the space is told; wakes when the spool is full and when it has room again.
    pub space: watch::Sender<SpoolStatus>,
}

impl SpoolGuard {
    /// Looks for ever.
    pub async fn run(self) {
        let mut unknown = false;
        loop {
            match self.look() {
                Ok(()) => unknown = false,
                Err(error) if !unknown => {
                    tracing::warn!(%error, "the space of the usage spool is not known");
                    unknown = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// One look: tells the space, and whether it is enough.
    pub fn look(&self) -> io::Result<()> {
        let free_bytes = free_bytes(&self.spool)?;
        self.space.send_if_modified(|space| {
            let full = is_full(space.full, free_bytes, self.reserve_bytes);
            let turned = full != space.full;
            *space = SpoolStatus { free_bytes: Some(free_bytes), full };
            turned.then(|| tell(full, free_bytes, self.reserve_bytes));
            turned
        });
        Ok(())
    }
}

fn tell(full: bool, free_bytes: u64, reserve_bytes: u64) {
    if full {
        tracing::error!(
            free_bytes,
            reserve_bytes,
            "the usage spool is nearly full: gateways refuse what has to be billed"
        );
    } else {
        tracing::info!(free_bytes, "the usage spool has room again");
    }
}

/// Whether a spool that was `full` before is now.
fn is_full(full: bool, free_bytes: u64, reserve_bytes: u64) -> bool {
    let enough = if full { reserve_bytes.saturating_add(reserve_bytes / 4) } else { reserve_bytes };
    free_bytes < enough
}

/// What a process without privileges may write to the file system of `folder`.
fn free_bytes(folder: &Path) -> io::Result<u64> {
    let space = statvfs(folder)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_spool_has_room_only_with_a_quarter_more() {
        let table = [
            (false, 100, false),
            (false, 99, true),
            (true, 100, true),
            (true, 124, true),
            (true, 125, false),
            (false, 0, true),
        ];
        for (before, free, full) in table {
            assert_eq!(is_full(before, free, 100), full, "{before} {free}");
        }
        assert!(is_full(true, u64::MAX - 1, u64::MAX), "no bound is passed over");
    }

    #[test]
    fn who_waits_is_woken_when_it_turns() {
        let folder = tempfile::tempdir().unwrap();
        let space = watch::Sender::new(SpoolStatus::default());
        let mut told = space.subscribe();
        let mut guard = SpoolGuard { spool: folder.path().into(), reserve_bytes: 0, space };
        guard.look().unwrap();
        assert!(!told.has_changed().unwrap(), "it has room as before");
        assert!(told.borrow().free_bytes.is_some());
        for (reserve_bytes, full) in [(u64::MAX, true), (0, false)] {
            guard.reserve_bytes = reserve_bytes;
            guard.look().unwrap();
            assert!(told.has_changed().unwrap());
            assert_eq!(told.borrow_and_update().full, full);
            guard.look().unwrap();
            assert!(!told.has_changed().unwrap());
        }
    }

    #[test]
    fn a_folder_that_is_not_there_says_nothing() {
        let space = watch::Sender::new(SpoolStatus::default());
        let guard = SpoolGuard { spool: "/not/there".into(), reserve_bytes: 1, space };
        assert!(guard.look().is_err());
        assert_eq!(*guard.space.borrow(), SpoolStatus::default());
    }
}
