//! Word that files may have changed.
//!
//! Folders are watched, not files: editors replace files by renaming, and
//! Kubernetes mounts them behind a link that is exchanged. A look every so often
//! finds what no event told of.

use crate::config_file;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long it must be quiet after an event: a file is written in pieces.
pub const QUIET: Duration = Duration::from_millis(100);
/// How often it is waited for quiet before the files are read all the same.
const QUIET_TRIES: u32 = 4;
/// How often the files are read without any event.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The watch over some files.
pub struct FileEvents {
    touched: Arc<Notify>,
    _watchers: Vec<RecommendedWatcher>,
}

impl FileEvents {
    /// Watches the folders of `files`. Where the system does not help, the look
    /// every so often is left.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a Path>) -> Self {
        let touched = Arc::new(Notify::new());
        let folders: BTreeSet<PathBuf> = files.into_iter().map(config_file::folder).collect();
        let watchers = folders.iter().filter_map(|folder| match watch(folder, &touched) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                let folder = folder.display();
                tracing::warn!(%folder, %error, "no word of changes from the system; looking instead");
                None
            }
        });
        FileEvents { _watchers: watchers.collect(), touched }
    }

    /// Returns when it is time to look: after an event and some quiet, else after
    /// a while.
    pub async fn next(&self) {
        if timeout(LOOK_EVERY, self.touched.notified()).await.is_err() {
            return;
        }
        for _ in 0..QUIET_TRIES {
            if timeout(QUIET, self.touched.notified()).await.is_err() {
                return;
            }
        }
    }
}

fn watch(folder: &Path, touched: &Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let touched = Arc::clone(touched);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Our own reading is an event as well.
        if event.is_ok_and(|event| !event.kind.is_access()) {
            touched.notify_one();
        }
    })?;
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test]
    async fn a_change_is_heard_of_before_the_next_look() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.pem");
        let events = FileEvents::of([file.as_path()]);
        let begun = Instant::now();
        std::fs::write(&file, "x").unwrap();
        events.next().await;
        assert!(begun.elapsed() < LOOK_EVERY, "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn without_word_there_is_a_look() {
        let events = FileEvents::of([Path::new("/does/not/exist/a.pem")]);
        let begun = Instant::now();
        events.next().await;
        assert_eq!(begun.elapsed(), LOOK_EVERY);
    }
}
