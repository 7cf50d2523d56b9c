//! A keyring of many keys: how long it takes until a gateway has all of them, what
//! they cost in memory, and whether a request is dearer for them.

use std::time::Duration;

use integration::{Failure, Result, Tollgate};

use crate::admin::make_keys;
use crate::columns::{BUSY, CPU_PER_REQUEST, REQUESTS, WAITED};
use crate::cores::Cores;
use crate::markdown::markdown;
use crate::memory::resident_mib;
use crate::report::Column;
use crate::request::{Ask, SMALL_BYTES};
use crate::requests::Requests;
use crate::scenarios::{Row, Runs, Schedule, alternate};
use crate::sides::{Side, TENANT, with};
use crate::sink::Sink;
use crate::tell::{tell, tell_ledger};

/// The heading, or what it begins with.
pub const TITLE: &str = "Keyring: one key among many";
/// Keys of the small keyring.
const FEW: u32 = 10;
/// Keys of the one between.
const SOME: u32 = 1_000;
const CONNECTIONS: usize = 8;
const COLUMNS: &[Column] = &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED];
/// A process that has just started still gives memory back: so long it is left alone.
const SETTLING: Duration = Duration::from_secs(2);

/// A gateway and its keys.
struct Ring {
    side: Side,
    keys: Vec<String>,
}

/// What a keyring of one size costs.
struct Standing {
    keys: usize,
    /// How long it took to make the ones that were not there before, and how many.
    made: (u32, Duration),
    /// From the start of the processes to the first request that would be served.
    start: Duration,
    envoy_mib: f64,
    control_mib: f64,
}

/// Measures and prints both tables; how many failures there were.
pub async fn measure(schedule: &Schedule, cores: &Cores, many: u32) -> Result<u64> {
    let engine = Sink::start()?;
    let name = |count: u32| format!("Tollgate, {count} keys");
    let mut few = Ring::of(&name(FEW), &engine, cores).await?;
    let mut large = Ring::of(&name(many), &engine, cores).await?;
    let mut standings = vec![few.grow(FEW, cores).await?];
    for count in [SOME, many] {
        eprintln!("{TITLE}: {count} keys");
        standings.push(large.grow(count, cores).await?);
    }
    println!("\n## {TITLE}: what it costs to have them\n\n{}", told(&standings).trim_end());
    let rings = [few, large];
    let (mut rows, mut sides) = (Vec::new(), Vec::new());
    for (at, Ring { mut side, keys }) in rings.into_iter().enumerate() {
        let requests = Requests::keyed(side.chat(Ask::Json, SMALL_BYTES), keys)?;
        let target = side.target(requests, 0).await?;
        rows.push(Row { name: side.name.clone(), target, side: at, is_heated: true });
        sides.push(side);
    }
    let title = format!("{TITLE}, {CONNECTIONS} connections, each request with another key");
    let runs = Runs { title, connections: CONNECTIONS, columns: COLUMNS };
    let samples = alternate(&runs, &rows, &mut sides, schedule).await?;
    let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
    let failures = tell(&runs.title, COLUMNS, &names, &samples);
    Ok(failures + tell_ledger("Keyring: ledger", &sides).await?)
}

impl Ring {
    async fn of(name: &str, engine: &Sink, cores: &Cores) -> Result<Ring> {
        let sections = format!("tenants:\n  {TENANT}: {{}}\n");
        let side = Side::gate(name, with("line", &sections), engine.address(), cores).await?;
        let keys = vec![side.key().to_owned()];
        Ok(Ring { side, keys })
    }

    /// Makes keys until there are so many, and starts the gateway anew with them: all
    /// that it knows of them after that is what it was sent at once.
    async fn grow(&mut self, count: u32, cores: &Cores) -> Result<Standing> {
        let missing = count.saturating_sub(u32::try_from(self.keys.len())?);
        let (keys, took) = make_keys(self.gateway()?, TENANT, missing).await?;
        self.keys.extend(keys);
        let start = self.side.restart(cores).await?;
        tokio::time::sleep(SETTLING).await;
        self.side.settle().await?;
        Ok(Standing {
            keys: self.keys.len(),
            made: (missing, took),
            start,
            envoy_mib: resident_mib(self.side.envoy())?,
            control_mib: resident_mib(self.gateway()?.pid())?,
        })
    }

    fn gateway(&self) -> Result<&Tollgate> {
        self.side.gateway().ok_or_else(|| Failure::new("plain Envoy has no keys"))
    }
}

fn told(standings: &[Standing]) -> String {
    let heading = ["keys", "made, keys/s", "start to ready, s", "Envoy, MiB", "control plane, MiB"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for standing in standings {
        let (count, took) = standing.made;
        rows.push(vec![
            standing.keys.to_string(),
            format!("{:.0}", f64::from(count) / took.as_secs_f64()),
            format!("{:.2}", standing.start.as_secs_f64()),
            format!("{:.1}", standing.envoy_mib),
            format!("{:.1}", standing.control_mib),
        ]);
    }
    markdown(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyring_is_told_in_a_row() {
        let standing = Standing {
            keys: 1_000,
            made: (990, Duration::from_millis(1_980)),
            start: Duration::from_millis(1_234),
            envoy_mib: 80.06,
            control_mib: 30.0,
        };
        let told = told(&[standing]);
        let cells: Vec<&str> = told.lines().last().unwrap().split('|').map(str::trim).collect();
        assert_eq!(cells, ["", "1000", "500", "1.23", "80.1", "30.0", ""]);
    }
}
