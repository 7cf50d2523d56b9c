//! Where the inference servers are: sources of endpoints, each watched, and what
//! is believed of what they say.
//!
//! A source ([`model::Source`]) says which endpoints there are, as addresses or
//! names; names are resolved; what comes out is a [`Found`]. One that fails keeps
//! its last targets and says so. [`Membership`] turns found targets into those a
//! pool has, with doubts and drains, and reads no clock.

mod backoff;
mod consul;
mod dns;
mod env;
mod error;
mod file;
pub mod file_events;
mod kubernetes;
mod membership;
mod names;
mod pace;
mod reason;
mod resolve;
mod source;
mod written;

#[cfg(test)]
mod test_http_server;
#[cfg(test)]
mod test_name_server;
#[cfg(test)]
mod test_running;

pub use membership::{Member, Membership};

use dns::NameServer;
use model::{Discovery, Dns, Endpoint, Host, Source};
use source::Sink;
use std::net::SocketAddr;
use std::pin::Pin;
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
    /// Where it stands, as the source calls it; `None`: the source does not say.
    pub zone: Option<String>,
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
pub fn watch(discovery: &Discovery, env: impl Fn(&str) -> Option<String>) -> Watched {
    let first = Found { targets: None, state: State::Waiting, at_ms: 0 };
    let (found, receiver) = watch::channel(first);
    let (sink, listed) = Sink::new();
    let server = NameServer::new(match &discovery.source {
        Source::Dns(dns) => dns.server,
        _ => None,
    });
    let source = start(discovery, env, server.clone(), sink);
    let task = tokio::spawn(async move {
        tokio::join!(source, resolve::run(listed, server, found));
    });
    Watched { receiver, task }
}

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

fn start(
    discovery: &Discovery,
    env: impl Fn(&str) -> Option<String>,
    server: NameServer,
    sink: Sink,
) -> Running {
    let tls = discovery.tls;
    match discovery.source.clone() {
        Source::Env(variable) => {
            sink.read(env::read(&variable, env(&variable).as_deref(), tls));
            Box::pin(std::future::ready(()))
        }
        Source::File(path) => Box::pin(file::run(path, tls, sink)),
        Source::Dns(Dns { name, port: Some(port), .. }) => {
            sink.found(vec![Endpoint { tls, host: Host::Name(name), port }]);
            Box::pin(std::future::ready(()))
        }
        Source::Dns(Dns { name, port: None, .. }) => {
            Box::pin(dns::run_srv(name, server, tls, sink))
        }
        Source::Kubernetes(kubernetes) => Box::pin(kubernetes::run(kubernetes, tls, sink)),
        Source::Consul(consul) => Box::pin(consul::run(consul, tls, sink)),
    }
}

/// The targets of endpoints that are written down, sorted, for [`Membership`];
/// `None` if one of them is a name, which Envoy resolves.
#[must_use]
pub fn written_down(endpoints: &[Endpoint]) -> Option<Vec<Target>> {
    let target = |endpoint: &Endpoint| match endpoint.host {
        Host::Ip(ip) => Some(Target {
            address: SocketAddr::new(ip, endpoint.port),
            hostname: None,
            tls: endpoint.tls,
            zone: None,
        }),
        Host::Name(_) => None,
    };
    let mut targets: Vec<Target> = endpoints.iter().map(target).collect::<Option<_>>()?;
    targets.sort();
    targets.dedup_by_key(|target| target.address);
    Some(targets)
}

#[cfg(test)]
mod tests;
