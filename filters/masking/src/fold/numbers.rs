//! Numbers written so that machines do not see them: `01O-l234`, `0 1 0 - 1 2 3 4`,
//! `010 - 1234 - 5678`, or broken over a line.
//!
//! A region is what digits, the letters that look like them and the signs between
//! numbers make up; its groups are looked at together.

use std::ops::Range;

use super::broken;
use super::phrases::Change;

/// A run of digits and of letters that look like digits.
#[derive(Clone, Debug)]
pub struct Group {
    pub span: Range<usize>,
    /// How many of its characters are letters.
    pub letters: usize,
    /// Whether it begins or ends within a word.
    pub begins_in_word: bool,
    pub ends_in_word: bool,
}

impl Group {
    pub fn len(&self) -> usize {
        self.span.len()
    }

    /// Whether it is of digits alone and no part of a word.
    pub fn is_plain(&self) -> bool {
        self.letters == 0 && !self.begins_in_word && !self.ends_in_word
    }
}

/// The groups of a region.
pub struct Region<'t> {
    pub bytes: &'t [u8],
    pub groups: Vec<Group>,
}

impl Region<'_> {
    /// What stands between a group and the next.
    pub fn gap(&self, index: usize) -> Range<usize> {
        let (this, next) = (self.groups.get(index), self.groups.get(index + 1));
        this.zip(next).map_or(0..0, |(this, next)| this.span.end..next.span.start)
    }

    pub fn gap_text(&self, index: usize) -> &[u8] {
        self.bytes.get(self.gap(index)).unwrap_or_default()
    }
}

/// The shortest number that is looked for.
const PLACES_MIN: usize = 7;

/// The longest number that is written with spaces between its digits; more are a list.
const SPACED_PLACES_MAX: usize = 24;

/// The most groups that are looked at together, for the memory that they take.
const GROUPS_MAX: usize = 1024;

/// The longest gap between groups of a region: a line break with its indentation.
const GAP_BYTES_MAX: usize = 24;

/// How far before its first digit a region may begin.
const LEAD_BYTES_MAX: usize = 8;

/// Puts down what is to be read otherwise in numbers.
pub fn read(text: &str, changes: &mut Vec<Change>) {
    let bytes = text.as_bytes();
    let mut region = Region { bytes, groups: Vec::new() };
    let mut at = 0;
    while let Some(digit) = next_digit(bytes, at) {
        let (end, is_odd) = region.fill(digit, at);
        at = end;
        if is_odd {
            region.read(changes);
        }
    }
}

impl Region<'_> {
    /// Collects the groups around a digit; the region's end, and whether there is
    /// anything in it to be read otherwise.
    fn fill(&mut self, digit: usize, from: usize) -> (usize, bool) {
        self.groups.clear();
        let mut at = lead(self.bytes, digit, from);
        let mut is_odd = false;
        loop {
            let group = group(self.bytes, at);
            let end = group.span.end;
            is_odd |= group.letters > 0;
            let ends_in_word = group.ends_in_word;
            self.groups.push(group);
            if ends_in_word || self.groups.len() >= GROUPS_MAX {
                return (end, is_odd);
            }
            let rest = self.bytes.get(end..).unwrap_or_default();
            let gap = rest.iter().take(GAP_BYTES_MAX + 1).take_while(|byte| is_joint(**byte));
            let gap = gap.count();
            at = end + gap;
            let goes_on = self.bytes.get(at).is_some_and(|byte| is_place(*byte));
            if gap == 0 || gap > GAP_BYTES_MAX || !goes_on {
                return (end, is_odd);
            }
            let gap = rest.get(..gap).unwrap_or_default();
            is_odd |= gap.iter().any(|byte| matches!(byte, b' ' | b'\n'));
        }
    }

    fn read(&self, changes: &mut Vec<Change>) {
        self.spaced(changes);
        self.dashed(changes);
        self.letters(changes);
        broken::read(self, changes);
    }

    /// `0 1 0 - 1 2 3 4`: single digits with a space between each.
    fn spaced(&self, changes: &mut Vec<Change>) {
        let mut first = 0;
        while first < self.groups.len() {
            let rest = self.groups.get(first..).unwrap_or_default();
            let goes_on = |(index, _): &(usize, &Group)| {
                *index == 0 || is_spaced_gap(self.gap_text(first + index - 1))
            };
            let is_single = |group: &Group| group.is_plain() && group.len() == 1;
            let run = rest.iter().enumerate().take_while(|(_, group)| is_single(group));
            let run = run.take_while(goes_on).count();
            if (PLACES_MIN..=SPACED_PLACES_MAX).contains(&run) && self.is_number(first, run) {
                self.close_up(first, run, changes);
            }
            first += run.max(1);
        }
    }

    /// Whether single digits are one number: not a list that goes on with longer ones,
    /// nor a pattern of two digits.
    fn is_number(&self, first: usize, run: usize) -> bool {
        let is_list = |gap: Option<usize>| gap.is_some_and(|gap| self.gap_text(gap) == b" ");
        let groups = self.groups.get(first..first + run).unwrap_or_default();
        let mut seen = [false; 256];
        for group in groups {
            let byte = self.bytes.get(group.span.start).copied().unwrap_or_default();
            if let Some(seen) = seen.get_mut(usize::from(byte)) {
                *seen = true;
            }
        }
        let spaces = (first..first + run - 1).filter(|gap| self.gap_text(*gap).contains(&b' '));
        !is_list(first.checked_sub(1))
            && !is_list(Some(first + run - 1))
            && seen.iter().filter(|seen| **seen).count() > 2
            && 2 * spaces.count() >= run
    }

    fn close_up(&self, first: usize, run: usize, changes: &mut Vec<Change>) {
        let start = self.groups.get(first).map_or(0, |group| group.span.start);
        if self.has_lead(start, run) {
            changes.push(Change::gone(start - 1..start));
        }
        for index in first..first + run - 1 {
            let (gap, said) = (self.gap(index), self.gap_text(index));
            let all_spaces = said.iter().all(|byte| *byte == b' ');
            let keeps = usize::from(all_spaces && said.len() > 1);
            for (at, _) in gap.zip(said).filter(|(_, byte)| **byte == b' ').skip(keeps) {
                changes.push(Change::gone(at..at + 1));
            }
        }
    }

    /// Whether `+ ` or, as in a passport's number, a letter is before a number.
    fn has_lead(&self, start: usize, run: usize) -> bool {
        let before = self.bytes.get(..start).unwrap_or_default();
        match before {
            [.., b'+', b' '] => true,
            [other, letter, b' '] | [.., other, letter, b' '] => {
                run == 8 && letter.is_ascii_uppercase() && !other.is_ascii_alphanumeric()
            }
            _ => false,
        }
    }

    /// `010 - 1234 - 5678`: with nothing else between its groups.
    fn dashed(&self, changes: &mut Vec<Change>) {
        let is_other = |gap: Option<usize>| {
            gap.is_some_and(|gap| matches!(self.gap_text(gap), b"-" | b" " | b"."))
        };
        for (index, pair) in self.groups.windows(2).enumerate() {
            let [this, next] = pair else { continue };
            let is_number = this.is_plain()
                && next.is_plain()
                && this.len() + next.len() >= 6
                && self.bytes.get(next.span.end) != Some(&b'@');
            if is_number
                && self.gap_text(index) == b" - "
                && !is_other(index.checked_sub(1))
                && !is_other(Some(index + 1))
            {
                changes.push(Change::to('-', self.gap(index)));
            }
        }
    }

    /// Letters that stand for digits, in chains of groups that are one number.
    fn letters(&self, changes: &mut Vec<Change>) {
        let mut first = 0;
        while first < self.groups.len() {
            let mut end = first + 1;
            while end < self.groups.len() && self.is_joined(end - 1) {
                end += 1;
            }
            let chain = self.groups.get(first..end).unwrap_or_default();
            if chain.iter().any(|group| group.letters > 0) && self.is_numeric(chain, first) {
                chain.iter().for_each(|group| self.tell(group, changes));
            }
            first = end;
        }
    }

    fn is_joined(&self, gap: usize) -> bool {
        let is_tight = matches!(self.gap_text(gap), b"-" | b"." | b"/" | b")" | b")-");
        let spells =
            |index: usize| self.groups.get(index).is_some_and(|group| group.letters == group.len());
        let is_loose = matches!(self.gap_text(gap), b" " | b") " | b" - ");
        is_tight || (is_loose && !spells(gap) && !spells(gap + 1))
    }

    fn is_numeric(&self, chain: &[Group], first: usize) -> bool {
        let places: usize = chain.iter().map(Group::len).sum();
        let letters: usize = chain.iter().map(|group| group.letters).sum();
        let dots = (first..first + chain.len() - 1).filter(|gap| self.gap_text(*gap) == b".");
        let is_address = chain.len() == 4 && dots.count() == 3;
        let [head, ..] = chain else { return false };
        let begins = !head.begins_in_word || self.is_code(head);
        let ends = !chain.last().is_some_and(|group| group.ends_in_word);
        begins && ends && 2 * letters <= places && (places >= PLACES_MIN || is_address)
    }

    /// Whether a group follows one or two capital letters, as in `DE89` or `M1234`.
    fn is_code(&self, group: &Group) -> bool {
        let before = self.bytes.get(..group.span.start).unwrap_or_default();
        let letters = before.iter().rev().take(3).take_while(|byte| byte.is_ascii_uppercase());
        let letters = letters.count();
        let other = before.len().checked_sub(letters + 1).and_then(|at| before.get(at));
        (1..=2).contains(&letters) && !other.is_some_and(|byte| is_of_word(*byte))
    }

    fn tell(&self, group: &Group, changes: &mut Vec<Change>) {
        let bytes = self.bytes.get(group.span.clone()).unwrap_or_default();
        let is_letter = |byte: &&u8| !byte.is_ascii_digit();
        // `LI21` and `NO93` are countries.
        let head =
            if group.begins_in_word { bytes.iter().take_while(is_letter).count() } else { 0 };
        let before = self.bytes.get(..group.span.start).unwrap_or_default();
        let has_letter = before.ends_with(b"IT") || before.ends_with(b"SM");
        for (index, (at, byte)) in group.span.clone().zip(bytes).enumerate().skip(head) {
            // Italian IBANs have a letter behind their check digits.
            let is_meant = has_letter && index == 2;
            match byte {
                b'O' | b'o' if !is_meant => changes.push(Change::to('0', at..at + 1)),
                b'l' | b'I' if !is_meant => changes.push(Change::to('1', at..at + 1)),
                _ => {}
            }
        }
    }
}

fn is_spaced_gap(gap: &[u8]) -> bool {
    matches!(
        gap,
        b" " | b"  "
            | b"   "
            | b"-"
            | b" - "
            | b"- "
            | b" -"
            | b"."
            | b" . "
            | b". "
            | b") "
            | b" ) "
            | b" / "
    )
}

/// Where a region begins that has its first digit here: letters may come before it.
fn lead(bytes: &[u8], digit: usize, from: usize) -> usize {
    let before = bytes.get(from..digit).unwrap_or_default();
    let run = before.iter().rev().take(LEAD_BYTES_MAX);
    let run = run.take_while(|byte| is_place(**byte) || matches!(byte, b'-' | b'.')).count();
    let lead = bytes.get(digit - run..digit).unwrap_or_default();
    digit - run + lead.iter().take_while(|byte| !is_place(**byte)).count()
}

fn group(bytes: &[u8], start: usize) -> Group {
    let rest = bytes.get(start..).unwrap_or_default();
    let mut letters = 0;
    let mut end = start;
    for byte in rest.iter().take_while(|byte| is_place(**byte)) {
        letters += usize::from(!byte.is_ascii_digit());
        end += 1;
    }
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    Group {
        span: start..end,
        letters,
        begins_in_word: before.is_some_and(|byte| is_of_word(*byte)),
        ends_in_word: bytes.get(end).is_some_and(|byte| is_of_word(*byte)),
    }
}

const fn is_place(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'O' | b'o' | b'l' | b'I')
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

const fn is_joint(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+' | b'\n' | b'\r' | b'\t')
}

/// How many bytes are asked at once whether a digit is among them.
const CHUNK_BYTES: usize = 64;

fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    let mut rest = bytes.get(from..)?;
    // Near the last one there are others.
    let near = rest.iter().take(CHUNK_BYTES).position(u8::is_ascii_digit);
    if let Some(near) = near {
        return Some(from + near);
    }
    let has_digit = |chunk: &[u8]| chunk.iter().fold(false, |any, b| any | b.is_ascii_digit());
    let mut at = from;
    while let Some((chunk, behind)) = rest.split_at_checked(CHUNK_BYTES) {
        if has_digit(chunk) {
            break;
        }
        (rest, at) = (behind, at + CHUNK_BYTES);
    }
    rest.iter().position(u8::is_ascii_digit).map(|place| at + place)
}
