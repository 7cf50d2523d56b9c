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

use crate::detectors::calling_codes::national_digits;
use crate::detectors::labels::{Label, Labels, Near};
use crate::detectors::numerals::{
    Joints, Reading, is_free_before, is_in_row, is_item, read, read_broken, read_chain,
    stands_alone,
};
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// How far off a label of another number may be and still claim this one, in characters.
const VETO_CHARS: usize = 8;

/// How far off a label may be from digits that only it makes a number.
const LABEL_CHARS: usize = 24;

/// How far behind a label may be: `…로 전화`.
const BEHIND_CHARS: usize = 3;

/// Digits and groups of the longest number: E.164, with brackets around a zero.
const DIGITS_MAX: usize = 16;
const GROUPS_MAX: usize = 7;

/// Bytes of a gap with brackets and the end of a line.
const BROKEN_GAP_BYTES_MAX: usize = 8;

/// What can stand between groups.
const ANY: Joints =
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

fn korean_bare(scene: &Scene<'_>, first: usize) -> Option<(Reading, Vec<u8>)> {
    (9..=12).rev().find_map(|length| {
        let reading = read(scene, first, &[length])?;
        let digits = scene.digits_of(reading.span.clone());
        is_korean_number(&digits).then_some((reading, digits))
    })
}

/// Digits alone, broken over a line: only a label tells.
fn korean_broken(scene: &Scene<'_>, first: usize) -> Option<(Reading, Vec<u8>)> {
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
fn is_vetoed(near: Near<'_>, joints: Joints) -> bool {
    let others =
        [Label::Other, Label::Account, Label::Patient, Label::Business, Label::Registration];
    let chars_max = if joints == Joints::NONE { LABEL_CHARS } else { VETO_CHARS };
    near.is(&others, chars_max)
}

/// Where a number begins whose first group stands in brackets.
fn bracket_before(scene: &Scene<'_>, reading: &Reading, first: usize) -> usize {
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
fn stands_alone_or_extended(scene: &Scene<'_>, reading: &Reading) -> bool {
    let end = reading.span.end;
    let extended = matches!(scene.byte(end), Some(b'x' | b'X'))
        && scene.byte(end + 1).is_some_and(|byte| byte.is_ascii_digit());
    stands_alone(scene, reading) || (extended && is_free_before(scene, reading.span.start))
}

/// Where the `+` before a country code stands, with its bracket.
fn plus_before(scene: &Scene<'_>, start: usize) -> Option<usize> {
    let at = match scene.before(start)? {
        b'+' => start - 1,
        b' ' if scene.before(start - 1) == Some(b'+') => start - 2,
        _ => return None,
    };
    if scene.before(at) == Some(b'(') {
        let line = scene.slice(start..scene.text().len().min(start + 6));
        let closes = line.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(')');
        return Some(if closes { at - 1 } else { at });
    }
    let is_free = scene.before(at).is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'+');
    is_free.then_some(at)
}

fn with_plus(scene: &Scene<'_>, first: usize, start: usize) -> Option<(Range<usize>, Level)> {
    let end = international(scene, first, 0)?;
    Some((start..end, Level::Certain))
}

/// `0082-10-…`, `0044 20 …`.
fn with_zeros(
    scene: &Scene<'_>,
    labels: &mut Labels<'_, '_>,
    first: usize,
) -> Option<(Range<usize>, Level)> {
    let run = scene.digits().get(first)?;
    let is_korean = scene.slice(run.start..run.end).starts_with("0082");
    let is_foreign = scene.slice(run.start..run.end).starts_with("00") && {
        labels.before(run.start).is_some_and(|near| near.is(&[Label::Phone], LABEL_CHARS))
    };
    if !(is_korean || is_foreign) || !is_free_before(scene, run.start) {
        return None;
    }
    let end = international(scene, first, 2)?;
    Some((run.start..end, Level::Strong))
}

/// `82-10-1234-5678` without a `+`.
fn korean_abroad(
    scene: &Scene<'_>,
    labels: &mut Labels<'_, '_>,
    first: usize,
) -> Option<(Range<usize>, Level)> {
    let run = scene.digits().get(first)?;
    let start = if scene.before(run.start) == Some(b'(') && scene.byte(run.end) == Some(b')') {
        run.start - 1
    } else {
        run.start
    };
    if !scene.slice(run.start..run.end).starts_with("82") || !is_free_before(scene, start) {
        return None;
    }
    let end = international(scene, first, 0)?;
    let near = labels.before(start);
    let labelled = near.is_some_and(|near| near.is(&[Label::Phone], LABEL_CHARS));
    let is_mobile =
        read(scene, first, &[2, 2, 4, 4]).is_some_and(|reading| reading.span.end == end);
    let claimed = near.is_some_and(|near| is_vetoed(near, Joints::HYPHEN));
    let is_ten = scene.digits().get(first + 1).and_then(|run| scene.byte(run.start)) == Some(b'1');
    (labelled || (is_mobile && is_ten && !claimed)).then_some((start..end, Level::Strong))
}

/// The end of the number whose country code begins `skip` digits behind the run's start.
fn international(scene: &Scene<'_>, first: usize, skip: usize) -> Option<usize> {
    let chain = chain_of(scene, first)?;
    let fits = |end: &&usize| {
        let start = scene.digits().get(first).map_or(0, |run| run.start);
        let digits = scene.digits_of(start..**end);
        digits.get(skip..).is_some_and(is_international)
    };
    let end = *chain.iter().rev().find(fits)?;
    let last = scene.digits().iter().position(|run| run.end == end);
    let reading = Reading { span: end..end, joints: Joints::NONE, last: last.unwrap_or(first) };
    ends_alone(scene, &reading).then_some(end)
}

fn ends_alone(scene: &Scene<'_>, reading: &Reading) -> bool {
    let end = reading.span.end;
    let beyond = scene.byte(end + 1).unwrap_or(b' ');
    match scene.byte(end) {
        Some(b'-') => !beyond.is_ascii_alphanumeric(),
        Some(b'.') => !beyond.is_ascii_digit(),
        Some(b'x' | b'X') => beyond.is_ascii_digit(),
        Some(b'@' | b'%' | b'_') => false,
        Some(byte) => !byte.is_ascii_alphanumeric(),
        None => true,
    }
}

/// The ends of the groups that hang together from a run on, `(0)` among them.
fn chain_of(scene: &Scene<'_>, first: usize) -> Option<Vec<usize>> {
    let mut ends = vec![scene.digits().get(first)?.end];
    let mut digits = scene.digits().get(first)?.len();
    let mut index = first;
    while let (Some(gap), true) = (scene.gap(index), ends.len() < DIGITS_MAX + 1) {
        let next = scene.digits().get(index + 1)?;
        digits += next.len();
        if digits > DIGITS_MAX || !joins_abroad(gap) || is_item(scene, index + 1) {
            break;
        }
        ends.push(next.end);
        index += 1;
    }
    Some(ends)
}

fn joins_abroad(gap: &str) -> bool {
    let plain = Joints::of(gap).is_some_and(|joints| joints.within(ANY));
    let is_short = gap.len() <= BROKEN_GAP_BYTES_MAX && gap.matches('\n').count() <= 1;
    plain || (is_short && matches!(gap.trim(), "(" | "-(" | ")(" | ") (" | ") -"))
}

fn is_international(digits: &[u8]) -> bool {
    if let [8, 2, national @ ..] = digits {
        let with_zero = |national: &[u8]| {
            let digits: Vec<u8> = std::iter::once(0).chain(national.iter().copied()).collect();
            is_korean_number(&digits)
        };
        return is_korean_number(national) || with_zero(national);
    }
    let Some((code, lengths)) = national_digits(digits) else { return false };
    let national = digits.get(code..).unwrap_or_default();
    let without_zero = national.strip_prefix(&[0]).unwrap_or(national);
    lengths.contains(&national.len()) || lengths.contains(&without_zero.len())
}

/// Numbers of North America: `(555) 123-4567`, `1-555-123-4567`.
fn american(
    scene: &Scene<'_>,
    labels: &mut Labels<'_, '_>,
    first: usize,
) -> Option<(Range<usize>, Level)> {
    let run = scene.digits().get(first)?;
    let is_one = scene.slice(run.start..run.end) == "1";
    let area = if is_one && joins_abroad(scene.gap(first)?) { first + 1 } else { first };
    let mut reading =
        [&[3, 3, 4][..], &[10]].iter().find_map(|lengths| read(scene, area, lengths))?;
    let digits = scene.digits_of(reading.span.clone());
    if digits.first().is_none_or(|digit| *digit < 2) {
        return None;
    }
    reading.span.start = if is_one { run.start } else { bracket_before(scene, &reading, first) };
    if !stands_alone_or_extended(scene, &reading) {
        return None;
    }
    if reading.joints == Joints::SPACE && is_in_row(scene, &reading.span) {
        return None;
    }
    let near = labels.before(reading.span.start);
    let level = american_level(&digits, reading.joints, near)?;
    Some((reading.span, level))
}

fn american_level(digits: &[u8], joints: Joints, near: Option<Near<'_>>) -> Option<Level> {
    if near.is_some_and(|near| near.is(&[Label::Phone], LABEL_CHARS)) {
        return Some(Level::Strong);
    }
    let is_claimed = |near: Near<'_>| {
        is_vetoed(near, Joints::SPACE)
            || near.is(&[Label::Bank, Label::Transfer], LABEL_CHARS)
            || near.is(&[Label::BankShort], VETO_CHARS / 2)
    };
    let claimed = near.is_some_and(is_claimed);
    // Exchanges begin with 2 to 9.
    let exchange = digits.get(3).is_some_and(|digit| *digit >= 2);
    let separated = match joints {
        Joints::NONE | Joints::SLASH => false,
        Joints::SPACE => exchange,
        _ => true,
    };
    (separated && !claimed).then_some(Level::Likely)
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
