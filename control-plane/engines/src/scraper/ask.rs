//! One question to one engine.

use super::Scrape;
use crate::dialects::{self, Dialect};
use crate::exposition::Reader;
use crate::signals::Reading;
use crate::window::Window;
use reqwest::header::{ACCEPT, HOST, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Request, Response, StatusCode, Url};
use rustls::crypto::{CryptoProvider, ring};
use std::error::Error;
use std::net::SocketAddr;

/// Longest answer. vLLM's has 65 kB and grows with its adapters.
const BODY_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The text format that every engine has.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain;version=0.0.4");

/// Why an engine's load is not known. Holds no URL: its query may hold a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It has no metrics, or nobody knows their names.
    #[error("this kind of engine has no metrics")]
    NoDialect,
    /// It cannot be asked at all.
    #[error("cannot make the request for the metrics: {0}")]
    Request(String),
    /// Nobody listens there, or TLS does not come about.
    #[error("cannot connect for the metrics: {0}")]
    Connect(String),
    /// The answer was not complete in time.
    #[error("the metrics did not come in time")]
    Timeout,
    /// The answer broke off or is no HTTP.
    #[error("the answer with the metrics broke off: {0}")]
    Broken(String),
    /// Another status than 200.
    #[error("asked for its metrics, it answers with status {0}")]
    Status(u16),
    /// The answer has too many bytes.
    #[error("the metrics have more than {} MiB", BODY_BYTES_MAX / 1024 / 1024)]
    TooLong,
    /// A good answer without any metric of this kind of engine.
    #[error("the answer has none of the metrics of this kind of engine")]
    NoSignal,
}

impl Failure {
    fn of(error: &reqwest::Error) -> Failure {
        if error.is_timeout() {
            Failure::Timeout
        } else if error.is_connect() {
            Failure::Connect(root_cause(error))
        } else {
            Failure::Broken(root_cause(error))
        }
    }

    fn request(error: &reqwest::Error) -> Failure {
        Failure::Request(root_cause(error))
    }
}

/// The innermost cause: those around it say what the variant says.
fn root_cause(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else { return "unknown".to_owned() };
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// A client for scraping: no proxy, because engines are near, and no redirects,
/// because an engine does not say whom the control plane asks.
///
/// # Errors
/// When TLS cannot be set up.
pub fn http_client() -> Result<Client, reqwest::Error> {
    builder().build()
}

/// The client's TLS takes the cryptography that the process has chosen; where it
/// has chosen none, this is the choice.
fn builder() -> reqwest::ClientBuilder {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been quicker, with a choice as good.
        let _ = ring::default_provider().install_default();
    }
    Client::builder().no_proxy().redirect(Policy::none()).pool_max_idle_per_host(1)
}

/// Asks one engine again and again; its buffers and its connection are kept.
pub(super) struct Asker {
    http: Client,
    request: Request,
    dialect: Box<dyn Dialect>,
    reader: Reader,
    window: Window,
}

impl Asker {
    pub(super) fn new(http: Client, scrape: &Scrape) -> Result<Asker, Failure> {
        let dialect = dialects::of(scrape.engine).ok_or(Failure::NoDialect)?;
        let url = scrape.url.parse().map_err(|_| Failure::Request("no URL".to_owned()))?;
        Ok(Asker {
            http: client_for(http, scrape, &url)?,
            request: request(scrape, url)?,
            dialect,
            reader: Reader::default(),
            window: Window::new(scrape.period(), scrape.stale_after),
        })
    }

    /// The reading after an answer that came at the time that `now_ms` then says.
    pub(super) async fn ask(&mut self, now_ms: impl Fn() -> u64) -> Result<Reading, Failure> {
        let request = self.request.try_clone();
        let request = request.ok_or_else(|| Failure::Request("it has a body".to_owned()))?;
        let answer = self.http.execute(request).await.map_err(|error| Failure::of(&error))?;
        self.read(answer).await?;
        let snapshot = self.dialect.snapshot();
        if snapshot.is_empty() {
            return Err(Failure::NoSignal);
        }
        Ok(self.window.take(&snapshot, now_ms()))
    }

    /// Reads the answer piece by piece; it is never held as a whole.
    async fn read(&mut self, mut answer: Response) -> Result<(), Failure> {
        if answer.status() != StatusCode::OK {
            return Err(Failure::Status(answer.status().as_u16()));
        }
        self.reader.start();
        self.dialect.start();
        let mut body_bytes = 0;
        while let Some(piece) = answer.chunk().await.map_err(|error| Failure::of(&error))? {
            body_bytes += piece.len() as u64;
            if body_bytes > BODY_BYTES_MAX {
                return Err(Failure::TooLong);
            }
            self.reader.read(&piece, |line| self.dialect.take(&line));
        }
        Ok(())
    }
}

/// The shared client, or one of its own for an engine whose URL has its name:
/// the name is resolved already, and another address of it is another engine.
fn client_for(http: Client, scrape: &Scrape, url: &Url) -> Result<Client, Failure> {
    let named = |host: &&str| {
        scrape.hostname.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(host))
    };
    let Some(host) = url.host_str().filter(named) else { return Ok(http) };
    let at = SocketAddr::new(scrape.id.ip(), url.port_or_known_default().unwrap_or_default());
    builder().resolve(host, at).build().map_err(|error| Failure::request(&error))
}

fn request(scrape: &Scrape, url: Url) -> Result<Request, Failure> {
    let port = url.port_or_known_default().unwrap_or_default();
    let mut request = Request::new(reqwest::Method::GET, url);
    request.headers_mut().insert(ACCEPT, TEXT);
    if let Some(name) = &scrape.hostname {
        let host = HeaderValue::from_str(&format!("{name}:{port}"));
        let host = host.map_err(|error| Failure::Request(error.to_string()))?;
        request.headers_mut().insert(HOST, host);
    }
    *request.timeout_mut() = Some(scrape.timeout());
    Ok(request)
}
