//! A configuration becomes decisions.

use crate::budgets::budgets;
use crate::filter::{client_certificates, filter, issuers, text, texts};
use crate::masking::detectors;
use crate::pools::{credential_headers, pools};
use crate::{Inputs, ListenerPlan, Plan, PriceList, StaticKey};
use contract::keyring::KeyEntry;
use model::ids::TenantName;
use model::{Config, Key, Tenant};
use std::collections::BTreeMap;

/// Decides everything that follows from `inputs`.
#[must_use]
pub fn build(inputs: &Inputs<'_>) -> Plan {
    let config = inputs.config;
    let pools = pools(inputs);
    Plan {
        listener: listener(config),
        credential_headers: credential_headers(&pools),
        pools,
        retry: config.gateway.retry.clone(),
        filter: filter(inputs),
        issuers: issuers(&config.auth),
        detectors: detectors(&config.masking),
        prices: prices(config),
        static_keys: static_keys(config),
        budgets: budgets(config),
    }
}

fn listener(config: &Config) -> ListenerPlan {
    ListenerPlan {
        address: config.gateway.listen,
        max_body_bytes: config.gateway.max_body_bytes,
        stream_idle_timeout: config.gateway.stream_idle_timeout,
        usage_flush: config.control.usage_flush,
        usage_interval: config.control.usage_interval,
        client_certificates: client_certificates(config),
    }
}

fn prices(config: &Config) -> Vec<PriceList> {
    let by_version: BTreeMap<_, _> =
        config.pools.values().map(|pool| (pool.prices.version(), pool.prices)).collect();
    by_version.into_iter().map(|(version, prices)| PriceList { version, prices }).collect()
}

fn static_keys(config: &Config) -> Vec<StaticKey> {
    let mut keys: Vec<_> =
        config.tenants.iter().flat_map(|(name, tenant)| keys_of(name, tenant)).collect();
    keys.sort_by(|a, b| a.entry.id.cmp(&b.entry.id));
    keys
}

fn keys_of(name: &TenantName, tenant: &Tenant) -> impl Iterator<Item = StaticKey> {
    tenant.keys.iter().map(move |key| static_key(name, key))
}

fn static_key(tenant: &TenantName, key: &Key) -> StaticKey {
    StaticKey {
        sha256: key.sha256.to_string(),
        entry: KeyEntry {
            id: key.id(tenant),
            tenant: tenant.to_string(),
            user: text(key.user.as_ref()),
            roles: texts(&key.roles),
            models: texts(&key.models),
            masking: text(key.masking.as_ref()),
            limits: text(key.limits.as_ref()),
            budget: key.budget.is_some(),
            expires_at_s: key.expires_at_s,
        },
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Member, Prices, UsageFlush};
    use model::ids::{ModelName, PoolName};
    use std::io;
    use std::path::Path;
    use std::time::Duration;

    pub(crate) const EXAMPLE: &str = r#"
version: 1
gateway:
  { listen: 127.0.0.1:9000, max_body: 1MiB, expose_pool: true, workers: 2, tls: { cert: c, key: k, client_ca: a } }
control: { usage_flush: 10ms, database: "postgres://u:made-up-password@db.example/tollgate" }
pools:
  big:
    engine: vllm
    model: Big
    context: 4096
    max_tokens: 512
    template_tokens: 9
    medium_tokens: 99
    endpoints: [http://10.0.0.1:8000, "http://[fd00::1]:8000", http://10.0.0.2:8000]
    balance: { by: round_robin }
    health: { interval: 30s }
    price: { input: 0.60, cached_input: 0.15, output: 1.80, image: 0.5 }
    timeout: 2s
    allow_fields: [top_k]
    media: { kinds: [image], max_pages: 7 }
  other: { engine: tgi, model: Other, endpoints: [https://10.0.0.9, https://engine.example] }
  small: { engine: tgi, model: Small, endpoints: [http://10.0.0.9:1] }
models: { chat: big, chat-2: { split: [{ pool: other }], masking: strict, limits: fast } }
roles: { user: { models: ["*"], paths: [/v1/*], deny: { models: [secret] } } }
limits:
  fast: { requests_per_minute: 5, burst: 7, concurrent: 9 }
  slow: { concurrent: 2 }
  idle: { tokens_per_minute: 1 }
organisations: { north: { budget: { dollars: 900, per: month } }, south: {} }
tenants:
  zoo: { keys: [{ name: a, sha256: "1111111111111111111111111111111111111111111111111111111111111111" }] }
  acme:
    models: [chat]
    deny: { paths: [/v1/embeddings] }
    organisation: north
    limits: slow
    budget: { dollars: 20, per: hour }
    users: { roles: { lee: [user] }, limits: fast, budget: { dollars: 2, per: day }, from: body }
    mtls: ["spiffe://acme/*"]
    masking: default
    hmac: [{ id: partner, secret: 0123456789abcdef }]
    keys:
      - name: ci
        sha256: "ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB"
        roles: [user]
        models: ["chat*"]
        user: kim
        limits: slow
        budget: { dollars: 0.000000003, per: total }
        expires: 1970-01-02
        masking: strict
masking:
  key: made-up-key-of-tags
  policies:
    default: { external: { url: http://analyzer.example/analyze } }
    strict:
      types: { default: mask }
      deny_words: [bluefin]
      external: { url: "https://[::1]:5002?v=1", timeout: 1s, entities: { PERSON: PERSON } }
auth:
  stale_for: 1m
  failures_per_minute: 9
  hmac: { max_skew: 60s, nonces: shared }
  jwt:
    - { issuer: ci, jwks: file:jwks.json, tenants: [zoo] }
    - issuer: login
      audiences: [gate]
      jwks: https://login.example/keys
      refresh: 5m
      claims: { tenant: org, user: mail, roles: groups }
      tenants: [acme, zoo]
      roles: [user]
"#;

    struct Nothing;

    impl model::Sources for Nothing {
        fn var(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, _: &Path) -> io::Result<String> {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    static NO_MEMBERS: BTreeMap<PoolName, Vec<Member>> = BTreeMap::new();
    static NO_ROLLOUTS: BTreeMap<ModelName, BTreeMap<PoolName, u32>> = BTreeMap::new();
    static NO_POOLS: BTreeMap<PoolName, u8> = BTreeMap::new();

    pub(crate) fn config(text: &str) -> Config {
        let config = model::load(text, Path::new("/"), &Nothing);
        config.unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    /// Inputs without servers, rollouts and chains.
    pub(crate) fn inputs(config: &Config) -> Inputs<'_> {
        Inputs {
            config,
            members: &NO_MEMBERS,
            rollouts: &NO_ROLLOUTS,
            spilling: &NO_POOLS,
            chains: false,
        }
    }

    pub(crate) fn plan(text: &str) -> Plan {
        build(&inputs(&config(text)))
    }

    #[test]
    fn the_listener() {
        let expected = ListenerPlan {
            address: "127.0.0.1:9000".parse().unwrap(),
            max_body_bytes: 1 << 20,
            stream_idle_timeout: Duration::from_secs(60),
            usage_flush: UsageFlush::Within(Duration::from_millis(10)),
            usage_interval: Duration::from_secs(1),
            client_certificates: true,
        };
        assert_eq!(plan(EXAMPLE).listener, expected);
    }

    #[test]
    fn there_is_a_journal_where_no_line_may_wait() {
        assert!(!plan(EXAMPLE).filter.journal);
        let line = EXAMPLE.replace("usage_flush: 10ms", "usage_flush: line");
        assert!(plan(&line).filter.journal);
    }

    #[test]
    fn each_price_list_once() {
        let prices = plan(EXAMPLE).prices;
        let versions: Vec<_> = prices.iter().map(|list| list.version.as_str()).collect();
        assert_eq!(versions, ["i0-c0-o0", "i600000000-c150000000-o1800000000-m500000000"]);
        assert_eq!(prices[0].prices, Prices::default());
        assert_eq!(prices[1].prices.output, 1_800_000_000);
    }

    #[test]
    fn keys_by_their_ids() {
        let keys = plan(EXAMPLE).static_keys;
        assert_eq!(keys[0].sha256, "ab".repeat(32));
        let expected = KeyEntry {
            id: "yaml:acme/ci".to_owned(),
            tenant: "acme".to_owned(),
            user: Some("kim".to_owned()),
            roles: vec!["user".to_owned()],
            models: vec!["chat*".to_owned()],
            masking: Some("strict".to_owned()),
            limits: Some("slow".to_owned()),
            budget: true,
            expires_at_s: Some(86_400),
        };
        assert_eq!(keys[0].entry, expected);
        assert_eq!(keys[1].entry.id, "yaml:zoo/a");
        assert_eq!((&keys[1].entry.roles, keys.len()), (&Vec::new(), 2));
        assert_eq!((&keys[1].entry.limits, keys[1].entry.budget), (&None, false));
    }

    #[test]
    fn nothing_to_serve_is_a_plan() {
        let plan = plan("version: 1");
        assert!(plan.pools.is_empty() && plan.prices.is_empty() && plan.filter.tenants.is_empty());
    }
}
