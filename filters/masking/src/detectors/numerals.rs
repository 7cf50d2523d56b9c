//! Groups of digits as people write them, and as typography breaks them: digits with
//! spaces between all of them, a line break anywhere.

use std::ops::{Deref, Range};

pub use crate::scene::Joints;
use crate::scene::{Digits, Gap, Scene};

/// Groups that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// From the first digit to the last.
    pub span: Range<usize>,
    /// What stands between the groups.
    pub joints: Joints,
    /// The last run of digits in it.
    pub last: usize,
}

/// Reads groups of these lengths from the run `first` on. A group may have one line
/// break or blank inside, or blanks between all digits.
pub fn read(scene: &Scene<'_>, first: usize, lengths: &[usize]) -> Option<Reading> {
    let start = scene.digits().get(first)?.start;
    if !can_begin(scene, first, *lengths.first()?) {
        return None;
    }
    let mut breaks = Breaks::default();
    let mut joints = Joints::NONE;
    let mut last = first;
    for (index, length) in lengths.iter().enumerate() {
        if index > 0 {
            joints = joints.and(scene.joint(last).joint()?);
            last += 1;
            if is_item(scene, last) {
                return None;
            }
        }
        last = read_group(scene, last, *length, &mut breaks)?;
    }
    let end = scene.digits().get(last)?.end;
    let reading = Reading { span: start..end, joints, last };
    breaks.allow(&reading).then_some(reading)
}

/// Whether a run is a group of this length, or can be the beginning of one.
fn can_begin(scene: &Scene<'_>, first: usize, length: usize) -> bool {
    let Some(run) = scene.digits().get(first) else { return false };
    run.len() == length
        || (run.len() < length && scene.joint(first).is_blank() && !is_spaced_before(scene, first))
}

/// Reads a group that the end of a line may break: only for where a label says what it
/// is.
pub fn read_broken(scene: &Scene<'_>, first: usize, length: usize) -> Option<Reading> {
    let start = scene.digits().get(first)?.start;
    if !can_begin(scene, first, length) {
        return None;
    }
    let mut breaks = Breaks::default();
    let last = read_group(scene, first, length, &mut breaks)?;
    let end = scene.digits().get(last)?.end;
    let is_whole = breaks.lines <= 1 && breaks.blanks == 0;
    is_whole.then_some(Reading { span: start..end, joints: Joints::NONE, last })
}

/// What broke groups up.
#[derive(Default)]
struct Breaks {
    /// Blanks between single digits.
    spaced: usize,
    blanks: usize,
    lines: usize,
}

impl Breaks {
    fn take(&mut self, gap: Gap, between_single_digits: bool) -> Option<()> {
        if !gap.is_blank() {
            return None;
        }
        match (gap.has_line(), between_single_digits) {
            (true, _) => self.lines += 1,
            (false, true) => self.spaced += 1,
            (false, false) => self.blanks += 1,
        }
        Some(())
    }

    fn allow(&self, reading: &Reading) -> bool {
        let blanks_max = usize::from(reading.joints.within(Joints::HYPHEN) && self.lines == 0);
        let marks = Joints::HYPHEN.and(Joints::DOT).and(Joints::BRACKET);
        let is_joined = reading.joints.within(marks) && reading.joints != Joints::NONE;
        self.lines <= usize::from(is_joined)
            && self.blanks <= if is_joined { blanks_max } else { 0 }
    }
}

fn read_group(
    scene: &Scene<'_>,
    first: usize,
    length: usize,
    breaks: &mut Breaks,
) -> Option<usize> {
    let mut last = first;
    let mut got = scene.digits().get(first)?.len();
    while got < length {
        let before = scene.digits().get(last)?.len();
        let gap = scene.joint(last);
        last += 1;
        let next = scene.digits().get(last)?.len();
        breaks.take(gap, before == 1 && next == 1)?;
        got += next;
    }
    (got == length).then_some(last)
}

/// Whether a reading stands by itself: nothing around it makes it a piece of a longer
/// number, a code or a decimal.
pub fn stands_alone(scene: &Scene<'_>, reading: &Reading) -> bool {
    is_free_before(scene, reading.span.start) && is_free_behind(scene, reading)
}

/// Whether nothing before a place belongs to the same token.
pub fn is_free_before(scene: &Scene<'_>, at: usize) -> bool {
    let Some(before) = scene.before(at) else { return true };
    let beyond = scene.before(at - 1).unwrap_or(b' ');
    match before {
        b'-' | b'+' => !beyond.is_ascii_alphanumeric() && beyond != before,
        b'.' => !beyond.is_ascii_digit(),
        b',' => !(beyond.is_ascii_digit() && is_thousands(scene, at)),
        b'$' | b'#' | b'@' | b'%' => false,
        _ => !before.is_ascii_alphanumeric() && before != b'_' && !is_ordinal(scene, at),
    }
}

/// Whether a number counts something: `제2024-819293호`.
fn is_ordinal(scene: &Scene<'_>, at: usize) -> bool {
    scene.bytes().get(..at).is_some_and(|head| head.ends_with("제".as_bytes()))
}

/// Whether other digits stand before or behind a span, with a blank between: a row of
/// groups that go on.
pub fn is_in_row(scene: &Scene<'_>, span: &Range<usize>) -> bool {
    let is_digit = |at: usize| scene.byte(at).is_some_and(|byte| byte.is_ascii_digit());
    let before = scene.before(span.start) == Some(b' ') && span.start >= 2;
    (before && is_digit(span.start - 2))
        || (scene.byte(span.end) == Some(b' ') && is_digit(span.end + 1))
}

/// Whether three digits begin at a place, and no more.
fn is_thousands(scene: &Scene<'_>, at: usize) -> bool {
    let digits = scene.bytes().get(at..).unwrap_or_default().iter().take(4);
    let count = digits.take_while(|byte| byte.is_ascii_digit()).count();
    count == 3 && !matches!(scene.byte(at + 3), Some(b'-' | b' ' | b')' | b'.'))
}

fn is_free_behind(scene: &Scene<'_>, reading: &Reading) -> bool {
    let end = reading.span.end;
    let Some(behind) = scene.byte(end) else { return true };
    let beyond = scene.byte(end + 1).unwrap_or(b' ');
    match behind {
        b'-' => !beyond.is_ascii_alphanumeric(),
        b'.' => !beyond.is_ascii_digit(),
        b'@' | b'%' => false,
        b' ' => !is_spaced_on(scene, reading.last),
        _ => !behind.is_ascii_alphanumeric() && behind != b'_',
    }
}

/// Whether single digits with blanks between them go on behind a run.
fn is_spaced_on(scene: &Scene<'_>, last: usize) -> bool {
    let is_single = |index: usize| scene.digits().get(index).is_some_and(|run| run.len() == 1);
    is_single(last)
        && is_single(last + 1)
        && scene.gap(last) == Some(" ")
        && last.checked_sub(1).is_some_and(is_single)
}

/// Whether single digits with blanks between them lead up to a run that is one, too: what
/// begins there is the middle of something.
pub fn is_spaced_before(scene: &Scene<'_>, first: usize) -> bool {
    let Some(before) = first.checked_sub(2) else { return false };
    let runs = scene.digits().get(before..=first).unwrap_or_default();
    runs.iter().all(|run| run.len() == 1)
        && scene.gap(before) == Some(" ")
        && scene.gap(before + 1) == Some(" ")
}

/// Whether a run begins a line and numbers it: `2. …`.
pub fn is_item(scene: &Scene<'_>, run: usize) -> bool {
    let marks = |run: &Digits| matches!(scene.byte(run.end), Some(b'.' | b')'));
    let numbers = |run: &Digits| run.len() < ITEM_DIGITS && marks(run);
    let gap = || run.checked_sub(1).and_then(|before| scene.gap(before)).unwrap_or_default();
    scene.digits().get(run).is_some_and(numbers) && gap().contains('\n')
}

/// Fewer digits at the beginning of a line can number it.
const ITEM_DIGITS: usize = 3;

/// Groups of the longest number that is read.
const GROUPS_MAX: usize = 8;

/// The lengths of groups.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lengths {
    lengths: [usize; GROUPS_MAX],
    groups: usize,
}

impl Lengths {
    fn push(&mut self, length: usize) {
        if let Some(place) = self.lengths.get_mut(self.groups) {
            *place = length;
            self.groups += 1;
        }
    }
}

impl Deref for Lengths {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        self.lengths.get(..self.groups).unwrap_or_default()
    }
}

/// Reads the longest number of up to `groups_max` groups that these joints hold
/// together, with the lengths of its groups. A line break is a joint like a blank.
pub fn read_chain(
    scene: &Scene<'_>,
    first: usize,
    allowed: Joints,
    groups_max: usize,
) -> Option<(Reading, Lengths)> {
    let run = scene.digits().get(first)?;
    let mut reading = Reading { span: run.start..run.end, joints: Joints::NONE, last: first };
    let mut lengths = Lengths::default();
    lengths.push(run.len());
    while lengths.len() < groups_max.min(GROUPS_MAX) {
        let Some(joint) = scene.joint(reading.last).joint() else { break };
        let Some(next) = scene.digits().get(reading.last + 1) else { break };
        if !joint.within(allowed) || is_item(scene, reading.last + 1) {
            break;
        }
        lengths.push(next.len());
        reading.joints = reading.joints.and(joint);
        reading.span.end = next.end;
        reading.last += 1;
    }
    Some((reading, lengths))
}

#[cfg(test)]
mod tests {
    use super::{Joints, read, stands_alone};
    use crate::scene::Scene;

    fn reads(text: &str, lengths: &[usize]) -> Option<(String, Joints)> {
        let scene = Scene::of(text);
        let reading = read(&scene, 0, lengths)?;
        let value = text[reading.span.clone()].to_owned();
        stands_alone(&scene, &reading).then_some((value, reading.joints))
    }

    #[test]
    fn reads_groups_as_they_are_written_and_broken() {
        for (text, joints) in [
            ("010-1234-5678", Joints::HYPHEN),
            ("010 - 1234 - 5678", Joints::HYPHEN),
            ("010 1234 5678", Joints::SPACE),
            ("010.1234.5678", Joints::DOT),
            ("010)1234-5678", Joints::BRACKET.and(Joints::HYPHEN)),
            ("0 1 0 - 1 2 3 4 - 5 6 7 8", Joints::HYPHEN),
            ("0 1 0 1 2 3 4 5 6 7 8", Joints::SPACE),
            ("010-1234-\n5678", Joints::HYPHEN),
            ("010-1234\n  -5678", Joints::HYPHEN),
            ("010-12\n34-5678", Joints::HYPHEN),
            ("010-12 34-5678", Joints::HYPHEN),
        ] {
            assert_eq!(reads(text, &[3, 4, 4]), Some((text.to_owned(), joints)), "{text}");
        }
    }

    #[test]
    fn a_row_of_single_digits_is_read_from_its_beginning() {
        let scene = Scene::of("0 1 0 1 2 3 4 5 6 7 8 0 1 0 1 2 3 4 5 6 7 8");
        let read_from = |first: &usize| read(&scene, *first, &[3, 4, 4]).is_some();
        assert_eq!((0..22).filter(read_from).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn does_not_read_other_groups() {
        for text in ["010-123-5678", "010-1234-567", "010, 1234, 5678", "0 10 1 234 5678", "010"] {
            assert_eq!(reads(text, &[3, 4, 4]), None, "{text}");
        }
    }

    #[test]
    fn a_piece_of_something_longer_does_not_stand_alone() {
        for text in [
            "010-1234-5678-9",
            "A-010-1234-5678",
            "010-1234-5678@x.kr",
            "010-1234-5678.9",
            "x010-1234-5678",
        ] {
            assert_eq!(reads(text, &[3, 4, 4]), None, "{text}");
        }
        assert!(reads("번호는010-1234-5678입니다", &[3, 4, 4]).is_some());
    }
}
