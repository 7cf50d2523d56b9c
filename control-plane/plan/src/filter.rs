//! What the filter is told, and who verifies tokens before it.

use crate::masking::masking;
use crate::routes::{aliases, families, models};
use crate::{Inputs, IssuerPlan};
use contract::names::{CONTROL_CLUSTER, jwt_payload_header, pool_cluster};
use contract::policy::{
    AuthConfig, DenyConfig, GatewayConfig, HmacConfig, IssuerConfig, LimitsConfig, PoolConfig,
    RoleConfig, TenantConfig, UsersConfig,
};
use model::ids::PoolName;
use model::{
    Auth, Config, Issuer, Limits, Nonces, Organisation, Pool, Rules, Tenant, UserSource, Users,
};
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

pub(crate) fn filter(inputs: &Inputs<'_>) -> GatewayConfig {
    let config = inputs.config;
    GatewayConfig {
        control_cluster: CONTROL_CLUSTER.to_owned(),
        max_body_bytes: config.gateway.max_body_bytes,
        // A line that may wait does not need to be written twice.
        journal: config.control.usage_flush == model::UsageFlush::Line,
        expose_pool: config.gateway.expose_pool,
        auth: auth(config),
        masking: masking(&config.masking),
        limits: named(&config.limits, |_, item| limits(item)),
        organisations_with_budget: organisations_with_budget(config),
        pools: named(&config.pools, pool),
        replay_bytes: config.gateway.replay_body_bytes,
        stream_idle_timeout_ms: milliseconds(config.gateway.stream_idle_timeout),
        chains: inputs.chains,
        models: models(inputs),
        families: families(inputs),
        aliases: aliases(&config.aliases),
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

/// A name that may be left out, as text.
pub(crate) fn text<N: ToString>(name: Option<&N>) -> Option<String> {
    name.map(ToString::to_string)
}

fn limits(limits: &Limits) -> LimitsConfig {
    let number = |count: Option<NonZeroU32>| count.map(NonZeroU32::get);
    LimitsConfig {
        requests_per_minute: number(limits.requests_per_minute),
        burst: number(limits.burst),
        tokens_per_minute: number(limits.tokens_per_minute),
        concurrent: number(limits.concurrent),
    }
}

/// In the order of their names.
fn organisations_with_budget(config: &Config) -> Vec<String> {
    let has = |organisation: &Organisation| organisation.budget.is_some();
    let with = config.organisations.iter().filter(|(_, organisation)| has(organisation));
    with.map(|(name, _)| name.to_string()).collect()
}

fn users(users: &Users) -> UsersConfig {
    UsersConfig {
        limits: text(users.limits.as_ref()),
        budget: users.budget.is_some(),
        from_body: users.from == UserSource::Body,
    }
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
        base_path: pool.base_path.clone(),
        context: pool.context.map_or(0, NonZeroU64::get),
        timeout_ms: milliseconds(pool.timeout),
        price_version: pool.prices.version(),
        prices: pool.prices,
        max_tokens: pool.max_tokens.map(NonZeroU64::get),
        template_tokens: pool.template_tokens,
        medium_tokens: pool.medium_tokens,
        engine: pool.engine,
        allow_fields: texts(&pool.allow_fields),
        cache_salt: pool.cache_salt,
        media: pool.media.clone(),
        retries: pool.retries,
        first_token_timeout_ms: pool.first_token_timeout.map(milliseconds),
        affinity: pool.affinity,
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
        user_roles: named(&tenant.users.roles, |_, roles| texts(roles)),
        masking: text(tenant.masking.as_ref()),
        organisation: text(tenant.organisation.as_ref()),
        limits: text(tenant.limits.as_ref()),
        budget: tenant.budget.is_some(),
        aliases: aliases(&tenant.aliases),
        users: users(&tenant.users),
    }
}

pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use crate::build::tests::{EXAMPLE, plan};
    use crate::{IssuerPlan, Jwks, Prices};
    use contract::limits::{MEDIUM_TOKENS_DEFAULT, TEMPLATE_TOKENS_DEFAULT};
    use contract::policy::{
        AffinityConfig, AuthConfig, DenyConfig, Engine, HmacConfig, IssuerConfig, LimitsConfig,
        MediaConfig, MediaKind, PoolConfig, RoleConfig, UsersConfig,
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
            base_path: String::new(),
            context: 4096,
            timeout_ms: 2000,
            price_version: "i600000000-c150000000-o1800000000-m500000000".to_owned(),
            prices: Prices {
                input: 600_000_000,
                cached_input: 150_000_000,
                output: 1_800_000_000,
                image: 500_000_000,
                ..Prices::default()
            },
            max_tokens: Some(512),
            template_tokens: 9,
            medium_tokens: 99,
            engine: Engine::Vllm,
            allow_fields: texts(&["top_k"]),
            cache_salt: true,
            media,
            retries: 1,
            first_token_timeout_ms: None,
            affinity: AffinityConfig::None,
        };
        assert_eq!(filter.pools["big"], expected);
        let small = &filter.pools["small"];
        let tokens = (small.max_tokens, small.template_tokens, small.medium_tokens);
        assert_eq!(tokens, (None, TEMPLATE_TOKENS_DEFAULT, MEDIUM_TOKENS_DEFAULT));
        assert_eq!((small.context, small.engine, small.cache_salt), (0, Engine::Tgi, false));
        assert_eq!(filter.models["chat"].split[0].pool, "big");
        assert_eq!(filter.models["chat-2"].split[0].pool, "other");
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
    fn what_may_be_used_in_a_minute() {
        let filter = plan(EXAMPLE).filter;
        let fast = LimitsConfig {
            requests_per_minute: Some(5),
            burst: Some(7),
            tokens_per_minute: None,
            concurrent: Some(9),
        };
        assert_eq!((&filter.limits["fast"], filter.limits.len()), (&fast, 3));
        assert_eq!(filter.limits["idle"].tokens_per_minute, Some(1));
        let (fast, slow) = (Some("fast".to_owned()), Some("slow".to_owned()));
        assert_eq!(
            (&filter.models["chat"].limits, &filter.models["chat-2"].limits),
            (&None, &fast)
        );
        let users = UsersConfig { limits: fast, budget: true, from_body: true };
        let acme = &filter.tenants["acme"];
        assert_eq!((&acme.limits, &acme.users), (&slow, &users));
        assert!(filter.tenants["zoo"].limits.is_none() && filter.tenants["zoo"].users.is_empty());
    }

    #[test]
    fn the_filter_knows_who_has_a_budget_and_not_how_much() {
        let filter = plan(EXAMPLE).filter;
        assert_eq!(filter.organisations_with_budget, ["north"]);
        let [acme, zoo] = ["acme", "zoo"].map(|name| &filter.tenants[name]);
        assert_eq!((acme.organisation.as_deref(), acme.budget), (Some("north"), true));
        assert_eq!((&zoo.organisation, zoo.budget), (&None, false));
        let more = EXAMPLE.replace("dollars: 20,", "dollars: 21,");
        assert_eq!(plan(&more).filter, filter);
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
        for secret in ["0123456789abcdef", "made-up-key-of-tags", "made-up-password"] {
            assert!(EXAMPLE.contains(secret) && !shown.contains(secret), "{secret}");
        }
    }
}
