//! The same change through sovereign, an Envoy control plane that is polled over
//! REST. It has neither gRPC nor pushes, so what can be compared is one changed
//! endpoint among ten thousand, and what a poll costs that finds nothing new.

use integration::{Failure, Process, Result, client, free_address};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

use crate::figures::Used;
use crate::world;

/// How long it may take to start, and a change to be seen.
const PATIENCE: Duration = Duration::from_secs(60);
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// A running sovereign with one worker; it ends with the value.
pub struct Sovereign {
    process: Process,
    address: SocketAddr,
    folder: TempDir,
    version: String,
}

/// What one change cost.
pub struct Change {
    /// From the change to the poll that had it.
    pub seen_ms: f64,
    /// CPU of the control plane in that time, polls every 50 ms among it.
    pub cpu_s: f64,
    /// Bytes of the answer.
    pub bytes: usize,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Sovereign {
    /// Starts it with the pools; `None` where it is not installed.
    pub async fn start(pools: usize, endpoints: usize) -> Result<Option<Sovereign>> {
        let program = root().join(".tools/sovereign/bin/sovereign");
        if !program.exists() {
            return Ok(None);
        }
        let folder = TempDir::with_prefix("bench-sovereign-")?;
        let address = free_address();
        let process = spawn(&program, folder.path(), address, pools, endpoints)?;
        let mut sovereign = Sovereign { process, address, folder, version: "0".to_owned() };
        let start = Instant::now();
        while sovereign.poll().await.is_err() {
            if start.elapsed() > PATIENCE || !sovereign.process.is_running() {
                return Err(Failure::new(sovereign.process.tails()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(Some(sovereign))
    }

    /// Moves an endpoint and polls, as an Envoy with 50 ms of patience would, until
    /// it shows.
    pub async fn change(&mut self, pools: usize, endpoints: usize, turn: usize) -> Result<Change> {
        let before = Used::group(self.process.pid());
        let start = Instant::now();
        write_pools(self.folder.path(), pools, endpoints, turn)?;
        let mut bytes = 0;
        while bytes == 0 && start.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(50)).await;
            bytes = self.poll().await?;
        }
        Ok(Change {
            seen_ms: start.elapsed().as_secs_f64() * 1_000.0,
            cpu_s: Used::group(self.process.pid()).cpu_s - before.cpu_s,
            bytes,
        })
    }

    /// CPU seconds of a poll that finds nothing new.
    pub async fn idle_poll(&mut self, count: u32) -> Result<f64> {
        let before = Used::group(self.process.pid());
        for _ in 0..count {
            self.poll().await?;
        }
        Ok((Used::group(self.process.pid()).cpu_s - before.cpu_s) / f64::from(count))
    }

    /// Memory of all its processes, in MiB.
    pub fn rss_mib(&self) -> f64 {
        Used::group(self.process.pid()).rss_mib
    }

    /// Asks for the clusters; bytes of the answer, 0 when nothing changed.
    async fn poll(&mut self) -> Result<usize> {
        let node = json!({ "id": "envoy", "cluster": "bench" });
        let ask = json!({ "version_info": self.version, "node": node, "resource_names": [] });
        let url = format!("http://{}/v3/discovery:clusters", self.address);
        let answer = client().post(url).json(&ask).send().await?;
        match answer.status().as_u16() {
            304 => Ok(0),
            200 => {
                let text = answer.bytes().await?;
                let read: Value = serde_json::from_slice(&text)?;
                self.version = read["version_info"].as_str().unwrap_or_default().to_owned();
                Ok(text.len())
            }
            status => Err(Failure::new(format!("sovereign answers {status}"))),
        }
    }
}

impl Drop for Sovereign {
    fn drop(&mut self) {
        self.process.terminate(END_TIMEOUT);
    }
}

fn spawn(
    program: &Path,
    folder: &Path,
    address: SocketAddr,
    pools: usize,
    endpoints: usize,
) -> Result<Process> {
    let ours = root().join("integration/benches/control_plane/sovereign");
    let config = std::fs::read_to_string(ours.join("config.yaml"))?
        .replace("TEMPLATE", &ours.join("clusters.py").to_string_lossy())
        .replace("POOLS", &folder.join("pools.json").to_string_lossy());
    std::fs::write(folder.join("config.yaml"), config)?;
    write_pools(folder, pools, endpoints, 0)?;
    let mut command = Command::new(program);
    command
        .env("SOVEREIGN_CONFIG", format!("file://{}", folder.join("config.yaml").display()))
        .env("SOVEREIGN_HOST", address.ip().to_string())
        .env("SOVEREIGN_PORT", address.port().to_string())
        .env("SOVEREIGN_WORKERS", "1");
    Ok(Process::spawn(command, folder, "sovereign")?)
}

/// Writes the pools in one step; in the first one, endpoint 0 is at `turn`.
fn write_pools(folder: &Path, pools: usize, endpoints: usize, turn: usize) -> Result<()> {
    let all: BTreeMap<String, Vec<String>> = (0..pools)
        .map(|pool| {
            let moved = |endpoint| if pool == 0 && endpoint == 0 { turn } else { 0 };
            let address = |one| world::address(pool, one, moved(one)).to_string();
            (format!("pool/pool-{pool}"), (0..endpoints).map(address).collect())
        })
        .collect();
    let next = folder.join("pools.next");
    std::fs::write(&next, serde_json::to_vec(&all)?)?;
    Ok(std::fs::rename(next, folder.join("pools.json"))?)
}
