//! Whether large requests leave anything behind in Envoy.

use std::time::{Duration, Instant};

use integration::Result;

use super::texts::Kind;
use super::{Question, Way, World};
use crate::cores::Cores;
use crate::dialogue::Dialogue;
use crate::markdown::markdown;
use crate::memory::resident_mib;
use crate::request::LARGE_BYTES;
use crate::sink::Sink;
use crate::tell::tell_ledger;

/// The heading.
pub const TITLE: &str = "Masking: memory of Envoy after requests of 1 MB";
/// After so many requests it is looked at: a first few, some and many.
const LOOKS: [u64; 4] = [10, 1_000, 3_000, 10_000];
/// Every so many requests one is full of values.
const DENSE_EVERY: u64 = 10;

/// What a look has seen.
struct Standing {
    requests: u64,
    took: Duration,
    envoy_mib: f64,
}

/// Sends and prints; how many failures there were. It stops after `time`, and tells how
/// far it came.
pub async fn measure(cores: &Cores, time: Duration) -> Result<u64> {
    let engine = Sink::start()?;
    let mut world = World::start(engine.address(), cores).await?;
    let requests = [Kind::Prose, Kind::Dense]
        .map(|kind| world.request(Way::Masked, &Question::new(kind, LARGE_BYTES)));
    let gate = world.side(Way::Masked);
    let mut dialogue = Dialogue::with(gate.address());
    let (mut standings, mut failures, mut sent) = (Vec::new(), 0, 0);
    let begun = Instant::now();
    for look in LOOKS {
        while sent < look && begun.elapsed() < time {
            let request = &requests[usize::from(sent % DENSE_EVERY == 0)];
            let is_answered = dialogue.ask(request).await.is_ok_and(|status| status == 200);
            gate.answers += u64::from(is_answered);
            failures += u64::from(!is_answered);
            sent += 1;
        }
        if standings.last().is_some_and(|last: &Standing| last.requests == sent) {
            break;
        }
        eprintln!("{TITLE}: {sent}");
        let (took, envoy_mib) = (begun.elapsed(), resident_mib(gate.envoy())?);
        standings.push(Standing { requests: sent, took, envoy_mib });
    }
    println!("\n## {TITLE}\n\n{}\nFailed requests: {failures}", told(&standings));
    Ok(failures + tell_ledger("Masking: ledger of the memory", &world.sides).await?)
}

fn told(standings: &[Standing]) -> String {
    let mut rows = vec![["requests", "after, s", "Envoy, MiB"].map(str::to_owned).to_vec()];
    rows.extend(standings.iter().map(|standing| {
        vec![
            standing.requests.to_string(),
            format!("{:.1}", standing.took.as_secs_f64()),
            format!("{:.1}", standing.envoy_mib),
        ]
    }));
    markdown(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_a_row() {
        let took = Duration::from_millis(12_340);
        let told = told(&[Standing { requests: 1_000, took, envoy_mib: 101.26 }]);
        let cells: Vec<&str> = told.lines().last().unwrap().split('|').map(str::trim).collect();
        assert_eq!(cells, ["", "1000", "12.3", "101.3", ""]);
    }
}
