//! The first reading of a text: every character for itself.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::char::compose;

use super::escapes::{escape, no_escape};
use super::letters::{Reading, reading};
use super::map::{Map, Writer};

/// Reads a text character by character.
#[must_use]
pub fn read(text: &str) -> (Cow<'_, str>, Map) {
    let mut reader = Reader { text, writer: Writer::of(text), word: Word::default() };
    let mut at = 0;
    loop {
        at = plain(text.as_bytes(), at);
        if at >= text.len() {
            return reader.writer.finish();
        }
        at += reader.look(at).max(1);
    }
}

/// A word that has been looked at for letters that resemble Latin ones.
#[derive(Default)]
struct Word {
    end: usize,
    is_latin: bool,
}

struct Reader<'t> {
    text: &'t str,
    writer: Writer<'t>,
    word: Word,
}

impl Reader<'_> {
    /// Looks at what stands at a place; its length.
    fn look(&mut self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let Some(c) = rest.chars().next() else { return 0 };
        if !c.is_ascii() {
            self.read(c, at..at + c.len_utf8(), false);
            return c.len_utf8();
        }
        match escape(rest.as_bytes()) {
            Some((meant, len)) => {
                self.read(meant, at..at + len, true);
                len
            }
            None => no_escape(rest.as_bytes()),
        }
    }

    fn read(&mut self, c: char, span: Range<usize>, is_escaped: bool) {
        let read = match reading(c) {
            Reading::Same => None,
            Reading::Gone => return self.writer.put(span, None),
            Reading::As(other) => Some(other),
            Reading::Joins => {
                if self.writer.join(span.clone(), |last| compose(last, c)) {
                    return;
                }
                None
            }
            Reading::Resembles(letter) => self.is_latin(&span).then_some(letter),
            Reading::Numeral(digit) => self.is_in_numerals(&span).then_some(digit),
            Reading::Bar => self.follows_digit(&span).then_some('-'),
            Reading::LongDash => (!self.leads_to_number(&span)).then_some('-'),
        };
        match read {
            Some(other) => self.writer.put(span, Some(other)),
            None if is_escaped => self.writer.put(span, Some(c)),
            None => {}
        }
    }

    /// Whether the word around a letter has Latin letters or digits.
    fn is_latin(&mut self, span: &Range<usize>) -> bool {
        if span.start >= self.word.end {
            let before = self.text.get(..span.start).unwrap_or_default().as_bytes();
            let joint = before.iter().rev().find(|byte| !b"@._-+".contains(byte));
            let rest = self.text.get(span.start..).unwrap_or_default();
            let word = rest.split(|c| !is_of_word(c)).next().unwrap_or_default();
            let has_latin = word.bytes().any(|byte| byte.is_ascii_alphanumeric());
            self.word.is_latin = has_latin || joint.is_some_and(u8::is_ascii_alphanumeric);
            self.word.end = span.start + word.len().max(1);
        }
        self.word.is_latin
    }

    /// Whether at least three circled or raised digits stand here in a row: one alone
    /// numbers an item or a footnote.
    fn is_in_numerals(&self, span: &Range<usize>) -> bool {
        let is_numeral = |c: &char| matches!(reading(*c), Reading::Numeral(_));
        let before = self.text.get(..span.start).unwrap_or_default();
        let behind = self.text.get(span.end..).unwrap_or_default();
        let run = before.chars().rev().take(2).take_while(is_numeral).count()
            + behind.chars().take(2).take_while(is_numeral).count();
        run >= 2
    }

    /// Whether a digit stands before, or with one space on each side.
    fn follows_digit(&self, span: &Range<usize>) -> bool {
        let last = |place| self.writer.last(place);
        if last(span.start) != Some(' ') {
            return last(span.start).is_some_and(|c| c.is_ascii_digit());
        }
        let before = span.start.checked_sub(1).and_then(|at| self.writer.last(at));
        let behind = self.text.as_bytes().get(span.end..span.end + 2);
        let goes_on = matches!(behind, Some([b' ', digit]) if digit.is_ascii_digit());
        goes_on && before.is_some_and(|c| c.is_ascii_digit())
    }

    fn leads_to_number(&self, span: &Range<usize>) -> bool {
        let last = self.writer.last(span.start);
        let is_sentence = last.is_some_and(|c| c.is_ascii_lowercase() || is_hangul(c));
        let behind = self.text.as_bytes().get(span.end);
        is_sentence && behind.is_some_and(u8::is_ascii_digit)
    }
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '@' | '.' | '_' | '-' | '+')
        || ('\u{370}'..'\u{600}').contains(&c)
        || matches!(reading(c), Reading::Resembles(_))
}

fn is_hangul(c: char) -> bool {
    ('가'..='힣').contains(&c)
}

/// How many bytes are asked at once whether all are plain.
const CHUNK_BYTES: usize = 32;

/// The first place at or behind `at` that has to be looked at.
fn plain(bytes: &[u8], mut at: usize) -> usize {
    let mut ascii = 0;
    while let Some(byte) = bytes.get(at) {
        let step = usize::from(STEPS.get(usize::from(*byte)).copied().unwrap_or(0));
        if step == 0 {
            return at;
        }
        at += step;
        ascii = if step == 1 { ascii + 1 } else { 0 };
        // Hangul has single spaces, which are not worth a longer look.
        if ascii >= 4 {
            at += plain_chunks(bytes.get(at..).unwrap_or_default());
            ascii = 0;
        }
    }
    bytes.len()
}

fn plain_chunks(bytes: &[u8]) -> usize {
    let chunks = bytes.chunks_exact(CHUNK_BYTES);
    let is_plain = |chunk: &&[u8]| !chunk.iter().fold(false, |any, byte| any | is_odd(*byte));
    chunks.take_while(is_plain).count() * CHUNK_BYTES
}

const fn is_odd(byte: u8) -> bool {
    byte >= 0x80 || byte == b'\\' || byte == b'%' || byte == b'&'
}

/// By first byte: the length of a character that is read as it is, 0 for one that has
/// to be looked at.
const STEPS: [u8; 256] = steps();

const fn steps() -> [u8; 256] {
    let mut steps = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "at compile time")]
        {
            steps[byte] = step(byte);
        }
        byte += 1;
    }
    steps
}

const fn step(byte: usize) -> u8 {
    match byte {
        0x25 | 0x26 | 0x5C => 0,
        0..=0x7F => 1,
        // Latin letters with accents.
        0xC3 | 0xC5..=0xC8 => 2,
        // Thai and others, Han, Hangul, private use.
        0xE0 | 0xE4..=0xEE => 3,
        // Emoji are 0xF0 as the mathematical letters are.
        0xF1 | 0xF2 => 4,
        _ => 0,
    }
}
