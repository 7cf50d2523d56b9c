//! What choosing costs: with everything on, with many models, and after a failure.

mod fallbacks;
mod models;
mod parts;

use std::net::SocketAddr;

use integration::{Result, TollgateStart};

use crate::columns::{BUSY, CPU_PER_REQUEST, P50, P99, REQUESTS, WAITED};
use crate::cores::Cores;
use crate::report::Column;
use crate::request::{Ask, SMALL_BYTES};
use crate::requests::Requests;
use crate::scenarios::{Row, Runs, Schedule, alternate};
use crate::sides::{Side, Stub};
use crate::tell::{tell, tell_ledger};

use parts::Part;

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
    if is_chosen(parts::TITLE) {
        failures += parts::measure(schedule, cores).await?;
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
    let lazy = Part::Fallback.start("100ms", stub.address());
    let lazy = Side::gate("Tollgate, everything on (100ms)", lazy, stub.address(), cores).await?;
    let plain = Side::plain(&gate.envoy_program()?, stub.address(), cores).await?;
    let mut sides = [plain, gate, lazy];
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

/// A gateway with keys, prices, limits, budgets, masking, rules that look at all of the request,
/// a split, and a fallback that is another pool.
fn everything(engine: SocketAddr) -> TollgateStart {
    Part::Fallback.start("line", engine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sides::ENGINES_MODEL;

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
