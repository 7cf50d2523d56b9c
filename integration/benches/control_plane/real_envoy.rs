//! The real Envoy under the measured control plane.

use integration::{Failure, Process, Result, binaries, free_address};
use resources::bootstrap::{self, Bootstrap, ControlPort};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const END_TIMEOUT: Duration = Duration::from_secs(5);

/// A running Envoy; it ends with the value.
pub struct RealEnvoy {
    process: Process,
    admin: SocketAddr,
    _folder: TempDir,
}

impl RealEnvoy {
    /// Starts it; what it has is for the control plane to say.
    pub fn start(xds_port: u16) -> Result<RealEnvoy> {
        let program = program()?;
        let folder = TempDir::with_prefix("bench-envoy-")?;
        let (file, admin) = (folder.path().join("bootstrap.json"), free_address());
        let text = bootstrap::render(&Bootstrap {
            node_id: "real".to_owned(),
            control: ControlPort::open(SocketAddr::from(([127, 0, 0, 1], xds_port))),
            envoy_admin: admin,
            wasm: binaries::wasm(),
        })?;
        std::fs::write(&file, text)?;
        let mut command = Command::new(program);
        command.arg("-c").arg(&file).args(["--concurrency", "1", "--disable-hot-restart"]);
        command.args(["--log-level", "error"]);
        let process = Process::spawn(command, folder.path(), "envoy")?;
        Ok(RealEnvoy { process, admin, _folder: folder })
    }

    /// Bytes that came from the control plane so far.
    pub async fn received(&self) -> Result<u64> {
        let url = format!(
            "http://{}/stats?filter=cluster.control.upstream_cx_rx_bytes_total",
            self.admin
        );
        let text = integration::client().get(url).send().await?.text().await?;
        let figure = text.rsplit_once(": ").and_then(|(_, figure)| figure.trim().parse().ok());
        figure.ok_or_else(|| Failure::new(format!("no such figure: {text}")))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

impl Drop for RealEnvoy {
    fn drop(&mut self) {
        self.process.terminate(END_TIMEOUT);
    }
}

fn program() -> Result<PathBuf> {
    binaries::envoy().ok_or_else(|| Failure::new("no Envoy: run make envoy, or set ENVOY"))
}
