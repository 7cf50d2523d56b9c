//! How much later an answer comes when the first pool fails in each way.

use std::net::SocketAddr;

use integration::{Result, Tollgate, TollgateStart, free_address};

use crate::columns::{CPU_PER_REQUEST, P50, P99, WAITED};
use crate::cores::Cores;
use crate::report::Column;
use crate::request::{Ask, Chat, SMALL_BYTES};
use crate::requests::Requests;
use crate::scenarios::{Row, Runs, Schedule, alternate};
use crate::sides::{CALLERS_MODEL, ENGINES_MODEL, Side, Stub};
use crate::tell::{tell, tell_ledger};

/// The heading.
pub const TITLE: &str = "Routing: what a failure of the first pool adds, 1 connection";
const COLUMNS: &[Column] = &[P50, P99, CPU_PER_REQUEST, WAITED];
/// Models, each with another first pool, and what they are called in the table.
const ROWS: [(&str, &str); 4] = [
    (CALLERS_MODEL, "no failure"),
    ("after-refusal", "connection refused, then the next pool"),
    ("after-503", "503, then the next pool"),
    ("after-time", "no answer for 100 ms, then the next pool"),
];

/// Measures and prints the table; how many failures there were.
pub async fn measure(schedule: &Schedule, cores: &Cores) -> Result<u64> {
    let (good, busy, stuck) =
        (Stub::start().await?, Stub::failing("status=503").await?, Stub::failing("hang").await?);
    let start = gate(free_address(), busy.address(), stuck.address());
    let mut sides = [Side::gate("Tollgate", start, good.address(), cores).await?];
    let mut rows = Vec::new();
    for (at, (model, name)) in ROWS.into_iter().enumerate() {
        let request = Chat { ask: Ask::Json, model, bytes: SMALL_BYTES };
        let requests = Requests::same(request.request(&sides[0].bearer()));
        let target = sides[0].target_of(requests, 0, model).await?;
        rows.push(Row { name: name.to_owned(), target, side: 0, is_heated: at == 0 });
    }
    let runs = Runs { title: TITLE.to_owned(), connections: 1, columns: COLUMNS };
    let samples = alternate(&runs, &rows, &mut sides, schedule).await?;
    let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
    let failures = tell(TITLE, COLUMNS, &names, &samples);
    Ok(failures + tell_ledger("Routing: ledger of the failures", &sides).await?)
}

/// Pools that fail, none of which is ever given up on.
fn gate(refusing: SocketAddr, busy: SocketAddr, stuck: SocketAddr) -> TollgateStart {
    let pool = |name: &str, address: SocketAddr, more: &str| {
        format!(
            "  {name}:\n    engine: vllm\n    model: {ENGINES_MODEL}\n    \
             endpoints: [ http://{address} ]\n    retries: 0\n    \
             ejection: {{ failures: 1000, error_rate: 100% }}\n{more}"
        )
    };
    let model = |name: &str, pool: &str| {
        format!("  {name}: {{ split: [ {{ pool: {pool}, weight: 1 }} ], fallback: [engines] }}\n")
    };
    Tollgate::with(&format!(
        "gateway:\n  workers: 1\npools:\n  engines:\n    timeout: 100ms\n{}{}{}models:\n  {CALLERS_MODEL}: engines\n{}{}{}",
        pool("refusing", refusing, ""),
        pool("busy", busy, ""),
        pool("stuck", stuck, "    timeout: 100ms\n"),
        model(ROWS[1].0, "refusing"),
        model(ROWS[2].0, "busy"),
        model(ROWS[3].0, "stuck"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_model() {
        let address: SocketAddr = "127.0.0.1:9".parse().unwrap();
        let yaml = gate(address, address, address).config();
        for (model, _) in ROWS {
            assert!(yaml.contains(&format!("\n  {model}: ")), "{model}: {yaml}");
        }
    }
}
