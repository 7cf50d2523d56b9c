use super::*;
use crate::Inputs;
use crate::build::build;
use crate::build::tests::{EXAMPLE, config, inputs, plan};

fn after(replaced: &str, with: &str) -> Vec<String> {
    assert!(EXAMPLE.contains(replaced), "{replaced}");
    diff(&plan(EXAMPLE), &plan(&EXAMPLE.replace(replaced, with)))
}

#[test]
fn each_change_is_a_line() {
    let table: [(&str, &str, &[&str]); 12] = [
        ("workers: 2", "workers: 3", &[]),
        ("max_body: 1MiB", "max_body: 2MiB", &["gateway: max_body changed"]),
        ("expose_pool: true", "expose_pool: false", &["gateway: expose_pool changed"]),
        ("  small: {", "  tiny: {", &["pool small: removed", "pool tiny: added"]),
        ("10.0.0.2:8000", "10.0.0.3:8000", &["pool big: endpoints changed"]),
        ("input: 0.60", "input: 0.61", &["pool big: price changed"]),
        ("model: Big", "model: Bigger", &["pool big: model changed"]),
        ("chat: big", "chat: other", &["model chat: pool big -> other"]),
        ("[\"*\"]", "[a]", &["role user: models [*] -> [a]"]),
        ("[chat]", "[chat, b]", &["tenant acme: models [chat] -> [chat, b]"]),
        ("name: ci", "name: cd", &["key yaml:acme/cd: added", "key yaml:acme/ci: removed"]),
        ("user: kim", "user: lee", &["key yaml:acme/ci: changed"]),
    ];
    for (replaced, with, expected) in table {
        assert_eq!(after(replaced, with), expected, "{replaced} -> {with}");
    }
}

#[test]
fn who_is_calling_and_what_he_may_do() {
    let table: [(&str, &str, &[&str]); 20] = [
        (", nonces: shared }\n  jwt", " }\n  jwt", &["auth: hmac.nonces changed"]),
        ("stale_for: 1m", "stale_for: 2m", &["auth: stale_for changed"]),
        ("minute: 9", "minute: 8", &["auth: failures_per_minute changed"]),
        ("max_skew: 60s", "max_skew: 61s", &["auth: hmac.max_skew changed"]),
        (
            "hmac: [{ id: partner, secret: 0123456789abcdef }]",
            "",
            &["auth: use of signed requests changed"],
        ),
        ("secret: 0123456789abcdef", "secret: fedcba9876543210", &[]),
        ("issuer: ci", "issuer: cd", &["issuer cd: added", "issuer ci: removed"]),
        ("[gate]", "[door]", &["issuer login: audiences changed"]),
        ("login.example/keys", "login.example/k", &["issuer login: jwks changed"]),
        ("refresh: 5m", "refresh: 6m", &["issuer login: refresh changed"]),
        ("tenants: [zoo]", "tenants: [acme]", &["issuer ci: tenants [zoo] -> [acme]"]),
        ("user: mail", "user: sub", &["issuer login: claims changed"]),
        ("[/v1/*]", "['*']", &["role user: paths [/v1/*] -> [*]"]),
        ("[secret]", "[]", &["role user: deny.models [secret] -> []"]),
        ("[/v1/embeddings]", "[]", &["tenant acme: deny.paths [/v1/embeddings] -> []"]),
        ("spiffe://acme", "spiffe://a", &["tenant acme: mtls [spiffe://acme/*] -> [spiffe://a/*]"]),
        ("lee: [user]", "kay: [user]", &["tenant acme: users.roles changed"]),
        ("[\"chat*\"]", "[chat]", &["key yaml:acme/ci: changed"]),
        ("allow_fields: [top_k]", "", &["pool big: allow_fields changed"]),
        ("max_pages: 7", "max_pages: 8", &["pool big: media changed"]),
    ];
    for (replaced, with, expected) in table {
        assert_eq!(after(replaced, with), expected, "{replaced} -> {with}");
    }
}

#[test]
fn what_is_masked() {
    let table: [(&str, &str, &[&str]); 8] = [
        ("key: made-up-key-of-tags", "key: another-key-of-tags", &[]),
        (", masking: strict, limits", ", limits", &["model chat-2: masking strict -> none"]),
        (
            "    masking: default",
            "    masking: strict",
            &["tenant acme: masking default -> strict"],
        ),
        ("        masking: strict\n", "", &["key yaml:acme/ci: changed"]),
        ("default: mask", "default: off", &["masking policy strict: types changed"]),
        (
            "types: { default: mask }",
            "types: { default: mask, EMAIL: mask }",
            &["masking policy strict: written otherwise"],
        ),
        ("[bluefin]", "[orca]", &["masking policy strict: deny_words changed"]),
        ("timeout: 1s", "timeout: 2s", &["masking policy strict: external changed"]),
    ];
    for (replaced, with, expected) in table {
        assert_eq!(after(replaced, with), expected, "{replaced} -> {with}");
    }
}

#[test]
fn what_may_be_used_and_spent() {
    let table: [(&str, &str, &[&str]); 21] = [
        ("max_tokens: 512", "", &["pool big: max_tokens changed"]),
        ("template_tokens: 9", "template_tokens: 8", &["pool big: template_tokens changed"]),
        ("medium_tokens: 99", "medium_tokens: 98", &["pool big: medium_tokens changed"]),
        ("image: 0.5", "image: 0.6", &["pool big: price changed"]),
        ("limits: fast } }", "limits: slow } }", &["model chat-2: limits fast -> slow"]),
        ("burst: 7, ", "", &["limits fast: burst 7 -> none"]),
        (
            "slow: { concurrent: 2 }",
            "slow: { concurrent: 3, tokens_per_minute: 5 }",
            &["limits slow: tokens_per_minute none -> 5; concurrent 2 -> 3"],
        ),
        ("idle: {", "lazy: {", &["limits idle: removed", "limits lazy: added"]),
        (
            "dollars: 900, per: month",
            "dollars: 900.5, per: day",
            &["organisation north: budget 900/month -> 900.5/day"],
        ),
        (
            "north: { budget: { dollars: 900, per: month } }",
            "north: {}",
            &["organisation north: budget 900/month -> none"],
        ),
        (
            "south: {}",
            "south: { budget: { dollars: 0, per: total } }",
            &["organisation south: budget none -> 0/total"],
        ),
        (
            "organisation: north",
            "organisation: south",
            &["tenant acme: organisation north -> south"],
        ),
        ("north\n    limits: slow", "north", &["tenant acme: limits slow -> none"]),
        ("budget: { dollars: 20, per: hour }", "", &["tenant acme: budget 20/hour -> none"]),
        ("dollars: 20, per", "dollars: 21, per", &["tenant acme: budget 20/hour -> 21/hour"]),
        ("limits: fast, budget", "budget", &["tenant acme: users.limits fast -> none"]),
        (
            "dollars: 2, per: day",
            "dollars: 2, per: hour",
            &["tenant acme: users.budget 2/day -> 2/hour"],
        ),
        ("from: body", "from: credential", &["tenant acme: users.from body -> credential"]),
        ("        limits: slow\n", "", &["key yaml:acme/ci: limits slow -> none"]),
        (
            "budget: { dollars: 0.000000003, per: total }",
            "",
            &["key yaml:acme/ci: budget 0.000000003/total -> none"],
        ),
        (
            "user: kim\n        limits: slow",
            "user: lee\n        limits: fast",
            &["key yaml:acme/ci: changed; limits slow -> fast"],
        ),
    ];
    for (replaced, with, expected) in table {
        assert_eq!(after(replaced, with), expected, "{replaced} -> {with}");
    }
}

#[test]
fn whether_callers_are_asked_for_certificates() {
    let asked = EXAMPLE.replace("mtls: [\"spiffe://acme/*\"]", "");
    let not = asked.replace(", client_ca: a", "");
    assert_eq!(diff(&plan(&asked), &plan(&not)), ["gateway: tls.client_ca changed"]);
}

#[test]
fn the_place_of_an_issuer_is_no_change() {
    let ci = "    - { issuer: ci, jwks: file:jwks.json, tenants: [zoo] }\n";
    assert!(EXAMPLE.contains(ci));
    let behind = EXAMPLE.replace(ci, "") + ci;
    assert_ne!(plan(&behind), plan(EXAMPLE));
    assert_eq!(diff(&plan(EXAMPLE), &plan(&behind)), Vec::<String>::new());
}

/// Two pools and all that models can say of them.
const ROUTED: &str = r#"
version: 1
gateway: { retry: { budget: 10% } }
pools:
  big:
    engine: vllm
    model: m
    endpoints: [https://10.0.0.1:1]
    balance: { affinity: user }
    credentials: { header: api-key, value: made-up-engine-key }
    breakers: { requests: 5 }
    slow_start: 30s
    tls: { ca: ca.pem }
  small: { engine: vllm, model: m, endpoints: [http://10.0.0.2:1] }
models:
  chat:
    split: [{ pool: big, weight: 95 }, { pool: small, weight: 5 }]
    sticky: user
    experiment: tone
    fallback: [small]
    rules:
      - { when: { header: { x-tier: batch }, stream: true }, to: small }
      - { when: { tenant: acme, role: user, path: /v1/*, prompt_tokens_over: 10 }, to: small }
      - { when: { prompt_tokens_up_to: 9, language: korean, media: [image, audio] }, to: big }
    shadow: { pool: small, share: 0.5% }
  talk: { alias: chat }
  "gpt-*": small
roles: { user: { models: ["*"] } }
tenants: { acme: { aliases: { best: chat } } }
"#;

fn after_routed(replaced: &str, with: &str) -> Vec<String> {
    assert!(ROUTED.contains(replaced), "{replaced}");
    diff(&plan(ROUTED), &plan(&ROUTED.replace(replaced, with)))
}

#[test]
fn which_pools_serve_a_name() {
    let rules = "header x-tier batch, stream: small, tenant acme, role user, path /v1/*, prompt \
                 over 10: small, prompt up to 9, Korean, image or audio: big";
    let other = rules.replace("batch", "slow");
    let rules = format!("model chat: rules [{rules}] -> [{other}]");
    let table: [(&str, &str, &[&str]); 11] = [
        ("weight: 95", "weight: 90", &["model chat: split big 95, small 5 -> big 90, small 5"]),
        (", { pool: small, weight: 5 }", "", &["model chat: split big 95, small 5 -> big"]),
        ("sticky: user", "sticky: header:x-a", &["model chat: sticky user -> header:x-a"]),
        ("experiment: tone", "", &["model chat: experiment tone -> none"]),
        ("fallback: [small]", "", &["model chat: fallback [small] -> []"]),
        ("x-tier: batch", "x-tier: slow", &[&rules]),
        ("share: 0.5%", "share: 12.25%", &["model chat: shadow small 0.5% -> small 12.25%"]),
        (
            "    shadow: { pool: small, share: 0.5% }\n",
            "",
            &["model chat: shadow small 0.5% -> none"],
        ),
        ("alias: chat", "alias: gpt-4", &["alias talk: chat -> gpt-4"]),
        ("\"gpt-*\": small", "\"gpt-*\": big", &["model gpt-*: pool small -> big"]),
        (
            "best: chat",
            "best: talk, b: chat",
            &["tenant acme: aliases [best is chat] -> [b is chat, best is chat]"],
        ),
    ];
    for (replaced, with, expected) in table {
        assert_eq!(after_routed(replaced, with), expected, "{replaced} -> {with}");
    }
}

#[test]
fn how_often_and_by_what_means_is_tried() {
    let table: [(&str, &str, &[&str]); 11] = [
        ("budget: 10%", "budget: 11%", &["gateway: retry changed"]),
        ("gateway: {", "gateway: { replay_body: 1MiB,", &["gateway: replay_body changed"]),
        ("affinity: user", "affinity: prefix", &["pool big: affinity changed"]),
        ("header: api-key", "header: authorization", &["pool big: credentials changed"]),
        ("made-up-engine-key", "another-engine-key", &[]),
        ("requests: 5", "requests: 6", &["pool big: breakers changed"]),
        ("slow_start: 30s", "slow_start: 31s", &["pool big: slow_start changed"]),
        ("ca: ca.pem", "ca: cb.pem", &["pool big: tls.ca changed"]),
        ("breakers:", "protocol: http2\n    breakers:", &["pool big: protocol changed"]),
        ("breakers:", "retries: 2\n    breakers:", &["pool big: retries changed"]),
        (
            "breakers:",
            "first_token_timeout: 9s\n    breakers:",
            &["pool big: first_token_timeout changed"],
        ),
    ];
    for (replaced, with, expected) in table {
        assert_eq!(after_routed(replaced, with), expected, "{replaced} -> {with}");
    }
}

#[test]
fn what_follows_from_models_is_told_with_those() {
    let config = config(ROUTED);
    let without = inputs(&config);
    let (old, new) = (build(&without), build(&Inputs { chains: true, ..without }));
    assert_ne!(old.pools, new.pools);
    assert_eq!(diff(&old, &new), ["gateway: use of fallbacks changed"]);
}

#[test]
fn nothing_changes_into_itself() {
    assert_eq!(diff(&plan(EXAMPLE), &plan(EXAMPLE)), Vec::<String>::new());
}
