//! What requests cost that several pools may serve: reserved is the most that any of them can
//! take, settled is what the one takes that has answered.

use super::*;
use crate::spending::trial::NOW_MS;
use crate::spending::{Till, install};
use billing::lease::{Payer, reserve};
use contract::lease::{Account, LeaseAnswer, Leased, Wanted};
use contract::policy::{GatewayConfig, LimitsConfig, ModelConfig, PoolConfig};
use contract::price::Prices;
use contract::usage::{Source, Tally};
use proptest::prelude::*;

/// A dollar in nano-dollars: the price of a million tokens at the cheap pool.
const DOLLAR: u64 = 1_000_000_000;

fn per_token(times: u64) -> Prices {
    let price = times * DOLLAR;
    Prices { input: price, cached_input: price, output: price, ..Prices::default() }
}

/// `llama` is served by `big` for a dollar, or else by `small` for ten; `acme` has a budget.
fn cheap_then_dear(change: impl FnOnce(&mut GatewayConfig)) -> Policy {
    let mut config = config();
    config.pools.get_mut("big").unwrap().prices = per_token(1);
    let dear = config.pools.get_mut("small").unwrap();
    (dear.prices, dear.price_version) = (per_token(10), "dear".into());
    config.tenants.get_mut("acme").unwrap().budget = true;
    let fallback = vec!["small".to_owned()];
    config.models.insert("llama".into(), ModelConfig { fallback, ..ModelConfig::of_pool("big") });
    change(&mut config);
    Policy::compile(&config).unwrap()
}

const BODY: &str = r#"{"model":"llama","max_tokens":100,"messages":[]}"#;

/// 256 tokens of a template, the bytes that go out, and a hundred of the answer.
const TOKENS: u64 = 256 + BODY.len() as u64 + 5 + 100;

fn ask(policy: &Policy, table: &Memory, may_ask: bool) -> Decision {
    decided_at(policy, &hold("acme"), BODY.as_bytes(), &till(table), may_ask)
}

fn wanted(policy: &Policy) -> Vec<Wanted> {
    match ask(policy, &Memory::default(), true) {
        Decision::Lease(wanted) => wanted,
        other => panic!("{other:?}"),
    }
}

/// A table with a lease over that many nano-dollars, the last ones of the budget.
fn granted(policy: &Policy, nanodollars: u64) -> Memory {
    let table = Memory::default();
    let leased = Leased::Granted {
        lease: 7,
        granted: nanodollars,
        expires_ms: NOW_MS + 600_000,
        ends_ms: None,
        last: true,
    };
    let answer = LeaseAnswer { leases: vec![leased] };
    assert_eq!(install(&till(&table), &wanted(policy), &answer), []);
    table
}

/// What nobody has reserved or spent.
fn left(table: &Memory) -> u64 {
    let payer = Payer::new(7, &Account::Tenant("acme".into()));
    reserve(table, &[payer], u64::MAX, 1, NOW_MS).unwrap_err().available
}

fn forwarded(decision: Decision) -> (Option<String>, Forwarded) {
    match decision {
        Decision::Forward { body, forwarded, .. } => {
            (body.map(|body| String::from_utf8(body).unwrap()), *forwarded)
        }
        other => panic!("{other:?}"),
    }
}

fn count(input: u64, output: u64) -> Tally {
    Tally { input, output, source: Source::Engine, whole: true, ..Tally::default() }
}

#[test]
fn the_dearest_pool_is_asked_for() {
    let need = wanted(&cheap_then_dear(|_| {}))[0].need;
    assert_eq!(need, TOKENS * 10_000);
    let dear_first = cheap_then_dear(|config| {
        let fallback = vec!["big".to_owned()];
        let model = ModelConfig { fallback, ..ModelConfig::of_pool("small") };
        config.models.insert("llama".into(), model);
    });
    assert_eq!(wanted(&dear_first)[0].need, TOKENS * 10_000);
    let without_envoys_chains = cheap_then_dear(|config| config.chains = false);
    assert_eq!(wanted(&without_envoys_chains)[0].need, TOKENS * 1_000);
}

/// What the budget has; the pools that the request may reach, and whether its answer is
/// bounded by money, or its refusal.
#[test]
fn a_budget_that_does_not_pay_for_all_pools() {
    let policy = cheap_then_dear(|_| {});
    let (all, cheap) = (TOKENS * 10_000, TOKENS * 1_000);
    let table = [
        (all, Ok((2, 100))),
        (all - 1, Ok((1, 100))),
        (cheap, Ok((1, 100))),
        (cheap - 1_000, Ok((1, 99))),
        (cheap - 99_000, Ok((1, 1))),
        (cheap - 100_000, Err("budget_exceeded")),
        (0, Err("budget_exceeded")),
    ];
    for (budget, expected) in table {
        let memory = granted(&policy, budget);
        match (ask(&policy, &memory, false), expected) {
            (Decision::Finish(finish), Err(code)) => {
                assert_eq!(finish.who.unwrap().code.as_deref(), Some(code), "{budget}");
                assert_eq!(left(&memory), budget, "a refusal takes nothing");
            }
            (decision, Ok((pools, tokens))) => {
                let (body, forwarded) = forwarded(decision);
                assert_eq!(1 + forwarded.onward.others.len(), pools, "{budget}");
                let body: serde_json::Value = serde_json::from_str(&body.unwrap()).unwrap();
                assert_eq!(body["max_tokens"], tokens, "{budget}");
                assert_eq!(left(&memory), budget - forwarded.course.reserved(), "{budget}");
            }
            (other, _) => panic!("{budget}: {other:?}"),
        }
    }
}

/// Who answers, what he counts, and what it costs in thousands.
#[test]
fn who_answers_is_paid() {
    let most = TOKENS - 100;
    let table = [
        ("pool/big", count(10, 20), 30),
        ("pool/small", count(10, 20), 300),
        ("pool/unknown", count(10, 20), 30),
        ("pool/big", count(most, 100), TOKENS),
        ("pool/small", count(most, 100), TOKENS * 10),
        ("pool/small", Tally::default(), 0),
    ];
    let policy = cheap_then_dear(|_| {});
    let budget = TOKENS * 10_000;
    for (cluster, tally, thousands) in table {
        let memory = granted(&policy, budget);
        let (_, mut forwarded) = forwarded(ask(&policy, &memory, false));
        assert_eq!(left(&memory), 0);
        forwarded.land(cluster, &memory);
        forwarded.course.settle(&tally, &till(&memory));
        assert_eq!(left(&memory), budget - thousands * 1_000, "{cluster} {tally:?}");
    }
}

#[test]
fn where_the_dear_pool_is_not_paid_for_those_stay_that_cost_no_more() {
    let policy = cheap_then_dear(|config| {
        let free = PoolConfig { cluster: "pool/free".into(), ..config.pools["big"].clone() };
        config.pools.insert("free".into(), PoolConfig { prices: Prices::default(), ..free });
        let llama = config.models.get_mut("llama").unwrap();
        llama.fallback = vec!["small".into(), "free".into()];
    });
    let memory = granted(&policy, TOKENS * 1_000);
    let (_, forwarded) = forwarded(ask(&policy, &memory, false));
    let others = forwarded.onward.others.iter().map(|stop| stop.pool.pool.as_str());
    assert_eq!(others.collect::<Vec<_>>(), ["free"]);
    assert_eq!(left(&memory), 0, "the first pool is still what is reserved for");
}

#[test]
fn a_request_that_is_sent_again_counts_once() {
    let policy = cheap_then_dear(|config| {
        config.tenants.get_mut("acme").unwrap().budget = false;
        config.pools.values_mut().for_each(|pool| pool.retries = 2);
        let limits = LimitsConfig {
            requests_per_minute: Some(2),
            tokens_per_minute: Some(10_000),
            ..LimitsConfig::default()
        };
        config.limits.insert("few".into(), limits);
        config.tenants.get_mut("acme").unwrap().limits = Some("few".into());
    });
    let memory = Memory::default();
    for _ in 0..2 {
        let (_, mut forwarded) = forwarded(ask(&policy, &memory, true));
        forwarded.land("pool/small", &memory);
        forwarded.course.settle(&count(300, 100), &till(&memory));
    }
    let later = Till { now_ms: NOW_MS + 1, ..till(&memory) };
    let third = decided_at(&policy, &hold("acme"), BODY.as_bytes(), &later, true);
    let Decision::Finish(finish) = third else { panic!("{third:?}") };
    assert!(finish.reply.body.contains("rate_limit_exceeded"), "{}", finish.reply.body);
    let remaining = ("x-ratelimit-remaining-tokens", "9200".to_owned());
    assert!(finish.reply.headers.contains(&remaining), "{:?}", finish.reply.headers);
}

/// Time is paid for as long as all attempts may take together.
#[test]
fn the_time_of_all_attempts_is_reserved() {
    let policy = |retries, fallback: bool| {
        cheap_then_dear(|config| {
            for (name, timeout_ms) in [("big", 10_000), ("small", 40_000)] {
                let pool = config.pools.get_mut(name).unwrap();
                pool.prices = Prices { gpu_second: DOLLAR, ..Prices::default() };
                (pool.timeout_ms, pool.retries) = (timeout_ms, retries);
            }
            if !fallback {
                config.models.insert("llama".into(), ModelConfig::of_pool("big"));
            }
        })
    };
    for (retries, fallback, seconds) in
        [(0, false, 10), (1, false, 20), (0, true, 50), (2, true, 150)]
    {
        let need = wanted(&policy(retries, fallback))[0].need;
        assert_eq!(need, seconds * DOLLAR, "{retries} {fallback}");
    }
}

#[test]
fn what_is_put_in_is_each_pools_own() {
    let policy = cheap_then_dear(|config| {
        config.pools.get_mut("big").unwrap().max_tokens = Some(40);
    });
    let body = r#"{"model":"llama","messages":[]}"#;
    // The dear one's context is not known: what is reserved is what is put in.
    let memory = granted(&policy, 1_000 * DOLLAR);
    let decision = decided_at(&policy, &hold("acme"), body.as_bytes(), &till(&memory), false);
    let Decision::Forward { body: Some(body), bodies: Some(bodies), .. } = decision else {
        panic!("{decision:?}")
    };
    assert!(String::from_utf8(body).unwrap().contains(r#""max_tokens":40,"#));
    let bodies = String::from_utf8(bodies).unwrap();
    assert!(bodies.contains(r#"\"max_tokens\":32768,"#), "{bodies}");
}

/// A million of each, in nano-dollars, and a request.
fn prices() -> impl Strategy<Value = Prices> {
    let price = 0..20 * DOLLAR;
    (price.clone(), price.clone(), price, 0..1_000_u64, 0..1_000_u64).prop_map(
        |(input, cached_input, output, request, gpu_second)| Prices {
            input,
            cached_input,
            output,
            request,
            gpu_second,
            ..Prices::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the pools take, whoever answers, and however much of what it may use it does.
    #[test]
    fn nobody_spends_more_than_was_reserved(
        first in prices(),
        second in prices(),
        falls in any::<bool>(),
        input in 0..TOKENS - 100,
        cached in 0..TOKENS - 100,
        output in 0..=100_u64,
        gpu_ms in 0..=240_000_u64,
    ) {
        let policy = cheap_then_dear(|config| {
            config.pools.get_mut("big").unwrap().prices = first;
            config.pools.get_mut("small").unwrap().prices = second;
        });
        let budget = 1_000_000 * DOLLAR;
        let free = matches!(ask(&policy, &Memory::default(), true), Decision::Forward { .. });
        prop_assume!(!free);
        let memory = granted(&policy, budget);
        let (_, mut forwarded) = forwarded(ask(&policy, &memory, false));
        let reserved = forwarded.course.reserved();
        prop_assert_eq!(left(&memory), budget - reserved);
        if falls {
            forwarded.land("pool/small", &memory);
        }
        let tally = Tally { cached_input: cached.min(input), gpu_ms, ..count(input, output) };
        forwarded.course.settle(&tally, &till(&memory));
        let spent = budget - left(&memory);
        prop_assert!(spent <= reserved, "{} of {}", spent, reserved);
        let prices = if falls { second } else { first };
        let cost = billing::price::cost_nanodollars(&prices, &tally).unsigned_abs();
        prop_assert_eq!(spent, cost);
    }
}
