//! Requests that limits and budgets decide about.

use super::*;
use crate::spending::trial::NOW_MS;
use crate::spending::{install, trial};
use contract::lease::{LeaseAnswer, Leased, Wanted};
use contract::policy::{GatewayConfig, LimitsConfig};
use contract::price::Prices;
use contract::usage::Tally;

/// A dollar in nano-dollars.
const DOLLAR: u64 = 1_000_000_000;

fn limited(limits: LimitsConfig) -> Policy {
    let mut config = config();
    config.limits.insert("few".into(), limits);
    config.tenants.get_mut("acme").unwrap().limits = Some("few".into());
    Policy::compile(&config).unwrap()
}

/// A dollar for a million tokens of any kind, and a budget for `acme`.
fn budgeted(mut change: impl FnMut(&mut GatewayConfig)) -> Policy {
    let mut config = config();
    let prices =
        Prices { input: DOLLAR, cached_input: DOLLAR, output: DOLLAR, ..Prices::default() };
    config.pools.get_mut("big").unwrap().prices = prices;
    config.tenants.get_mut("acme").unwrap().budget = true;
    change(&mut config);
    Policy::compile(&config).unwrap()
}

const BODY: &str = r#"{"model":"llama","max_tokens":100,"messages":[]}"#;
const OPEN_END: &str = r#"{"model":"llama","messages":[]}"#;

fn ask(policy: &Policy, body: &str, table: &Memory, may_ask: bool) -> Decision {
    let held = hold("acme");
    decided_at(policy, &held, body.as_bytes(), &till(table), may_ask)
}

fn refused(decision: Decision) -> (u16, String, Reply) {
    match decision {
        Decision::Finish(finish) => {
            let code = finish.who.unwrap().code.unwrap();
            (finish.reply.status, code, finish.reply)
        }
        other => panic!("{other:?}"),
    }
}

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    reply.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
}

fn wanted(decision: Decision) -> Vec<Wanted> {
    match decision {
        Decision::Lease(wanted) => wanted,
        other => panic!("{other:?}"),
    }
}

fn grant(table: &Memory, wanted: &[Wanted], nanodollars: u64) {
    let leased = Leased::Granted {
        lease: 7,
        granted: nanodollars,
        expires_ms: NOW_MS + 600_000,
        ends_ms: None,
        last: true,
    };
    let answer = LeaseAnswer { leases: vec![leased] };
    assert_eq!(install(&till(table), wanted, &answer), []);
}

fn sent(decision: Decision) -> (String, Forwarded) {
    match decision {
        Decision::Forward { body: Some(body), forwarded, .. } => {
            (String::from_utf8(body).unwrap(), *forwarded)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn too_many_requests() {
    let policy = limited(LimitsConfig {
        requests_per_minute: Some(60),
        burst: Some(2),
        ..LimitsConfig::default()
    });
    let table = Memory::default();
    for _ in 0..2 {
        sent(ask(&policy, BODY, &table, true));
    }
    let (status, code, reply) = refused(ask(&policy, BODY, &table, true));
    assert_eq!((status, code.as_str()), (429, "rate_limit_exceeded"));
    assert_eq!(header(&reply, "retry-after"), Some("1"));
    assert_eq!(header(&reply, "x-ratelimit-limit-requests"), Some("2"));
    assert_eq!(header(&reply, "x-ratelimit-remaining-requests"), Some("0"));
}

#[test]
fn too_many_at_a_time_until_one_ends() {
    let policy = limited(LimitsConfig { concurrent: Some(1), ..LimitsConfig::default() });
    let table = Memory::default();
    trial::live(&table);
    let (_, first) = sent(ask(&policy, BODY, &table, true));
    let (status, code, _) = refused(ask(&policy, BODY, &table, true));
    assert_eq!((status, code.as_str()), (429, "concurrency_limit_exceeded"));
    first.course.settle(&Tally::default(), &till(&table));
    sent(ask(&policy, BODY, &table, true));
}

#[test]
fn more_tokens_than_a_minute_has() {
    let policy = limited(LimitsConfig { tokens_per_minute: Some(50), ..LimitsConfig::default() });
    let table = Memory::default();
    let (status, code, _) = refused(ask(&policy, BODY, &table, true));
    assert_eq!((status, code.as_str()), (400, "request_exceeds_limit"));
    sent(ask(&policy, OPEN_END, &table, true));
    let (status, code, reply) = refused(ask(&policy, OPEN_END, &table, true));
    assert_eq!((status, code.as_str()), (429, "tokens_limit_exceeded"));
    assert!(header(&reply, "x-ratelimit-reset-tokens").is_some());
}

#[test]
fn money_is_leased_before_a_request_is_refused() {
    let policy = budgeted(|_| {});
    let table = Memory::default();
    let asked = wanted(ask(&policy, BODY, &table, true));
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].account.as_str(), asked[0].lease), ("tenant/acme", 0));
    // A hundred tokens of answer, and the bytes that go out with the template.
    assert!((356_000..500_000).contains(&asked[0].need), "{}", asked[0].need);
    grant(&table, &asked, DOLLAR);
    let (_, forwarded) = sent(ask(&policy, BODY, &table, false));
    assert_eq!(forwarded.who.leases, [7]);
}

#[test]
fn a_budget_that_pays_for_less_bounds_the_answer() {
    let policy = budgeted(|_| {});
    let table = Memory::default();
    let asked = wanted(ask(&policy, BODY, &table, true));
    grant(&table, &asked, 360_000);
    let (body, forwarded) = sent(ask(&policy, BODY, &table, false));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let tokens = body["max_tokens"].as_u64().unwrap();
    assert!((1..100).contains(&tokens), "{tokens}");
    // All is reserved; the next one finds nothing, and its refusal takes nothing.
    let (status, code, reply) = refused(ask(&policy, BODY, &table, false));
    assert_eq!((status, code.as_str()), (429, "budget_exceeded"));
    assert!(reply.body.contains(r#""type":"insufficient_quota""#));
    forwarded.course.settle(&Tally::default(), &till(&table));
    sent(ask(&policy, BODY, &table, false));
}

#[test]
fn nothing_left() {
    let policy = budgeted(|_| {});
    let table = Memory::default();
    let asked = wanted(ask(&policy, BODY, &table, true));
    let answer = LeaseAnswer { leases: vec![Leased::Exhausted { retry_after_s: Some(60) }] };
    install(&till(&table), &asked, &answer);
    let (status, code, reply) = refused(ask(&policy, BODY, &table, false));
    assert_eq!((status, code.as_str()), (429, "budget_exceeded"));
    assert_eq!(header(&reply, "retry-after"), Some("60"));
}

#[test]
fn the_pools_bound_is_put_in_where_the_caller_has_none() {
    let policy = budgeted(|config| {
        config.tenants.get_mut("acme").unwrap().budget = false;
        config.pools.get_mut("big").unwrap().max_tokens = Some(33);
    });
    let table = Memory::default();
    let (body, _) = sent(ask(&policy, OPEN_END, &table, true));
    assert!(body.contains(r#""max_tokens":33"#), "{body}");
    let (body, _) = sent(ask(&policy, BODY, &table, true));
    assert!(body.contains(r#""max_tokens":100"#), "{body}");
}

#[test]
fn no_request_while_usage_cannot_be_written() {
    let table = Memory::default();
    let full = Till { spool_full: true, ..till(&table) };
    let decision = decided_at(&policy(), &hold("acme"), BODY.as_bytes(), &full, true);
    let (status, code, _) = refused(decision);
    assert_eq!((status, code.as_str()), (503, "control_unavailable"));
}

#[test]
fn usage_is_asked_for_on_every_stream() {
    let body = r#"{"model":"llama","stream":true,"messages":[]}"#;
    let (body, _) = sent(ask(&policy(), body, &Memory::default(), true));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["stream_options"]["include_usage"], true);
}

/// What is wanted for a body at a path, in nano-dollars: a token is a thousand of them.
fn need(policy: &Policy, path: &str, body: &str) -> u64 {
    let (opened, _) = open(&request("POST", path, &[]), false);
    let Identified::Hold(held) = identify(opened, "acme") else { panic!("{path}") };
    let table = Memory::default();
    let till = till(&table);
    let decision = decided_at(policy, &held, body.as_bytes(), &till, true);
    wanted(decision)[0].need / 1_000
}

/// Each path by what it can use at most: 256 tokens of a template, the bytes that go out, and
/// the answers.
#[test]
fn what_is_reserved_is_the_most_of_each_path() {
    let small = budgeted(|config| {
        let pool = config.pools.get_mut("big").unwrap();
        (pool.context, pool.model) = (100, "llama".into());
    });
    let wide = budgeted(|config| {
        let pool = config.pools.get_mut("big").unwrap();
        (pool.context, pool.model) = (0, "llama".into());
    });
    let prompts = r#"{"model":"llama","prompt":["a","b"],"n":3,"max_tokens":7}"#;
    let inputs = format!(r#"{{"model":"llama","input":[{}"x"]}}"#, r#""words","#.repeat(99));
    let ranked = r#"{"model":"llama","query":"0123456789","documents":["a",{"text":"b"},"c"]}"#;
    let image = format!(
        r#"{{"model":"llama","max_tokens":1,"messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{PNG}"}}}}]}}]}}"#
    );
    let [prompts_bytes, inputs_bytes, ranked_bytes] =
        [prompts.len(), inputs.len(), ranked.len()].map(|bytes| bytes as u64);
    assert_eq!(
        need(&wide, "/v1/completions", prompts),
        prompts_bytes + 2 * 256 + 2 * 3 * 7,
        "each prompt has a template and its answers"
    );
    assert_eq!(need(&wide, "/v1/embeddings", &inputs), inputs_bytes + 256);
    // No input is longer than the context, but all together are.
    assert_eq!(need(&small, "/v1/embeddings", &inputs), inputs_bytes + 256);
    assert_eq!(need(&wide, "/v1/rerank", ranked), ranked_bytes + 2 * 12 + 3 * 256);
    // An image is what it is stated to be, and not its bytes.
    let of_image = need(&wide, "/v1/chat/completions", &image);
    let text_bytes = (image.len() - PNG.len() - "data:image/png;base64,".len() - 2) as u64;
    assert_eq!(of_image, text_bytes + 256 + 16_384 + 1);
}

/// A picture of one pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[test]
fn what_is_reserved_without_any_bound_is_put_in() {
    let policy = budgeted(|config| config.pools.get_mut("big").unwrap().context = 0);
    let table = Memory::default();
    let asked = wanted(ask(&policy, OPEN_END, &table, true));
    grant(&table, &asked, DOLLAR);
    let (body, _) = sent(ask(&policy, OPEN_END, &table, false));
    assert!(body.contains(r#""max_tokens":32768"#), "{body}");
}

#[test]
fn money_that_others_were_faster_with_is_no_refusal() {
    let policy = budgeted(|_| {});
    let (status, code, reply) = refused(ask(&policy, BODY, &Memory::default(), false));
    assert_eq!((status, code.as_str()), (503, "control_unavailable"));
    assert_eq!(header(&reply, "retry-after"), Some("1"));
}
