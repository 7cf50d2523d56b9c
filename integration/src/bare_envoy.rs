//! An Envoy without Tollgate, started from a bootstrap that the test writes.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Process;
use crate::{Failure, Result, binaries, client, wait_until};

const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A running Envoy; it ends with the value.
pub struct BareEnvoy {
    process: Process,
    folder: Option<TempDir>,
    admin: String,
}

impl BareEnvoy {
    /// Starts Envoy with this bootstrap, whose `admin` is set here, and returns
    /// when its admin interface answers: it may be waiting for its configuration.
    pub async fn start(mut bootstrap: Value) -> Result<BareEnvoy> {
        let folder = TempDir::with_prefix("envoy-")?;
        let (file, address) = (folder.path().join("bootstrap.json"), folder.path().join("admin"));
        let anywhere = json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}});
        bootstrap["admin"] = json!({ "address": anywhere });
        std::fs::write(&file, bootstrap.to_string())?;
        let mut command = Command::new(binaries::envoy().unwrap_or_else(|| PathBuf::from("envoy")));
        command.arg("-c").arg(&file).arg("--admin-address-path").arg(&address);
        command.args(["--disable-hot-restart", "--concurrency", "2", "--log-level", "warning"]);
        let process = Process::spawn(command, folder.path(), "envoy")?;
        let mut envoy = BareEnvoy { process, folder: Some(folder), admin: String::new() };
        let answers = async || {
            envoy.admin = std::fs::read_to_string(&address).unwrap_or_default();
            !envoy.admin.is_empty() && envoy.admin("/server_info").await.is_ok()
        };
        match wait_until(answers, START_TIMEOUT).await {
            true => Ok(envoy),
            false => Err(Failure::new(format!("no admin interface\n{}", envoy.process.tails()))),
        }
    }

    /// What the admin interface answers to a GET of `path`.
    pub async fn admin(&self, path: &str) -> Result<String> {
        let answer = client().get(format!("http://{}{path}", self.admin)).send().await?;
        Ok(answer.text().await?)
    }

    /// As [`BareEnvoy::admin`], for paths that answer in JSON.
    pub async fn admin_json(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.admin(path).await?)?)
    }

    /// A counter or a gauge; 0 for one that does not exist yet.
    pub async fn stat(&self, name: &str) -> Result<u64> {
        let stats = self.admin_json(&format!("/stats?format=json&filter=^{name}$")).await?;
        let found =
            stats["stats"].as_array().and_then(|all| all.iter().find(|it| it["name"] == name));
        Ok(found.and_then(|it| it["value"].as_u64()).unwrap_or(0))
    }

    /// Whether it has all that it waited for at its start.
    pub async fn is_live(&self) -> bool {
        self.admin("/ready").await.is_ok_and(|word| word.trim() == "LIVE")
    }

    /// `http://ADDRESS` of its one listener; `None` while there is none.
    pub async fn url(&self) -> Option<String> {
        let listeners = self.admin_json("/listeners?format=json").await.ok()?;
        let address = &listeners["listener_statuses"][0]["local_address"]["socket_address"];
        let (ip, port) = (address["address"].as_str()?, address["port_value"].as_u64()?);
        Some(format!("http://{ip}:{port}"))
    }

    /// The last lines of its log.
    pub fn tails(&self) -> String {
        self.process.tails()
    }
}

impl Drop for BareEnvoy {
    fn drop(&mut self) {
        self.process.kill();
        if std::thread::panicking() {
            eprintln!("{}", self.process.tails());
            let _ = self.folder.take().map(TempDir::keep);
        }
    }
}
