//! Watches the configuration file: a valid change is put in force, an invalid
//! one is named and changes nothing.

use crate::config_file::{self, Invalid, Loaded, Named};
use crate::config_state::{self, ConfigState};
use crate::publish::Publisher;
use admin::CLOCK;
use discovery::file_events::{FileEvents, LOOK_EVERY, QUIET};
use ledger::{Action, Actor, AuditEvent};
use model::Config;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::time::sleep;

/// In the place of the digest of a text that cannot be read.
const UNREADABLE: &str = "unreadable: ";

/// The watch over one file.
pub struct ConfigWatch {
    /// The file.
    pub file: PathBuf,
    /// Version of its text that was seen last.
    pub seen: String,
    /// The files that this text names, as they were then.
    pub named: Named,
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
        loop {
            let mut events = FileEvents::of(self.paths().iter().map(PathBuf::as_path));
            let watched = self.paths();
            while watched == self.paths() {
                events.next().await;
                self.look().await;
            }
        }
    }

    fn paths(&self) -> Vec<PathBuf> {
        let named = self.named.paths().map(Path::to_owned);
        [self.file.clone()].into_iter().chain(named).collect()
    }

    /// Reads the file, and takes it if its text is another one, or that of a file that it
    /// names. What cannot be read is refused like what reads badly.
    async fn look(&mut self) {
        let found = self.read().await;
        let version = version_of(&found);
        let moved = version != self.seen || self.named.have_changed();
        if !moved || !self.is_still(&version).await {
            return;
        }
        self.seen.clone_from(&version);
        let taken = match &found {
            Ok(text) => self.take(text).await,
            Err(why) => Err(Invalid::as_a_whole(&self.file, why)),
        };
        match taken {
            Ok(changes) => {
                tracing::info!(version, ?changes, "a new configuration is in force");
                self.note(Action::ConfigApplied, &version, "changes", changes.len()).await;
            }
            Err(Invalid(problems)) => {
                self.note(Action::ConfigRefused, &version, "problems", problems.len()).await;
                self.refuse(problems);
            }
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

    async fn take(&mut self, text: &str) -> Result<Vec<String>, Invalid> {
        let (loaded, named) = config_file::load_named(&self.file, text);
        self.named = named;
        let Loaded { config, version, .. } = loaded?;
        let changes = self.publisher.put_in_force(&config).await;
        let changes = changes.map_err(|why| Invalid::as_a_whole(&self.file, why))?;
        let pending = config_state::needs_restart(&self.started_with, &config);
        for setting in &pending {
            tracing::warn!(setting, "this change takes effect at the next start");
        }
        self.state.in_force(&version, config_state::now(), pending);
        Ok(changes)
    }

    /// A trail that cannot be written does not keep a configuration from counting.
    async fn note(&self, action: Action, version: &str, what: &str, count: usize) {
        let event = AuditEvent::new(CLOCK.now_ms(), Actor::Config, action, subject(version));
        let noted = self.publisher.ledger.note(event.with(what, count)).await;
        if let Err(error) = noted {
            tracing::error!(%error, "the audit trail cannot be written");
        }
    }

    fn refuse(&self, problems: Vec<String>) {
        for problem in &problems {
            tracing::warn!("{problem}");
        }
        tracing::warn!("the changed configuration is refused; the last good one stays in force");
        self.state.refused(config_state::now(), problems);
    }
}

/// What is wrong with a file that cannot be read is for the log.
fn subject(version: &str) -> &str {
    if version.starts_with(UNREADABLE) { "unreadable" } else { version }
}

fn version_of(found: &Result<String, String>) -> String {
    match found {
        Ok(text) => config_file::version(text),
        Err(why) => format!("{UNREADABLE}{why}"),
    }
}

#[cfg(test)]
#[path = "watch_config_tests.rs"]
mod tests;
