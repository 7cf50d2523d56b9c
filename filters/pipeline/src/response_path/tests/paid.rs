//! What is counted of an answer, and what ends one.

use super::*;
use crate::policy::tests::config;
use crate::spending::trial::{NOW_MS, course_of, till};
use billing::lease::{Payer, install};
use billing::memory::Memory;
use contract::lease::{Account, Leased};
use contract::price::Prices;

/// A dollar for a thousand tokens: a millidollar each.
const MILLIDOLLAR: u64 = 1_000_000;

fn event(text: &str, usage: &str) -> String {
    format!(
        "data: {{\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]{usage}}}\n\n"
    )
}

fn running(output: u64) -> String {
    format!(",\"usage\":{{\"prompt_tokens\":3,\"completion_tokens\":{output}}}")
}

fn stream(forwarded: Forwarded) -> Answering {
    on_headers(forwarded, &answer("text/event-stream"), false, || true).answering
}

/// An answer that a lease over `tokens` tokens beyond the reservation is there for.
fn paid(table: &Memory, beyond: u64) -> Answering {
    let mut config = config();
    config.tenants.get_mut("acme").unwrap().budget = true;
    let pool = config.pools.get_mut("big").unwrap();
    (pool.context, pool.template_tokens, pool.max_tokens) = (50, 1, Some(5));
    let price = 1_000 * 1_000_000_000;
    pool.prices = Prices { input: price, cached_input: price, output: price, ..Prices::default() };
    let granted = Leased::Granted {
        lease: 7,
        granted: (41 + 5 + beyond) * MILLIDOLLAR,
        expires_ms: NOW_MS + 600_000,
        ends_ms: None,
        last: true,
    };
    let payer = Payer::new(7, &Account::Tenant("acme".into()));
    assert_eq!(install(table, &payer, &granted, NOW_MS), None);
    let who = Who { path: Some("/v1/chat/completions".into()), ..Who::default() };
    stream(Forwarded { course: course_of(&config, table), who, ..forwarded(false) })
}

fn push(answering: &mut Answering, table: &Memory, chunk: &str) -> Step {
    on_body(answering, chunk.as_bytes(), false, || 1, || till(table))
}

#[test]
fn text_without_a_count_is_estimated() {
    let mut answering = stream(forwarded(false));
    assert_eq!(answering.tally.source, Source::Estimated);
    for nth in 1..=4 {
        on_body(&mut answering, event("word", "").as_bytes(), false, || 1, free);
        assert_eq!(answering.tally.output, nth);
    }
    assert!(answering.tally.input > 0);
    on_body(&mut answering, b"data: [DONE]\n\n", true, || 1, free);
    assert_eq!((answering.tally.source, answering.tally.whole), (Source::Estimated, true));
}

#[test]
fn text_behind_the_last_count_is_added_to_it() {
    let mut answering = stream(forwarded(false));
    on_body(&mut answering, event("a", &running(1)).as_bytes(), false, || 1, free);
    assert_eq!((answering.tally.output, answering.tally.source), (1, Source::Running));
    on_body(&mut answering, event("b", "").as_bytes(), false, || 1, free);
    assert_eq!((answering.tally.output, answering.tally.source), (2, Source::Estimated));
    on_body(&mut answering, event("c", &running(9)).as_bytes(), true, || 1, free);
    assert_eq!((answering.tally.output, answering.tally.source), (9, Source::Engine));
}

#[test]
fn a_count_of_nothing_is_a_count() {
    let mut answering = stream(forwarded(false));
    let zero = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0}}\n\n";
    on_body(&mut answering, event("a", "").as_bytes(), false, || 1, free);
    on_body(&mut answering, zero.as_bytes(), true, || 1, free);
    let tally = final_tally(&answering);
    assert_eq!((tally.input, tally.output, tally.source), (0, 0, Source::Engine));
}

#[test]
fn an_engine_that_goes_on_is_ended_when_the_money_is() {
    let table = Memory::default();
    let mut answering = paid(&table, 1);
    for output in [1, 43, 44] {
        let step = push(&mut answering, &table, &event("w", &running(output)));
        assert!(!step.reset && answering.cut_at_ms.is_none(), "{output}");
    }
    let step = push(&mut answering, &table, &event("w", &running(50)));
    let told = String::from_utf8(step.replacement.unwrap()).unwrap();
    assert!(told.contains("\"code\":\"budget_exceeded\"") && told.ends_with("data: [DONE]\n\n"));
    assert!(!step.reset);
    let tally = final_tally(&answering);
    assert_eq!((tally.output, tally.cut), (44, true));
    let step = push(&mut answering, &table, &event("w", &running(60)));
    assert_eq!((step.replacement, step.reset), (Some(vec![]), false));
    let later = || Till { now_ms: NOW_MS + 50, ..till(&table) };
    let chunk = event("w", &running(61));
    assert!(on_body(&mut answering, chunk.as_bytes(), false, || 1, later).reset);
    assert_eq!(final_tally(&answering).output, 44);
}

#[test]
fn an_answer_that_its_own_bound_ends_is_not_cut_by_the_budget() {
    let table = Memory::default();
    let mut answering = paid(&table, 0);
    let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
    push(&mut answering, &table, &event("w", &running(5)));
    on_body(&mut answering, end.as_bytes(), true, || 1, || till(&table));
    assert!(!final_tally(&answering).cut);
}

#[test]
fn an_error_costs_nothing() {
    let headers = Headers::of(&[(":status", "503"), ("content-type", "application/json")]);
    let Head { mut answering, .. } = on_headers(forwarded(false), &headers, false, || true);
    on_body(&mut answering, br#"{"error":{"message":"busy"}}"#, true, || 1, free);
    assert_eq!(final_tally(&answering), Tally { whole: true, ..Tally::default() });
}

/// A stream whose engine's time has a price, by a budget of `seconds`.
fn timed(table: &Memory, seconds: u64) -> Answering {
    let mut config = config();
    config.tenants.get_mut("acme").unwrap().budget = true;
    let pool = config.pools.get_mut("big").unwrap();
    pool.prices = Prices { gpu_second: MILLIDOLLAR, ..Prices::default() };
    let granted = Leased::Granted {
        lease: 7,
        granted: seconds * MILLIDOLLAR,
        expires_ms: NOW_MS + 600_000,
        ends_ms: None,
        last: false,
    };
    let payer = Payer::new(7, &Account::Tenant("acme".into()));
    assert_eq!(install(table, &payer, &granted, NOW_MS), None);
    stream(Forwarded { course: course_of(&config, table), ..forwarded(false) })
}

fn after(answering: &mut Answering, table: &Memory, seconds: u64) -> Step {
    let at = || Till { now_ms: NOW_MS + seconds * 1_000, ..till(table) };
    on_body(answering, event("w", "").as_bytes(), false, || 1, at)
}

#[test]
fn time_is_asked_for_before_it_is_needed() {
    let table = Memory::default();
    // The pool's time-out, which is what the course of a whole answer reserves.
    let mut answering = timed(&table, 120);
    assert_eq!(after(&mut answering, &table, 100).wanted, []);
    let step = after(&mut answering, &table, 110);
    assert_eq!(step.wanted.len(), 1, "half a slice is left");
    assert_eq!(step.wanted[0].account, "tenant/acme");
    assert!(answering.cut_at_ms.is_none());
    after(&mut answering, &table, 121);
    assert!(answering.cut_at_ms.is_some(), "nobody has answered");
    assert_eq!(final_tally(&answering).gpu_ms, 110_000);
}

#[test]
fn time_after_the_last_words_is_billed_as_far_as_it_was_reserved() {
    let table = Memory::default();
    let mut answering = timed(&table, 120);
    after(&mut answering, &table, 10);
    let tally = final_tally(&answering);
    let until = |seconds: u64| answering.course.until_now(tally, NOW_MS + seconds * 1_000).gpu_ms;
    assert_eq!([until(60), until(120), until(121)], [60_000, 120_000, 10_000]);
    let whole = Tally { whole: true, ..tally };
    assert_eq!(answering.course.until_now(whole, NOW_MS + 60_000).gpu_ms, 10_000);
}

#[test]
fn an_estimate_beyond_the_bound_is_wrong_until_it_is_far_beyond() {
    let table = Memory::default();
    // Five tokens may be generated.
    let mut answering = paid(&table, 0);
    for _ in 0..70 {
        push(&mut answering, &table, &event("w", ""));
    }
    assert_eq!((answering.tally.output, answering.cut_at_ms), (5, None));
    for _ in 0..10 {
        push(&mut answering, &table, &event("w", ""));
    }
    assert!(answering.cut_at_ms.is_some(), "the engine goes on");
    assert_eq!(final_tally(&answering).output, 5);
}
