//! Telephone and fax numbers.
//!
//! Korean ones as 전기통신번호관리세칙 numbers them: mobile 010 and the old 011, 016 to 019;
//! areas 02, 031 to 033, 041 to 044, 051 to 055, 061 to 064; 070; 050x; 030x; free 080. Others as ITU-T
//! E.164 with `+` and a country code, and those of North America. Company lines
//! (15xx-xxxx, 16xx, 18xx) are no personal data.
//!
//! A number with its separators, or one that begins with 010, stands for itself; other
//! digits need a label. Extensions do not belong to a number, brackets do.

use std::ops::Range;

use contract::masking::PiiType;

use crate::detectors::labels::{Label, Labels, Near};
use crate::detectors::numerals::{
    Joints, Reading, is_free_before, is_in_row, read, read_broken, read_chain, stands_alone,
};
use crate::detectors::phone_abroad::{american, korean_abroad, plus_before, with_plus, with_zeros};
use crate::resolve::{Candidates, Level};
use crate::scene::{Figures, Scene};

/// How far off a label of another number may be and still claim this one, in characters.
pub const VETO_CHARS: usize = 8;

/// How far off a label may be from digits that only it makes a number.
pub const LABEL_CHARS: usize = 24;

/// How far behind a label may be: `…로 전화`.
const BEHIND_CHARS: usize = 3;

/// Groups of the longest number.
const GROUPS_MAX: usize = 7;

/// What can stand between groups.
pub const ANY: Joints =
    Joints::HYPHEN.and(Joints::SPACE).and(Joints::DOT).and(Joints::BRACKET).and(Joints::SLASH);

/// The groups of Korean numbers.
const KOREAN: &[&[usize]] = &[
    &[3, 4, 4],
    &[3, 3, 4],
    &[2, 4, 4],
    &[2, 3, 4],
    &[4, 4, 4],
    &[4, 3, 4],
    &[3, 8],
    &[3, 7],
    &[2, 8],
    &[2, 7],
];

/// Puts down every number.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut labels = Labels::of(scene);
    let mut free = 0;
    for first in 0..scene.digits().len() {
        let Some(run) = scene.digits().get(first) else { continue };
        if run.start < free {
            continue;
        }
        if let Some((span, level)) = number_at(scene, &mut labels, first) {
            free = span.end;
            found.pii(PiiType::Phone, span, level);
        }
    }
}

fn number_at(
    scene: &Scene<'_>,
    labels: &mut Labels<'_, '_>,
    first: usize,
) -> Option<(Range<usize>, Level)> {
    let run = scene.digits().get(first)?;
    if let Some(plus) = plus_before(scene, run.start) {
        return with_plus(scene, first, plus);
    }
    match scene.byte(run.start)? {
        b'0' => korean(scene, labels, first)
            .or_else(|| with_zeros(scene, labels, first))
            .or_else(|| labelled(scene, labels, first)),
        b'8' => korean_abroad(scene, labels, first).or_else(|| american(scene, labels, first)),
        b'1'..=b'9' => american(scene, labels, first),
        _ => None,
    }
}

/// Whether the digits of a number are a Korean one's, area or service in front.
pub fn is_korean_number(digits: &[u8]) -> bool {
    let length = digits.len();
    match digits {
        [0, 1, 0, ..] => length == 11,
        [0, 1, 1 | 6..=9, ..] | [0, 8, 0, ..] => matches!(length, 10 | 11),
        [0, 2, ..] => matches!(length, 9 | 10),
        [0, 3, 1..=3, ..] | [0, 4, 1..=4, ..] | [0, 5, 1..=5, ..] | [0, 6, 1..=4, ..] => {
            matches!(length, 10 | 11)
        }
        [0, 7, 0, ..] => length == 11,
        [0, 5, 0, ..] | [0, 3, 0, ..] => matches!(length, 11 | 12),
        _ => false,
    }
}

/// Whether a number that begins with 0 can be a Korean one by its second digit.
fn can_be_korean(scene: &Scene<'_>, first: usize) -> bool {
    let run = scene.digits().get(first);
    let second = match run {
        Some(run) if run.len() == 1 => scene.digits().get(first + 1).map(|next| next.start),
        _ => run.map(|run| run.start + 1),
    };
    second.and_then(|at| scene.byte(at)).is_some_and(|digit| (b'1'..=b'8').contains(&digit))
}

/// Digits of the area or service.
fn prefix_of(digits: &[u8]) -> usize {
    match digits {
        [0, 2, ..] => 2,
        [0, 3 | 5, 0, ..] => 4,
        _ => 3,
    }
}

fn korean(
    scene: &Scene<'_>,
    labels: &mut Labels<'_, '_>,
    first: usize,
) -> Option<(Range<usize>, Level)> {
    if !can_be_korean(scene, first) {
        return None;
    }
    let grouped = KOREAN.iter().find_map(|lengths| {
        let reading = read(scene, first, lengths)?;
        let digits = scene.digits_of(reading.span.clone());
        // `050-1234-5678` is also written.
        let prefix = [prefix_of(&digits), 3.min(prefix_of(&digits))];
        let fits =
            is_korean_number(&digits) && lengths.first().is_some_and(|it| prefix.contains(it));
        fits.then_some((reading, digits))
    });
    let whole = grouped.or_else(|| korean_bare(scene, first));
    let is_whole = whole.is_some();
    let (mut reading, digits) = whole.or_else(|| korean_broken(scene, first))?;
    reading.span.start = bracket_before(scene, &reading, first);
    if !stands_alone_or_extended(scene, &reading) {
        return None;
    }
    let near = labels.before(reading.span.start);
    if !is_whole && !near.is_some_and(|near| near.is(&[Label::Phone], LABEL_CHARS)) {
        return None;
    }
    let is_row = reading.joints.within(Joints::SPACE) && is_in_row(scene, &reading.span);
    if is_row && !near.is_some_and(|near| near.is(&[Label::Phone], LABEL_CHARS)) {
        return None;
    }
    let level = korean_level(&digits, reading.joints, near).or_else(|| {
        let others = || labels.around(&reading.span, &[Label::Other], LABEL_CHARS);
        if near.is_none() && is_old_mobile(&digits) && !others() {
            return Some(Level::Likely);
        }
        let (behind, _) = labels.behind(reading.span.end, BEHIND_CHARS)?;
        (near.is_none() && behind.label == Label::Phone).then_some(Level::Likely)
    })?;
    Some((reading.span, level))
}

fn korean_bare(scene: &Scene<'_>, first: usize) -> Option<(Reading, Figures)> {
    (9..=12).rev().find_map(|length| {
        let reading = read(scene, first, &[length])?;
        let digits = scene.digits_of(reading.span.clone());
        is_korean_number(&digits).then_some((reading, digits))
    })
}

/// Digits alone, broken over a line: only a label tells.
fn korean_broken(scene: &Scene<'_>, first: usize) -> Option<(Reading, Figures)> {
    [11, 10].iter().find_map(|length| {
        let reading = read_broken(scene, first, *length)?;
        let digits = scene.digits_of(reading.span.clone());
        is_korean_number(&digits).then_some((reading, digits))
    })
}

fn korean_level(digits: &[u8], joints: Joints, near: Option<Near<'_>>) -> Option<Level> {
    let is_mobile = digits.starts_with(&[0, 1]);
    if near.is_some_and(|near| near.is(&[Label::Phone], LABEL_CHARS)) {
        return Some(Level::Certain);
    }
    if near.is_some_and(|near| is_vetoed(near, joints)) {
        return None;
    }
    match (is_mobile, joints) {
        (_, Joints::NONE) => {
            let speaks =
                [[0, 1, 0], [0, 7, 0], [0, 5, 0]].iter().any(|area| digits.starts_with(area));
            speaks.then_some(Level::Likely)
        }
        (true, _) => Some(Level::Strong),
        (false, Joints::SLASH) => None,
        (false, _) => Some(Level::Likely),
    }
}

/// Whether digits are a number of 011 or 016 to 019.
fn is_old_mobile(digits: &[u8]) -> bool {
    matches!(digits, [0, 1, 1 | 6..=9, ..])
}

/// Whether another number's label claims this one.
pub fn is_vetoed(near: Near<'_>, joints: Joints) -> bool {
    let others =
        [Label::Other, Label::Account, Label::Patient, Label::Business, Label::Registration];
    let chars_max = if joints == Joints::NONE { LABEL_CHARS } else { VETO_CHARS };
    near.claims(&others, chars_max)
}

/// Where a number begins whose first group stands in brackets.
pub fn bracket_before(scene: &Scene<'_>, reading: &Reading, first: usize) -> usize {
    let start = reading.span.start;
    let closes = scene.gap(first).is_some_and(|gap| gap.trim_start().starts_with(')'));
    match scene.before(start) {
        // `FAX(02) 123-4567)`: the outer bracket is none of the number's.
        Some(b'(') if closes && scene.byte(reading.span.end) != Some(b')') => start - 1,
        Some(b'(') if closes && scene.before(start - 1) == Some(b'(') => start - 1,
        _ => start,
    }
}

/// Whether a number stands by itself, or with an extension behind it: `x12`.
pub fn stands_alone_or_extended(scene: &Scene<'_>, reading: &Reading) -> bool {
    let end = reading.span.end;
    let extended = matches!(scene.byte(end), Some(b'x' | b'X'))
        && scene.byte(end + 1).is_some_and(|byte| byte.is_ascii_digit());
    stands_alone(scene, reading) || (extended && is_free_before(scene, reading.span.start))
}

/// Numbers of other countries as they are dialled there: they need a label.
fn labelled(
    scene: &Scene<'_>,
    labels: &mut Labels<'_, '_>,
    first: usize,
) -> Option<(Range<usize>, Level)> {
    let (mut reading, lengths) = read_chain(scene, first, ANY, GROUPS_MAX)?;
    let is_number = (9..=11).contains(&lengths.iter().sum::<usize>());
    reading.span.start = bracket_before(scene, &reading, first);
    if !is_number || !stands_alone_or_extended(scene, &reading) {
        return None;
    }
    let near = labels.before(reading.span.start)?;
    near.is(&[Label::Phone], LABEL_CHARS).then_some((reading.span, Level::Likely))
}

#[cfg(test)]
#[path = "phone_tests.rs"]
mod tests;
