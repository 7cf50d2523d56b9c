//! The configuration of the gateway, compiled. Both planes compile it: the
//! control plane before it publishes, the module when it is configured.

use auth::Access;
use contract::limits::{MAX_BODY_BYTES_MAX, NAME_BYTES_MAX};
use contract::policy::GatewayConfig;
use routing::Table;

/// All that a request is decided by.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The Envoy cluster that leads to the control plane.
    pub control_cluster: String,
    /// Largest request body in bytes.
    pub max_body_bytes: usize,
    /// Whether answers say which pool they come from.
    pub expose_pool: bool,
    /// Whether the end of an answer is written to Envoy's own log first.
    pub journal: bool,
    /// Who may use which model.
    pub access: Access,
    /// Which pool serves which model.
    pub routes: Table,
}

impl Policy {
    /// Compiles a configuration.
    ///
    /// # Errors
    /// A line for every fault; all are found at once.
    pub fn compile(config: &GatewayConfig) -> Result<Policy, Vec<String>> {
        let mut faults = size_faults(config);
        match Table::compile(config) {
            Ok(routes) if faults.is_empty() => Ok(Policy {
                control_cluster: config.control_cluster.clone(),
                max_body_bytes: usize::try_from(config.max_body_bytes).unwrap_or(usize::MAX),
                expose_pool: config.expose_pool,
                journal: config.journal,
                access: Access::compile(&config.tenants, &config.roles),
                routes,
            }),
            Ok(_) => Err(faults),
            Err(more) => {
                faults.extend(more);
                Err(faults)
            }
        }
    }
}

fn size_faults(config: &GatewayConfig) -> Vec<String> {
    let mut faults = Vec::new();
    if !(1..=MAX_BODY_BYTES_MAX).contains(&config.max_body_bytes) {
        faults.push(format!(
            "max_body_bytes is {}; it must be 1 to {MAX_BODY_BYTES_MAX}",
            config.max_body_bytes
        ));
    }
    let names = config.pools.keys().chain(config.models.keys()).chain(config.tenants.keys());
    for name in names.filter(|name| name.is_empty() || name.len() > NAME_BYTES_MAX) {
        faults.push(format!("a name has {} bytes; it must have 1 to {NAME_BYTES_MAX}", name.len()));
    }
    faults
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use contract::policy::{ModelConfig, PoolConfig, RoleConfig, TenantConfig};

    /// A policy with the models `llama` (pool `big`) and `hidden` (pool `small`),
    /// and the tenants `acme` (all models) and `other` (llama).
    pub fn config() -> GatewayConfig {
        let pool = |cluster: &str, context| PoolConfig {
            cluster: cluster.into(),
            model: "meta/Llama".into(),
            context,
            timeout_ms: 120_000,
            price_version: "v1".into(),
        };
        let model = |pool: &str| ModelConfig { pool: pool.into() };
        let globs = |globs: &[&str]| globs.iter().map(|g| (*g).to_owned()).collect();
        GatewayConfig {
            control_cluster: "control".into(),
            max_body_bytes: 1_000,
            expose_pool: false,
            journal: false,
            pools: [
                ("big".to_owned(), pool("pool/big", 4_096)),
                ("small".to_owned(), pool("pool/small", 0)),
            ]
            .into(),
            models: [("llama".to_owned(), model("big")), ("hidden".to_owned(), model("small"))]
                .into(),
            roles: [("user".to_owned(), RoleConfig { models: globs(&["*"]) })].into(),
            tenants: [
                ("acme".to_owned(), TenantConfig { models: globs(&["*"]) }),
                ("other".to_owned(), TenantConfig { models: globs(&["llama"]) }),
            ]
            .into(),
        }
    }

    #[test]
    fn a_good_configuration_compiles() {
        assert_eq!(Policy::compile(&config()).unwrap().max_body_bytes, 1_000);
    }

    #[test]
    fn all_faults_at_once() {
        let mut config = config();
        config.max_body_bytes = 0;
        config.models.insert("a".into(), ModelConfig { pool: "gone".into() });
        config.tenants.insert(String::new(), TenantConfig { models: vec![] });
        let faults = Policy::compile(&config).unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
    }
}
