//! The crate `xds` as a server of its own, seen through a [`Tap`].

use std::net::SocketAddr;
use std::time::Duration;

use integration::{Failure, Result, wait_until};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server as Transport;
use xds::{Cache, EnvoyStatus, Registry, Server, Settings, Snapshot};

use super::tap::{Line, Tap};

/// What a change may take: no bound of the product, but the end of patience.
pub const SOON: Duration = Duration::from_secs(10);
/// Parts that nothing uses any more go soon, so that tests see them go.
const SETTINGS: Settings = Settings { removal_grace_ms: 200, patience_ms: 15_000 };
/// Every test has one Envoy, which calls itself so.
pub const NODE: &str = "bare";

/// A control plane; it dies with the value.
pub struct Ads {
    runtime: Option<Runtime>,
    address: SocketAddr,
    cache: Cache,
    registry: Registry,
    tap: Tap,
}

impl Ads {
    /// A control plane that has something to say from the start.
    pub async fn start(snapshot: Snapshot) -> Result<Ads> {
        let ads = Ads::listen("127.0.0.1:0".parse().expect("an address")).await?;
        ads.publish(snapshot);
        Ok(ads)
    }

    /// Another one in the place of this one, which died: it knows of nothing.
    pub async fn start_again(&mut self, snapshot: Snapshot) -> Result<()> {
        self.die();
        // The sockets of the dead one are closed by its own thread.
        let free = async || std::net::TcpListener::bind(self.address).is_ok();
        assert!(wait_until(free, SOON).await, "{} stays taken", self.address);
        *self = Ads::listen(self.address).await?;
        self.publish(snapshot);
        Ok(())
    }

    async fn listen(address: SocketAddr) -> Result<Ads> {
        let cache = Cache::new();
        let registry = Registry::new(&cache);
        let service = Server::new(cache.clone(), registry.clone()).with_settings(SETTINGS);
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build()?;
        let serving = async move {
            let inner = TcpListener::bind("127.0.0.1:0").await?;
            let tap = Tap::before(inner.local_addr()?);
            let router = Transport::builder().add_service(service.into_service());
            tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(inner)));
            let outer = TcpListener::bind(address).await?;
            let address = outer.local_addr()?;
            let router = Transport::builder().add_service(tap.clone().into_service());
            tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(outer)));
            Ok::<_, std::io::Error>((address, tap))
        };
        let (address, tap) = runtime.spawn(serving).await??;
        Ok(Ads { runtime: Some(runtime), address, cache, registry, tap })
    }

    /// Where Envoy is to connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What passed between Envoy and the server, and power over it.
    pub fn tap(&self) -> &Tap {
        &self.tap
    }

    /// What passed so far.
    pub fn lines(&self) -> Vec<Line> {
        self.tap.lines()
    }

    /// Puts a snapshot in force.
    pub fn publish(&self, snapshot: Snapshot) {
        self.cache.publish(snapshot);
    }

    /// Puts a snapshot in force, and returns when Envoy has accepted all of it.
    pub async fn publish_and_wait(&self, snapshot: Snapshot) -> Result<()> {
        self.publish(snapshot);
        self.converged().await
    }

    /// Returns when Envoy has accepted everything that is in force.
    ///
    /// # Errors
    /// It did not; shows what passed.
    pub async fn converged(&self) -> Result<()> {
        match wait_until(async || self.registry.converged(NODE), SOON).await {
            true => Ok(()),
            false => Err(Failure::new(format!("Envoy has not got all\n{}", self.tap))),
        }
    }

    /// What the server says of Envoy.
    pub fn envoy(&self) -> Option<EnvoyStatus> {
        self.registry.snapshot().into_iter().find(|envoy| envoy.node == NODE)
    }

    /// Ends all at once and without a word, as SIGKILL does: the system closes
    /// the connections, and nobody listens any more.
    pub fn die(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Ads {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.tap);
        }
        self.die();
    }
}
