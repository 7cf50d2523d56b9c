//! The weights of a pool's engines, from how soon they answer.
//!
//! The soonest has the full weight, and one that takes three times as long has a third of
//! it, at least the floor. Envoy's least-request balancer, which the weights go to, adds
//! what each gateway has under way at an engine. One of which nobody knows it has the median.

use super::{Judged, WEIGHT_FLOOR, WEIGHT_MAX, settle};
use crate::signals::Reading;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// No engine answers sooner: a nanosecond keeps the ratios finite.
const SOONEST_MS: f64 = 1e-6;

/// As [`super::weigh()`], from [`Reading::latency_ms`].
#[must_use]
pub fn weigh_by_latency(
    pool: &[(SocketAddr, Option<Reading>)],
    previous: &BTreeMap<SocketAddr, u32>,
    now_ms: u64,
) -> BTreeMap<SocketAddr, u32> {
    let latency = |reading: &Option<Reading>| {
        let fresh = reading.as_ref().filter(|reading| reading.is_fresh(now_ms))?;
        fresh.latency_ms.filter(|ms| ms.is_finite()).map(|ms| ms.max(SOONEST_MS))
    };
    let soonest_ms = pool.iter().filter_map(|(_, reading)| latency(reading)).reduce(f64::min);
    let judged = pool.iter().map(|(engine, reading)| {
        let share = soonest_ms.zip(latency(reading)).map(|(soonest_ms, ms)| soonest_ms / ms);
        (*engine, share.map(|share| Judged { weight: weight(share), saturated: false }))
    });
    settle(judged, previous)
}

fn weight(share: f64) -> u32 {
    let scaled = (share * f64::from(WEIGHT_MAX)).round();
    (scaled as u32).clamp(WEIGHT_FLOOR, WEIGHT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_000_000;

    fn engine(number: usize) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], u16::try_from(number).unwrap() + 1))
    }

    fn weights(latencies_ms: &[Option<f64>], previous: &[u32]) -> Vec<u32> {
        let reading = |latency_ms: &Option<f64>| Reading {
            latency_ms: *latency_ms,
            fresh_until_ms: NOW_MS,
            ..Reading::default()
        };
        let readings = latencies_ms.iter().map(reading).map(Some).enumerate();
        let pool: Vec<_> = readings.map(|(number, reading)| (engine(number), reading)).collect();
        let previous =
            previous.iter().enumerate().map(|(number, weight)| (engine(number), *weight));
        weigh_by_latency(&pool, &previous.collect(), NOW_MS).into_values().collect()
    }

    #[test]
    fn a_weight_goes_with_how_soon_an_engine_answers() {
        let table: [(&[Option<f64>], &[u32]); 8] = [
            (&[Some(100.0)], &[128]),
            (&[Some(100.0), Some(200.0), Some(400.0)], &[128, 64, 32]),
            (&[Some(100.0), Some(100_000.0)], &[128, WEIGHT_FLOOR]),
            (&[Some(0.0), Some(0.0)], &[128, 128]),
            (&[Some(0.0), Some(5.0)], &[128, WEIGHT_FLOOR]),
            (&[Some(100.0), None, Some(400.0)], &[128, 32, 32]),
            (&[Some(f64::NAN), Some(5.0)], &[128, 128]),
            (&[None, None], &[WEIGHT_MAX, WEIGHT_MAX]),
        ];
        for (latencies, expected) in table {
            assert_eq!(weights(latencies, &[]), expected, "{latencies:?}");
        }
    }

    #[test]
    fn a_small_move_changes_nothing() {
        assert_eq!(weights(&[Some(100.0), Some(190.0)], &[128, 64]), [128, 64]);
        assert_eq!(weights(&[Some(100.0), Some(160.0)], &[128, 64]), [128, 80]);
    }

    #[test]
    fn a_stale_reading_is_none() {
        let stale = Reading { latency_ms: Some(1.0), ..Reading::default() };
        let fresh = Reading { latency_ms: Some(9.0), fresh_until_ms: NOW_MS, ..Reading::default() };
        let pool = [(engine(0), Some(stale)), (engine(1), Some(fresh))];
        let weights = weigh_by_latency(&pool, &BTreeMap::new(), NOW_MS);
        assert_eq!(weights.into_values().collect::<Vec<_>>(), [128, 128]);
    }
}
