//! IBAN: ISO 13616-1. Two letters of the country, two check digits, and the account in
//! the length of the country (SWIFT's registry of IBANs); ISO/IEC 7064 MOD 97-10 over
//! all of it. One number in ninety-seven passes by chance, and the country's length must
//! fit too, so nothing else is asked.

use std::ops::Range;

use contract::masking::PiiType;

use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// Countries with the lengths of their numbers.
const COUNTRIES: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// How many spaces, dashes and ends of a line may stand between two characters.
const GAP_BYTES_MAX: usize = 3;

/// Puts down every IBAN; one with wrong check digits is kept from other readings.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    for run in scene.digits() {
        let Some((start, length)) = country_before(scene, run.start) else { continue };
        let Some(Number { span, characters, gaps }) = read(scene, start, length) else { continue };
        if !scene.stands_alone(&span) || !is_written_so(scene, &span, gaps) {
            continue;
        }
        match (check(characters), gaps) {
            (1, _) => found.pii(PiiType::Iban, span, Level::Certain),
            (_, Gaps::None | Gaps::Fours) => found.innocent(span, Level::Strong),
            _ => {}
        }
    }
}

/// The country in front of the check digits: where it begins and the length it asks for.
fn country_before(scene: &Scene<'_>, at: usize) -> Option<(usize, usize)> {
    let second = last_letter(scene, at)?;
    let first = last_letter(scene, second)?;
    let letters = [first, second].map(|at| scene.byte(at).map(|byte| byte.to_ascii_uppercase()));
    let [Some(first_letter), Some(second_letter)] = letters else { return None };
    let country = [first_letter, second_letter];
    let (_, length) = COUNTRIES.iter().find(|(code, _)| **code == country)?;
    Some((first, *length))
}

/// Where the letter before a place stands; one space may be between.
fn last_letter(scene: &Scene<'_>, at: usize) -> Option<usize> {
    let skip = 1 + usize::from(scene.before(at) == Some(b' '));
    let at = at.checked_sub(skip)?;
    scene.byte(at).filter(u8::is_ascii_alphabetic).map(|_| at)
}

/// What stands between the characters of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gaps {
    None,
    /// Behind every fourth, as the standard prints it.
    Fours,
    /// Behind every one.
    All,
    Other,
}

/// Letters and digits read over gaps.
struct Number {
    span: Range<usize>,
    characters: Vec<u8>,
    gaps: Gaps,
}

fn read(scene: &Scene<'_>, start: usize, length: usize) -> Option<Number> {
    let mut characters = Vec::with_capacity(length);
    let (mut at, mut fours, mut others) = (start, 0, 0);
    while characters.len() < length {
        let gap = if characters.is_empty() { 0 } else { gap(scene, at) };
        match (gap, characters.len() % 4) {
            (0, _) => {}
            (_, 0) => fours += 1,
            _ => others += 1,
        }
        let byte = scene.byte(at + gap).filter(u8::is_ascii_alphanumeric)?;
        characters.push(byte.to_ascii_uppercase());
        at += gap + 1;
    }
    let gaps = match (fours, others) {
        (0, 0) => Gaps::None,
        (fours, 0) if fours == (length - 1) / 4 => Gaps::Fours,
        (fours, others) if fours + others == length - 1 => Gaps::All,
        _ => Gaps::Other,
    };
    let checked = characters.get(2..4)?.iter().all(u8::is_ascii_digit);
    checked.then_some(Number { span: start..at, characters, gaps })
}

/// Whether gaps are those of a number and not of a sentence that begins like one.
fn is_written_so(scene: &Scene<'_>, span: &Range<usize>, gaps: Gaps) -> bool {
    let text = scene.slice(span.clone()).as_bytes();
    let is_upper = !text.iter().any(u8::is_ascii_lowercase);
    let begins = text.get(2).is_some_and(u8::is_ascii_digit);
    matches!(gaps, Gaps::None | Gaps::All) || (begins && (is_upper || gaps == Gaps::Fours))
}

fn gap(scene: &Scene<'_>, at: usize) -> usize {
    let rest = scene.bytes().get(at..).unwrap_or_default();
    let is_gap = |byte: &&u8| matches!(byte, b' ' | b'-' | b'\n' | b'\r');
    rest.iter().take(GAP_BYTES_MAX).take_while(is_gap).count()
}

/// Where a country has letters only, by its front of the account: a check letter in
/// Italy, the bank's four in others. The text has digits for O and I there.
fn letters_of(country: &[u8]) -> Range<usize> {
    const BANKS: &[&[u8; 2]] = &[
        b"GB", b"IE", b"NL", b"BG", b"LV", b"RO", b"MT", b"GI", b"QA", b"KW", b"JO", b"BH", b"PK",
        b"DO",
    ];
    match country {
        b"IT" | b"SM" => 4..5,
        country if BANKS.iter().any(|code| **code == *country) => 4..8,
        _ => 0..0,
    }
}

/// What is left of a number by 97, with letters where its country has them.
fn check(mut characters: Vec<u8>) -> u32 {
    let letters = letters_of(characters.get(..2).unwrap_or_default());
    for character in characters.get_mut(letters).unwrap_or_default() {
        match character {
            b'0' => *character = b'O',
            b'1' => *character = b'I',
            _ => {}
        }
    }
    mod_97(&characters)
}

/// ISO/IEC 7064 MOD 97-10, with the country and check digits moved to the end.
fn mod_97(characters: &[u8]) -> u32 {
    let (front, account) = characters.split_at_checked(4).unwrap_or((characters, &[]));
    account.iter().chain(front).fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        byte => (rest * 100 + u32::from(byte.saturating_sub(b'A')) + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::{PiiType, mod_97};
    use crate::detectors::trial::{hits, misses};
    use proptest::prelude::*;

    /// The examples of the registry, and made-up ones.
    const HITS: &[&str] = &[
        "IBAN: ⟦DE89370400440532013000⟧",
        "IBAN ⟦DE89 3704 0044 0532 0130 00⟧으로 송금",
        "해외 송금 계좌는 ⟦GB29 NWBK 6016 1331 9268 19⟧입니다.",
        "⟦GB29NWBK60161331926819⟧",
        "⟦FR14 2004 1010 0505 0001 3M02 606⟧, merci",
        "⟦fr1420041010050500013m02606⟧",
        "⟦NL91ABNA0417164300⟧로",
        "\"iban\":\"⟦BE68539007547034⟧\"",
        "⟦CH93-0076-2011-6238-5295-7⟧",
        "⟦NO93 8601 1117 947⟧ 계좌",
        "(⟦ES9121000418450200051332⟧)",
        "⟦IT60 X054 2811 1010 0000 0123 456⟧",
        "IBAN ⟦IT24 O054 2811 1010 0000 0123 456⟧",
        "⟦AE07 0331 2345 6789 0123 456⟧",
        "pay to ⟦PL61109010140000071219812874⟧ today",
        "⟦DE89 3704 0044\n0532 0130 00⟧ 계좌",
        "⟦SE4550000000058398257466⟧.",
        "⟦MT84MALT011000012345MTLCAST001S⟧",
    ];

    const MISSES: &[&str] = &[
        "IBAN DE89370400440532013001",
        "DE88 3704 0044 0532 0130 00 계좌",
        "DE8937040044053201300",
        "XDE89370400440532013000",
        "DE893704004405320130001",
        "ZZ89370400440532013000",
        "SKU DE89-1234",
        "NO 93 아이템",
        "in 2026 the rate was 10",
        "model GB29NWBK",
        "BE 68",
        "AT20 ports",
        "is 12 3456 7890",
        "SE 2026-01-15 10:00:00 +0900 12",
        "GB82 WEST 1234 5698 7654 33",
    ];

    #[test]
    fn finds_ibans() {
        hits(PiiType::Iban, HITS);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }

    proptest! {
        #[test]
        fn one_pair_of_check_digits_is_right(account in "[0-9]{18}") {
            let right = (2..99).filter(|check| {
                mod_97(format!("DE{check:02}{account}").as_bytes()) == 1
            });
            prop_assert_eq!(right.count(), 1);
        }

        #[test]
        fn every_right_one_is_found(account in "[0-9]{18}") {
            let check = (2..99).find(|check| mod_97(format!("DE{check:02}{account}").as_bytes()) == 1);
            hits(PiiType::Iban, &[&format!("계좌 ⟦DE{:02}{account}⟧로", check.unwrap())]);
        }
    }
}
