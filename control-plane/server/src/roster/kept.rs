//! What was found, kept on disk: a control plane that starts while its sources
//! are away must not take the servers from gateways that have them.

use super::pool::PoolRoster;
use crate::files;
use discovery::Target;
use model::ids::PoolName;
use model::{Discovery, Pool, Source};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Name of the file in the data folder.
const NAME: &str = "endpoints.json";

/// The file, and what it says.
pub struct Kept {
    file: PathBuf,
    pools: BTreeMap<String, KeptPool>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct KeptPool {
    /// What was asked, so that the answer of another source is not taken for it.
    asked: String,
    targets: Vec<KeptTarget>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptTarget {
    address: SocketAddr,
    hostname: Option<String>,
    tls: bool,
    #[serde(default)]
    zone: Option<String>,
}

impl Kept {
    /// What an earlier run left in the data folder. A file that cannot be read is
    /// as good as none.
    pub fn read(data: &Path) -> Kept {
        let file = data.join(NAME);
        let pools = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(file = %file.display(), %error, "kept endpoints are not usable");
                BTreeMap::new()
            }),
            Err(_) => BTreeMap::new(),
        };
        Kept { file, pools }
    }

    /// What was last found for this pool, if the same source was asked.
    pub fn of(&self, name: &PoolName, pool: &Pool) -> Vec<Target> {
        let Some(discovery) = &pool.discover else { return Vec::new() };
        let kept = self.pools.get(name.as_str()).filter(|kept| kept.asked == asked(discovery));
        let target = |kept: &KeptTarget| Target {
            address: kept.address,
            hostname: kept.hostname.clone(),
            tls: kept.tls,
            zone: kept.zone.clone(),
        };
        kept.map(|kept| kept.targets.iter().map(target).collect()).unwrap_or_default()
    }

    /// Writes down what is found now. A failure is told and changes nothing else.
    pub fn write(&mut self, pools: &BTreeMap<PoolName, PoolRoster>) {
        let found = |(name, pool): (&PoolName, &PoolRoster)| {
            let (discovery, targets) = pool.found()?;
            let targets = targets.into_iter().map(KeptTarget::from).collect();
            Some((name.to_string(), KeptPool { asked: asked(&discovery), targets }))
        };
        let now: BTreeMap<_, _> = pools.iter().filter_map(found).collect();
        if now == self.pools {
            return;
        }
        self.pools = now;
        let written = serde_json::to_vec(&self.pools)
            .map_err(crate::error::Failure::internal)
            .and_then(|bytes| files::write_private(&self.file, &bytes));
        if let Err(error) = written {
            tracing::warn!(%error, "what was discovered is not kept for the next start");
        }
    }
}

impl From<Target> for KeptTarget {
    fn from(target: Target) -> KeptTarget {
        let Target { address, hostname, tls, zone } = target;
        KeptTarget { address, hostname, tls, zone }
    }
}

/// Who was asked for what, without secrets.
fn asked(discovery: &Discovery) -> String {
    let scheme = if discovery.tls { "https" } else { "http" };
    let source = match &discovery.source {
        Source::Env(name) => format!("env {name}"),
        Source::File(path) => format!("file {}", path.display()),
        Source::Dns(dns) => format!("dns {} {:?} {:?}", dns.name, dns.port, dns.server),
        Source::Kubernetes(k) => {
            format!("kubernetes {} {} {:?} {:?}", k.namespace, k.service, k.port, k.api)
        }
        Source::Consul(c) => {
            format!("consul {} {} {:?} {:?}", c.address, c.service, c.tag, c.datacenter)
        }
    };
    format!("{scheme} {source}")
}
