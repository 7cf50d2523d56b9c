//! Native masking beside presidio-analyzer on the same text.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use integration::{Failure, Result, binaries};
use masking::Rules;
use tokio::process::Command;

use super::texts::Kind;
use crate::cores::own_time;
use crate::figures::Spread;
use crate::markdown::markdown;

const TITLE: &str = "Presidio: looking over dense English text, patterns alone";
/// Long enough that starting a pass costs nothing, short enough that the slower of both
/// makes one in some seconds.
const TEXT_BYTES: usize = 64 << 10;
/// Of a round of either, on a core: whole passes until then.
const ROUND: Duration = Duration::from_secs(2);
/// Loading the analyzer takes most of it.
const PATIENCE: Duration = Duration::from_secs(180);

/// One round of one of the two.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Round {
    megabytes_a_second: f64,
    found: u64,
}

/// Measures both in turn and prints the table.
///
/// # Errors
/// The analyzer does not run.
pub async fn measure(python: &Path, rounds: u64) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let (text, file) = (Kind::Dense.text(TEXT_BYTES), folder.path().join("dense.txt"));
    std::fs::write(&file, &text)?;
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        eprintln!("{TITLE}: round {round} of {rounds}");
        own.push(native(&text));
        others.push(analyzer(python, &file).await?);
    }
    println!("\n## {TITLE}\n\n{}", told(&own, &others).trim_end());
    Ok(0)
}

fn native(text: &str) -> Round {
    let (rules, begun) = (Rules::all(), own_time());
    let (mut bytes, mut found) = (0, 0);
    while own_time() - begun < ROUND {
        found = rules.scan(black_box(text)).len() as u64;
        bytes += text.len();
    }
    let took = (own_time() - begun).as_secs_f64();
    Round { megabytes_a_second: bytes as f64 / 1e6 / took, found }
}

async fn analyzer(python: &Path, file: &Path) -> Result<Round> {
    let script = binaries::workspace().join("integration/presidio/speed.py");
    let mut command = Command::new(python);
    command.arg(script).arg(file).arg(ROUND.as_secs().to_string()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.map_err(|_| Failure::new("the analyzer takes too long"))??;
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().last().and_then(parse).ok_or_else(|| {
        Failure::new(format!("no analyzer: {}", String::from_utf8_lossy(&output.stderr)))
    })
}

/// `MEGABYTES-A-SECOND FOUND`
fn parse(line: &str) -> Option<Round> {
    let (speed, found) = line.split_once(' ')?;
    Some(Round { megabytes_a_second: speed.parse().ok()?, found: found.trim().parse().ok()? })
}

fn told(own: &[Round], others: &[Round]) -> String {
    let heading = ["median (min–max)", "MB/s", "values found"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (name, rounds) in [("Tollgate, native", own), ("presidio-analyzer", others)] {
        let speed = spread(rounds.iter().map(|round| round.megabytes_a_second), 3);
        let found = rounds.first().map_or(0, |round| round.found);
        rows.push(vec![name.to_owned(), speed, found.to_string()]);
    }
    let ratios = own.iter().zip(others).map(|(a, b)| a.megabytes_a_second / b.megabytes_a_second);
    rows.push(vec!["Tollgate ÷ presidio".to_owned(), spread(ratios, 0), String::new()]);
    markdown(&rows)
}

fn spread(values: impl Iterator<Item = f64>, digits: usize) -> String {
    Spread::of(values).map_or_else(String::new, |it| format!("{it:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_held_against_each_other() {
        let round = |megabytes_a_second| Round { megabytes_a_second, found: 7 };
        let told = told(&[round(20.0), round(30.0)], &[round(0.1), round(0.1)]);
        assert!(told.contains("| Tollgate, native    | 25.000 (20.000–30.000) | 7 "), "{told}");
        assert!(told.contains("| Tollgate ÷ presidio | 250 (200–300) "), "{told}");
    }

    #[test]
    fn a_line_of_the_script_is_two_numbers() {
        assert_eq!(parse("0.125 640\n"), Some(Round { megabytes_a_second: 0.125, found: 640 }));
        assert!(parse("").is_none() && parse("fast 3").is_none());
    }
}
