//! `tollgate serve`, and Envoys that are started beside it.

use crate::{BareEnvoy, Process, Result, TollgateStart, binaries, client, wait_until};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A generous bound for what happens in other processes.
pub const SOON: Duration = Duration::from_secs(20);
const END_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections over which all workers of all gateways on one address get a share.
const CONNECTIONS: usize = 32;

/// A running control plane; it ends with the value.
pub struct Serving {
    process: Option<Process>,
    folder: TempDir,
}

impl Serving {
    /// Writes the configuration into a folder of its own and starts.
    pub async fn start(gate: TollgateStart) -> Result<Serving> {
        let folder = TempDir::with_prefix("tollgate-")?;
        std::fs::write(folder.path().join("tollgate.yaml"), gate.config())?;
        let mut serving = Serving { process: None, folder };
        serving.start_again().await?;
        Ok(serving)
    }

    /// Starts on the same folder, after [`Serving::stop`].
    pub async fn start_again(&mut self) -> Result<()> {
        let mut process = Process::spawn(self.command(&["serve"])?, self.folder.path(), "serve")?;
        process.line_after("serving xds: ", SOON).await?;
        self.process = Some(process);
        Ok(())
    }

    /// SIGKILL; its Envoys go on.
    pub fn kill9(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// SIGTERM; its Envoys go on.
    ///
    /// # Panics
    /// It does not end in time.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            assert!(process.terminate(END_TIMEOUT).is_some(), "{}", process.tails());
        }
    }

    /// Runs the command line, and returns what it printed.
    ///
    /// # Panics
    /// It does not succeed.
    pub fn cli(&self, words: &[&str]) -> Result<Vec<u8>> {
        let output = self.command(words)?.output()?;
        assert!(output.status.success(), "{words:?}: {output:?}");
        Ok(output.stdout)
    }

    /// As [`Serving::cli`], for what prints JSON.
    pub fn cli_json(&self, words: &[&str]) -> Result<Value> {
        Ok(serde_json::from_slice(&self.cli(words)?)?)
    }

    /// An Envoy of this name, once it listens.
    ///
    /// # Panics
    /// It does not in time.
    pub async fn envoy(&self, node: &str) -> Result<BareEnvoy> {
        let envoy = BareEnvoy::start(self.cli_json(&["bootstrap", "--node", node])?).await?;
        assert!(wait_until(async || envoy.url().await.is_some(), SOON).await, "{}", envoy.tails());
        Ok(envoy)
    }

    /// Its data folder.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("tollgate-data")
    }

    /// The last lines of its log.
    pub fn tails(&self) -> String {
        self.process.as_ref().map(Process::tails).unwrap_or_default()
    }

    fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = Command::new(binaries::built("tollgate", "TOLLGATE_BIN")?);
        command.args(words).arg("-c").arg(self.file("tollgate.yaml"));
        Ok(command)
    }

    fn file(&self, name: &str) -> impl AsRef<Path> + AsRef<std::ffi::OsStr> + use<> {
        self.folder.path().join(name)
    }
}

/// The address of Envoys that share it, once every worker of each is ready.
///
/// # Panics
/// They are not in time.
pub async fn ready(envoys: &[BareEnvoy]) -> Result<String> {
    let url = envoys[0].url().await.unwrap_or_default();
    let all_are = async || {
        for _ in 0..CONNECTIONS {
            let health = client().get(format!("{url}/healthz")).send().await;
            if !health.is_ok_and(|answer| answer.status() == 200) {
                return false;
            }
        }
        true
    };
    let ready = wait_until(all_are, SOON).await;
    assert!(ready, "{}", envoys.iter().map(BareEnvoy::tails).collect::<String>());
    Ok(url)
}
