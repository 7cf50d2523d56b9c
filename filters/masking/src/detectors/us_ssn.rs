//! Social security numbers and individual taxpayer numbers of the United States.
//!
//! SSA, POMS RM 10201.030 and RM 10201.035: area 3, group 2, serial 4; never area 000,
//! 666 or 900 to 999, group 00 or serial 0000. IRS, Internal Revenue Manual 3.21.263:
//! taxpayer numbers have area 900 to 999 and groups 50 to 65, 70 to 88, 90 to 92 and 94
//! to 99. There is no check digit: without dashes a word must say what it is.

use std::ops::Range;

use contract::masking::PiiType;

use super::groups::{Joint, goes_on, read};
use super::headings::Headings;
use super::naming::named;
use super::numerals::is_spaced_before;
use crate::evidence::{WINDOW_CHARS, words};
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

words! {
    /// What is said about both.
    SOCIAL = [
        "ssn", "ssns", "ss#", "ss no", "social security", "social", "itin", "itins", "taxpayer",
        "tax id", "tin", "soc. sec", "soc sec", "soc.sec", "사회보장", "소셜", "소셜번호", "납세자", "us_ssn", "us_itin",
    ]
}

/// Nouns that name other numbers of this shape.
const OTHER_NOUNS: &[&str] = &[
    "part",
    "품번",
    "부품",
    "모델",
    "model",
    "sku",
    "serial",
    "시리얼",
    "order",
    "주문",
    "ticket",
    "티켓",
    "ndc",
    "cas",
    "ref",
    "reference",
    "invoice",
    "lot",
    "접수",
    "운송장",
    "case",
    "item",
];

/// Puts down every number; one that was never given out is kept from other readings.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut said = Said { scene, headings: Headings::of(scene.text()), speaks: None };
    for (index, run) in scene.digits().iter().enumerate() {
        match run.len() {
            1 if is_spaced_before(scene, index) => {}
            9 => bare(&mut said, run.start..run.end, found),
            1 | 3 => grouped(&mut said, run.start, found),
            2..=8 if matches!(scene.byte(run.end), Some(b'\n' | b'\r')) => {
                grouped(&mut said, run.start, found);
            }
            _ => {}
        }
    }
}

/// A text and the tables in it.
struct Said<'s, 't> {
    scene: &'s Scene<'t>,
    headings: Headings<'t>,
    /// Whether one of the words stands anywhere, when that was asked.
    speaks: Option<bool>,
}

impl Said<'_, '_> {
    fn speaks(&mut self) -> bool {
        *self.speaks.get_or_insert_with(|| SOCIAL.stand_in(self.scene.text()))
    }

    /// Whether a number is said to be one of these, before it or above its column.
    fn before(&mut self, at: usize) -> bool {
        let heads = |heading: &str| SOCIAL.stand_in(heading);
        self.speaks()
            && (SOCIAL.stand_in(field(self.scene, at))
                || self.headings.heading(at).is_some_and(heads))
    }

    /// The same, or behind it.
    fn near(&mut self, span: &Range<usize>) -> bool {
        self.speaks() && (self.scene.says_near(span, &SOCIAL) || self.before(span.start))
    }
}

/// What is said before a place on its line; of its own field where that has a key.
fn field<'t>(scene: &Scene<'t>, at: usize) -> &'t str {
    let before = scene.chars_before(at, WINDOW_CHARS);
    let line = before.rsplit('\n').next().unwrap_or(before);
    let field = line.rsplit([',', ';', '|', '{', '&']).next().unwrap_or(line);
    if field.contains([':', '=']) { field } else { line }
}

fn grouped(said: &mut Said<'_, '_>, start: usize, found: &mut Candidates) {
    let scene = said.scene;
    let number = read(scene, start, &[3, 2, 4]).or_else(|| read(scene, start, &[9]));
    let Some(number) = number else { return };
    let span = number.span;
    if !stands(scene, &span) {
        return;
    }
    let dashed = number.joint == Joint::Dash && number.breaks <= 1;
    let worded = said.near(&span);
    match (kind(&scene.digits_of(span.clone())), worded) {
        (Some(of), true) => found.pii(of, span, Level::Strong),
        (Some(of), false) if dashed && named(scene, start, OTHER_NOUNS).is_none() => {
            found.pii(of, span, Level::Likely);
        }
        (None, _) if dashed => found.innocent(span, Level::Likely),
        _ => {}
    }
}

fn bare(said: &mut Said<'_, '_>, span: Range<usize>, found: &mut Candidates) {
    let scene = said.scene;
    let Some(of) = kind(&scene.digits_of(span.clone())) else { return };
    let fits = stands(scene, &span) && named(scene, span.start, OTHER_NOUNS).is_none();
    if fits && said.before(span.start) {
        found.pii(of, span, Level::Likely);
    }
}

fn stands(scene: &Scene<'_>, span: &Range<usize>) -> bool {
    let marked = matches!(scene.before(span.start), Some(b'-' | b'.' | b'/' | b'+'));
    scene.stands_alone(span) && !goes_on(scene, span) && !marked
}

/// Which of both nine digits are; `None` where neither office gives them out.
fn kind(digits: &[u8]) -> Option<PiiType> {
    let number = |part: &[u8]| part.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(*digit));
    let (area, rest) = digits.split_at_checked(3)?;
    let (group, serial) = rest.split_at_checked(2)?;
    match (number(area), number(group), number(serial)) {
        (900..=999, 50..=65 | 70..=88 | 90..=92 | 94..=99, _) => Some(PiiType::UsItin),
        (0 | 666 | 900.., _, _) | (_, 0, _) | (_, _, 0) => None,
        _ => Some(PiiType::UsSsn),
    }
}

#[cfg(test)]
mod tests {
    use super::{PiiType, kind};
    use crate::detectors::trial::{hits, misses};
    use proptest::prelude::*;

    const SSN: &[&str] = &[
        "SSN: ⟦536-22-1234⟧",
        "my social security number is ⟦536-22-1234⟧.",
        "사회보장번호는 ⟦536-22-1234⟧입니다",
        "⟦536-22-1234⟧ is on file",
        "ssn ⟦536 22 1234⟧",
        "SSN ⟦536.22.1234⟧",
        "ssn=⟦536221234⟧",
        "{\"ssn\": \"⟦536221234⟧\"}",
        "social: ⟦001-01-0001⟧",
        "SSN ⟦536 - 22 - 1234⟧",
        "Soc. Sec. No.=⟦536221234⟧",
        "SSN ⟦536-22-\n1234⟧",
        "SSN ⟦5 3 6 - 2 2 - 1 2 3 4⟧",
        "SSN ⟦5 3 6 2 2 1 2 3 4⟧",
        "employee_ssn,⟦899-99-9999⟧",
        "미국 SSN(⟦665-12-3456⟧)을",
        "name,ssn,age\nKim,⟦536221234⟧,33",
        "the number ⟦667-12-3456⟧, please",
    ];

    const ITIN: &[&str] = &[
        "ITIN: ⟦912-70-1234⟧",
        "itin ⟦900-50-0001⟧",
        "납세자 번호 ITIN ⟦999881234⟧",
        "⟦987-65-4321⟧",
        "ITIN ⟦912 94 1234⟧로",
    ];

    const MISSES: &[&str] = &[
        "SSN 000-12-3456",
        "SSN 666-12-3456",
        "SSN 536-00-1234",
        "SSN 536-22-0000",
        "ITIN 912-69-1234",
        "ITIN 912-93-1234",
        "EIN 12-3456789",
        "536221234",
        "번호 536221234입니다",
        "536 22 1234",
        "부품번호 536-22-1234",
        "{\"ssn\":\"\",\"drugCode\":\"648205985\"}",
        "part no. 536-22-1234",
        "1-536-22-1234",
        "536-22-1234-5",
        "536-22-12345",
        "A536-22-1234",
        "ZIP 94103-1234",
        "CAS 107-07-3",
    ];

    #[test]
    fn finds_both() {
        hits(PiiType::UsSsn, SSN);
        hits(PiiType::UsItin, ITIN);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }

    proptest! {
        #[test]
        fn the_area_decides(area in 0_u16..1000, group in 0_u8..100, serial in 0_u16..10_000) {
            let text = format!("{area:03}{group:02}{serial:04}");
            let digits: Vec<u8> = text.bytes().map(|byte| byte - b'0').collect();
            match kind(&digits) {
                Some(PiiType::UsItin) => prop_assert!(area >= 900 && group >= 50),
                Some(_) => prop_assert!(area < 900 && area != 666 && area > 0 && serial > 0),
                None => prop_assert!(
                    area == 0 || area == 666 || area >= 900 || group == 0 || serial == 0
                ),
            }
        }
    }
}
