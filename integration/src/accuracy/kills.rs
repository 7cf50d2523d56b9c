//! Processes killed with SIGKILL at random moments under load.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::books::Books;
use super::client::{Heard, Question};
use super::plain::Random;
use super::verdict::{Bar, Row};
use super::world::World;
use crate::{Engine, Failure, Result, Tollgate, free_address, wait_until};

/// Clients of each kind: of short answers, and of streams.
const CLIENTS: usize = 4;
/// Tokens of a stream, and the time between two.
const STREAM_TOKENS: u64 = 150;
const STREAM_PACE: Duration = Duration::from_millis(8);
/// Between two kills: all of a stream, some of it, or nearly none.
const PEACE_MS: std::ops::Range<usize> = 150..1_300;
/// How long something that was killed stays away.
const AWAY: Duration = Duration::from_millis(250);
/// Until it has to serve again.
const BACK: Duration = Duration::from_secs(30);
/// A client that got no answer waits so long, so as not to spin.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

/// Periodic lines often, so that what a kill takes is little.
const CONFIG: &str = "gateway:\n  workers: 2\ncontrol:\n  usage_interval: 100ms\n";

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Victim {
    /// The inference server.
    Engine,
    /// The proxy.
    Envoy,
    /// The control plane; its Envoy goes on.
    Control,
    /// Both of them.
    Both,
}

/// Kills in turn.
#[derive(Debug, Clone, Copy)]
pub struct Kills {
    /// As in the report.
    pub name: &'static str,
    /// Who, one after the other.
    pub victims: &'static [Victim],
    /// How often in all.
    pub rounds: usize,
    /// Of the moments.
    pub seed: u64,
}

/// The processes that are killed and come back.
struct Ground {
    gate: Tollgate,
    engine: Engine,
    address: SocketAddr,
    account: PathBuf,
    _folder: TempDir,
}

impl Kills {
    /// Starts a gateway of its own, kills, and holds the bill against the rest.
    ///
    /// # Errors
    /// Something does not come back.
    pub async fn run(&self) -> Result<Row> {
        let mut ground = Ground::start().await?;
        let world = ground.world().await?;
        let mark = world.mark().await?;
        let load = Load::start(&world);
        let mut random = Random(self.seed);
        for round in 0..self.rounds {
            let peace = PEACE_MS.start + random.below(PEACE_MS.len());
            tokio::time::sleep(Duration::from_millis(peace as u64)).await;
            let victim = self.victims[round % self.victims.len()];
            ground.kill(victim).await?;
            let serves = async || world.serves().await;
            if !wait_until(serves, BACK).await {
                let tails = ground.gate.tails();
                return Err(Failure::new(format!("no answer after killing {victim:?}\n{tails}")));
            }
        }
        let heard = load.stop().await?;
        let books = Books::of_data(&ground.gate.data())?;
        let killed = self.victims.iter().any(|it| matches!(it, Victim::Envoy | Victim::Both));
        let world = World { books, ..world };
        let mut row = world.row(self.name, Bar::Exact, &heard, &mark, killed).await?;
        let whole = heard.iter().filter(|it| it.whole).count();
        row.note = format!("{} kills, {whole} of {} answers whole", self.rounds, heard.len());
        if whole == 0 {
            row.missed.push("no answer was whole".to_owned());
        }
        Ok(row)
    }
}

impl World {
    /// Whether a request is answered.
    async fn serves(&self) -> bool {
        let asked = Question::chat(&self.model).tokens(1, Duration::ZERO);
        asked.ask(&self.url, &self.key).await.is_ok_and(|heard| heard.whole)
    }
}

impl Ground {
    async fn start() -> Result<Ground> {
        let folder = TempDir::with_prefix("accuracy-")?;
        let (address, account) = (free_address(), folder.path().join("account"));
        let engine = engine(address, &account).await?;
        let gate = Tollgate::with(CONFIG).fixed_ports().engine("tiny", &engine).start().await?;
        Ok(Ground { gate, engine, address, account, _folder: folder })
    }

    async fn world(&self) -> Result<World> {
        Ok(World {
            url: self.gate.url().to_owned(),
            key: self.gate.key("acme").await?.key,
            model: "tiny".to_owned(),
            estimated: "tiny".to_owned(),
            engines: vec![self.engine.url().to_owned()],
            books: Books::of_data(&self.gate.data())?,
        })
    }

    /// Kills, and brings back what nobody else does.
    async fn kill(&mut self, victim: Victim) -> Result<()> {
        match victim {
            Victim::Engine => {
                self.engine.kill();
                tokio::time::sleep(AWAY).await;
                self.engine = engine(self.address, &self.account).await?;
            }
            Victim::Envoy => self.kill_envoy()?,
            Victim::Control => {
                self.gate.kill9();
                tokio::time::sleep(AWAY).await;
                self.gate.start_again().await?;
            }
            Victim::Both => {
                self.gate.kill9();
                self.kill_envoy()?;
                tokio::time::sleep(AWAY).await;
                self.gate.start_again().await?;
            }
        }
        Ok(())
    }

    fn kill_envoy(&self) -> Result<()> {
        match self.gate.kill_envoy() {
            true => Ok(()),
            false => Err(Failure::new("there is no Envoy to kill")),
        }
    }
}

async fn engine(address: SocketAddr, account: &std::path::Path) -> Result<Engine> {
    Engine::start().tokens(3).listen(address).account(account).spawn().await
}

/// Clients that ask on and on.
struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Result<Vec<Heard>>>>,
}

impl Load {
    fn start(world: &World) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let short = Question::chat(&world.model);
        let long = Question::chat(&world.model).stream().tokens(STREAM_TOKENS, STREAM_PACE);
        let one = |question: Question| {
            let (world, stop) = (world.clone(), Arc::clone(&stop));
            tokio::spawn(async move { ask_on(&world, &question, &stop).await })
        };
        let kinds = [short, long].into_iter().flat_map(|it| vec![it; CLIENTS]);
        Load { clients: kinds.map(one).collect(), stop }
    }

    /// Lets the last answers come.
    async fn stop(self) -> Result<Vec<Heard>> {
        self.stop.store(true, Relaxed);
        let mut all = Vec::new();
        for client in self.clients {
            all.extend(client.await??);
        }
        Ok(all)
    }
}

async fn ask_on(world: &World, question: &Question, stop: &AtomicBool) -> Result<Vec<Heard>> {
    let mut all = Vec::new();
    while !stop.load(Relaxed) {
        let heard = question.ask(&world.url, &world.key).await?;
        let pause = if heard.whole { Duration::from_millis(2) } else { AFTER_FAILURE };
        all.push(heard);
        tokio::time::sleep(pause).await;
    }
    Ok(all)
}
