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
pub struct Signers(Arc<watch::Sender<Arc<HmacSet>>>);

impl Signers {
    /// Nobody may sign yet, and no gateway is told so.
    pub fn new() -> Signers {
        Signers(Arc::new(watch::Sender::new(Arc::default())))
    }

    /// From now on who stands in `config` may sign.
    pub fn in_force(&self, config: &Config) -> Result<(), Failure> {
        let entries = entries(config);
        let told = self.0.borrow().clone();
        if told.entries == entries && !told.version.is_empty() {
            return Ok(());
        }
        let mut random = [0; VERSION_BYTES];
        getrandom::fill(&mut random).map_err(Failure::internal)?;
        self.0.send_replace(Arc::new(HmacSet { version: hex::encode(random), entries }));
        Ok(())
    }

    /// The credentials in force, and each change of them.
    pub fn watch(&self) -> watch::Receiver<Arc<HmacSet>> {
        self.0.subscribe()
    }
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
        let signers = Signers::new();
        let version = |yaml: &str| {
            signers.in_force(&config(yaml)).unwrap();
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
}
