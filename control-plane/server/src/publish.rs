//! From a configuration to what the gateways have: plan, resources, check,
//! publish.

use crate::error::Failure;
use admin::CLOCK;
use ledger::Ledger;
use model::Config;
use plan::Plan;
use resources::{EnvoyResources, Placement};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;
use xds::{Cache, ResourceType, Snapshot};

/// Puts configurations in force.
pub struct Publisher {
    /// What the Envoys are served from.
    pub cache: Cache,
    /// Where prices and the configured keys go.
    pub ledger: Ledger,
    /// Where things lie for the Envoys.
    pub placement: Placement,
    /// Where callers connect; settled at the start.
    pub gateway: SocketAddr,
    /// Whether the journal is kept: only an Envoy of our own writes one, and only
    /// if it was started so.
    pub journal: bool,
    /// The plan in force.
    pub plan: watch::Sender<Arc<Plan>>,
}

/// The plan of a configuration, with the gateway's address as it was settled.
pub fn plan(config: &Config, gateway: SocketAddr) -> Plan {
    let mut plan = plan::build(config);
    plan.listener.address = gateway;
    plan
}

/// Whether `config` could be put in force, as far as that is known without a
/// gateway.
pub fn dry_run(config: &Config) -> Result<(), Failure> {
    let placement = Placement { wasm: "/gateway.wasm".into(), spool_file: "/usage.jsonl".into() };
    resources_of(&plan(config, config.gateway.listen), &placement).map(|_| ())
}

fn resources_of(plan: &Plan, placement: &Placement) -> Result<EnvoyResources, Failure> {
    let resources = resources::translate(plan, placement).map_err(Failure::internal)?;
    match resources::consistency::check(&resources) {
        Ok(()) => Ok(resources),
        Err(faults) => {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            Err(Failure::Internal(faults.join("; ")))
        }
    }
}

impl Publisher {
    /// Puts `config` in force, or says why that cannot be and changes nothing
    /// that a gateway sees. Returns what changed, for the log.
    pub async fn put_in_force(&self, config: &Config) -> Result<Vec<String>, Failure> {
        let mut plan = plan(config, self.gateway);
        plan.filter.journal = self.journal;
        let resources = resources_of(&plan, &self.placement)?;
        // A price must be known before a usage line can name it.
        let prices: Vec<_> = plan.prices.iter().map(|list| list.prices).collect();
        self.ledger.record_prices(&prices).await.map_err(failed)?;
        self.cache.publish(snapshot(&resources));
        self.take_keys(&plan).await?;
        let changes = plan::diff(&self.plan.borrow(), &plan);
        self.plan.send_replace(Arc::new(plan));
        Ok(changes)
    }

    async fn take_keys(&self, plan: &Plan) -> Result<(), Failure> {
        let keys = plan.static_keys.iter().map(|key| (key.sha256.clone(), key.entry.clone()));
        let taken = self.ledger.set_static_keys(keys.collect(), CLOCK.now_s()).await;
        for id in taken.map_err(failed)?.ignored {
            tracing::warn!(id, "this key of the configuration was made by `keys create`: ignored");
        }
        Ok(())
    }
}

fn failed(error: ledger::Error) -> Failure {
    Failure::Ledger(error.to_string())
}

fn snapshot(resources: &EnvoyResources) -> Snapshot {
    let mut all = Snapshot::builder();
    for cluster in &resources.clusters {
        all.put(ResourceType::Cluster, &cluster.name, cluster);
        let service = cluster.eds_cluster_config.as_ref().map(|eds| eds.service_name.as_str());
        if let Some(service) = service.filter(|name| !name.is_empty()) {
            all.endpoints_of(&cluster.name, service);
        }
    }
    for endpoints in &resources.endpoints {
        all.put(ResourceType::Endpoints, &endpoints.cluster_name, endpoints);
    }
    for listener in &resources.listeners {
        all.put(ResourceType::Listener, &listener.name, listener);
    }
    for route in &resources.routes {
        all.put(ResourceType::Route, &route.name, route);
    }
    for extension in &resources.extensions {
        all.put(ResourceType::ExtensionConfig, &extension.name, extension);
    }
    all.build()
}
