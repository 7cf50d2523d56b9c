//! Requests that several pools may serve, one after another.

use super::*;
use chat::attempt;
use contract::attempt::{Bodies, PoolBody};
use contract::limits::ATTEMPTS_MAX;
use contract::masking::{MaskingConfig, MaskingPolicyConfig};
use contract::policy::{Engine, GatewayConfig, MediaConfig, MediaKind, ModelConfig, ShadowConfig};
use routing::chain::header;

/// `llama` is served by `big`, then by `small`, then by `spare`.
pub(super) fn chained(change: impl FnOnce(&mut GatewayConfig)) -> GatewayConfig {
    let mut config = config();
    let spare = PoolConfig { cluster: "pool/spare".into(), ..config.pools["small"].clone() };
    config.pools.insert("spare".into(), spare);
    let fallback = vec!["small".to_owned(), "spare".to_owned()];
    config.models.insert("llama".into(), ModelConfig { fallback, ..ModelConfig::of_pool("big") });
    change(&mut config);
    config
}

/// A request on its way.
pub(super) struct Left {
    edits: Vec<HeaderEdit>,
    /// As it left.
    body: String,
    pub(super) bodies: Option<Bodies>,
    forwarded: Forwarded,
}

impl Left {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.edits.iter().find(|edit| edit.name == name)?.value.as_deref()
    }

    /// The pools that it may reach.
    fn pools(&self) -> Vec<&str> {
        let others = self.forwarded.onward.others.iter().map(|stop| &stop.pool);
        let all = std::iter::once(&self.forwarded.pool).chain(others);
        all.map(|route| route.pool.as_str()).collect()
    }

    /// What a pool gets.
    fn at(&self, cluster: &str) -> String {
        let Some(bodies) = &self.bodies else { return self.body.clone() };
        told(bodies.pools.iter().find(|pool| pool.cluster == cluster).unwrap(), &self.body)
    }
}

/// The body of a pool, by what it is told of the one that left: the role `engine` makes it.
fn told(pool: &PoolBody, left: &str) -> String {
    String::from_utf8(attempt::body(pool, left.as_bytes()).unwrap()).unwrap()
}

pub(super) fn leave(config: &GatewayConfig, body: &str) -> Left {
    leave_held(config, &hold("acme"), body)
}

pub(super) fn leave_held(config: &GatewayConfig, held: &Held, came: &str) -> Left {
    let (table, fleet) = (Memory::default(), Fleet::default());
    let material = Material { key: Some(b"made-up key"), ..Material::default() };
    let setting = Setting { material, till: &till(&table), fleet: &fleet, may_ask: true };
    match on_body(&Policy::compile(config).unwrap(), held, came.as_bytes(), &setting) {
        Decision::Forward { edits, body, bodies, forwarded } => Left {
            edits,
            body: body.map_or_else(|| came.to_owned(), |body| String::from_utf8(body).unwrap()),
            bodies: bodies.map(|told| serde_json::from_slice(&told).unwrap()),
            forwarded: *forwarded,
        },
        other => panic!("{other:?}"),
    }
}

pub(super) const BODY: &str = r#"{"model":"llama","messages":[]}"#;

#[test]
fn one_pool_needs_nothing_more() {
    let left = leave(&config(), BODY);
    assert_eq!(left.edits.len(), 2);
    assert_eq!(left.pools(), ["big"]);
    assert!(left.bodies.is_none() && !left.forwarded.may_land_elsewhere());
}

#[test]
fn several_pools_are_a_chain() {
    let left = leave(&chained(|_| {}), BODY);
    let names = header(["pool/big", "pool/small", "pool/spare"]);
    assert_eq!(left.header("x-tollgate-chain"), Some(names.as_str()));
    assert_eq!(left.header("x-tollgate-pool"), None);
    assert_eq!(left.header("x-envoy-max-retries"), Some("2"));
    assert_eq!(left.pools(), ["big", "small", "spare"]);
    assert!(left.bodies.is_none(), "all of them call the model the same");
    assert!(left.forwarded.may_land_elsewhere() && !left.forwarded.onward.is_sent_once);
    assert_eq!(left.forwarded.who.pool.as_deref(), Some("big"));
}

#[test]
fn a_chain_in_bytes_as_envoy_reads_it() {
    // Value { list_value: { values: [{ struct_value: { fields: { name: "a" } } }] } }
    let bytes = [
        &[0x32, 0x11, 0x0a, 0x0f, 0x2a, 0x0d, 0x0a, 0x0b, 0x0a, 0x04][..],
        b"name",
        &[0x12, 0x03, 0x1a, 0x01],
        b"a",
    ];
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes.concat());
    assert_eq!(header(["a"]), encoded);
}

#[test]
fn attempts_and_their_times() {
    let pools = |config: &mut GatewayConfig,
                 big: (u32, u64, Option<u64>),
                 small: (u32, u64, Option<u64>)| {
        for (name, (retries, timeout_ms, first)) in [("big", big), ("small", small)] {
            let pool = config.pools.get_mut(name).unwrap();
            (pool.retries, pool.timeout_ms) = (retries, timeout_ms);
            pool.first_token_timeout_ms = first;
        }
        config.models.get_mut("llama").unwrap().fallback = vec!["small".into()];
    };
    let none = None;
    // Of a whole answer, of a stream: what Envoy is told of retries, of one attempt, of all.
    let table = [
        ((0, 7, none), (0, 9, none), [Some("1"), Some("9"), Some("16")], [Some("1"), None, None]),
        ((2, 7, none), (1, 9, none), [Some("4"), Some("9"), Some("39")], [Some("4"), None, None]),
        (
            (0, 7, Some(3)),
            (0, 9, Some(5)),
            [Some("1"), Some("9"), Some("16")],
            [Some("1"), Some("5"), None],
        ),
        (
            (0, 7, Some(3)),
            (0, 9, none),
            [Some("1"), Some("9"), Some("16")],
            [Some("1"), Some("9"), None],
        ),
        (
            (0, 7, none),
            (0, 9, Some(5)),
            [Some("1"), Some("9"), Some("16")],
            [Some("1"), None, None],
        ),
        (
            (0, 5_000_000, none),
            (0, 9, none),
            [Some("1"), Some("5000000"), Some("5000000")],
            [Some("1"), None, None],
        ),
        (
            (0, 3_000_000, none),
            (0, 3_000_000, none),
            [Some("1"), Some("3000000"), Some("3600000")],
            [Some("1"), None, None],
        ),
    ];
    for (big, small, whole, stream) in table {
        let config = chained(|config| pools(config, big, small));
        for (body, expected) in
            [(BODY, whole), (r#"{"model":"llama","messages":[],"stream":true}"#, stream)]
        {
            let left = leave(&config, body);
            let told = [
                "x-envoy-max-retries",
                "x-envoy-upstream-rq-per-try-timeout-ms",
                "x-envoy-upstream-rq-timeout-ms",
            ]
            .map(|name| left.header(name));
            assert_eq!(told, expected, "{big:?} {small:?} {body}");
        }
    }
}

#[test]
fn further_servers_of_one_pool_need_no_chain() {
    let mut config = config();
    let pool = config.pools.get_mut("big").unwrap();
    (pool.retries, pool.first_token_timeout_ms) = (1, Some(500));
    let left = leave(&config, r#"{"model":"llama","stream":true}"#);
    assert_eq!(left.header("x-tollgate-pool"), Some("pool/big"));
    assert_eq!(left.header("x-envoy-max-retries"), Some("1"));
    assert_eq!(left.header("x-envoy-upstream-rq-per-try-timeout-ms"), Some("500"));
    assert_eq!(left.pools(), ["big"]);
}

#[test]
fn a_stream_whose_first_token_has_a_time_is_watched() {
    // Retries, time to the first token, silence that ends a stream: is it watched?
    let table = [
        (1, Some(500), 501, true),
        (1, Some(500), 500, false),
        (1, None, 501, false),
        (0, Some(500), 501, false),
    ];
    for (retries, first, silence_ms, expected) in table {
        let mut config = config();
        config.stream_idle_timeout_ms = silence_ms;
        let pool = config.pools.get_mut("big").unwrap();
        (pool.retries, pool.first_token_timeout_ms) = (retries, first);
        let left = leave(&config, r#"{"model":"llama","stream":true}"#);
        let is_timed = left.header("x-envoy-upstream-rq-per-try-timeout-ms").is_some();
        let told = (left.forwarded.onward.is_watched, is_timed);
        assert_eq!(told, (expected, expected), "{retries} {first:?} {silence_ms}");
        assert!(!leave(&config, BODY).forwarded.onward.is_watched);
    }
}

#[test]
fn there_are_never_more_attempts_than_envoy_has_groups_for() {
    let config = chained(|config| {
        config.pools.values_mut().for_each(|pool| pool.retries = 3);
    });
    let left = leave(&config, BODY);
    let retries: usize = left.header("x-envoy-max-retries").unwrap().parse().unwrap();
    assert_eq!(retries + 1, ATTEMPTS_MAX);
    assert_eq!(left.pools(), ["big", "small"]);
}

#[test]
fn without_chains_of_envoy_the_first_pool_is_alone() {
    let config = chained(|config| config.chains = false);
    let left = leave(&config, BODY);
    assert_eq!(left.pools(), ["big"]);
    assert_eq!(left.header("x-tollgate-pool"), Some("pool/big"));
}

#[test]
fn what_is_too_large_is_sent_once() {
    let text = "x".repeat(200);
    let body = format!(r#"{{"model":"llama","messages":[],"user":"{text}"}}"#);
    let limited = |bytes| chained(|config| config.replay_bytes = bytes);
    let sent = leave(&limited(1_000), &body).body.len() as u64;
    let left = leave(&limited(sent), &body);
    assert_eq!(left.pools(), ["big", "small", "spare"]);
    let left = leave(&limited(sent - 1), &body);
    assert_eq!(left.pools(), ["big"]);
    assert!(left.forwarded.onward.is_sent_once);
    assert_eq!(left.header("x-tollgate-pool"), Some("pool/big"));
    assert_eq!(left.header("x-envoy-max-retries"), Some("0"));
    assert_eq!(left.header("x-envoy-upstream-rq-timeout-ms"), Some("120000"));
    let alone = GatewayConfig { replay_bytes: 1, ..config() };
    assert!(!leave(&alone, &body).forwarded.onward.is_sent_once, "nothing is lost");
}

const IMAGE: &str = r#"{"model":"llama","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}}]}]}"#;

/// A pool that may not take a request is passed over; the first one refuses it.
#[test]
fn pools_that_may_not_serve_a_request_are_passed_over() {
    let long = format!(
        r#"{{"model":"llama","messages":[{{"role":"user","content":"{}"}}]}}"#,
        "word ".repeat(100)
    );
    let room = r#"{"model":"llama","messages":[],"max_tokens":60}"#;
    let field = r#"{"model":"llama","messages":[],"top_k":1}"#;
    let picture =
        r#"{"model":"llama","messages":[{"role":"user","content":"![](http://192.0.2.1/)"}]}"#;
    let salt = r#"{"model":"llama","messages":[],"cache_salt":"mine"}"#;
    type Change = fn(&mut GatewayConfig);
    let table: [(&str, Change, &[&str]); 9] = [
        (field, |config| allow(config, &["big", "spare"], "top_k"), &["big", "spare"]),
        (
            field,
            |config| allow(config, &["big", "small", "spare"], "top_k"),
            &["big", "small", "spare"],
        ),
        (
            IMAGE,
            |config| {
                let deaf = MediaConfig { kinds: vec![MediaKind::Audio], ..MediaConfig::default() };
                config.pools.get_mut("small").unwrap().media = deaf;
            },
            &["big", "spare"],
        ),
        (&long, |config| config.pools.get_mut("small").unwrap().context = 60, &["big", "spare"]),
        (
            &long,
            |config| config.pools.get_mut("small").unwrap().context = 70,
            &["big", "small", "spare"],
        ),
        (room, |config| config.pools.get_mut("spare").unwrap().context = 59, &["big", "small"]),
        (
            room,
            |config| config.pools.get_mut("spare").unwrap().context = 60,
            &["big", "small", "spare"],
        ),
        (
            picture,
            |config| config.pools.get_mut("small").unwrap().engine = Engine::Tgi,
            &["big", "spare"],
        ),
        (
            salt,
            |config| {
                allow(config, &["big", "small", "spare"], "cache_salt");
                let pool = config.pools.get_mut("spare").unwrap();
                (pool.engine, pool.cache_salt) = (Engine::Vllm, true);
            },
            &["big", "small"],
        ),
    ];
    for (body, change, pools) in table {
        let left = leave(&chained(change), body);
        assert_eq!(left.pools(), pools, "{body}");
        let clusters: Vec<_> = pools.iter().map(|pool| format!("pool/{pool}")).collect();
        let names = header(clusters.iter().map(String::as_str));
        assert_eq!(left.header("x-tollgate-chain"), Some(names.as_str()), "{body}");
    }
}

fn allow(config: &mut GatewayConfig, pools: &[&str], field: &str) {
    for pool in pools {
        config.pools.get_mut(*pool).unwrap().allow_fields = vec![field.into()];
    }
}

#[test]
fn where_all_others_are_passed_over_the_first_is_alone() {
    let config = chained(|config| allow(config, &["big"], "top_k"));
    let left = leave(&config, r#"{"model":"llama","messages":[],"top_k":1}"#);
    assert_eq!(left.pools(), ["big"]);
    assert_eq!(left.header("x-tollgate-pool"), Some("pool/big"));
    assert_eq!(left.header("x-envoy-max-retries"), None);
}

/// What each engine would have been sent by itself, to the byte.
#[test]
fn each_pool_gets_its_own_body() {
    let table = [
        BODY,
        r#"{"model" : "llama","messages":[],"stream":true}"#,
        r#"{"stream_options":{"include_usage":false},"stream":true,"messages":[],"model":"llama"}"#,
        r#"{"model":"llama","messages":[],"max_tokens":7}"#,
        r#"{"model":"llama","messages":[{"role":"user","content":"mail ann@example.com or call 010-1234-5678"}]}"#,
    ];
    let config = distinct();
    for body in table {
        let left = leave(&config, body);
        assert!(!left.body.contains("ann@example.com"), "{body}");
        for pool in ["big", "small", "spare"] {
            let alone = GatewayConfig {
                models: [("llama".to_owned(), ModelConfig::of_pool(pool))].into(),
                ..config.clone()
            };
            let expected = leave(&alone, body).body;
            assert_eq!(left.at(&format!("pool/{pool}")), expected, "{pool}: {body}");
        }
        let bodies = left.bodies.unwrap();
        assert_eq!(bodies.pools.len(), 3, "the first one as well");
        assert!(bodies.pools[0].edits.is_empty());
    }
}

/// Three pools that want three bodies, of a tenant whose requests are masked.
fn distinct() -> GatewayConfig {
    chained(|config| {
        let pool = |config: &mut GatewayConfig, name: &str, model: &str, engine, salt, max| {
            let pool = config.pools.get_mut(name).unwrap();
            (pool.model, pool.engine, pool.cache_salt) = (model.to_owned(), engine, salt);
            pool.max_tokens = max;
        };
        pool(config, "big", "meta/Llama", Engine::Vllm, true, Some(900));
        pool(config, "small", "llama", Engine::Openai, false, None);
        pool(config, "spare", "라마 \"3\"", Engine::Sglang, true, Some(50));
        let masking = MaskingPolicyConfig::default();
        config.masking = MaskingConfig { policies: [("p".to_owned(), masking)].into() };
        config.tenants.get_mut("acme").unwrap().masking = Some("p".into());
    })
}

#[test]
fn a_form_goes_to_each_pool_under_its_own_name() {
    let config = distinct();
    let left = leave_held(&config, &bodies::hold_form(), bodies::FORM);
    assert_eq!(left.pools(), ["big", "small", "spare"]);
    for (cluster, name) in
        [("pool/big", "meta/Llama"), ("pool/small", "llama"), ("pool/spare", "라마 \"3\"")]
    {
        let expected = bodies::FORM.replace("\r\nllama\r\n", &format!("\r\n{name}\r\n"));
        assert_eq!(left.at(cluster), expected);
    }
}

#[test]
fn a_pool_that_answers_is_the_one_that_is_told_of() {
    let mut config = distinct();
    config.pools.get_mut("spare").unwrap().price_version = "v2".into();
    let body = r#"{"model":"llama","messages":[],"stream":true}"#;
    let table = Memory::default();
    for (cluster, pool, price, lands) in [
        ("pool/big", "big", "v1", false),
        ("pool/spare", "spare", "v2", true),
        ("pool/unknown", "big", "v1", false),
    ] {
        let mut forwarded = leave(&config, body).forwarded;
        let of_first = forwarded.answers;
        assert_eq!(forwarded.land(cluster, &table), lands, "{cluster}");
        assert_eq!(forwarded.who.pool.as_deref(), Some(pool));
        assert_eq!(forwarded.who.price_version.as_deref(), Some(price));
        assert_eq!(forwarded.pool.pool, pool);
        assert_eq!(forwarded.answers != of_first, lands, "SGLang writes nulls unasked");
        assert!(!forwarded.land(cluster, &table), "once");
    }
}

pub(super) fn shadowed(per_million: u32, pool: &str) -> GatewayConfig {
    let mut config = distinct();
    let shadow = Some(ShadowConfig { pool: pool.into(), per_million });
    config.models.insert("llama".into(), ModelConfig { shadow, ..ModelConfig::of_pool("big") });
    config
}

#[test]
fn a_copy_goes_to_another_pool_with_its_own_body() {
    let left = leave(&shadowed(1_000_000, "spare"), BODY);
    assert_eq!(left.header("x-tollgate-pool"), Some("pool/big"));
    assert_eq!(left.header("x-tollgate-shadow"), Some("pool/spare"));
    let body = left.header("x-tollgate-shadow-body").unwrap();
    assert!(body.is_ascii(), "{body}");
    let pool: PoolBody = serde_json::from_str(body).unwrap();
    assert_eq!(pool.cluster, "pool/spare");
    assert!(told(&pool, &left.body).contains(r#""model":"라마 \"3\"""#));
    assert_eq!(left.pools(), ["big"], "a copy answers nobody");
    assert_eq!(left.forwarded.who.pool.as_deref(), Some("big"));
}

#[test]
fn requests_that_have_no_copy() {
    for (config, body) in [
        (shadowed(0, "spare"), BODY),
        (shadowed(1_000_000, "big"), BODY),
        (shadowed(1_000_000, "spare"), r#"{"model":"llama","messages":[],"max_tokens":60}"#),
    ] {
        let mut config = config;
        config.pools.get_mut("spare").unwrap().context = 50;
        let left = leave(&config, body);
        assert_eq!(left.header("x-tollgate-shadow"), None, "{body}");
        assert_eq!(left.header("x-tollgate-shadow-body"), None, "{body}");
    }
}

#[test]
fn a_copy_that_cannot_be_told_is_not_sent() {
    let mut config = shadowed(1_000_000, "spare");
    config.chains = false;
    assert_eq!(leave(&config, BODY).header("x-tollgate-shadow"), None, "it gets another body");
    let alike = config.pools["big"].clone();
    config.pools.insert("spare".into(), PoolConfig { cluster: "pool/spare".into(), ..alike });
    let left = leave(&config, BODY);
    assert_eq!(left.header("x-tollgate-shadow"), Some("pool/spare"), "it gets the same");
    assert_eq!(left.header("x-tollgate-shadow-body"), None);
}

#[test]
fn a_share_of_the_requests_has_a_copy() {
    let mut config = shadowed(250_000, "spare");
    config.tenants.get_mut("acme").unwrap().masking = None;
    let policy = Policy::compile(&config).unwrap();
    let copies = (0..2_000).filter(|n| {
        let mut held = hold("acme");
        held.opened.request_id = format!("00000000-0000-4000-8000-{n:012}");
        let Decision::Forward { edits, .. } = decided(&policy, &held, BODY.as_bytes()) else {
            panic!("{n}")
        };
        edits.iter().any(|edit| edit.name == "x-tollgate-shadow")
    });
    let copies = copies.count();
    assert!((400..600).contains(&copies), "{copies}");
}
