//! Numbers broken over a line: `010-12⏎34-5678`.
//!
//! Lists and tables have numbers under each other: lines are joined only where the
//! groups of both together, and of neither alone, are grouped as some number is.

use super::numbers::{Group, Region};
use super::phrases::Change;

/// Lengths of the groups of numbers with dashes between them: telephones, registration
/// numbers, cards, licences, accounts.
const DASHED: &[&[usize]] = &[
    &[3, 4, 4],
    &[3, 3, 4],
    &[2, 3, 4],
    &[2, 4, 4],
    &[6, 7],
    &[4, 4, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[3, 2, 5],
    &[3, 2, 4],
    &[2, 2, 6, 2],
    &[3, 6, 5],
    &[3, 2, 6],
    &[3, 3, 6],
    &[6, 2, 6],
    &[3, 6, 2, 3],
    &[4, 2, 2],
    &[2, 2, 3, 4],
    &[2, 2, 4, 4],
];

/// The same with spaces.
const SPACED: &[&[usize]] = &[
    &[4, 4, 4, 4],
    &[3, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[3, 2, 4],
    &[3, 2, 5],
    &[3, 2, 6],
    &[3, 3, 6],
    &[6, 2, 6],
    &[2, 2, 6, 2],
];

/// Telephone numbers with dots.
const DOTTED: &[&[usize]] = &[&[3, 4, 4], &[3, 3, 4], &[2, 3, 4], &[2, 4, 4]];

/// The longest chain of groups on one side of a line break.
const CHAIN_MAX: usize = 4;

/// Puts down the line breaks of a region that are within a number.
pub fn read(region: &Region<'_>, changes: &mut Vec<Change>) {
    for gap in 0..region.groups.len().saturating_sub(1) {
        if region.gap_text(gap).contains(&b'\n')
            && let Some(change) = join(region, gap)
        {
            changes.push(change);
        }
    }
}

fn join(region: &Region<'_>, gap: usize) -> Option<Change> {
    let said = region.gap_text(gap);
    let line_breaks = said.iter().filter(|byte| **byte == b'\n').count();
    let (left, right) = (Chain::before(region, gap), Chain::behind(region, gap + 1));
    if line_breaks != 1 || !left.is_plain() || !right.is_plain() {
        return None;
    }
    let span = region.gap(gap);
    let signs = said.iter().filter(|byte| !byte.is_ascii_whitespace());
    match signs.copied().collect::<Vec<u8>>().as_slice() {
        [] => left.meets(&right).map(|to| Change { span, to }),
        [b'-'] if said.starts_with(b"-") || left.joint == Some(b'-') => Some(Change::to('-', span)),
        [b'.'] if is_address(&[left.lengths(), right.lengths()].concat()) => {
            Some(Change::to('.', span))
        }
        _ => None,
    }
}

/// Groups on one side of a line break with the same sign between them.
struct Chain<'r> {
    groups: &'r [Group],
    joint: Option<u8>,
    /// Whether words stand before it on its line.
    has_words: bool,
    bytes: &'r [u8],
}

impl<'r> Chain<'r> {
    fn before(region: &'r Region<'_>, last: usize) -> Self {
        let joint = last.checked_sub(1).and_then(|gap| joint(region, gap));
        let mut first = last;
        while joint.is_some()
            && last - first < CHAIN_MAX
            && first.checked_sub(1).is_some_and(|gap| self::joint(region, gap) == joint)
        {
            first -= 1;
        }
        Self::of(region, first, last + 1, joint)
    }

    fn behind(region: &'r Region<'_>, first: usize) -> Self {
        let joint = joint(region, first);
        let mut end = first + 1;
        while joint.is_some() && end - first <= CHAIN_MAX && self::joint(region, end - 1) == joint {
            end += 1;
        }
        Self::of(region, first, end, joint)
    }

    fn of(region: &'r Region<'_>, first: usize, end: usize, joint: Option<u8>) -> Self {
        let groups = region.groups.get(first..end).unwrap_or_default();
        let start = groups.first().map_or(0, |group| group.span.start);
        let before = region.bytes.get(start.saturating_sub(WORDS_BYTES)..start);
        let line = before.unwrap_or_default().rsplit(|byte| *byte == b'\n').next();
        let has_words = line.unwrap_or_default().iter().any(|byte| is_of_words(*byte));
        Self { groups, joint, has_words, bytes: region.bytes }
    }

    fn is_plain(&self) -> bool {
        !self.groups.is_empty() && self.groups.iter().all(Group::is_plain)
    }

    /// What stands for the line break between two chains that are one number.
    fn meets(&self, right: &Self) -> Option<Option<char>> {
        let joint = self.joint.or(right.joint);
        if self.joint.is_some() && right.joint.is_some() && self.joint != right.joint {
            return None;
        }
        let (left, right) = (self.lengths(), right.lengths());
        let apart = [left.as_slice(), right.as_slice()].concat();
        let mut whole = left.clone();
        let head = right.first().copied().unwrap_or_default();
        if let Some(last) = whole.last_mut() {
            *last += head;
        }
        whole.extend(right.iter().skip(1));
        let known: &[&[usize]] = match joint {
            Some(b'-') => DASHED,
            Some(b' ') if self.has_words => SPACED,
            Some(b'.') if is_address(&whole) && whole.len() > left.len() => return Some(None),
            Some(b'.') => DOTTED,
            None => return self.is_mobile(&whole).then_some(None),
            _ => return None,
        };
        let is_known = |lengths: &Vec<usize>| known.contains(&lengths.as_slice());
        if is_known(&left) || is_known(&right) {
            return None;
        }
        let sign = joint.map(char::from);
        if is_known(&apart) { Some(sign) } else { is_known(&whole).then_some(None) }
    }

    /// `0101234⏎5678` behind words.
    fn is_mobile(&self, whole: &[usize]) -> bool {
        let start = self.groups.first().map_or(0, |group| group.span.start);
        let begins = self.bytes.get(start..).is_some_and(|rest| rest.starts_with(b"01"));
        self.has_words && begins && whole == [11] && !self.groups.iter().any(|g| g.len() >= 10)
    }

    fn lengths(&self) -> Vec<usize> {
        self.groups.iter().map(Group::len).collect()
    }
}

/// How far before a number words are looked for.
const WORDS_BYTES: usize = 60;

/// Letters, or a quote around the number.
const fn is_of_words(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80 || byte == b'"' || byte == b'\''
}

fn is_address(lengths: &[usize]) -> bool {
    lengths.len() == 4
        && lengths.iter().all(|length| *length <= 3)
        && lengths.iter().sum::<usize>() >= 8
}

fn joint(region: &Region<'_>, gap: usize) -> Option<u8> {
    match region.gap_text(gap) {
        [sign @ (b'-' | b' ' | b'.')] => Some(*sign),
        b" - " => Some(b'-'),
        _ => None,
    }
}
