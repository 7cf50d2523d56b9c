//! Other gateways before the same engine, each on the core that is Envoy's, in turn with it.

mod start;

use std::path::Path;

use integration::Result;

use crate::columns::{BUSY, CPU_PER_REQUEST, P50, P99, REQUESTS, WAITED};
use crate::cores::Cores;
use crate::report::Column;
use crate::request::{Ask, SMALL_BYTES, post};
use crate::requests::Requests;
use crate::routing;
use crate::scenarios::{Row, Runs, Schedule, alternate};
use crate::sides::{Side, Stub};
use crate::tell::{tell_ledger, tell_pairs};

use start::Kind;
pub use start::Peer;

/// Connections and figures of each table.
const TABLES: [(usize, &[Column]); 2] = [
    (8, &[REQUESTS, CPU_PER_REQUEST, P50, P99, BUSY, WAITED]),
    (1, &[P50, P99, CPU_PER_REQUEST, WAITED]),
];
/// Tollgate's row, and those that it is held against.
const PAIRS: [(usize, usize); 4] = [(1, 0), (1, 2), (1, 3), (1, 4)];

/// Measures and prints the tables; how many failures there were.
///
/// # Errors
/// One of the gateways does not start, or does not answer as the engine does.
pub async fn measure(tools: &Path, schedule: &Schedule, cores: &Cores) -> Result<u64> {
    let stub = Stub::start().await?;
    let gate = routing::gate(stub.address(), cores).await?;
    let plain = Side::plain(&gate.envoy_program()?, stub.address(), cores).await?;
    let (mut sides, mut lines) = (vec![plain, gate], vec![String::new(), String::new()]);
    for kind in Kind::ALL {
        eprintln!("peers: starting {}", kind.name());
        let peer = Peer::start(kind, tools, stub.address()).await?;
        lines.push(peer.lines().to_owned());
        sides.push(Side::peer(peer, cores)?);
    }
    let mut failures = 0;
    for (connections, columns) in TABLES {
        let title = format!("Peers: JSON answer to a 2 KB chat, connections: {connections}");
        let rows = rows(&mut sides, &lines).await?;
        let runs = Runs { title: title.clone(), connections, columns };
        let samples = alternate(&runs, &rows, &mut sides, schedule).await?;
        let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
        failures += tell_pairs(&title, columns, &names, &samples, &PAIRS);
    }
    Ok(failures + tell_ledger("Peers: ledger", &sides).await?)
}

async fn rows(sides: &mut [Side], lines: &[String]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (at, (side, lines)) in sides.iter_mut().zip(lines).enumerate() {
        let chat = side.chat(Ask::Json, SMALL_BYTES);
        let request = post(&chat.body(), lines, &side.bearer());
        let target = side.target(Requests::same(request), 0).await?;
        rows.push(Row { name: side.name.clone(), target, side: at, is_heated: at > 0 });
    }
    Ok(rows)
}
