//! The processes of a measurement: the engine behind all, and the sides that are
//! compared, each an Envoy on the same core.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use integration::{
    Failure, Process, RawAnswer, RawClient, Result, Tollgate, TollgateStart, binaries, wait_until,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::cores::{Cores, Usage};
use crate::load::Target;
use crate::peers::Peer;
use crate::plain::Plain;
use crate::request::{Ask, Chat, SMALL_BYTES};
use crate::requests::Requests;

/// What the engine calls its model.
pub const ENGINES_MODEL: &str = "sim/tiny";
/// What callers of the gateway call it.
pub const CALLERS_MODEL: &str = "chat";
/// Sent to plain Envoy, which does not look at it: of the length of a key.
const NO_KEY: &str = "tg_0000000000000000000000000000000000000000000000000";
/// The tenant of all callers.
pub const TENANT: &str = "acme";
/// Tokens of an answer in one piece.
const TOKENS: u64 = 16;
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the ledger may take for what it has not read yet.
const LEDGER_TIMEOUT: Duration = Duration::from_secs(60);
/// A control plane that uses less than [`QUIET_USE`] in this time has caught up.
const QUIET_LOOK: Duration = Duration::from_millis(200);
const QUIET_USE: Duration = Duration::from_millis(10);

/// The simulated engine, on one thread.
pub struct Stub {
    process: Process,
    address: SocketAddr,
    _logs: TempDir,
}

impl Stub {
    /// Starts it, and returns when it listens.
    pub async fn start() -> Result<Stub> {
        Stub::start_with(&[]).await
    }

    /// One that fails every request so, as `x-sim-fault` says it.
    pub async fn failing(fault: &str) -> Result<Stub> {
        Stub::start_with(&["--fault", fault]).await
    }

    async fn start_with(further: &[&str]) -> Result<Stub> {
        let logs = TempDir::with_prefix("bench-engine-")?;
        let mut command = Command::new(binaries::built("engine", "ENGINE_BIN")?);
        command.args(["--single-thread", "--ttft", "0", "--token-interval", "0"]);
        command.args(["--model", ENGINES_MODEL, "--tokens", &TOKENS.to_string()]).args(further);
        let mut process = Process::spawn(command, logs.path(), "engine")?;
        let url = process.line_after("engine: ", START_TIMEOUT).await;
        let address = url.map_err(Failure::from).and_then(|url| address_of(&url));
        let address = address.inspect_err(|_| process.kill())?;
        Ok(Stub { process, address, _logs: logs })
    }

    /// Events of an answer, as the engine itself sends it.
    pub async fn events_of(&self, ask: Ask) -> Result<u64> {
        let chat = Chat { ask, model: ENGINES_MODEL, bytes: SMALL_BYTES };
        let answer = ask_once(self.address, &chat.request("Bearer none")).await?;
        Ok(events_in(&answer))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.process.kill();
    }
}

/// One of the Envoys that are compared.
pub struct Side {
    /// What its row is called.
    pub name: String,
    address: SocketAddr,
    key: String,
    model: &'static str,
    envoy: u32,
    runs: Runs,
    /// Whole answers it has given so far.
    pub answers: u64,
}

enum Runs {
    Plain { _plain: Plain },
    Peer { _peer: Box<Peer> },
    Tollgate { gate: Box<Tollgate>, at_start: Usage },
}

impl Side {
    /// Envoy alone.
    pub async fn plain(program: &Path, engine: SocketAddr, cores: &Cores) -> Result<Side> {
        let plain = Plain::start(program, engine).await?;
        cores.give_envoys(plain.pid())?;
        Ok(Side {
            name: "plain Envoy".to_owned(),
            address: plain.address(),
            key: NO_KEY.to_owned(),
            model: ENGINES_MODEL,
            envoy: plain.pid(),
            runs: Runs::Plain { _plain: plain },
            answers: 0,
        })
    }

    /// Another gateway, on Envoy's core.
    pub fn peer(peer: Peer, cores: &Cores) -> Result<Side> {
        cores.give_envoys(peer.pid())?;
        Ok(Side {
            name: peer.name().to_owned(),
            address: peer.address(),
            key: peer.key().to_owned(),
            model: peer.model(),
            envoy: peer.pid(),
            runs: Runs::Peer { _peer: Box::new(peer) },
            answers: 0,
        })
    }

    /// The gateway, with everything on and this `usage_flush`.
    pub async fn tollgate(flush: &str, engine: SocketAddr, cores: &Cores) -> Result<Side> {
        Side::gate(&format!("Tollgate ({flush})"), with(flush, ""), engine, cores).await
    }

    /// A gateway before the engine, and the first key of its one tenant.
    pub async fn gate(
        name: &str,
        start: TollgateStart,
        engine: SocketAddr,
        cores: &Cores,
    ) -> Result<Side> {
        let engine = format!("http://{engine}");
        let gate = start.endpoint("engines", ENGINES_MODEL, &engine).start().await?;
        let key = gate.key(TENANT).await?.key;
        let (address, envoy) = whereabouts(&gate, cores)?;
        let at_start = Usage::of(gate.pid())?;
        Ok(Side {
            name: name.to_owned(),
            address,
            key,
            model: CALLERS_MODEL,
            envoy,
            runs: Runs::Tollgate { gate: Box::new(gate), at_start },
            answers: 0,
        })
    }

    /// Ends the gateway and starts it anew on what it has kept; how long it took until
    /// it would serve the first request.
    pub async fn restart(&mut self, cores: &Cores) -> Result<Duration> {
        let Runs::Tollgate { gate, at_start } = &mut self.runs else {
            return Err(Failure::new("only Tollgate has something to keep"));
        };
        gate.stop().ok_or_else(|| Failure::new("Tollgate did not end in time"))?;
        let begun = Instant::now();
        gate.start_again().await?;
        let took = begun.elapsed();
        *at_start = Usage::default();
        (self.address, self.envoy) = whereabouts(gate, cores)?;
        Ok(took)
    }

    /// What its callers call the model.
    pub fn model(&self) -> &'static str {
        self.model
    }

    /// What it is asked: a chat with a body of so many bytes.
    pub fn chat(&self, ask: Ask, bytes: usize) -> Chat<'static> {
        Chat { ask, model: self.model, bytes }
    }

    /// Its first key, as a header has it.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }

    /// Its first key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where callers connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Process id of its Envoy.
    pub fn envoy(&self) -> u32 {
        self.envoy
    }

    /// The gateway, where it is Tollgate.
    pub fn gateway(&self) -> Option<&Tollgate> {
        match &self.runs {
            Runs::Plain { .. } | Runs::Peer { .. } => None,
            Runs::Tollgate { gate, .. } => Some(gate),
        }
    }

    /// The program that its Envoy is.
    pub fn envoy_program(&self) -> Result<PathBuf> {
        Ok(std::fs::read_link(format!("/proc/{}/exe", self.envoy))?)
    }

    /// One request, and the whole answer to it.
    ///
    /// # Errors
    /// It has another status than 200.
    pub async fn ask(&mut self, request: &[u8]) -> Result<RawAnswer> {
        let answer = ask_once(self.address, request).await?;
        self.answers += 1;
        Ok(answer)
    }

    /// What the load sends here, once a single request has shown that the answer
    /// is the right one, under the name that the caller used.
    pub async fn target(&mut self, requests: Requests, events: u64) -> Result<Target> {
        self.target_of(requests, events, self.model).await
    }

    /// The same for requests of which the first one names this model.
    pub async fn target_of(
        &mut self,
        requests: Requests,
        events: u64,
        model: &str,
    ) -> Result<Target> {
        let mut request = requests.template();
        requests.renew(&mut request);
        let answer = self.ask(&request).await?;
        let body = String::from_utf8_lossy(&answer.body);
        let named = body.contains(&format!(r#""model":"{model}""#));
        if !named || events_in(&answer) != events {
            return Err(Failure::new(format!("{}: not the answer expected: {body}", self.name)));
        }
        Ok(Target { address: self.address, requests, events, envoy: self.envoy })
    }

    /// Waits until the control plane has done what the last load left to do, so
    /// that it takes nothing from the next one.
    pub async fn settle(&self) -> Result<()> {
        let Runs::Tollgate { gate, .. } = &self.runs else { return Ok(()) };
        let mut before = Usage::of(gate.pid())?;
        let quiet = async || {
            tokio::time::sleep(QUIET_LOOK).await;
            let now = Usage::of(gate.pid()).unwrap_or_default();
            let used = now.since(std::mem::replace(&mut before, now));
            used.on_core < QUIET_USE
        };
        match wait_until(quiet, LEDGER_TIMEOUT).await {
            true => Ok(()),
            false => Err(Failure::new(format!("{}: the control plane lags behind", self.name))),
        }
    }

    /// What the ledger has of the answers; `None` where there is none.
    pub async fn billed(&self) -> Result<Option<Billed>> {
        let Runs::Tollgate { gate, at_start } = &self.runs else { return Ok(None) };
        let mut records = 0;
        let all = async || {
            records = records_of(gate).await.unwrap_or_default();
            records >= self.answers
        };
        wait_until(all, LEDGER_TIMEOUT).await;
        let control_plane = Usage::of(gate.pid())?.since(*at_start).on_core;
        Ok(Some(Billed { records, control_plane }))
    }
}

/// What became of the answers of a gateway.
#[derive(Debug, Clone, Copy)]
pub struct Billed {
    /// Usage records.
    pub records: u64,
    /// What the control plane has used of its core, to write them and for the rest.
    pub control_plane: Duration,
}

/// Key, renamed model, price, usage, ledger: what every request of a real gateway has;
/// and further sections of the configuration.
pub fn with(flush: &str, sections: &str) -> TollgateStart {
    with_workers(1, flush, sections)
}

/// The same, with so many workers.
pub fn with_workers(workers: u32, flush: &str, sections: &str) -> TollgateStart {
    Tollgate::with(&format!(
        "gateway:\n  workers: {workers}\ncontrol:\n  usage_flush: {flush}\npools:\n  engines:\n    \
         price: {{ input: 0.60, cached_input: 0.15, output: 1.80 }}\n\
         models:\n  {CALLERS_MODEL}: engines\n{sections}"
    ))
}

/// Where callers connect, and the process id of Envoy, which now has its core.
fn whereabouts(gate: &Tollgate, cores: &Cores) -> Result<(SocketAddr, u32)> {
    let pid = gate.envoy_pid().ok_or_else(|| Failure::new("Tollgate tells no Envoy"))?;
    cores.give_envoys(pid)?;
    Ok((address_of(gate.url())?, pid))
}

async fn records_of(gate: &Tollgate) -> Result<u64> {
    let sums = gate.cli_json(&["usage", "--by", "model", "--format", "json"]).await?;
    let sums: Vec<Value> = serde_json::from_value(sums)?;
    Ok(sums.iter().filter_map(|sum| sum["requests"].as_u64()).sum())
}

async fn ask_once(address: SocketAddr, request: &[u8]) -> Result<RawAnswer> {
    let mut client = RawClient::connect(&address.to_string()).await?;
    client.send(request).await?;
    let answer = client.answer().await?;
    match answer.status == 200 && answer.complete {
        true => Ok(answer),
        false => Err(Failure::new(format!(
            "{address} answered {}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        ))),
    }
}

/// Events of an answer.
pub fn events_in(answer: &RawAnswer) -> u64 {
    String::from_utf8_lossy(&answer.body).matches("\n\n").count() as u64
}

fn address_of(url: &str) -> Result<SocketAddr> {
    let address = url.trim_start_matches("http://").trim_end_matches('/').parse();
    address.map_err(|error| Failure::new(format!("{url}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_takes_the_engine_in() {
        let start = with("100ms", "tenants:\n  acme: {}\n");
        let yaml = start.endpoint("engines", ENGINES_MODEL, "http://127.0.0.1:1").config();
        let flush = "control:\n  usage_flush: 100ms\n";
        assert!(yaml.contains(flush) && yaml.contains("  workers: 1\n"), "{yaml}");
        assert!(yaml.contains("    model: sim/tiny\n"), "{yaml}");
        assert!(yaml.contains("models:\n  chat: engines\n"), "{yaml}");
    }

    #[test]
    fn urls_are_addresses() {
        let address = address_of("http://127.0.0.1:80/").ok();
        assert_eq!(address, "127.0.0.1:80".parse().ok());
        assert!(address_of("http://engine:80").is_err());
    }
}
