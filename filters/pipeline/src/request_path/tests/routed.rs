//! Which pool serves a request: names, rules and splits.

use super::*;
use contract::policy::{
    FamilyConfig, GatewayConfig, Language, MediaKind, ModelConfig, RuleConfig, ShareConfig, Sticky,
    WhenConfig,
};
use hashbrown::HashMap;

fn share(pool: &str, weight: u32) -> ShareConfig {
    ShareConfig { pool: pool.into(), weight }
}

/// `llama` is served by `small` where `when` is true of a request, otherwise by `big`.
fn ruled(when: WhenConfig) -> Policy {
    let mut config = config();
    let rules = vec![RuleConfig { when, split: vec![share("small", 1)] }];
    config.models.insert("llama".into(), ModelConfig { rules, ..ModelConfig::of_pool("big") });
    Policy::compile(&config).unwrap()
}

fn pool(policy: &Policy, held: &Held, body: &str) -> Result<String, String> {
    match decided(policy, held, body.as_bytes()) {
        Decision::Forward { forwarded, .. } => Ok(forwarded.who.pool.unwrap()),
        Decision::Finish(finish) => Err(finish.who.unwrap().code.unwrap()),
        other => panic!("{other:?}"),
    }
}

/// A request of `caller` on a path with more headers.
fn held(policy: &Policy, path: &str, more: &[(&str, &str)], caller: Caller) -> Held {
    let headers = request("POST", path, more);
    let (_, opened, _) = claimed(policy, arrival(&headers, false));
    match on_caller(policy, opened, caller.into()) {
        Identified::Hold(held) => held,
        other => panic!("{other:?}"),
    }
}

const CHAT: &str = "/v1/chat/completions";

fn said(content: &str) -> String {
    serde_json::json!({"model": "llama", "messages": [{"role": "user", "content": content}]})
        .to_string()
}

#[test]
fn rules_ask_for_what_they_name() {
    let none = WhenConfig::default;
    let header = |value: &str| [("x-tier".to_owned(), value.to_owned())].into();
    let image = r#"{"model":"llama","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}}]}]}"#;
    let stream = r#"{"model":"llama","messages":[],"stream":true}"#;
    let (korean, escaped) = (
        said("안녕하세요"),
        r#"{"model":"llama","messages":[{"role":"user","content":"\uc548\ub155"}]}"#,
    );
    let (short, long) = (said("hi"), said(&"word ".repeat(200)));
    let table = [
        (WhenConfig { headers: header("gold*"), ..none() }, short.as_str(), "small"),
        (WhenConfig { headers: header("silver"), ..none() }, &short, "big"),
        (WhenConfig { tenants: vec!["acme".into()], ..none() }, &short, "small"),
        (WhenConfig { tenants: vec!["other".into()], ..none() }, &short, "big"),
        (WhenConfig { roles: vec!["user".into()], ..none() }, &short, "small"),
        (WhenConfig { roles: vec!["admin".into()], ..none() }, &short, "big"),
        (WhenConfig { paths: vec!["/v1/chat/*".into()], ..none() }, &short, "small"),
        (WhenConfig { paths: vec!["/v1/embeddings".into()], ..none() }, &short, "big"),
        (WhenConfig { stream: Some(true), ..none() }, stream, "small"),
        (WhenConfig { stream: Some(true), ..none() }, &short, "big"),
        (WhenConfig { stream: Some(false), ..none() }, stream, "big"),
        (WhenConfig { prompt_tokens_over: Some(200), ..none() }, &long, "small"),
        (WhenConfig { prompt_tokens_over: Some(200), ..none() }, &short, "big"),
        (WhenConfig { prompt_tokens_up_to: Some(200), ..none() }, &short, "small"),
        (WhenConfig { prompt_tokens_up_to: Some(200), ..none() }, &long, "big"),
        (WhenConfig { language: Some(Language::Korean), ..none() }, &korean, "small"),
        (WhenConfig { language: Some(Language::Korean), ..none() }, escaped, "small"),
        (WhenConfig { language: Some(Language::Korean), ..none() }, &short, "big"),
        (WhenConfig { language: Some(Language::Other), ..none() }, &short, "small"),
        (WhenConfig { media: vec![MediaKind::Image], ..none() }, image, "small"),
        (WhenConfig { media: vec![MediaKind::Audio], ..none() }, image, "big"),
        (WhenConfig { media: MediaKind::ALL.to_vec(), ..none() }, &short, "big"),
    ];
    for (when, body, expected) in table {
        let policy = ruled(when.clone());
        let caller = Caller { roles: auth::Roles::Of(vec!["user".into()]), ..caller("acme") };
        let held = held(&policy, CHAT, &[("x-tier", "gold-1")], caller);
        assert_eq!(pool(&policy, &held, body).unwrap(), expected, "{when:?} {body}");
    }
}

#[test]
fn only_headers_that_somebody_asks_for_are_kept() {
    let headers = ["x-tier", "authorization"].map(|name| (name.to_owned(), "*".to_owned()));
    let when = WhenConfig { headers: headers.into(), ..WhenConfig::default() };
    let more = [("x-tier", "gold"), ("x-secret", "made up")];
    let kept = held(&ruled(when), CHAT, &more, caller("acme")).opened.told;
    assert_eq!(kept, Headers::of(&[("x-tier", "gold")]));
    assert_eq!(held(&policy(), CHAT, &more, caller("acme")).opened.told, Headers::default());
}

#[test]
fn who_has_no_bound_has_no_role() {
    let policy = ruled(WhenConfig { roles: vec!["user".into()], ..WhenConfig::default() });
    let held = held(&policy, CHAT, &[], caller("acme"));
    assert_eq!(pool(&policy, &held, &said("hi")).unwrap(), "big");
}

#[test]
fn a_form_carries_sound() {
    let policy = ruled(WhenConfig { media: vec![MediaKind::Audio], ..WhenConfig::default() });
    let decision = decided(&policy, &bodies::hold_form(), bodies::FORM.as_bytes());
    let Decision::Forward { forwarded, .. } = decision else { panic!("not forwarded") };
    assert_eq!(forwarded.who.pool.as_deref(), Some("small"));
}

/// `llama` under other names, and models that only a pattern names.
fn named() -> GatewayConfig {
    let mut config = config();
    config.aliases.insert("gpt-4o".into(), "llama".into());
    config.tenants.get_mut("acme").unwrap().aliases =
        [("mine".to_owned(), "llama".to_owned()), ("hidden".to_owned(), "llama".to_owned())].into();
    let family = |pattern: &str, pool: &str| FamilyConfig {
        pattern: pattern.into(),
        model: ModelConfig::of_pool(pool),
    };
    config.families = vec![family("qwen-*-mini", "small"), family("qwen-*", "big")];
    config
}

#[test]
fn models_have_many_names() {
    let policy = Policy::compile(&named()).unwrap();
    let (acme, other) = (hold("acme"), hold("other"));
    let table = [
        (&acme, "llama", Ok("big")),
        (&acme, "gpt-4o", Ok("big")),
        (&acme, "mine", Ok("big")),
        (&acme, "hidden", Ok("big")),
        (&acme, "qwen-2-mini", Ok("small")),
        (&acme, "qwen-2", Ok("big")),
        (&acme, "qwe", Err("model_not_found")),
        (&other, "llama", Ok("big")),
        // What opens the model opens its other names.
        (&other, "gpt-4o", Ok("big")),
        (&other, "mine", Err("model_not_found")),
        (&other, "qwen-2", Err("model_not_found")),
    ];
    for (held, name, expected) in table {
        let body = format!(r#"{{"model":"{name}","messages":[]}}"#);
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(pool(&policy, held, &body), expected, "{name}");
    }
}

#[test]
fn records_and_answers_have_the_name_that_was_asked_for() {
    let policy = Policy::compile(&named()).unwrap();
    for name in ["gpt-4o", "qwen-2"] {
        let body = format!(r#"{{"model":"{name}","messages":[]}}"#);
        let Decision::Forward { body, forwarded, .. } =
            decided(&policy, &hold("acme"), body.as_bytes())
        else {
            panic!("{name}")
        };
        assert!(String::from_utf8(body.unwrap()).unwrap().contains(r#""model":"meta/Llama""#));
        assert_eq!(forwarded.asked, name);
        assert_eq!(forwarded.who.model.as_deref(), Some(name));
    }
}

#[test]
fn names_that_can_be_listed_are() {
    let policy = Policy::compile(&named()).unwrap();
    let list = |tenant: &str, path: &str| {
        let (opened, _) = open(&request("GET", path, &[]), true);
        finish(on_caller(&policy, opened, caller(tenant).into())).reply
    };
    let ids = |tenant: &str| -> Vec<String> {
        let list: serde_json::Value =
            serde_json::from_str(&list(tenant, "/v1/models").body).unwrap();
        let ids =
            list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap());
        ids.map(str::to_owned).collect()
    };
    assert_eq!(ids("acme"), ["gpt-4o", "hidden", "llama", "mine"]);
    assert_eq!(ids("other"), ["gpt-4o", "llama"]);
    for (tenant, name, status) in [
        ("acme", "mine", 200),
        ("acme", "qwen-7", 200),
        ("acme", "qwe", 404),
        ("other", "mine", 404),
        ("other", "qwen-7", 404),
    ] {
        assert_eq!(list(tenant, &format!("/v1/models/{name}")).status, status, "{tenant} {name}");
    }
}

/// Two equal shares of `llama`.
fn split(sticky: Sticky) -> Policy {
    let mut config = config();
    let split = vec![share("big", 1), share("small", 1)];
    config.models.insert("llama".into(), ModelConfig { split, sticky, ..ModelConfig::default() });
    Policy::compile(&config).unwrap()
}

/// How many of 64 users, keys or sessions, each with 8 requests, went to more than one pool.
fn torn(policy: &Policy, held_of: impl Fn(u64) -> Held) -> usize {
    let mut pools: HashMap<u64, Vec<String>> = HashMap::new();
    for (whose, nth) in (0..64_u64).flat_map(|whose| (0..8).map(move |nth| (whose, nth))) {
        let mut held = held_of(whose);
        held.opened.request_id = format!("{whose}-{nth}");
        let pool = pool(policy, &held, &said("hi")).unwrap();
        let seen = pools.entry(whose).or_default();
        if !seen.contains(&pool) {
            seen.push(pool);
        }
    }
    let of_one = |name: &str| pools.values().filter(|seen| ***seen == [name]).count();
    assert!(of_one("big") < 60 && of_one("small") < 60, "nobody is alone");
    pools.values().filter(|seen| seen.len() > 1).count()
}

#[test]
fn who_is_sticky_stays() {
    let of_user = |whose: u64| Caller { user: Some(format!("u{whose}")), ..caller("acme") };
    let of_key = |whose: u64| Caller { key: format!("k{whose}"), user: None, ..caller("acme") };
    let session = |policy: &Policy, whose: u64| {
        held(policy, CHAT, &[("x-session", &format!("s{whose}"))], caller("acme"))
    };
    let drawn = split(Sticky::None);
    assert!(torn(&drawn, |whose| held(&drawn, CHAT, &[], of_user(whose))) > 50);
    let by_user = split(Sticky::User);
    assert_eq!(torn(&by_user, |whose| held(&by_user, CHAT, &[], of_user(whose))), 0);
    assert_eq!(torn(&by_user, |whose| held(&by_user, CHAT, &[], of_key(whose))), 0, "the key");
    let by_key = split(Sticky::Key);
    assert_eq!(torn(&by_key, |whose| held(&by_key, CHAT, &[], of_key(whose))), 0);
    let by_header = split(Sticky::Header("x-session".into()));
    assert_eq!(torn(&by_header, |whose| session(&by_header, whose)), 0);
}

#[test]
fn a_user_of_the_body_is_a_user() {
    let mut config = config();
    config.tenants.get_mut("acme").unwrap().users.from_body = true;
    let split = vec![share("big", 1), share("small", 1)];
    let model = ModelConfig { split, sticky: Sticky::User, ..ModelConfig::default() };
    config.models.insert("llama".into(), model);
    let policy = Policy::compile(&config).unwrap();
    let caller = || Caller { user: None, ..caller("acme") };
    let pool_of = |user: u32, nth: u32| {
        let mut held = held(&policy, CHAT, &[], caller());
        held.opened.request_id = nth.to_string();
        pool(&policy, &held, &format!(r#"{{"model":"llama","messages":[],"user":"u{user}"}}"#))
    };
    let first: Vec<_> = (0..32).map(|user| pool_of(user, 1)).collect();
    assert_eq!(first, (0..32).map(|user| pool_of(user, 2)).collect::<Vec<_>>());
    assert!(first.contains(&Ok("big".into())) && first.contains(&Ok("small".into())));
}

#[test]
fn a_model_brings_its_masking_and_limits_to_all_of_its_names() {
    let mut config = named();
    let limits = contract::policy::LimitsConfig {
        requests_per_minute: Some(1),
        ..contract::policy::LimitsConfig::default()
    };
    config.limits.insert("one".into(), limits);
    config.models.get_mut("llama").unwrap().limits = Some("one".into());
    config.families[1].model.limits = Some("one".into());
    let policy = Policy::compile(&config).unwrap();
    let table = Memory::default();
    let ask = |name: &str| {
        let body = format!(r#"{{"model":"{name}","messages":[]}}"#);
        let decision = decided_at(&policy, &hold("acme"), body.as_bytes(), &till(&table), true);
        matches!(decision, Decision::Forward { .. })
    };
    let admitted = ["llama", "gpt-4o", "mine", "qwen-7", "qwen-8", "qwen-1-mini"].map(ask);
    assert_eq!(admitted, [true, false, false, true, false, true]);
    config.families[0].model.limits = Some("gone".into());
    config.families[0].model.masking = Some("gone".into());
    assert_eq!(Policy::compile(&config).unwrap_err().len(), 2);
}
