//! A folded text with the places that detectors begin at, found in one pass.

use std::ops::Range;

use crate::detectors::Nearest;
use crate::evidence::{WINDOW_CHARS, Words};

mod figures;
mod joints;

pub use figures::Figures;
pub use joints::{Gap, Joints};

/// A maximal run of ASCII digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits {
    /// Its first byte.
    pub start: usize,
    /// Just behind its last byte.
    pub end: usize,
}

impl Digits {
    /// How many digits.
    #[must_use]
    pub fn len(self) -> usize {
        self.end - self.start
    }
}

/// A text as detectors look at it.
pub struct Scene<'t> {
    text: &'t str,
    digits: Vec<Digits>,
    /// What stands behind each run, but for the last.
    gaps: Vec<Gap>,
    ats: Vec<usize>,
    colons: Vec<usize>,
    nearest: Nearest,
}

impl<'t> Scene<'t> {
    /// Looks over a folded text.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        let mut scene = Self {
            text,
            digits: Vec::new(),
            gaps: Vec::new(),
            ats: Vec::new(),
            colons: Vec::new(),
            nearest: Nearest::default(),
        };
        scene.look_over();
        let between = |pair: &[Digits]| match pair {
            [this, next] => Gap::of(scene.slice(this.end..next.start)),
            _ => Gap::default(),
        };
        scene.gaps = scene.digits.windows(2).map(between).collect();
        scene
    }

    fn look_over(&mut self) {
        let mut at = 0;
        for chunk in self.text.as_bytes().chunks(CHUNK_BYTES) {
            if chunk.iter().fold(false, |any, byte| any | is_place(*byte)) {
                self.look_at(at, chunk);
            }
            at += chunk.len();
        }
    }

    fn look_at(&mut self, at: usize, chunk: &[u8]) {
        for (place, byte) in (at..).zip(chunk) {
            match byte {
                b'0'..=b'9' => match self.digits.last_mut() {
                    Some(run) if run.end == place => run.end += 1,
                    _ => self.digits.push(Digits { start: place, end: place + 1 }),
                },
                b'@' => self.ats.push(place),
                b':' => self.colons.push(place),
                _ => {}
            }
        }
    }

    /// The folded text.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The same in bytes.
    #[must_use]
    pub fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// Every run of digits, in order.
    #[must_use]
    pub fn digits(&self) -> &[Digits] {
        &self.digits
    }

    /// Every `@`, in order.
    #[must_use]
    pub fn ats(&self) -> &[usize] {
        &self.ats
    }

    /// Every `:`, in order.
    #[must_use]
    pub fn colons(&self) -> &[usize] {
        &self.colons
    }

    /// The labels before its runs of digits that somebody has asked for.
    #[must_use]
    pub fn nearest(&self) -> &Nearest {
        &self.nearest
    }

    /// The line that a place is in, without its line break.
    #[must_use]
    pub fn line(&self, place: usize) -> Range<usize> {
        let before = self.bytes().get(..place).unwrap_or_default();
        let behind = self.bytes().get(place..).unwrap_or_default();
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let end = memchr::memchr(b'\n', behind).map_or(self.text.len(), |at| place + at);
        start..end
    }

    /// The byte at a place.
    #[must_use]
    pub fn byte(&self, at: usize) -> Option<u8> {
        self.bytes().get(at).copied()
    }

    /// The byte before a place.
    #[must_use]
    pub fn before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).and_then(|at| self.byte(at))
    }

    /// The text of a span; empty where that is none.
    #[must_use]
    pub fn slice(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }

    /// What stands between the run of digits `index` and the one behind it; `None`
    /// behind the last.
    #[must_use]
    pub fn gap(&self, index: usize) -> Option<&'t str> {
        let (this, next) = (self.digits.get(index)?, self.digits.get(index + 1)?);
        Some(self.slice(this.end..next.start))
    }

    /// How the run of digits `index` and the one behind it hang together; behind the last
    /// they do not.
    #[must_use]
    pub fn joint(&self, index: usize) -> Gap {
        self.gaps.get(index).copied().unwrap_or_default()
    }

    /// The digits of a span, without what stands between them.
    #[must_use]
    pub fn digits_of(&self, span: Range<usize>) -> Figures {
        Figures::of(self.bytes().get(span).unwrap_or_default())
    }

    /// Whether a span stands by itself: no ASCII letter, digit or `_` touches it. Hangul
    /// may follow and precede anything.
    #[must_use]
    pub fn stands_alone(&self, span: &Range<usize>) -> bool {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !self.before(span.start).is_some_and(is_word) && !self.byte(span.end).is_some_and(is_word)
    }

    /// Up to so many characters before a place.
    #[must_use]
    pub fn chars_before(&self, at: usize, chars: usize) -> &'t str {
        let Some(text) = self.text.get(..at) else { return "" };
        let bytes = text.as_bytes().get(at.saturating_sub(4 * chars)..).unwrap_or_default();
        let mut firsts = bytes.iter().rev().enumerate().filter(|(_, byte)| is_first(**byte));
        let start = match chars.checked_sub(1).map(|last| firsts.nth(last)) {
            None => at,
            Some(None) => 0,
            Some(Some((back, _))) => at - back - 1,
        };
        self.slice(start..at)
    }

    /// Up to so many characters behind a place.
    #[must_use]
    pub fn chars_behind(&self, at: usize, chars: usize) -> &'t str {
        let Some(text) = self.text.get(at..) else { return "" };
        let mut firsts = text.bytes().enumerate().filter(|(_, byte)| is_first(*byte));
        let len = firsts.nth(chars).map_or(text.len(), |(len, _)| len);
        self.slice(at..at + len)
    }

    /// Whether one of the words stands in the [window](WINDOW_CHARS) before a place.
    #[must_use]
    pub fn says_before(&self, at: usize, words: &Words) -> bool {
        self.says_before_within(at, WINDOW_CHARS, words)
    }

    /// Whether one of the words stands in the window behind a place.
    #[must_use]
    pub fn says_behind(&self, at: usize, words: &Words) -> bool {
        self.says_behind_within(at, WINDOW_CHARS, words)
    }

    /// Whether one of the words stands before or behind a span.
    #[must_use]
    pub fn says_near(&self, span: &Range<usize>, words: &Words) -> bool {
        self.says_before(span.start, words) || self.says_behind(span.end, words)
    }

    /// Whether one of the words stands in so many characters before a place.
    #[must_use]
    pub fn says_before_within(&self, at: usize, chars: usize, words: &Words) -> bool {
        words.stand_in(self.chars_before(at, chars))
    }

    /// Whether one of the words stands in so many characters behind a place.
    #[must_use]
    pub fn says_behind_within(&self, at: usize, chars: usize, words: &Words) -> bool {
        words.stand_in(self.chars_behind(at, chars))
    }

    /// Whether one of the words stands before a place, in its window and on its line.
    #[must_use]
    pub fn says_before_on_line(&self, at: usize, words: &Words) -> bool {
        let window = self.chars_before(at, WINDOW_CHARS);
        words.stand_in(window.rsplit('\n').next().unwrap_or_default())
    }

    /// Whether one of the words stands behind a place, in its window and on its line.
    #[must_use]
    pub fn says_behind_on_line(&self, at: usize, words: &Words) -> bool {
        let window = self.chars_behind(at, WINDOW_CHARS);
        words.stand_in(window.split('\n').next().unwrap_or_default())
    }
}

/// How many bytes are asked at once whether a place is among them: enough for the
/// compiler to compare them side by side.
const CHUNK_BYTES: usize = 64;

const fn is_place(byte: u8) -> bool {
    // From '0' to ':', or '@'.
    byte.wrapping_sub(b'0') <= b':' - b'0' || byte == b'@'
}

/// Whether a byte is the first of a character.
pub const fn is_first(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

#[cfg(test)]
#[path = "scene/tests.rs"]
mod tests;
