//! Engines that keep what they were asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// How long a request may take to arrive.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(10);

/// An engine on a port of its own.
pub struct Peer {
    pub address: SocketAddr,
    requests: Receiver<String>,
}

impl Peer {
    /// One that answers each request with this status.
    pub fn answering(status: u16) -> Peer {
        Peer::new(Some(status))
    }

    /// One that takes requests and says nothing.
    pub fn silent() -> Peer {
        Peer::new(None)
    }

    fn new(status: Option<u16>) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                std::thread::spawn(move || serve(stream, status, &sender));
            }
        });
        Peer { address, requests }
    }

    /// The next request that has come, whole.
    pub fn next(&self) -> String {
        self.requests.recv_timeout(ARRIVAL_LIMIT).unwrap()
    }

    /// How many have come that nobody has looked at.
    pub fn count(&self) -> usize {
        self.requests.try_iter().count()
    }

    pub fn is_unasked(&self) -> bool {
        self.count() == 0
    }
}

/// An address where nobody listens.
pub fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn serve(mut stream: TcpStream, status: Option<u16>, sender: &Sender<String>) {
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(size @ 1..) = stream.read(&mut chunk) {
        received.extend_from_slice(&chunk[..size]);
        if !is_whole(&received) {
            continue;
        }
        let request = String::from_utf8_lossy(&std::mem::take(&mut received)).into_owned();
        let _ = sender.send(request);
        if let Some(status) = status {
            let answer = format!("HTTP/1.1 {status} .\r\ncontent-length: 6\r\n\r\nserved");
            let _ = stream.write_all(answer.as_bytes());
        }
    }
}

/// Every request of these tests has this body, with a length or in one chunk.
fn is_whole(received: &[u8]) -> bool {
    received.ends_with(b"\r\n\r\nwhole") || received.ends_with(b"\r\n0\r\n\r\n")
}
