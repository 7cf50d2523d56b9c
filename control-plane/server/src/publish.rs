//! From a configuration to what the gateways have: plan, resources, check,
//! publish.

use crate::chains::Chains;
use crate::error::Failure;
use crate::roster::Roster;
use crate::signers::Signers;
use crate::tag_keys::{self, TagKeys};
use crate::tasks::materials::{self, Materials};
use crate::weights::{Commanded, Rollouts};
use admin::CLOCK;
use ledger::Ledger;
use model::Config;
use model::ids::PoolName;
use plan::{Inputs, Member, Plan};
use resources::{EnvoyResources, Material, Placement};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::time::sleep;
use xds::{Cache, ResourceType, Snapshot};

/// How often it is looked whether new sources of endpoints have answered.
const LISTEN_EVERY: Duration = Duration::from_millis(10);

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
    /// Which servers there are.
    pub roster: Roster,
    /// The configuration in force, held by whoever publishes; `None` before the
    /// first.
    pub config: Mutex<Option<Config>>,
    /// What the configuration names files for.
    pub materials: Materials,
    /// What commands made of the splits of models.
    pub commanded: Commanded,
    /// Whether the Envoys can send a request on to another pool.
    pub chains: Chains,
    /// Who may sign requests.
    pub signers: Signers,
    /// The key of placeholders.
    pub tag_keys: TagKeys,
}

/// What may be another than when it was last published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Servers and their weights.
    Servers,
    /// Weights of splits.
    Splits,
    /// What files contain that the configuration names as well.
    Everything,
}

/// The plan of a configuration before anything is discovered, with the gateway's
/// address as it was settled.
pub fn plan(config: &Config, gateway: SocketAddr) -> Plan {
    plan_with(config, &Facts { chains: true, ..Facts::default() }, gateway)
}

/// What a plan is made of beside the configuration.
#[derive(Default)]
struct Facts {
    members: BTreeMap<PoolName, Vec<Member>>,
    spilling: BTreeMap<PoolName, u8>,
    rollouts: Rollouts,
    chains: bool,
}

fn plan_with(config: &Config, facts: &Facts, gateway: SocketAddr) -> Plan {
    let Facts { members, spilling, rollouts, chains } = facts;
    let mut plan = plan::build(&Inputs { config, members, rollouts, spilling, chains: *chains });
    plan.listener.address = gateway;
    plan
}

/// Whether `config` could be put in force, as far as that is known without a
/// gateway.
pub fn dry_run(config: &Config) -> Result<(), Failure> {
    let placement = Placement { wasm: "/gateway.wasm".into(), spool_file: "/usage.jsonl".into() };
    let plan = plan(config, config.gateway.listen);
    let read = Materials::new().read(config, &plan)?;
    resources_of(&plan, &placement, read.material()).map(|_| ())
}

fn resources_of(
    plan: &Plan,
    placement: &Placement,
    material: &Material,
) -> Result<EnvoyResources, Failure> {
    let resources = resources::translate(plan, placement, material).map_err(Failure::internal)?;
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
        let mut current = self.config.lock().await;
        self.commanded.read(&self.ledger).await.map_err(failed)?;
        let plan = self.plan_of(config, self.facts_but_servers());
        let read = self.materials.read(config, &plan)?;
        resources_of(&plan, &self.placement, read.material())?;
        let tag_key = self.tag_keys.of(config)?;
        // A price must be known before a usage line can name it.
        let prices: Vec<_> = plan.prices.iter().map(|list| list.prices).collect();
        self.ledger.record_prices(&prices).await.map_err(failed)?;
        // A budget must be known before a gateway asks for a part of it; where it is not, there
        // would be none.
        self.ledger.set_budgets(admin::book(&plan));
        self.roster.configure(config, CLOCK.now_ms());
        self.hear_of_servers().await;
        let before = self.materials.in_force(read);
        // Nothing can be masked without it, so it is there before the policies are.
        let tag_key_before = self.tag_keys.in_force(tag_key.clone());
        let mut changes = match self.publish(config) {
            Ok(changes) => changes,
            Err(why) => {
                self.materials.in_force(before);
                self.tag_keys.in_force(tag_key_before);
                if let Some(last) = current.as_ref() {
                    self.roster.configure(last, CLOCK.now_ms());
                    self.roster.publish_again();
                    self.ledger.set_budgets(admin::book(&self.plan.borrow()));
                }
                return Err(why);
            }
        };
        *current = Some(config.clone());
        self.commanded.in_force(config);
        self.commanded.tell_misfits(config);
        changes.extend(self.signers.in_force(config)?);
        changes.extend(tag_keys::changes(tag_key_before.as_ref(), tag_key.as_ref()));
        let (old, new) = (before.material(), self.materials.current());
        changes.extend(materials::changes(old, &new));
        self.take_keys(&plan).await?;
        Ok(changes)
    }

    /// Publishes the configuration in force anew, with the servers as they are
    /// now. Returns what changed.
    pub async fn refresh(&self, what: Refresh) -> Result<Vec<String>, Failure> {
        let current = self.config.lock().await;
        let Some(config) = current.as_ref() else { return Ok(Vec::new()) };
        if what == Refresh::Splits {
            self.commanded.read(&self.ledger).await.map_err(failed)?;
            self.commanded.tell_misfits(config);
        }
        let endpoints = match what {
            Refresh::Servers => self.publish_endpoints(config),
            Refresh::Splits | Refresh::Everything => None,
        };
        endpoints.map_or_else(|| self.publish(config), Ok)
    }

    fn publish(&self, config: &Config) -> Result<Vec<String>, Failure> {
        let plan = self.plan_of(config, self.facts());
        let resources = resources_of(&plan, &self.placement, &self.materials.current())?;
        self.cache.publish(snapshot(&resources, self.cache.current())?);
        Ok(self.planned(plan))
    }

    /// Publishes endpoints alone, if nothing else is another than before.
    fn publish_endpoints(&self, config: &Config) -> Option<Vec<String>> {
        let plan = self.plan_of(config, self.facts());
        let changed = resources::changed_endpoints(&self.plan.borrow(), &plan)?;
        let mut all = Snapshot::edited(&self.cache.current()?);
        for endpoints in &changed {
            all.put(ResourceType::Endpoints, &endpoints.cluster_name, endpoints);
        }
        self.cache.publish(all.build());
        Some(self.planned(plan))
    }

    fn planned(&self, plan: Plan) -> Vec<String> {
        let changes = plan::diff(&self.plan.borrow(), &plan);
        self.plan.send_replace(Arc::new(plan));
        changes
    }

    fn facts(&self) -> Facts {
        let (members, spilling) = (self.roster.members(), self.roster.spilling());
        Facts { members, spilling, ..self.facts_but_servers() }
    }

    /// For a configuration whose servers nobody has looked for yet.
    fn facts_but_servers(&self) -> Facts {
        let (rollouts, chains) = (self.commanded.rollouts(), self.chains.are_on());
        Facts { rollouts, chains, ..Facts::default() }
    }

    fn plan_of(&self, config: &Config, facts: Facts) -> Plan {
        let mut plan = plan_with(config, &facts, self.gateway);
        plan.filter.journal = self.journal;
        plan
    }

    /// Waits for new sources, but not for long: what is published must not send
    /// requests to a pool of which nobody knows yet where it is.
    async fn hear_of_servers(&self) {
        while self.roster.awaits(CLOCK.now_ms()) {
            sleep(LISTEN_EVERY).await;
        }
        self.roster.look(CLOCK.now_ms());
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

fn snapshot(
    resources: &EnvoyResources,
    before: Option<Arc<Snapshot>>,
) -> Result<Snapshot, Failure> {
    let mut all = Snapshot::builder_after(before);
    for one in resources.encoded() {
        let kind = ResourceType::from_type_url(&one.type_url);
        let kind =
            kind.ok_or_else(|| Failure::Internal(format!("{} is not served", one.type_url)))?;
        all.put_encoded(kind, one.name, one.bytes);
    }
    Ok(all.build())
}
