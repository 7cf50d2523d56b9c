//! Digits as people write them in groups: `4111-1111-1111-1111`, the same broken over a
//! line, and the same with a space behind every digit.

use std::ops::Range;

use crate::scene::Scene;

/// What stands between two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// There is one group only.
    None,
    /// `-`, also with spaces around it.
    Dash,
    /// `.`
    Dot,
    /// Spaces alone, or the end of a line.
    Space,
}

/// Digits in groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouped {
    /// From the first digit to the last.
    pub span: Range<usize>,
    /// What joins the groups.
    pub joint: Joint,
    /// How many lines end in it.
    pub breaks: usize,
}

/// How many bytes a joint has at most: a dash with spaces, and a line's end with an
/// indentation.
const JOINT_BYTES_MAX: usize = 6;

/// Reads groups of these sizes from a place on. All joints are of one kind. Within a
/// group digits touch, or have one space between any two of them in the whole number;
/// a line may end once within it.
#[must_use]
pub fn read(scene: &Scene<'_>, start: usize, sizes: &[usize]) -> Option<Grouped> {
    let mut reader = Reader {
        scene,
        at: start,
        joint: Joint::None,
        touch: false,
        spaces: 0,
        inner: 0,
        breaks: 0,
    };
    for (index, size) in sizes.iter().enumerate() {
        if index > 0 {
            reader.joint()?;
        }
        reader.group(*size)?;
    }
    let ends = !scene.byte(reader.at).is_some_and(|byte| byte.is_ascii_digit());
    let (joint, breaks) = (reader.joint, reader.breaks);
    (ends && reader.inner <= 1).then_some(Grouped { span: start..reader.at, joint, breaks })
}

/// Whether a number goes on before or behind a span, over a mark between two digits:
/// `1-4111…`, `…1111.25`. A space does not count.
#[must_use]
pub fn goes_on(scene: &Scene<'_>, span: &Range<usize>) -> bool {
    let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
    let is_mark = |byte: Option<u8>| matches!(byte, Some(b'-' | b'.'));
    let before = is_mark(scene.before(span.start))
        && span.start.checked_sub(2).is_some_and(|at| is_digit(scene.byte(at)));
    before || (is_mark(scene.byte(span.end)) && is_digit(scene.byte(span.end + 1)))
}

struct Reader<'s, 't> {
    scene: &'s Scene<'t>,
    at: usize,
    joint: Joint,
    /// Whether two digits of a group touch.
    touch: bool,
    /// Spaces within groups.
    spaces: usize,
    /// Ends of lines within groups.
    inner: usize,
    /// Ends of lines.
    breaks: usize,
}

impl Reader<'_, '_> {
    fn group(&mut self, size: usize) -> Option<()> {
        for index in 0..size {
            if index > 0 {
                self.inside()?;
            }
            self.scene.byte(self.at).filter(u8::is_ascii_digit)?;
            self.at += 1;
        }
        Some(())
    }

    /// Nothing, a space or a line's end between two digits of a group; spaces only where
    /// all had one.
    fn inside(&mut self) -> Option<()> {
        match self.scene.byte(self.at) {
            Some(b' ') => {
                self.spaces += 1;
                self.at += 1;
                (!self.touch).then_some(())
            }
            Some(b'\n' | b'\r') => {
                self.inner += 1;
                self.blanks();
                Some(())
            }
            _ => {
                self.touch = true;
                (self.spaces == 0).then_some(())
            }
        }
    }

    fn joint(&mut self) -> Option<()> {
        let from = self.at;
        self.blanks();
        let mark = match self.scene.byte(self.at) {
            Some(b'-') => Joint::Dash,
            Some(b'.') => Joint::Dot,
            _ => Joint::Space,
        };
        if mark != Joint::Space {
            self.at += 1;
            self.blanks();
        }
        let fits = (1..=JOINT_BYTES_MAX).contains(&(self.at - from));
        let same = self.joint == Joint::None || self.joint == mark;
        self.joint = mark;
        (fits && same).then_some(())
    }

    /// Goes over spaces and at most one line's end.
    fn blanks(&mut self) {
        let from = self.at;
        let mut ended = false;
        while self.at - from < JOINT_BYTES_MAX {
            match self.scene.byte(self.at) {
                Some(b' ' | b'\t' | b'\r') => {}
                Some(b'\n') if !ended => {
                    ended = true;
                    self.breaks += 1;
                }
                _ => return,
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Grouped, Joint, goes_on, read};
    use crate::scene::Scene;

    fn reads(text: &str, sizes: &[usize]) -> Option<Grouped> {
        read(&Scene::of(text), 0, sizes)
    }

    #[test]
    fn reads_groups_as_people_write_them() {
        let table = [
            ("123-45-678", Joint::Dash),
            ("123 45 678", Joint::Space),
            ("123.45.678", Joint::Dot),
            ("123 - 45 - 678", Joint::Dash),
            ("123-45-\n678", Joint::Dash),
            ("123\n45\n678", Joint::Space),
            ("123-4\n5-678", Joint::Dash),
            ("1 2 3 - 4 5 - 6 7 8", Joint::Dash),
            ("1 2 3  4 5  6 7 8", Joint::Space),
        ];
        for (text, joint) in table {
            let read = reads(text, &[3, 2, 3]).unwrap();
            assert_eq!((read.span, read.joint), (0..text.len(), joint), "{text}");
        }
        assert_eq!(reads("1 2 3 4", &[4]).unwrap().joint, Joint::None);
    }

    #[test]
    fn takes_no_other_groups() {
        for text in ["123-45.678", "123-45-6789", "12345678", "1 23-45-678", "123-45-67"] {
            assert_eq!(reads(text, &[3, 2, 3]), None, "{text}");
        }
        assert_eq!(reads("123-45/678", &[3, 2, 3]), None);
        assert_eq!(reads("4111 1111", &[8]), None);
    }

    #[test]
    fn a_number_goes_on_over_a_mark() {
        let table = [("1-23", 2..4, true), ("23.4", 0..2, true), ("23. 4", 0..2, false)];
        for (text, span, goes) in table {
            assert_eq!(goes_on(&Scene::of(text), &span), goes, "{text}");
        }
    }
}
