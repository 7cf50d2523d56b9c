//! What `status` shows, gathered from everything that runs.

use crate::chains::Chains;
use crate::config_state::ConfigState;
use crate::gateway_health::GatewayHealth;
use crate::roster::{PoolView, Roster};
use crate::supervise::envoy_admin::{Endpoint, EnvoyAdmin};
use admin::{
    BreakersStatus, EndpointStatus, EnvoyStatus, Gateways, Overview, PoolStatus, Rollout,
    ServerLoad, Splits, SpoolStatus, Status, Supervised, WeightsRow,
};
use contract::policy::AffinityConfig;
use ledger::Ledger;
use model::ids::PoolName;
use plan::{Balance, Breakers, Endpoints, Named, Plan, PoolPlan};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::sync::watch;
use xds::{Cache, Registry};

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
    /// Which servers there are.
    pub roster: Roster,
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
    /// Whether that would serve a request.
    pub health: GatewayHealth,
    /// What the ledger lies in.
    pub database: String,
    /// The space that usage is written to.
    pub space: watch::Receiver<SpoolStatus>,
    /// Who shares the limits.
    pub gateways: Gateways,
    /// Whether a request can be sent on to another pool.
    pub chains: Chains,
    /// The splits of models, as the configuration has them.
    pub splits: watch::Receiver<Splits>,
}

#[async_trait::async_trait]
impl Overview for Running {
    async fn status(&self) -> Status {
        let mut config = self.config.get();
        config.snapshot = self.cache.current().map(|current| current.version().to_owned());
        let plan = self.plan.borrow().clone();
        let seen = self.endpoints().await;
        let views = self.roster.status();
        let rollouts = self.rollouts().await;
        let ledger = self.ledger.status().await.ok();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            gateway: Some(self.gateway),
            config,
            supervised: self.supervised.as_ref().map(|shown| shown.borrow().clone()),
            envoys: self.envoys(),
            rollout: told::<Rollout>(&self.cache.rollout()),
            pools: plan.pools.iter().map(|pool| pool_status(pool, &plan, &seen, &views)).collect(),
            ledger,
            database: self.database.clone(),
            spool: Some(*self.space.borrow()),
            gateways: *self.gateways.watch().borrow(),
            chains: self.chains.status(),
            rollouts,
        }
    }

    async fn ready(&self) -> bool {
        self.health.is_well().await
    }
}

impl Running {
    fn envoys(&self) -> Vec<EnvoyStatus> {
        let known = self.registry.snapshot();
        let told = known.iter().filter_map(|envoy| {
            let status = told::<EnvoyStatus>(envoy)?.judged();
            Some(EnvoyStatus { converged: self.registry.converged(&status.node), ..status })
        });
        told.collect()
    }

    /// Models whose weights are others than those of the configuration, or whose weights by
    /// command do not fit it; none where the database cannot be asked.
    async fn rollouts(&self) -> Vec<WeightsRow> {
        let standings = self.ledger.weights().await.unwrap_or_default();
        let mut rows = admin::weights_rows(&self.splits.borrow(), &standings);
        rows.retain(|row| row.moved || row.unfit.is_some());
        rows
    }

    /// Envoy's view of all endpoints, by cluster; empty where it cannot be asked.
    async fn endpoints(&self) -> Vec<(String, Vec<Endpoint>)> {
        let own = self.supervised.as_ref().and_then(|shown| shown.borrow().admin);
        let Some(address) = own.or(self.neighbour) else { return Vec::new() };
        EnvoyAdmin::new(self.http.clone(), address).endpoints().await.unwrap_or_default()
    }
}

/// What `xds` says of itself, as the admin API has it. The two agree on the names
/// in JSON, and what one of them does not know is left out.
fn told<T: DeserializeOwned>(said: &impl Serialize) -> Option<T> {
    let told = serde_json::to_value(said).and_then(serde_json::from_value);
    told.inspect_err(|error| tracing::error!(%error, "a part of the status cannot be shown")).ok()
}

/// What Envoys see, by cluster.
type Seen = [(String, Vec<Endpoint>)];

fn pool_status(
    pool: &PoolPlan,
    plan: &Plan,
    seen: &Seen,
    views: &BTreeMap<PoolName, PoolView>,
) -> PoolStatus {
    let view = views.get(pool.name.as_str());
    let cluster = seen.iter().find(|(name, _)| *name == pool.cluster);
    let seen = cluster.map(|(_, endpoints)| endpoints.as_slice()).unwrap_or_default();
    let endpoints = endpoints(&pool.endpoints, seen).into_iter();
    let told = plan.filter.pools.get(&pool.name);
    PoolStatus {
        name: pool.name.clone(),
        model: told.map(|pool| pool.model.clone()).unwrap_or_default(),
        balance: balance(pool.balance).to_owned(),
        affinity: told.map_or("none", |pool| affinity(&pool.affinity)).to_owned(),
        spill_percent: view.map_or(0, |view| view.spill_share),
        breakers: breakers(&pool.breakers),
        source: view.map(|view| view.source.clone()).unwrap_or_default(),
        endpoints: endpoints.map(|endpoint| with_load(endpoint, view)).collect(),
    }
}

fn balance(balance: Balance) -> &'static str {
    match balance {
        Balance::RoundRobin => "round_robin",
        Balance::LeastRequest => "least_request",
        Balance::Load => "load",
        Balance::Latency => "latency",
    }
}

fn affinity(affinity: &AffinityConfig) -> &'static str {
    match affinity {
        AffinityConfig::None => "none",
        AffinityConfig::User(_) => "user",
        AffinityConfig::Prefix(_) => "prefix",
    }
}

fn breakers(breakers: &Breakers) -> BreakersStatus {
    BreakersStatus {
        requests: breakers.requests.map(NonZeroU32::get),
        waiting: breakers.waiting.map(NonZeroU32::get),
        connections: breakers.connections.map(NonZeroU32::get),
    }
}

/// Those that Envoy has, and those that are meant and that it does not have. Of
/// names it has what they resolve to, so they are shown only where it has nothing.
fn endpoints(planned: &Endpoints, seen: &[Endpoint]) -> Vec<EndpointStatus> {
    let unseen = |address: String| EndpointStatus { address, ..EndpointStatus::default() };
    let mut all: Vec<_> = seen.iter().map(endpoint_status).collect();
    match planned {
        Endpoints::Members(members) => {
            let known: BTreeSet<_> = seen.iter().map(|one| one.address.as_str()).collect();
            let addresses = members.iter().map(|member| member.address.to_string());
            all.extend(addresses.filter(|it| !known.contains(it.as_str())).map(unseen));
        }
        Endpoints::Names(names) if seen.is_empty() => {
            let of = |Named { host, port, .. }: &Named| unseen(format!("{host}:{port}"));
            all.extend(names.iter().map(of));
        }
        Endpoints::Names(_) => {}
    }
    all
}

fn endpoint_status(endpoint: &Endpoint) -> EndpointStatus {
    EndpointStatus {
        address: endpoint.address.clone(),
        health: Some(endpoint.health.clone()),
        active_requests: Some(endpoint.active_requests),
        load: ServerLoad::default(),
    }
}

fn with_load(endpoint: EndpointStatus, view: Option<&PoolView>) -> EndpointStatus {
    let address = endpoint.address.parse::<SocketAddr>().ok();
    let load = address.and_then(|address| view?.servers.get(&address).cloned());
    EndpointStatus { load: load.unwrap_or_default(), ..endpoint }
}

#[cfg(test)]
mod tests {
    use super::*;
    use admin::SourceStatus;
    use model::Host;
    use plan::Member;
    use serde_json::json;

    fn seen(address: &str) -> Endpoint {
        Endpoint { address: address.into(), health: "healthy".into(), active_requests: 1 }
    }

    fn member(address: &str) -> Member {
        Member::at(address.parse().unwrap())
    }

    #[test]
    fn what_envoy_does_not_have_yet_is_shown_without_health() {
        let members = Endpoints::Members(vec![member("127.0.0.1:1"), member("127.0.0.1:2")]);
        let host = Host::Name("engine.example".into());
        let names = Endpoints::Names(vec![Named { host, port: 8000, weight: None, priority: 0 }]);
        let one = [seen("127.0.0.1:1")];
        type Row<'a> = (&'a Endpoints, &'a [Endpoint], &'a [(&'a str, bool)]);
        let table: [Row<'_>; 4] = [
            (&members, &one, &[("127.0.0.1:1", true), ("127.0.0.1:2", false)]),
            (&members, &[], &[("127.0.0.1:1", false), ("127.0.0.1:2", false)]),
            (&names, &one, &[("127.0.0.1:1", true)]),
            (&names, &[], &[("engine.example:8000", false)]),
        ];
        for (planned, seen, expected) in table {
            let shown = endpoints(planned, seen);
            let shown: Vec<_> =
                shown.iter().map(|one| (one.address.as_str(), one.health.is_some())).collect();
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn the_load_of_an_endpoint_is_found_by_its_address() {
        let load = ServerLoad { draining: true, weight: Some(7), ..ServerLoad::default() };
        let servers = BTreeMap::from([("127.0.0.1:1".parse().unwrap(), load.clone())]);
        let view = PoolView { source: SourceStatus::default(), servers, spill_share: 0 };
        let of = |address: &str| with_load(endpoint_status(&seen(address)), Some(&view)).load;
        assert_eq!(of("127.0.0.1:1"), load);
        assert_eq!(of("127.0.0.1:2"), ServerLoad::default());
        assert_eq!(of("engine.example:8000"), ServerLoad::default());
    }

    #[test]
    fn how_far_a_change_got_is_told_as_xds_says_it() {
        let said =
            xds::Rollout::Soaking { since_ms: 1, waits_for: vec!["a".into()], until_ms: None };
        let expected =
            Rollout::Soaking { since_ms: 1, waits_for: vec!["a".into()], until_ms: None };
        assert_eq!(told(&said), Some(expected));
        let said = xds::Rollout::Stopped {
            node: "a".into(),
            kind: xds::ResourceType::ExtensionConfig,
            resource: "gateway".into(),
            error: "no".into(),
            at_ms: 5,
        };
        let Some(Rollout::Stopped { kind, .. }) = told(&said) else { panic!("not told") };
        assert_eq!(kind, "extension_config");
        assert_eq!(told::<Rollout>(&json!({"state": "asleep"})), None);
    }
}
