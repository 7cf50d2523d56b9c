//! One connection of a client, at the level of bytes.

use std::future::pending;
use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::exchange::Ending;
use super::replay::{Cuts, Xorshift};
use crate::http1::{Head, Malformed};

/// Bytes that are read ahead of an unfinished answer; a client that pipelines
/// more waits.
const READ_AHEAD_BYTES_MAX: usize = 1 << 20;
/// Between two pieces of a write, for the peer to read the first one alone.
const BETWEEN_PIECES: Duration = Duration::from_micros(200);
/// Shortest pause that the timer is used for.
const TIMER_MIN: Duration = Duration::from_millis(1);
/// What was written before a reset gets this long to be read by the peer.
const BEFORE_RESET: Duration = Duration::from_millis(20);

/// A request with its body.
pub struct Request {
    /// Request line and headers.
    pub head: Head,
    /// The body, without its framing.
    pub body: Vec<u8>,
}

/// A connection and what was read of it but not yet used.
pub struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
    cuts: Option<Xorshift>,
}

impl Wire {
    /// Takes an accepted connection.
    pub fn new(stream: TcpStream) -> io::Result<Wire> {
        stream.set_nodelay(true)?;
        Ok(Wire { stream, unread: Vec::with_capacity(4096), cuts: None })
    }

    /// The next request; `None` where the connection ended between two.
    pub async fn next_request(&mut self) -> io::Result<Option<Request>> {
        let head = loop {
            if let Some(head) = Head::of_request(&self.unread).map_err(invalid)? {
                break head;
            }
            if !self.read_more().await? {
                return Ok(None);
            }
        };
        if head.header("expect").is_some() {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let mut framing = head.framing();
        loop {
            if let Some((body, used)) = framing.body(&self.unread[head.bytes..]).map_err(invalid)? {
                self.unread.drain(..head.bytes + used);
                return Ok(Some(Request { head, body }));
            }
            if !self.read_more().await? {
                return Ok(None);
            }
        }
    }

    async fn read_more(&mut self) -> io::Result<bool> {
        Ok(self.stream.read_buf(&mut self.unread).await? > 0)
    }

    /// From here on writes come in random pieces by this seed, or whole again.
    pub fn split(&mut self, seed: Option<u64>) {
        self.cuts = seed.map(|seed| Xorshift::new(Cuts::Random(seed)));
    }

    /// Writes all of it.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Ending> {
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let size = self.cuts.as_mut().map_or(rest.len(), Xorshift::small_size);
            let (piece, after) = rest.split_at(size.min(rest.len()));
            self.stream.write_all(piece).await.map_err(|_| Ending::ClientLeft)?;
            rest = after;
            if !rest.is_empty() {
                spin(BETWEEN_PIECES).await;
            }
        }
        Ok(())
    }

    /// Lets time pass, unless the client leaves in it.
    pub async fn pause(&mut self, time: Duration) -> Result<(), Ending> {
        if time.is_zero() {
            return Ok(());
        }
        if time < TIMER_MIN {
            spin(time).await;
            return Ok(());
        }
        tokio::select! {
            biased;
            () = tokio::time::sleep(time) => Ok(()),
            () = self.left() => Err(Ending::ClientLeft),
        }
    }

    /// Returns when the client has closed its side; what it sends until then is kept.
    pub async fn left(&mut self) {
        while self.unread.len() < READ_AHEAD_BYTES_MAX {
            if !matches!(self.read_more().await, Ok(true)) {
                return;
            }
        }
        pending().await
    }

    /// Lets what was written arrive, before a [`Wire::reset`].
    pub async fn settle(&mut self) {
        tokio::time::sleep(BEFORE_RESET).await;
    }

    /// Ends the connection with RST instead of FIN.
    pub fn reset(self) {
        let _ = self.stream.set_zero_linger();
    }
}

/// Waits less than the timer can, for a replay in thousands of pieces.
async fn spin(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        tokio::task::yield_now().await;
    }
}

fn invalid(error: Malformed) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
