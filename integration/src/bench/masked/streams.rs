//! Streams: what a policy adds to an event, with nothing to restore and with placeholders
//! in every fourth.

use integration::Result;

use super::texts::Kind;
use super::{Question, Way, World};
use crate::columns::{BUSY, CPU_PER_EVENT, EVENTS, WAITED};
use crate::cores::Cores;
use crate::report::Column;
use crate::request::{Ask, SMALL_BYTES};
use crate::scenarios::{Row, Runs, STREAM_TOKENS, Schedule, alternate};
use crate::sides::Stub;
use crate::tell::{tell_ledger, tell_pairs};

const COLUMNS: &[Column] = &[EVENTS, CPU_PER_EVENT, BUSY, WAITED];

/// The rows: the engine says the text it was given, in pieces of some four bytes.
const ROWS: [(Way, Kind, &str); 5] = [
    (Way::Plain, Kind::Prose, "plain Envoy"),
    (Way::Unmasked, Kind::Prose, "Tollgate without a policy"),
    (Way::Masked, Kind::Prose, "Tollgate with a policy, nothing issued"),
    (Way::Unmasked, Kind::Dense, "Tollgate without a policy, values"),
    (Way::Masked, Kind::Dense, "Tollgate with a policy, placeholders"),
];
/// What the gateway adds, and what the policy adds to the same text.
const PAIRS: &[(usize, usize)] = &[(1, 0), (2, 1), (4, 3)];

/// One table.
struct Table {
    title: &'static str,
    interval_us: u64,
    connections: usize,
}

const TABLES: [Table; 2] = [
    Table {
        title: "Masking: stream of 500 tokens as fast as it can be written, 4 connections",
        interval_us: 0,
        connections: 4,
    },
    Table {
        title: "Masking: stream of 500 tokens, one every 2 ms, 16 connections",
        interval_us: 2_000,
        connections: 16,
    },
];

/// Measures and prints the chosen tables; how many failures there were.
pub async fn measure(
    schedule: &Schedule,
    cores: &Cores,
    is_chosen: impl Fn(&str) -> bool,
) -> Result<u64> {
    let chosen: Vec<&Table> = TABLES.iter().filter(|it| is_chosen(it.title)).collect();
    if chosen.is_empty() {
        return Ok(0);
    }
    let engine = Stub::start().await?;
    let mut world = World::start(engine.address(), cores).await?;
    let mut failures = 0;
    for table in chosen {
        let rows = rows(&mut world, table).await?;
        let Table { title, connections, .. } = *table;
        let runs = Runs { title: title.to_owned(), connections, columns: COLUMNS };
        let samples = alternate(&runs, &rows, &mut world.sides, schedule).await?;
        let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
        failures += tell_pairs(title, COLUMNS, &names, &samples, PAIRS);
    }
    Ok(failures + tell_ledger("Masking: ledger of the streams", &world.sides).await?)
}

async fn rows(world: &mut World, table: &Table) -> Result<Vec<Row>> {
    let ask = Ask::Stream { tokens: STREAM_TOKENS, interval_us: table.interval_us };
    let mut rows = Vec::new();
    for (way, kind, name) in ROWS {
        let question = Question { ask, is_echoed: true, ..Question::new(kind, SMALL_BYTES) };
        rows.push(world.row(way, name, &question).await?);
    }
    Ok(rows)
}
