//! How long the text of a JSON string is, while it is read.

use memchr::memchr2;

/// What a cut may have left open.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// Behind a backslash.
    Begun,
    /// Behind so many digits of `\u`, which are this number.
    Hex(u8, u16),
}

/// Counts the bytes that a string says, in UTF-8.
#[derive(Default)]
pub(super) struct Letters {
    escape: Escape,
}

impl Letters {
    /// Reads on behind an opening quote: how many bytes of `rest` are of the string,
    /// its closing quote included, how many bytes they say, and whether it has ended.
    pub(super) fn push(&mut self, rest: &[u8]) -> (usize, u64, bool) {
        let mut at = 0;
        let mut said = 0;
        while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
            if self.escape != Escape::None {
                let (used, more) = self.escaped(tail);
                at += used;
                said += more;
                continue;
            }
            let Some(found) = memchr2(b'"', b'\\', tail) else {
                return (rest.len(), said + tail.len() as u64, false);
            };
            said += found as u64;
            at += found + 1;
            if tail.get(found) == Some(&b'"') {
                return (at, said, true);
            }
            self.escape = Escape::Begun;
        }
        (at, said, false)
    }

    /// One byte of an escape: what was read and what it says. A quote or a backslash
    /// that breaks an escape off counts as itself.
    fn escaped(&mut self, rest: &[u8]) -> (usize, u64) {
        let byte = rest.first().copied().unwrap_or_default();
        match (self.escape, byte) {
            (Escape::Begun, b'u') => self.escape = Escape::Hex(0, 0),
            (Escape::Hex(..), b'"' | b'\\') => {
                self.escape = Escape::None;
                return (0, 0);
            }
            (Escape::Hex(digits, unit), _) => return (1, self.digit(digits, unit, byte)),
            _ => {
                self.escape = Escape::None;
                return (1, 1);
            }
        }
        (1, 0)
    }

    fn digit(&mut self, digits: u8, unit: u16, byte: u8) -> u64 {
        let value = char::from(byte).to_digit(16).and_then(|value| u16::try_from(value).ok());
        let unit = (unit << 4) | value.unwrap_or(0);
        if digits < 3 {
            self.escape = Escape::Hex(digits + 1, unit);
            return 0;
        }
        self.escape = Escape::None;
        match unit {
            0..0x80 => 1,
            // Two surrogates are a character of four bytes.
            0x80..0x800 | 0xD800..0xE000 => 2,
            _ => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(text: &[u8], cut: usize) -> (usize, u64, bool) {
        let mut letters = Letters::default();
        let (head, _) = text.split_at(cut.min(text.len()));
        let (used, first, closed) = letters.push(head);
        if closed {
            return (used, first, true);
        }
        let (more, second, closed) = letters.push(&text[used..]);
        (used + more, first + second, closed)
    }

    #[test]
    fn counts_what_is_said() {
        for (text, expected) in [
            (r#"abc" tail"#, (4, 3, true)),
            (r#"" tail"#, (1, 0, true)),
            (r#"\"\\\n\/""#, (9, 4, true)),
            (r#"\u0041\u00e9\u20ac\ud83d\ude00""#, (31, 10, true)),
            (r#"é€😀""#, (10, 9, true)),
            (r#"\u12" "#, (5, 0, true)),
            (r#"\u1\"x""#, (7, 2, true)),
            ("abc", (3, 3, false)),
            (r"ab\", (3, 2, false)),
        ] {
            for cut in 0..=text.len() {
                assert_eq!(said(text.as_bytes(), cut), expected, "{text} {cut}");
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_reader(text in ".*", ascii in any::<bool>(), cut in 0usize..60) {
            let mut json = serde_json::to_string(&text).unwrap();
            if ascii {
                let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
                json = format!("\"{}\"", units.collect::<String>());
            }
            let (used, bytes, closed) = said(&json.as_bytes()[1..], cut);
            prop_assert_eq!((used, bytes, closed), (json.len() - 1, text.len() as u64, true));
        }
    }
}
