//! The configuration of the gateway, compiled. Both planes compile it: the
//! control plane before it publishes, the module when it is configured.

use crate::privacy::Policies;
use crate::spending::Rules;
use auth::Access;
use auth::certificate::Certificates;
use contract::limits::{MAX_BODY_BYTES_MAX, NAME_BYTES_MAX};
use contract::names::jwt_payload_header;
use contract::policy::{GatewayConfig, HmacConfig, IssuerConfig};
use hashbrown::HashMap;
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
    /// How long what is known of keys counts without a word of the control plane, in
    /// milliseconds.
    pub stale_for_ms: u64,
    /// Failed authentications of one address in a minute, beyond which it is put off.
    pub failures_per_minute: u32,
    /// Whether callers may show certificates.
    pub client_certificates: bool,
    /// Signed requests.
    pub hmac: HmacConfig,
    /// Who may issue tokens.
    pub issuers: Vec<IssuerConfig>,
    /// The header with the payload of each of them.
    pub payload_headers: Vec<String>,
    /// Whose certificate is whose.
    pub certificates: Certificates,
    /// Who may use what.
    pub access: Access,
    /// `cache_salt` by tenant.
    pub salts: HashMap<String, String>,
    /// What must not leave.
    pub masking: Policies,
    /// What may be used and spent.
    pub spending: Rules,
    /// Which pool serves which model.
    pub routes: Table,
    /// Whether a pool is asked at other paths than the gateway is.
    pub(crate) has_base_paths: bool,
    /// Whether this Envoy gives a request's metadata to its copy, so that it can be told what its
    /// pool is to get: the one that goes on to other pools does (seen on 1.40; 1.39 does not).
    pub(crate) tells_copies: bool,
    /// Whether the texts of requests are read, by whomever.
    pub wants_texts: bool,
    /// Largest request body in bytes that is sent again after a failure.
    pub replay_bytes: u64,
    /// How long the engine of a stream may say nothing, in milliseconds.
    pub stream_idle_timeout_ms: u64,
}

impl Policy {
    /// Compiles a configuration.
    ///
    /// # Errors
    /// A line for every fault; all are found at once.
    pub fn compile(config: &GatewayConfig) -> Result<Policy, Vec<String>> {
        let mut faults = size_faults(config);
        let masking = Policies::compile(config).unwrap_or_else(|more| {
            faults.extend(more);
            Policies::default()
        });
        let routes = Table::compile(config).unwrap_or_else(|more| {
            faults.extend(more);
            Table::default()
        });
        let spending = Rules::compile(config).unwrap_or_else(|more| {
            faults.extend(more);
            Rules::default()
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Policy {
            control_cluster: config.control_cluster.clone(),
            max_body_bytes: usize::try_from(config.max_body_bytes).unwrap_or(usize::MAX),
            expose_pool: config.expose_pool,
            journal: config.journal,
            stale_for_ms: config.auth.stale_for_ms,
            failures_per_minute: config.auth.failures_per_minute,
            client_certificates: config.auth.client_certificates,
            hmac: config.auth.hmac.clone(),
            payload_headers: payload_headers(&config.auth.issuers),
            issuers: config.auth.issuers.clone(),
            certificates: Certificates::compile(&config.tenants),
            access: Access::compile(&config.tenants, &config.roles),
            salts: config.tenants.keys().map(|name| (name.clone(), salt(name))).collect(),
            masking,
            spending,
            wants_texts: !config.masking.policies.is_empty() || routes.reads_prompts(),
            routes,
            has_base_paths: config.pools.values().any(|pool| !pool.base_path.is_empty()),
            tells_copies: config.chains,
            replay_bytes: config.replay_bytes,
            stream_idle_timeout_ms: config.stream_idle_timeout_ms,
        })
    }
}

fn payload_headers(issuers: &[IssuerConfig]) -> Vec<String> {
    issuers.iter().map(|issuer| jwt_payload_header(&issuer.issuer)).collect()
}

/// What keeps the prefix caches of two tenants apart. Callers cannot set it, so it does
/// not have to be secret; engines do not have to learn the tenant's name.
fn salt(tenant: &str) -> String {
    hex::encode(auth::key::digest(&format!("cache_salt {tenant}")))
}

fn size_faults(config: &GatewayConfig) -> Vec<String> {
    let mut faults = Vec::new();
    if !(1..=MAX_BODY_BYTES_MAX).contains(&config.max_body_bytes) {
        faults.push(format!(
            "max_body_bytes is {}; it must be 1 to {MAX_BODY_BYTES_MAX}",
            config.max_body_bytes
        ));
    }
    let patterns = config.families.iter().map(|family| &family.pattern);
    let names = config.pools.keys().chain(config.models.keys()).chain(config.tenants.keys());
    let names = names.chain(config.aliases.keys()).chain(patterns);
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
            base_path: String::new(),
            context,
            timeout_ms: 120_000,
            price_version: "v1".into(),
            prices: contract::price::Prices::default(),
            max_tokens: None,
            template_tokens: 256,
            medium_tokens: 16_384,
            engine: contract::policy::Engine::Openai,
            allow_fields: vec![],
            cache_salt: false,
            media: contract::policy::MediaConfig::default(),
            retries: 0,
            first_token_timeout_ms: None,
            affinity: contract::policy::AffinityConfig::None,
        };
        let model = |pool: &str| ModelConfig::of_pool(pool);
        let globs = |globs: &[&str]| globs.iter().map(|g| (*g).to_owned()).collect();
        let may = |models: &[&str]| RoleConfig {
            models: globs(models),
            paths: globs(&["*"]),
            ..RoleConfig::default()
        };
        let tenant = |models: &[&str]| TenantConfig { may: may(models), ..TenantConfig::default() };
        GatewayConfig {
            control_cluster: "control".into(),
            max_body_bytes: 1_000,
            expose_pool: false,
            journal: false,
            auth: contract::policy::AuthConfig::default(),
            masking: contract::masking::MaskingConfig::default(),
            limits: [].into(),
            organisations_with_budget: vec![],
            pools: [
                ("big".to_owned(), pool("pool/big", 4_096)),
                ("small".to_owned(), pool("pool/small", 0)),
            ]
            .into(),
            replay_bytes: 1 << 20,
            stream_idle_timeout_ms: 60_000,
            chains: true,
            families: vec![],
            aliases: [].into(),
            models: [("llama".to_owned(), model("big")), ("hidden".to_owned(), model("small"))]
                .into(),
            roles: [("user".to_owned(), may(&["*"]))].into(),
            tenants: [
                ("acme".to_owned(), tenant(&["*"])),
                ("other".to_owned(), tenant(&["llama"])),
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
        config.models.insert("a".into(), ModelConfig::of_pool("gone"));
        config.tenants.insert(String::new(), TenantConfig::default());
        let faults = Policy::compile(&config).unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
    }
}
