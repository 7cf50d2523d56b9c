//! Numbers of goods and books stay: GS1 General Specifications §7.9 (EAN-13, the check
//! digit) and ISO 2108 (ISBN-13 begins with 978 or 979; Korea's goods with 880).
//!
//! Without marks they have the length of a resident registration number.

use std::ops::Range;

use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// Digits of an EAN-13.
const DIGITS: usize = 13;

/// The longest ISBN with its marks.
const ISBN_BYTES_MAX: usize = 17;

/// Puts down every number with the right check digit.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    for run in scene.digits() {
        let span = match run.len() {
            DIGITS => run.start..run.end,
            3 => match isbn(scene, run.start) {
                Some(span) => span,
                None => continue,
            },
            _ => continue,
        };
        let digits = scene.digits_of(span.clone());
        if has_check(&digits) && scene.stands_alone(&span) {
            put(&digits, span, found);
        }
    }
}

fn put(digits: &[u8], span: Range<usize>, found: &mut Candidates) {
    match digits {
        [9, 7, 8 | 9, ..] => found.innocent(span, Level::Strong),
        [8, 8, 0, ..] => found.innocent(span, Level::Likely),
        _ => {}
    }
}

/// A number of a book in groups: 978 or 979 in front, and 13 digits.
fn isbn(scene: &Scene<'_>, start: usize) -> Option<Range<usize>> {
    let rest = scene.bytes().get(start..)?;
    let is_front = rest.starts_with(b"978") || rest.starts_with(b"979");
    let belongs = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'-' | b' ');
    let length = rest.iter().take(ISBN_BYTES_MAX).take_while(belongs).count();
    let span = start..start + scene.slice(start..start + length).trim_end().len();
    (is_front && length > DIGITS && scene.digits_of(span.clone()).len() == DIGITS).then_some(span)
}

/// GS1 General Specifications §7.9.1: weights 1 and 3 in turn.
fn has_check(digits: &[u8]) -> bool {
    let weights = [1, 3].into_iter().cycle();
    let sum: u32 =
        digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    digits.len() == DIGITS && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::has_check;
    use crate::detectors::trial::misses;
    use proptest::prelude::*;

    const MISSES: &[&str] = &[
        "8801062636891",
        "바코드 8801111111116",
        "EAN 8801094013004",
        "ISBN 978-89-349-9220-2",
        "978-3-16-148410-0",
        "9783161484100",
        "ISBN-13: 9788968480010",
        "979-11-6224-080-9",
        "978 3 16 148410 0",
        "UPC 036000291452",
        "상품코드 8809012345678",
        "GTIN 4006381333931",
        "isbn 89-349-9220-X",
        "책 978-89-349-9220-2를 샀다",
        "ISBN: 0-306-40615-2",
    ];

    #[test]
    fn leaves_goods() {
        misses(MISSES);
    }

    proptest! {
        #[test]
        fn one_check_digit_is_right(front in prop::collection::vec(0_u8..10, 12)) {
            let right = (0..10).filter(|digit| {
                let mut digits = front.clone();
                digits.push(*digit);
                has_check(&digits)
            });
            prop_assert_eq!(right.count(), 1);
        }
    }
}
