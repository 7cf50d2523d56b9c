//! A JSON answer, read as it passes.
//!
//! Not a validator: what it does not understand passes as it came. It holds
//! back nothing but the bytes of a model's name that has not ended yet.

use std::ops::Range;

use memchr::memchr2;

use crate::bounded::Bounded;
use crate::edit::json_string;
use crate::places::{Kind, UsagePlaces};
use crate::splice::Splice;
use crate::structural::end_of_text;
use errors::Errors;
pub use findings::{Delivered, Findings};
use letters::Letters;
use member::{Member, Scope};
use word::Word;

mod errors;
mod findings;
mod letters;
mod member;
mod values;
mod word;

/// Longest value of `model` that is replaced, quotes and escapes included, in
/// bytes; it is also the most that is ever held back. A longer one passes.
pub const MODEL_VALUE_BYTES_MAX: usize = 512;

/// Largest usage object that is read, in bytes. Those of today have under 500.
pub const USAGE_BYTES_MAX: usize = 16 * 1024;

/// Most objects and arrays in each other that are looked into. The deepest that
/// matters is `choices[].delta.tool_calls[].function`.
const SCOPES_MAX: usize = 8;

/// What the next byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the document.
    Start,
    /// Between two members or items.
    Between,
    /// In a member's name.
    Name,
    /// Before the colon.
    Colon,
    /// Before the value.
    Value,
    /// In a model's name, its opening quote included.
    Model,
    /// In a string that is looked at.
    Word,
    /// In generated text.
    Generated,
    /// In a text that is an error.
    Told,
    /// In any other string.
    Text,
    /// In a number or a literal.
    Scalar,
    /// In an array or object that is not looked into.
    Nested,
    /// Behind the document.
    Closed,
    /// In something that is no JSON object: passes.
    Foreign,
}

/// An array or object that is not looked into. Apart from [`State`], which so is one
/// byte and costs nothing to pass about.
#[derive(Clone, Copy, Default)]
struct Nested {
    /// So many brackets deep.
    depth: u32,
    in_text: bool,
    kept: Kept,
}

/// What is done with it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kept {
    #[default]
    Nothing,
    /// It is a usage object.
    Usage,
    /// It was generated.
    Bytes,
    /// It is an error.
    Error,
}

impl Nested {
    fn of_error() -> Self {
        Self { kept: Kept::Error, ..Self::default() }
    }
}

/// What is known of the document that is being read.
#[derive(Default)]
struct Document {
    has_choices: bool,
    choices: u64,
    /// The number of the last choice.
    index: u64,
    /// Bytes of generated text.
    said: u64,
    /// Whether this delta's reasoning was counted.
    reasoned: bool,
    /// Whether there is a usage object that was not taken in.
    has_usage: bool,
    has_error: bool,
}

/// Reads one JSON document after the other, in slices of any size, and puts the
/// asked name where the engine wrote its own: at `model`, `response.model` and
/// `message.model` of the document. Every other byte passes as it came.
pub struct AnswerScanner {
    /// The name that was asked for, as a JSON string.
    asked: Box<[u8]>,
    /// Whether documents are events of a stream.
    is_event: bool,
    state: State,
    nested: Nested,
    scopes: [Scope; SCOPES_MAX],
    /// How many of them are open around the innermost.
    depth: usize,
    member: Member,
    /// The last byte was a backslash inside of a string.
    escaped: bool,
    letters: Letters,
    word: Word,
    /// The beginning of a model's value that is held back.
    held: Vec<u8>,
    usage: Bounded<USAGE_BYTES_MAX>,
    document: Document,
    places: UsagePlaces,
    findings: Findings,
    /// Errors are told again.
    errors: Option<Box<Errors>>,
}

impl AnswerScanner {
    /// A scanner before its only document; `asked` is not yet escaped.
    #[must_use]
    pub fn new(asked: &str) -> Self {
        Self {
            asked: json_string(asked).into(),
            is_event: false,
            state: State::Start,
            nested: Nested::default(),
            scopes: [Scope::Document; SCOPES_MAX],
            depth: 0,
            member: Member::Other,
            escaped: false,
            letters: Letters::default(),
            word: Word::default(),
            held: Vec::new(),
            usage: Bounded::default(),
            document: Document::default(),
            places: UsagePlaces::default(),
            findings: Findings::default(),
            errors: None,
        }
    }

    /// A scanner of the data of a stream's events.
    #[must_use]
    pub fn of_events(asked: &str) -> Self {
        Self { is_event: true, ..Self::new(asked) }
    }

    /// The same, for completions with so many answers to each of several prompts.
    pub(crate) fn set_answers_per_prompt(&mut self, answers: u64) {
        self.findings.usage.set_answers_per_prompt(answers);
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Where the document's own usage stands in what leaves.
    pub(crate) fn places(&mut self) -> &mut UsagePlaces {
        &mut self.places
    }

    /// How many choices the document has; `None`: it has none of them, or an error.
    pub(crate) fn choices(&self) -> Option<u64> {
        let is_chunk = self.document.has_choices && !self.document.has_error;
        is_chunk.then_some(self.document.choices)
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
        self.settle();
        self.state = State::Start;
        self.depth = 0;
        self.escaped = false;
        self.letters = Letters::default();
        self.document = Document::default();
        self.places.clear();
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
            State::Scalar => self.word.push(b"\n"),
            State::Nested if self.nested.kept == Kept::Usage => self.usage.push(b"\n"),
            State::Nested if self.nested.kept == Kept::Error => self.keep_error(b"\n"),
            State::Told => self.keep_error(b"\n"),
            _ => {}
        }
    }

    /// No more bytes come: what was held back leaves as it is.
    pub fn finish(&mut self) -> Vec<u8> {
        self.settle();
        if self.state == State::Model {
            self.state = State::Foreign;
        }
        std::mem::take(&mut self.held)
    }

    /// Reads some bytes and says how many. None at all only together with a
    /// state that reads at least one.
    fn step(&mut self, rest: &[u8], at: usize, out: &mut Splice<'_>) -> usize {
        match self.state {
            State::Start | State::Between | State::Colon | State::Value => {
                self.token(rest, at, out)
            }
            State::Name | State::Word => self.short_text(rest),
            State::Model => self.model(rest, at, out),
            State::Generated => self.generated(rest),
            State::Told => self.told(rest, at, out),
            State::Text => self.text(rest),
            State::Scalar => self.scalar(rest, at, out),
            State::Nested => {
                let used = self.nested(rest);
                if self.nested.kept == Kept::Error {
                    self.tell(at, used, out);
                }
                self.note_end(at + used, out);
                used
            }
            State::Closed | State::Foreign => rest.len(),
        }
    }

    fn scope(&self) -> Scope {
        self.scopes.get(self.depth).copied().unwrap_or(Scope::Document)
    }

    /// Space and the bytes that say what comes next, up to the first that does not.
    fn token(&mut self, rest: &[u8], at: usize, out: &Splice<'_>) -> usize {
        let mut used = 0;
        while let Some(byte) = rest.get(used) {
            let (state, read) = match (self.state, byte) {
                (state, b' ' | b'\n' | b'\r' | b'\t') => (state, 1),
                (State::Between, b'"') if !self.scope().is_array() => {
                    self.begin_name(rest.get(used + 1..).unwrap_or_default(), at + used, out)
                }
                (State::Start, b'{') => (State::Between, 1),
                (State::Between, byte) => self.between(*byte, at + used, out),
                (State::Colon, b':') => (State::Value, 1),
                (State::Value, byte) => self.begin_value(*byte, at + used, out),
                _ => (State::Foreign, 1),
            };
            self.state = state;
            used += read;
            if !matches!(state, State::Between | State::Colon | State::Value | State::Start) {
                break;
            }
        }
        used
    }

    /// The state at a name's quote, and how much was read: the name and its colon too,
    /// where all of it is there and nothing is escaped, as is usual.
    fn begin_name(&mut self, rest: &[u8], at: usize, out: &Splice<'_>) -> (State, usize) {
        if self.depth == 0 {
            self.places.name(out.place(at));
        }
        let end = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        if word::fits(name) && rest.get(end..).is_some_and(|rest| rest.starts_with(b"\":")) {
            self.member = Member::of(name, self.scope(), self.is_event);
            return (State::Value, end + 3);
        }
        self.word.clear();
        (State::Name, 1)
    }

    /// The state at a byte between two members or items, and whether it was read.
    fn between(&mut self, byte: u8, at: usize, out: &Splice<'_>) -> (State, usize) {
        let scope = self.scope();
        match byte {
            b',' => {
                if self.depth == 0 {
                    self.places.comma(out.place(at));
                }
                (State::Between, 1)
            }
            b'}' if !scope.is_array() => (self.leave(), 1),
            b']' if scope.is_array() => (self.leave(), 1),
            b'{' if scope.is_array() => (self.enter(scope.item()), 1),
            byte if scope.is_array() && byte != b'}' => {
                self.member = Member::Other;
                self.begin_value(byte, at, out)
            }
            _ => (State::Foreign, 1),
        }
    }

    /// The state at a value's first byte, and whether that byte was read.
    fn begin_value(&mut self, byte: u8, at: usize, out: &Splice<'_>) -> (State, usize) {
        let member = self.member;
        if member == Member::Error && byte != b'n' {
            self.findings.error = true;
            self.document.has_error = true;
        }
        if self.depth == 0 {
            let kind = if member == Member::Usage { Kind::of(byte) } else { Kind::Other };
            self.places.value(kind, out.place(at));
        }
        if matches!(member, Member::Error | Member::Message)
            && let Some(state) = self.begin_error(byte)
        {
            return (state, 0);
        }
        if let Some(scope) = member.inside(byte)
            && self.depth + 1 < SCOPES_MAX
        {
            return (self.enter(scope), 1);
        }
        match (byte, member) {
            (b'"', Member::Model) => (State::Model, 0),
            (b'"', Member::Text | Member::TextOr(_) | Member::Arguments) => (State::Generated, 1),
            (b'"', Member::Reasoning) if !self.document.reasoned => (State::Generated, 1),
            (b'"', member) if member.is_word() => {
                self.word.clear();
                (State::Word, 1)
            }
            (b'"', _) => (State::Text, 1),
            (b'{', Member::Usage) => {
                self.settle_usage();
                self.usage.clear();
                (self.begin_nested(0, Kept::Usage), 0)
            }
            (b'{', Member::Arguments) if !self.is_event => (self.begin_nested(0, Kept::Bytes), 0),
            (b'{' | b'[', _) => (self.begin_nested(1, Kept::Nothing), 1),

            _ => {
                self.word.clear();
                (State::Scalar, 0)
            }
        }
    }

    fn begin_nested(&mut self, depth: u32, kept: Kept) -> State {
        self.nested = Nested { depth, in_text: false, kept };
        State::Nested
    }

    fn enter(&mut self, scope: Scope) -> State {
        self.depth += 1;
        if let Some(innermost) = self.scopes.get_mut(self.depth) {
            *innermost = scope;
        }
        match scope {
            Scope::Choices => self.document.has_choices = true,
            Scope::Choice => {
                self.document.choices += 1;
                self.document.index = 0;
            }
            Scope::Delta => self.document.reasoned = false,
            _ => {}
        }
        State::Between
    }

    fn leave(&mut self) -> State {
        if self.depth == 0 {
            self.settle();
            return State::Closed;
        }
        self.depth -= 1;
        State::Between
    }

    /// Takes the usage object in, now that it is known whose it is: in an event with
    /// one choice it is of that choice (vLLM, SGLang).
    fn settle_usage(&mut self) {
        if !std::mem::take(&mut self.document.has_usage) {
            return;
        }
        let choice = (self.is_event && self.document.choices == 1).then_some(self.document.index);
        if let Some(object) = self.usage.whole() {
            let has_text = self.document.said > 0;
            self.findings.usage.merge_of(choice, object, has_text);
        }
    }

    fn short_text(&mut self, rest: &[u8]) -> usize {
        let (used, closed) = end_of_text(rest, &mut self.escaped);
        let piece = rest.get(..used).unwrap_or_default();
        if !closed {
            self.word.push(piece);
            return used;
        }
        let word = self.word.ended(piece);
        if self.state == State::Name {
            let scope = self.scope();
            self.member =
                word.map_or(Member::Other, |name| Member::of(&name, scope, self.is_event));
            self.state = State::Colon;
        } else {
            if let Some(word) = word {
                self.notice(&word);
            }
            self.state = State::Between;
        }
        used
    }

    fn notice(&mut self, word: &[u8]) {
        match self.member {
            Member::Kind => {
                self.document.has_error |= word == b"error";
                self.findings.kind(word);
            }
            Member::Finish => self.findings.finish(word),
            Member::Id => self.findings.id(word),
            Member::Duration => self.findings.duration(word),
            Member::Sequence => self.findings.sequence(word),
            Member::Index => self.document.index = findings::whole(word).unwrap_or(0),
            _ => {}
        }
    }

    /// What the document says is taken in.
    fn settle(&mut self) {
        let counts = self.findings.usage.objects();
        self.settle_usage();
        if self.is_event {
            let said = std::mem::take(&mut self.document.said);
            let delivered = &mut self.findings.delivered;
            delivered.events += u64::from(said > 0);
            delivered.bytes = delivered.bytes.saturating_add(said);
        }
        if self.findings.usage.objects() != counts {
            self.findings.counted = self.findings.delivered;
        }
    }
}

#[cfg(test)]
mod tests;
