//! Models with all that may stand in them, the pools that they name, and what is refused of
//! both.

use crate::load_tests::{WHOLE, accepted, check, check_pool};
use crate::{
    Affinity, AffinityBounds, HeaderName, Language, MediaKind, Model, Place, Protocol, Sticky,
};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

fn model() -> Model {
    accepted(WHOLE).models["gpt-4.1"].clone()
}

fn shares(split: &[crate::Share]) -> Vec<(&str, u32)> {
    split.iter().map(|share| (share.pool.as_str(), share.weight)).collect()
}

#[test]
fn a_whole_model() {
    let model = model();
    assert_eq!(shares(&model.split), [("plain", 100), ("found", 0)]);
    assert_eq!(model.sticky, Sticky::Header("x-session".to_owned()));
    assert_eq!(model.experiment.as_ref().map(AsRef::as_ref), Some("tone"));
    let fallback: Vec<_> = model.fallback.iter().map(AsRef::as_ref).collect();
    assert_eq!(fallback, ["found", "plain"]);
    let shadow = model.shadow.unwrap();
    assert_eq!((shadow.pool.as_str(), shadow.per_million), ("llama-70b", 25_000));
}

#[test]
fn whole_rules() {
    let rules = model().rules;
    let when = &rules[0].when;
    let tier = HeaderName::of_callers("x-tier").unwrap();
    assert_eq!(when.headers[&tier].as_str(), "batch*");
    let tenants: Vec<_> = when.tenants.iter().map(AsRef::as_ref).collect();
    assert_eq!((tenants, when.roles[0].as_str()), (vec!["acme", "free"], "user"));
    assert_eq!((when.paths[0].as_str(), when.stream), ("/v1/chat/*", Some(false)));
    let tokens = (when.prompt_tokens_over, when.prompt_tokens_up_to);
    assert_eq!(tokens, (Some(100), Some(2000)));
    assert_eq!(when.language, Some(Language::Korean));
    assert_eq!(when.media, [MediaKind::Image, MediaKind::Audio]);
    assert_eq!(shares(&rules[0].split), [("found", 1)]);
    assert_eq!(rules[1].when.media, MediaKind::ALL);
    assert_eq!(shares(&rules[1].split), [("found", 3), ("plain", 1)]);
}

#[test]
fn names_that_can_be_asked_for() {
    let config = accepted(WHOLE);
    let families: Vec<_> = config.families.iter().map(|one| one.pattern.as_str()).collect();
    assert_eq!(families, ["gpt-4o*", "gpt-*"], "the most special first");
    let aliases = |all: &BTreeMap<crate::ids::ModelName, crate::ids::ModelName>| {
        let all = all.iter().map(|(name, model)| format!("{name} is {model}"));
        all.collect::<Vec<_>>()
    };
    assert_eq!(aliases(&config.aliases), ["gpt-4 is gpt-4.1"]);
    let own = aliases(&config.tenants["acme"].aliases);
    assert_eq!(own, ["best is gpt-4.1", "llama is gpt-4o-mini"], "never an alias of an alias");
    let all: Vec<_> = config.routes().map(|(name, _)| name).collect();
    assert_eq!(all, ["gpt-4.1", "llama", "gpt-4o*", "gpt-*"]);
    let routed = |name| config.routed(name).map(|model| shares(&model.split));
    assert_eq!(routed("gpt-4o*"), Some(vec![("found", 1)]));
    assert_eq!((routed("gpt-4"), routed("gpt-4o")), (None, None));
}

#[test]
fn weights_that_can_take_the_place_of_others() {
    let model = model();
    let of = |weights: &[(&str, u32)]| {
        let named =
            |(pool, weight): &(&str, u32)| (crate::ids::PoolName::parse(pool).unwrap(), *weight);
        weights.iter().map(named).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(model.weights(), of(&[("plain", 100), ("found", 0)]));
    let table = [
        (of(&[("plain", 1), ("found", 9)]), true),
        (of(&[("plain", 0), ("found", 9)]), true),
        (of(&[("plain", 0), ("found", 0)]), false),
        (of(&[("plain", 1)]), false),
        (of(&[("plain", 1), ("llama-70b", 9)]), false),
        (of(&[("plain", 1), ("found", 9), ("llama-70b", 0)]), false),
    ];
    for (weights, expected) in table {
        assert_eq!(model.takes(&weights), expected, "{weights:?}");
    }
}

#[test]
fn how_the_servers_of_a_pool_are_reached() {
    let config = accepted(WHOLE);
    let [llama, plain, found] = ["llama-70b", "plain", "found"].map(|name| &config.pools[name]);
    let credentials = llama.credentials.as_ref().unwrap();
    assert_eq!(credentials.header.as_str(), "authorization");
    assert_eq!(credentials.value.reveal(), "Bearer 0123456789abcdef-secret");
    assert_eq!((llama.protocol, plain.protocol), (Protocol::Http2, Protocol::Http1));
    let ca = plain.tls.as_ref().map(|tls| tls.ca.as_path());
    assert_eq!(ca, Some(Path::new("/etc/tollgate/engines-ca.pem")));
    let bounds = AffinityBounds { bound_percent: 125, remember_s: 3600 };
    assert_eq!((llama.affinity, plain.affinity), (Affinity::User(bounds), Affinity::None));
    let second = &llama.places[&llama.endpoints[1]];
    let place = Place { zone: crate::ids::ZoneName::parse("eu-1b").ok(), weight: Some(2) };
    assert_eq!((second, llama.places.len(), llama.spill_percent), (&place, 1, 70));
    assert_eq!((found.spill_percent, found.places.len()), (85, 0));
}

#[test]
fn how_often_and_how_much_is_tried() {
    let config = accepted(WHOLE);
    let [llama, plain, found] = ["llama-70b", "plain", "found"].map(|name| &config.pools[name]);
    assert_eq!((llama.retries, plain.retries, found.retries), (2, 0, 1));
    let times = (llama.first_token_timeout, llama.slow_start);
    assert_eq!(times, (Some(Duration::from_secs(20)), Some(Duration::from_secs(30))));
    let breakers = [llama.breakers.requests, llama.breakers.waiting, llama.breakers.connections];
    assert_eq!(breakers.map(|most| most.map(NonZeroU32::get)), [Some(500), Some(100), Some(200)]);
    let gateway = &config.gateway;
    assert_eq!(gateway.replay_body_bytes, 1 << 20);
    assert_eq!(gateway.zone.as_ref().map(AsRef::as_ref), Some("eu-1a"));
    let retry = &gateway.retry;
    assert_eq!((retry.connect, retry.reset, retry.budget_percent), (true, false, 5));
    assert_eq!(retry.statuses.iter().copied().collect::<Vec<_>>(), [429, 503, 504]);
}

#[test]
fn what_is_tried_again_when_nothing_is_said() {
    let retry = accepted("version: 1").gateway.retry;
    assert!(retry.connect && retry.reset && retry.budget_percent == 100);
    assert_eq!((retry.statuses.len(), retry.statuses.contains(&429)), (101, true));
    let never = accepted("version: 1\ngateway: { retry: { on: [] } }").gateway.retry;
    assert!(!never.connect && !never.reset && never.statuses.is_empty());
}

const POOLS: &str = "pools:\n  a: { engine: tgi, model: m, endpoints: [http://b:1] }\n  b: { \
                     engine: tgi, model: m, endpoints: [http://b:1] }\n";

/// The one problem of a model `m` with these fields, without its line.
fn check_model(table: &[(&str, &str)]) {
    for (fields, expected) in table {
        check(&[(&format!("{POOLS}models:\n  m: {{ {fields} }}"), expected)]);
    }
}

#[test]
fn what_is_wrong_with_splits() {
    check_model(&[
        (
            "split: [{ pool: a }, { pool: a }]",
            "6:29: models.m.split[1]: names the pool a a second time; once is allowed",
        ),
        (
            "split: [{ pool: a, weight: 0 }, { pool: b, weight: 0 }]",
            "6:15: models.m.split: gives nobody any weight; at least one has to be above 0",
        ),
        (
            "split: [{ pool: a }], sticky: session",
            "6:38: models.m.sticky: `session` is not known; allowed: none, user, key, header:NAME",
        ),
        (
            "split: [{ pool: a }], sticky: 'header:Authorization'",
            "6:38: models.m.sticky: `header:Authorization` carries a credential, which decides nothing but who is calling; name another header",
        ),
        (
            "split: [{ pool: a }], experiment: tone",
            "6:30: models.m.experiment: counts only with `sticky`, which says who stays; remove it",
        ),
        (
            "split: [{ pool: a }], fallback: [a]",
            "6:41: models.m.fallback[0]: is where every request begins; name another pool than a",
        ),
        (
            "split: [{ pool: a }], fallback: [b, b]",
            "6:44: models.m.fallback[1]: names the pool b a second time; once is allowed",
        ),
        (
            "split: [{ pool: a }], shadow: { pool: a, share: 1% }",
            "6:46: models.m.shadow.pool: is where every request begins; name another pool than a",
        ),
        (
            "split: [{ pool: a }], shadow: { pool: b, share: 0% }",
            "6:56: models.m.shadow.share: `0%` is not a share; write 0.0001% to 100% with at most four digits after the point, such as 10%",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_rules() {
    let rules = |rules: &str| format!("split: [{{ pool: a }}], rules: [{rules}]");
    let table = [
        (
            "{ when: {}, to: b }",
            "6:40: models.m.rules[0].when: has no condition; name one, or make it the model's `split`",
        ),
        (
            "{ when: { stream: true } }",
            "6:38: models.m.rules[0]: `to` is missing; name one of `pools`, or give a `split`",
        ),
        (
            "{ when: { stream: true }, to: b, split: [{ pool: a }] }",
            "6:64: models.m.rules[0].to: stands beside `split`; give one of the two",
        ),
        (
            "{ when: { stream: true }, to: c }",
            "6:68: models.m.rules[0].to: `c` is no pool; allowed: a, b",
        ),
        (
            "{ when: { header: { x-api-key: a } }, to: b }",
            "6:58: models.m.rules[0].when.header.x-api-key: `x-api-key` carries a credential, which decides nothing but who is calling; name another header",
        ),
        (
            "{ when: { header: { X-Envoy-A: a } }, to: b }",
            "6:58: models.m.rules[0].when.header.X-Envoy-A: `X-Envoy-A` is removed from requests when they arrive; name another header",
        ),
        (
            "{ when: { prompt_tokens_over: 9, prompt_tokens_up_to: 9 }, to: b }",
            "6:40: models.m.rules[0].when: asks for more tokens than it allows, so that it never fits",
        ),
        (
            "{ when: { tenant: acme }, to: b }",
            "6:56: models.m.rules[0].when.tenant: `acme` is no tenant; allowed: none",
        ),
        (
            "{ when: { stream: true }, to: b }, { when: { stream: true, path: /v1/* }, to: a }",
            "6:73: models.m.rules[1]: never decides: models.m.rules[0] takes all of its requests before",
        ),
    ];
    for (written, expected) in table {
        let found = found(&format!("{POOLS}models:\n  m: {{ {} }}", rules(written)));
        assert!(found.contains(expected), "{written}\n{found}\n{expected}");
    }
}

fn found(text: &str) -> String {
    let text = format!("version: 1\n{text}");
    let loaded = crate::load(&text, Path::new("/"), &crate::load_tests::sources());
    let problems = loaded.err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_wrong_with_aliases() {
    let chain = (0..12)
        .fold(String::new(), |all, n| all + &format!("  n{n:02}: {{ alias: n{:02} }}\n", n + 1))
        + "  n12: a\n";
    let table = [
        ("  m: { alias: c }\n".to_owned(), "6:15: models.m.alias: `c` is no model; allowed: none"),
        (
            "  m: { alias: m }\n".to_owned(),
            "6:15: models.m.alias: the alias m leads back to itself; name a model",
        ),
        (
            "  m: { alias: n }\n  n: { alias: m }\n".to_owned(),
            "7:15: models.n.alias: the alias n leads back to itself; name a model",
        ),
        (
            "  '*': { alias: m }\n  m: a\n".to_owned(),
            "6:3: models.\"*\": is a pattern, which cannot be an alias; name pools",
        ),
        (
            "  n: a\n  m: { alias: n, sticky: user }\n".to_owned(),
            "7:8: models.m.alias: stands alone: what else holds is said where the model is",
        ),
        (chain, "9:17: models.n03.alias: leads over more than 8 aliases; name the model"),
    ];
    for (models, expected) in table {
        let found = found(&format!("{POOLS}models:\n{models}"));
        assert!(found.contains(expected), "{models}\n{found}");
    }
    let tenants = "models: { m: a }\ntenants: { t: { aliases: { n: o, '*': m, m: m } } }";
    let found = found(&format!("{POOLS}{tenants}"));
    assert!(found.contains("tenants.t.aliases.n: `o` is no model; allowed: m"), "{found}");
    assert!(found.contains("is a pattern; an alias is one name"), "{found}");
    assert!(found.contains("leads to m, which is an alias of the tenant itself"), "{found}");
}

#[test]
fn what_is_wrong_with_reaching_servers() {
    check_pool(&[
        (
            "endpoints: [http://b:1], credentials: { header: host, value: x }",
            "3:80: pools.a.credentials.header: `host` cannot carry a credential to an engine; name one such as authorization or x-api-key",
        ),
        (
            "endpoints: [http://b:1], credentials: { header: api-key, value: ' hunter2' }",
            "3:96: pools.a.credentials.value: the value is not the value of a header; allowed: 1 to 4096 visible ASCII characters, spaces between them",
        ),
        (
            "endpoints: [http://b:1], tls: { ca: ca.pem }",
            "3:57: pools.a.tls: counts only with https; remove it, or write https endpoints",
        ),
        (
            "endpoints: [{ url: 'http://10.0.0.1:1', zone: eu }]",
            "3:72: pools.a.endpoints[0].zone: needs `gateway.zone`, which says what is near; give it, or remove this",
        ),
        (
            "endpoints: ['http://10.0.0.1:1'], spill: 50%",
            "3:66: pools.a.spill: counts only where the gateway and the servers have zones",
        ),
        (
            "endpoints: [http://b:1], balance: { affinity: user }",
            "3:78: pools.a.balance.affinity: chooses a server, and of a host name in `endpoints` the servers are not known; give addresses, or the name to `discover: { dns: NAME:PORT }`",
        ),
        (
            "endpoints: ['http://10.0.0.1:1'], balance: { bound: 150% }",
            "3:77: pools.a.balance.bound: counts only with `affinity: user` or `affinity: prefix`; remove it",
        ),
        (
            "endpoints: ['http://10.0.0.1:1'], balance: { affinity: user, bound: 100% }",
            "3:100: pools.a.balance.bound: `100%` is not a percentage; write a whole number from 110% to 1000%, such as 150%",
        ),
        (
            "endpoints: ['http://10.0.0.1:1'], retries: 4",
            "3:75: pools.a.retries: `4` is not a whole number from 0 to 3",
        ),
    ]);
    check(&[(
        "gateway: { retry: { on: [429, 404] } }",
        "2:31: gateway.retry.on[1]: `404` is not known; allowed: connect, reset, 429, 5xx, 500 to 599",
    )]);
}

#[test]
fn no_problem_quotes_the_credential_of_a_pool() {
    let pool = |value: &str| {
        format!(
            "pools:\n  a: {{ engine: tgi, model: m, endpoints: [http://b:1], credentials: {{ header: host, value: {value} }} }}"
        )
    };
    for value in ["'Bearer ${TOKEN}\\u0001'", "\"Bearer ${TOKEN}\\n\"", "[\"${TOKEN}\"]"] {
        let found = found(&pool(value));
        assert!(!found.is_empty() && !found.contains("0123456789abcdef-secret"), "{found}");
    }
}
