//! Telephone numbers with a country code, and those of North America.
//!
//! ITU-T E.164 §6: up to 15 digits, the country's first; a zero of the national form may
//! stand in brackets. North American Numbering Plan: area and exchange begin with 2 to 9.

use std::ops::Range;

use crate::detectors::calling_codes::national_digits;
use crate::detectors::labels::{Label, Labels, Near};
use crate::detectors::numerals::{
    Joints, Reading, is_free_before, is_in_row, is_item, read, read_broken,
};
use crate::detectors::phone::{
    ANY, LABEL_CHARS, VETO_CHARS, bracket_before, is_korean_number, is_vetoed,
    stands_alone_or_extended,
};
use crate::resolve::Level;
use crate::scene::Scene;

/// Digits of the longest number, with a zero in brackets.
const DIGITS_MAX: usize = 16;

/// Bytes of a gap with brackets and the end of a line.
const BROKEN_GAP_BYTES_MAX: usize = 8;

/// Where the `+` before a country code stands, with its bracket.
pub fn plus_before(scene: &Scene<'_>, start: usize) -> Option<usize> {
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

pub fn with_plus(scene: &Scene<'_>, first: usize, start: usize) -> Option<(Range<usize>, Level)> {
    let end = international(scene, first, 0)?;
    Some((start..end, Level::Certain))
}

/// `0082-10-…`, `0044 20 …`.
pub fn with_zeros(
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
pub fn korean_abroad(
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
    let last = first + chain.iter().position(|one| *one == end)?;
    let reading = Reading { span: end..end, joints: Joints::NONE, last };
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
    while ends.len() < DIGITS_MAX + 1 {
        let Some(next) = scene.digits().get(index + 1) else { break };
        digits += next.len();
        if digits > DIGITS_MAX || !joins_abroad(scene, index) || is_item(scene, index + 1) {
            break;
        }
        ends.push(next.end);
        index += 1;
    }
    Some(ends)
}

/// Whether the run of digits `index` and the one behind it can be of one number.
fn joins_abroad(scene: &Scene<'_>, index: usize) -> bool {
    if let Some(joints) = scene.joint(index).joint()
        && joints.within(ANY)
    {
        return true;
    }
    let gap = scene.gap(index).unwrap_or_default();
    let is_short = gap.len() <= BROKEN_GAP_BYTES_MAX && gap.matches('\n').count() <= 1;
    is_short && matches!(gap.trim(), "(" | "-(" | ")(" | ") (" | ") -")
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
pub fn american(
    scene: &Scene<'_>,
    labels: &mut Labels<'_, '_>,
    first: usize,
) -> Option<(Range<usize>, Level)> {
    let run = scene.digits().get(first)?;
    let is_one = scene.slice(run.start..run.end) == "1";
    let area = if is_one && joins_abroad(scene, first) { first + 1 } else { first };
    let mut reading = [&[3, 3, 4][..], &[10]]
        .iter()
        .find_map(|lengths| read(scene, area, lengths))
        .or_else(|| read_broken(scene, area, 10))?;
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
    // `const CALL: u32 = 2345678901` is none.
    let is_plain = |near: &Near<'_>| {
        joints != Joints::NONE || !near.gap.bytes().any(|byte| byte.is_ascii_digit())
    };
    if near.is_some_and(|near| near.is(&[Label::Phone], LABEL_CHARS) && is_plain(&near)) {
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
