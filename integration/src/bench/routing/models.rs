//! Whether a request is dearer where there are many models.

use integration::Result;

use crate::columns::{BUSY, CPU_PER_REQUEST, REQUESTS, WAITED};
use crate::cores::Cores;
use crate::report::Column;
use crate::request::{Ask, SMALL_BYTES};
use crate::requests::Requests;
use crate::scenarios::{Row, Runs, Schedule, alternate};
use crate::sides::{Side, with};
use crate::sink::Sink;
use crate::tell::{tell, tell_ledger};

/// The heading.
pub const TITLE: &str = "Routing: one model among many, 8 connections";
const COUNTS: [usize; 3] = [10, 1_000, 10_000];
const CONNECTIONS: usize = 8;
const COLUMNS: &[Column] = &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED];

/// Measures and prints the table; how many failures there were.
pub async fn measure(schedule: &Schedule, cores: &Cores) -> Result<u64> {
    let engine = Sink::start()?;
    let (mut rows, mut sides) = (Vec::new(), Vec::new());
    for (at, count) in COUNTS.into_iter().enumerate() {
        let names = names(count);
        let name = format!("Tollgate, {count} models in turn");
        let start = with("line", &sections(&names));
        let mut side = Side::gate(&name, start, engine.address(), cores).await?;
        let first = names.first().cloned().unwrap_or_default();
        let chat = side.chat(Ask::Json, SMALL_BYTES);
        let requests = Requests::named(chat, &side.bearer(), names)?;
        let target = side.target_of(requests, 0, &first).await?;
        rows.push(Row { name, target, side: at, is_heated: true });
        sides.push(side);
    }
    let runs = Runs { title: TITLE.to_owned(), connections: CONNECTIONS, columns: COLUMNS };
    let samples = alternate(&runs, &rows, &mut sides, schedule).await?;
    let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
    let failures = tell(TITLE, COLUMNS, &names, &samples);
    Ok(failures + tell_ledger("Routing: ledger of many models", &sides).await?)
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("model-{number:05}")).collect()
}

/// Further lines of the section `models`.
fn sections(names: &[String]) -> String {
    names.iter().map(|name| format!("  {name}: engines\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_has_a_line() {
        let names = names(1_000);
        assert_eq!((names.len(), names[7].as_str()), (1_000, "model-00007"));
        assert!(sections(&names).starts_with("  model-00000: engines\n  model-00001: engines\n"));
    }
}
