//! The gate of a test: `tollgate up` with its Envoy, in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{self, Process};
use crate::tollgate_start::TollgateStart;
use crate::{Failure, Result, binaries};

const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// Draining Envoy takes a moment; after this it is a fault.
const END_TIMEOUT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const CONFIG: &str = "tollgate.yaml";
const DATA: &str = "tollgate-data";

/// A running Tollgate; it and its Envoy end with the value.
pub struct Tollgate {
    folder: Option<TempDir>,
    program: PathBuf,
    environment: Vec<(String, String)>,
    process: Process,
    starts: u32,
    url: String,
    keys_made: AtomicU64,
}

/// An API key, as it is shown once.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct KeyMade {
    /// What `keys revoke` takes.
    pub id: String,
    /// The secret.
    pub key: String,
}

impl Tollgate {
    /// A gate with this configuration; what it leaves out, the test's folder and
    /// free ports fill in.
    pub fn with(yaml: &str) -> TollgateStart {
        TollgateStart::new(yaml)
    }

    /// Writes the configuration into the folder and starts.
    pub(crate) async fn start_in(
        folder: TempDir,
        yaml: &str,
        environment: Vec<(String, String)>,
    ) -> Result<Tollgate> {
        std::fs::write(folder.path().join(CONFIG), yaml)?;
        let program = binaries::built("tollgate", "TOLLGATE_BIN")?;
        let process = spawn(&program, folder.path(), &environment, 1)?;
        let mut gate = Tollgate {
            folder: Some(folder),
            program,
            environment,
            process,
            starts: 1,
            url: String::new(),
            keys_made: AtomicU64::new(0),
        };
        gate.wait_until_ready().await?;
        Ok(gate)
    }

    /// `http://ADDRESS` of the gateway.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Folder of the configuration and the logs.
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().expect("the folder is taken only when the gate ends").path()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder().join(DATA)
    }

    /// Runs the command line `tollgate ARGUMENTS -c FILE`; `check` goes without
    /// `-c`, and so does what names another.
    pub async fn cli(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = tokio::process::Command::new(&self.program);
        command.args(arguments).envs(self.environment.iter().cloned());
        let names_one = arguments.iter().any(|it| ["-c", "--admin", "check"].contains(it));
        if !names_one {
            command.arg("-c").arg(self.folder().join(CONFIG));
        }
        Ok(command.kill_on_drop(true).output().await?)
    }

    /// As [`Tollgate::cli`], for commands that must succeed and print JSON.
    pub async fn cli_json(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.cli(arguments).await?;
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Failure::new(format!("{arguments:?}: {}\n{told}", output.status)));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Makes a key of the tenant.
    pub async fn key(&self, tenant: &str) -> Result<KeyMade> {
        let name = format!("test-{}", self.keys_made.fetch_add(1, Relaxed));
        let make = ["keys", "create", "--tenant", tenant, "--name", &name, "--format", "json"];
        Ok(serde_json::from_value(self.cli_json(&make).await?)?)
    }

    /// Every usage record, newest last.
    pub async fn usage(&self) -> Result<Vec<Value>> {
        let rows = self.cli_json(&["usage", "--format", "json"]).await?;
        Ok(serde_json::from_value(rows)?)
    }

    /// The usage records once they satisfy `condition`.
    ///
    /// # Errors
    /// They did not in time; shows the last ones.
    pub async fn usage_when(
        &self,
        condition: impl Fn(&[Value]) -> bool,
        timeout: Duration,
    ) -> Result<Vec<Value>> {
        let until = Instant::now() + timeout;
        loop {
            let rows = self.usage().await?;
            if condition(&rows) {
                return Ok(rows);
            }
            if Instant::now() >= until {
                let last: Vec<String> = rows.iter().rev().take(5).map(Value::to_string).collect();
                let (count, last) = (rows.len(), last.join("\n"));
                return Err(Failure::new(format!(
                    "not within {timeout:?}; {count} usage records, newest first:\n{last}"
                )));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Replaces the configuration file in one step, as an editor does.
    pub fn rewrite_config(&self, change: impl FnOnce(&str) -> String) -> Result<()> {
        let text = std::fs::read_to_string(self.folder().join(CONFIG))?;
        self.replace_file(CONFIG, &change(&text))
    }

    /// Replaces a file beside the configuration in one step, or makes it.
    pub fn replace_file(&self, name: &str, text: &str) -> Result<()> {
        let next = self.folder().join(format!(".{name}.next"));
        std::fs::write(&next, text)?;
        Ok(std::fs::rename(next, self.folder().join(name))?)
    }

    /// SIGKILL for Tollgate alone; its Envoy goes on.
    pub fn kill9(&mut self) {
        self.process.kill();
    }

    /// Starts Tollgate again on the same folder, after [`Tollgate::kill9`] or
    /// [`Tollgate::stop`].
    pub async fn start_again(&mut self) -> Result<()> {
        self.starts += 1;
        self.process = spawn(&self.program, self.folder(), &self.environment, self.starts)?;
        self.wait_until_ready().await
    }

    /// SIGTERM; `None` when it had to be killed in the end.
    pub fn stop(&mut self) -> Option<ExitStatus> {
        self.process.terminate(END_TIMEOUT)
    }

    /// Process id of Tollgate itself.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Process id of its Envoy, as the data folder tells it.
    pub fn envoy_pid(&self) -> Option<u32> {
        let run = std::fs::read(self.data().join("run.json")).ok()?;
        let run: Value = serde_json::from_slice(&run).ok()?;
        run["envoy_pid"].as_u64()?.try_into().ok()
    }

    /// SIGKILL for its Envoy; true if there was one.
    pub fn kill_envoy(&self) -> bool {
        let own = self.envoy_pid().filter(|pid| process::runs(*pid) && self.is_ours(*pid));
        own.inspect(|pid| process::signal(*pid, Signal::KILL)).is_some()
    }

    /// The last lines of every log.
    pub fn tails(&self) -> String {
        let logs = (1..=self.starts).flat_map(|start| {
            ["out", "err"].map(|kind| self.folder().join(format!("tollgate-{start}.{kind}")))
        });
        let envoy = self.data().join("envoy.log");
        logs.chain([envoy]).map(|log| process::tail(&log)).collect()
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        self.url = self.process.line_after("ready: ", READY_TIMEOUT).await?;
        Ok(())
    }

    /// A pid may have been given to another process since it was written down:
    /// ours names this test's folder in its command line or its environment.
    fn is_ours(&self, pid: u32) -> bool {
        let folder = self.folder().to_string_lossy();
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        process::command_line(pid).contains(&*folder)
            || String::from_utf8_lossy(&environment).contains(&*folder)
    }
}

impl Drop for Tollgate {
    fn drop(&mut self) {
        let clean = self.process.is_running() && self.stop().is_some();
        let orphan = self.kill_envoy();
        if clean && orphan {
            eprintln!("tollgate ended and left its Envoy running; it was killed");
        }
        // Never ready, or the test failed: what happened is in the folder.
        if std::thread::panicking() || self.url.is_empty() {
            eprintln!("{}", self.tails());
            if let Some(kept) = self.folder.take().map(TempDir::keep) {
                eprintln!("kept: {}", kept.display());
            }
        }
    }
}

fn spawn(
    program: &Path,
    folder: &Path,
    environment: &[(String, String)],
    start: u32,
) -> Result<Process> {
    let mut command = Command::new(program);
    command.arg("up").arg("-c").arg(folder.join(CONFIG));
    command.envs(environment.iter().cloned()).env("TOLLGATE_TEST_FOLDER", folder);
    if let Some(envoy) = binaries::envoy() {
        command.env("ENVOY", envoy);
    }
    Ok(Process::spawn(command, folder, &format!("tollgate-{start}"))?)
}
