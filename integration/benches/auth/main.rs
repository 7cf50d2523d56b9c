//! Whether the code that compares what is secret takes the same time for right and
//! wrong: the functions alone, without a gateway about them. `bench --only Timing` asks
//! the same of a whole gateway.
//!
//! `cargo bench --package integration --bench auth [-- PAIRS]`

#[path = "../../src/bench/markdown.rs"]
#[allow(unused_imports, reason = "its tests run with `bench`, not here")]
mod markdown;
mod pairs;
#[path = "../../src/bench/welch.rs"]
#[allow(dead_code, unused_imports, reason = "its tests run with `bench`, not here")]
mod welch;

use integration::{Failure, Result};
use markdown::markdown;
use pairs::{Pair, pairs};
use std::hint::black_box;
use std::time::Instant;
use welch::{Compared, T_MAX, Turns};

/// Pairs of calls of each comparison, when the command line does not say.
const PAIRS: u32 = 50_000;
/// Pairs before any counts.
const WARM_UP: u32 = 2_000;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let count = match words.as_slice() {
        [] => PAIRS,
        [count] => count.parse()?,
        more => return Err(Failure::new(format!("what is {more:?}? One number, of pairs"))),
    };
    let mut rows = vec![Compared::heading("ns")];
    for pair in pairs() {
        let [first, second] = measured(&pair, count);
        rows.push(Compared::of(&first, &second).cells(pair.name));
    }
    println!("\n## Timing: the functions that compare\n\n{}", markdown(&rows).trim_end());
    println!(
        "\n{count} pairs each, in random order. Both |t| below {T_MAX}: no difference is seen."
    );
    Ok(())
}

/// Calls both in random order; how long each call took, in nanoseconds.
///
/// All inputs are made before, and each is copied to the same place: otherwise it would
/// be compared how they are made, and how two places lie in the cache.
fn measured(pair: &Pair, count: u32) -> [Vec<f64>; 2] {
    let count = WARM_UP + count;
    let inputs: Vec<[String; 2]> =
        (0..count).map(|number| [0, 1].map(|kind: usize| (pair.kinds[kind])(number))).collect();
    let (mut turns, mut times) = (Turns::new(), [Vec::new(), Vec::new()]);
    let mut place = String::new();
    for inputs in &inputs {
        for which in turns.next() {
            place.clear();
            place.push_str(&inputs[which]);
            times[which].push((pair.time)(&place));
        }
    }
    times.map(|mut times| times.split_off(WARM_UP as usize))
}

/// How long a call takes, in nanoseconds.
fn nanos<T>(call: impl FnOnce() -> T) -> f64 {
    let begun = Instant::now();
    black_box(call());
    begun.elapsed().as_secs_f64() * 1e9
}
