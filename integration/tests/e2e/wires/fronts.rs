//! What stands before a simulated engine, so that it is reached in another way.

use super::super::made::Pair;
use bytes::Bytes;
use h2::server::SendResponse;
use http::{Request, Response};
use integration::{Engine, Failure, Result, client};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Ends TLS, and passes on what is in it.
pub struct TlsFront {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl TlsFront {
    /// Shows this certificate.
    pub async fn before(engine: &Engine, pair: &Pair) -> Result<TlsFront> {
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes())
            .map_err(|error| Failure::new(error.to_string()))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![pair.leaf().into()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, engine) = (listener.local_addr()?, engine.address());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut outer = acceptor.accept(stream).await.ok()?;
                    let mut inner = TcpStream::connect(engine).await.ok()?;
                    copy_bidirectional(&mut outer, &mut inner).await.ok()
                });
            }
        });
        Ok(TlsFront { address, task })
    }

    /// `https://ADDRESS`
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Speaks HTTP/2 in clear, with prior knowledge (RFC 9113 §3.3), and nothing else.
pub struct Http2Front {
    address: SocketAddr,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

impl Http2Front {
    /// Asks the engine in HTTP/1.1.
    pub async fn before(engine: &Engine) -> Result<Http2Front> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, url) = (listener.local_addr()?, engine.url().to_owned());
        let counts = Arc::new(Counts::default());
        let counting = Arc::clone(&counts);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, url.clone(), Arc::clone(&counting)));
            }
        });
        Ok(Http2Front { address, counts, task })
    }

    /// `http://ADDRESS`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests so far, without those that ask how it is.
    pub fn requests(&self) -> usize {
        self.counts.requests.load(Relaxed)
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.counts.connections.load(Relaxed)
    }
}

impl Drop for Http2Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(stream: TcpStream, url: String, counts: Arc<Counts>) -> Result<()> {
    let mut connection = h2::server::handshake(stream).await?;
    counts.connections.fetch_add(1, Relaxed);
    while let Some(exchange) = connection.accept().await {
        let (request, answer) = exchange?;
        counts.requests.fetch_add(usize::from(request.method() == "POST"), Relaxed);
        tokio::spawn(pass(request, answer, url.clone()));
    }
    Ok(())
}

/// One exchange: what arrives goes to the engine, and its answer back, piece by piece.
async fn pass(
    request: Request<h2::RecvStream>,
    mut answer: SendResponse<Bytes>,
    url: String,
) -> Result<()> {
    let (head, mut incoming) = request.into_parts();
    let mut body = Vec::new();
    while let Some(data) = incoming.data().await {
        let data = data?;
        incoming.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    let mut asked = client().request(head.method, format!("{url}{}", head.uri.path())).body(body);
    for (name, value) in head.headers.iter().filter(|(name, _)| *name != "content-length") {
        asked = asked.header(name, value);
    }
    let mut told = asked.send().await?;
    let mut response = Response::builder().status(told.status());
    let kept = |name: &str| !["transfer-encoding", "connection", "content-length"].contains(&name);
    for (name, value) in told.headers().iter().filter(|(name, _)| kept(name.as_str())) {
        response = response.header(name, value);
    }
    let response = response.body(()).map_err(|error| Failure::new(error.to_string()))?;
    let mut outgoing = answer.send_response(response, false)?;
    while let Some(piece) = told.chunk().await? {
        outgoing.send_data(piece, false)?;
    }
    Ok(outgoing.send_data(Bytes::new(), true)?)
}
