//! Amounts, rates and measures stay: digits with thousands separators (ISO 80000-1 §7.3
//! calls for none, but everybody writes commas), with a currency (ISO 4217), and with
//! long fractions.

use std::ops::Range;

use super::groups::goes_on;
use crate::resolve::{Candidates, Level};
use crate::scene::{Digits, Scene};

/// What stands before an amount.
const FRONTS: &[&str] = &[
    "₩", "$", "€", "£", "¥", "￦", "KRW", "KRW ", "USD", "USD ", "EUR ", "JPY ", "₩ ", "$ ", "€ ",
];

/// What stands behind one.
const BEHINDS: &[&str] = &[
    "원",
    " 원",
    "만원",
    "만 원",
    "억",
    "천원",
    "백만",
    "달러",
    " 달러",
    "유로",
    "엔",
    "위안",
    "won",
    " won",
    "KRW",
    " KRW",
    "USD",
    " USD",
    " EUR",
    " JPY",
    "퍼센트",
    "%",
    "개",
    "건",
    "명",
    "회",
    "포인트",
    "바이트",
    "bytes",
    " bytes",
    "ms",
    " ms",
    "kg",
    "km",
    "mm",
];

/// A fraction that long is measured: a coordinate, a rate, a share.
const FRACTION_DIGITS_MIN: usize = 5;

/// Puts down every amount.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut from = 0;
    for (index, run) in scene.digits().iter().enumerate() {
        if run.start < from {
            continue;
        }
        let (span, groups) = thousands(scene, index, *run);
        if groups > 1 {
            from = span.end;
            thousand(scene, span, groups, found);
        } else if run.len() >= 6 && has_currency(scene, &span) {
            found.innocent(span, Level::Strong);
        } else if let Some(span) = fraction(scene, index, *run) {
            found.innocent(span, Level::Likely);
        }
    }
}

fn thousand(scene: &Scene<'_>, span: Range<usize>, groups: usize, found: &mut Candidates) {
    if scene.stands_alone(&span) && !goes_on(scene, &span) {
        let sure = groups > 2 || has_currency(scene, &span);
        found.innocent(span, if sure { Level::Strong } else { Level::Shape });
    }
}

/// Groups of three with commas from a run on, with what follows a decimal point.
fn thousands(scene: &Scene<'_>, index: usize, first: Digits) -> (Range<usize>, usize) {
    let (mut end, mut groups) = (first.end, 1);
    let rest = scene.digits().get(index + 1..).unwrap_or_default();
    for run in rest.iter().take_while(|_| first.len() <= 3) {
        if run.len() != 3 || scene.slice(end..run.start) != "," {
            break;
        }
        (end, groups) = (run.end, groups + 1);
    }
    (first.start..end, groups)
}

fn has_currency(scene: &Scene<'_>, span: &Range<usize>) -> bool {
    let before = scene.chars_before(span.start, 4);
    let behind = scene.slice(span.end..scene.text().len());
    FRONTS.iter().any(|front| before.ends_with(front))
        || BEHINDS.iter().any(|word| behind.starts_with(word))
}

/// `37.566535`, with what stands before the point.
fn fraction(scene: &Scene<'_>, index: usize, whole: Digits) -> Option<Range<usize>> {
    let part = scene.digits().get(index + 1)?;
    let point = scene.gap(index) == Some(".") && part.len() >= FRACTION_DIGITS_MIN;
    let leading = whole.len() > 1 && scene.byte(whole.start) == Some(b'0');
    let span = whole.start..part.end;
    let is_dot = |byte: Option<u8>| byte == Some(b'.');
    let chained = is_dot(scene.before(span.start))
        || (is_dot(scene.byte(span.end))
            && scene.byte(span.end + 1).is_some_and(|byte| byte.is_ascii_digit()));
    (point && whole.len() <= 3 && !leading && !chained).then_some(span)
}

#[cfg(test)]
mod tests {
    use crate::detectors::trial::misses;

    const MISSES: &[&str] = &[
        "국민은행 계좌로 1,234,567,890원 입금",
        "₩1234567890",
        "총 12345678901원",
        "$1,234,567.89",
        "환율 1,345.20",
        "37.566535, 126.977969",
        "신한은행 예금 잔액 110123456789원",
        "KRW 1234567890",
        "1,000,000,000,000",
        "비율 0.0123456789",
        "좌표 37.5665351234, 126.9779692345",
        "조회수 1,234,567회",
        "1234567890 bytes",
        "매출 3,456,789,012원(VAT 별도)",
        "3.14159265358979",
    ];

    #[test]
    fn leaves_amounts() {
        misses(MISSES);
    }
}
