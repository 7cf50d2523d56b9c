//! Where the inference servers are: sources of endpoints, each watched, and what
//! is believed of what they say.

mod consul;
mod kubernetes;
mod membership;
mod source;

pub use membership::{Member, Membership};

use model::Source;
use std::net::SocketAddr;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// One inference server that a source found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// The name that `address` was found under, in lower case: what `Host` and
    /// SNI say. `None`: the source gave an address.
    pub hostname: Option<String>,
    /// Whether it is spoken to over TLS.
    pub tls: bool,
}

/// What a source says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not answered yet.
    Waiting,
    /// Its last answer is `targets`.
    Fresh,
    /// It cannot be asked, or its answer cannot be used; `targets` are those of
    /// its last good answer.
    Failing {
        /// What is wrong, for the operator; holds no secret.
        error: String,
        /// Since when, in milliseconds since 1970.
        since_ms: u64,
    },
}

/// What is known from a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Sorted, each once; `None` until the first success.
    pub targets: Option<Vec<Target>>,
    /// How the source is doing.
    pub state: State,
    /// When `targets` were last confirmed, in milliseconds since 1970; 0 before
    /// the first success.
    pub at_ms: u64,
}

/// A source that is being watched, until this is dropped.
pub struct Watched {
    /// What the source found last.
    pub receiver: watch::Receiver<Found>,
    task: JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts to watch a source. `env` is asked before this returns. Must be called
/// within a tokio runtime.
pub fn watch(
    discovery: &model::Discovery,
    _env: impl Fn(&str) -> Option<String>,
) -> Watched {
    let first = Found { targets: None, state: State::Waiting, at_ms: 0 };
    let (_sender, receiver) = watch::channel(first);
    let tls = discovery.tls;
    let (sink, _listed) = source::Sink::new();
    let source = discovery.source.clone();
    let task = tokio::spawn(async move {
        match source {
            Source::Kubernetes(kubernetes) => kubernetes::run(kubernetes, tls, sink).await,
            Source::Consul(consul) => consul::run(consul, tls, sink).await,
            _ => {}
        }
    });
    Watched { receiver, task }
}
