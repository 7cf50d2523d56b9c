//! A JSON answer, read as it passes.
//!
//! Not a validator: what it does not understand passes as it came. It holds
//! back nothing but the bytes of a model's name that has not ended yet.

use std::ops::Range;

use crate::bounded::Bounded;
use crate::edit::json_string;
use crate::splice::Splice;
use crate::structural::{end_of_text, next_structural};
use crate::usage::UsageKeeper;

/// Longest value of `model` that is replaced, quotes and escapes included, in
/// bytes; it is also the most that is ever held back. A longer one passes.
pub const MODEL_VALUE_BYTES_MAX: usize = 512;

/// Largest usage object that is read, in bytes. Those of today have under 500.
pub const USAGE_BYTES_MAX: usize = 16 * 1024;

/// Longest member name, `type` or `object` that is looked at, in bytes; the
/// longest that matters is `response.incomplete` (with escapes: six times that).
const WORD_BYTES_MAX: usize = 120;

/// What was noticed in an answer, over all of its documents.
#[derive(Clone, Copy, Debug, Default)]
pub struct Findings {
    /// The token counts.
    pub usage: UsageKeeper,
    /// `error` or `response.error` was there and not null, or the document said
    /// by its `object` or `type` that it is an error.
    pub error: bool,
    /// An event said that it is the last of its stream: `message_stop`,
    /// `response.completed`, `response.failed`, `response.incomplete`.
    pub last_event: bool,
}

impl Findings {
    fn word(&mut self, word: &[u8]) {
        match word {
            b"error" => self.error = true,
            b"response.failed" => (self.error, self.last_event) = (true, true),
            b"message_stop" | b"response.completed" | b"response.incomplete" => {
                self.last_event = true;
            }
            _ => {}
        }
    }
}

/// Member names that matter, by where they stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    Model,
    Usage,
    Error,
    /// `type` and `object` of the document itself.
    Kind,
    /// `response` and `message`, which may hold the first three.
    Envelope,
    Other,
}

impl Member {
    fn of(name: &[u8], level: Level) -> Self {
        match (name, level) {
            (b"model", _) => Self::Model,
            (b"usage", _) => Self::Usage,
            (b"error", _) => Self::Error,
            (b"type" | b"object", Level::Document) => Self::Kind,
            (b"response" | b"message", Level::Document) => Self::Envelope,
            _ => Self::Other,
        }
    }
}

/// Which object the scanner is in, of the two kinds that it looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Document,
    Envelope,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the document.
    Start,
    /// Between two members.
    Between,
    /// In a member's name.
    Name,
    /// Before the colon.
    Colon,
    /// Before the value.
    Value,
    /// In a model's name, its opening quote included.
    Model,
    /// In a `type` or `object`.
    Kind,
    /// In any other string.
    Text,
    /// In a number or a literal.
    Scalar,
    /// In an array or object, so many brackets deep.
    Nested { depth: u32, in_text: bool, usage: bool },
    /// Behind the document.
    Closed,
    /// In something that is no JSON object: passes.
    Foreign,
}

/// Reads one JSON document after the other, in slices of any size, and puts the
/// asked name where the engine wrote its own: at `model`, `response.model` and
/// `message.model` of the document. Every other byte passes as it came.
pub struct AnswerScanner {
    /// The name that was asked for, as a JSON string.
    asked: Box<[u8]>,
    state: State,
    level: Level,
    member: Member,
    /// The last byte was a backslash inside of a string.
    escaped: bool,
    word: Bounded<WORD_BYTES_MAX>,
    /// The beginning of a model's value that is held back.
    held: Vec<u8>,
    usage: Bounded<USAGE_BYTES_MAX>,
    findings: Findings,
}

impl AnswerScanner {
    /// A scanner before its first document; `asked` is not yet escaped.
    #[must_use]
    pub fn new(asked: &str) -> Self {
        Self {
            asked: json_string(asked).into(),
            state: State::Start,
            level: Level::Document,
            member: Member::Other,
            escaped: false,
            word: Bounded::default(),
            held: Vec::new(),
            usage: Bounded::default(),
            findings: Findings::default(),
        }
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Whether the document, an object, has come to its end.
    #[must_use]
    pub fn closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Forgets the document, ended or not, and waits for another. The caller
    /// has [broken the line](Self::break_line) or [finished](Self::finish), so
    /// nothing is held back.
    pub fn restart(&mut self) {
        self.state = State::Start;
        self.level = Level::Document;
        self.escaped = false;
    }

    /// Reads on in the bytes of `out`'s chunk that `span` names.
    pub fn push(&mut self, span: Range<usize>, out: &mut Splice<'_>) {
        let mut at = span.start;
        let mut rest = out.chunk().get(span).unwrap_or_default();
        while !rest.is_empty() {
            let used = self.step(rest, at, out);
            at += used;
            rest = rest.get(used..).unwrap_or_default();
        }
    }

    /// The document goes on behind bytes that are none of its own, which stand
    /// for a line feed (the `data` lines of one event). A name that such a line
    /// end cuts is no JSON any more: what was held back of it leaves before `at`.
    pub fn break_line(&mut self, at: usize, out: &mut Splice<'_>) {
        match self.state {
            State::Model => self.give_up_name(at, out),
            State::Nested { usage: true, .. } => self.usage.push(b"\n"),
            _ => {}
        }
    }

    /// No more bytes come: what was held back leaves as it is.
    pub fn finish(&mut self) -> Vec<u8> {
        if self.state == State::Model {
            self.state = State::Foreign;
        }
        std::mem::take(&mut self.held)
    }

    /// Reads some bytes and says how many. None at all only together with a
    /// state that reads at least one.
    fn step(&mut self, rest: &[u8], at: usize, out: &mut Splice<'_>) -> usize {
        match self.state {
            State::Start | State::Between | State::Colon | State::Value => self.token(rest),
            State::Name | State::Kind => self.short_text(rest),
            State::Model => self.model(rest, at, out),
            State::Text => self.text(rest),
            State::Scalar => self.scalar(rest),
            State::Nested { depth, in_text, usage } => self.nested(rest, depth, in_text, usage),
            State::Closed | State::Foreign => rest.len(),
        }
    }

    /// Space, then the one byte that says what comes next.
    fn token(&mut self, rest: &[u8]) -> usize {
        let is_space = |b: &u8| matches!(b, b' ' | b'\n' | b'\r' | b'\t');
        let spaces = rest.iter().take_while(|b| is_space(b)).count();
        let Some(byte) = rest.get(spaces) else { return spaces };
        let (state, used) = match (self.state, byte) {
            (State::Start, b'{') | (State::Between, b',') => (State::Between, 1),
            (State::Between, b'"') => (self.begin_short_text(State::Name), 1),
            (State::Between, b'}') => (self.leave(), 1),
            (State::Colon, b':') => (State::Value, 1),
            (State::Value, byte) => self.begin_value(*byte),
            _ => (State::Foreign, 1),
        };
        self.state = state;
        spaces + used
    }

    /// The state at a value's first byte, and whether that byte was read.
    fn begin_value(&mut self, byte: u8) -> (State, usize) {
        self.findings.error |= self.member == Member::Error && byte != b'n';
        match (byte, self.member) {
            (b'"', Member::Model) => (State::Model, 0),
            (b'"', Member::Kind) => (self.begin_short_text(State::Kind), 1),
            (b'"', _) => (State::Text, 1),
            (b'{', Member::Envelope) => (self.enter(), 1),
            (b'{', Member::Usage) => {
                self.usage.clear();
                (State::Nested { depth: 0, in_text: false, usage: true }, 0)
            }
            (b'{' | b'[', _) => (State::Nested { depth: 1, in_text: false, usage: false }, 1),
            _ => (State::Scalar, 0),
        }
    }

    fn begin_short_text(&mut self, state: State) -> State {
        self.word.clear();
        self.word.push(b"\"");
        state
    }

    fn enter(&mut self) -> State {
        self.level = Level::Envelope;
        State::Between
    }

    fn leave(&mut self) -> State {
        if self.level == Level::Document {
            return State::Closed;
        }
        self.level = Level::Document;
        State::Between
    }

    fn short_text(&mut self, rest: &[u8]) -> usize {
        let (used, closed) = end_of_text(rest, &mut self.escaped);
        self.word.push(rest.get(..used).unwrap_or_default());
        if closed && self.state == State::Name {
            self.member =
                unquoted(&self.word, |name| Member::of(name, self.level)).unwrap_or(Member::Other);
            self.state = State::Colon;
        } else if closed {
            unquoted(&self.word, |word| self.findings.word(word));
            self.state = State::Between;
        }
        used
    }

    fn text(&mut self, rest: &[u8]) -> usize {
        let (used, closed) = end_of_text(rest, &mut self.escaped);
        if closed {
            self.state = State::Between;
        }
        used
    }

    fn scalar(&mut self, rest: &[u8]) -> usize {
        let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b'"' | b' ' | b'\n' | b'\r' | b'\t');
        let end = rest.iter().position(ends);
        if end.is_some() {
            self.state = State::Between;
        }
        end.unwrap_or(rest.len())
    }

    fn model(&mut self, rest: &[u8], at: usize, out: &mut Splice<'_>) -> usize {
        let opening = usize::from(self.held.is_empty());
        let (used, closed) =
            end_of_text(rest.get(opening..).unwrap_or_default(), &mut self.escaped);
        let used = opening + used;
        let value = rest.get(..used).unwrap_or(rest);
        if self.held.len() + used > MODEL_VALUE_BYTES_MAX {
            self.give_up_name(at, out);
            self.state = if closed { State::Between } else { State::Text };
        } else if closed {
            if !self.held.is_empty() || value != &*self.asked {
                out.replace(at..at + used, &self.asked);
            }
            self.held.clear();
            self.state = State::Between;
        } else {
            self.held.extend_from_slice(value);
            out.replace(at..at + used, b"");
        }
        used
    }

    fn give_up_name(&mut self, at: usize, out: &mut Splice<'_>) {
        if !self.held.is_empty() {
            out.replace(at..at, &self.held);
            self.held.clear();
        }
        self.state = State::Text;
    }

    fn nested(&mut self, rest: &[u8], mut depth: u32, mut in_text: bool, usage: bool) -> usize {
        let mut at = 0;
        while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
            if in_text {
                let (used, closed) = end_of_text(tail, &mut self.escaped);
                at += used;
                in_text = !closed;
                continue;
            }
            let Some((offset, byte)) = next_structural(tail) else {
                at = rest.len();
                break;
            };
            at += offset + 1;
            match byte {
                b'"' => in_text = true,
                b'{' | b'[' => depth = depth.saturating_add(1),
                _ => depth = depth.saturating_sub(1),
            }
            if depth == 0 {
                break;
            }
        }
        if usage {
            self.usage.push(rest.get(..at).unwrap_or_default());
        }
        self.state = State::Nested { depth, in_text, usage };
        if depth == 0 {
            self.close_nested(usage);
        }
        at
    }

    fn close_nested(&mut self, usage: bool) {
        self.state = State::Between;
        if let Some(object) = self.usage.whole().filter(|_| usage) {
            self.findings.usage.merge(object);
        }
    }
}

/// Calls `then` with what a JSON string says, when it is short enough to matter.
fn unquoted<T>(word: &Bounded<WORD_BYTES_MAX>, then: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let quoted = word.whole()?;
    if quoted.contains(&b'\\') {
        let text: String = serde_json::from_slice(quoted).ok()?;
        return Some(then(text.as_bytes()));
    }
    Some(then(quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?))
}

#[cfg(test)]
mod tests;
