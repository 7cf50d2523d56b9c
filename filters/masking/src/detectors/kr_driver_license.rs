//! Korean driver's licences: `RR-YY-NNNNNN-CC`, or the region by name: `서울 YY-NNNNNN-CC`.
//!
//! 도로교통법 시행규칙 제77조 and 별지 제55호서식. Regions are 11 to 26 and 28. Twelve digits
//! without hyphens, or with blanks, need a label.

use std::ops::Range;

use contract::masking::PiiType;

use crate::detectors::labels::{Label, Labels};
use crate::detectors::numerals::{Joints, Reading, read, read_broken, stands_alone};
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// Regions as older licences name them; the longer of two that end alike stand first.
const REGIONS: &[&str] = &[
    "경기남부",
    "경기북부",
    "서울",
    "부산",
    "경기",
    "강원",
    "충북",
    "충남",
    "전북",
    "전남",
    "경북",
    "경남",
    "제주",
    "대구",
    "인천",
    "광주",
    "대전",
    "울산",
];

/// How far off a label of another number may be and still claim this one, in characters.
const VETO_CHARS: usize = 12;

/// Blanks and hyphens between a region's name and the number.
const NAME_GAP_BYTES_MAX: usize = 2;

/// Puts down every licence.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut labels = Labels::of(scene);
    for first in 0..scene.digits().len() {
        let read = |lengths: &[usize]| {
            read(scene, first, lengths).filter(|reading| stands_alone(scene, reading))
        };
        let broken = || {
            let reading = read_broken(scene, first, 12);
            reading.filter(|reading| stands_alone(scene, reading))
        };
        if let Some(reading) = read(&[2, 2, 6, 2]).or_else(|| read(&[12])).or_else(broken) {
            by_number(scene, &mut labels, reading, found);
        } else if let Some(reading) = read_named(scene, first) {
            by_name(&mut labels, reading, found);
        }
    }
}

fn by_number(
    scene: &Scene<'_>,
    labels: &mut Labels<'_, '_>,
    reading: Reading,
    found: &mut Candidates,
) {
    let digits = scene.digits_of(reading.span.clone());
    if !is_region(&digits) {
        return;
    }
    let near = labels.before(reading.span.start);
    let veto = [Label::Other, Label::Account, Label::Bank, Label::Phone, Label::Corporation];
    if near.is_some_and(|near| near.label == Label::Licence) {
        found.pii(PiiType::KrDriverLicense, reading.span, Level::Certain);
    } else if reading.joints == Joints::HYPHEN
        && !near.is_some_and(|near| near.claims(&veto, VETO_CHARS))
    {
        found.pii(PiiType::KrDriverLicense, reading.span, Level::Strong);
    }
}

fn is_region(digits: &[u8]) -> bool {
    let region = digits.get(..2).map(|region| region.iter().fold(0, |sum, digit| sum * 10 + digit));
    region.is_some_and(|region: u8| (11..=26).contains(&region) || region == 28)
}

/// A licence with the name of its region, which belongs to it.
fn read_named(scene: &Scene<'_>, first: usize) -> Option<Reading> {
    let run = scene.digits().get(first)?;
    let name = region_before(scene, run.start)?;
    let mut reading = read(scene, first, &[2, 6, 2])?;
    let plain = Reading { span: run.start..reading.span.end, ..reading.clone() };
    let is_free = stands_alone(scene, &plain)
        || (scene.before(run.start) == Some(b'-') && stands_alone_behind(scene, &reading));
    reading.span.start = name.start;
    is_free.then_some(reading)
}

fn stands_alone_behind(scene: &Scene<'_>, reading: &Reading) -> bool {
    let end = reading.span.end;
    scene.byte(end).is_none_or(|byte| byte != b'-' && !byte.is_ascii_alphanumeric())
}

fn region_before(scene: &Scene<'_>, at: usize) -> Option<Range<usize>> {
    let head = scene.text().get(..at)?.trim_end_matches([' ', '-']);
    let end = head.len();
    if at - end > NAME_GAP_BYTES_MAX {
        return None;
    }
    let name = REGIONS.iter().find(|name| head.ends_with(**name))?;
    Some(end - name.len()..end)
}

fn by_name(labels: &mut Labels<'_, '_>, reading: Reading, found: &mut Candidates) {
    let near = labels.before(reading.span.start);
    let is_labelled = near.is_some_and(|near| near.label == Label::Licence);
    if is_labelled {
        found.pii(PiiType::KrDriverLicense, reading.span, Level::Certain);
    } else if reading.joints == Joints::HYPHEN {
        found.pii(PiiType::KrDriverLicense, reading.span, Level::Strong);
    }
}

#[cfg(test)]
mod tests {
    use contract::masking::PiiType;

    use crate::detectors::trial::{hits, misses};

    const HITS: &[&str] = &[
        "운전면허번호: ⟦11-22-333444-55⟧",
        "면허번호 ⟦28-05-123456-78⟧입니다",
        "면허 ⟦112233344455⟧",
        "driver's license ⟦11-22-333444-55⟧",
        "Driver License No. ⟦112233344455⟧",
        "\"driver_license\": \"⟦13-98-765432-10⟧\"",
        "\"driverLicense\":\"⟦139876543210⟧\"",
        "운전면허 ⟦서울 12-345678-90⟧",
        "면허번호: ⟦경기 05-123456-78⟧.",
        "⟦경기남부 05-123456-78⟧ 소지",
        "⟦대전12-345678-90⟧",
        "홍길동 ⟦26-11-123456-70⟧ 확인",
        "운전면허 ⟦11 22 333444 55⟧",
        "이름,면허번호\n홍길동,⟦112233344455⟧",
        "운전면허번호 ⟦11-22-3334\n44-55⟧",
        "licence no: ⟦11-22-333444-55⟧으로 발급",
        "DL ⟦11-22-333444-55⟧",
        "면허 ⟦부산-12-345678-90⟧",
    ];

    const MISSES: &[&str] = &[
        "112233344455",
        "면허번호 272233344455",
        "27-22-333444-55",
        "10-22-333444-55",
        "주문번호 11-22-333444-55",
        "운송장 112233344455",
        "11-22-333444-5",
        "11-22-33344-55",
        "11-22-333444-55-6",
        "PO-11-22-333444-55",
        "tracking no. 11-22-333444-55",
        "12-345678-90",
        "서울 12-34567-890",
        "면허번호 11-22-******-55",
        "serial: 11-22-333444-55",
        "11.22.333444.55",
    ];

    #[test]
    fn finds_licences() {
        hits(PiiType::KrDriverLicense, HITS);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }
}
