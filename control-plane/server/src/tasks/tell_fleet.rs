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
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::sleep;

/// Each change answers the poll of every gateway.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long an Envoy's last word on who is not well counts while it cannot be asked. A short
/// silence must not make the sick well; after a long one the servers are others.
const LAST_WORD: Duration = Duration::from_secs(30);

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
        let mut last = LastWord::default();
        loop {
            self.look(&mut last).await;
            sleep(INTERVAL).await;
        }
    }

    async fn look(&self, last: &mut LastWord) {
        let plan = self.plan.borrow().clone();
        let told = self.unwell(&plan).await;
        let unwell = last.now(told, Instant::now());
        let (reports, reports_now_ms) = self.roster.reports();
        let known = Known { reports: &reports, reports_now_ms, unwell };
        let now = fleet::of(&plan, &known);
        self.fleet.send_if_modified(|told| {
            let other = told.version != now.version;
            if other {
                *told = Arc::new(now);
            }
            other
        });
    }

    /// `None` where Envoy cannot be asked; nobody where nobody needs to know.
    async fn unwell(&self, plan: &Plan) -> Option<Unwell> {
        if !plan.pools.iter().any(|pool| pool.affinity) {
            return Some(Unwell::new());
        }
        let seen = EnvoyAdmin::new(self.http.clone(), (self.envoy_admin)()?).endpoints().await;
        seen.ok().as_deref().map(unwell)
    }
}

/// Who is not well, by cluster.
type Unwell = BTreeSet<(String, SocketAddr)>;

/// What an Envoy said last.
#[derive(Default)]
struct LastWord {
    unwell: Unwell,
    at: Option<Instant>,
}

impl LastWord {
    /// What counts at `now`, where `told` is the answer of this time.
    fn now(&mut self, told: Option<Unwell>, now: Instant) -> &Unwell {
        let counts = |at: Instant| now.saturating_duration_since(at) < LAST_WORD;
        if let Some(unwell) = told {
            *self = LastWord { unwell, at: Some(now) };
        } else if !self.at.is_some_and(counts) {
            *self = LastWord::default();
        }
        &self.unwell
    }
}

fn unwell(seen: &[(String, Vec<Endpoint>)]) -> Unwell {
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
    #[test]
    fn the_last_word_counts_for_a_while() {
        let (sick, none) =
            (Unwell::from([("pool/a".to_owned(), "10.0.0.2:1".parse().unwrap())]), Unwell::new());
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut last = LastWord::default();
        let table = [
            (0, None, &none),
            (1, Some(&sick), &sick),
            (2, None, &sick),
            (30, None, &sick),
            (31, None, &none),
            (32, None, &none),
            (33, Some(&sick), &sick),
            (50, Some(&sick), &sick),
            (79, None, &sick),
            // Whoever is told to be well is.
            (79, Some(&none), &none),
            (80, None, &none),
        ];
        for (seconds, told, expected) in table {
            assert_eq!(last.now(told.cloned(), at(seconds)), expected, "at {seconds} s");
        }
    }
}
