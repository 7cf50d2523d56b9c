//! `pools.NAME.balance` and `metrics`: how one endpoint is picked, and what the
//! engines are asked for it.

use crate::affinity;
use crate::document::{Cursor, Fields};
use crate::place::Written;
use crate::schema::Section;
use crate::units;
use contract::policy::{AffinityConfig, Engine};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Requests at once that one engine does well with, when nothing is said, and at most.
const MAX_ACTIVE_DEFAULT: u32 = 32;
pub(crate) const MAX_ACTIVE_MAX: u32 = 100_000;

/// Where engines tell of their load when nothing is said.
const PATH: &str = "/metrics";

/// How often they are asked, by default and at all.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(1);
pub(crate) const INTERVAL_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(60);

/// For how many intervals an old answer counts, by default and at most.
const STALE_AFTER_DEFAULT: u32 = 5;
pub(crate) const STALE_AFTER_MAX: u32 = 100;

/// How Envoy picks one endpoint of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Balance {
    /// One after the other.
    RoundRobin,
    /// The less busy of two that are drawn at random.
    #[default]
    LeastRequest,
    /// As [`Balance::LeastRequest`], with weights from what the engines report
    /// of their load.
    Load,
    /// As [`Balance::LeastRequest`], with weights from how soon the engines answer.
    Latency,
}

/// How the engines of a pool are asked for their load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Path of the Prometheus text.
    pub path: String,
    /// Port of the metrics; `None`: the endpoint's own.
    pub port: Option<u16>,
    /// Time between two questions to one engine.
    pub interval: Duration,
    /// After how many intervals without an answer its last figures count no more; at least 1.
    pub stale_after: u32,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            path: PATH.to_owned(),
            port: None,
            interval: INTERVAL_DEFAULT,
            stale_after: STALE_AFTER_DEFAULT,
        }
    }
}

impl Metrics {
    fn read(cursor: &Cursor<'_>) -> Metrics {
        let fields = cursor.fields(Section::Metrics);
        let path = fields.value("path", PATH.to_owned(), units::url_path);
        let port = fields.get("port").and_then(|field| field.parse(units::port));
        let interval = fields
            .value("interval", INTERVAL_DEFAULT, |text| units::duration(text, INTERVAL_BOUNDS));
        let stale_after = fields.value("stale_after", STALE_AFTER_DEFAULT, |text| {
            units::count_u32(text, STALE_AFTER_MAX).map(NonZeroU32::get)
        });
        fields.close();
        Metrics { path, port, interval, stale_after }
    }
}

pub(crate) const BALANCES: &[(&str, Balance)] = &[
    ("round_robin", Balance::RoundRobin),
    ("least_request", Balance::LeastRequest),
    ("load", Balance::Load),
    ("latency", Balance::Latency),
];

/// Load of the servers nearby above which others take part, when nothing is said.
const SPILL_PERCENT_DEFAULT: u8 = 85;

/// All that asks for the load of the engines, and how they are asked.
pub(crate) struct Load {
    pub balance: Balance,
    pub max_active: u32,
    pub affinity: AffinityConfig,
    pub spill_percent: u8,
    pub metrics: Option<Metrics>,
}

impl Load {
    /// Reads `balance`, `spill` and `metrics` of a pool.
    /// `zoned`: the gateway says where it is.
    pub(crate) fn read(
        pool: &Fields<'_, '_>,
        engine: Option<Engine>,
        written: &Written,
        zoned: bool,
    ) -> Load {
        let mute = why_mute(engine, written);
        let mut load = Load {
            balance: Balance::default(),
            max_active: MAX_ACTIVE_DEFAULT,
            affinity: AffinityConfig::None,
            spill_percent: SPILL_PERCENT_DEFAULT,
            metrics: None,
        };
        let spill = pool.get("spill");
        if let Some(cursor) = pool.get("balance") {
            let fields = cursor.fields(Section::Balance);
            load.read_balance(&fields, mute, spill.is_some());
            load.affinity = affinity::read(&fields, written.is_named());
            fields.close();
        }
        let metrics = pool.get("metrics");
        if let (Some(cursor), Some(why)) = (&metrics, mute) {
            cursor.report_field(why);
        }
        let places = written.is_zoned() && mute.is_none();
        let weighs = matches!(load.balance, Balance::Load | Balance::Latency);
        let asks = weighs || places || spill.is_some();
        load.metrics = metrics.as_ref().map(Metrics::read).or_else(|| asks.then(Metrics::default));
        let spills = zoned && (written.is_zoned() || pool.has("discover"));
        load.read_spill(spill.as_ref(), mute, spills);
        load
    }

    fn read_balance(&mut self, fields: &Fields<'_, '_>, mute: Option<&str>, spills: bool) {
        let by = fields.get("by");
        let chosen = by.as_ref().and_then(|by| by.choose(BALANCES));
        self.balance = chosen.unwrap_or_default();
        if let (Some(by), Some(why), Balance::Load | Balance::Latency) = (&by, mute, self.balance) {
            by.report(why);
        }
        if let Some(most) = fields.get("max_active") {
            self.max_active = max_active(&most).unwrap_or(MAX_ACTIVE_DEFAULT);
            let counts = self.balance == Balance::Load || (spills && by.is_some());
            if !counts && (chosen.is_some() || by.is_none()) {
                most.report_field("counts only with `by: load`; remove it, or balance by load");
            }
        }
    }

    fn read_spill(&mut self, field: Option<&Cursor<'_>>, mute: Option<&str>, spills: bool) {
        let Some(field) = field else { return };
        if !spills {
            field.report_field("counts only where the gateway and the servers have zones");
        }
        if let Some(why) = mute {
            field.report_field(why);
        }
        self.spill_percent = field.parse(units::percent).unwrap_or(SPILL_PERCENT_DEFAULT);
    }
}

fn max_active(cursor: &Cursor<'_>) -> Option<u32> {
    cursor.parse(|text| units::count_u32(text, MAX_ACTIVE_MAX)).map(NonZeroU32::get)
}

/// Why the engines of a pool cannot be asked for their load, if so.
fn why_mute(engine: Option<Engine>, written: &Written) -> Option<&'static str> {
    match engine {
        Some(Engine::Openai) => Some(UNKNOWN),
        _ if written.is_named() => Some(NAMED),
        _ => None,
    }
}

const UNKNOWN: &str = "asks for metrics, and those of the engine `openai` are not known; name the \
    engine if it is another, or balance by least_request";

const NAMED: &str = "asks every server for metrics, and of a host name in `endpoints` the servers \
    are not known; give addresses, or the name to `discover: { dns: NAME:PORT }`";
