//! One connection of a client that takes every answer as it comes, made anew where the
//! gateway ends it.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::answer::Answer;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 16 * 1024;

/// A client of one server.
pub struct Dialogue {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Dialogue {
    /// Does not connect yet.
    pub fn with(address: SocketAddr) -> Dialogue {
        Dialogue { address, stream: None, buffer: vec![0; BUFFER_BYTES] }
    }

    /// Connects, unless it is connected: what [`Dialogue::ask`] does otherwise.
    pub async fn connect(&mut self) -> io::Result<()> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        Ok(())
    }

    /// Sends a request and reads the whole answer; its status.
    ///
    /// # Errors
    /// There was none; the next call connects anew.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        self.connect().await?;
        let mut stream = self.stream.take().ok_or(io::ErrorKind::NotConnected)?;
        stream.write_all(request).await?;
        let mut answer = Answer::default();
        loop {
            let length = stream.read(&mut self.buffer).await?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let bytes = self.buffer.get(..length).unwrap_or_default();
            if answer.feed(bytes).map_err(io::Error::other)? {
                break;
            }
        }
        self.stream = Some(stream).filter(|_| !answer.is_last());
        Ok(answer.status())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Sink;

    #[tokio::test]
    async fn every_status_is_an_answer_and_the_end_is_an_error() {
        let mut dialogue = Dialogue::with(Sink::start().unwrap().address());
        for _ in 0..3 {
            assert_eq!(dialogue.ask(b"GET / HTTP/1.1\r\n\r\n").await.unwrap(), 200);
        }
        assert!(dialogue.ask(b"no request\r\n\r\n").await.is_err());
        assert_eq!(dialogue.ask(b"GET / HTTP/1.1\r\n\r\n").await.unwrap(), 200);
    }
}
