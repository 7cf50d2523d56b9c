//! One connection on the port, and who is at its other end.

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use std::fmt;
use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a connection may be open before it has shown the token.
const STRANGER: Duration = Duration::from_secs(10);

/// Who is at the other end.
#[derive(Clone, Debug)]
pub struct Peer {
    /// `None`: a Unix socket.
    address: Option<SocketAddr>,
    admitted: Arc<AtomicBool>,
}

impl Peer {
    /// Somebody on a network.
    pub fn at(address: SocketAddr) -> Self {
        Peer { address: Some(address), ..Peer::unknown() }
    }

    /// Somebody on this machine.
    pub fn unknown() -> Self {
        Peer { address: None, admitted: Arc::default() }
    }

    /// It is no stranger any more.
    pub fn admit(&self) {
        self.admitted.store(true, Ordering::Relaxed);
    }

    fn is_stranger(&self) -> bool {
        !self.admitted.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.fmt(f),
            None => f.write_str("a program on this machine"),
        }
    }
}

/// What can be read and written.
pub trait Wire: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Wire for T {}

/// A connection. Where a token is asked for, one that does not show it in time
/// is closed: a stranger holds no place for ever.
pub struct Stream {
    wire: Pin<Box<dyn Wire>>,
    stranger: Option<(Peer, Pin<Box<Sleep>>)>,
}

impl Stream {
    /// A connection that may stay.
    pub fn open(wire: impl Wire + 'static) -> Self {
        Stream { wire: Box::pin(wire), stranger: None }
    }

    /// A connection that has to show the token.
    pub fn of_stranger(wire: impl Wire + 'static, peer: Peer) -> Self {
        let stranger = Some((peer, Box::pin(sleep(STRANGER))));
        Stream { wire: Box::pin(wire), stranger }
    }

    /// Whether it is a stranger's, and its time is up.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let Some((peer, end)) = &mut self.stranger else { return false };
        if !peer.is_stranger() {
            self.stranger = None;
            return false;
        }
        end.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.wire.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wire.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.as_mut().poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.wire.as_mut().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }
}

impl Connected<IncomingStream<'_, super::Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, super::Connections>) -> Self {
        stream.remote_addr().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn a_stranger_has_some_time() {
        let (mut far, near) = duplex(16);
        let mut stream = Stream::of_stranger(near, Peer::unknown());
        far.write_all(b"x").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
        assert_eq!(stream.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_was_admitted_may_stay() {
        let peer = Peer::unknown();
        let (mut far, near) = duplex(16);
        let mut stream = Stream::of_stranger(near, peer.clone());
        assert!(timeout(STRANGER / 2, stream.read_u8()).await.is_err());
        peer.admit();
        assert!(timeout(STRANGER * 10, stream.read_u8()).await.is_err(), "it waits");
        far.write_all(b"y").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'y');
    }
}
