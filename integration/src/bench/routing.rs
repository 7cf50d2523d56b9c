//! What choosing costs: with everything on, with many models, and after a failure.

mod fallbacks;
mod models;

use std::net::SocketAddr;

use integration::{Result, Tollgate, TollgateStart};

use crate::columns::{BUSY, CPU_PER_REQUEST, P50, P99, REQUESTS, WAITED};
use crate::cores::Cores;
use crate::report::Column;
use crate::request::{Ask, SMALL_BYTES};
use crate::requests::Requests;
use crate::scenarios::{Row, Runs, Schedule, alternate};
use crate::sides::{CALLERS_MODEL, ENGINES_MODEL, Side, Stub, TENANT};
use crate::tell::{tell, tell_ledger};

/// One table with everything on.
struct Table {
    title: &'static str,
    connections: usize,
    columns: &'static [Column],
}

const TABLES: [Table; 2] = [
    Table {
        title: "Routing: everything on, JSON answer to a 2 KB chat, 8 connections",
        connections: 8,
        columns: &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED],
    },
    Table {
        title: "Routing: everything on, latency of a 2 KB chat, 1 connection",
        connections: 1,
        columns: &[P50, P99, CPU_PER_REQUEST, WAITED],
    },
];

/// Measures and prints the chosen tables; how many failures there were.
pub async fn measure(
    schedule: &Schedule,
    cores: &Cores,
    is_chosen: impl Fn(&str) -> bool,
) -> Result<u64> {
    let tables: Vec<&Table> = TABLES.iter().filter(|it| is_chosen(it.title)).collect();
    let mut failures = 0;
    if !tables.is_empty() {
        failures += everything_on(&tables, schedule, cores).await?;
    }
    if is_chosen(fallbacks::TITLE) {
        failures += fallbacks::measure(schedule, cores).await?;
    }
    if is_chosen(models::TITLE) {
        failures += models::measure(schedule, cores).await?;
    }
    Ok(failures)
}

async fn everything_on(tables: &[&Table], schedule: &Schedule, cores: &Cores) -> Result<u64> {
    let stub = Stub::start().await?;
    let gate = gate(stub.address(), cores).await?;
    let plain = Side::plain(&gate.envoy_program()?, stub.address(), cores).await?;
    let mut sides = [plain, gate];
    let mut failures = 0;
    for Table { title, connections, columns } in tables.iter().copied() {
        let mut rows = Vec::new();
        for (at, side) in sides.iter_mut().enumerate() {
            let request = side.chat(Ask::Json, SMALL_BYTES).request(&side.bearer());
            let target = side.target(Requests::same(request), 0).await?;
            rows.push(Row { name: side.name.clone(), target, side: at, is_heated: at > 0 });
        }
        let runs = Runs { title: (*title).to_owned(), connections: *connections, columns };
        let samples = alternate(&runs, &rows, &mut sides, schedule).await?;
        let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
        failures += tell(title, columns, &names, &samples);
    }
    Ok(failures + tell_ledger("Routing: ledger of everything on", &sides).await?)
}

/// A gateway before the engine, with everything on.
pub async fn gate(engine: SocketAddr, cores: &Cores) -> Result<Side> {
    Side::gate("Tollgate, everything on", everything(engine), engine, cores).await
}

/// Keys, limits, a budget, masking, prices, rules that look at all of the request, a split, and
/// a fallback that is another pool.
fn everything(engine: SocketAddr) -> TollgateStart {
    Tollgate::with(&format!(
        "gateway:\n  workers: 1\ncontrol:\n  usage_flush: line\n\
         limits:\n  wide: {{ requests_per_minute: 9000000, burst: 9000000, \
         tokens_per_minute: 900000000, concurrent: 10000 }}\n\
         masking:\n  policies:\n    default: {{}}\n\
         tenants:\n  {TENANT}: {{ limits: wide, users: {{ limits: wide }}, masking: default, \
         budget: {{ dollars: 9000000, per: month }} }}\n\
         pools:\n  engines:\n    price: {{ input: 0.60, cached_input: 0.15, output: 1.80 }}\n  \
         twins:\n    engine: vllm\n    model: {ENGINES_MODEL}\n    endpoints: [ http://{engine} ]\n    \
         price: {{ input: 0.60, cached_input: 0.15, output: 1.80 }}\n\
         models:\n  {CALLERS_MODEL}:\n    sticky: user\n    \
         split: [ {{ pool: engines, weight: 1 }}, {{ pool: twins, weight: 0 }} ]\n    \
         fallback: [twins]\n    rules:\n      \
         - {{ when: {{ header: {{ x-tier: batch }} }}, to: twins }}\n      \
         - {{ when: {{ prompt_tokens_over: 30000 }}, to: twins }}\n      \
         - {{ when: {{ language: korean }}, to: twins }}\n      \
         - {{ when: {{ media: any }}, to: twins }}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_on() {
        let engine: SocketAddr = "127.0.0.1:9".parse().unwrap();
        let start = everything(engine).endpoint("engines", ENGINES_MODEL, "http://127.0.0.1:9");
        let yaml = start.config();
        for part in ["limits: wide", "masking: default", "budget:", "fallback: [twins]", "rules:"] {
            assert!(yaml.contains(part), "{part}: {yaml}");
        }
        assert_eq!(yaml.matches("http://127.0.0.1:9").count(), 2, "{yaml}");
    }
}
