//! The control plane as a process: plan, resources and the xDS server, without
//! ledger, admin API and files.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use integration::{Failure, Result, free_address};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tonic::transport::server::TcpIncoming;
use xds::{Cache, Registry, Server, Snapshot};

use crate::world::{self, World};

/// How often it is looked whether the Envoys have what was published.
const LOOK_EVERY: Duration = Duration::from_micros(500);
/// How often the connected ones are counted, which costs more.
const COUNT_EVERY: Duration = Duration::from_millis(200);
/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(300);

struct Plane {
    world: World,
    cache: Cache,
    registry: Registry,
    published: Option<Arc<Snapshot>>,
    clusters: usize,
    endpoints: usize,
    turn: usize,
    scraper: Option<engines::Scraper>,
}

/// Serves until its standard input ends. Lines in: `settle N`, `move POOL`,
/// `reload`, `scrape PORT COUNT`; a line of JSON for each.
pub async fn serve(clusters: usize, endpoints: usize) -> Result<()> {
    let gateway = free_address();
    let world = World::load(&world::yaml(clusters, endpoints, 0), endpoints, gateway)?;
    let cache = Cache::new();
    let registry = Registry::new(&cache);
    // A small response must not wait for the acknowledgement of the last.
    let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .map_err(|error| Failure::new(error.to_string()))?
        .with_nodelay(Some(true));
    let port = incoming.local_addr()?.port();
    let service = Server::new(cache.clone(), registry.clone()).into_service();
    tokio::spawn(
        tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming),
    );
    let scraper = None;
    let mut plane =
        Plane { world, cache, registry, published: None, clusters, endpoints, turn: 0, scraper };
    plane.publish()?;
    say(&json!({ "port": port, "gateway": gateway }));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        say(&plane.told(&words).await?);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "how the processes of the measurement talk")]
pub fn say(value: &Value) {
    println!("{value}");
}

impl Plane {
    async fn told(&mut self, words: &[&str]) -> Result<Value> {
        match words {
            ["settle", count] => self.settle(count.parse()?).await,
            ["move", pool] => self.move_endpoint(pool.parse()?).await,
            ["reload"] => self.reload().await,
            ["scrape", first_port, count] => self.scrape(first_port.parse()?, count.parse()?),
            _ => Err(Failure::new(format!("what is {words:?}?"))),
        }
    }

    fn publish(&mut self) -> Result<()> {
        let snapshot = self.world.snapshot(self.published.clone())?;
        self.cache.publish(snapshot);
        self.published = self.cache.current();
        Ok(())
    }

    /// Waits until so many Envoys are there and have everything.
    async fn settle(&self, count: usize) -> Result<Value> {
        let start = Instant::now();
        while self.registry.snapshot().len() < count {
            Self::patient(start).await?;
            tokio::time::sleep(COUNT_EVERY).await;
        }
        self.acknowledged().await?;
        Ok(json!({ "settled_ms": ms(start) }))
    }

    /// One endpoint of one pool moves; from there on to the last acknowledgement.
    async fn move_endpoint(&mut self, pool: usize) -> Result<Value> {
        self.turn += 1;
        let start = Instant::now();
        self.world.move_endpoint(pool, self.turn)?;
        self.publish()?;
        let published_ms = ms(start);
        self.acknowledged().await?;
        Ok(json!({ "published_ms": published_ms, "acknowledged_ms": ms(start) }))
    }

    /// Another text of the configuration, from its parsing on.
    async fn reload(&mut self) -> Result<Value> {
        self.turn += 1;
        let text = world::yaml(self.clusters, self.endpoints, self.turn);
        let start = Instant::now();
        self.world.reload(&text)?;
        self.publish()?;
        let published_ms = ms(start);
        self.acknowledged().await?;
        Ok(json!({ "published_ms": published_ms, "acknowledged_ms": ms(start) }))
    }

    async fn acknowledged(&self) -> Result<()> {
        let start = Instant::now();
        let mut waiting: Vec<String> =
            self.registry.snapshot().into_iter().map(|envoy| envoy.node).collect();
        loop {
            waiting.retain(|node| !self.registry.converged(node));
            if waiting.is_empty() {
                return Ok(());
            }
            Self::patient(start).await?;
        }
    }

    async fn patient(start: Instant) -> Result<()> {
        if start.elapsed() > PATIENCE {
            return Err(Failure::new("the Envoys do not have it in time"));
        }
        tokio::time::sleep(LOOK_EVERY).await;
        Ok(())
    }

    fn scrape(&mut self, first_port: u16, count: u16) -> Result<Value> {
        let scraper = engines::Scraper::new(engines::http_client()?);
        let scrape = |port: u16| {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            engines::Scrape {
                id: address,
                url: format!("http://{address}/metrics"),
                hostname: None,
                engine: model::Engine::Vllm,
                interval: Duration::from_millis(250),
                stale_after: 5,
            }
        };
        scraper.set((first_port..first_port + count).map(scrape));
        let read = scraper.reports().values().map(|report| report.scrapes).sum::<u64>();
        self.scraper = Some(scraper);
        Ok(json!({ "scrapes": read }))
    }
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1_000.0
}
