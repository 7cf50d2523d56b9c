//! What each part of the gateway adds to a request.

use std::net::SocketAddr;

use integration::{Result, Tollgate, TollgateStart};

use crate::columns::{BUSY, CPU_PER_REQUEST, REQUESTS, WAITED};
use crate::cores::Cores;
use crate::report::Column;
use crate::request::{Ask, SMALL_BYTES};
use crate::requests::Requests;
use crate::scenarios::{Row, Runs, Schedule, alternate};
use crate::sides::{CALLERS_MODEL, ENGINES_MODEL, Side, Stub, TENANT};
use crate::tell::{tell_ledger, tell_pairs};

/// The heading.
pub const TITLE: &str = "Routing: part by part, JSON answer to a 2 KB chat, 8 connections";
const CONNECTIONS: usize = 8;
const COLUMNS: &[Column] = &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED];
/// Each row against the one before.
const PAIRS: [(usize, usize); 6] = [(1, 0), (2, 1), (3, 2), (4, 3), (5, 4), (6, 5)];

/// What is on, with all that stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Keys and prices.
    Keys,
    /// Limits of the tenant and of each user.
    Limits,
    /// A budget of the tenant.
    Budget,
    /// All detectors.
    Masking,
    /// Rules that look at all of the request, and a split.
    Rules,
    /// Another pool after the first.
    Fallback,
}

impl Part {
    const ALL: [Part; 6] =
        [Part::Keys, Part::Limits, Part::Budget, Part::Masking, Part::Rules, Part::Fallback];

    const fn name(self) -> &'static str {
        match self {
            Part::Keys => "keys and prices",
            Part::Limits => "+ limits",
            Part::Budget => "+ budget",
            Part::Masking => "+ masking",
            Part::Rules => "+ rules and split",
            Part::Fallback => "+ fallback",
        }
    }

    /// The gateway with it and this `usage_flush`, before two pools of the same engine.
    pub fn start(self, flush: &str, engine: SocketAddr) -> TollgateStart {
        let on = |part: Part, text: &'static str| if self >= part { text } else { "" };
        let wide = on(
            Part::Limits,
            "limits:\n  wide: { requests_per_minute: 9000000, burst: 9000000, \
             tokens_per_minute: 900000000, concurrent: 10000 }\n",
        );
        let limits = on(Part::Limits, "limits: wide, users: { limits: wide }, ");
        let budget = on(Part::Budget, "budget: { dollars: 9000000, per: month }, ");
        let masking = on(Part::Masking, "masking:\n  policies:\n    default: {}\n");
        let masked = on(Part::Masking, "masking: default, ");
        let split = on(
            Part::Rules,
            "    sticky: user\n    \
             split: [ { pool: engines, weight: 1 }, { pool: twins, weight: 0 } ]\n    rules:\n      \
             - { when: { header: { x-tier: batch } }, to: twins }\n      \
             - { when: { prompt_tokens_over: 30000 }, to: twins }\n      \
             - { when: { language: korean }, to: twins }\n      \
             - { when: { media: any }, to: twins }\n",
        );
        let whole = if self >= Part::Rules { "" } else { "    split: [{ pool: engines }]\n" };
        let fallback = on(Part::Fallback, "    fallback: [twins]\n");
        Tollgate::with(&format!(
            "gateway:\n  workers: 1\ncontrol:\n  usage_flush: {flush}\n{wide}{masking}\
             tenants:\n  {TENANT}: {{ {limits}{budget}{masked}models: [\"*\"] }}\n\
             pools:\n  engines:\n    {PRICE}  twins:\n    engine: vllm\n    \
             model: {ENGINES_MODEL}\n    endpoints: [ http://{engine} ]\n    {PRICE}\
             models:\n  {CALLERS_MODEL}:\n{whole}{split}{fallback}"
        ))
    }
}

const PRICE: &str = "price: { input: 0.60, cached_input: 0.15, output: 1.80 }\n";

/// Measures and prints the table; how many failures there were.
pub async fn measure(schedule: &Schedule, cores: &Cores) -> Result<u64> {
    let stub = Stub::start().await?;
    let mut sides = Vec::new();
    for part in Part::ALL {
        let start = part.start("line", stub.address());
        sides.push(Side::gate(part.name(), start, stub.address(), cores).await?);
    }
    let first = sides.first().map(Side::envoy_program).transpose()?.unwrap_or_default();
    sides.insert(0, Side::plain(&first, stub.address(), cores).await?);
    let mut rows = Vec::new();
    for (at, side) in sides.iter_mut().enumerate() {
        let request = side.chat(Ask::Json, SMALL_BYTES).request(&side.bearer());
        let target = side.target(Requests::same(request), 0).await?;
        rows.push(Row { name: side.name.clone(), target, side: at, is_heated: at > 0 });
    }
    let runs = Runs { title: TITLE.to_owned(), connections: CONNECTIONS, columns: COLUMNS };
    let samples = alternate(&runs, &rows, &mut sides, schedule).await?;
    let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
    let failures = tell_pairs(TITLE, COLUMNS, &names, &samples, &PAIRS);
    Ok(failures + tell_ledger("Routing: ledger of part by part", &sides).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_comes_to_those_before() {
        let engine: SocketAddr = "127.0.0.1:9".parse().unwrap();
        let words = [PRICE, "users: {", "budget:", "policies:", "sticky: user", "fallback:"];
        for (part, own) in Part::ALL.into_iter().zip(words) {
            let yaml = part.start("line", engine).config();
            for (other, word) in Part::ALL.into_iter().zip(words) {
                assert_eq!(yaml.contains(word), other <= part, "{} {own}: {yaml}", part.name());
            }
        }
    }
}
