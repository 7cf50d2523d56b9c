//! Days of birth, and days that are no one's.

use masking::PiiType::Dob;

use crate::rng::Rng;
use crate::sample::Made;

const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub struct Day {
    pub year: u32,
    pub month: u32,
    pub day: u32,
}

impl Day {
    pub fn within(rng: &mut Rng, first: u32, last: u32) -> Self {
        Day { year: rng.within(first..=last), month: rng.within(1..=12), day: rng.within(1..=28) }
    }

    /// Six digits, as a resident's number begins.
    pub fn short(&self) -> String {
        format!("{:02}{:02}{:02}", self.year % 100, self.month, self.day)
    }

    fn named(&self, short: bool) -> &'static str {
        let at = usize::try_from(self.month).unwrap_or(1).saturating_sub(1);
        let name = MONTHS.get(at).copied().unwrap_or("May");
        if short { name.get(..3).unwrap_or(name) } else { name }
    }

    pub fn with(&self, joint: &str) -> String {
        format!("{}{joint}{:02}{joint}{:02}", self.year, self.month, self.day)
    }
}

fn numbers(rng: &mut Rng, day: &Day) -> (&'static str, String) {
    let Day { year, month, day: of_month } = *day;
    match rng.below(15) {
        12 => ("one digit", format!("{year}.{month}.{of_month}")),
        13 => ("one digit", format!("{year}/{month}/{of_month}")),
        14 => ("two-digit year", format!("{:02}-{month:02}-{of_month:02}", year % 100)),
        0..=4 => ("dashes", day.with("-")),
        5..=6 => ("dots", day.with(".")),
        7 => ("slashes", day.with("/")),
        8 => ("dots spaced", format!("{year}. {month}. {of_month}.")),
        9 => ("eight digits", day.with("")),
        10 => ("six digits", day.short()),
        _ => ("two-digit year", format!("{:02}.{month:02}.{of_month:02}", year % 100)),
    }
}

/// Behind a Korean label.
pub fn birth_korean(rng: &mut Rng) -> Made {
    let day = Day::within(rng, 1940, 2015);
    let Day { year, month, day: of_month } = day;
    let (kind, text) = match rng.below(10) {
        0..=2 => ("년 월 일", format!("{year}년 {month}월 {of_month}일")),
        3 => ("년 월 일", format!("{year}년 {month:02}월 {of_month:02}일")),
        4 => ("년 월 일", format!("{:02}년 {month}월 {of_month}일", year % 100)),
        5 => ("년 월 일", format!("{year}년{month}월{of_month}일")),
        _ => numbers(rng, &day),
    };
    Made::pii(Dob, kind, text)
}

/// Behind an English label.
pub fn birth_english(rng: &mut Rng) -> Made {
    let day = Day::within(rng, 1940, 2015);
    let Day { year, month, day: of_month } = day;
    let (long, short) = (day.named(false), day.named(true));
    let (kind, text) = match rng.below(14) {
        12 => ("ordinal", format!("{of_month}{} of {long} {year}", ordinal(of_month))),
        13 => ("month first", format!("{month}/{of_month}/{:02}", year % 100)),
        0..=1 => ("month first", format!("{month:02}/{of_month:02}/{year}")),
        2 => ("month first", format!("{month}/{of_month}/{year}")),
        3..=4 => ("named", format!("{long} {of_month}, {year}")),
        5 => ("named", format!("{of_month} {long} {year}")),
        6 => ("named", format!("{short} {of_month}, {year}")),
        7 => ("named", format!("{of_month:02}-{short}-{year}")),
        8 => ("day first", format!("{of_month:02}.{month:02}.{year}")),
        9 => ("ordinal", format!("{long} {of_month}{}, {year}", ordinal(of_month))),
        _ => numbers(rng, &day),
    };
    Made::pii(Dob, kind, text)
}

/// As records and fields have it.
pub fn birth_record(rng: &mut Rng) -> Made {
    let day = Day::within(rng, 1940, 2015);
    let (kind, text) = match rng.below(6) {
        0 => ("eight digits", day.with("")),
        1 => ("slashes", day.with("/")),
        _ => ("dashes", day.with("-")),
    };
    Made::pii(Dob, kind, text)
}

fn ordinal(day: u32) -> &'static str {
    match day {
        1 | 21 | 31 => "st",
        2 | 22 => "nd",
        3 | 23 => "rd",
        _ => "th",
    }
}

pub fn day_text(rng: &mut Rng) -> String {
    let day = Day::within(rng, 2019, 2026);
    let Day { year, month, day: of_month } = day;
    match rng.below(8) {
        0..=2 => day.with("-"),
        3 => day.with("."),
        4 => day.with("/"),
        5 => format!("{year}년 {month}월 {of_month}일"),
        6 => format!("{} {of_month}, {year}", day.named(false)),
        _ => day.with(""),
    }
}

pub fn day_iso(rng: &mut Rng) -> String {
    Day::within(rng, 2019, 2026).with("-")
}

pub fn clock(rng: &mut Rng) -> String {
    format!("{:02}:{:02}:{:02}", rng.within(0..=23), rng.within(0..=59), rng.within(0..=59))
}
