//! What goes on beside the answers, from the start to the end of a run.

use super::{Ground, Plane};
use crate::config_state::ConfigState;
use crate::publish::Publisher;
use crate::tasks::count_gateways::GatewayCount;
use crate::tasks::engine_counters::CounterKeeper;
use crate::tasks::follow_servers::ServerWatch;
use crate::tasks::follow_weights::WeightsWatch;
use crate::tasks::rotate::Rotation;
use crate::tasks::spool_guard::{self, SpoolGuard};
use crate::tasks::tell_fleet::FleetTeller;
use crate::tasks::watch_config::ConfigWatch;
use crate::tasks::watch_envoys::EnvoyWatch;
use std::net::SocketAddr;
use std::sync::Arc;
use xds::Registry;

impl Plane {
    /// Starts all of it.
    pub(super) fn spawn_tasks(
        &self,
        ground: &Ground,
        neighbour: Option<SocketAddr>,
        publisher: Arc<Publisher>,
        state: ConfigState,
        registry: Registry,
    ) {
        self.keep_the_ledger(&publisher, neighbour, registry.clone());
        self.follow_servers(&publisher, neighbour);
        let steps = self.ledger.watch_weights();
        tokio::spawn(WeightsWatch { publisher: Arc::clone(&publisher), steps }.run());
        let run_file = ground.run_file.clone();
        let envoys = EnvoyWatch { publisher: Arc::clone(&publisher), registry, run_file };
        tokio::spawn(envoys.run());
        tokio::spawn(self.materials.clone().watch());
        let watch = ConfigWatch {
            file: ground.file.clone(),
            seen: ground.loaded.version.clone(),
            named: ground.loaded.named.clone(),
            started_with: ground.config().clone(),
            publisher,
            state,
        };
        tokio::spawn(watch.run());
    }

    /// Reads usage, keys and what engines count, and looks after the spool.
    fn keep_the_ledger(
        &self,
        publisher: &Publisher,
        neighbour: Option<SocketAddr>,
        registry: Registry,
    ) {
        let ledger = self.ledger.clone();
        tokio::spawn(async move { ledger.tail().await });
        let ledger = self.ledger.clone();
        tokio::spawn(async move { ledger.follow_others().await });
        let guard = SpoolGuard {
            spool: self.ledger.spool_folder().to_owned(),
            reserve_bytes: spool_guard::RESERVE_BYTES,
            space: self.space.clone(),
        };
        tokio::spawn(guard.run());
        let (roster, ledger) = (publisher.roster.clone(), self.ledger.clone());
        tokio::spawn(CounterKeeper { roster, ledger }.run());
        let shown = self.shown.subscribe();
        let rotation = Rotation {
            spool: self.ledger.spool_folder().to_owned(),
            envoy_admin: move || {
                let alone = registry.connected() <= 1;
                shown.borrow().admin.or(neighbour).filter(|_| alone)
            },
            http: self.http.clone(),
        };
        tokio::spawn(rotation.run());
    }

    /// Follows where servers are and what they have to do.
    fn follow_servers(&self, publisher: &Arc<Publisher>, neighbour: Option<SocketAddr>) {
        let servers =
            ServerWatch { publisher: Arc::clone(publisher), materials: self.materials.changes() };
        tokio::spawn(servers.run());
        let shown = self.shown.subscribe();
        let teller = FleetTeller {
            plan: publisher.plan.subscribe(),
            roster: publisher.roster.clone(),
            envoy_admin: move || shown.borrow().admin.or(neighbour),
            http: self.http.clone(),
            fleet: self.fleet.clone(),
        };
        tokio::spawn(teller.run());
    }

    /// Lets the other control planes on the same database know of the gateways of this one.
    pub(super) fn count_with_others(&self) {
        let (gateways, ledger) = (self.gateways.clone(), self.ledger.clone());
        tokio::spawn(GatewayCount { gateways, ledger }.run());
    }
}
