//! Numbers of patients and of their records.
//!
//! 의료법 시행규칙 제14조 asks for them, HIPAA (45 CFR 164.514(b)(2)(i)(H)) lists them; every
//! hospital makes its own. So a label decides: `MRN`, `환자번호`, `병록번호`, `chart no.`;
//! `등록번호`, which names many numbers that mostly have longer names; a short number only
//! where patients or hospitals are spoken of.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use contract::masking::PiiType;

use crate::detectors::labels::{Label, Labels, Near};
use crate::detectors::numerals::is_free_before;
use crate::evidence::{Words, automaton, words};
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// A text without any of these has no such number.
static SPEAKS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    automaton(&[
        "mrn",
        "medical",
        "med rec",
        "med. rec",
        "patient",
        "chart",
        "hosp",
        "환자",
        "병록",
        "차트",
        "진료",
        "의무기록",
        "병원",
        "원내번호",
        "진찰권",
        "등록번호",
        "등록 번호",
        "record",
        "emr",
        "ehr",
    ])
});

words! {
    /// Where a registration number is a patient's.
    CLINIC = [
        "환자", "병원", "의원", "진료", "외래", "입원", "퇴원", "내원", "병동", "의무기록", "검사", "처방", "수술", "간호",
        "내과", "외과", "소아과", "정형외과", "응급실", "진단", "patient", "hospital", "clinic", "ward",
        "admitted", "diagnosis", "physician", "medical",
    ]
}

/// How far off a label may be, in characters.
const LABEL_CHARS: usize = 12;

/// Characters of a number, and digits among them.
const LENGTHS: std::ops::RangeInclusive<usize> = 5..=20;
const DIGITS_MIN: usize = 4;

/// Bytes of a number that is registered, where nobody speaks of clinics.
const REGISTERED_BYTES: usize = 7;

/// How far from a registration number a clinic must be spoken of, in bytes.
const CLINIC_BYTES: usize = 300;

/// Puts down every number.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    if scene.digits().is_empty()
        || !SPEAKS.as_ref().is_some_and(|words| words.is_match(scene.text()))
    {
        return;
    }
    let mut labels = Labels::of(scene);
    let mut free = 0;
    for run in scene.digits() {
        if run.start < free || run.len() < 2 {
            continue;
        }
        let token = token_around(scene, run.start);
        free = token.end.max(run.end);
        if let Some((span, level)) = judge(scene, &mut labels, token) {
            found.pii(PiiType::Mrn, span, level);
        }
    }
}

fn judge(
    scene: &Scene<'_>,
    labels: &mut Labels<'_, '_>,
    token: Range<usize>,
) -> Option<(Range<usize>, Level)> {
    let text = scene.slice(token.clone());
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if !LENGTHS.contains(&text.len()) || digits < DIGITS_MIN {
        return None;
    }
    if is_prefixed(text) && scene.stands_alone(&token) {
        return Some((token, Level::Strong));
    }
    let level = match labels.before(token.start).and_then(|near| level(scene, &token, near)) {
        Some(level) => level,
        None if is_label_behind(labels, token.end) => Level::Likely,
        None => return None,
    };
    let is_free = scene.stands_alone(&token)
        && is_free_before(scene, token.start)
        && !matches!(scene.byte(token.end), Some(b'@' | b'/' | b'%' | b':'));
    (is_free && !is_date(text)).then_some((token, level))
}

fn is_prefixed(text: &str) -> bool {
    text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("mrn-"))
        || (text.get(..3) == Some("MRN") && text.bytes().skip(3).all(|byte| byte.is_ascii_digit()))
}

fn level(scene: &Scene<'_>, token: &Range<usize>, near: Near<'_>) -> Option<Level> {
    let gap = near.gap.trim_start_matches(['.', ' ']);
    let is_short = gap.chars().count() <= LABEL_CHARS && !near.asks && !gap.contains(". ");
    match near.label {
        Label::Patient if is_short => Some(Level::Strong),
        Label::Registration if is_short => (token.len() >= REGISTERED_BYTES
            || speaks_of_clinics(scene, token))
        .then_some(Level::Likely),
        _ => None,
    }
}

/// Whether a patient's label stands right behind: `환자 12345678 차트번호`.
fn is_label_behind(labels: &Labels<'_, '_>, end: usize) -> bool {
    labels.labelled_behind(end, Label::Patient)
}

fn speaks_of_clinics(scene: &Scene<'_>, token: &Range<usize>) -> bool {
    let text = scene.text();
    let start = text.floor_char_boundary(token.start.saturating_sub(CLINIC_BYTES));
    let end = text.floor_char_boundary(text.len().min(token.end + CLINIC_BYTES));
    let clinic: &Words = &CLINIC;
    clinic.stand_in(scene.slice(start..end))
}

/// Letters, digits and inner hyphens around a place.
fn token_around(scene: &Scene<'_>, at: usize) -> Range<usize> {
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let bytes = scene.bytes();
    let before = bytes.get(at.saturating_sub(TOKEN_BYTES_MAX)..at).unwrap_or_default();
    let behind = bytes.get(at..bytes.len().min(at + TOKEN_BYTES_MAX)).unwrap_or_default();
    let mut start = at - before.iter().rev().take_while(|byte| belongs(byte)).count();
    let mut end = at + behind.iter().take_while(|byte| belongs(byte)).count();
    while scene.byte(start) == Some(b'-') {
        start += 1;
    }
    while end > start && scene.before(end) == Some(b'-') {
        end -= 1;
    }
    start..end
}

/// Bytes of the longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 24;

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-').map(str::len);
    matches!(
        (parts.next(), parts.next(), parts.next(), parts.next()),
        (Some(4), Some(2), Some(2), None)
    )
}

#[cfg(test)]
mod tests {
    use contract::masking::PiiType;

    use crate::detectors::trial::{hits, misses};

    const HITS: &[&str] = &[
        "MRN: ⟦00123456⟧",
        "MRN ⟦12345678⟧, admitted today",
        "⟦MRN-0012345⟧",
        "환자 기록 ⟦MRN-20241234⟧를 확인",
        "환자번호: ⟦12345678⟧",
        "등록번호 ⟦12345678⟧",
        "병록번호 ⟦A1234567⟧입니다",
        "차트번호 ⟦123456⟧",
        "환자등록번호: ⟦20-1234567⟧",
        "medical record number ⟦4567890⟧.",
        "Medical Record #: ⟦MR-445566⟧",
        "patient ID: ⟦P-123456⟧",
        "\"mrn\": \"⟦00123456⟧\"",
        "\"patient_id\": \"⟦P123456⟧\"",
        "환자명: 홍길동, 등록번호: ⟦12345678⟧",
        "서울병원 외래 등록번호 ⟦12345678⟧",
        "이름,환자번호\n홍길동,⟦12345678⟧",
        "chart no. ⟦123456⟧",
    ];

    const MISSES: &[&str] = &[
        "12345678",
        "등록번호 12345",
        "차량등록번호 12345678",
        "환자 12345678명",
        "주문번호 12345678",
        "MRN 없음",
        "환자번호 ********",
        "MRN: 123",
        "patient visited 2024-01-05",
        "환자번호 확인 후 진료예약 20240105",
        "medical record 2024-01-05",
        "특허등록번호 10-1234567",
        "patient count 123456",
        "병원 주문번호 A1234567",
        "record set at 123456 items",
    ];

    #[test]
    fn finds_numbers() {
        hits(PiiType::Mrn, HITS);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }
}
