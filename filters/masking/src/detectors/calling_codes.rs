//! Country calling codes (ITU-T E.164, list of the Operational Bulletin) and how many
//! digits national numbers have there.

use std::ops::RangeInclusive;

/// Digits of a national number where the country is not listed apart.
const USUAL: RangeInclusive<usize> = 7..=11;

/// Countries that callers are likely to write numbers of: code, fewest and most digits.
#[rustfmt::skip]
const COUNTRIES: &[(&[u8], usize, usize)] = &[
    (&[1], 10, 10), (&[7], 10, 10), (&[2, 0], 9, 10), (&[2, 7], 9, 9), (&[3, 0], 10, 10), (&[3, 1], 9, 9), (&[3, 2], 8, 9),
    (&[3, 3], 9, 9), (&[3, 4], 9, 9), (&[3, 6], 8, 9), (&[3, 9], 8, 11), (&[4, 0], 9, 9), (&[4, 1], 9, 9), (&[4, 3], 7, 12),
    (&[4, 4], 9, 10), (&[4, 5], 8, 8), (&[4, 6], 7, 10), (&[4, 7], 8, 8), (&[4, 8], 9, 9), (&[4, 9], 7, 11), (&[5, 2], 10, 11),
    (&[5, 4], 10, 11), (&[5, 5], 10, 11), (&[5, 6], 9, 9), (&[5, 7], 10, 10), (&[6, 0], 8, 10), (&[6, 1], 9, 9), (&[6, 2], 8, 12),
    (&[6, 3], 8, 10), (&[6, 4], 8, 10), (&[6, 5], 8, 8), (&[6, 6], 8, 9), (&[8, 1], 9, 10), (&[8, 4], 9, 10), (&[8, 6], 10, 11),
    (&[9, 0], 10, 10), (&[9, 1], 10, 10), (&[9, 2], 10, 10), (&[9, 4], 9, 9), (&[3, 5, 1], 9, 9), (&[3, 5, 3], 7, 9),
    (&[3, 5, 8], 6, 10), (&[3, 7, 0], 8, 8), (&[3, 7, 1], 8, 8), (&[3, 7, 2], 7, 8), (&[3, 8, 0], 9, 9), (&[4, 2, 0], 9, 9),
    (&[4, 2, 1], 9, 9), (&[8, 5, 2], 8, 8), (&[8, 5, 3], 8, 8), (&[8, 5, 5], 8, 9), (&[8, 8, 6], 8, 9), (&[9, 6, 6], 9, 9),
    (&[9, 7, 1], 8, 9), (&[9, 7, 2], 8, 9), (&[9, 7, 6], 8, 8),
];

/// Codes of two digits that are given out; the others of their tens have three.
const TWO_DIGITS: &[&[u8]] = &[&[5, 1], &[5, 3], &[5, 8], &[9, 3], &[9, 5], &[9, 8]];

/// The digits of the country code in front, and how many may follow; `None` for codes
/// that nobody has. Korea (82) is known elsewhere.
pub fn national_digits(digits: &[u8]) -> Option<(usize, RangeInclusive<usize>)> {
    let listed = COUNTRIES.iter().find(|(code, ..)| digits.starts_with(code));
    if let Some((code, least, most)) = listed {
        return Some((code.len(), *least..=*most));
    }
    if TWO_DIGITS.iter().any(|code| digits.starts_with(code)) {
        return Some((2, 8..=11));
    }
    let [first, second, _, ..] = digits else { return None };
    let has_three = match first {
        2 => !matches!(second, 0 | 7 | 8),
        3 => matches!(second, 5 | 7 | 8),
        4 => *second == 2,
        5 => matches!(second, 0 | 9),
        6 => matches!(second, 7..=9),
        8 => matches!(second, 5 | 8),
        9 => matches!(second, 6 | 7 | 9),
        _ => false,
    };
    has_three.then_some((3, USUAL))
}

#[cfg(test)]
mod tests {
    use super::national_digits;

    #[test]
    fn countries_have_codes_of_one_to_three_digits() {
        for (digits, of) in [
            (&[1, 5, 5, 5][..], Some((1, 10..=10))),
            (&[4, 4, 2, 0], Some((2, 9..=10))),
            (&[4, 2, 0, 1], Some((3, 9..=9))),
            (&[5, 1, 9], Some((2, 8..=11))),
            (&[9, 9, 8, 1], Some((3, 7..=11))),
            (&[0, 1, 2], None),
            (&[2, 8, 1], None),
            (&[], None),
        ] {
            assert_eq!(national_digits(digits), of, "{digits:?}");
        }
    }
}
