//! Word that files may have changed.
//!
//! Folders are watched, not files: editors and tools replace files by renaming,
//! and Kubernetes mounts them behind a link that is exchanged. A look every so
//! often finds what no event told of. All watches of the process share one watcher,
//! because a system has few of them for each user.

mod folders;
#[cfg(test)]
mod tests;

use folders::Folders;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long it must be quiet after an event: a file is written in pieces.
pub const QUIET: Duration = Duration::from_millis(100);
/// How often the files are looked at without any event.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often it is waited for quiet before it is time to look all the same:
/// others may be busy in the folder.
const QUIET_TRIES: u32 = 4;

/// The folders of this process.
static FOLDERS: LazyLock<Arc<Folders>> = LazyLock::new(|| Arc::new(Folders::of_the_system()));

/// Why it is time to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Something happened in a folder.
    Event,
    /// Nothing was heard of for [`LOOK_EVERY`].
    Silence,
}

/// The watch over some files, until this is dropped.
pub struct FileEvents {
    folders: Arc<Folders>,
    touched: Arc<Notify>,
    places: Vec<Place>,
}

/// A folder that is to be heard of.
struct Place {
    folder: PathBuf,
    hearing: Hearing,
}

/// Whether it is heard of.
enum Hearing {
    /// Not as long as it is not there.
    NotYet,
    /// It is, under this path without links.
    Of(PathBuf),
    /// The system does not help; it is not asked again.
    Never,
}

impl FileEvents {
    /// Watches the folders of `files`. Where the system does not help, because all
    /// of its watches are taken for example, the look every so often is left.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a Path>) -> Self {
        Self::within(&FOLDERS, files)
    }

    fn within<'a>(folders: &Arc<Folders>, files: impl IntoIterator<Item = &'a Path>) -> Self {
        let wanted: BTreeSet<PathBuf> = files.into_iter().map(folder_of).collect();
        let place = |folder| Place { folder, hearing: Hearing::NotYet };
        let mut events = FileEvents {
            folders: Arc::clone(folders),
            touched: Arc::default(),
            places: wanted.into_iter().map(place).collect(),
        };
        events.follow();
        events
    }

    /// Returns when it is time to look: after an event and some quiet, else after
    /// a while. Can be given up and called again.
    pub async fn next(&mut self) -> Occasion {
        self.follow();
        if timeout(LOOK_EVERY, self.touched.notified()).await.is_err() {
            return Occasion::Silence;
        }
        for _ in 0..QUIET_TRIES {
            if timeout(QUIET, self.touched.notified()).await.is_err() {
                break;
            }
        }
        Occasion::Event
    }

    /// Listens to folders that were away, or were put in the place of others.
    fn follow(&mut self) {
        for place in &mut self.places {
            let is_deaf = match &place.hearing {
                Hearing::NotYet => true,
                Hearing::Of(folder) => !self.folders.is_heard_by(folder, &self.touched),
                Hearing::Never => false,
            };
            if is_deaf {
                place.hearing = match self.folders.listen(&place.folder, &self.touched) {
                    Ok(heard) => heard.map_or(Hearing::NotYet, Hearing::Of),
                    Err(_) => Hearing::Never,
                };
            }
        }
    }
}

impl Drop for FileEvents {
    fn drop(&mut self) {
        for place in &self.places {
            if let Hearing::Of(folder) = &place.hearing {
                self.folders.leave(folder, &self.touched);
            }
        }
    }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) => PathBuf::from("."),
        None => PathBuf::from("/"),
    }
}
