//! Where a place is in a JSON text (RFC 8259) that may have JSON in its strings, as the
//! arguments of tool calls do: `{"body":"{\"to\":\"kim\"}"}`.

/// Deepest JSON in JSON that is told apart; every level doubles the backslashes.
const DEPTH_MAX: u32 = 4;

/// A place in a JSON text that is read from its beginning.
#[derive(Clone, Copy, Default)]
pub(crate) struct Nesting {
    /// Strings that the place is in.
    depth: u32,
    /// Whether the string of a depth is JSON itself, a bit each.
    is_json: u32,
    /// Backslashes just before the place.
    backslashes: u32,
    beginning: Beginning,
}

/// Whether a string is at its beginning, where it shows that it is JSON.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Beginning {
    #[default]
    Over,
    First,
    /// `[`: an array if an object or a string follows, or else a bracket.
    Bracket,
}

impl Nesting {
    /// Goes on behind a piece of the text.
    pub(crate) fn pass(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.pass_byte(byte));
    }

    fn pass_byte(&mut self, byte: u8) {
        let first = std::mem::take(&mut self.beginning);
        match (byte, first) {
            (b'"', _) => self.quote(self.backslashes.trailing_ones()),
            (b'{', Beginning::First) | (b'{' | b'\\', Beginning::Bracket) => {
                self.is_json |= 1 << self.depth;
            }
            (b'[', Beginning::First) => self.beginning = Beginning::Bracket,
            (b' ', first) => self.beginning = first,
            _ => {}
        }
        self.backslashes = if byte == b'\\' { self.backslashes.saturating_add(1) } else { 0 };
    }

    /// A quotation mark: of the JSON in so many strings. Every level writes a backslash
    /// before it, and another one before every backslash.
    fn quote(&mut self, level: u32) {
        if level < self.depth {
            self.depth = level;
        } else if level == self.depth && level < DEPTH_MAX && self.is_in_json() {
            self.depth += 1;
            self.is_json &= !(1 << self.depth);
            self.beginning = Beginning::First;
        }
    }

    /// How many strings the place is in.
    pub(crate) fn depth(self) -> u32 {
        self.depth
    }

    /// Whether values stand at the place as JSON has them, and a text needs quotation
    /// marks.
    pub(crate) fn is_in_json(self) -> bool {
        self.depth == 0 || self.is_json & 1 << self.depth != 0
    }
}

/// Adds a text as it is written inside of so many JSON strings: quotation marks, reverse
/// solidus and control characters have escapes (RFC 8259 §7).
pub(crate) fn put_escaped(text: &str, depth: u32, out: &mut String) {
    match depth {
        0 => out.push_str(text),
        1 => put_in_string(text, out),
        _ => {
            let mut inner = String::with_capacity(text.len());
            put_escaped(text, depth - 1, &mut inner);
            put_in_string(&inner, out);
        }
    }
}

fn put_in_string(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                out.push_str("\\u00");
                out.push(if u32::from(control) < 0x10 { '0' } else { '1' });
                out.extend(char::from_digit(u32::from(control) % 0x10, 16));
            }
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// Depth and kind of the place that is marked.
    fn at_mark(text: &str) -> (u32, bool) {
        let mut place = Nesting::default();
        place.pass(text.split_once('⌖').unwrap().0);
        (place.depth(), place.is_in_json())
    }

    #[test]
    fn tells_strings_in_strings_apart() {
        for (text, expected) in [
            ("⌖", (0, true)),
            (r#"{"a": ⌖1}"#, (0, true)),
            (r#"{"a": "⌖"}"#, (1, false)),
            (r#"{"a": "x", "b⌖"}"#, (1, false)),
            (r#"{"a": "x\"y⌖"}"#, (1, false)),
            (r#"{"a": "x\\", "b": ⌖"#, (0, true)),
            (r#"{"a": "{⌖"#, (1, true)),
            (r#"{"a": "{\"b⌖"#, (2, false)),
            (r#"{"a": "{\"b\": ⌖"#, (1, true)),
            (r#"{"a": "[\"b⌖"#, (2, false)),
            (r#"{"a": "[EMAIL_k3x9q2] said \"⌖"#, (1, false)),
            (r#"{"a": "{\"b\": \"{\\\"c\\\": \\\"⌖"#, (3, false)),
            (r#"{"a": "{\"b\": \"x\"}", "c": "x \"⌖"#, (1, false)),
            (r#"{"a": "{\"b", "c": "⌖"#, (1, false)),
        ] {
            assert_eq!(at_mark(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn json_in_json_is_written_as_another_writer_does(
            text in "[\"\\\\\n\t\u{1}a가{\\[]{0,12}",
            depth in 1..4_u32,
        ) {
            let mut json = Value::from("⌖");
            for _ in 1..depth {
                json = Value::from(json!({ "a": json }).to_string());
            }
            let around = json!({ "a": json }).to_string();
            prop_assert_eq!(at_mark(&around), (depth, false));
            let mut escaped = String::new();
            put_escaped(&text, depth, &mut escaped);
            let mut read: Value = serde_json::from_str(&around.replace('⌖', &escaped)).unwrap();
            for _ in 1..depth {
                read = serde_json::from_str(read["a"].as_str().unwrap()).unwrap();
            }
            prop_assert_eq!(&read["a"], &text);
        }
    }
}
