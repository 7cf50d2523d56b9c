//! What limits, reservations and usage notes cost: tenants without and with them at one
//! gateway, many workers at one hot key, and what gateways say to the control plane.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use integration::{Failure, Result};

use crate::admin::{counter, make_keys};
use crate::columns::{BUSY, CPU_PER_EVENT, CPU_PER_REQUEST, EVENTS, P99, REQUESTS, WAITED};
use crate::cores::Cores;
use crate::load::{Times, run};
use crate::markdown::markdown;
use crate::report::Column;
use crate::request::{Ask, SMALL_BYTES};
use crate::requests::Requests;
use crate::scenarios::{Row, Runs, STREAM_TOKENS, Schedule, alternate};
use crate::sides::{Side, Stub, TENANT, with, with_workers};
use crate::tell::{tell_ledger, tell_pairs};

/// The heading, or what it begins with.
const TITLE: &str = "Billing";
/// Its tenant has limits that nobody reaches.
const LIMITED: &str = "limited";
/// Its tenant has a budget as well, and so has each of its users and its organisation.
const RESERVED: &str = "reserved";
/// Rows of the tables of what is added.
const ROWS: [&str; 3] = ["no limits, no budget", "with limits", "with limits and a budget"];
/// What limits add, what the reservation adds, and both.
const PAIRS: &[(usize, usize)] = &[(1, 0), (2, 1), (2, 0)];
/// Keys that are asked with in turn, against one.
const SPREAD_KEYS: u32 = 64;
const HOT_CONNECTIONS: usize = 64;
/// Keys that are used while a gateway talks to the control plane.
const ACTIVE_KEYS: u32 = 10_000;
const ACTIVE_TIME: Duration = Duration::from_secs(15);

const PER_REQUEST: &[Column] = &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED];
const PER_EVENT: &[Column] = &[EVENTS, CPU_PER_EVENT, BUSY, WAITED];
const CONTENDED: &[Column] = &[REQUESTS, CPU_PER_REQUEST, P99];

/// One table of what is added.
struct Table {
    title: &'static str,
    ask: Ask,
    connections: usize,
    columns: &'static [Column],
}

const TABLES: [Table; 2] = [
    Table {
        title: "Billing: JSON answer to a 2 KB chat, 8 connections",
        ask: Ask::Json,
        connections: 8,
        columns: PER_REQUEST,
    },
    Table {
        title: "Billing: stream of 500 tokens as fast as it can be written, 4 connections",
        ask: Ask::Stream { tokens: STREAM_TOKENS, interval_us: 0 },
        connections: 4,
        columns: PER_EVENT,
    },
];
const HOT_TITLE: &str = "Billing: one hot key at two workers, 64 connections";
const SYNC_TITLE: &str = "Billing: what a gateway says to the control plane, 10,000 keys in use";

/// Measures and prints the chosen tables; how many failures there were.
pub async fn measure(
    schedule: &Schedule,
    cores: &Cores,
    is_chosen: impl Fn(&str) -> bool,
) -> Result<u64> {
    let mut failures = 0;
    let tables: Vec<&Table> = TABLES.iter().filter(|it| is_chosen(it.title)).collect();
    let others = is_chosen(HOT_TITLE) || is_chosen(SYNC_TITLE);
    if tables.is_empty() && !others {
        return Ok(0);
    }
    let stub = Stub::start().await?;
    if !tables.is_empty() {
        failures += added(&tables, &stub, schedule, cores).await?;
    }
    if is_chosen(HOT_TITLE) {
        failures += hot_key(stub.address(), schedule, cores).await?;
    }
    if is_chosen(SYNC_TITLE) {
        sync_traffic(stub.address(), cores).await?;
    }
    Ok(failures)
}

/// Tenants at one gateway, in turns.
async fn added(tables: &[&Table], stub: &Stub, schedule: &Schedule, cores: &Cores) -> Result<u64> {
    let side = Side::gate(TITLE, with("line", &sections()), stub.address(), cores).await?;
    let keys = keys(&side).await?;
    let mut sides = [side];
    let mut failures = 0;
    for table in tables {
        let events = stub.events_of(table.ask).await?;
        let mut rows = Vec::new();
        for (name, key) in ROWS.iter().zip(&keys) {
            let request = sides[0].chat(table.ask, SMALL_BYTES).request(&format!("Bearer {key}"));
            let target = sides[0].target(Requests::same(request), events).await?;
            rows.push(Row { name: (*name).to_owned(), target, side: 0, is_heated: true });
        }
        let Table { title, connections, columns, .. } = **table;
        let runs = Runs { title: title.to_owned(), connections, columns };
        let samples = alternate(&runs, &rows, &mut sides, schedule).await?;
        let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
        failures += tell_pairs(title, columns, &names, &samples, PAIRS);
    }
    Ok(failures + tell_ledger("Billing: ledger of the answers", &sides).await?)
}

/// A key of each tenant, in the order of [`ROWS`].
async fn keys(side: &Side) -> Result<[String; 3]> {
    let gate = side.gateway().ok_or_else(|| Failure::new("the gateway is none"))?;
    Ok([side.key().to_owned(), gate.key(LIMITED).await?.key, gate.key(RESERVED).await?.key])
}

/// All requests by one key, against keys in turn, at two workers on two cores: they
/// change the same cells in the one case, and hardly ever in the other.
async fn hot_key(engine: SocketAddr, schedule: &Schedule, cores: &Cores) -> Result<u64> {
    let start = with_workers(2, "line", &sections());
    let side = Side::gate(TITLE, start, engine, cores).await?;
    cores.give_all(side.envoy())?;
    let gate = side.gateway().ok_or_else(|| Failure::new("the gateway is none"))?;
    let (keys, _) = make_keys(gate, RESERVED, SPREAD_KEYS).await?;
    let (spread, _) = make_keys(gate, TENANT, SPREAD_KEYS).await?;
    let mut sides = [side];
    let mut rows = Vec::new();
    let sets = [
        ("64 keys in turn, no limits", spread),
        ("64 keys of one tenant in turn, its budget", keys.clone()),
        ("one key, its budget", keys[..1].to_vec()),
    ];
    for (name, keys) in sets {
        let requests = Requests::keyed(sides[0].chat(Ask::Json, SMALL_BYTES), keys)?;
        let target = sides[0].target(requests, 0).await?;
        rows.push(Row { name: name.to_owned(), target, side: 0, is_heated: true });
    }
    let title = HOT_TITLE.to_owned();
    let runs = Runs { title, connections: HOT_CONNECTIONS, columns: CONTENDED };
    let samples = alternate(&runs, &rows, &mut sides, schedule).await?;
    let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
    println!("\nWorkers share both cores with the load here: compare the rows alone.");
    Ok(tell_pairs(HOT_TITLE, CONTENDED, &names, &samples, PAIRS))
}

/// Bytes between a gateway and the control plane, while so many keys are used: each has
/// a limit of its own, and all of them a budget.
async fn sync_traffic(engine: SocketAddr, cores: &Cores) -> Result<()> {
    let mut side = Side::gate(TITLE, with("line", &sections()), engine, cores).await?;
    let gate = side.gateway().ok_or_else(|| Failure::new("the gateway is none"))?;
    let (keys, _) = make_keys(gate, RESERVED, ACTIVE_KEYS).await?;
    let mut rows = vec![
        ["", "sent, B/s", "received, B/s", "requests/s to it", "requests/s"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let quiet = traffic(&side, None).await?;
    rows.push(told("nothing asked", &quiet));
    let requests = Requests::keyed(side.chat(Ask::Json, SMALL_BYTES), keys)?;
    let target = side.target(requests, 0).await?;
    let busy = traffic(&side, Some(&target)).await?;
    rows.push(told("10,000 keys in turn, 8 connections", &busy));
    println!("\n## {SYNC_TITLE}\n\n{}", markdown(&rows).trim_end());
    Ok(())
}

/// Figures a second: bytes to the control plane, bytes from it, requests to it, answers.
async fn traffic(side: &Side, target: Option<&crate::load::Target>) -> Result<[f64; 4]> {
    let gate = side.gateway().ok_or_else(|| Failure::new("the gateway is none"))?;
    let look = async || -> Result<[u64; 3]> {
        Ok([
            counter(gate, "cluster.control.upstream_cx_tx_bytes_total").await?,
            counter(gate, "cluster.control.upstream_cx_rx_bytes_total").await?,
            counter(gate, "cluster.control.upstream_rq_total").await?,
        ])
    };
    let (before, begun) = (look().await?, Instant::now());
    let answers = match target {
        None => {
            tokio::time::sleep(ACTIVE_TIME).await;
            0
        }
        Some(target) => {
            let times = Times { warm_up: Duration::ZERO, measured: ACTIVE_TIME };
            run(target, 8, times).await?.whole
        }
    };
    let (after, took) = (look().await?, begun.elapsed().as_secs_f64());
    let rate = |at: usize| (after[at] - before[at]) as f64 / took;
    Ok([rate(0), rate(1), rate(2), answers as f64 / took])
}

fn told(name: &str, figures: &[f64; 4]) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(figures.iter().map(|it| format!("{it:.0}"))).collect()
}

/// Three tenants: the first as in all other tables, the last with everything.
fn sections() -> String {
    format!(
        "limits:\n  wide: {{ requests_per_minute: 9000000, burst: 9000000, \
         tokens_per_minute: 900000000, concurrent: 10000 }}\n\
         organisations:\n  group: {{ budget: {{ dollars: 9000000, per: month }} }}\n\
         tenants:\n  {TENANT}: {{}}\n  {LIMITED}: {{ limits: wide, users: {{ limits: wide }} }}\n  \
         {RESERVED}: {{ organisation: group, limits: wide, users: {{ limits: wide }}, \
         budget: {{ dollars: 9000000, per: month }} }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_in_a_row() {
        assert_eq!(told("x", &[1.2, 3.0, 0.0, 7.6]), ["x", "1", "3", "0", "8"]);
    }

    #[test]
    fn each_row_has_a_tenant() {
        let sections = sections();
        for tenant in [TENANT, LIMITED, RESERVED] {
            assert!(sections.contains(&format!("\n  {tenant}: ")), "{sections}");
        }
    }
}
