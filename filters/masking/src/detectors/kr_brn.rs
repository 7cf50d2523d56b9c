//! Korean business registration numbers: `NNN-NN-NNNNN`.
//!
//! 부가가치세법 제8조, 시행령 제12조: three digits of the tax office, two of the kind, five
//! with a check digit at the end. It must be right, and is by chance one time in ten:
//! ten digits without hyphens also need a label.

use contract::masking::PiiType;

use crate::detectors::checks_kr::has_business_check;
use crate::detectors::labels::{Label, Labels};
use crate::detectors::numerals::{Joints, Reading, read, read_broken, stands_alone};
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// How far off a label of another number may be and still claim this one, in characters.
const VETO_CHARS: usize = 10;

/// Puts down every number.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut labels = Labels::of(scene);
    for first in 0..scene.digits().len() {
        let read = |lengths: &[usize]| {
            read(scene, first, lengths).filter(|reading| stands_alone(scene, reading))
        };
        let whole = read(&[3, 2, 5]).or_else(|| read(&[10]));
        let Some(reading) = whole.or_else(|| read_broken(scene, first, 10)) else { continue };
        if stands_alone(scene, &reading) {
            judge(scene, &mut labels, reading, found);
        }
    }
}

fn judge(scene: &Scene<'_>, labels: &mut Labels<'_, '_>, reading: Reading, found: &mut Candidates) {
    let digits = scene.digits_of(reading.span.clone());
    // Tax offices have numbers from 101 on.
    if digits.first() == Some(&0) || !has_business_check(&digits) {
        return;
    }
    let near = labels.before(reading.span.start);
    let veto = [Label::Corporation, Label::Other, Label::Account, Label::Bank, Label::Phone];
    if near.is_some_and(|near| near.label == Label::Business) {
        found.pii(PiiType::KrBrn, reading.span, Level::Certain);
    } else if reading.joints == Joints::HYPHEN
        && !near.is_some_and(|near| near.claims(&veto, VETO_CHARS))
    {
        found.pii(PiiType::KrBrn, reading.span, Level::Strong);
    }
}

#[cfg(test)]
mod tests {
    use contract::masking::PiiType;
    use proptest::prelude::*;

    use crate::detectors::trial::{hits, misses};
    use crate::scan::scan;

    const HITS: &[&str] = &[
        "사업자등록번호: ⟦220-81-62517⟧",
        "사업자번호 ⟦2208162517⟧입니다",
        "사업자No.⟦220-81-62517⟧",
        "(주)테스트 ⟦220-81-62517⟧ 대표 홍길동",
        "BRN ⟦220-81-62517⟧",
        "business registration no. ⟦2208162517⟧",
        "\"biz_no\": \"⟦220-81-62517⟧\"",
        "\"bizNo\":\"⟦2208162517⟧\"",
        "상호,사업자번호\n테스트,⟦2208162517⟧",
        "등록번호 ⟦220-81-62517⟧",
        "사업자등록번호 ⟦220 81 62517⟧",
        "사업자등록번호 ⟦220 - 81 - 62517⟧",
        "사업자 등록번호\n⟦220-81-62517⟧",
        "세금계산서 발행: ⟦220-81-62517⟧으로",
        "Tax ID: ⟦220-81-62517⟧",
        "| 사업자 번호 | ⟦220-81-62517⟧ |",
    ];

    const MISSES: &[&str] = &[
        "사업자등록번호: 220-81-62518",
        "사업자등록번호 2208162518",
        "2208162517",
        "주문번호 220-81-62517",
        "tracking 2208162517",
        "ts 1704067200",
        "220-81-62517-1",
        "A220-81-62517",
        "220-81-625",
        "220-8-162517",
        "2024-22-08162",
        "serial no. 220-81-62517",
        "epoch=2208162517",
        "SKU-220-81-62517",
        "ISBN 220-81-62517",
    ];

    #[test]
    fn finds_numbers() {
        hits(PiiType::KrBrn, HITS);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }

    proptest! {
        #[test]
        fn only_one_check_digit_is_right(head in 100_000_000_u32..=999_999_999) {
            let of_business = |check: &u32| {
                let number = format!("{head}{check}");
                let text = format!("사업자번호 {}-{}-{}", &number[..3], &number[3..5], &number[5..]);
                scan(&text).iter().any(|finding| finding.of == PiiType::KrBrn)
            };
            prop_assert_eq!((0..10).filter(of_business).count(), 1);
        }
    }
}
