//! Check digits of Korean numbers, and the calendar.

/// The last year that a birth in a number can lie in. A pure crate has no clock, and a
/// bound that is some years ahead still tells births from numbers that are none.
pub const YEAR_MAX: u16 = 2030;

/// The check digit of a resident registration number: 주민등록법 시행규칙 [별표],
/// weights 2 to 9 and 2 to 5, 11 less the remainder. Numbers given since October 2020
/// have none. Takes 13 digits.
pub fn has_resident_check(digits: &[u8]) -> bool {
    digits.len() == 13 && check_of(digits, 11) == digits.last().copied()
}

/// The check digit of a foreigner registration number: as a resident's, from 13.
pub fn has_foreigner_check(digits: &[u8]) -> bool {
    digits.len() == 13 && check_of(digits, 13) == digits.last().copied()
}

fn check_of(digits: &[u8], from: u32) -> Option<u8> {
    const WEIGHTS: [u32; 12] = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];
    u8::try_from((from - weighted(digits, &WEIGHTS) % 11) % 10).ok()
}

fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

/// The check digit of a business registration number: weights 1, 3, 7, 1, 3, 7, 1, 3, 5
/// and the tens of the ninth product. Takes 10 digits.
pub fn has_business_check(digits: &[u8]) -> bool {
    let [.., ninth, check] = digits else { return false };
    let sum = weighted(digits, &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + u32::from(*ninth) * 5 / 10;
    digits.len() == 10 && (10 - sum % 10) % 10 == u32::from(*check)
}

/// The check digit of an article number (EAN-13): weights 1 and 3.
pub fn has_article_check(digits: &[u8]) -> bool {
    const WEIGHTS: [u32; 13] = [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1];
    digits.len() == 13 && weighted(digits, &WEIGHTS).is_multiple_of(10)
}

/// The number that digits write.
pub fn number(digits: &[u8]) -> u16 {
    digits.iter().fold(0, |sum: u16, digit| sum.saturating_mul(10).saturating_add((*digit).into()))
}

/// Whether a day was or is in the calendar.
pub fn is_day(year: u16, month: u16, day: u16) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Whether somebody now alive can be born on a day.
pub fn is_birthday(year: u16, month: u16, day: u16) -> bool {
    (1900..=YEAR_MAX).contains(&year) && is_day(year, month, day)
}

#[cfg(test)]
mod tests {
    use super::{
        has_article_check, has_business_check, has_foreigner_check, has_resident_check,
        is_birthday, is_day, number,
    };

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect()
    }

    #[test]
    fn check_digits() {
        assert!(has_resident_check(&digits("900101-1234568")));
        assert!(!has_resident_check(&digits("900101-1234567")));
        assert!(has_foreigner_check(&digits("900101-5123452")));
        assert!(!has_foreigner_check(&digits("900101-5123459")));
        assert!(has_business_check(&digits("220-81-62517")));
        assert!(!has_business_check(&digits("220-81-62518")));
        assert!(has_article_check(&digits("8801234567893")));
        assert!(!has_article_check(&digits("8801234567890")));
    }

    #[test]
    fn numbers_of_other_lengths_have_no_check_digit() {
        for of in [&[][..], &[1], &[0; 9], &[0; 11], &[0; 12], &[0; 14]] {
            let all = has_resident_check(of) || has_foreigner_check(of) || has_article_check(of);
            assert!(!all && !has_business_check(of), "{of:?}");
        }
    }

    #[test]
    fn the_calendar() {
        assert!(is_day(2024, 2, 29) && is_day(2000, 2, 29) && is_day(1985, 12, 31));
        assert!(!is_day(2023, 2, 29) && !is_day(1900, 2, 29) && !is_day(1985, 13, 1));
        assert!(!is_day(1985, 4, 31) && !is_day(1985, 1, 0) && !is_day(1985, 0, 1));
        assert!(is_birthday(1985, 3, 2) && !is_birthday(1899, 3, 2) && !is_birthday(2099, 3, 2));
        assert_eq!(number(&[1, 9, 8, 5]), 1985);
    }
}
