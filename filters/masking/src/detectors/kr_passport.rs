//! Korean passports: a letter and eight digits, or since December 2021 a letter, three
//! digits, a letter and four digits.
//!
//! The letter O of officials' passports reads as a zero.
//!
//! 여권법 시행령 제4조 and 별표 1 of its rules; ICAO Doc 9303. The shape is that of a
//! thousand other codes: a label must say what it is.

use std::ops::Range;

use contract::masking::PiiType;

use crate::detectors::labels::{Label, Labels};
use crate::detectors::numerals::{Reading, read, read_broken, stands_alone};
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// How far off the label may be, in characters.
const LABEL_CHARS: usize = 30;

/// Puts down every passport.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut labels = Labels::of(scene);
    for first in 0..scene.digits().len() {
        let Some(span) = passport(scene, first) else { continue };
        let near = labels.before(span.start);
        if near.is_some_and(|near| near.label == Label::Passport && near.chars() <= LABEL_CHARS) {
            found.pii(PiiType::KrPassport, span, Level::Certain);
        }
    }
}

fn passport(scene: &Scene<'_>, first: usize) -> Option<Range<usize>> {
    let run = scene.digits().get(first)?;
    let reading = match kind_before(scene, run.start) {
        Some(letter) => {
            let reading = read_broken(scene, first, 8).or_else(|| read_new(scene, first, 3))?;
            Reading { span: letter..reading.span.end, ..reading }
        }
        None if scene.byte(run.start) == Some(b'0') => {
            read(scene, first, &[9]).or_else(|| read_new(scene, first, 4))?
        }
        None => return None,
    };
    stands_alone(scene, &reading).then_some(reading.span)
}

/// Where the letter stands: right before, or with a blank or hyphen between.
fn kind_before(scene: &Scene<'_>, at: usize) -> Option<usize> {
    let gap = usize::from(matches!(scene.before(at), Some(b' ' | b'-')));
    let letter = at.checked_sub(1 + gap)?;
    let is_word = scene.before(letter).is_some_and(|byte| byte.is_ascii_alphanumeric());
    (scene.byte(letter)?.is_ascii_alphabetic() && !is_word).then_some(letter)
}

/// Three digits, a letter and four digits; of an official's passport, whose `O` reads
/// as zero, four.
fn read_new(scene: &Scene<'_>, first: usize, head: usize) -> Option<Reading> {
    let head = read(scene, first, &[head])?;
    let gap = scene.gap(head.last)?.trim_matches([' ', '\n', '-']);
    if gap.len() != 1 || !gap.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let tail = read(scene, head.last + 1, &[4])?;
    Some(Reading { span: head.span.start..tail.span.end, ..tail })
}

#[cfg(test)]
mod tests {
    use contract::masking::PiiType;

    use crate::detectors::trial::{hits, misses};

    const HITS: &[&str] = &[
        "여권번호: ⟦M12345678⟧",
        "여권번호는 ⟦M123A4567⟧입니다",
        "여권 ⟦S12345678⟧",
        "passport no. ⟦M12345678⟧",
        "Passport Number: ⟦M123A4567⟧.",
        "\"passport_no\": \"⟦M12345678⟧\"",
        "\"passportNumber\":\"⟦R12345678⟧\"",
        "이름,여권번호\n홍길동,⟦M12345678⟧",
        "여권번호 ⟦m12345678⟧",
        "passport=⟦M12345678⟧&x",
        "<passport>⟦M12345678⟧</passport>",
        "여권 번호 | ⟦M12345678⟧ |",
        "passport (KOR) ⟦M12345678⟧",
        "여권번호 ⟦M 1 2 3 4 5 6 7 8⟧",
        "여권번호 ⟦M1234\n5678⟧",
        "여권번호 ⟦O12345678⟧",
        "passport: ⟦O123A4567⟧",
        "저의 여권번호 ⟦D12345678⟧으로 예약",
    ];

    const MISSES: &[&str] = &[
        "M12345678",
        "M123A4567",
        "part no. M12345678",
        "여권번호 M1234567",
        "여권번호 M123456789",
        "여권번호 XM12345678",
        "여권번호 M****5678",
        "상품코드 M12345678",
        "여권 사본과 주문번호 M12345678",
        "여권번호 M123A45678",
        "여권번호 M1234A567",
        "order S12345678",
        "G12345678",
        "여권을 발급받았습니다. 2024년 3월",
        "model R123B4567",
    ];

    #[test]
    fn finds_passports() {
        hits(PiiType::KrPassport, HITS);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }
}
