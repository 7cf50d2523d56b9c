//! `pools.NAME.balance.affinity`: which requests go to the same server of a pool.

use crate::document::Fields;
use crate::units;
use contract::policy::{AffinityBounds, AffinityConfig};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The most that a server's load may be of the pool's average, in percent, by default and
/// at all: at 100 % half of all servers were too busy at any moment.
const BOUND_PERCENT_DEFAULT: u32 = 150;
pub(crate) const BOUND_PERCENT_BOUNDS: RangeInclusive<u32> = 110..=1_000;

/// How long it is remembered who has served what, by default and at all.
const REMEMBER_DEFAULT: Duration = Duration::from_secs(600);
pub(crate) const REMEMBER_BOUNDS: RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_secs(86_400);

#[derive(Clone, Copy)]
enum By {
    None,
    User,
    Prefix,
}

const KINDS: &[(&str, By)] = &[("none", By::None), ("user", By::User), ("prefix", By::Prefix)];

/// Reads the affinity of a `balance`. `named`: nobody but Envoy knows the servers.
pub(crate) fn read(balance: &Fields<'_, '_>, named: bool) -> AffinityConfig {
    let field = balance.get("affinity");
    let by = field.as_ref().and_then(|field| field.choose(KINDS));
    let [bound, remember] = ["bound", "remember"].map(|name| balance.get(name));
    if matches!(by, Some(By::None)) || field.is_none() {
        for lone in [&bound, &remember].into_iter().flatten() {
            lone.report_field("counts only with `affinity: user` or `affinity: prefix`; remove it");
        }
    }
    let percent = |text: &str| units::percent_within(text, BOUND_PERCENT_BOUNDS);
    let time = |text: &str| units::duration(text, REMEMBER_BOUNDS);
    let remembered = remember.and_then(|field| field.parse(time)).unwrap_or(REMEMBER_DEFAULT);
    let bounds = AffinityBounds {
        bound_percent: bound
            .and_then(|field| field.parse(percent))
            .unwrap_or(BOUND_PERCENT_DEFAULT),
        remember_s: u32::try_from(remembered.as_secs()).unwrap_or(u32::MAX),
    };
    if let (Some(field), Some(By::User | By::Prefix), true) = (&field, by, named) {
        field.report(NAMED);
    }
    match by.unwrap_or(By::None) {
        By::None => AffinityConfig::None,
        By::User => AffinityConfig::User(bounds),
        By::Prefix => AffinityConfig::Prefix(bounds),
    }
}

const NAMED: &str = "chooses a server, and of a host name in `endpoints` the servers are not \
    known; give addresses, or the name to `discover: { dns: NAME:PORT }`";
