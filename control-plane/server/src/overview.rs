//! What `status` shows, gathered from everything that runs.

use crate::config_state::ConfigState;
use crate::listen::reachable;
use crate::supervise::envoy_admin::{Endpoint, EnvoyAdmin};
use admin::{EndpointStatus, Overview, PoolStatus, Status, Supervised};
use ledger::Ledger;
use plan::{Endpoints, Plan, PoolPlan};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use xds::{Cache, Registry};

/// How long the gateway may take to say that it is well.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);

/// The places where the state is.
pub struct Running {
    /// Which configuration is in force.
    pub config: ConfigState,
    /// What it was planned to.
    pub plan: watch::Receiver<Arc<Plan>>,
    /// What is served to the Envoys.
    pub cache: Cache,
    /// Which of them have it.
    pub registry: Registry,
    /// The Envoy of our own; nothing is ever sent under `serve`.
    pub supervised: Option<watch::Receiver<Supervised>>,
    /// Where the admin interface of a neighbour's Envoy is expected.
    pub neighbour: Option<SocketAddr>,
    /// Usage.
    pub ledger: Ledger,
    /// For questions to Envoy.
    pub http: reqwest::Client,
    /// Where callers connect.
    pub gateway: SocketAddr,
}

#[async_trait::async_trait]
impl Overview for Running {
    async fn status(&self) -> Status {
        let mut config = self.config.get();
        config.snapshot = self.cache.current().map(|current| current.version().to_owned());
        let envoys = self.registry.snapshot();
        let plan = self.plan.borrow().clone();
        let seen = self.endpoints().await;
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            gateway: Some(self.gateway),
            config,
            supervised: self.supervised.as_ref().map(|shown| shown.borrow().clone()),
            envoys: envoys.iter().filter_map(|e| serde_json::to_value(e).ok()).collect(),
            pools: plan.pools.iter().map(|pool| pool_status(pool, &plan, &seen)).collect(),
            ledger: self.ledger.status().await.ok(),
        }
    }

    async fn ready(&self) -> bool {
        is_well(&self.http, self.gateway).await
    }
}

/// Whether the gateway at `address` would serve a request.
pub async fn is_well(http: &reqwest::Client, address: SocketAddr) -> bool {
    let url = format!("http://{}/healthz", reachable(address));
    let asked = http.get(url).timeout(HEALTH_TIMEOUT).send().await;
    asked.is_ok_and(|answer| answer.status().as_u16() == 200)
}

impl Running {
    /// Envoy's view of all endpoints, by cluster; empty where it cannot be asked.
    async fn endpoints(&self) -> Vec<(String, Vec<Endpoint>)> {
        let own = self.supervised.as_ref().and_then(|shown| shown.borrow().admin);
        let Some(address) = own.or(self.neighbour) else { return Vec::new() };
        EnvoyAdmin::new(self.http.clone(), address).endpoints().await.unwrap_or_default()
    }
}

fn pool_status(pool: &PoolPlan, plan: &Plan, seen: &[(String, Vec<Endpoint>)]) -> PoolStatus {
    let cluster = seen.iter().find(|(name, _)| *name == pool.cluster);
    let endpoints = match cluster {
        Some((_, endpoints)) if !endpoints.is_empty() => {
            endpoints.iter().map(endpoint_status).collect()
        }
        _ => planned(&pool.endpoints),
    };
    let model = plan.filter.pools.get(&pool.name).map(|pool| pool.model.clone());
    PoolStatus { name: pool.name.clone(), model: model.unwrap_or_default(), endpoints }
}

fn endpoint_status(endpoint: &Endpoint) -> EndpointStatus {
    EndpointStatus {
        address: endpoint.address.clone(),
        health: Some(endpoint.health.clone()),
        active_requests: Some(endpoint.active_requests),
    }
}

fn planned(endpoints: &Endpoints) -> Vec<EndpointStatus> {
    let addresses: Vec<String> = match endpoints {
        Endpoints::Addresses(all) => all.iter().map(ToString::to_string).collect(),
        Endpoints::Names(all) => all.iter().map(|(host, port)| format!("{host}:{port}")).collect(),
    };
    let unseen = |address| EndpointStatus { address, ..EndpointStatus::default() };
    addresses.into_iter().map(unseen).collect()
}
