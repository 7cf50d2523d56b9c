//! Whole configurations: what is accepted and with which meaning, and what is
//! said of those that are not.

use crate::sources::tests::Fixed;
use crate::{
    Affinity, AffinityBounds, Balance, Config, Engine, Health, Sticky, UsageFlush, XdsPort, load,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Every field that is built.
pub(crate) const WHOLE: &str = include_str!("../fixtures/whole.yaml");

/// The example that the product is described by.
const DOCUMENTED: &str = include_str!("../fixtures/documented.yaml");

pub(crate) fn sources() -> Fixed {
    Fixed(BTreeMap::from([
        ("VLLM_KEY", "made-up-engine-key"),
        ("TOKEN", "0123456789abcdef-secret"),
        ("SHORT", "hunter 2"),
        ("PORT", "9000"),
        ("PARTNER_SECRET", "fedcba9876543210-secret"),
        ("TOLLGATE_MASKING_KEY", "made-up-key-of-placeholders"),
        ("/etc/tollgate/llama.price", "0.25\n"),
    ]))
}

fn read(text: &str) -> Result<Config, String> {
    load(text, Path::new("/etc/tollgate"), &sources()).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

pub(crate) fn accepted(text: &str) -> Config {
    read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refused(text: &str) -> String {
    read(text).err().unwrap_or_default()
}

#[test]
fn a_whole_configuration() {
    let config = accepted(WHOLE);
    let gateway = &config.gateway;
    assert_eq!(gateway.listen.to_string(), "0.0.0.0:9000");
    assert_eq!((gateway.max_body_bytes, gateway.expose_pool), (1 << 20, true));
    assert_eq!(gateway.stream_idle_timeout, Duration::from_secs(300));
    assert_eq!(gateway.workers.map(u32::from), Some(2));
    let control = &config.control;
    assert_eq!(control.admin.to_string(), "127.0.0.1:0");
    let token = control.admin_token.as_ref().map(crate::Secret::reveal);
    assert_eq!(token, Some("0123456789abcdef-secret"));
    assert_eq!(control.data, Path::new("/var/lib/tollgate"));
    assert_eq!(control.wasm, Path::new("/etc/tollgate/gateway.wasm"));
    assert_eq!(control.usage_flush, UsageFlush::Within(Duration::from_millis(10)));
    assert_eq!(control.usage_interval, Duration::from_millis(100));
}

#[test]
fn a_whole_pool() {
    let config = accepted(WHOLE);
    let pool = &config.pools["llama-70b"];
    assert_eq!((pool.engine, pool.balance), (Engine::Vllm, Balance::RoundRobin));
    assert_eq!(pool.model.as_str(), "meta-llama/Llama-3.3-70B-Instruct");
    assert_eq!(pool.context.map(u64::from), Some(131_072));
    let endpoints: Vec<_> = pool.endpoints.iter().map(ToString::to_string).collect();
    assert_eq!(endpoints, ["http://10.0.0.11:8000", "http://10.0.0.12:8000"]);
    let health = Health { path: "/healthz?deep=1".into(), interval: Duration::from_secs(2) };
    assert_eq!(pool.health, Some(health));
    let prices = (pool.prices.input, pool.prices.cached_input, pool.prices.output);
    assert_eq!(prices, (600_000_000, 250_000_000, 1_800_000_000));
    assert_eq!(pool.timeout, Duration::from_secs(90));
}

#[test]
fn a_pool_with_nothing_said() {
    let config = accepted(WHOLE);
    let pool = &config.pools["plain"];
    assert_eq!((pool.engine, pool.balance), (Engine::Openai, Balance::LeastRequest));
    assert_eq!((pool.context, &pool.health), (None, &None));
    assert_eq!(pool.timeout, Duration::from_secs(120));
    let prices = (pool.prices.input, pool.prices.cached_input, pool.prices.output);
    assert_eq!(prices, (1_000_000_000, 1_000_000_000, 0), "cached is as dear as input");
}

#[test]
fn models_roles_and_tenants() {
    let config = accepted(WHOLE);
    assert_eq!(config.models["llama"].split[0].pool.as_str(), "llama-70b");
    assert_eq!(config.models["gpt-4.1"].split[0].pool.as_str(), "plain");
    assert_eq!(config.roles["batch"].rules.models[0].as_str(), "qwen-*");
    let all: Vec<_> = config.tenants["free"].may.models.iter().map(AsRef::as_ref).collect();
    assert_eq!(all, ["*"]);
    let acme = &config.tenants["acme"];
    let key = &acme.keys[0];
    assert_eq!(key.id(config.tenants.keys().next().unwrap()), "yaml:acme/ci");
    assert_eq!(key.sha256.to_string(), "ab".repeat(32));
    assert_eq!(key.roles[0].as_str(), "user");
    assert_eq!(key.user.as_ref().map(AsRef::as_ref), Some("kim@example.com"));
    assert_eq!(key.expires_at_s, Some(1_801_353_600));
    assert_eq!((&acme.keys[1].roles, acme.keys[1].expires_at_s), (&Vec::new(), None));
}

#[test]
fn nothing_but_a_version() {
    let config = accepted("version: 1\npools:\nmodels: {}\n");
    assert!(config.pools.is_empty() && config.tenants.is_empty());
    assert_eq!(config.gateway.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.gateway.max_body_bytes, 20 << 20);
    let control = &config.control;
    assert_eq!(control.admin.to_string(), "127.0.0.1:8081");
    assert!(control.xds == XdsPort::loopback("127.0.0.1:18000".parse().unwrap()));
    assert_eq!(control.envoy_admin.to_string(), "127.0.0.1:9901");
    assert_eq!(control.data, Path::new("/etc/tollgate/tollgate-data"));
    assert_eq!(control.wasm, Path::new("/etc/tollgate/target/wasm/gateway.wasm"));
    assert_eq!(control.usage_flush, UsageFlush::Line);
    assert_eq!(control.usage_interval, Duration::from_secs(1));
}

#[test]
fn the_documented_example() {
    let config = accepted(DOCUMENTED);
    let pool = &config.pools["llama-70b"];
    let bounds = AffinityBounds { bound_percent: 150, remember_s: 600 };
    assert_eq!((pool.balance, pool.affinity), (Balance::Load, Affinity::Prefix(bounds)));
    let credentials = pool.credentials.as_ref();
    let shown = credentials.map(|all| (all.header.as_str(), all.value.reveal()));
    assert_eq!(shown, Some(("authorization", "Bearer made-up-engine-key")));
    let model = &config.models["chat-large"];
    let weights: Vec<_> = model.split.iter().map(|share| share.weight).collect();
    assert_eq!((weights, &model.sticky), (vec![95, 5], &Sticky::User));
    assert_eq!(model.fallback[0].as_str(), "qwen-7b");
    let to: Vec<_> = model.rules.iter().map(|rule| rule.split[0].pool.as_str()).collect();
    assert_eq!(to, ["qwen-7b", "qwen-long"]);
    assert_eq!(model.rules[1].when.prompt_tokens_over, Some(30_000));
}

#[test]
fn ten_problems_at_once() {
    let text = include_str!("../fixtures/ten.yaml");
    assert_eq!(refused(text), include_str!("../fixtures/ten.problems.txt").trim_end());
    assert_eq!(refused(text).lines().count(), 10);
}

/// `text` and the one problem it has, after `version: 1` on the first line.
pub(crate) fn check(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(refused(&format!("version: 1\n{text}")), *expected, "{text}");
    }
}

#[test]
fn what_is_wrong_with_the_document() {
    let table = [
        ("", "1:1: `version` is missing; write `version: 1`"),
        (
            "[]",
            "1:1: `version` is missing; write `version: 1`\n1:1: must be a map of fields, not a list",
        ),
        ("version: 2", "1:10: version: `2` is not a version of this format; allowed: 1"),
        ("version:", "1:1: version: is empty; give a value or remove it"),
        ("version: 1\nversion: 1", "2:1: version: stands here a second time; once is allowed"),
        (
            "version: 1\npools: {",
            "3:1: this is not YAML: while parsing a node, did not find expected node content",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(refused(text), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_with_gateway_and_control() {
    check(&[
        (
            "gatway: {}",
            "2:1: gatway: unknown field `gatway`; did you mean gateway? allowed: version, gateway, control, pools, roles, limits, organisations, masking, models, tenants, auth",
        ),
        ("gateway: 1", "2:10: gateway: must be a map of fields, not one value"),
        (
            "gateway:\n  listen: here",
            "3:11: gateway.listen: `here` is not an address to listen on; write IP:PORT, such as 127.0.0.1:8080",
        ),
        ("gateway:\n  listen: [a]", "3:11: gateway.listen: must be one value, not a list"),
        ("gateway:\n  listen:", "3:3: gateway.listen: is empty; give a value or remove it"),
        (
            "gateway: { max_body: 65MiB }",
            "2:22: gateway.max_body: `65MiB` is out of range; allowed: 1KiB to 64MiB",
        ),
        (
            "gateway: { expose_pool: yes }",
            "2:25: gateway.expose_pool: `yes` is neither `true` nor `false`",
        ),
        (
            "gateway: { workers: 0 }",
            "2:21: gateway.workers: `0` is not a whole number from 1 to 1024",
        ),
        (
            "gateway: { listen: 127.0.0.1:8081 }",
            "2:1: gateway: `control.admin` takes the port of `gateway.listen`; give it another",
        ),
        (
            "control: { usage_flush: 2h }",
            "2:25: control.usage_flush: `2h` is out of range; allowed: 1ms to 1m; or `line`",
        ),
        (
            "control: { usage_interval: 1ms }",
            "2:28: control.usage_interval: `1ms` is out of range; allowed: 100ms to 1m",
        ),
        (
            "control: { envoy_admin: 10.0.0.1:1 }",
            "2:25: control.envoy_admin: `10.0.0.1:1` is not a loopback address; allowed: 127.0.0.0/8 and [::1], because Envoy asks nobody there who he is, and takes orders to stop",
        ),
    ]);
}

#[test]
fn secrets_are_not_quoted() {
    check(&[
        (
            "control: { admin_token: hunter 2 }",
            "2:25: control.admin_token: the value is not a token; allowed: 1 to 1024 visible ASCII characters without spaces",
        ),
        (
            "control: { admin_token: $",
            "3:1: this is not YAML: while parsing a flow mapping, did not find expected ',' or '}'",
        ),
        (
            "control: { admin_token: '${SHORT}' }",
            "2:25: control.admin_token: the value is not a token; allowed: 1 to 1024 visible ASCII characters without spaces",
        ),
        (
            "control: { admin_token: '${NONE}' }",
            "2:25: control.admin_token: the environment variable `NONE` is not set",
        ),
        (
            "gateway: { listen: '${SHORT}' }",
            "2:20: gateway.listen: `${SHORT}` is not an address to listen on; write IP:PORT, such as 127.0.0.1:8080",
        ),
        ("models: { m: '${SHORT}' }", "2:14: models.m: `${SHORT}` is no pool; allowed: none"),
        (
            "gateway: { workers: '${file:none}' }",
            "2:21: gateway.workers: the file of ${file:none} cannot be read: entity not found",
        ),
    ]);
}

/// The one problem of a pool with `rest` besides its engine and model.
pub(crate) fn check_pool(table: &[(&str, &str)]) {
    for (rest, expected) in table {
        let text = format!("pools:\n  a: {{ engine: vllm, model: m, {rest} }}");
        check(&[(&text, expected)]);
    }
}

#[test]
fn what_is_wrong_with_endpoints() {
    check_pool(&[
        ("", "3:3: pools.a: `endpoints` is missing; at least one http://HOST:PORT, or `discover`"),
        ("endpoints: []", "3:43: pools.a.endpoints: is empty; at least one http://HOST:PORT"),
        ("endpoints: http://b:1", "3:43: pools.a.endpoints: must be a list, not one value"),
        (
            "endpoints: [http://b:1, 'http://u:hunter2@b:1']",
            "3:56: pools.a.endpoints[1]: the value holds a user; credentials do not belong into an address",
        ),
        (
            "endpoints: [http://b:1, http://b:1]",
            "3:56: pools.a.endpoints[1]: stands here a second time; once is allowed",
        ),
        (
            "endpoints: [http://b:1, https://c:1]",
            "3:56: pools.a.endpoints[1]: mixes http and https in one pool; make it two pools, or all the same",
        ),
        (
            "endpoints: [http://b:1/v1]",
            "3:44: pools.a.endpoints[0]: the value has a path or query; write http://HOST:PORT alone",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_pools() {
    check_pool(&[
        (
            "endpoints: [http://b:1], balance: { by: random }",
            "3:72: pools.a.balance.by: `random` is not known; allowed: round_robin, least_request, load, latency",
        ),
        (
            "endpoints: [http://b:1], health: { path: health }",
            "3:73: pools.a.health.path: `health` is not a path; write one such as /health, without spaces or #",
        ),
        (
            "endpoints: [http://b:1], price: { input: -1 }",
            "3:73: pools.a.price.input: `-1` is negative; allowed: 0 or more dollars",
        ),
        (
            "endpoints: [http://b:1], price: { output: 0.0000000001 }",
            "3:74: pools.a.price.output: `0.0000000001` has too many digits; allowed: 9 after the point",
        ),
        (
            "endpoints: [http://b:1], context: 0",
            "3:66: pools.a.context: `0` is not a whole number from 1 to 1000000000",
        ),
        (
            "endpoints: [http://b:1], timeout: 2m30s",
            "3:66: pools.a.timeout: `2m30s` is not a duration; write a whole number and ms, s, m, h or d, such as 30s",
        ),
    ]);
    check(&[
        (
            "pools:\n  b c:\n",
            "3:3: pools.\"b c\": `b c` is not a name; allowed: letters, digits and . _ : @ / -, a letter or digit first",
        ),
        (
            "pools:\n  a: { engine: vlm, model: m, endpoints: [http://b:1] }",
            "3:16: pools.a.engine: `vlm` is not known; allowed: vllm, sglang, tgi, llamacpp, triton, openai",
        ),
        (
            "pools:\n  a: { engine: tgi, endpoints: [http://b:1] }",
            "3:3: pools.a: `model` is missing; the model's name on the inference servers",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_models_and_roles() {
    let pools = "pools:\n  a: { engine: tgi, model: m, endpoints: [http://b:1] }\n";
    let table = [
        ("models: { m: b }", "4:14: models.m: `b` is no pool; allowed: a"),
        ("models: { m: }", "4:11: models.m: is empty; give a value or remove it"),
        ("models: { m: { split: [] } }", "4:23: models.m.split: is empty; name a pool"),
        (
            "models: { m: { split: [{pool: b}] } }",
            "4:31: models.m.split[0].pool: `b` is no pool; allowed: a",
        ),
        (
            "models: { m: { split: [{pool: a, weight: -1}] } }",
            "4:42: models.m.split[0].weight: `-1` is not a whole number from 0 to 1000000",
        ),
        (
            "models: { m: { fallback: [b] } }",
            "4:11: models.m: `split` is missing; write `split: [{ pool: NAME }]`, or the pool alone",
        ),
        (
            "roles: { r: }",
            "4:10: roles.r: `models` is missing; a list of patterns such as [\"qwen-*\"]",
        ),
        (
            "roles: { r: { models: [a b] } }",
            "4:24: roles.r.models[0]: `a b` is not a model name; allowed: anything but white space and control characters",
        ),
    ];
    for (text, expected) in table {
        check(&[(&format!("{pools}{text}"), expected)]);
    }
}

#[test]
fn what_is_wrong_with_tenants() {
    let digest = "0".repeat(64);
    let key =
        |rest: &str| format!("tenants:\n  t:\n    keys: [{{ name: k, sha256: '{digest}'{rest} }}]");
    check(&[
        ("tenants: { t: { models: } }", "2:17: tenants.t.models: must be a list, not nothing"),
        (
            "tenants: { t/u: }",
            "2:12: tenants.t/u: `t/u` is not the name of a tenant; allowed: letters, digits and . _ : @ -, a letter or digit first",
        ),
        (
            "tenants: { t: { keys: [{}] } }",
            "2:24: tenants.t.keys[0]: `name` is missing; a name of its own in the tenant\n2:24: tenants.t.keys[0]: `sha256` is missing; the SHA-256 of the key in hexadecimal",
        ),
        (
            "tenants: { t: { keys: [{ name: k, sha256: tg_hunter2 }] } }",
            "2:43: tenants.t.keys[0].sha256: the value is not a SHA-256; write the 64 hexadecimal digits of the key's digest, never the key",
        ),
        (
            &key(", roles: []"),
            "4:106: tenants.t.keys[0].roles: is empty; name a role, or remove it to allow all that the tenant has",
        ),
        (
            &key(", roles: [user]"),
            "4:107: tenants.t.keys[0].roles[0]: `user` is no role; allowed: none",
        ),
        (
            &key(", expires: 30d"),
            "4:108: tenants.t.keys[0].expires: `30d` is not a time; write a date such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z",
        ),
    ]);
}

#[test]
fn keys_that_are_the_same() {
    let key =
        |name: &str, digit: &str| format!("{{ name: {name}, sha256: '{}' }}", digit.repeat(64));
    let table = [
        (
            format!("tenants:\n  t:\n    keys:\n    - {}\n    - {}", key("a", "a"), key("b", "A")),
            "6:26: tenants.t.keys[1].sha256: is the same as tenants.t.keys[0].sha256; a key has one holder",
        ),
        (
            format!("tenants:\n  t:\n    keys:\n    - {}\n    - {}", key("a", "a"), key("a", "b")),
            "6:15: tenants.t.keys[1].name: makes the same key id as tenants.t.keys[0].name; give it another name",
        ),
    ];
    for (text, expected) in table {
        check(&[(&text, expected)]);
    }
}
