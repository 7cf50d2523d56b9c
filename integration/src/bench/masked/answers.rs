//! JSON answers: to chats without a value, and to those with some, which come back.

use std::net::SocketAddr;

use integration::Result;

use super::texts::Kind;
use super::{Question, Way, World};
use crate::columns::{BUSY, CPU_PER_REQUEST, REQUESTS, WAITED};
use crate::cores::Cores;
use crate::report::Column;
use crate::scenarios::{Runs, Schedule, alternate};
use crate::sides::Stub;
use crate::sink::Sink;
use crate::tell::{tell_ledger, tell_pairs};

const COLUMNS: &[Column] = &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED];
const WAYS: [Way; 3] = [Way::Plain, Way::Unmasked, Way::Masked];
/// What the gateway adds, and what the policy does.
const PAIRS: &[(usize, usize)] = &[(1, 0), (2, 1)];

/// One table.
struct Table {
    title: &'static str,
    kind: Kind,
    bytes: usize,
    connections: usize,
}

/// Chats without values. The engine reads nothing of them.
const PROSE: [Table; 3] = [
    Table {
        title: "Masking: JSON answer to 2 KB of prose, 8 connections",
        kind: Kind::Prose,
        bytes: 2 << 10,
        connections: 8,
    },
    Table {
        title: "Masking: JSON answer to 64 KB of prose, 8 connections",
        kind: Kind::Prose,
        bytes: 64 << 10,
        connections: 8,
    },
    Table {
        title: "Masking: JSON answer to 1 MB of prose, 4 connections",
        kind: Kind::Prose,
        bytes: 1 << 20,
        connections: 4,
    },
];
/// Chats with values, which the engine says after the caller.
const DENSE: [Table; 2] = [
    Table {
        title: "Masking: 2 KB with 20 values, masked and restored, 8 connections",
        kind: Kind::Dense,
        bytes: 2 << 10,
        connections: 8,
    },
    Table {
        title: "Masking: 64 KB with 680 values, masked and restored, 8 connections",
        kind: Kind::Dense,
        bytes: 64 << 10,
        connections: 8,
    },
];

/// Measures and prints the chosen tables; how many failures there were.
pub async fn measure(
    schedule: &Schedule,
    cores: &Cores,
    is_chosen: impl Fn(&str) -> bool,
) -> Result<u64> {
    let chosen = |tables: &'static [Table]| -> Vec<&'static Table> {
        tables.iter().filter(|it| is_chosen(it.title)).collect()
    };
    let (prose, dense) = (chosen(&PROSE), chosen(&DENSE));
    let mut failures = 0;
    if !prose.is_empty() {
        let engine = Sink::start()?;
        failures += measure_all(&prose, engine.address(), schedule, cores).await?;
    }
    if !dense.is_empty() {
        let engine = Stub::start().await?;
        failures += measure_all(&dense, engine.address(), schedule, cores).await?;
    }
    Ok(failures)
}

async fn measure_all(
    tables: &[&Table],
    engine: SocketAddr,
    schedule: &Schedule,
    cores: &Cores,
) -> Result<u64> {
    let mut world = World::start(engine, cores).await?;
    let mut failures = 0;
    for table in tables {
        let mut question = Question::new(table.kind, table.bytes);
        question.is_echoed = table.kind == Kind::Dense;
        let mut rows = Vec::new();
        for way in WAYS {
            rows.push(world.row(way, way.name(), &question).await?);
        }
        let Table { title, connections, .. } = **table;
        let runs = Runs { title: title.to_owned(), connections, columns: COLUMNS };
        let samples = alternate(&runs, &rows, &mut world.sides, schedule).await?;
        let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
        failures += tell_pairs(title, COLUMNS, &names, &samples, PAIRS);
    }
    Ok(failures + tell_ledger("Masking: ledger of the answers", &world.sides).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use masking::Rules;

    #[test]
    fn headings_tell_how_many_values_there_are() {
        for table in DENSE {
            let found = Rules::all().scan(&table.kind.text(table.bytes)).len();
            let told = format!(" with {} values", found / 10 * 10);
            assert!(table.title.contains(&told), "{}: {found}", table.title);
        }
    }
}
