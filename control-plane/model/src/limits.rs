//! `limits`: what may be used in a minute and at a time, by names that models, tenants,
//! users and keys refer to.

use crate::document::{Cursor, Fields};
use crate::schema::Section;
use crate::units;
use std::num::NonZeroU32;

/// Most `requests_per_minute` and most `burst`: more than any one cluster answers, and a
/// whole burst at one request a minute (10⁷ · 60 s) counts in 64 bits of nanoseconds.
pub(crate) const REQUESTS_MAX: u32 = 10_000_000;

/// Most `tokens_per_minute`; every sum of it with what one request can need fits.
pub(crate) const TOKENS_MAX: u32 = 1_000_000_000;

/// Most `concurrent`: more than a machine has connections.
pub(crate) const CONCURRENT_MAX: u32 = 1_000_000;

/// What may be used in a minute and at a time; at least one of them is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Requests that a minute refills.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Requests at once, only beside `requests_per_minute`; `None`: a minute's.
    pub burst: Option<NonZeroU32>,
    /// Tokens that a minute refills, which is also what may be used at once.
    pub tokens_per_minute: Option<NonZeroU32>,
    /// Requests under way.
    pub concurrent: Option<NonZeroU32>,
}

/// What is said of limits that limit nothing.
const NO_LIMITS: &str = "limits nothing; give requests_per_minute, tokens_per_minute or \
    concurrent, or remove it";

impl Limits {
    pub(crate) fn read(cursor: &Cursor<'_>) -> Limits {
        let fields = cursor.fields(Section::Limits);
        let count = |name, most| fields.get(name)?.parse(|text| units::count_u32(text, most));
        let limits = Limits {
            requests_per_minute: count("requests_per_minute", REQUESTS_MAX),
            burst: burst(&fields),
            tokens_per_minute: count("tokens_per_minute", TOKENS_MAX),
            concurrent: count("concurrent", CONCURRENT_MAX),
        };
        if fields.is_empty() {
            fields.report(NO_LIMITS);
        }
        fields.close();
        limits
    }
}

/// A burst alone would never be refilled.
fn burst(fields: &Fields<'_, '_>) -> Option<NonZeroU32> {
    let field = fields.get("burst")?;
    if !fields.has("requests_per_minute") {
        field.report_field("needs `requests_per_minute`, by which it is refilled");
    }
    field.parse(|text| units::count_u32(text, REQUESTS_MAX))
}
