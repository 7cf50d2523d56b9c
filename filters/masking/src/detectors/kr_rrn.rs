//! Korean resident and foreigner registration numbers: `YYMMDD-GNNNNNC`.
//!
//! 주민등록법 시행규칙 제2조 (resident), 출입국관리법 시행규칙 제47조의2 (foreigner). `G` tells
//! the century: 1 and 2 are the 1900s, 3 and 4 the 2000s, 5 to 8 the same for foreigners,
//! 9 and 0 the 1800s. Numbers given since October 2020 have no check digit, whatever the
//! year of birth: a hyphen or a label is enough. Without both the check digit must be
//! right, and the number neither an article's (EAN-13) nor a time in milliseconds.
//! Numbers of corporations have the same shape and begin with 11 to 28: read as years,
//! those of people too old to have none but the label's word for it.

use std::ops::Range;

use contract::masking::PiiType;

use crate::detectors::checks_kr::{
    YEAR_MAX, has_article_check, has_foreigner_check, has_resident_check, is_day, number,
};
use crate::detectors::labels::{Label, Labels, Near};
use crate::detectors::numerals::{Joints, Reading, read, read_broken, stands_alone};
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// Births whose numbers stand unlabelled and without a check digit: other such numbers
/// are those of corporations, or of orders that begin with their date.
const YEARS_UNLABELLED: Range<u16> = 1929..2016;

/// How far off a label of another number may be and still claim this one, in characters.
const VETO_CHARS: usize = 14;

/// How far around bare digits nothing may speak of other numbers, in characters.
const AROUND_CHARS: usize = 40;

/// How far off a bank may be and still claim bare digits, in characters.
const BANK_CHARS: usize = 4;

/// Milliseconds since 1970 from 2013 to 2030.
const MILLIS_FIRST_DIGITS: Range<u16> = 136..190;

/// Puts down both kinds of number.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut labels = Labels::of(scene);
    for first in 0..scene.digits().len() {
        let read = |lengths: &[usize]| {
            read(scene, first, lengths).filter(|reading| stands_alone(scene, reading))
        };
        let whole = read(&[6, 7]).or_else(|| read(&[13]));
        let Some(reading) = whole.or_else(|| read_broken(scene, first, 13)) else { continue };
        if stands_alone(scene, &reading) {
            judge(scene, &mut labels, reading, found);
        }
    }
}

fn judge(scene: &Scene<'_>, labels: &mut Labels<'_, '_>, reading: Reading, found: &mut Candidates) {
    let digits = scene.digits_of(reading.span.clone());
    let Some(year) = year_of(&digits) else { return };
    let near = labels.before(reading.span.start);
    let Some(level) = level(&digits, year, &reading, near) else { return };
    if level == Level::Likely && labels.around(&reading.span, &[Label::Other], AROUND_CHARS) {
        return;
    }
    let of = if is_foreigner(&digits) { PiiType::KrFrn } else { PiiType::KrRrn };
    found.pii(of, reading.span, level);
}

fn level(digits: &[u8], year: u16, reading: &Reading, near: Option<Near<'_>>) -> Option<Level> {
    if near.is_some_and(|near| near.label == Label::Resident) {
        // Also where one asks for it and another answers.
        return Some(Level::Certain);
    }
    let veto = [Label::Corporation, Label::Other, Label::Account, Label::Business, Label::Patient];
    let is_bank = |near: Near<'_>| near.is(&[Label::Bank, Label::BankShort], BANK_CHARS);
    if reading.joints == Joints::NONE && near.is_some_and(is_bank) {
        return None;
    }
    if year < 1900 || near.is_some_and(|near| near.claims(&veto, VETO_CHARS)) {
        return None;
    }
    let checked = has_check(digits);
    match reading.joints {
        Joints::HYPHEN if checked => Some(Level::Certain),
        Joints::HYPHEN if YEARS_UNLABELLED.contains(&year) => Some(Level::Strong),
        Joints::SPACE if checked => Some(Level::Strong),
        Joints::NONE if checked && !is_other_number(digits) => Some(Level::Likely),
        _ => None,
    }
}

/// The year of birth; `None` where the digits name no day or one that is to come.
fn year_of(digits: &[u8]) -> Option<u16> {
    let part = |range: Range<usize>| digits.get(range).map(number);
    let century = match digits.get(6)? {
        1 | 2 | 5 | 6 => 1900,
        3 | 4 | 7 | 8 => 2000,
        _ => 1800,
    };
    let year = century + part(0..2)?;
    (year <= YEAR_MAX && is_day(year, part(2..4)?, part(4..6)?)).then_some(year)
}

fn is_foreigner(digits: &[u8]) -> bool {
    digits.get(6).is_some_and(|digit| (5..=8).contains(digit))
}

fn has_check(digits: &[u8]) -> bool {
    if is_foreigner(digits) {
        // Some were given with the check digit of residents.
        return has_foreigner_check(digits);
    }
    has_resident_check(digits)
}

fn is_other_number(digits: &[u8]) -> bool {
    let first = digits.get(..3).map_or(0, number);
    MILLIS_FIRST_DIGITS.contains(&first) || has_article_check(digits)
}

#[cfg(test)]
mod tests {
    use contract::masking::PiiType;
    use proptest::prelude::*;

    use crate::detectors::trial::{hits, misses};
    use crate::scan::scan;

    const HITS: &[&str] = &[
        "주민등록번호: ⟦900101-1234567⟧",
        "주민번호는 ⟦850302-2123456⟧입니다.",
        "홍길동(⟦900101-1234568⟧)님",
        "주민등록상 번호 ⟦0503023123456⟧으로 확인",
        "resident registration number ⟦900101 1234567⟧.",
        "\"rrn\": \"⟦900101-1234567⟧\"",
        "{\"rrn\":\"⟦9001011234567⟧\"}",
        "이름,주민번호,비고\n김철수,⟦9001011234567⟧,없음",
        "| 김철수 | ⟦720229-1234567⟧ |",
        "고객 ⟦9001011234568⟧ 조회",
        "RRN\t⟦000229-4123456⟧",
        "<rrn>⟦900101-1234567⟧</rrn>",
        "주민번호 ⟦9 0 0 1 0 1 - 1 2 3 4 5 6 7⟧",
        "주민번호 ⟦900101-\n1234567⟧",
        "주민번호 ⟦900101 - 1234567⟧ 확인했습니다",
        "rrn=⟦900101-1234567⟧&x=1",
        "jumin_no: ⟦900101-1234567⟧",
        "신청인 김영희 ⟦651231-2345678⟧ 서울시",
        "법인등록번호는 나중에, 대표자 주민등록번호: ⟦900101-1234567⟧",
        "주민등록번호 ⟦991231-9123456⟧",
    ];

    const FOREIGN: &[&str] = &[
        "외국인등록번호 ⟦900101-5123456⟧",
        "ARC no. ⟦900101-6123456⟧",
        "alien registration number: ⟦0103027123456⟧",
        "외국인 ⟦010302-8123456⟧ 체류",
        "\"frn\":\"⟦900101-5123459⟧\"",
        "Foreigner Registration No ⟦900101-5123459⟧",
    ];

    const MISSES: &[&str] = &[
        "주민번호 900101-1******",
        "법인등록번호 110111-1234567",
        "법인등록번호: 110111-1234567 (주)테스트",
        "corporate registration no. 110111-0123456",
        "주문번호 240105-1234567",
        "order 240105-3123456 shipped",
        "운송장 240105-3123456",
        "바코드 8801062330121",
        "EAN 8801234567893",
        "created_ts 1704067200000",
        "1704067200008",
        "901301-1234567",
        "900230-1234567",
        "990101-3123456",
        "9001011234567",
        "ORD-900101-1234567",
        "900101-1234567-8",
        "serial 900101-1234567",
        "110111-1234567",
        "v900101-1234567",
    ];

    #[test]
    fn finds_residents() {
        hits(PiiType::KrRrn, HITS);
    }

    #[test]
    fn finds_foreigners() {
        hits(PiiType::KrFrn, FOREIGN);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }

    /// A resident's number with its check digit.
    fn resident() -> impl Strategy<Value = String> {
        (40_u32..=99, 1_u32..=12, 1_u32..=28, 0_u32..=99_999).prop_map(
            |(year, month, day, rest)| {
                let head = format!("{year:02}{month:02}{day:02}1{rest:05}");
                let weights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];
                let sum: u32 =
                    head.bytes().zip(weights).map(|(b, w)| u32::from(b - b'0') * w).sum();
                format!("{head}{}", (11 - sum % 11) % 10)
            },
        )
    }

    proptest! {
        #[test]
        fn a_right_check_digit_proves_a_number(number in resident()) {
            let text = format!("고객 {}-{} 님", &number[..6], &number[6..]);
            let found = scan(&text);
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(found[0].of, PiiType::KrRrn);
        }
    }
}
