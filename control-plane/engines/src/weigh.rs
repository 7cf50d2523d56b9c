//! The weights of a pool's engines, from what is known of their load.
//!
//! An engine's score is `0.4 * active / max_active + 0.6 * use`, 0 idle and 1
//! full, where `active` is running and waiting requests, at most `max_active`,
//! and `use` is that of the KV cache. Its weight is `128 * (1 - score)`, at least
//! the floor. Where a signal is missing:
//!
//! 1. no KV use: the utilisation of the GPUs in its place;
//! 2. neither: the active part alone, scaled to 1;
//! 3. no active requests either way: the use alone, scaled to 1;
//! 4. nothing, or nothing that is fresh: the median weight of the engines of the
//!    pool that are known, so that it is neither favoured nor starved;
//! 5. no engine known: equal weights, which is the pool without weights.
//!
//! A weight is changed when it moved enough (see [`settled`]), because each
//! change makes every gateway build its balancer anew.

mod by_latency;

pub use by_latency::weigh_by_latency;

use crate::signals::{Reading, Signals};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Weight of an idle engine; Envoy's classic upper bound of endpoint weights.
pub const WEIGHT_MAX: u32 = 128;

/// Weight of a full engine: a sixteenth of an idle one. Never 0, because a full
/// engine that gets no request would not be seen recovering by its answers, and
/// a pool whose engines are all full must still serve.
pub const WEIGHT_FLOOR: u32 = 8;

/// Shares of the two parts of the score.
const ACTIVE_SHARE: f64 = 0.4;
const USE_SHARE: f64 = 0.6;

/// A tenth of the scale: a smaller move of a big weight is noise.
const MOVE_MAX: u32 = 13;

/// Below half of the scale a tenth of it is a lot: an engine's share of requests
/// goes with the ratio of weights, so a quarter of the weight counts there.
const MOVE_DIVISOR: u32 = 4;

/// Half of the floor: what a small weight has to move at least.
const MOVE_MIN: u32 = 4;

/// KV use from which vLLM and its like preempt requests to go on.
const KV_USE_FULL: f64 = 0.95;

/// What is known of one engine now.
struct Judged {
    weight: u32,
    saturated: bool,
}

/// The weight of each engine of a pool, [`WEIGHT_FLOOR`] to [`WEIGHT_MAX`],
/// whatever the order of the pool. `max_active` is the number of requests at once
/// that an engine does well with; `previous` are the weights that gateways have;
/// `now_ms` is by the clock of the readings.
#[must_use]
pub fn weigh(
    pool: &[(SocketAddr, Option<Reading>)],
    max_active: u32,
    previous: &BTreeMap<SocketAddr, u32>,
    now_ms: u64,
) -> BTreeMap<SocketAddr, u32> {
    let judged = pool.iter().map(|(engine, reading)| {
        let fresh = reading.as_ref().filter(|reading| reading.is_fresh(now_ms));
        (*engine, fresh.and_then(|reading| judge(reading, max_active)))
    });
    settle(judged, previous)
}

/// How full an engine is, 0 to 1, by the score of [`weigh`]; `None` where it tells nothing.
#[must_use]
pub fn load(reading: &Reading, max_active: u32) -> Option<f64> {
    score(&reading.load, max_active)
}

/// The weights of engines: those that are known as they are judged, the others as the median
/// of those.
fn settle(
    engines: impl Iterator<Item = (SocketAddr, Option<Judged>)>,
    previous: &BTreeMap<SocketAddr, u32>,
) -> BTreeMap<SocketAddr, u32> {
    let mut weights = BTreeMap::new();
    let mut unknown = Vec::new();
    for (engine, judged) in engines {
        match judged {
            Some(judged) => {
                weights.insert(engine, settled(&judged, previous.get(&engine).copied()));
            }
            None => unknown.push(engine),
        }
    }
    let stand_in = median(weights.values().copied().collect());
    for engine in unknown {
        let weight = stand_in.map_or(WEIGHT_MAX, |weight| {
            settled(&Judged { weight, saturated: false }, previous.get(&engine).copied())
        });
        weights.insert(engine, weight);
    }
    weights
}

/// Full means full at the last answer, not in the mean: then the greater of the
/// two scores counts.
fn judge(reading: &Reading, max_active: u32) -> Option<Judged> {
    let mean = score(&reading.load, max_active)?;
    let saturated = is_saturated(&reading.latest, max_active);
    let latest = if saturated { score(&reading.latest, max_active) } else { None };
    Some(Judged { weight: weight(latest.map_or(mean, |latest| latest.max(mean))), saturated })
}

/// How full an engine is, 0 to 1; `None` where it tells nothing.
fn score(signals: &Signals, max_active: u32) -> Option<f64> {
    let max_active = f64::from(max_active.max(1));
    let active = signals.active().map(|active| (active / max_active).clamp(0.0, 1.0));
    let used = signals.kv_use.or(signals.gpu_use).map(|used| used.clamp(0.0, 1.0));
    match (active, used) {
        (Some(active), Some(used)) => Some(ACTIVE_SHARE * active + USE_SHARE * used),
        (active, used) => active.or(used),
    }
}

/// GPUs are no sign: they are busy with one long request, too.
fn is_saturated(signals: &Signals, max_active: u32) -> bool {
    let active = signals.active().unwrap_or(0.0);
    active >= f64::from(max_active.max(1)) || signals.kv_use.unwrap_or(0.0) >= KV_USE_FULL
}

/// What is no number becomes 0 in the cast, and then the floor.
fn weight(score: f64) -> u32 {
    let scaled = ((1.0 - score) * f64::from(WEIGHT_MAX)).round();
    (scaled as u32).clamp(WEIGHT_FLOOR, WEIGHT_MAX)
}

/// The weight that gateways have, unless the new one is a tenth of the scale away,
/// or a quarter of the old weight where that is less. A full engine steps down by
/// any amount: requests that it gets now wait in its queue.
fn settled(judged: &Judged, previous: Option<u32>) -> u32 {
    let Some(previous) = previous.filter(|weight| (WEIGHT_FLOOR..=WEIGHT_MAX).contains(weight))
    else {
        return judged.weight;
    };
    let least_move = (previous / MOVE_DIVISOR).clamp(MOVE_MIN, MOVE_MAX);
    let moved = judged.weight.abs_diff(previous) >= least_move;
    let steps_down = judged.saturated && judged.weight < previous;
    if moved || steps_down { judged.weight } else { previous }
}

/// The lower of the two in the middle, where there are two.
fn median(mut weights: Vec<u32>) -> Option<u32> {
    weights.sort_unstable();
    weights.get(weights.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests;
