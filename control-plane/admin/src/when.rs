//! Times as people write them: a moment, a day, or how long ago; and how long.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::str::FromStr;

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;
/// Longest span that can be asked for: a hundred years.
const SPAN_SECONDS_MAX: u64 = 36_500 * SECONDS_PER_DAY;

/// Characters of `2026-01-31`.
const DAY_CHARS: usize = 10;

/// A length of time in whole seconds, written `90s`, `15m`, `12h`, `30d` or `4w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The length in seconds, at least 1.
    pub seconds: u64,
}

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATime {
    /// It should have been a [`Span`].
    #[error("is not a duration; write a whole number and one of s, m, h, d, w, such as 30d")]
    Span,
    /// It should have been a moment.
    #[error(
        "is not a time; write 2026-01-31T12:00:00Z, or a day such as 2026-01-31 (in UTC), \
         or how long ago, such as 24h"
    )]
    Moment,
}

impl FromStr for Span {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        parse_span(text).ok_or(NotATime::Span)
    }
}

fn parse_span(text: &str) -> Option<Span> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => SECONDS_PER_DAY,
        "w" => 7 * SECONDS_PER_DAY,
        _ => return None,
    };
    // `parse` alone would take a sign.
    let number: u64 = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())??;
    let seconds = number.checked_mul(unit_seconds)?;
    (1..=SPAN_SECONDS_MAX).contains(&seconds).then_some(Span { seconds })
}

/// The Unix time in milliseconds that `text` means at `now_ms`: RFC 3339, a day
/// (its beginning in UTC), or a [`Span`] before now.
///
/// # Errors
/// When it is none of these, or before 1970.
pub fn moment_ms(text: &str, now_ms: u64) -> Result<u64, NotATime> {
    if let Some(span) = parse_span(text) {
        return Ok(now_ms.saturating_sub(span.seconds.saturating_mul(1_000)));
    }
    let at: Option<Timestamp> = text.parse().ok().or_else(|| day(text));
    at.and_then(|at| u64::try_from(at.as_millisecond()).ok()).ok_or(NotATime::Moment)
}

/// The moment that a field of a query asks for, if it asks for one.
pub(crate) fn asked_ms(
    field: &str,
    text: Option<&str>,
    now_ms: u64,
) -> Result<Option<u64>, crate::Problem> {
    let moment = text.map(|text| moment_ms(text, now_ms)).transpose();
    moment.map_err(|why| crate::Problem::invalid(format!("{field}: {why}.")))
}

/// A Unix time in milliseconds as RFC 3339 in UTC; the last that can be written for times
/// beyond.
#[must_use]
pub fn rfc3339_ms(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", at.unwrap_or(Timestamp::MAX))
}

/// A Unix time in seconds as RFC 3339 in UTC; the last that can be written for times
/// beyond.
#[must_use]
pub fn rfc3339(at_s: u64) -> String {
    let at = i64::try_from(at_s).ok().and_then(|at_s| Timestamp::from_second(at_s).ok());
    at.unwrap_or(Timestamp::MAX).to_string()
}

fn day(text: &str) -> Option<Timestamp> {
    // A date and time without an offset would parse as well, and lose its time.
    let date: Date = (text.len() == DAY_CHARS).then(|| text.parse().ok())??;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let table = [
            ("1s", Some(1)),
            ("15m", Some(900)),
            ("24h", Some(86_400)),
            ("30d", Some(2_592_000)),
            ("4w", Some(2_419_200)),
            ("36500d", Some(3_153_600_000)),
            ("36501d", None),
            ("0d", None),
            ("-1d", None),
            ("+1d", None),
            ("1.5h", None),
            ("30", None),
            ("d", None),
            ("", None),
            ("30일", None),
            ("99999999999999999999d", None),
            ("9999999999999999999w", None),
        ];
        for (text, seconds) in table {
            assert_eq!(text.parse().ok().map(|s: Span| s.seconds), seconds, "{text}");
        }
    }

    #[test]
    fn moments() {
        const NOW: u64 = 1_795_252_163_120;
        let table = [
            ("2026-11-21T09:09:23.120Z", Some(NOW)),
            ("2026-11-21T18:09:23.120+09:00", Some(NOW)),
            ("2026-11-21", Some(1_795_219_200_000)),
            ("24h", Some(NOW - 86_400_000)),
            ("36500d", Some(0)),
            ("1969-12-31", None),
            ("2026-02-30", None),
            ("2026-11-21T09:09:23", None),
            ("yesterday", None),
            ("", None),
        ];
        for (text, at) in table {
            assert_eq!(moment_ms(text, NOW).ok(), at, "{text}");
        }
    }

    #[test]
    fn moments_in_words() {
        let table = [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_252_163, "2026-11-21T09:09:23Z"),
            (u64::MAX, "9999-12-30T22:00:00.999999999Z"),
        ];
        for (at_s, text) in table {
            assert_eq!(rfc3339(at_s), text);
        }
    }
}
