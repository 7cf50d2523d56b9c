//! What the filter is told, and who verifies tokens before it.

use crate::IssuerPlan;
use crate::masking::masking;
use contract::names::{CONTROL_CLUSTER, jwt_payload_header, pool_cluster};
use contract::policy::{
    AuthConfig, DenyConfig, GatewayConfig, HmacConfig, IssuerConfig, ModelConfig, PoolConfig,
    RoleConfig, TenantConfig,
};
use model::ids::PoolName;
use model::{Auth, Config, Issuer, Model, Nonces, Pool, Rules, Tenant};
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) fn filter(config: &Config) -> GatewayConfig {
    GatewayConfig {
        control_cluster: CONTROL_CLUSTER.to_owned(),
        max_body_bytes: config.gateway.max_body_bytes,
        // A line that may wait does not need to be written twice.
        journal: config.control.usage_flush == model::UsageFlush::Line,
        expose_pool: config.gateway.expose_pool,
        auth: auth(config),
        masking: masking(&config.masking),
        pools: named(&config.pools, pool),
        models: named(&config.models, |_, item| model(item)),
        roles: named(&config.roles, |_, role| rules(&role.rules)),
        tenants: named(&config.tenants, |_, item| tenant(item)),
    }
}

/// In the order of [`AuthConfig::issuers`].
pub(crate) fn issuers(auth: &Auth) -> Vec<IssuerPlan> {
    let planned = |issuer: &Issuer| IssuerPlan {
        issuer: issuer.issuer.to_string(),
        audiences: texts(&issuer.audiences),
        jwks: issuer.jwks.clone(),
        refresh: issuer.refresh,
        payload_header: jwt_payload_header(issuer.issuer.as_str()),
    };
    auth.jwt.iter().map(planned).collect()
}

/// Whether callers are asked for certificates.
pub(crate) fn client_certificates(config: &Config) -> bool {
    config.gateway.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some())
}

pub(crate) fn named<N: ToString, A, B>(
    all: &BTreeMap<N, A>,
    convert: impl Fn(&N, &A) -> B,
) -> BTreeMap<String, B> {
    all.iter().map(|(name, item)| (name.to_string(), convert(name, item))).collect()
}

/// Names and patterns as text.
pub(crate) fn texts<N: ToString>(all: &[N]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn auth(config: &Config) -> AuthConfig {
    let auth = &config.auth;
    AuthConfig {
        stale_for_ms: milliseconds(auth.stale_for),
        failures_per_minute: auth.failures_per_minute,
        client_certificates: client_certificates(config),
        hmac: HmacConfig {
            used: config.tenants.values().any(|tenant| !tenant.hmac.is_empty()),
            max_skew_s: auth.hmac.max_skew.as_secs(),
            shared_nonces: auth.hmac.nonces == Nonces::Shared,
        },
        issuers: auth.jwt.iter().map(issuer).collect(),
    }
}

fn issuer(issuer: &Issuer) -> IssuerConfig {
    let claims = &issuer.claims;
    IssuerConfig {
        issuer: issuer.issuer.to_string(),
        tenant_claim: claims.tenant.as_ref().map(ToString::to_string),
        user_claim: claims.user.to_string(),
        roles_claim: claims.roles.as_ref().map(ToString::to_string),
        tenants: texts(&issuer.tenants),
        roles: texts(&issuer.roles),
    }
}

fn pool(name: &PoolName, pool: &Pool) -> PoolConfig {
    PoolConfig {
        cluster: pool_cluster(name.as_str()),
        model: pool.model.to_string(),
        context: pool.context.map_or(0, std::num::NonZeroU64::get),
        timeout_ms: milliseconds(pool.timeout),
        price_version: pool.prices.version(),
        engine: pool.engine,
        allow_fields: texts(&pool.allow_fields),
        cache_salt: pool.cache_salt,
        media: pool.media.clone(),
    }
}

fn model(model: &Model) -> ModelConfig {
    ModelConfig {
        pool: model.pool.to_string(),
        masking: model.masking.as_ref().map(ToString::to_string),
    }
}

fn rules(rules: &Rules) -> RoleConfig {
    RoleConfig {
        models: texts(&rules.models),
        paths: texts(&rules.paths),
        deny: DenyConfig { models: texts(&rules.deny.models), paths: texts(&rules.deny.paths) },
    }
}

/// The secrets of [`Tenant::hmac`] stay behind: they travel with the keyring.
fn tenant(tenant: &Tenant) -> TenantConfig {
    TenantConfig {
        may: rules(&tenant.may),
        mtls: texts(&tenant.mtls),
        user_roles: named(&tenant.user_roles, |_, roles| texts(roles)),
        masking: tenant.masking.as_ref().map(ToString::to_string),
    }
}

pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use crate::build::tests::{EXAMPLE, plan};
    use crate::{IssuerPlan, Jwks};
    use contract::policy::{
        AuthConfig, DenyConfig, Engine, HmacConfig, IssuerConfig, MediaConfig, MediaKind,
        PoolConfig, RoleConfig,
    };
    use std::time::Duration;

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_filter_is_told() {
        let filter = plan(EXAMPLE).filter;
        assert_eq!((filter.max_body_bytes, filter.expose_pool), (1 << 20, true));
        assert_eq!(filter.control_cluster, "control");
        let media =
            MediaConfig { kinds: vec![MediaKind::Image], pages_max: 7, ..MediaConfig::default() };
        let expected = PoolConfig {
            cluster: "pool/big".to_owned(),
            model: "Big".to_owned(),
            context: 4096,
            timeout_ms: 2000,
            price_version: "i600000000-c150000000-o1800000000".to_owned(),
            engine: Engine::Vllm,
            allow_fields: texts(&["top_k"]),
            cache_salt: true,
            media,
        };
        assert_eq!(filter.pools["big"], expected);
        let small = &filter.pools["small"];
        assert_eq!((small.context, small.engine, small.cache_salt), (0, Engine::Tgi, false));
        assert_eq!(filter.models["chat"].pool, "big");
        assert_eq!(filter.models["chat-2"].pool, "other");
    }

    #[test]
    fn what_may_be_used() {
        let filter = plan(EXAMPLE).filter;
        let deny = DenyConfig { models: texts(&["secret"]), paths: vec![] };
        let user = RoleConfig { models: texts(&["*"]), paths: texts(&["/v1/*"]), deny };
        assert_eq!(filter.roles["user"], user);
        let acme = &filter.tenants["acme"];
        assert_eq!((&acme.may.models, &acme.may.paths), (&texts(&["chat"]), &texts(&["*"])));
        assert_eq!(acme.may.deny.paths, ["/v1/embeddings"]);
        assert_eq!(acme.mtls, ["spiffe://acme/*"]);
        assert_eq!(acme.user_roles["lee"], ["user"]);
        let zoo = &filter.tenants["zoo"];
        assert_eq!((&zoo.may.models, zoo.user_roles.len()), (&texts(&["*"]), 0));
        assert!(zoo.may.deny.is_empty() && zoo.mtls.is_empty());
    }

    #[test]
    fn how_callers_are_told_apart() {
        let issuer = |issuer: &str, tenants: &[&str]| IssuerConfig {
            issuer: issuer.to_owned(),
            tenant_claim: None,
            user_claim: "sub".to_owned(),
            roles_claim: None,
            tenants: texts(tenants),
            roles: vec![],
        };
        let login = IssuerConfig {
            tenant_claim: Some("org".to_owned()),
            user_claim: "mail".to_owned(),
            roles_claim: Some("groups".to_owned()),
            roles: texts(&["user"]),
            ..issuer("login", &["acme", "zoo"])
        };
        let expected = AuthConfig {
            stale_for_ms: 60_000,
            failures_per_minute: 9,
            client_certificates: true,
            hmac: HmacConfig { used: true, max_skew_s: 60, shared_nonces: true },
            issuers: vec![issuer("ci", &["zoo"]), login],
        };
        assert_eq!(plan(EXAMPLE).filter.auth, expected);
        assert_eq!(plan("version: 1").filter.auth, AuthConfig::default());
    }

    #[test]
    fn who_verifies_tokens() {
        let issuers = plan(EXAMPLE).issuers;
        let expected = IssuerPlan {
            issuer: "ci".to_owned(),
            audiences: vec![],
            jwks: Jwks::File("/jwks.json".into()),
            refresh: Duration::from_secs(60),
            payload_header: "x-tollgate-jwt-6369".to_owned(),
        };
        assert_eq!(issuers[0], expected);
        let login = &issuers[1];
        assert_eq!((login.issuer.as_str(), &login.audiences), ("login", &texts(&["gate"])));
        assert_eq!((login.refresh, issuers.len()), (Duration::from_secs(300), 2));
        assert_eq!(login.payload_header, "x-tollgate-jwt-6c6f67696e");
        let Jwks::Url(url) = &login.jwks else { panic!("{:?}", login.jwks) };
        assert_eq!(url.text, "https://login.example/keys");
    }

    #[test]
    fn a_plan_holds_no_secret() {
        let shown = format!("{:?}", plan(EXAMPLE));
        for secret in ["0123456789abcdef", "made-up-key-of-tags"] {
            assert!(EXAMPLE.contains(secret) && !shown.contains(secret), "{secret}");
        }
    }
}
