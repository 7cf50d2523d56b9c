//! A made-up configuration of many pools.

use integration::{Failure, Result};
use model::Config;
use model::ids::PoolName;
use plan::{Inputs, Member, Plan};
use resources::{EnvoyResources, Material, Placement};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use xds::{ResourceType, Snapshot};

/// Nothing outside of the text.
struct Nothing;

impl model::Sources for Nothing {
    fn var(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &Path) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// The YAML of `pools` pools with `endpoints` endpoints each; `turn` makes every
/// text another one.
pub fn yaml(pools: usize, endpoints: usize, turn: usize) -> String {
    let mut text = format!("version: 1\ncontrol: {{ usage_interval: {}ms }}\npools:\n", 1_000);
    for pool in 0..pools {
        let all: Vec<_> =
            (0..endpoints).map(|one| format!("http://{}", address(pool, one, 0))).collect();
        let timeout = if pool == 0 { 1_000 + turn } else { 1_000 };
        let _ = writeln!(
            text,
            "  pool-{pool}: {{ engine: vllm, model: m-{pool}, timeout: {timeout}ms, endpoints: [{}] }}",
            all.iter().map(|url| format!("\"{url}\"")).collect::<Vec<_>>().join(", ")
        );
    }
    text.push_str("models:\n");
    for pool in 0..pools {
        let _ = writeln!(text, "  model-{pool}: pool-{pool}");
    }
    text.push_str("tenants:\n  acme: {}\n");
    text
}

/// Where an endpoint of a pool is; `turn` moves it to another port.
pub fn address(pool: usize, endpoint: usize, turn: usize) -> SocketAddr {
    let octet = |number: usize| u8::try_from(number % 250).unwrap_or(0);
    let ip = Ipv4Addr::new(10, octet(pool / 250), octet(pool), octet(endpoint) + 1);
    SocketAddr::from((ip, u16::try_from(8_000 + turn % 1_000).unwrap_or(8_000)))
}

/// A configuration and what was published of it.
pub struct World {
    endpoints: usize,
    config: Config,
    members: BTreeMap<PoolName, Vec<Member>>,
    placement: Placement,
    gateway: SocketAddr,
    published: Option<Plan>,
}

impl World {
    /// The configuration of this text.
    pub fn load(text: &str, endpoints: usize, gateway: SocketAddr) -> Result<World> {
        let config = loaded(text)?;
        let placement =
            Placement { wasm: integration::binaries::wasm(), spool_file: "/dev/null".into() };
        Ok(World {
            endpoints,
            config,
            members: BTreeMap::new(),
            placement,
            gateway,
            published: None,
        })
    }

    /// Takes over another text.
    pub fn reload(&mut self, text: &str) -> Result<()> {
        self.config = loaded(text)?;
        Ok(())
    }

    /// Moves one endpoint of a pool to another port.
    pub fn move_endpoint(&mut self, pool: usize, turn: usize) -> Result<()> {
        let name = PoolName::parse(&format!("pool-{pool}"))?;
        let member =
            |endpoint| Member::at(address(pool, endpoint, if endpoint == 0 { turn } else { 0 }));
        self.members.insert(name, (0..self.endpoints).map(member).collect());
        Ok(())
    }

    /// Everything that the gateways shall have, after `before`; as the control
    /// plane does it, with a short way when only servers changed.
    pub fn snapshot(&mut self, before: Option<Arc<Snapshot>>) -> Result<Snapshot> {
        let plan = self.plan();
        let old = self.published.replace(plan.clone());
        let endpoints = old.and_then(|old| resources::changed_endpoints(&old, &plan));
        if let (Some(endpoints), Some(before)) = (endpoints, &before) {
            let mut all = Snapshot::edited(before);
            for changed in &endpoints {
                all.put(ResourceType::Endpoints, &changed.cluster_name, changed);
            }
            return Ok(all.build());
        }
        let resources = resources::translate(&plan, &self.placement, &Material::default())?;
        resources::consistency::check(&resources)
            .map_err(|faults| Failure::new(format!("{} faults", faults.len())))?;
        Ok(snapshot(&resources, before))
    }

    fn plan(&self) -> Plan {
        let mut plan = plan::build(&Inputs {
            config: &self.config,
            members: &self.members,
            rollouts: &BTreeMap::new(),
            spilling: &BTreeMap::new(),
            chains: true,
        });
        plan.listener.address = self.gateway;
        plan
    }
}

fn loaded(text: &str) -> Result<Config> {
    model::load(text, Path::new("/"), &Nothing)
        .map_err(|problems| Failure::new(format!("{} problems", problems.len())))
}

fn snapshot(resources: &EnvoyResources, before: Option<Arc<Snapshot>>) -> Snapshot {
    let mut all = Snapshot::builder_after(before);
    for one in resources.encoded() {
        if let Some(kind) = ResourceType::from_type_url(&one.type_url) {
            all.put_encoded(kind, one.name, one.bytes);
        }
    }
    all.build()
}
