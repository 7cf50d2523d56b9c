//! `pools.NAME.health` and `ejection`: how an endpoint is found to be unwell, by
//! asking and by its answers.

use crate::document::Cursor;
use crate::schema::Section;
use crate::units;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How often an endpoint is asked whether it is well, by default and at all.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(5);
pub(crate) const INTERVAL_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(300);

/// Where an endpoint is asked when nothing is said.
const PATH: &str = "/health";

/// Gateway errors in a row after which an endpoint is passed over, by default and
/// at most.
const FAILURES_DEFAULT: u32 = 5;
pub(crate) const FAILURES_MAX: u32 = 1_000;

/// Share of failed requests above which an endpoint is passed over, in percent.
const ERROR_PERCENT_DEFAULT: u8 = 50;

/// How long an endpoint is passed over for the first time. Envoy looks every second,
/// so that it is tried again within 10 s at the most.
const BASE_DEFAULT: Duration = Duration::from_secs(5);
pub(crate) const BASE_BOUNDS: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(8);

/// How long at most an endpoint is left alone that has said `retry-after`, by default and at
/// all.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(60);
pub(crate) const RETRY_AFTER_BOUNDS: RangeInclusive<Duration> =
    Duration::ZERO..=Duration::from_secs(3_600);

/// How an endpoint is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Health {
    /// Path of the question; 200 means well.
    pub path: String,
    /// Time between two questions.
    pub interval: Duration,
}

impl Health {
    pub(crate) fn read(cursor: &Cursor<'_>) -> Health {
        let fields = cursor.fields(Section::Health);
        let path = fields.value("path", PATH.to_owned(), units::url_path);
        let interval = fields
            .value("interval", INTERVAL_DEFAULT, |text| units::duration(text, INTERVAL_BOUNDS));
        fields.close();
        Health { path, interval }
    }
}

/// When an endpoint that answers badly is passed over for a while, whatever its
/// health path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ejection {
    /// Gateway errors (502, 503, 504) or failed connections in a row; at least 1.
    pub failures: u32,
    /// Share of failed requests among those of one sweep, in percent, 1 to 100.
    pub error_percent: u8,
    /// How long it is passed over for the first time, at most 8 s.
    pub base: Duration,
    /// How long at most it is left alone when it has said `retry-after`, up to an hour; zero:
    /// it is not.
    pub retry_after: Duration,
}

impl Default for Ejection {
    fn default() -> Self {
        Ejection {
            failures: FAILURES_DEFAULT,
            error_percent: ERROR_PERCENT_DEFAULT,
            base: BASE_DEFAULT,
            retry_after: RETRY_AFTER_DEFAULT,
        }
    }
}

impl Ejection {
    pub(crate) fn read(cursor: &Cursor<'_>) -> Ejection {
        let fields = cursor.fields(Section::Ejection);
        let failures = fields.value("failures", FAILURES_DEFAULT, |text| {
            units::count_u32(text, FAILURES_MAX).map(NonZeroU32::get)
        });
        let error_percent = fields.value("error_rate", ERROR_PERCENT_DEFAULT, units::percent);
        let base = fields.value("base", BASE_DEFAULT, |text| units::duration(text, BASE_BOUNDS));
        let retry_after = fields.value("retry_after", RETRY_AFTER_DEFAULT, |text| {
            units::duration(text, RETRY_AFTER_BOUNDS)
        });
        fields.close();
        Ejection { failures, error_percent, base, retry_after }
    }
}
