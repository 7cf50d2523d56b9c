//! The engine simulator: an inference server without a model, speaking as vLLM
//! does, deterministic to the token, and failing on demand.
//!
#![doc = include_str!("commands.md")]

mod account;
mod answer;
mod ask;
mod command;
mod dialect;
mod exchange;
mod generate;
mod messages;
mod meters;
mod pose;
mod received;
mod replay;
mod responses;
mod send;
mod transcribe;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

pub use account::{Attempt, Delivered, Sums};
pub use command::{Fault, UsageTold, Words, duration};
pub use meters::Counters;
pub use pose::Pose;
pub use received::Received;
pub use replay::{Capture, Cuts};

use account::Account;
use exchange::Ending;
use meters::Meters;
use received::Record;
use wire::Wire;

/// What the simulator is started with.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "engine", about = "An inference server without a model", version)]
#[command(args_override_self = true)]
#[command(after_long_help = include_str!("commands.md"))]
pub struct Options {
    /// Where to listen; port 0 takes a free one. The address is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// The one model that is served.
    #[arg(long, default_value = "tiny")]
    pub model: String,
    /// What stands before `/v1/…`; without it there is nothing at that path.
    #[arg(long, default_value = "")]
    pub base_path: String,
    /// Time to the first token.
    #[arg(long, default_value = "20ms", value_parser = duration)]
    pub ttft: Duration,
    /// Time between two tokens.
    #[arg(long, default_value = "5ms", value_parser = duration)]
    pub token_interval: Duration,
    /// Tokens of an answer whose request sets no lower limit.
    #[arg(long, default_value_t = 16)]
    pub tokens: u64,
    /// Requests that are answered at once; more wait.
    #[arg(long, default_value_t = 256)]
    pub batch: usize,
    /// Folder of the captures for `x-sim-replay`.
    #[arg(long)]
    pub captures: Option<PathBuf>,
    /// Usage in every event of every stream, asked or not.
    #[arg(long)]
    pub continuous_usage: bool,
    /// Fail every request in this way, unless its header says otherwise.
    #[arg(long, value_parser = |text: &str| text.parse::<Fault>())]
    pub fault: Option<Fault>,
    /// Keep every request that arrives, for `GET /sim/received`.
    #[arg(long)]
    pub record: bool,
    /// What is odd about the usage of answers: asked, none, final, unasked, zero, wrong-order.
    #[arg(long, default_value = "asked", value_parser = |text: &str| text.parse::<UsageTold>())]
    pub usage: UsageTold,
    /// Tokens in one event of a stream.
    #[arg(long, default_value_t = 1)]
    pub tokens_per_event: u64,
    /// What texts are made of: numbered, uneven.
    #[arg(long, default_value = "numbered", value_parser = |text: &str| text.parse::<Words>())]
    pub words: Words,
    /// Keep the account of what was delivered in this file too, and go on with what is in it.
    #[arg(long)]
    pub account: Option<PathBuf>,
    /// Run on one thread.
    #[arg(long)]
    pub single_thread: bool,
}

/// A bound simulator.
pub struct Simulator {
    listener: TcpListener,
    address: SocketAddr,
    engine: Arc<Engine>,
}

/// What the connections share.
struct Engine {
    options: Options,
    meters: Meters,
    pose: Mutex<Pose>,
    record: Option<Record>,
    account: Account,
    batch: Semaphore,
    answers: AtomicU64,
    /// Requests that a standing fault may have been for, since the last pose.
    turns: AtomicU64,
}

impl Simulator {
    /// Binds the listening socket; clients may connect from here on.
    pub async fn bind(options: Options) -> io::Result<Simulator> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let batch = Semaphore::new(options.batch.clamp(1, Semaphore::MAX_PERMITS));
        let (meters, pose) = (Meters::default(), Mutex::default());
        let (answers, turns) = (AtomicU64::new(0), AtomicU64::new(0));
        let record = options.record.then(Record::default);
        let account = options.account.as_deref().map(Account::in_file).transpose()?;
        let account = account.unwrap_or_default();
        let engine = Engine { options, meters, pose, record, account, batch, answers, turns };
        let engine = Arc::new(engine);
        Ok(Simulator { listener, address, engine })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    pub async fn run(self) -> io::Result<()> {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(Arc::clone(&self.engine).converse(stream));
                }
                // Out of descriptors, or a client that left at once: neither is
                // a reason to stop serving the others.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}

impl Engine {
    /// Answers the requests of one connection, one after the other.
    async fn converse(self: Arc<Self>, stream: TcpStream) {
        let Ok(mut wire) = Wire::new(stream) else { return };
        loop {
            let request = match wire.next_request().await {
                Ok(Some(request)) => request,
                Ok(None) => return,
                Err(_) => {
                    self.record.iter().for_each(Record::keep_malformed);
                    let _ = wire.send(exchange::BAD_REQUEST).await;
                    return;
                }
            };
            match self.exchange(&mut wire, &request).await {
                Ok(()) | Err(Ending::Answered) if request.head.keeps_alive() => {}
                Err(Ending::Reset) => return wire.reset(),
                _ => return,
            }
        }
    }

    /// What it was told last to be like.
    fn pose(&self) -> Pose {
        self.pose.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take_pose(&self, pose: Pose) {
        self.turns.store(0, Relaxed);
        *self.pose.lock().unwrap_or_else(PoisonError::into_inner) = pose;
    }

    /// The fault of a request that names none.
    fn standing_fault(&self, pose: &Pose) -> Option<Fault> {
        let turn = self.turns.fetch_add(1, Relaxed) + 1;
        let is_hit = turn.is_multiple_of(pose.every.unwrap_or(1).max(1));
        let posed = pose.standing_fault().ok().flatten().filter(|_| is_hit);
        posed.or(self.options.fault)
    }

    /// A number that no other answer of this engine has.
    fn next_answer(&self) -> u64 {
        self.answers.fetch_add(1, Relaxed)
    }
}

#[cfg(test)]
mod tests;
