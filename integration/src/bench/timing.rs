//! Whether a client can tell by the time of a refusal how nearly right it was.

use std::time::{Duration, Instant};

use integration::{Failure, Result, TollgateStart};

use crate::cores::Cores;
use crate::dialogue::Dialogue;
use crate::figures::micros;
use crate::made_up::Series;
use crate::markdown::markdown;
use crate::requests::{Credential, Requests, Signature};
use crate::sides::{Side, TENANT, with};
use crate::sink::Sink;
use crate::welch::{Compared, T_MAX, Turns};

/// The heading.
pub const TITLE: &str = "Timing: refusals, as a client sees them";
const ID: &str = "partner-01";
/// As long as the other one.
const NOBODYS_ID: &str = "partner-99";
const SECRET: &str = "made-up-secret-of-the-benchmark-0123456789a";
/// Pairs that are asked before any counts.
const WARM_UP: u32 = 200;
/// All of them are refused, and none for having failed too often.
const REFUSED: u16 = 401;
const FAILURES_PER_MINUTE: u32 = 1_000_000;
/// Before each pair of keys: the gateway asks its control plane for no more than 500
/// unknown keys a second.
const BETWEEN_KEYS: Duration = Duration::from_millis(5);

/// Two requests that are refused, and should be in the same time.
struct Pair {
    name: &'static str,
    requests: [Requests; 2],
    /// How long nothing is asked before each.
    pause: Duration,
}

/// Measures and prints the table; how many requests were not refused as they should be.
/// What the table says is never a failure: times are the machine's as well.
pub async fn measure(cores: &Cores, pairs: u32) -> Result<u64> {
    let engine = Sink::start()?;
    let side = Side::gate("Tollgate", start(), engine.address(), cores).await?;
    let mut rows = vec![Compared::heading("µs")];
    let mut failures = 0;
    for pair in pairs_of(side.key())? {
        eprintln!("{TITLE}: {}", pair.name);
        let mut dialogue = Dialogue::with(side.address());
        let (times, failed) = ask(&mut dialogue, &pair, pairs).await;
        failures += failed;
        rows.push(Compared::of(&times[0], &times[1]).cells(pair.name));
    }
    println!("\n## {TITLE}\n\n{}", markdown(&rows).trim_end());
    println!(
        "\n{pairs} pairs each, in random order. Both |t| below {T_MAX}: no difference is seen."
    );
    println!("\nFailed requests: {failures}");
    Ok(failures)
}

fn pairs_of(key: &str) -> Result<[Pair; 3]> {
    let signed =
        |id, signature| Requests::signed_models(Credential { id, secret: SECRET, signature });
    let like = Series::like(key).ok_or_else(|| Failure::new("not a key of Tollgate"))?;
    Ok([
        Pair {
            name: "HMAC: signature of nobody; of a client, wrong",
            requests: [signed(NOBODYS_ID, Signature::Right)?, signed(ID, Signature::WrongAtLast)?],
            pause: Duration::ZERO,
        },
        Pair {
            name: "HMAC: wrong in the first digit; in the last",
            requests: [signed(ID, Signature::WrongAtFirst)?, signed(ID, Signature::WrongAtLast)?],
            pause: Duration::ZERO,
        },
        Pair {
            name: "API key: like one of nobody in its first 35 characters; like a real one",
            requests: [Requests::strangers(Series::any())?, Requests::strangers(like)?],
            pause: BETWEEN_KEYS,
        },
    ])
}

/// Asks both in random order; how long each answer took (µs), and how many were wrong.
async fn ask(dialogue: &mut Dialogue, pair: &Pair, pairs: u32) -> ([Vec<f64>; 2], u64) {
    let (mut turns, mut times, mut failed) = (Turns::new(), [Vec::new(), Vec::new()], 0);
    let requests = &pair.requests;
    let mut bytes = [requests[0].template(), requests[1].template()];
    for number in 0..WARM_UP + pairs {
        // The timer would wait up to a millisecond for nothing.
        if !pair.pause.is_zero() {
            tokio::time::sleep(pair.pause).await;
        }
        for which in turns.next() {
            requests[which].renew(&mut bytes[which]);
            // A connection that the last answer has ended is made before the clock runs.
            let _ = dialogue.connect().await;
            let begun = Instant::now();
            let status = dialogue.ask(&bytes[which]).await;
            let took = micros(begun.elapsed());
            failed += u64::from(!matches!(status, Ok(REFUSED)));
            if number >= WARM_UP {
                times[which].push(took);
            }
        }
    }
    (times, failed)
}

fn start() -> TollgateStart {
    with(
        "line",
        &format!(
            "tenants:\n  {TENANT}:\n    hmac:\n      - {{ id: {ID}, secret: {SECRET} }}\n\
             auth:\n  failures_per_minute: {FAILURES_PER_MINUTE}\n"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_refused_is_a_failure() {
        let mut dialogue = Dialogue::with(Sink::start().unwrap().address());
        let requests = [(); 2].map(|()| Requests::strangers(Series::any()).unwrap());
        let pair = Pair { name: "any", requests, pause: Duration::ZERO };
        let (times, failed) = ask(&mut dialogue, &pair, 10).await;
        assert_eq!(times.map(|times| times.len()), [10, 10]);
        assert_eq!(failed, 2 * (10 + u64::from(WARM_UP)));
    }

    #[test]
    fn the_requests_of_a_pair_are_equally_long() {
        let key = Series::any().next();
        for Pair { name, requests, .. } in pairs_of(&key).unwrap() {
            let [first, second] = requests.map(|requests| requests.template().len());
            assert_eq!(first, second, "{name}");
        }
    }
}
