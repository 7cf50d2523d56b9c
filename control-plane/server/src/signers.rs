//! Who may sign requests: taken from the configuration, handed to the gateways with the
//! keyring, and nowhere else: the secrets are in no resource of xDS, no database and no
//! log.

use crate::error::Failure;
use contract::keyring::{HmacEntry, HmacSet};
use model::Config;
use model::ids::TenantName;
use std::sync::Arc;
use tokio::sync::watch;

/// Random bytes of a version: another process, or another content, has another one.
const VERSION_BYTES: usize = 8;

/// The credentials in force. Clones share them.
#[derive(Clone)]
pub struct Signers {
    set: Arc<watch::Sender<Arc<HmacSet>>>,
    /// Whether every user of this machine can ask for them.
    in_clear: bool,
}

impl Signers {
    /// Nobody may sign yet, and no gateway is told so.
    pub fn new(in_clear: bool) -> Signers {
        Signers { set: Arc::new(watch::Sender::new(Arc::default())), in_clear }
    }

    /// From now on who stands in `config` may sign. Returns what changed, for people.
    pub fn in_force(&self, config: &Config) -> Result<Vec<String>, Failure> {
        let entries = entries(config);
        let told = self.set.borrow().clone();
        let changes = changes(&told.entries, &entries);
        if changes.is_empty() && !told.version.is_empty() {
            return Ok(changes);
        }
        let mut random = [0; VERSION_BYTES];
        getrandom::fill(&mut random).map_err(Failure::internal)?;
        if self.in_clear && !entries.is_empty() {
            tracing::warn!(
                "secrets of tenants.NAME.hmac can be asked for by every user of this machine: \
                 put control.xds on a Unix socket, or give it a token"
            );
        }
        self.set.send_replace(Arc::new(HmacSet { version: hex::encode(random), entries }));
        Ok(changes)
    }

    /// The credentials in force, and each change of them.
    pub fn watch(&self) -> watch::Receiver<Arc<HmacSet>> {
        self.set.subscribe()
    }
}

/// A line for every credential that came, went or is another; nothing of its secret.
fn changes(old: &[HmacEntry], new: &[HmacEntry]) -> Vec<String> {
    let of = |all: &[HmacEntry], id: &str| all.iter().find(|entry| entry.id == id).cloned();
    let gone = old.iter().filter(|entry| of(new, &entry.id).is_none());
    let gone = gone.map(|entry| format!("signer {}: removed", entry.id));
    let there = new.iter().filter_map(|entry| match of(old, &entry.id) {
        None => Some(format!("signer {}: added", entry.id)),
        Some(before) if before.secret != entry.secret => {
            Some(format!("signer {}: another secret", entry.id))
        }
        Some(before) if before != *entry => Some(format!("signer {}: changed", entry.id)),
        Some(_) => None,
    });
    gone.chain(there).collect()
}

fn entries(config: &Config) -> Vec<HmacEntry> {
    let of = |(tenant, it): (&TenantName, &model::Tenant)| -> Vec<HmacEntry> {
        it.hmac.iter().map(|credential| entry(tenant, credential)).collect()
    };
    let mut entries: Vec<_> = config.tenants.iter().flat_map(of).collect();
    entries.sort_by(|a, b| a.id.cmp(&b.id));
    entries
}

fn entry(tenant: &TenantName, credential: &model::HmacCredential) -> HmacEntry {
    HmacEntry {
        id: credential.id.to_string(),
        secret: credential.secret.reveal().to_owned(),
        tenant: tenant.to_string(),
        user: credential.user.as_ref().map(ToString::to_string),
        roles: credential.roles.iter().map(ToString::to_string).collect(),
        masking: credential.masking.as_ref().map(ToString::to_string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file;
    use std::path::Path;

    fn config(yaml: &str) -> Config {
        let text = format!("version: 1\n{yaml}");
        match config_file::load_text(Path::new("tollgate.yaml"), &text) {
            Ok(loaded) => loaded.config,
            Err(why) => panic!("{why:?}"),
        }
    }

    #[test]
    fn a_version_is_of_one_content() {
        let signers = Signers::new(false);
        let version = |yaml: &str| {
            let _ = signers.in_force(&config(yaml)).unwrap();
            signers.watch().borrow().version.clone()
        };
        let one = "tenants: { acme: { hmac: [{ id: b, secret: made-up-secret-of-b }, { id: a, secret: made-up-secret-of-a }] } }";
        let (none, first) = (version(""), version(one));
        assert!(!none.is_empty() && none != first);
        assert_eq!(version(one), first);
        let ids: Vec<_> = signers.watch().borrow().entries.iter().map(|it| it.id.clone()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_ne!(version(""), none, "the same content, but not the same moment");
    }

    #[test]
    fn changes_are_told_without_secrets() {
        let signers = Signers::new(false);
        let told = |credentials: &str| {
            let yaml = format!(
                "roles: {{ r: {{ models: [a] }} }}\ntenants: {{ acme: {{ hmac: [{credentials}] }} }}"
            );
            signers.in_force(&config(&yaml)).unwrap()
        };
        assert_eq!(told("{ id: a, secret: made-up-1 }"), ["signer a: added"]);
        assert_eq!(told("{ id: a, secret: made-up-2 }"), ["signer a: another secret"]);
        assert_eq!(told("{ id: a, secret: made-up-2, roles: [r] }"), ["signer a: changed"]);
        assert_eq!(told("{ id: b, secret: made-up-3 }"), ["signer a: removed", "signer b: added"]);
        assert_eq!(told("{ id: b, secret: made-up-3 }"), Vec::<String>::new());
    }
}
