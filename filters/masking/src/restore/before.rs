//! What stands just before a place in the text as the engine wrote it.

use super::Escape;
use crate::nesting::Nesting;

/// Says whether a word goes on, and how a value is written.
#[derive(Clone, Copy, Default)]
pub(super) struct Before {
    /// A letter, a digit or `_` that is not part of an escape.
    is_word: bool,
    /// How many characters of an escape are to come; of JSON alone.
    escape_chars: u8,
    nesting: Nesting,
}

/// Of `\uXXXX`, with the `u`.
const LONG_ESCAPE_CHARS: u8 = 5;

impl Before {
    /// Goes on behind a piece of the text.
    pub(super) fn pass(&mut self, text: &str, escape: Escape) {
        match escape {
            Escape::None => {
                let last = text.bytes().next_back();
                self.is_word = last.map_or(self.is_word, is_word);
            }
            Escape::Json => {
                text.bytes().for_each(|byte| self.pass_json(byte));
                self.nesting.pass(text);
            }
        }
    }

    fn pass_json(&mut self, byte: u8) {
        let left = self.escape_chars;
        self.is_word = left == 0 && is_word(byte);
        self.escape_chars = match (left, byte) {
            (0, b'\\') => ESCAPE_BEGINS,
            (ESCAPE_BEGINS, b'u') => LONG_ESCAPE_CHARS - 1,
            (0 | 1 | ESCAPE_BEGINS, _) => 0,
            (more, _) => more - 1,
        };
    }

    /// Whether a letter or digit that follows would go on a word.
    pub(super) fn is_word(self) -> bool {
        self.is_word
    }

    /// Whether what follows is part of an escape.
    pub(super) fn is_in_escape(self) -> bool {
        self.escape_chars > 0
    }

    /// How many JSON strings a value is written into.
    pub(super) fn depth(self, escape: Escape) -> u32 {
        match escape {
            Escape::None => 0,
            Escape::Json => self.nesting.depth().max(1),
        }
    }
}

/// Just behind a backslash: how long the escape is, the next character says.
const ESCAPE_BEGINS: u8 = u8::MAX;

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(text: &str, escape: Escape) -> (bool, bool) {
        let mut before = Before::default();
        before.pass(text, escape);
        (before.is_word(), before.is_in_escape())
    }

    #[test]
    fn tells_words_from_escapes() {
        for (text, json, plain) in [
            ("", (false, false), (false, false)),
            ("a", (true, false), (true, false)),
            ("_", (true, false), (true, false)),
            ("가", (false, false), (false, false)),
            ("\\", (false, true), (false, false)),
            ("\\n", (false, false), (true, false)),
            ("\\nn", (true, false), (true, false)),
            ("\\\\", (false, false), (false, false)),
            ("\\\\n", (true, false), (true, false)),
            ("\\u", (false, true), (true, false)),
            ("\\u00e", (false, true), (true, false)),
            ("\\u00e4", (false, false), (true, false)),
            ("\\u00e4x", (true, false), (true, false)),
        ] {
            assert_eq!(behind(text, Escape::Json), json, "{text}");
            assert_eq!(behind(text, Escape::None), plain, "{text}");
        }
    }
}
