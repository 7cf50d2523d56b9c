//! An engine of a test: the simulator as a process.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::engine::{Counters, Delivered, Pose, Received};
use crate::process::Process;
use crate::{Failure, Result, binaries, client};

const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A running simulator; it ends with the value.
pub struct Engine {
    process: Process,
    logs: Option<TempDir>,
    url: String,
    start: EngineStart,
}

/// Options of an engine that is to start.
#[derive(Clone)]
pub struct EngineStart {
    arguments: Vec<String>,
    model: String,
    captures: PathBuf,
}

impl Engine {
    /// An engine with the model `tiny` that answers at once; see the options.
    pub fn start() -> EngineStart {
        let arguments = Vec::new();
        EngineStart { arguments, model: "tiny".into(), captures: binaries::captures() }
            .ttft(Duration::ZERO)
            .token_interval(Duration::ZERO)
    }

    /// `http://ADDRESS`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The model it serves.
    pub fn model(&self) -> &str {
        &self.start.model
    }

    /// What it counted.
    pub async fn counters(&self) -> Result<Counters> {
        let answer = client().get(format!("{}/sim/requests", self.url)).send().await?;
        Ok(answer.json().await?)
    }

    /// What it has delivered, request by request.
    pub async fn delivered(&self) -> Result<Vec<Delivered>> {
        delivered_by(&self.url).await
    }

    /// Chats that it was asked for.
    pub async fn chats(&self) -> Result<u64> {
        let counters = self.counters().await?;
        Ok(counters.by_path.get("/v1/chat/completions").copied().unwrap_or(0))
    }

    /// What arrived from the number on; the engine has to be told to
    /// [`EngineStart::record`].
    pub async fn received(&self, since: u64) -> Result<Vec<Received>> {
        let at = format!("{}/sim/received?since={since}", self.url);
        Ok(client().get(at).send().await?.json().await?)
    }

    /// What it is like from here on.
    pub async fn pose(&self, pose: &Pose) -> Result<()> {
        let answer = client().post(format!("{}/sim/pose", self.url)).json(pose).send().await?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(Failure::new(format!("no such pose: {}", answer.text().await?))),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        let address = self.url.trim_start_matches("http://").parse();
        address.expect("the simulator prints its address")
    }

    /// Fails every request that names no fault itself in this way from here on, as
    /// `x-sim-fault` says it; its health stays what it is.
    pub async fn fail(&self, fault: &str) -> Result<()> {
        self.pose(&Pose { fault: Some(fault.to_owned()), ..Pose::default() }).await
    }

    /// Does nothing odd any more.
    pub async fn recover(&self) -> Result<()> {
        self.pose(&Pose::default()).await
    }

    /// The requests of the API that arrived from the number on, without those that ask how
    /// it is; see [`Engine::received`].
    pub async fn asked(&self, since: u64) -> Result<Vec<Received>> {
        let mut received = self.received(since).await?;
        received.retain(|it| it.method != "GET");
        Ok(received)
    }

    /// Ends it with SIGKILL: its connections break, and nobody listens any more.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it anew on its address, after [`Engine::kill`]; it knows nothing of before.
    pub async fn start_again(&mut self) -> Result<()> {
        let start = self.start.clone().listen(self.address());
        *self = start.spawn().await?;
        Ok(())
    }
}

/// What the simulator at this URL has delivered.
pub async fn delivered_by(url: &str) -> Result<Vec<Delivered>> {
    Ok(client().get(format!("{url}/sim/delivered")).send().await?.json().await?)
}

impl EngineStart {
    /// Name of the one model. Default: `tiny`.
    pub fn model(mut self, name: &str) -> Self {
        self.model = name.to_owned();
        self
    }

    /// What stands before `/v1/…` at it. Default: nothing.
    pub fn base_path(self, path: &str) -> Self {
        self.option("--base-path", path)
    }

    /// Tokens of an answer. Default: 16.
    pub fn tokens(self, tokens: u64) -> Self {
        self.option("--tokens", &tokens.to_string())
    }

    /// Time to the first token. Default: none.
    pub fn ttft(self, time: Duration) -> Self {
        self.option("--ttft", &format!("{}us", time.as_micros()))
    }

    /// Time between tokens. Default: none.
    pub fn token_interval(self, time: Duration) -> Self {
        self.option("--token-interval", &format!("{}us", time.as_micros()))
    }

    /// Requests answered at once. Default: 256.
    pub fn batch(self, places: usize) -> Self {
        self.option("--batch", &places.to_string())
    }

    /// A fault for every request that names none itself.
    pub fn fault(self, fault: &str) -> Self {
        self.option("--fault", fault)
    }

    /// Listens there instead of on a free port: for an engine that comes back.
    pub fn listen(self, address: std::net::SocketAddr) -> Self {
        self.option("--listen", &address.to_string())
    }

    /// Usage in every event, asked or not.
    pub fn continuous_usage(mut self) -> Self {
        self.arguments.push("--continuous-usage".into());
        self
    }

    /// Keeps what arrives, for [`Engine::received`].
    pub fn record(mut self) -> Self {
        self.arguments.push("--record".into());
        self
    }

    /// Tokens in one event of a stream. Default: 1.
    pub fn tokens_per_event(self, tokens: u64) -> Self {
        self.option("--tokens-per-event", &tokens.to_string())
    }

    /// Keeps the account of what was delivered over a kill.
    pub fn account(self, file: &std::path::Path) -> Self {
        self.option("--account", &file.to_string_lossy())
    }

    /// What is odd about the usage that it tells. Default: `asked`.
    pub fn usage(self, kind: &str) -> Self {
        self.option("--usage", kind)
    }

    /// Folder of the captures. Default: `captures` of this crate.
    pub fn captures(mut self, folder: impl Into<PathBuf>) -> Self {
        self.captures = folder.into();
        self
    }

    /// Starts it, and returns when it listens.
    pub async fn spawn(self) -> Result<Engine> {
        let logs = TempDir::with_prefix("engine-")?;
        let start = self.clone();
        let mut command = Command::new(binaries::built("engine", "ENGINE_BIN")?);
        command.args(&self.arguments).args(["--model", &self.model]);
        command.arg("--captures").arg(&self.captures);
        let mut process = Process::spawn(command, logs.path(), "engine")?;
        let started = process.line_after("engine: ", START_TIMEOUT).await;
        let url = started.inspect_err(|_| process.kill())?;
        Ok(Engine { process, logs: Some(logs), url, start })
    }

    /// Of an option given twice the last one counts.
    fn option(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.process.kill();
        let empty = std::fs::metadata(&self.process.stderr).is_ok_and(|log| log.len() == 0);
        if std::thread::panicking() && !empty {
            eprintln!("{}", self.process.tails());
            let _ = self.logs.take().map(TempDir::keep);
        }
    }
}
