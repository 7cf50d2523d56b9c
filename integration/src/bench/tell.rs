//! What is printed.

use integration::Result;

use crate::figures::{Spread, each, micros};
use crate::load::Sample;
use crate::markdown::markdown;
use crate::report::{Column, against_the_first, table};
use crate::sides::Side;

/// Share of a run that the first row may have waited for its core, which nothing else
/// is put on: above it, others had the core too.
const WAITED_SHARE_MAX: f64 = 0.1;

/// Prints a table of runs, each row held against the first; how many requests failed in
/// it.
pub fn tell(title: &str, columns: &[Column], names: &[String], samples: &[Vec<Sample>]) -> u64 {
    tell_pairs(title, columns, names, samples, &against_the_first(names.len()))
}

/// Prints a table of runs, with these rows held against those; how many requests failed
/// in it.
pub fn tell_pairs(
    title: &str,
    columns: &[Column],
    names: &[String],
    samples: &[Vec<Sample>],
    pairs: &[(usize, usize)],
) -> u64 {
    let named: Vec<(&str, &[Sample])> =
        names.iter().map(String::as_str).zip(samples.iter().map(Vec::as_slice)).collect();
    println!("\n## {title}\n\n{}", table(columns, &named, pairs).trim_end());
    let mut failures = 0;
    for (name, samples) in named {
        let failed: u64 = samples.iter().map(|sample| sample.failed).sum();
        let told = samples.iter().flat_map(|sample| &sample.failures).take(3);
        told.for_each(|failure| println!("\nFAILED: {name}: {failure}"));
        failures += failed;
    }
    println!("\nFailed requests: {failures}");
    if samples.first().is_some_and(|first| !is_quiet(first)) {
        println!("\nNOT QUIET: others used Envoy's core meanwhile; do not quote this table");
    }
    failures
}

fn is_quiet(first: &[Sample]) -> bool {
    let share = |it: &Sample| it.envoy.waited.as_secs_f64() / it.elapsed.as_secs_f64();
    Spread::of(first.iter().map(share)).is_some_and(|share| share.median <= WAITED_SHARE_MAX)
}

/// Every answer is in the ledger once, or what was measured was not the whole gateway;
/// prints both and returns how far they are apart.
pub async fn tell_ledger(title: &str, sides: &[Side]) -> Result<u64> {
    let heading =
        ["", "answers", "usage records", "control plane, CPU µs/record (not counted above)"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let mut failures = 0;
    for side in sides {
        let Some(billed) = side.billed().await? else { continue };
        failures += side.answers.abs_diff(billed.records);
        let cost = each(micros(billed.control_plane), billed.records);
        let (answers, records) = (side.answers.to_string(), billed.records.to_string());
        rows.push(vec![side.name.clone(), answers, records, format!("{cost:.0}")]);
    }
    println!("\n## {title}\n\n{}", markdown(&rows).trim_end());
    Ok(failures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn waited(millis: u64) -> Sample {
        let mut sample = Sample { elapsed: Duration::from_secs(1), ..Sample::default() };
        sample.envoy.waited = Duration::from_millis(millis);
        sample
    }

    #[test]
    fn a_machine_is_quiet_when_the_first_row_hardly_waits() {
        assert!(is_quiet(&[waited(20), waited(50), waited(900)]));
        assert!(!is_quiet(&[waited(20), waited(150), waited(900)]));
    }
}
