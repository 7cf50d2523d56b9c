//! Payment cards: ISO/IEC 7812-1 (numbers of 12 to 19 digits, the issuer's range in
//! front, Luhn's check digit at the end). Ranges and lengths are those that the networks
//! publish; Korean cards for use at home begin with 9 and have 16 digits.
//!
//! The check digit must be right: one number in ten passes by chance, so a number
//! without separators also needs a usual length, or a word about cards, and no label
//! that calls it something else.

use std::ops::Range;

use contract::masking::PiiType;

use super::groups::{Grouped, Joint, goes_on, read};
use super::naming::{Naming, named};
use super::numerals::is_spaced_before;
use crate::evidence::words;
use crate::resolve::{Candidates, Level};
use crate::scene::{Digits, Scene};

words! {
    /// What is said about cards.
    CARD = [
        "cardno", "cardnumber", "cardnum", "ccnum", "ccnumber", "creditcard", "paid", "charge", "charged",
        "expiry", "expires", "exp", "유효기간", "유효", "만료",
        "카드", "신용", "결제", "card", "cards", "credit", "debit", "visa", "비자", "master",
        "mastercard", "마스터", "amex", "아멕스", "american express", "diners", "다이너스", "jcb",
        "unionpay", "유니온페이", "은련", "discover", "maestro", "pan", "cc", "cvc", "cvv",
        "payment", "pay",
    ]
}

/// Nouns that name numbers of cards.
const CARD_NOUNS: &[&str] =
    &["카드", "card", "cc", "pan", "cardno", "credit", "visa", "mastercard", "amex"];

/// Nouns that name other numbers.
const OTHER_NOUNS: &[&str] = &[
    "id",
    "uid",
    "order",
    "주문",
    "tracking",
    "운송장",
    "송장",
    "승인",
    "serial",
    "imei",
    "timestamp",
    "ts",
    "거래",
    "transaction",
    "account",
    "계좌",
    "invoice",
    "hash",
    "code",
    "코드",
    "barcode",
    "바코드",
    "ref",
    "reference",
];

/// The ways in which numbers are grouped; a number without groups is tried apart.
const GROUPS: &[&[usize]] =
    &[&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3], &[4, 4, 4, 3], &[6, 13], &[8, 8]];

/// Numbers without groups that are read over spaces and the end of a line.
const LENGTHS: &[&[usize]] = &[&[16], &[15], &[14]];

/// Fewer digits before the end of a line are no piece of a card's number.
const PIECE_DIGITS_MIN: usize = 2;

/// How far before a bare number a word about cards may stand, in characters.
const CARD_CHARS: usize = 60;

/// Puts down every number of a card.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    for (index, run) in scene.digits().iter().enumerate() {
        let can_begin = scene.byte(run.start).is_some_and(|byte| (b'2'..=b'9').contains(&byte));
        if !can_begin || is_spaced_before(scene, index) {
            continue;
        }
        match (run.len(), scene.byte(run.end)) {
            (12..=19, _) => bare(scene, run.start..run.end, found),
            (1..=15, Some(b' ' | b'-' | b'.' | b'\n' | b'\r')) => grouped(scene, *run, found),
            _ => {}
        }
    }
}

fn grouped(scene: &Scene<'_>, run: Digits, found: &mut Candidates) {
    let line_ends = matches!(scene.byte(run.end), Some(b'\n' | b'\r'));
    let broken = run.len() == 1 || (run.len() >= PIECE_DIGITS_MIN && line_ends);
    let begins = |sizes: &&&[usize]| broken || sizes.first() == Some(&run.len());
    let fits = |number: &Grouped| {
        scene.stands_alone(&number.span)
            && !goes_on(scene, &number.span)
            && !is_of_longer(scene, number)
    };
    let ways = GROUPS.iter().chain(LENGTHS).filter(begins);
    let mut other = None;
    for number in ways.filter_map(|sizes| read(scene, run.start, sizes)).filter(fits) {
        let is_torn = number.joint == Joint::None && number.breaks > 0 && run.len() < 4;
        if !is_torn && is_card(&scene.digits_of(number.span.clone())) {
            return card(scene, &number, found);
        }
        let is_one = number.joint != Joint::None && number.breaks == 0;
        other = other.or(is_one.then_some(number.span));
    }
    if let Some(span) = other {
        found.innocent(span, Level::Likely);
    }
}

fn card(scene: &Scene<'_>, number: &Grouped, found: &mut Candidates) {
    let span = number.span.clone();
    if scene.says_near(&span, &CARD) {
        found.pii(PiiType::CreditCard, span, Level::Certain);
    } else if is_whole(number) {
        found.pii(PiiType::CreditCard, span, Level::Strong);
    }
}

/// Whether a number is not a column of others, and not one broken in the middle.
fn is_whole(number: &Grouped) -> bool {
    number.breaks <= usize::from(number.joint != Joint::None)
}

/// Whether groups of four go on before a number, or behind one that begins with 9 or
/// stands without a word, as those of parcels, accounts and tables do.
fn is_of_longer(scene: &Scene<'_>, number: &Grouped) -> bool {
    let Grouped { span, joint, .. } = number;
    let is_group = |bytes: Option<&[u8]>| {
        bytes.is_some_and(|bytes| match bytes {
            [b' ', group @ ..] | [group @ .., b' '] => group.iter().all(u8::is_ascii_digit),
            _ => false,
        })
    };
    let before = span.start.checked_sub(5).and_then(|from| scene.bytes().get(from..span.start));
    let behind = scene.bytes().get(span.end..span.end + 5);
    let further = scene.bytes().get(span.end + 5..span.end + 10);
    let doubtful = || {
        is_group(further) || scene.byte(span.start) == Some(b'9') || !scene.says_near(span, &CARD)
    };
    *joint == Joint::Space
        && (is_group(before) || (is_group(behind) && doubtful()))
        && !is_beside_card(scene, span)
}

/// Whether the four groups of four before or behind are a card themselves: a row of cards
/// is no longer number.
fn is_beside_card(scene: &Scene<'_>, span: &Range<usize>) -> bool {
    let reads = |from: usize| read(scene, from, &FOURS);
    let is_one = |span: Range<usize>| is_card(&scene.digits_of(span));
    let before = span.start.checked_sub(FOURS_BYTES + 1).and_then(reads);
    let before = before.filter(|card| card.span.end + 1 == span.start);
    before.is_some_and(|card| is_one(card.span))
        || reads(span.end + 1).is_some_and(|card| is_one(card.span))
}

/// The usual groups of a card.
const FOURS: [usize; 4] = [4; 4];

/// Bytes of those with a space between any two.
const FOURS_BYTES: usize = 19;

fn bare(scene: &Scene<'_>, span: Range<usize>, found: &mut Candidates) {
    let digits = scene.digits_of(span.clone());
    if !is_card(&digits) || !scene.stands_alone(&span) || goes_on(scene, &span) {
        return;
    }
    let usual = matches!(digits.len(), 15 | 16);
    let worded = scene.says_before_within(span.start, CARD_CHARS, &CARD)
        || scene.says_behind(span.end, &CARD);
    if named(scene, span.start, CARD_NOUNS).is_some() {
        found.pii(PiiType::CreditCard, span, Level::Strong);
    } else if is_free(scene, span.start, worded) {
        match (usual, worded) {
            (true, _) | (_, true) => found.pii(PiiType::CreditCard, span, Level::Likely),
            _ if digits.len() == 14 => found.pii(PiiType::CreditCard, span, Level::Shape),
            _ => {}
        }
    }
}

/// Whether a bare number is no part of a path, and not called something else. Where
/// cards are spoken of, only a name like `order number` says so.
fn is_free(scene: &Scene<'_>, at: usize, worded: bool) -> bool {
    let is_within = matches!(scene.before(at), Some(b'/' | b'#' | b'-'));
    let called = named(scene, at, OTHER_NOUNS);
    !is_within && (called.is_none() || (worded && called == Some(Naming::Noun)))
}

/// Whether digits are a network's and have the right check digit.
fn is_card(digits: &[u8]) -> bool {
    is_of_network(digits) && luhn(digits) && digits.windows(2).any(|two| two.first() != two.last())
}

/// ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) => digit * 2 % 10 + digit / 5,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// From the first six digits, and how many there are.
fn is_of_network(digits: &[u8]) -> bool {
    let front = digits.iter().take(6).fold(0_u32, |front, digit| front * 10 + u32::from(*digit));
    let length = digits.len();
    match front {
        // American Express; Diners Club, also at length 16 as Mastercard or Discover.
        340_000..=349_999 | 370_000..=379_999 => length == 15,
        300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999 => {
            length == 14 || length == 16
        }
        // JCB; Visa.
        352_800..=358_999 => (16..=19).contains(&length),
        400_000..=499_999 => matches!(length, 13 | 16 | 19),
        // Mir; Mastercard, both ranges.
        220_000..=220_499 => (16..=19).contains(&length),
        222_100..=272_099 | 510_000..=559_999 => length == 16,
        // Maestro, Verve, Elo, RuPay.
        500_000..=509_999 | 560_000..=589_999 | 630_000..=639_999 | 670_000..=679_999 => {
            (12..=19).contains(&length)
        }
        // Discover, UnionPay, RuPay, Hipercard.
        600_000..=629_999 | 640_000..=659_999 | 810_000..=829_999 => (16..=19).contains(&length),
        // Cards for use at home: Korea, Troy, Humo; Uzcard.
        900_000..=999_999 | 860_000..=860_099 => length == 16,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{PiiType, is_card, luhn};
    use crate::detectors::trial::{hits, misses};
    use proptest::prelude::*;

    /// Numbers that the networks and payment companies publish for tests.
    const HITS: &[&str] = &[
        "카드번호 ⟦4111-1111-1111-1111⟧입니다",
        "card: ⟦4111 1111 1111 1111⟧, exp 12/29",
        "⟦4242424242424242⟧로 결제해 주세요",
        "Amex ⟦3782-822463-10005⟧",
        "amex ⟦378282246310005⟧",
        "다이너스 ⟦3056-930902-5904⟧",
        "diners card ⟦30569309025904⟧",
        "JCB ⟦3530-1113-3330-0000⟧",
        "⟦5555.5555.5555.4444⟧ 마스터카드",
        "UnionPay ⟦6200 0000 0000 0005⟧",
        "Discover ⟦6011111111111117⟧",
        "mc2 ⟦2223 0031 2200 3222⟧",
        "국내전용 ⟦9410-1234-5678-9010⟧",
        "{\"card_number\":\"⟦4000056655665556⟧\"}",
        "승인된 카드(⟦5105105105105100⟧)로",
        "번호는 ⟦4111 - 1111 - 1111 - 1111⟧",
        "⟦4111-1111-\n1111-1111⟧ 카드",
        "⟦4111-1111-11\n11-1111⟧ 카드",
        "카드 ⟦4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1⟧ 확인",
        "카드 ⟦4 1 1 1 - 1 1 1 1 - 1 1 1 1 - 1 1 1 1⟧ 확인",
        "⟦4111 1111 1111 1111⟧ 123",
        "> The card on the invoice is ⟦378282246310005⟧, expiry 08/27",
        "the full number is ⟦378282246310005⟧.",
        "Please send ⟦30569309025904⟧ back",
        "cardNumber: \"⟦3782822\r\n46310005⟧\"",
        "visa ⟦4222222222222⟧",
        "카드 ⟦41111111\n11111111⟧",
    ];

    const MISSES: &[&str] = &[
        "카드번호 4111-1111-1111-1112",
        "card 4242424242424241",
        "카드 4111-****-****-1111",
        "1767225600000",
        "1234-5678-9012-3452",
        "주문번호 4242424242424242",
        "order id: 4242424242424242",
        "{\"id\": 5555555555554444}",
        "https://example.com/item/4242424242424242",
        "0.4242424242424242",
        "4242424242424242abc",
        "sha 4242424242424242f",
        "9400 1000 0000 0000 0000 00",
        "0000-0000-0000-0000",
        "4111\n1111\n1111\n1111",
        "2026-01-15 4111 2222",
        "6073 6074 6075 6076 6077 6078 6079 6080",
        "IMEI 490154203237518",
    ];

    #[test]
    fn finds_cards() {
        hits(PiiType::CreditCard, HITS);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }

    #[test]
    fn finds_every_card_of_a_row() {
        let row = "4111 1111 1111 1111 5105 1051 0510 5100 4242 4242 4242 4242";
        let mut left = row.to_owned();
        for finding in crate::scan(row).into_iter().rev() {
            left.replace_range(finding.span, "");
        }
        assert_eq!(left.trim(), "", "{left}");
    }

    #[test]
    fn luhn_is_that_of_the_standard() {
        assert!(luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3]));
        assert!(!luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 4]));
    }

    proptest! {
        #[test]
        fn the_check_digit_decides(front in prop::collection::vec(0_u8..10, 14), check in 0_u8..10) {
            let mut digits = vec![4];
            digits.extend(front);
            digits.push(check);
            let right = (0..10).filter(|digit| {
                let mut other = digits.clone();
                other[15] = *digit;
                luhn(&other)
            });
            prop_assert_eq!(right.count(), 1);
            prop_assert_eq!(is_card(&digits), luhn(&digits));
        }
    }
}
