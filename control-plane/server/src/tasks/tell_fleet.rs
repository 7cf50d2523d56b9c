//! Tells the gateways of the servers of pools with affinity, and how busy they are: twice a
//! second, where something is another than before.

use crate::fleet::{self, Known};
use crate::roster::Roster;
use crate::supervise::envoy_admin::{Endpoint, EnvoyAdmin};
use contract::fleet::Fleet;
use plan::Plan;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Each change answers the poll of every gateway.
const INTERVAL: Duration = Duration::from_millis(500);

/// Where the servers are known from, and who is told.
pub struct FleetTeller<A> {
    /// The plan in force.
    pub plan: watch::Receiver<Arc<Plan>>,
    /// What the engines say.
    pub roster: Roster,
    /// Where an Envoy's admin interface listens, which knows who is not well.
    pub envoy_admin: A,
    /// For questions to Envoy.
    pub http: reqwest::Client,
    /// What the gateways are told.
    pub fleet: watch::Sender<Arc<Fleet>>,
}

impl<A: Fn() -> Option<SocketAddr> + Send> FleetTeller<A> {
    /// Tells for ever.
    pub async fn run(self) {
        loop {
            self.look().await;
            sleep(INTERVAL).await;
        }
    }

    async fn look(&self) {
        let plan = self.plan.borrow().clone();
        let unwell = self.unwell(&plan).await;
        let (reports, reports_now_ms) = self.roster.reports();
        let known = Known { reports: &reports, reports_now_ms, unwell: &unwell };
        let now = fleet::of(&plan, &known);
        self.fleet.send_if_modified(|told| {
            let other = told.version != now.version;
            if other {
                *told = Arc::new(now);
            }
            other
        });
    }

    /// Nobody, where Envoy cannot be asked.
    async fn unwell(&self, plan: &Plan) -> BTreeSet<(String, SocketAddr)> {
        if !plan.pools.iter().any(|pool| pool.affinity) {
            return BTreeSet::new();
        }
        let Some(address) = (self.envoy_admin)() else { return BTreeSet::new() };
        let seen = EnvoyAdmin::new(self.http.clone(), address).endpoints().await;
        unwell(&seen.unwrap_or_default())
    }
}

fn unwell(seen: &[(String, Vec<Endpoint>)]) -> BTreeSet<(String, SocketAddr)> {
    let of = |(cluster, endpoints): &(String, Vec<Endpoint>)| {
        let unwell = endpoints.iter().filter(|endpoint| !endpoint.is_healthy());
        let addresses = unwell.filter_map(|endpoint| endpoint.address.parse().ok());
        addresses.map(|address| (cluster.clone(), address)).collect::<Vec<_>>()
    };
    seen.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_envoy_passes_over_is_not_well() {
        let endpoint = |address: &str, health: &str| Endpoint {
            address: address.into(),
            health: health.into(),
            active_requests: 0,
        };
        let seen = [(
            "pool/a".to_owned(),
            vec![
                endpoint("10.0.0.1:1", "healthy"),
                endpoint("10.0.0.2:1", "failed_outlier_check"),
                endpoint("engine.example:1", "failed_active_health_check"),
            ],
        )];
        let expected = ("pool/a".to_owned(), "10.0.0.2:1".parse().unwrap());
        assert_eq!(unwell(&seen), BTreeSet::from([expected]));
    }
}
