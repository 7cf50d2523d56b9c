//! vLLM on the CPU: an API server, and processes that it starts and that outlive it when it
//! is killed.

use crate::INSTALLED;
use integration::{Failure, Process, Result, client, free_address, runs, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The engine's own name of its model.
pub const MODEL: &str = "inside/first-choice";

/// It takes 50 s on an idle machine, most of it imports; two may start beside other tests.
const START_TIMEOUT: Duration = Duration::from_secs(400);
/// As in `engines/vllm/model.py`.
const CONTEXT: &str = "8192";
const ARGUMENTS: [&str; 15] = [
    "-m",
    "vllm.entrypoints.openai.api_server",
    "--served-model-name",
    MODEL,
    "--load-format",
    "dummy",
    "--host",
    "127.0.0.1",
    "--dtype",
    "float32",
    "--max-model-len",
    CONTEXT,
    "--max-num-seqs",
    "4",
    "--enforce-eager",
];
const ENVIRONMENT: [(&str, &str); 7] = [
    // GiB.
    ("VLLM_CPU_KVCACHE_SPACE", "1"),
    ("VLLM_CPU_OMP_THREADS_BIND", "nobind"),
    ("OMP_NUM_THREADS", "1"),
    ("VLLM_HOST_IP", "127.0.0.1"),
    ("VLLM_NO_USAGE_STATS", "1"),
    ("DO_NOT_TRACK", "1"),
    ("HF_HUB_OFFLINE", "1"),
];

/// It runs, and ends with the value, its processes too.
pub struct Vllm {
    process: Process,
    /// `http://ADDRESS`
    pub url: String,
}

impl Vllm {
    /// Returns when it has answered once, as its first answer takes longer than others;
    /// its log goes into `logs`.
    pub async fn start(logs: &Path) -> Result<Vllm> {
        let address = free_address();
        let mut command = Command::new(format!("{INSTALLED}/vllm/bin/python"));
        command.args(ARGUMENTS).args(["--port", &address.port().to_string()]);
        command.args(["--model", &format!("{INSTALLED}/vllm/tiny")]);
        command.envs(ENVIRONMENT);
        for folder in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME"] {
            command.env(folder, format!("{INSTALLED}/vllm/kept"));
        }
        let process = Process::spawn(command, logs, "vllm")?;
        let mut vllm = Vllm { process, url: format!("http://{address}") };
        vllm.wait_until_well().await?;
        let messages = json!([{"role": "user", "content": "hello"}]);
        let first = json!({"model": MODEL, "messages": messages, "max_tokens": 8});
        let chat = format!("{}/v1/chat/completions", vllm.url);
        client().post(chat).json(&first).send().await?.error_for_status()?;
        Ok(vllm)
    }

    async fn wait_until_well(&mut self) -> Result<()> {
        let (client, health) = (client(), format!("{}/health", self.url));
        let is_well =
            async || client.get(&health).send().await.is_ok_and(|answer| answer.status() == 200);
        wait_until(async || is_well().await || self.has_ended(), START_TIMEOUT).await;
        match is_well().await {
            true => Ok(()),
            false => Err(Failure::new(format!("vLLM does not start\n{}", self.tails()))),
        }
    }

    /// How many requests it is working on.
    pub async fn under_way(&self) -> Result<f64> {
        let metrics = client().get(format!("{}/metrics", self.url)).send().await?.text().await?;
        let row = metrics.lines().find(|line| line.starts_with("vllm:num_requests_running{"));
        let number = row.and_then(|row| row.rsplit(' ').next()?.parse().ok());
        number.ok_or_else(|| Failure::new("vLLM's metrics say nothing of what runs"))
    }

    /// SIGTERM for the API server alone, as a supervisor does.
    pub fn terminate(&self) {
        signal(self.process.pid(), Signal::TERM);
    }

    /// Its API server stands still, with all that it holds open.
    pub fn freeze(&self) {
        signal(self.process.pid(), Signal::STOP);
    }

    /// It goes on.
    pub fn thaw(&self) {
        signal(self.process.pid(), Signal::CONT);
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !self.process.is_running()
    }

    /// SIGKILL for all of it, the API server first.
    pub fn kill(&mut self) {
        if self.has_ended() {
            return;
        }
        let below = descendants(self.process.pid());
        self.process.kill();
        for pid in below.into_iter().filter(|pid| runs(*pid)) {
            signal(pid, Signal::KILL);
        }
    }

    /// The last lines of its log.
    pub fn tails(&self) -> String {
        self.process.tails()
    }
}

impl Drop for Vllm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.tails());
        }
        self.kill();
    }
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// The processes that this one has started, and those that they have.
fn descendants(pid: u32) -> Vec<u32> {
    let mut children = BTreeMap::<u32, Vec<u32>>::new();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        children.entry(parent(pid).unwrap_or_default()).or_default().push(pid);
    }
    let mut found = vec![pid];
    let mut at = 0;
    while let Some(pid) = found.get(at) {
        found.extend(children.remove(pid).unwrap_or_default());
        at += 1;
    }
    found.split_off(1)
}

/// The fourth field of `/proc/PID/stat`: the second, a name in brackets, may have spaces.
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

#[test]
fn processes_below_processes_are_found() {
    let logs = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "sh -c 'sleep 30 & echo up: $!; wait' & wait"]);
    let mut outer = Process::spawn(command, logs.path(), "outer").unwrap();
    let line = || std::fs::read_to_string(&outer.stdout).unwrap();
    while line().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let innermost: u32 = line().trim_start_matches("up: ").trim().parse().unwrap();
    let below = descendants(outer.pid());
    assert!(below.len() == 2 && below.contains(&innermost), "{below:?}");
    outer.kill();
    below.iter().for_each(|pid| signal(*pid, Signal::KILL));
}
