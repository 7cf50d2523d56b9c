//! Engines that do nothing but tell of their load, each on a port of its own.

use integration::{Failure, Result};
use serde_json::json;
use std::path::Path;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::plane::say;

/// What a real vLLM answers.
const CAPTURE: &str = "control-plane/engines/testdata/vllm-loaded.response.http";

/// Serves `count` engines on ports in a row until the standard input ends.
pub async fn serve(count: u16) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let capture = std::fs::read_to_string(root.join(CAPTURE))?;
    let (_, text) = capture.split_once("\r\n\r\n").unwrap_or_default();
    let length = text.len();
    // Not the captured head: that connection was closed after the answer.
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    let answer: &'static [u8] = (head + text).into_bytes().leak();
    let listeners = listeners(count).await?;
    let first = listeners.first().map(TcpListener::local_addr).transpose()?;
    for listener in listeners {
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(engine(stream, answer));
            }
        });
    }
    say(&json!({ "port": first.map(|address| address.port()), "bytes": answer.len() }));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while lines.next_line().await?.is_some() {}
    Ok(())
}

/// Ports in a row that are all free.
async fn listeners(count: u16) -> Result<Vec<TcpListener>> {
    for first in (20_000_u16..30_000).step_by(usize::from(count.max(1))) {
        let mut found = Vec::new();
        for port in first..first + count {
            match TcpListener::bind(("127.0.0.1", port)).await {
                Ok(listener) => found.push(listener),
                Err(_) => break,
            }
        }
        if found.len() == usize::from(count) {
            return Ok(found);
        }
    }
    Err(Failure::new("no ports are free in a row"))
}

/// Answers every request the same; a request ends with an empty line.
async fn engine(mut stream: TcpStream, answer: &'static [u8]) {
    let mut buffer = [0_u8; 4_096];
    let mut seen = Vec::new();
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        seen.extend(buffer.iter().take(count));
        if seen.ends_with(b"\r\n\r\n") {
            seen.clear();
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}
