//! Tokens and values of PDF (ISO 32000-2 §7.2 and §7.3), as far as a page tree
//! needs them.

use super::work::Work;

/// A name as it is written, its `#xx` not resolved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a>(&'a [u8]);

impl Name<'_> {
    /// Whether the name says this, however it is written (§7.3.5).
    pub(super) fn is(self, said: &[u8]) -> bool {
        let mut rest = self.0;
        let mut said = said.iter();
        while let [first, tail @ ..] = rest {
            let (byte, tail) = match tail {
                [high, low, tail @ ..] if *first == b'#' => match (hex(*high), hex(*low)) {
                    (Some(high), Some(low)) => (high << 4 | low, tail),
                    _ => (*first, rest.get(1..).unwrap_or_default()),
                },
                _ => (*first, tail),
            };
            if said.next() != Some(&byte) {
                return false;
            }
            rest = tail;
        }
        said.next().is_none()
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// A value, or the opening of one that has others inside.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Name(Name<'a>),
    /// A whole number that is not negative.
    Number(u32),
    /// The number of an object.
    Reference(u32),
    ArrayStart,
    ArrayEnd,
    DictionaryStart,
    DictionaryEnd,
    /// A word that is none of the above: `null`, `stream`, `-1`.
    Word(&'a [u8]),
    /// A string.
    Text,
}

/// Reads values from a place on, each byte once. Out of `work` it is at its end: who
/// has read asks [`Work`] whether it was that.
pub(super) struct Lexer<'a, 'w> {
    text: &'a [u8],
    at: usize,
    work: &'w Work,
    /// Tokens that were read but not taken, the first one first.
    ahead: [Option<Value<'a>>; 2],
}

impl<'a, 'w> Lexer<'a, 'w> {
    pub(super) fn new(text: &'a [u8], at: usize, work: &'w Work) -> Self {
        Self { text, at, work, ahead: [None, None] }
    }

    /// The next value; `None` at the end.
    pub(super) fn value(&mut self) -> Option<Value<'a>> {
        let value = self.token()?;
        let Value::Number(number) = value else { return Some(value) };
        let Some(Value::Number(_)) = self.ahead(0) else { return Some(value) };
        let Some(Value::Word(b"R")) = self.ahead(1) else { return Some(value) };
        self.ahead = [None, None];
        Some(Value::Reference(number))
    }

    /// The value of a dictionary's member: `None` as well where there is none.
    pub(super) fn member(&mut self) -> Option<Value<'a>> {
        if matches!(self.ahead(0), Some(Value::DictionaryEnd)) { None } else { self.value() }
    }

    /// The next token, when it is a number.
    pub(super) fn number(&mut self) -> Option<u32> {
        match self.token()? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Passes by what a value that was just opened has inside.
    pub(super) fn skip_inside(&mut self) {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.token() {
                Some(Value::ArrayStart | Value::DictionaryStart) => depth += 1,
                Some(Value::ArrayEnd | Value::DictionaryEnd) => depth -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }

    /// Where the data of a stream begins, when the next word opens one (§7.3.8.1).
    pub(super) fn stream_start(&mut self) -> Option<usize> {
        let Some(Value::Word(b"stream")) = self.token() else { return None };
        // Nothing is ahead: only numbers look there.
        let behind = self.text.get(self.at..)?;
        let line_end = match behind {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
        Some(self.at + line_end)
    }

    /// A token that stands ahead, by its place there.
    fn ahead(&mut self, place: usize) -> Option<Value<'a>> {
        if self.ahead.get(place)?.is_none() {
            let next = self.next_token();
            *self.ahead.get_mut(place)? = next;
        }
        *self.ahead.get(place)?
    }

    fn token(&mut self) -> Option<Value<'a>> {
        let [first, second] = self.ahead;
        if first.is_none() {
            return self.next_token();
        }
        self.ahead = [second, None];
        first
    }

    fn next_token(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        let token = self.skip_space().and_then(|()| self.token_here());
        // Also when that was the end: many objects may reach for it.
        self.work.steps(1)?;
        self.work.bytes(self.at - start)?;
        token
    }

    fn token_here(&mut self) -> Option<Value<'a>> {
        let first = *self.text.get(self.at)?;
        let second = self.text.get(self.at + 1).copied();
        self.at += 1;
        Some(match (first, second) {
            (b'/', _) => Value::Name(Name(self.regular())),
            (b'[', _) => Value::ArrayStart,
            (b']', _) => Value::ArrayEnd,
            (b'<', Some(b'<')) => self.one_more(Value::DictionaryStart),
            (b'>', Some(b'>')) => self.one_more(Value::DictionaryEnd),
            (b'<', _) => self.hex_text(),
            (b'(', _) => self.literal_text()?,
            _ if is_delimiter(first) => Value::Word(&[]),
            _ => {
                self.at -= 1;
                word(self.regular())
            }
        })
    }

    fn one_more(&mut self, value: Value<'a>) -> Value<'a> {
        self.at += 1;
        value
    }

    /// White space and comments; `None` when there were too many.
    fn skip_space(&mut self) -> Option<()> {
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                byte if is_space(*byte) => self.at += 1,
                b'%' => {
                    self.work.steps(1)?;
                    let comment = self.text.get(self.at..).unwrap_or_default();
                    self.at += memchr::memchr2(b'\r', b'\n', comment).unwrap_or(comment.len());
                }
                _ => break,
            }
        }
        Some(())
    }

    fn regular(&mut self) -> &'a [u8] {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| is_space(*byte) || is_delimiter(*byte));
        let regular = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at += regular.len();
        regular
    }

    fn hex_text(&mut self) -> Value<'a> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += memchr::memchr(b'>', rest).map_or(rest.len(), |end| end + 1);
        Value::Text
    }

    /// Up to the bracket that closes it: brackets inside are in pairs or escaped.
    fn literal_text(&mut self) -> Option<Value<'a>> {
        let mut depth = 1_usize;
        while depth > 0 {
            self.work.steps(1)?;
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(next) = memchr::memchr3(b'(', b')', b'\\', rest) else {
                self.at = self.text.len();
                break;
            };
            match rest.get(next) {
                Some(b'(') => depth += 1,
                Some(b')') => depth -= 1,
                _ => self.at += 1,
            }
            self.at += next + 1;
        }
        Some(Value::Text)
    }
}

fn word(word: &[u8]) -> Value<'_> {
    let digits = word.strip_prefix(b"+").unwrap_or(word);
    let add = |number: u32, byte: &u8| {
        let digit = byte.wrapping_sub(b'0');
        let more = number.checked_mul(10)?.checked_add(u32::from(digit))?;
        (digit < 10).then_some(more)
    };
    let number = digits.iter().try_fold(0, add).filter(|_| !digits.is_empty());
    number.map_or(Value::Word(word), Value::Number)
}

/// §7.2.3, table 1.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b'\0' | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

/// §7.2.3, table 2.
pub(super) fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> String {
        let work = Work::default();
        let mut lexer = Lexer::new(text, 0, &work);
        let mut read = String::new();
        while let Some(value) = lexer.value() {
            read.push_str(&match value {
                Value::Name(name) => format!("/{} ", String::from_utf8_lossy(name.0)),
                Value::Number(number) => format!("{number} "),
                Value::Reference(number) => format!("R{number} "),
                Value::ArrayStart => "[ ".to_owned(),
                Value::ArrayEnd => "] ".to_owned(),
                Value::DictionaryStart => "<< ".to_owned(),
                Value::DictionaryEnd => ">> ".to_owned(),
                Value::Word(word) => format!("{} ", String::from_utf8_lossy(word)),
                Value::Text => "() ".to_owned(),
            });
        }
        read.trim_end().to_owned()
    }

    #[test]
    fn reads_values() {
        for (text, expected) in [
            (&b"<</Type/Page/Kids[1 0 R 2 0 R]>>"[..], "<< /Type /Page /Kids [ R1 R2 ] >>"),
            (b"/A%comment >>\n/B", "/A /B"),
            (b"(a(b)\\)c) 1", "() 1"),
            (b"(\\\\) 1", "() 1"),
            (b"(never closed 1 0 R", "()"),
            (b"<48 45> <<", "() <<"),
            (b"1 2 3 0 R", "1 2 R3"),
            (b"1 2 3 4 R 5 R", "1 2 R3 5 R"),
            (b"1 2 /R 3 [ 0 R", "1 2 /R 3 [ 0 R"),
            (b"+ 4294967295 4294967296 1+ +1", "+ 4294967295 4294967296 1+ 1"),
            (b"1 0R 1\x000\x0cR", "1 0R R1"),
            (b"-1 1.5 null true 99999999999", "-1 1.5 null true 99999999999"),
            (b"+7 ) }", "7"),
            (b"%only a comment", ""),
        ] {
            assert_eq!(read(text), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn names_are_compared_as_they_read() {
        for (name, said, expected) in [
            (&b"Page"[..], &b"Page"[..], true),
            (b"P#61ge", b"Page", true),
            (b"#50#61#67#65", b"Page", true),
            (b"Pages", b"Page", false),
            (b"Pag", b"Page", false),
            (b"Page#", b"Page#", true),
            (b"Page#6", b"Page#6", true),
            (b"#zz", b"#zz", true),
            (b"", b"", true),
        ] {
            assert_eq!(Name(name).is(said), expected, "{}", name.escape_ascii());
        }
    }

    #[test]
    fn passes_by_what_is_inside() {
        let work = Work::default();
        let mut lexer = Lexer::new(b"<< /A [ << >> ] (>>) >> /B", 2, &work);
        lexer.skip_inside();
        assert!(matches!(lexer.value(), Some(Value::Name(name)) if name.is(b"B")));
        let mut open = Lexer::new(b"[[", 1, &work);
        open.skip_inside();
        assert!(open.value().is_none());
    }

    #[test]
    fn finds_the_data_of_a_stream() {
        for (text, expected) in [
            (&b" stream\r\nx"[..], Some(9)),
            (b"stream\nx", Some(7)),
            (b"stream\rx", Some(7)),
            (b"stream", Some(6)),
            (b"endstream", None),
            (b"", None),
        ] {
            let work = Work::default();
            assert_eq!(Lexer::new(text, 0, &work).stream_start(), expected);
        }
    }
}
