//! Placeholders as models write them: exactly, or with what they are known to change.
//!
//! - letters in another case;
//! - one space where two parts meet: `[ EMAIL_k3x9q2 ]`, `[EMAIL _ k3x9q2]`;
//! - marks escaped as in Markdown: `\[EMAIL\_k3x9q2\]`;
//! - brackets of full width: `［EMAIL_k3x9q2］`, `【EMAIL_k3x9q2】`;
//! - no opening, or only its end: then the type's name has its capitals and begins a word;
//! - no closing, or only its beginning: then the tag ends a word.
//!
//! A tag is a digest of the value, so nothing else is spelled like one that was issued;
//! what stood in the request already has not been issued.

use super::Escape;
use super::before::Before;
use super::issued::{Beginning, Core, Issued};

/// What stands at a place.
pub(super) enum Read<'i> {
    /// No placeholder, whatever follows.
    Not,
    /// The beginning of one: what follows decides.
    Open,
    /// One, with its length in bytes.
    Is(&'i Core, usize),
}

/// How reading a part ended.
enum Part {
    /// Just behind it.
    Read(usize),
    /// Something else stands there.
    Not,
    /// The text ends inside of it.
    Cut,
}

/// A text that may begin with a placeholder.
pub(super) struct Spelled<'t> {
    pub(super) issued: &'t Issued,
    pub(super) text: &'t str,
    pub(super) escape: Escape,
    /// Whether nothing follows.
    pub(super) ends: bool,
}

impl<'t> Spelled<'t> {
    /// What the text begins with.
    pub(super) fn read(&self, before: Before) -> Read<'t> {
        if before.is_in_escape() {
            return Read::Not;
        }
        match self.in_any_spelling(before) {
            Read::Is(core, length) if self.is_exact_behind_escape(core, length) => Read::Not,
            read => read,
        }
    }

    /// A backslash before an exact placeholder is the text's own: so it stood there before
    /// the value.
    fn is_exact_behind_escape(&self, core: &Core, length: usize) -> bool {
        let read = self.text.get(..length).unwrap_or_default();
        let unescaped = read.trim_start_matches('\\');
        unescaped.len() < read.len() && unescaped == self.issued.exact(core)
    }

    fn in_any_spelling(&self, before: Before) -> Read<'t> {
        let opening = self.issued.opening();
        for from in 0..opening.len() {
            let Some(opening) = opening.get(from..) else { continue };
            // Its end alone counts from a mark on: a letter could be any word's.
            if opening.first().is_none_or(char::is_ascii_alphanumeric) {
                continue;
            }
            match self.literal(0, opening) {
                Part::Cut => return Read::Open,
                Part::Not => {}
                Part::Read(at) => match self.core(at, true) {
                    Read::Not => {}
                    other => return other,
                },
            }
        }
        if before.is_word() { Read::Not } else { self.core(0, false) }
    }

    /// A core from a place on, and what closes it.
    fn core(&self, mut at: usize, is_opened: bool) -> Read<'t> {
        let mut read = self.issued.all();
        let mut may_space = is_opened;
        while let Some(next) = self.char_at(at) {
            if let Some(core) = self.issued.whole(&read)
                && !next.is_ascii_alphanumeric()
            {
                return self.closed(core, at, is_opened);
            }
            if next == ' ' && may_space && self.issued.is_at_joint(&read) {
                (at, may_space) = (at + 1, false);
                continue;
            }
            match self.character(at, &read, is_opened) {
                Ok((end, narrowed)) => (at, read, may_space) = (end, narrowed, true),
                Err(other) => return other,
            }
        }
        match self.issued.whole(&read) {
            _ if !self.ends => Read::Open,
            Some(core) => self.closed(core, at, is_opened),
            None => Read::Not,
        }
    }

    /// One more character of a core, with the escape that a mark may have.
    fn character(
        &self,
        at: usize,
        read: &Beginning,
        is_opened: bool,
    ) -> Result<(usize, Beginning), Read<'t>> {
        let start = match self.behind_escape(at) {
            Part::Read(start) => start,
            Part::Cut => return Err(Read::Open),
            Part::Not => return Err(Read::Not),
        };
        let next = match self.char_at(start) {
            Some(next) => next,
            None if self.ends => return Err(Read::Not),
            None => return Err(Read::Open),
        };
        let is_bare_escape = start > at && next.is_ascii_alphanumeric();
        let narrowed = self.issued.narrowed(read, next).filter(|narrowed| {
            let has_capitals = is_opened || !next.is_ascii_lowercase();
            !is_bare_escape && (has_capitals || !self.issued.is_in_name(narrowed))
        });
        narrowed.map(|narrowed| (start + next.len_utf8(), narrowed)).ok_or(Read::Not)
    }

    /// What closes a core that ends at a place: as much of the closing as there is.
    fn closed(&self, core: &'t Core, end: usize, is_opened: bool) -> Read<'t> {
        let spaced = is_opened && self.char_at(end) == Some(' ');
        let closing = self.issued.closing();
        let mut at = end + usize::from(spaced);
        let mut closed = None;
        for mark in closing {
            match self.literal(at, std::slice::from_ref(mark)) {
                Part::Cut => return Read::Open,
                Part::Not => break,
                Part::Read(behind) => (at, closed) = (behind, Some(behind)),
            }
        }
        let ends_word = || self.char_at(end).is_none_or(|next| next != '_');
        match closed {
            Some(behind) => Read::Is(core, behind),
            None if ends_word() => Read::Is(core, end),
            None => Read::Not,
        }
    }

    /// A literal of the template, every mark of which may be escaped or wide.
    fn literal(&self, mut at: usize, literal: &[char]) -> Part {
        for expected in literal {
            let start = match self.behind_escape(at) {
                Part::Read(start) => start,
                other => return other,
            };
            let Some(found) = self.char_at(start) else { return self.cut() };
            if !narrow(found).eq_ignore_ascii_case(expected) {
                return Part::Not;
            }
            at = start + found.len_utf8();
        }
        Part::Read(at)
    }

    /// Behind the backslashes that escape a mark, where there are any.
    fn behind_escape(&self, at: usize) -> Part {
        let backslashes = match self.escape {
            Escape::None => 1,
            Escape::Json => 2,
        };
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        let found = rest.iter().take(backslashes).take_while(|byte| **byte == b'\\').count();
        match found {
            0 => Part::Read(at),
            found if found == backslashes => Part::Read(at + found),
            found if rest.len() == found => self.cut(),
            _ => Part::Not,
        }
    }

    /// What the end of the text means.
    fn cut(&self) -> Part {
        if self.ends { Part::Not } else { Part::Cut }
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }
}

/// A mark of full width as the ASCII one: U+FF01 to U+FF5E, and the brackets of East
/// Asian quotations.
fn narrow(mark: char) -> char {
    match mark {
        '\u{FF01}'..='\u{FF5E}' => {
            let ascii = u32::from(mark) - 0xFF01 + 0x21;
            char::from_u32(ascii).filter(|ascii| !ascii.is_ascii_alphanumeric()).unwrap_or(mark)
        }
        '【' | '〔' => '[',
        '】' | '〕' => ']',
        other => other,
    }
}
