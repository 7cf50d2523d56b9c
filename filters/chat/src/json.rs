//! JSON (RFC 8259), read strictly, once, from front to back: events with their
//! places, nothing copied, no recursion.
//!
//! Stricter than the RFC wherever two readers could come to different ends:
//! names are unique in their object, every string can be said in UTF-8 and has no
//! NUL, and depth and number of tokens are bounded.

mod names;
mod number;
mod text;

use std::fmt;
use std::ops::Range;

use contract::limits::{JSON_DEPTH_MAX, JSON_TOKENS_MAX};

pub(crate) use names::Names;
pub use text::Str;
pub(crate) use text::{Unit, Units};

/// What stands somewhere in a JSON text. Its `Debug` shows no text and no number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// `{`
    BeginObject,
    /// `}`
    EndObject,
    /// `[`
    BeginArray,
    /// `]`
    EndArray,
    /// The name of a member; its value is the next event.
    Name(Str<'a>),
    /// A string that is a value.
    String(Str<'a>),
    /// A number as it is written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// `null`
    Null,
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeginObject => "{",
            Self::EndObject => "}",
            Self::BeginArray => "[",
            Self::EndArray => "]",
            Self::Name(_) => "name",
            Self::String(_) => "string",
            Self::Number(_) => "number",
            Self::Bool(_) => "boolean",
            Self::Null => "null",
        })
    }
}

/// A token and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// What stands there.
    pub token: Token<'a>,
    /// In bytes; of strings and names with their quotes.
    pub span: Range<usize>,
}

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Not UTF-8, or not JSON.
    Syntax,
    /// A string with an escaped NUL.
    Nul,
    /// A string with half of a surrogate pair.
    LoneSurrogate,
    /// Deeper than [`JSON_DEPTH_MAX`].
    Depth,
    /// More than [`JSON_TOKENS_MAX`] values and names.
    Tokens,
    /// A name that stands twice in one object, also where it is escaped once.
    Duplicate,
}

/// A fault and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Byte in the text; for [`Reason::Duplicate`] the quote that opens the second
    /// of the two names.
    pub at: usize,
    /// What is wrong there.
    pub reason: Reason,
}

/// What may stand next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A value.
    Value,
    /// A value, or the end of an array.
    FirstItem,
    /// A name, or the end of an object.
    FirstName,
    /// A comma, or the end of what is open.
    More,
    /// Nothing.
    End,
}

/// An object or an array that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    is_object: bool,
    /// How many names were kept when it began.
    names: usize,
}

/// What kind of token was read last; its text is told by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    BeginObject,
    EndObject,
    BeginArray,
    EndArray,
    Name,
    String,
    Number,
    True,
    False,
    Null,
}

/// The events of one JSON text, in its order; after a fault there are no more.
///
/// A name that stands twice is found when its object ends. Who reads to the end
/// without a fault has read one whole JSON value and nothing beside it.
pub struct Events<'a> {
    text: &'a str,
    at: usize,
    next: Next,
    open: Vec<Open>,
    names: Names,
    tokens: usize,
    /// Where the last token is.
    start: usize,
    end: usize,
    /// Whether something in it is escaped.
    escaped: bool,
}

impl<'a> Events<'a> {
    /// The events of `body`.
    ///
    /// # Errors
    /// [`Reason::Syntax`] where it is not UTF-8 (RFC 8259 §8.1).
    pub fn of(body: &'a [u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(body).map_err(|error| Fault::syntax(error.valid_up_to()))?;
        Ok(Self {
            text,
            at: 0,
            next: Next::Value,
            open: Vec::with_capacity(16),
            names: Names::default(),
            tokens: 0,
            start: 0,
            end: 0,
            escaped: false,
        })
    }

    fn step(&mut self) -> Result<Option<Kind>, Fault> {
        let byte = self.after_space();
        let kind = match (self.next, byte) {
            (Next::End, None) => return Ok(None),
            (Next::More, Some(b',')) => {
                self.at += 1;
                let byte = self.after_space();
                if self.is_in_object() { self.name(byte)? } else { self.value(byte)? }
            }
            (Next::More | Next::FirstName, Some(b'}')) if self.is_in_object() => {
                self.close(Kind::EndObject)?
            }
            (Next::More | Next::FirstItem, Some(b']')) if !self.is_in_object() => {
                self.close(Kind::EndArray)?
            }
            (Next::FirstName, byte) => self.name(byte)?,
            (Next::Value | Next::FirstItem, byte) => self.value(byte)?,
            _ => return Err(Fault::syntax(self.at)),
        };
        Ok(Some(kind))
    }

    #[inline]
    fn value(&mut self, byte: Option<u8>) -> Result<Kind, Fault> {
        self.count_token()?;
        self.start = self.at;
        let kind = match byte {
            Some(b'"') => self.string(Kind::String)?,
            Some(b'{') => return self.begin(Kind::BeginObject, Next::FirstName),
            Some(b'[') => return self.begin(Kind::BeginArray, Next::FirstItem),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Kind::True)?,
            Some(b'f') => self.word("false", Kind::False)?,
            Some(b'n') => self.word("null", Kind::Null)?,
            _ => return Err(Fault::syntax(self.at)),
        };
        self.end = self.at;
        self.next = self.behind_value();
        Ok(kind)
    }

    /// A name and its colon.
    #[inline]
    fn name(&mut self, byte: Option<u8>) -> Result<Kind, Fault> {
        if byte != Some(b'"') {
            return Err(Fault::syntax(self.at));
        }
        self.count_token()?;
        self.start = self.at;
        let kind = self.string(Kind::Name)?;
        self.end = self.at;
        self.names.keep(self.inside(), self.start);
        if self.after_space() != Some(b':') {
            return Err(Fault::syntax(self.at));
        }
        self.at += 1;
        self.next = Next::Value;
        Ok(kind)
    }

    fn begin(&mut self, kind: Kind, next: Next) -> Result<Kind, Fault> {
        if self.open.len() >= JSON_DEPTH_MAX {
            return Err(Fault { at: self.at, reason: Reason::Depth });
        }
        let is_object = kind == Kind::BeginObject;
        self.open.push(Open { is_object, names: self.names.len() });
        self.at += 1;
        self.end = self.at;
        self.next = next;
        Ok(kind)
    }

    fn close(&mut self, kind: Kind) -> Result<Kind, Fault> {
        if let Some(open) = self.open.pop()
            && let Some(at) = self.names.close(open.names)
        {
            return Err(Fault { at, reason: Reason::Duplicate });
        }
        self.start = self.at;
        self.at += 1;
        self.end = self.at;
        self.next = self.behind_value();
        Ok(kind)
    }

    #[inline]
    fn string(&mut self, kind: Kind) -> Result<Kind, Fault> {
        let found = text::string(self.text, self.at + 1);
        let (end, escaped) = found.map_err(|(at, reason)| Fault { at, reason })?;
        self.at = end;
        self.escaped = escaped;
        Ok(kind)
    }

    #[inline]
    fn number(&mut self) -> Result<Kind, Fault> {
        self.at = number::number(self.text.as_bytes(), self.at).map_err(Fault::syntax)?;
        Ok(Kind::Number)
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<Kind, Fault> {
        let there = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !there.starts_with(word.as_bytes()) {
            return Err(Fault::syntax(self.at));
        }
        self.at += word.len();
        Ok(kind)
    }

    /// The token that was read last. Built last and at its reader's: moving it about
    /// would cost as much as reading it.
    #[inline]
    fn token(&self, kind: Kind) -> Token<'a> {
        match kind {
            Kind::BeginObject => Token::BeginObject,
            Kind::EndObject => Token::EndObject,
            Kind::BeginArray => Token::BeginArray,
            Kind::EndArray => Token::EndArray,
            Kind::Name => Token::Name(self.inside()),
            Kind::String => Token::String(self.inside()),
            Kind::Number => Token::Number(self.text.get(self.start..self.end).unwrap_or_default()),
            Kind::True => Token::Bool(true),
            Kind::False => Token::Bool(false),
            Kind::Null => Token::Null,
        }
    }

    /// The string that was read last. Its quotes are ASCII, so the cut cannot fail.
    #[inline]
    fn inside(&self) -> Str<'a> {
        let inside = self.start + 1..self.end.saturating_sub(1);
        Str::checked(self.text.get(inside).unwrap_or_default(), self.escaped)
    }

    #[inline]
    fn count_token(&mut self) -> Result<(), Fault> {
        self.tokens += 1;
        if self.tokens > JSON_TOKENS_MAX {
            return Err(Fault { at: self.at, reason: Reason::Tokens });
        }
        Ok(())
    }

    /// The byte that stands behind white space (RFC 8259 §2).
    #[inline]
    fn after_space(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    #[inline]
    fn is_in_object(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_object)
    }

    #[inline]
    fn behind_value(&self) -> Next {
        if self.open.is_empty() { Next::End } else { Next::More }
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<Event<'a>, Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.step() {
            Ok(kind) => {
                let token = self.token(kind?);
                Some(Ok(Event { token, span: self.start..self.end }))
            }
            Err(fault) => {
                self.at = self.text.len();
                self.next = Next::End;
                Some(Err(fault))
            }
        }
    }
}

impl Fault {
    fn syntax(at: usize) -> Self {
        Self { at, reason: Reason::Syntax }
    }

    /// Line and column in `body`, counted from 1, in bytes.
    #[must_use]
    pub fn line_and_column(self, body: &[u8]) -> (usize, usize) {
        let before = body.get(..self.at).unwrap_or(body);
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        (line, before.len() - line_start + 1)
    }
}

#[cfg(test)]
mod tests;
