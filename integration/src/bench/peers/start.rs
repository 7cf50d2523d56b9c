//! How each of the other gateways is started: one process on one port of the loopback, with
//! nothing on that costs a request anything.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use integration::{Failure, Process, RawClient, Result, free_address, wait_until};
use tempfile::TempDir;

use crate::request::{Ask, body, post};
use crate::sides::{CALLERS_MODEL, ENGINES_MODEL};

/// Loading LiteLLM takes most of it.
const PATIENCE: Duration = Duration::from_secs(120);
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// Its proxy does not start without a key of its own.
const LITELLM_KEY: &str = "sk-made-up-for-the-bench";

/// One of the other gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The router of the SGLang project (Rust).
    Sglang,
    /// LiteLLM's proxy (Python).
    Litellm,
    /// Portkey's gateway (Node).
    Portkey,
}

impl Kind {
    /// All of them, in the order of the table.
    pub const ALL: [Kind; 3] = [Kind::Sglang, Kind::Litellm, Kind::Portkey];

    /// What its row is called.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sglang => "sglang-router",
            Kind::Litellm => "LiteLLM",
            Kind::Portkey => "Portkey",
        }
    }

    /// The name by which the model is asked for.
    fn model(self) -> &'static str {
        match self {
            Kind::Litellm => CALLERS_MODEL,
            Kind::Sglang | Kind::Portkey => ENGINES_MODEL,
        }
    }

    /// Further lines of every request.
    fn lines(self, engine: SocketAddr) -> String {
        match self {
            Kind::Portkey => format!(
                "x-portkey-provider: openai\r\nx-portkey-custom-host: http://{engine}/v1\r\n"
            ),
            Kind::Sglang | Kind::Litellm => String::new(),
        }
    }

    fn command(self, tools: &Path, folder: &Path, at: SocketAddr, engine: SocketAddr) -> Command {
        let (port, url) = (at.port().to_string(), format!("http://{engine}"));
        let mut command = match self {
            Kind::Sglang => {
                let mut command = Command::new(tools.join("sglang/bin/sglang-router"));
                let metrics = free_address().port().to_string();
                command.args(["launch", "--host", "127.0.0.1", "--port", &port]);
                command.args(["--worker-urls", &url, "--policy", "round_robin"]);
                command.args(["--log-level", "warn", "--prometheus-port", &metrics]);
                command
            }
            Kind::Litellm => {
                let mut command = Command::new(tools.join("litellm/bin/litellm"));
                command.arg("--config").arg(folder.join("litellm.yaml"));
                command.args(["--host", "127.0.0.1", "--port", &port, "--num_workers", "1"]);
                command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("LITELLM_LOG", "ERROR");
                command
            }
            Kind::Portkey => {
                let server = "portkey/node_modules/@portkey-ai/gateway/build/start-server.js";
                let mut command = Command::new("node");
                command.arg(tools.join(server)).arg(format!("--port={port}")).arg("--headless");
                command
            }
        };
        command.env("HOME", folder);
        command
    }
}

/// A running one; it ends with the value.
pub struct Peer {
    kind: Kind,
    process: Process,
    address: SocketAddr,
    lines: String,
    _folder: TempDir,
}

impl Peer {
    /// Starts it out of the folder of the others, and returns when it answers.
    pub async fn start(kind: Kind, tools: &Path, engine: SocketAddr) -> Result<Peer> {
        let folder = TempDir::with_prefix("bench-peer-")?;
        std::fs::write(folder.path().join("litellm.yaml"), litellm_yaml(engine))?;
        let (address, tools) = (free_address(), tools.canonicalize()?);
        let command = kind.command(&tools, folder.path(), address, engine);
        let process = Process::spawn(command, folder.path(), "peer")?;
        let lines = kind.lines(engine);
        let mut peer = Peer { kind, process, address, lines, _folder: folder };
        let answers = async || !peer.process.is_running() || peer.answers().await;
        let in_time = wait_until(answers, PATIENCE).await;
        match in_time && peer.process.is_running() {
            true => Ok(peer),
            false => {
                let told = format!("{} does not answer\n{}", kind.name(), peer.process.tails());
                Err(Failure::new(told))
            }
        }
    }

    /// Whether a chat is answered with 200.
    async fn answers(&self) -> bool {
        let request = post(
            &body(Ask::Json, self.model(), "hello"),
            &self.lines,
            &format!("Bearer {}", self.key()),
        );
        let ask = async || -> std::io::Result<u16> {
            let mut client = RawClient::connect(&self.address.to_string()).await?;
            client.send(&request).await?;
            Ok(client.answer().await?.status)
        };
        ask().await.is_ok_and(|status| status == 200)
    }

    /// What its row is called.
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// The name by which the model is asked for.
    pub fn model(&self) -> &'static str {
        self.kind.model()
    }

    /// The key that its callers show.
    pub fn key(&self) -> &'static str {
        LITELLM_KEY
    }

    /// Further lines of every request.
    pub fn lines(&self) -> &str {
        &self.lines
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.process.terminate(END_TIMEOUT);
    }
}

fn litellm_yaml(engine: SocketAddr) -> String {
    format!(
        "model_list:\n  - model_name: {CALLERS_MODEL}\n    litellm_params: \
         {{ model: openai/{ENGINES_MODEL}, api_base: \"http://{engine}/v1\", api_key: none }}\n\
         general_settings: {{ master_key: {LITELLM_KEY} }}\nlitellm_settings: {{ telemetry: false }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_where_the_engine_is() {
        let (at, engine) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
        let folder = Path::new("folder");
        for kind in Kind::ALL {
            let command = kind.command(Path::new("tools"), folder, at, engine);
            let words: Vec<_> = command.get_args().map(|it| it.to_string_lossy()).collect();
            let told = format!("{words:?} {} {}", kind.lines(engine), litellm_yaml(engine));
            assert!(told.contains("127.0.0.1:2") && words.iter().any(|it| it.contains('1')));
            assert_eq!(kind.lines(engine).is_empty(), kind != Kind::Portkey);
        }
    }
}
