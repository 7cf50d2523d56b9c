//! The engine simulator, and the peers that the end-to-end tests are made of.
//!
//! ```no_run
//! # async fn example() -> integration::Result<()> {
//! use integration::{Engine, Load, Tollgate};
//!
//! let engine = Engine::start().model("tiny").tokens(8).spawn().await?;
//! let gate = Tollgate::with("version: 1\n").engine("tiny", &engine).start().await?;
//! let key = gate.key("acme").await?;
//! let outcomes = Load::on(gate.url()).key(&key.key).clients(4).count(100).await?;
//! # let _ = outcomes;
//! # Ok(())
//! # }
//! ```

pub mod accuracy;
pub mod balancing;
mod bare_envoy;
pub mod binaries;
pub mod engine;
mod engine_peer;
pub mod http1;
mod issuer;
mod load;
mod process;
mod raw;
pub mod recorded;
pub mod serving;
pub mod signed;
mod sse;
pub mod token;
mod tollgate;
mod tollgate_start;
mod wait;
pub mod yaml;

pub use bare_envoy::BareEnvoy;
pub use engine_peer::{Engine, EngineStart};
pub use issuer::Issuer;
pub use load::{Load, Outcome, RunningLoad};
pub use process::{Process, runs};
pub use raw::{RawAnswer, RawClient};
pub use sse::{Event, SseAnswer, SseReader};
pub use tollgate::{KeyMade, Tollgate};
pub use tollgate_start::TollgateStart;
pub use wait::{free_address, wait_until};

/// What a test returns.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a test could not go on. It is shown as written, so that logs in it can be
/// read; that is why it is no [`std::error::Error`] itself.
pub struct Failure(String);

impl Failure {
    /// A failure in words.
    pub fn new(what: impl Into<String>) -> Failure {
        Failure(what.into())
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text += &format!(": {error}");
            cause = error.source();
        }
        Failure(text)
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// An HTTP client that goes straight to loopback, whatever proxies the machine has.
///
/// # Panics
/// Where no client can be made at all.
pub fn client() -> reqwest::Client {
    // An error means that it was chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy();
    client.timeout(std::time::Duration::from_secs(60)).build().expect("an HTTP client")
}
