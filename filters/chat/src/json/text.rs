//! Strings of JSON: where they end, and what they say.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::Reason;

/// The inside of a JSON string as it stands in its text, checked. Its `Debug` does
/// not show it: it may be of a prompt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Str<'a> {
    raw: &'a str,
    escaped: bool,
}

impl fmt::Debug for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Str({} bytes)", self.raw.len())
    }
}

impl<'a> Str<'a> {
    /// A string without escapes: `None` where it could not stand in JSON as it is.
    #[must_use]
    pub fn plain(raw: &'a str) -> Option<Self> {
        let bare = raw.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
        bare.then_some(Self { raw, escaped: false })
    }

    /// The string whose opening quote is at `at` in a text; `None`: there is none.
    #[must_use]
    pub fn at(text: &'a str, at: usize) -> Option<Self> {
        text.as_bytes().get(at).filter(|byte| **byte == b'"')?;
        let (end, escaped) = string(text, at + 1).ok()?;
        text.get(at + 1..end - 1).map(|raw| Self { raw, escaped })
    }

    /// A stretch of a checked string that cuts no escape; `None`: it cuts one.
    pub(crate) fn inside(raw: &'a str) -> Option<Self> {
        let mut escaped = false;
        let mut at = 0;
        while let Some(found) = memchr::memchr(b'\\', raw.as_bytes().get(at..)?) {
            escaped = true;
            at += found + 1;
            at += escape_length(raw.as_bytes(), at).ok()?;
        }
        Some(Self { raw, escaped })
    }

    /// A string that [`string`] has found.
    #[inline]
    pub(super) fn checked(raw: &'a str, escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// As it stands between its quotes.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// Whether something in it is escaped.
    #[must_use]
    pub fn is_escaped(self) -> bool {
        self.escaped
    }

    /// Whether it says `text`.
    #[must_use]
    pub fn unescaped_is(self, text: &str) -> bool {
        // An escape has at most six bytes a byte that it says.
        let fits = (text.len()..=6 * text.len()).contains(&self.raw.len());
        fits && self.unescaped() == text
    }

    /// What it says: copied only where something is escaped.
    #[must_use]
    pub fn unescaped(self) -> Cow<'a, str> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut said = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some((before, after)) = rest.split_once('\\') {
            said.push_str(before);
            let (character, length) = escape(after.as_bytes()).unwrap_or(('\u{fffd}', 1));
            said.push(character);
            rest = after.get(length..).unwrap_or_default();
        }
        said.push_str(rest);
        Cow::Owned(said)
    }
}

/// A stretch of a string as it stands and as it is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Unit {
    /// In the string as it stands, in bytes.
    pub(crate) raw: Range<usize>,
    /// In what it says, in bytes.
    pub(crate) said: Range<usize>,
    /// One escape, which nothing may cut; otherwise the two are the same text.
    pub(crate) is_escape: bool,
}

/// The stretches of a checked string (the inside of its quotes), without a gap.
pub(crate) struct Units<'a> {
    raw: &'a str,
    at: usize,
    said: usize,
}

impl<'a> Units<'a> {
    pub(crate) fn of(raw: &'a str) -> Self {
        Self { raw, at: 0, said: 0 }
    }
}

impl Iterator for Units<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        let rest = self.raw.as_bytes().get(self.at..).filter(|rest| !rest.is_empty())?;
        let (raw, said, is_escape) = match rest.strip_prefix(b"\\") {
            Some(behind) => {
                let (character, length) = escape(behind).unwrap_or(('\u{fffd}', 1));
                (1 + length, character.len_utf8(), true)
            }
            None => {
                let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
                (plain, plain, false)
            }
        };
        let unit =
            Unit { raw: self.at..self.at + raw, said: self.said..self.said + said, is_escape };
        (self.at, self.said) = (unit.raw.end, unit.said.end);
        Some(unit)
    }
}

/// Where the string ends that begins at `open`, just behind its quote: behind its
/// closing quote; and whether something is escaped. Otherwise the place and the kind
/// of the fault.
#[inline]
pub(super) fn string(text: &str, open: usize) -> Result<(usize, bool), (usize, Reason)> {
    let bytes = text.as_bytes();
    let mut at = open;
    let mut escaped = false;
    loop {
        at += plain_bytes(bytes.get(at..).unwrap_or_default());
        match bytes.get(at) {
            Some(b'"') => return Ok((at + 1, escaped)),
            Some(b'\\') => {
                escaped = true;
                at += 1 + escape_length(bytes, at + 1)?;
            }
            _ => return Err((at, Reason::Syntax)),
        }
    }
}

/// The bytes of the escape behind a backslash.
#[inline]
fn escape_length(bytes: &[u8], at: usize) -> Result<usize, (usize, Reason)> {
    if let Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') = bytes.get(at) {
        return Ok(1);
    }
    let said = escape(bytes.get(at..).unwrap_or_default());
    said.map(|(_, length)| length).map_err(|(offset, reason)| (at + offset, reason))
}

/// What the escape behind a backslash says, and its bytes; otherwise the place
/// and the kind of the fault.
fn escape(rest: &[u8]) -> Result<(char, usize), (usize, Reason)> {
    let character = match rest.first() {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return code_point(rest),
        _ => return Err((0, Reason::Syntax)),
    };
    Ok((character, 1))
}

/// `uXXXX`, or two of them that are one character (RFC 8259 §7).
fn code_point(rest: &[u8]) -> Result<(char, usize), (usize, Reason)> {
    let unit = code_unit(rest, 1)?;
    if !(0xD800..0xE000).contains(&unit) {
        let character = char::from_u32(unit).filter(|character| *character != '\0');
        return character.map(|character| (character, 5)).ok_or((0, Reason::Nul));
    }
    if unit >= 0xDC00 || rest.get(5..7) != Some(b"\\u") {
        return Err((0, Reason::LoneSurrogate));
    }
    let low = code_unit(rest, 7)?;
    if !(0xDC00..0xE000).contains(&low) {
        return Err((0, Reason::LoneSurrogate));
    }
    let both = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    char::from_u32(both).map(|character| (character, 11)).ok_or((0, Reason::LoneSurrogate))
}

/// Four hexadecimal digits from `at` on.
fn code_unit(rest: &[u8], at: usize) -> Result<u32, (usize, Reason)> {
    let mut unit = 0;
    for place in at..at + 4 {
        let digit = rest.get(place).and_then(|byte| char::from(*byte).to_digit(16));
        unit = unit * 16 + digit.ok_or((place, Reason::Syntax))?;
    }
    Ok(unit)
}

/// How many bytes there are before the first quote, backslash or control
/// character. Most of a body passes here: eight bytes at a time, and 32 in long
/// texts, where compilers make vector instructions of it.
#[inline]
fn plain_bytes(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
        if at == 32 {
            at += 32 * plain_blocks(bytes.get(at..).unwrap_or_default());
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| ends_plain(byte)).unwrap_or(rest.len())
}

/// How many blocks there are before the first one that is not plain.
fn plain_blocks(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<32>();
    let is_plain = |block: &[u8; 32]| block.iter().fold(true, |all, &b| all & !ends_plain(b));
    blocks.iter().position(|block| !is_plain(block)).unwrap_or(blocks.len())
}

#[inline]
fn ends_plain(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

/// The top bit of each byte that ends plain text; above the lowest one that is
/// marked, a borrow may mark more.
#[inline]
fn marks(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const TOP: u64 = 0x80 * EACH;
    let below = |word: u64, bound: u64| word.wrapping_sub(bound * EACH) & !word;
    // With this bit turned, the quote (0x22) comes next to the control characters,
    // and the space (0x20) goes where it was.
    let control_or_quote = below(word ^ (0x02 * EACH), 0x21);
    let backslash = below(word ^ (0x5C * EACH), 1);
    (control_or_quote | backslash) & TOP
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(inside: &str) -> Result<String, Reason> {
        let text = format!("{inside}\"");
        let (end, _) = string(&text, 0).map_err(|(_, reason)| reason)?;
        assert_eq!(end, text.len());
        let text = format!("\"{text}");
        let found = Str::at(&text, 0).unwrap();
        assert_eq!(found.raw(), inside);
        Ok(found.unescaped().into_owned())
    }

    #[test]
    fn says_what_is_escaped() {
        for (inside, expected) in [
            ("", ""),
            ("é가😀", "é가😀"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\u0041\u00e9\uD55C", "Aé한"),
            (r"\uD83D\uDE00!", "😀!"),
            (r"\uffff\u0001", "\u{ffff}\u{1}"),
            (r"a\\u0000", r"a\u0000"),
        ] {
            assert_eq!(said(inside).unwrap(), expected, "{inside}");
        }
    }

    #[test]
    fn refuses_what_no_string_says() {
        for (inside, reason) in [
            (r"\u0000", Reason::Nul),
            (r"\uD83D", Reason::LoneSurrogate),
            (r"\uDE00", Reason::LoneSurrogate),
            (r"\uDE00\uD83D", Reason::LoneSurrogate),
            (r"\uD83Dx", Reason::LoneSurrogate),
            (r"\uD83D\n", Reason::LoneSurrogate),
            (r"\uD83D\uD83D", Reason::LoneSurrogate),
            (r"\uD83D\u0041", Reason::LoneSurrogate),
            (r"\uD83D\u00", Reason::Syntax),
            (r"\u00", Reason::Syntax),
            (r"\u+041", Reason::Syntax),
            (r"\u00g1", Reason::Syntax),
            (r"\U0041", Reason::Syntax),
            (r"\x41", Reason::Syntax),
            (r"\'", Reason::Syntax),
            (r"\", Reason::Syntax),
            ("\n", Reason::Syntax),
            ("\u{0}", Reason::Syntax),
            ("tab\t", Reason::Syntax),
        ] {
            assert_eq!(said(inside), Err(reason), "{inside:?}");
        }
    }

    #[test]
    fn names_the_place_of_a_fault() {
        for (text, at) in [("abc", 3), ("a\nb\"", 1), (r#"ab\x""#, 3), (r#"\u00g0""#, 4)] {
            assert_eq!(string(text, 0).unwrap_err().0, at, "{text}");
        }
    }

    #[test]
    fn plain_is_what_needs_no_escape() {
        assert_eq!(Str::plain("é/😀").unwrap().unescaped(), "é/😀");
        for text in ["\"", "\\", "\n", "a\u{0}"] {
            assert_eq!(Str::plain(text), None);
        }
    }

    #[test]
    fn a_stretch_is_a_string_unless_it_cuts_an_escape() {
        for raw in ["", "é", r"a\n", r"\uD83D\uDE00", r"\\"] {
            let inside = Str::inside(raw).unwrap();
            assert_eq!(Str::at(&format!("\"{raw}\""), 0), Some(inside));
        }
        for raw in ["\\", r"a\u00", r"\uD83D", r"\\\", r"\x"] {
            assert_eq!(Str::inside(raw), None, "{raw}");
        }
    }

    #[test]
    fn stretches_are_what_is_said() {
        let raw = r"ab\n\uD83D\uDE00é\\";
        let told: Vec<_> = Units::of(raw)
            .map(|unit| (raw.get(unit.raw).unwrap(), unit.said, unit.is_escape))
            .collect();
        let expected = [
            ("ab", 0..2, false),
            (r"\n", 2..3, true),
            (r"\uD83D\uDE00", 3..7, true),
            ("é", 7..9, false),
            (r"\\", 9..10, true),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn finds_the_end_at_every_place() {
        for byte in [b'"', b'\\', 0, 0x1f] {
            for place in 0..100 {
                let mut bytes = vec![0x20; 100];
                bytes[place] = byte;
                assert_eq!(plain_bytes(&bytes), place, "{byte}");
            }
        }
        assert_eq!(plain_bytes(&[0xff; 77]), 77);
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_search(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let plain = bytes.iter().position(|byte| ends_plain(*byte)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_bytes(&bytes), plain);
        }

        #[test]
        fn agrees_with_another_reader(inside in r#"([^"\\\x00-\x1f]|\\[\\"/bfnrt]|\\u[0-9a-fA-F]{4}|\\uD[89AB][0-9A-F]{2}\\uD[C-F][0-9A-F]{2}){0,20}"#) {
            let other = serde_json::from_str::<String>(&format!("\"{inside}\""));
            match said(&inside) {
                Ok(said) => prop_assert_eq!(Some(said), other.ok()),
                Err(Reason::Nul) => {}
                Err(_) => prop_assert!(other.is_err()),
            }
        }
    }
}
