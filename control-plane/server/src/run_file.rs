//! `run.json` in the data folder: where a running Tollgate listens, and which
//! Envoy is its own. The next `up` finds an Envoy to adopt by it, the other
//! commands the admin API.

use crate::error::Failure;
use crate::files;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Its name in the data folder.
pub const NAME: &str = "run.json";

/// What is running.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// The control plane's process.
    pub tollgate_pid: Option<u32>,
    /// Where the admin API listens.
    pub admin: Option<SocketAddr>,
    /// Where xDS listens.
    pub xds: Option<SocketAddr>,
    /// Where callers connect.
    pub gateway: Option<SocketAddr>,
    /// Where Envoy's admin interface listens.
    pub envoy_admin: Option<SocketAddr>,
    /// Envoy's process.
    pub envoy_pid: Option<u32>,
    /// When that process began, in clock ticks since the machine did
    /// (field 22 of `/proc/PID/stat`): tells it from another with its number.
    pub envoy_start: Option<u64>,
    /// Whether all Envoys could send a request on to another pool.
    pub chains: Option<bool>,
    /// Digest of that Envoy's bootstrap and command line.
    pub bootstrap_digest: Option<String>,
}

impl Run {
    /// What stands in the data folder; nothing where there is no such file, or
    /// one that another release wrote and this one cannot read.
    pub fn read(data: &Path) -> Run {
        std::fs::read(data.join(NAME))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Forgets the Envoy.
    pub fn without_envoy(&mut self) {
        self.envoy_pid = None;
        self.envoy_start = None;
        self.bootstrap_digest = None;
        self.envoy_admin = None;
    }
}

/// The file of the Tollgate that runs here. Clones write the same file.
#[derive(Clone)]
pub struct RunFile {
    path: Arc<PathBuf>,
    run: Arc<Mutex<Run>>,
}

impl RunFile {
    /// Begins with `run`, and writes nothing yet.
    pub fn new(data: &Path, run: Run) -> RunFile {
        RunFile { path: Arc::new(data.join(NAME)), run: Arc::new(Mutex::new(run)) }
    }

    /// What is running.
    pub fn get(&self) -> Run {
        self.run.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes it, and writes it down.
    pub fn change(&self, change: impl FnOnce(&mut Run)) -> Result<(), Failure> {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut run);
        let text = serde_json::to_string_pretty(&*run).map_err(Failure::internal)?;
        files::write_private(&self.path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = RunFile::new(folder.path(), Run::default());
        file.change(|run| {
            run.admin = Some("127.0.0.1:8081".parse().unwrap());
            run.envoy_pid = Some(7);
            run.envoy_start = Some(u64::MAX);
        })
        .unwrap();
        assert_eq!(Run::read(folder.path()), file.get());
        file.change(Run::without_envoy).unwrap();
        let read = Run::read(folder.path());
        assert_eq!(read.envoy_pid, None);
        assert_eq!(read.admin, Some("127.0.0.1:8081".parse().unwrap()));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Run::read(folder.path()), Run::default());
        std::fs::write(folder.path().join(NAME), "{\"admin\": 5}").unwrap();
        assert_eq!(Run::read(folder.path()), Run::default());
        std::fs::write(folder.path().join(NAME), "{\"of_a_later_release\": 5}").unwrap();
        assert_eq!(Run::read(folder.path()), Run::default());
    }
}
