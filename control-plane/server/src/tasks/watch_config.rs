//! Watches the configuration file: a valid change is put in force, an invalid
//! one is named and changes nothing.
//!
//! The folder is watched, not the file: editors replace files by renaming, and
//! Kubernetes mounts them behind a link that is exchanged. A look every so often
//! finds what no event told of.

use crate::config_file::{self, Invalid, Loaded};
use crate::config_state::{self, ConfigState};
use crate::publish::Publisher;
use model::Config;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// How long it must be quiet after an event: a file is written in pieces.
const QUIET: Duration = Duration::from_millis(100);
/// How often it is waited for quiet before the file is read all the same.
const QUIET_TRIES: u32 = 4;
/// How often the file is read without any event.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// In the place of the digest of a text that cannot be read.
const UNREADABLE: &str = "unreadable: ";

/// The watch over one file.
pub struct ConfigWatch {
    /// The file.
    pub file: PathBuf,
    /// Version of its text that was seen last.
    pub seen: String,
    /// What this process was started with.
    pub started_with: Config,
    /// Where a good one goes.
    pub publisher: Arc<Publisher>,
    /// What `status` shows.
    pub state: ConfigState,
}

impl ConfigWatch {
    /// Watches for ever.
    pub async fn run(mut self) {
        let touched = Arc::new(Notify::new());
        let watcher = watch_folder(&config_file::folder(&self.file), Arc::clone(&touched));
        if let Err(error) = &watcher {
            tracing::warn!(%error, "no word of changes from the system; looking at the file instead");
        }
        loop {
            if timeout(LOOK_EVERY, touched.notified()).await.is_ok() {
                settle(&touched).await;
            }
            self.look().await;
        }
    }

    /// Reads the file, and takes it if its text is another one. What cannot be read
    /// is refused like what reads badly.
    async fn look(&mut self) {
        let found = self.read().await;
        let version = version_of(&found);
        if version == self.seen || !self.is_still(&version).await {
            return;
        }
        self.seen.clone_from(&version);
        let taken = match &found {
            Ok(text) => self.take(text).await,
            Err(why) => Err(Invalid::as_a_whole(&self.file, why)),
        };
        match taken {
            Ok(changes) => tracing::info!(version, ?changes, "a new configuration is in force"),
            Err(Invalid(problems)) => self.refuse(problems),
        }
    }

    async fn read(&self) -> Result<String, String> {
        let text = tokio::fs::read_to_string(&self.file).await;
        text.map_err(|error| format!("cannot be read: {error}"))
    }

    /// Whether the file stays as it is: nobody is writing it, and one that is away
    /// is not just being replaced.
    async fn is_still(&self, version: &str) -> bool {
        let away = version.starts_with(UNREADABLE);
        sleep(if away { LOOK_EVERY } else { QUIET / 2 }).await;
        version_of(&self.read().await) == version
    }

    async fn take(&self, text: &str) -> Result<Vec<String>, Invalid> {
        let Loaded { config, version } = config_file::load_text(&self.file, text)?;
        let changes = self.publisher.put_in_force(&config).await;
        let changes = changes.map_err(|why| Invalid::as_a_whole(&self.file, why))?;
        let pending = config_state::needs_restart(&self.started_with, &config);
        for setting in &pending {
            tracing::warn!(setting, "this change takes effect at the next start");
        }
        self.state.in_force(&version, config_state::now(), pending);
        Ok(changes)
    }

    fn refuse(&self, problems: Vec<String>) {
        for problem in &problems {
            tracing::warn!("{problem}");
        }
        tracing::warn!("the changed configuration is refused; the last good one stays in force");
        self.state.refused(config_state::now(), problems);
    }
}

fn version_of(found: &Result<String, String>) -> String {
    match found {
        Ok(text) => config_file::version(text),
        Err(why) => format!("{UNREADABLE}{why}"),
    }
}

/// Waits until no event comes, but not for ever: others may be busy in the folder.
async fn settle(touched: &Notify) {
    for _ in 0..QUIET_TRIES {
        if timeout(QUIET, touched.notified()).await.is_err() {
            return;
        }
    }
}

fn watch_folder(folder: &Path, touched: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
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
#[path = "watch_config_tests.rs"]
mod tests;
