//! How durations, sizes, money, addresses and times are written. A parser says
//! what is wrong as a sentence that goes on after the value: "is not a duration;
//! write ...".

mod shares;

pub(crate) use shares::{per_million, percent, percent_within, score};

use crate::secret::Secret;
use rust_decimal::Decimal;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Digits after the point of an amount of money: one nano-dollar.
const MONEY_DIGITS: u32 = 9;

/// Shortest token: it must not be empty.
const TOKEN_BYTES_MIN: usize = 1;

/// Longest token; it travels in a header.
const TOKEN_BYTES_MAX: usize = 1024;

/// Longest path in a URL.
const URL_PATH_BYTES_MAX: usize = 1024;

/// Units of a duration in milliseconds.
const DURATION_UNITS: &[(&str, u64)] =
    &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Units of a size in bytes.
const SIZE_UNITS: &[(&str, u64)] =
    &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// A duration such as `500ms`, `30s` or `5m` within `bounds`.
///
/// # Errors
/// When `text` is no duration or out of bounds.
pub(crate) fn duration(text: &str, bounds: RangeInclusive<Duration>) -> Result<Duration, String> {
    let duration = scaled(text, DURATION_UNITS)
        .map(Duration::from_millis)
        .ok_or("is not a duration; write a whole number and ms, s, m, h or d, such as 30s")?;
    if bounds.contains(&duration) {
        return Ok(duration);
    }
    let (least, most) = (shown_duration(*bounds.start()), shown_duration(*bounds.end()));
    Err(format!("is out of range; allowed: {least} to {most}"))
}

/// A size in bytes such as `64KiB` or `20MiB` within `bounds`.
///
/// # Errors
/// When `text` is no size or out of bounds.
pub(crate) fn size(text: &str, bounds: RangeInclusive<u64>) -> Result<u64, String> {
    let bytes = scaled(text, SIZE_UNITS)
        .ok_or("is not a size; write a whole number and B, KiB, MiB or GiB, such as 20MiB")?;
    if bounds.contains(&bytes) {
        return Ok(bytes);
    }
    let (least, most) = (shown_size(*bounds.start()), shown_size(*bounds.end()));
    Err(format!("is out of range; allowed: {least} to {most}"))
}

/// A whole number and its unit.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*scale)
}

/// `duration` as it is written, in the largest unit that holds it whole.
pub(crate) fn shown_duration(duration: Duration) -> String {
    if duration.is_zero() {
        return "0s".to_owned();
    }
    shown(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), DURATION_UNITS)
}

/// `bytes` as they are written, in the largest unit that holds them whole.
pub(crate) fn shown_size(bytes: u64) -> String {
    shown(bytes, SIZE_UNITS)
}

fn shown(amount: u64, units: &[(&str, u64)]) -> String {
    let whole =
        units.iter().rev().find(|(_, scale)| amount >= *scale && amount.is_multiple_of(*scale));
    whole.map_or_else(|| amount.to_string(), |(unit, scale)| format!("{}{unit}", amount / scale))
}

/// Dollars as decimal text, in nano-dollars; at most what a signed 64-bit
/// integer holds, because the ledger counts in those.
///
/// # Errors
/// When `text` is no amount of money, negative, finer than a nano-dollar or too large.
pub(crate) fn nano_dollars(text: &str) -> Result<u64, String> {
    if text.starts_with('-') {
        return Err("is negative; allowed: 0 or more dollars".to_owned());
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err("is not an amount of money; write dollars as a decimal such as 0.60".to_owned());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > MONEY_DIGITS as usize {
        return Err(format!("has too many digits; allowed: {MONEY_DIGITS} after the point"));
    }
    scaled_dollars(whole, fraction)
        .ok_or_else(|| "is too large; allowed: up to 9223372036.854775807 dollars".to_owned())
}

/// `nanos` nano-dollars in dollars as they are written, without zeros at the end.
pub(crate) fn shown_dollars(nanos: u64) -> String {
    Decimal::from_i128_with_scale(nanos.into(), MONEY_DIGITS).normalize().to_string()
}

fn scaled_dollars(whole: &str, fraction: &str) -> Option<u64> {
    let whole = whole.trim_start_matches('0');
    let dollars = Decimal::from_str_exact(&format!("0{whole}.{fraction}0")).ok()?;
    let nanos = dollars.checked_mul(Decimal::from(10_u64.pow(MONEY_DIGITS)))?;
    u64::try_from(nanos).ok().filter(|&nanos| i64::try_from(nanos).is_ok())
}

/// An address to listen on, `IP:PORT` or `localhost:PORT`.
///
/// # Errors
/// When `text` is neither.
pub(crate) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let address = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    let wrong = "is not an address to listen on; write IP:PORT, such as 127.0.0.1:8080";
    address.parse().map_err(|_| wrong.to_owned())
}

/// A token that travels in a header.
///
/// # Errors
/// When `text` is none; quote nothing with it.
pub(crate) fn token(text: &str) -> Result<Secret, String> {
    let allowed = TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX;
    if allowed.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Secret::new(text.to_owned()));
    }
    Err(format!(
        "is not a token; allowed: {TOKEN_BYTES_MIN} to {TOKEN_BYTES_MAX} visible ASCII \
         characters without spaces"
    ))
}

/// A path, `base` before relative ones.
///
/// # Errors
/// When `text` is empty or holds control characters.
pub(crate) fn path(text: &str, base: &Path) -> Result<PathBuf, &'static str> {
    let wrong = text.is_empty() || text.contains(char::is_control);
    if wrong { Err("is not a path") } else { Ok(base.join(text)) }
}

/// A path in a URL, such as `/health`.
///
/// # Errors
/// When `text` is none.
pub(crate) fn url_path(text: &str) -> Result<String, &'static str> {
    let graphic = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let sized = text.starts_with('/') && text.len() <= URL_PATH_BYTES_MAX;
    if graphic && sized {
        return Ok(text.to_owned());
    }
    Err("is not a path; write one such as /health, without spaces or #")
}

/// A port from 1 to 65535.
///
/// # Errors
/// When `text` is none.
pub(crate) fn port(text: &str) -> Result<u16, String> {
    let number = count(text, u16::MAX.into())?;
    u16::try_from(number.get()).map_err(|error| error.to_string())
}

/// A whole number from 1 to `most`.
///
/// # Errors
/// When `text` is none.
pub(crate) fn count_u32(text: &str, most: u32) -> Result<NonZeroU32, String> {
    let number = count(text, most.into())?;
    NonZeroU32::try_from(number).map_err(|error| error.to_string())
}

/// A whole number from 1 to `most`.
///
/// # Errors
/// When `text` is none.
pub(crate) fn count(text: &str, most: u64) -> Result<NonZeroU64, String> {
    let number = text.parse::<NonZeroU64>().ok().filter(|number| number.get() <= most);
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    number.filter(|_| plain).ok_or_else(|| format!("is not a whole number from 1 to {most}"))
}

/// A whole number within `bounds`, without a sign.
///
/// # Errors
/// When `text` is none.
pub(crate) fn whole(text: &str, bounds: RangeInclusive<u64>) -> Result<u64, String> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|number| plain && bounds.contains(number));
    number
        .ok_or_else(|| format!("is not a whole number from {} to {}", bounds.start(), bounds.end()))
}

/// `true` or `false`.
///
/// # Errors
/// When `text` is neither.
pub(crate) fn truth(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "is neither `true` nor `false`".to_owned())
}

/// A point in time, in Unix seconds: an RFC 3339 time, or a date, which means
/// its first second in UTC.
///
/// # Errors
/// When `text` is neither or before 1970.
pub(crate) fn unix_seconds(text: &str) -> Result<u64, String> {
    let midnight = format!("{text}T00:00:00Z");
    let time = if text.len() == "2027-01-31".len() { &midnight } else { text };
    let seconds = time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    seconds.and_then(|seconds| u64::try_from(seconds).ok()).ok_or_else(|| {
        "is not a time; write a date such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let bounds = Duration::from_millis(100)..=Duration::from_secs(86_400);
        let not = "is not a duration; write a whole number and ms, s, m, h or d, such as 30s";
        let range = "is out of range; allowed: 100ms to 1d";
        let table = [
            ("500ms", Ok(500)),
            ("30s", Ok(30_000)),
            ("5m", Ok(300_000)),
            ("24h", Ok(86_400_000)),
            ("1d", Ok(86_400_000)),
            ("2d", Err(range)),
            ("0s", Err(range)),
            ("30", Err(not)),
            ("s", Err(not)),
            ("1.5s", Err(not)),
            ("-1s", Err(not)),
            ("30 s", Err(not)),
            ("18446744073709551615d", Err(not)),
            ("", Err(not)),
        ];
        for (text, expected) in table {
            let expected = expected.map(Duration::from_millis).map_err(str::to_owned);
            assert_eq!(duration(text, bounds.clone()), expected, "{text}");
        }
    }

    #[test]
    fn sizes() {
        let table = [
            ("1KiB", Some(1024)),
            ("20MiB", Some(20 << 20)),
            ("64MiB", Some(64 << 20)),
            ("65MiB", None),
            ("1MB", None),
            ("1024", None),
            ("99999999999999999999GiB", None),
        ];
        for (text, bytes) in table {
            assert_eq!(size(text, 1024..=64 << 20).ok(), bytes, "{text}");
        }
        let range = size("1B", 1024..=64 << 20).unwrap_err();
        assert_eq!(range, "is out of range; allowed: 1KiB to 64MiB");
    }

    #[test]
    fn money() {
        let not = "is not an amount of money; write dollars as a decimal such as 0.60";
        let fine = "has too many digits; allowed: 9 after the point";
        let large = "is too large; allowed: up to 9223372036.854775807 dollars";
        let negative = "is negative; allowed: 0 or more dollars";
        let table = [
            ("0", Ok(0)),
            ("0.0", Ok(0)),
            ("0.60", Ok(600_000_000)),
            ("1.80", Ok(1_800_000_000)),
            ("3", Ok(3_000_000_000)),
            ("007", Ok(7_000_000_000)),
            ("0.000000001", Ok(1)),
            ("0.0000000010000000000000000000000000000", Ok(1)),
            ("0.1", Ok(100_000_000)),
            ("9223372036.854775807", Ok(i64::MAX as u64)),
            ("9223372036.854775808", Err(large)),
            ("18446744073.709551615", Err(large)),
            ("79228162514264337593543950335", Err(large)),
            ("99999999999999999999999999999999999999999", Err(large)),
            ("0.0000000001", Err(fine)),
            ("0.0000000005", Err(fine)),
            ("-0", Err(negative)),
            ("-1.5", Err(negative)),
            ("+1", Err(not)),
            ("1e3", Err(not)),
            ("1_000", Err(not)),
            ("1,5", Err(not)),
            (".5", Err(not)),
            ("5.", Err(not)),
            ("1.2.3", Err(not)),
            ("$1", Err(not)),
            ("٣", Err(not)),
            ("", Err(not)),
            (".inf", Err(not)),
        ];
        for (text, expected) in table {
            assert_eq!(nano_dollars(text), expected.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn addresses() {
        let table = [
            ("127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("localhost:0", Some("127.0.0.1:0")),
            ("[::1]:1", Some("[::1]:1")),
            ("0.0.0.0:65535", Some("0.0.0.0:65535")),
            ("127.0.0.1", None),
            ("127.0.0.1:65536", None),
            ("example.com:80", None),
            (":8080", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|text| text.parse::<SocketAddr>().unwrap());
            assert_eq!(socket_address(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn counts_and_truth() {
        let table = [("1", Some(1)), ("9", Some(9)), ("0", None), ("10", None), ("+1", None)];
        for (text, number) in table {
            assert_eq!(count(text, 9).ok().map(NonZeroU64::get), number, "{text}");
        }
        assert_eq!((truth("true"), truth("false")), (Ok(true), Ok(false)));
        assert!(truth("yes").is_err());
    }

    #[test]
    fn ports() {
        let table = [("1", Some(1)), ("65535", Some(65535)), ("0", None), ("65536", None)];
        for (text, number) in table {
            assert_eq!(port(text).ok(), number, "{text}");
        }
    }

    #[test]
    fn tokens_and_paths() {
        let (most, long) = ("x".repeat(1024), "x".repeat(1025));
        for (text, good) in
            [("!~", true), (&*most, true), ("", false), (&*long, false), ("a b", false)]
        {
            assert_eq!(token(text).is_ok(), good, "{text}");
        }
        for (text, joined) in
            [("a/b", Some("/c/a/b")), ("/a", Some("/a")), ("", None), ("a\n", None)]
        {
            assert_eq!(
                path(text, Path::new("/c")).ok().as_deref(),
                joined.map(Path::new),
                "{text}"
            );
        }
        for (text, good) in
            [("/", true), ("/a?b=c", true), ("a", false), ("/a b", false), ("/#", false)]
        {
            assert_eq!(url_path(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_read_again() {
        for ms in [0, 1, 999, 1_000, 90_000, 3_600_000, 86_400_000] {
            let duration_ms = Duration::from_millis(ms);
            let bounds = Duration::ZERO..=Duration::MAX;
            assert_eq!(duration(&shown_duration(duration_ms), bounds), Ok(duration_ms));
        }
        for nanos in [0, 1, 10, 600_000_000, 250_000_000_000, i64::MAX as u64] {
            assert_eq!(nano_dollars(&shown_dollars(nanos)), Ok(nanos));
        }
        assert_eq!((shown_size(1 << 20), shown_size(1025)), ("1MiB".into(), "1025B".into()));
    }

    #[test]
    fn times() {
        let table = [
            ("1970-01-02", Some(86_400)),
            ("2027-01-31T12:00:00Z", Some(1_801_396_800)),
            ("2027-01-31T12:00:00+09:00", Some(1_801_364_400)),
            ("1969-12-31", None),
            ("2027-02-30", None),
            ("2027-01-31T12:00:00", None),
            ("30d", None),
            ("tomorrow!!", None),
        ];
        for (text, seconds) in table {
            assert_eq!(unix_seconds(text).ok(), seconds, "{text}");
        }
    }
}
