//! How long limits and money take for each request:
//! `cargo run --release -p billing --example speed`.
//!
//! The table is one of this process's memory; in Envoy every read and swap of shared data is
//! a call of the host on top of it.

use billing::lease::{Payer, install, reserve};
use billing::limits::{Ask, admit};
use billing::memory::Memory;
use billing::scope::{Kind, Scope};
use billing::vms::Alive;
use billing::{concurrency, estimate, lease, limits};
use contract::lease::{Account, Leased};
use contract::policy::LimitsConfig;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long each is measured.
const MEASURED: Duration = Duration::from_millis(500);

/// Requests of a round: long enough that the clock does not count.
const ROUND: u32 = 1_000;

const NOW_MS: u64 = 1_800_000_000_000;

fn main() {
    let limits = LimitsConfig {
        requests_per_minute: Some(u32::MAX),
        burst: None,
        tokens_per_minute: Some(u32::MAX),
        concurrent: None,
    };
    let kinds = [Kind::Tenant, Kind::Key, Kind::User, Kind::Model];
    let scopes = kinds.map(|kind| Scope::new(1, kind, &["acme"]));
    let limited = scopes.map(|scope| (scope, &limits));
    say("limits, 1 scope: admit and settle", 1, |table, n| limit(table, &limited[..1], n));
    say("limits, 4 scopes: admit and settle", 1, |table, n| limit(table, &limited, n));
    say("limits, 4 scopes, 2 workers on them", 2, |table, n| limit(table, &limited, n));
    let counted = scopes.map(|scope| (scope, 1_000));
    say("concurrency, 4 scopes: enter and leave", 1, |table, n| count(table, &counted, n));
    let payers = ["tenant/acme", "key/ci"].map(payer);
    say("money, 2 accounts: reserve and settle", 1, |table, n| pay(table, &payers, n));
    say("money, 2 accounts, 2 workers on them", 2, |table, n| pay(table, &payers, n));
    say("estimate: learn and count", 1, learn);
}

fn payer(name: &str) -> Payer {
    let account = Account::parse(name);
    Payer::new(1, &account.unwrap_or(Account::Tenant(String::new())))
}

fn limit(table: &Memory, scopes: &[(Scope, &LimitsConfig)], n: u32) {
    let ask = Ask {
        scopes,
        input_tokens: 500,
        output_tokens: 500,
        output_is_callers: true,
        gateways: 1,
        now_ns: (NOW_MS + u64::from(n)) * 1_000_000,
    };
    if let Ok(admitted) = admit(table, &ask) {
        limits::settle(table, &admitted, 700, ask.now_ns);
    }
}

fn count(table: &Memory, scopes: &[(Scope, u32)], n: u32) {
    let alive = Alive::default();
    if let Ok(entered) = concurrency::enter(table, scopes, n % 4, &alive, 1) {
        concurrency::leave(table, entered);
    }
}

fn pay(table: &Memory, payers: &[Payer], n: u32) {
    let granted = 1 << 60;
    if n == 0 {
        for (lease, payer) in (1..).zip(payers) {
            let (expires_ms, ends_ms) = (u64::MAX, None);
            let leased = Leased::Granted { lease, granted, expires_ms, ends_ms, last: false };
            install(table, payer, &leased, NOW_MS);
        }
    }
    if let Ok(reservation) = reserve(table, payers, 1_000_000, n % 4, NOW_MS) {
        lease::settle(table, reservation, 7, NOW_MS);
    }
}

fn learn(table: &Memory, n: u32) {
    let delivered = estimate::Delivered { events: 100, bytes: 430 };
    let seen = estimate::Seen { delivered, output: 100, request_bytes: 4_000, input: 900 };
    estimate::learn(table, "p", u64::from(n), &seen);
    black_box(estimate::Learned::of(table, "p").output_tokens(delivered));
}

#[expect(clippy::print_stdout, reason = "a program that reports to its user")]
fn say(what: &str, workers: u32, request: impl Fn(&Memory, u32) + Sync) {
    let table = Memory::default();
    request(&table, 0);
    let begun = Instant::now();
    let mut best = Duration::MAX;
    while begun.elapsed() < MEASURED {
        let start = Instant::now();
        std::thread::scope(|threads| {
            for _ in 0..workers {
                threads.spawn(|| (1..=ROUND).for_each(|n| request(black_box(&table), n)));
            }
        });
        best = best.min(start.elapsed());
    }
    let ns = best.as_secs_f64() * 1e9 / f64::from(ROUND * workers);
    println!("{what:42} {ns:8.0} ns a request");
}
