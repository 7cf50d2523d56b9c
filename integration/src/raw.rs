//! A client that sends exact bytes and reads exact bytes.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http1::{Framing, Head};

/// Longest silence of a peer before a test counts it as hanging.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// One connection.
pub struct RawClient {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// An answer, decoded and as it came.
#[derive(Debug, Clone)]
pub struct RawAnswer {
    /// Status code.
    pub status: u16,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// Without its framing.
    pub body: Vec<u8>,
    /// The bytes of head and body on the wire.
    pub raw: Vec<u8>,
    /// Whether the body ended as its framing says; one without framing ends with
    /// the connection, and then nobody can tell.
    pub complete: bool,
}

impl RawAnswer {
    /// Value of the first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none; the message shows it.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)))
    }
}

impl RawClient {
    /// Connects to `http://ADDRESS` or `ADDRESS`.
    pub async fn connect(to: &str) -> io::Result<RawClient> {
        let address = to.trim_start_matches("http://").trim_end_matches('/');
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(RawClient { stream, unread: Vec::new() })
    }

    /// Sends the bytes as they are.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Sends a POST of JSON with these further header lines (each with `\r\n`).
    pub async fn post(&mut self, path: &str, headers: &str, body: &str) -> io::Result<()> {
        let length = body.len();
        self.send(format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    /// Reads one answer, to the end of its body or to where it was cut off.
    ///
    /// # Errors
    /// No answer: closed, reset or silent before the head was whole.
    pub async fn answer(&mut self) -> io::Result<RawAnswer> {
        let head = loop {
            let head = Head::of_answer(&self.unread).map_err(io::Error::other)?;
            match head {
                Some(head) if head.status >= 200 => break head,
                Some(interim) => drop(self.unread.drain(..interim.bytes)),
                None => {
                    if self.read_more().await? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        };
        let mut framing = head.framing();
        loop {
            let body = framing.body(&self.unread[head.bytes..]).map_err(io::Error::other)?;
            if let Some((body, used)) = body {
                let raw = self.unread.drain(..head.bytes + used).collect();
                return Ok(answered(head, body, raw, true));
            }
            if !matches!(self.read_more().await, Ok(1..)) {
                let complete = framing == Framing::UntilClose;
                let raw = std::mem::take(&mut self.unread);
                let body = framing.part(&raw[head.bytes..]);
                return Ok(answered(head, body, raw, complete));
            }
        }
    }

    /// Everything until the peer closes the connection.
    pub async fn rest(&mut self) -> io::Result<Vec<u8>> {
        while self.read_more().await? > 0 {}
        Ok(std::mem::take(&mut self.unread))
    }

    /// What the next read gives; empty at the end.
    pub async fn some(&mut self) -> io::Result<Vec<u8>> {
        if self.unread.is_empty() {
            self.read_more().await?;
        }
        Ok(std::mem::take(&mut self.unread))
    }

    async fn read_more(&mut self) -> io::Result<usize> {
        let read = self.stream.read_buf(&mut self.unread);
        tokio::time::timeout(SILENCE_MAX, read).await.map_err(|_| io::ErrorKind::TimedOut)?
    }
}

fn answered(head: Head, body: Vec<u8>, raw: Vec<u8>, complete: bool) -> RawAnswer {
    RawAnswer { status: head.status, headers: head.headers, body, raw, complete }
}
