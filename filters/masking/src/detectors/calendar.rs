//! Dates, times and timestamps stay: ISO 8601-1 (extended and basic format), RFC 3339,
//! and POSIX seconds since 1970 with their fractions.
//!
//! A date alone is put down as a shape only: where it is somebody's birth another
//! detector is surer.

use std::ops::Range;

use super::naming::named;
use crate::resolve::{Candidates, Level};
use crate::scene::{Digits, Scene};

/// Nouns that name a timestamp.
const NOUNS: &[&str] = &[
    "timestamp",
    "ts",
    "time",
    "epoch",
    "exp",
    "iat",
    "nbf",
    "created",
    "updated",
    "at",
    "date",
    "expires",
    "unix",
    "posix",
    "millis",
    "ms",
    "seconds",
    "since",
    "until",
    "start",
    "end",
    "modified",
    "mtime",
    "ctime",
    "타임스탬프",
    "에포크",
    "시각",
    "시간",
    "일시",
    "유닉스",
    "생성",
    "만료",
    "등록일",
];

/// Seconds since 1970 from 2001 to 2033: nine digits and more are a year or a number.
const SECONDS: std::ops::Range<u64> = 1_000_000_000..2_000_000_000;

/// The same of timestamps that nothing names: from 2014 to 2030.
const USUAL_SECONDS: std::ops::Range<u64> = 1_400_000_000..1_900_000_000;

/// Puts down every date and time.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    for (index, run) in scene.digits().iter().enumerate() {
        match run.len() {
            4 => extended(scene, index, *run, found),
            8 | 12 | 14 | 17 => basic(scene, *run, found),
            10 | 13 | 16 | 19 => epoch(scene, *run, found),
            _ => {}
        }
    }
}

/// `2026-01-15`, `2026. 1. 15.`, `2026년 1월 15일`, with a time behind.
fn extended(scene: &Scene<'_>, index: usize, year: Digits, found: &mut Candidates) {
    let runs = scene.digits();
    let (Some(month), Some(day)) = (runs.get(index + 1), runs.get(index + 2)) else { return };
    let joins = |gap: Option<&str>| {
        gap.is_some_and(|gap| matches!(gap, "-" | "/" | "." | ". " | "년 " | "년" | "월 " | "월"))
    };
    let number = |run: &Digits| number(scene, run.start..run.end);
    let is_date = is_date(number(&year), number(month), number(day));
    let short = month.len() <= 2 && day.len() <= 2;
    if !is_date || !short || !joins(scene.gap(index)) || !joins(scene.gap(index + 1)) {
        return;
    }
    let span = year.start..day.end;
    match clock_end(scene, day.end) {
        Some(end) => found.innocent(span.start..end, Level::Likely),
        None => found.innocent(span, Level::Shape),
    }
}

/// Where a time behind a date ends: `T10:00:00.123+09:00`, ` 10:00`.
fn clock_end(scene: &Scene<'_>, at: usize) -> Option<usize> {
    let rest = scene.bytes().get(at..)?;
    let begins = matches!(rest, [b'T' | b't' | b' ', b'0'..=b'2', b'0'..=b'9', b':', ..]);
    let belongs = |byte: &&u8| {
        byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b',' | b'+' | b'-' | b'Z')
    };
    let length = rest.iter().skip(1).take(24).take_while(belongs).count();
    begins.then(|| at + 1 + length)
}

/// `20260115`, `20260115103000`
fn basic(scene: &Scene<'_>, run: Digits, found: &mut Candidates) {
    let part =
        |from: usize, length: usize| number(scene, run.start + from..run.start + from + length);
    let span = run.start..run.end;
    if !is_date(part(0, 4), part(4, 2), part(6, 2)) || !scene.stands_alone(&span) {
        return;
    }
    match run.len() {
        8 => found.innocent(span, Level::Shape),
        length if part(8, 2) < 24 && part(10, 2) < 60 && (length < 14 || part(12, 2) < 60) => {
            let level = if length == 12 { Level::Shape } else { Level::Likely };
            found.innocent(span, level);
        }
        _ => {}
    }
}

/// Seconds since 1970, with three, six or nine digits of a fraction.
fn epoch(scene: &Scene<'_>, run: Digits, found: &mut Candidates) {
    let span = run.start..run.end;
    let seconds = number(scene, run.start..run.start + 10);
    if !SECONDS.contains(&seconds) || !scene.stands_alone(&span) {
        return;
    }
    if named(scene, run.start, NOUNS).is_some() {
        found.innocent(span, Level::Certain);
    } else if USUAL_SECONDS.contains(&seconds) {
        let level = if run.len() > 10 { Level::Likely } else { Level::Shape };
        found.innocent(span, level);
    }
}

fn is_date(year: u64, month: u64, day: u64) -> bool {
    (1900..=2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// The number that digits are; 0 where they are none.
fn number(scene: &Scene<'_>, span: Range<usize>) -> u64 {
    scene.slice(span).parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use crate::detectors::trial::misses;

    const MISSES: &[&str] = &[
        "2026-01-15",
        "2026-01-15T10:30:00+09:00",
        "2026-01-15 10:30:45.123",
        "2026년 1월 15일",
        "2026. 1. 15.",
        "2026/01/15 10:30",
        "20260115",
        "20260115103045",
        "1767225600",
        "1767225600123",
        "{\"ts\": 1767225600123}",
        "created_at: 1705123456",
        "\"createdAt\":1705123456789,",
        "timestamp=1705123456789000",
        "타임스탬프 1700101234567",
        "exp: 1760301123",
        "10:30:45",
        "15/Jan/2026:10:30:45 +0900",
        "국민은행 점검 20260115103000까지",
        "[2026-01-15 10:30:45,123] INFO",
    ];

    #[test]
    fn leaves_dates_and_times() {
        misses(MISSES);
    }
}
