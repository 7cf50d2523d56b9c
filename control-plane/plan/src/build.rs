//! A configuration becomes decisions.

use crate::budgets::budgets;
use crate::filter::{client_certificates, filter, issuers, text, texts};
use crate::masking::detectors;
use crate::{
    Endpoints, HealthPlan, Inputs, ListenerPlan, Member, Plan, PoolPlan, PriceList, StaticKey,
};
use contract::keyring::KeyEntry;
use contract::names::pool_cluster;
use model::ids::{PoolName, TenantName};
use model::{Config, Endpoint, Health, Host, Key, Pool, Source, Tenant};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// How long a connection to an inference server may take to be made. They are
/// on the same network; one that needs longer is as good as gone.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that was taken out is tried again within this time.
const UNHEALTHY_INTERVAL_MAX: Duration = Duration::from_secs(10);

/// Longest wait for the answer to a health check.
const HEALTH_TIMEOUT_MAX: Duration = Duration::from_secs(5);

/// Decides everything that follows from `inputs`.
#[must_use]
pub fn build(inputs: &Inputs<'_>) -> Plan {
    let config = inputs.config;
    let planned = |(name, pool)| pool_plan(name, pool, inputs.members.get(name));
    Plan {
        listener: listener(config),
        pools: config.pools.iter().map(planned).collect(),
        filter: filter(config),
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

fn pool_plan(name: &PoolName, pool: &Pool, members: Option<&Vec<Member>>) -> PoolPlan {
    PoolPlan {
        name: name.to_string(),
        cluster: pool_cluster(name.as_str()),
        endpoints: members.map_or_else(|| endpoints(&pool.endpoints), |all| members_of(all)),
        tls: is_tls(pool),
        named: is_named(pool),
        balance: pool.balance,
        health: pool.health.as_ref().map(health),
        ejection: pool.ejection.clone(),
        connect_timeout: CONNECT_TIMEOUT.min(pool.timeout),
        timeout: pool.timeout,
    }
}

fn is_tls(pool: &Pool) -> bool {
    match &pool.discover {
        Some(discovery) => discovery.tls,
        None => pool.endpoints.iter().any(|endpoint| endpoint.tls),
    }
}

/// A source in the DNS finds nothing but names; whatever else may be addresses.
fn is_named(pool: &Pool) -> bool {
    match &pool.discover {
        Some(discovery) => matches!(discovery.source, Source::Dns(_)),
        None => pool.endpoints.iter().all(|endpoint| matches!(endpoint.host, Host::Name(_))),
    }
}

fn members_of(all: &[Member]) -> Endpoints {
    let mut members = all.to_vec();
    members.sort();
    Endpoints::Members(members)
}

fn endpoints(all: &[Endpoint]) -> Endpoints {
    let members: Option<Vec<Member>> = all.iter().map(member).collect();
    match members {
        Some(members) => members_of(&members),
        None => Endpoints::Names(all.iter().map(|e| (e.host.clone(), e.port)).collect()),
    }
}

/// A server by its address, when it has one.
fn member(endpoint: &Endpoint) -> Option<Member> {
    let Host::Ip(ip) = endpoint.host else { return None };
    let address = SocketAddr::new(ip, endpoint.port);
    Some(Member { address, hostname: None, draining: false, weight: None })
}

fn health(health: &Health) -> HealthPlan {
    HealthPlan {
        path: health.path.clone(),
        interval: health.interval,
        unhealthy_interval: health.interval.min(UNHEALTHY_INTERVAL_MAX),
        timeout: health.interval.min(HEALTH_TIMEOUT_MAX),
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
    use crate::{Balance, Prices, UsageFlush};
    use std::io;
    use std::path::Path;

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

    pub(crate) fn plan(text: &str) -> Plan {
        match model::load(text, Path::new("/"), &Nothing) {
            Ok(config) => build(&Inputs { config: &config, members: &BTreeMap::new() }),
            Err(problems) => panic!("{problems:?}"),
        }
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
    fn a_pool_of_addresses() {
        let member = |address: &str| Member {
            address: address.parse().unwrap(),
            hostname: None,
            draining: false,
            weight: None,
        };
        let addresses = ["10.0.0.1:8000", "10.0.0.2:8000", "[fd00::1]:8000"];
        let expected = PoolPlan {
            name: "big".to_owned(),
            cluster: "pool/big".to_owned(),
            endpoints: Endpoints::Members(addresses.map(member).to_vec()),
            tls: false,
            named: false,
            balance: Balance::RoundRobin,
            health: Some(HealthPlan {
                path: "/health".to_owned(),
                interval: Duration::from_secs(30),
                unhealthy_interval: Duration::from_secs(10),
                timeout: Duration::from_secs(5),
            }),
            ejection: crate::Ejection::default(),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(2),
        };
        assert_eq!(plan(EXAMPLE).pools[0], expected);
    }

    #[test]
    fn one_name_makes_a_pool_of_names() {
        let pool = &plan(EXAMPLE).pools[1];
        let ip = Host::Ip("10.0.0.9".parse().unwrap());
        let name = Host::Name("engine.example".to_owned());
        assert_eq!(pool.endpoints, Endpoints::Names(vec![(ip, 443), (name, 443)]));
        assert_eq!((pool.tls, &pool.health, pool.balance), (true, &None, Balance::LeastRequest));
        assert_eq!(pool.connect_timeout, Duration::from_secs(5));
    }

    #[test]
    fn the_servers_of_now_take_the_place_of_the_configured_ones() {
        let Ok(config) = model::load(EXAMPLE, Path::new("/"), &Nothing) else { panic!() };
        let member = |address: &str, draining| Member {
            address: address.parse().unwrap(),
            hostname: Some("engine.example".to_owned()),
            draining,
            weight: Some(7),
        };
        let now = vec![member("10.0.0.2:8000", true), member("10.0.0.1:8000", false)];
        let small = PoolName::parse("small").unwrap();
        let members = BTreeMap::from([(small.clone(), now.clone())]);
        let plan = build(&Inputs { config: &config, members: &members });
        let expected = vec![now[1].clone(), now[0].clone()];
        assert_eq!(plan.pools[2].endpoints, Endpoints::Members(expected));
        let nobody = BTreeMap::from([(small, Vec::new())]);
        let plan = build(&Inputs { config: &config, members: &nobody });
        assert_eq!(plan.pools[2].endpoints, Endpoints::Members(Vec::new()));
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
