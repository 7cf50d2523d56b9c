//! One bucket: the generic cell rate algorithm of `governor` over a cell of the table.
//!
//! A bucket is its theoretical arrival time, in nanoseconds since 1970: the moment at which
//! it will be full again. One that is full needs no cell.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota as Refill, RateLimiter};
use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::Duration;

const MINUTE_NS: u64 = 60_000_000_000;

/// Longest time that a bucket may need to be full again, ten years: with it no sum of times
/// leaves 64 bits.
const FULL_NS_MAX: u64 = 10 * 365 * 24 * 60 * MINUTE_NS;

/// Latest moment that is told apart from later ones, in the year 2170.
const NOW_NS_MAX: u64 = 20 * FULL_NS_MAX;

/// How a bucket is refilled and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    /// Nanoseconds for one, rounded up: a bucket never gives more than it says.
    pub(super) period_ns: u64,
    pub(super) capacity: u32,
}

impl Quota {
    /// The part that each of `gateways` has of a bucket with `per_minute` and `capacity`: at
    /// least one of both.
    pub(super) fn part(per_minute: u32, capacity: u32, gateways: u32) -> Quota {
        let gateways = gateways.max(1);
        let all_ns = u128::from(MINUTE_NS) * u128::from(gateways);
        let period_ns = u64::try_from(all_ns.div_ceil(u128::from(per_minute.max(1))));
        let period_ns = period_ns.unwrap_or(MINUTE_NS).clamp(1, MINUTE_NS);
        let held = u32::try_from(FULL_NS_MAX / period_ns).unwrap_or(u32::MAX);
        Quota { period_ns, capacity: (capacity / gateways).clamp(1, held) }
    }

    /// How long an empty bucket needs to be full.
    pub(super) fn full_ns(self) -> u64 {
        self.ns_of(u64::from(self.capacity))
    }

    /// How long it takes to refill so many.
    pub(super) fn ns_of(self, many: u64) -> u64 {
        self.period_ns.saturating_mul(many)
    }

    /// When it is full again at the latest: it is empty, and in debt by as much as it
    /// holds. A clock that has jumped back shows later cells, and more debt is forgiven.
    pub(super) fn latest(self, now: u64) -> u64 {
        now.saturating_add(self.full_ns().saturating_mul(2))
    }

    /// How many can be taken now.
    pub(super) fn remaining(self, full_at: Option<u64>, now: u64) -> u64 {
        let missing_ns = full_at.unwrap_or(now).saturating_sub(now);
        self.full_ns().saturating_sub(missing_ns) / self.period_ns.max(1)
    }

    /// Takes `many`, at most the capacity. Returns when it is full again then.
    ///
    /// # Errors
    /// How many nanoseconds it takes until they can be taken.
    pub(super) fn take(self, full_at: Option<u64>, many: u32, now: u64) -> Result<u64, u64> {
        let many = NonZeroU32::new(many.min(self.capacity)).unwrap_or(NonZeroU32::MIN);
        let capacity = NonZeroU32::new(self.capacity).unwrap_or(NonZeroU32::MIN);
        let full_at = full_at.map(|full_at| full_at.min(self.latest(now)));
        // A period is at least a nanosecond.
        let refill = Refill::with_period(Duration::from_nanos(self.period_ns)).ok_or(MINUTE_NS)?;
        let limiter: RateLimiter<NotKeyed, Held, Wall, NoOpMiddleware<Nanos>> =
            RateLimiter::new(refill.allow_burst(capacity), Held(Cell::new(full_at)), Wall::at(now));
        match limiter.check_n(many) {
            Ok(Ok(())) => Ok(limiter.into_state_store().0.get().unwrap_or(now)),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(Nanos::from(now));
                Err(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX))
            }
            Err(_) => Err(self.full_ns()),
        }
    }
}

/// Times as they are computed with.
pub(super) fn sane(now_ns: u64) -> u64 {
    now_ns.min(NOW_NS_MAX)
}

/// The moment that a limiter works on: a compare-and-swap of the table is around it.
struct Held(Cell<Option<u64>>);

impl StateStore for Held {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (said, full_at) = decide(self.0.get().map(Nanos::from))?;
        self.0.set(Some(full_at.as_u64()));
        Ok(said)
    }
}

/// A clock that began in 1970: a limiter takes its first reading for the beginning, and the
/// moments of all limiters are to be comparable.
struct Wall {
    begun: Cell<bool>,
    now: u64,
}

impl Wall {
    fn at(now: u64) -> Wall {
        Wall { begun: Cell::new(false), now }
    }
}

impl Clock for Wall {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(if self.begun.replace(true) { self.now } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000_000_000;
    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_bucket_holds_and_refills() {
        let quota = Quota::part(60, 2, 1);
        let one = quota.take(None, 1, NOW).unwrap();
        assert_eq!((one, quota.remaining(Some(one), NOW)), (NOW + SECOND, 1));
        assert_eq!(quota.take(Some(one), 2, NOW), Err(SECOND));
        let two = quota.take(Some(one), 1, NOW).unwrap();
        assert_eq!(quota.take(Some(two), 1, NOW + SECOND / 4), Err(SECOND * 3 / 4));
        assert!(quota.take(Some(two), 1, NOW + SECOND).is_ok());
        assert_eq!(quota.remaining(Some(two), NOW + 9 * SECOND), 2);
        assert_eq!(quota.take(Some(5), 2, NOW), Ok(NOW + 2 * SECOND), "a full bucket");
    }

    #[test]
    fn gateways_have_parts() {
        let table = [
            // per minute, capacity, gateways; period, capacity
            (60, 60, 1, SECOND, 60),
            (60, 60, 3, 3 * SECOND, 20),
            (60, 5, 0, SECOND, 5),
            (2, 1, 7, 60 * SECOND, 1),
            (0, 0, 1, 60 * SECOND, 1),
            (7, 7, 1, 8_571_428_572, 7),
            (u32::MAX, u32::MAX, 1, 14, u32::MAX),
            (1, u32::MAX, 1, 60 * SECOND, 5_256_000),
            (u32::MAX, u32::MAX, u32::MAX, 60 * SECOND, 1),
        ];
        for (per_minute, capacity, gateways, period_ns, held) in table {
            let expected = Quota { period_ns, capacity: held };
            assert_eq!(Quota::part(per_minute, capacity, gateways), expected);
        }
    }

    #[test]
    fn nothing_leaves_64_bits() {
        let quota = Quota::part(1, u32::MAX, 1);
        let now = sane(u64::MAX);
        let cell = quota.take(None, u32::MAX, now).unwrap();
        assert_eq!(quota.remaining(Some(cell), now), 0);
        assert!(quota.take(Some(u64::MAX), u32::MAX, now).is_err());
        assert!(quota.take(Some(u64::MAX), 0, 0).is_err());
    }

    #[test]
    fn a_clock_that_jumps_back_does_not_lock_out() {
        let quota = Quota::part(60, 60, 1);
        let wait = quota.take(Some(NOW + 1_000_000 * SECOND), 1, NOW).unwrap_err();
        assert_eq!(wait, 61 * SECOND, "the bucket, and as much of debt");
    }
}
