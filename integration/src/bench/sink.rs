//! An engine that reads nothing of what it is sent: a body of a megabyte costs it a
//! copy, so that it is never what a measurement waits for.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::answer::Fault;
use crate::body::Body;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 256 * 1024;
/// Header lines that a request may have.
const HEADERS_MAX: usize = 64;
/// What a chat is answered, 16 tokens long.
const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"sim/tiny","choices":[{"index":0,"message":{"role":"assistant","content":"w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15"},"finish_reason":"stop"}],"usage":{"prompt_tokens":300,"completion_tokens":16,"total_tokens":316}}"#;

/// The engine, on a thread of its own until the process ends.
pub struct Sink {
    address: SocketAddr,
}

impl Sink {
    /// Starts it.
    pub fn start() -> io::Result<Sink> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("sink".to_owned()).spawn(move || {
            let _ = runtime.block_on(serve(listener));
        })?;
        Ok(Sink { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(converse(stream));
    }
}

/// Answers the requests of one connection until it ends.
async fn converse(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut buffer, mut request) = (vec![0; BUFFER_BYTES], Incoming::default());
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let whole = request.feed(buffer.get(..length).unwrap_or_default());
        if whole.map_err(io::Error::other)? {
            request = Incoming::default();
            let length = ANSWER.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n\r\n{ANSWER}"
            );
            stream.write_all(answer.as_bytes()).await?;
        }
    }
}

/// One request on its way.
#[derive(Default)]
struct Incoming {
    head: Vec<u8>,
    body: Option<Body>,
}

impl Incoming {
    /// Takes what arrived; true when the request is whole with it.
    fn feed(&mut self, bytes: &[u8]) -> Result<bool, Fault> {
        if let Some(body) = &mut self.body {
            return body.feed(bytes, |_| {});
        }
        self.head.extend_from_slice(bytes);
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        let parsed = request.parse(&self.head).map_err(|error| Fault::Head(error.to_string()))?;
        let httparse::Status::Complete(length) = parsed else { return Ok(false) };
        let body = Body::of(request.headers).unwrap_or(Body::Length(0));
        self.body.insert(body).feed(self.head.get(length..).unwrap_or_default(), |_| {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use integration::RawClient;

    #[tokio::test]
    async fn every_request_is_answered_whatever_is_in_it() {
        let sink = Sink::start().unwrap();
        let mut client = RawClient::connect(&sink.address().to_string()).await.unwrap();
        let large = "x".repeat(1 << 20);
        client.post("/v1/chat/completions", "", &large).await.unwrap();
        assert_eq!(client.answer().await.unwrap().json()["model"], "sim/tiny");
        client.send("GET /health HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert_eq!(client.answer().await.unwrap().status, 200);
        let chunked = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        client.send(chunked).await.unwrap();
        assert_eq!(client.answer().await.unwrap().status, 200);
    }
}
