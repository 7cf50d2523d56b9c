//! Connections as they come in. A handshake is made in a task of its own, so
//! that one that does not go on keeps nobody waiting.

use super::identity::Identity;
use super::refusals::Refusals;
use super::stream::{Peer, Stream, Wire};
use axum::serve::Listener;
use rustix::net::sockopt;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Handshakes at once. Beyond, the oldest is given up: an honest one takes some
/// milliseconds, and so it is not the honest ones that pay.
const HANDSHAKES_MAX: usize = 256;
/// Connections that were made and not taken yet.
const READY_MAX: usize = 64;
/// After how long a silent connection is asked whether the other side is there,
/// and how often again.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// A pause after an error of the system, such as too many open files.
const AFTER_ERROR: Duration = Duration::from_millis(200);

/// Where connections come from.
pub enum Connections {
    /// A port, in clear.
    Tcp(TcpListener),
    /// A Unix socket, in clear.
    Unix(UnixListener),
    /// Either, over TLS: what comes out of the handshakes.
    Tls(mpsc::Receiver<(Stream, Peer)>),
}

impl Connections {
    /// The same over TLS, as `identity`. Whoever comes is a stranger until it has
    /// shown the token, where one is asked for.
    pub fn over_tls(self, identity: Identity, asks_for_token: bool, refusals: Refusals) -> Self {
        let (ready, connections) = mpsc::channel(READY_MAX);
        tokio::spawn(identity.clone().watch());
        let handshakes = Handshakes { identity, asks_for_token, refusals, ready };
        tokio::spawn(handshakes.run(self));
        Connections::Tls(connections)
    }
}

impl Listener for Connections {
    type Io = Stream;
    type Addr = Peer;

    async fn accept(&mut self) -> (Stream, Peer) {
        loop {
            let accepted = match self {
                Connections::Tcp(listener) => tcp(TcpListener::accept(listener).await),
                Connections::Unix(listener) => {
                    let accepted = UnixListener::accept(listener).await;
                    accepted.map(|(wire, _)| (Stream::open(wire), Peer::unknown()))
                }
                Connections::Tls(ready) => match ready.recv().await {
                    Some(connection) => Ok(connection),
                    // Only at the end of the process.
                    None => std::future::pending().await,
                },
            };
            match accepted {
                Ok(connection) => return connection,
                Err(error) => after(&error).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer::unknown())
    }
}

fn tcp(accepted: io::Result<(TcpStream, std::net::SocketAddr)>) -> io::Result<(Stream, Peer)> {
    let (wire, address) = accepted?;
    // A response is small and must not wait for the acknowledgement of the last.
    wire.set_nodelay(true)?;
    // An Envoy whose machine is gone says nothing; without this it would be
    // shown as connected for as long as nothing is sent to it.
    sockopt::set_socket_keepalive(&wire, true)?;
    sockopt::set_tcp_keepidle(&wire, KEEPALIVE)?;
    sockopt::set_tcp_keepintvl(&wire, KEEPALIVE)?;
    Ok((Stream::open(wire), Peer::at(address)))
}

/// A peer that went away at once is no reason to wait.
async fn after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput, NotConnected};
    if matches!(error.kind(), ConnectionAborted | ConnectionReset | InvalidInput | NotConnected) {
        return;
    }
    tracing::error!(%error, "control.xds cannot accept a connection");
    sleep(AFTER_ERROR).await;
}

/// Makes TLS out of what comes in.
struct Handshakes {
    identity: Identity,
    asks_for_token: bool,
    refusals: Refusals,
    ready: mpsc::Sender<(Stream, Peer)>,
}

impl Handshakes {
    async fn run(self, mut plain: Connections) {
        let mut running: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            let (wire, peer) = plain.accept().await;
            running.retain(|one| !one.is_finished());
            if running.len() >= HANDSHAKES_MAX
                && let Some(oldest) = running.pop_front()
            {
                oldest.abort();
            }
            running.push_back(tokio::spawn(self.one(wire, peer)).abort_handle());
        }
    }

    /// One handshake, to its good or bad end.
    fn one(&self, wire: Stream, peer: Peer) -> impl Future<Output = ()> + Send + use<> {
        let acceptor = TlsAcceptor::from(self.identity.current());
        let (ready, refusals) = (self.ready.clone(), self.refusals.clone());
        let asks_for_token = self.asks_for_token;
        async move {
            match timeout(HANDSHAKE, acceptor.accept(wire)).await {
                Ok(Ok(wire)) => {
                    // Nobody takes it only at the end of the process.
                    let _ = ready.send((stream(wire, &peer, asks_for_token), peer)).await;
                }
                Ok(Err(error)) => refusals.note(&peer, &format_args!("TLS: {error}")),
                Err(_) => refusals.note(&peer, &"TLS: the handshake takes too long"),
            }
        }
    }
}

fn stream(wire: impl Wire + 'static, peer: &Peer, asks_for_token: bool) -> Stream {
    if asks_for_token { Stream::of_stranger(wire, peer.clone()) } else { Stream::open(wire) }
}
