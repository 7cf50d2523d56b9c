//! One way over the events of a body, collecting what decides.

use std::borrow::Cow;
use std::ops::Range;

use super::word::{Folded, Word};
use super::{FIELDS_MAX, MEDIA_MAX};
use crate::json::{Event, Names, Str, Token};
use crate::medium::Medium;

mod media;
mod options;

use super::asked::{Items, MaxTokensPlaces};
use media::Parts;
use options::Options;

/// The value of a member of the body itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    String(Str<'a>, Range<usize>),
    Object(Range<usize>),
    Array,
}

/// What was found in a body.
#[derive(Default)]
pub(super) struct Found<'a> {
    /// Just behind the brace that opens the body; `None`: it is no object.
    pub(super) insert_at: Option<usize>,
    /// Names of the body's own members, and no more than one over the bound.
    pub(super) fields: Vec<Cow<'a, str>>,
    pub(super) steering: Vec<&'static str>,
    /// Media, up to the bound.
    pub(super) media: Vec<Medium<'a>>,
    /// Whether there were more at any time.
    pub(super) is_over_media: bool,
    pub(super) options: Options,
    pub(super) max_tokens: MaxTokensPlaces,
    /// `metadata.user_id`.
    pub(super) user_id: Option<Str<'a>>,
    /// Items of `prompt`, where it is a list.
    pub(super) prompt_items: Items,
    /// Items of `input`.
    pub(super) input_items: Items,
    /// Bytes of all strings that a model may be given to read.
    pub(super) text_bytes: u64,
    /// Items of `documents`.
    pub(super) document_items: Items,
    /// Where a name stands that decides something and stood in the same object
    /// before, in another spelling: engines differ in which of the two they read.
    pub(super) again: Option<usize>,
    /// Values of members that mean something; beyond the bound of `fields` the body
    /// is refused.
    members: Vec<(Word, Value<'a>)>,
}

impl<'a> Found<'a> {
    /// The value of a member of the body that is there and not null.
    pub(super) fn value(&self, member: Word) -> Option<&Value<'a>> {
        let found = self.members.iter().find(|(word, _)| *word == member);
        found.map(|(_, value)| value).filter(|value| **value != Value::Null)
    }

    /// Where the place of a member's value is kept, if it is.
    fn place(&mut self, member: Word) -> Option<&mut Option<Range<usize>>> {
        Some(match member {
            Word::MaxTokens => &mut self.max_tokens.max_tokens,
            Word::MaxCompletionTokens => &mut self.max_tokens.max_completion_tokens,
            Word::MaxOutputTokens => &mut self.max_tokens.max_output_tokens,
            Word::StreamOptions => &mut self.options.places.options,
            _ => return None,
        })
    }

    fn steers(&mut self, name: &'static str) {
        if !self.steering.contains(&name) {
            self.steering.push(name);
        }
    }

    fn medium(&mut self, medium: Medium<'a>) {
        self.is_over_media |= self.media.len() >= MEDIA_MAX;
        if !self.is_over_media {
            self.media.push(medium);
        }
    }
}

/// An object or array that is open.
struct Frame<'a> {
    /// The member that it is the value of; of things in an array, the array's.
    word: Word,
    /// Of an object, the member that is being read.
    member: Word,
    /// Whether that member, or the array's, is spelled as the APIs do.
    is_spelled: bool,
    is_object: bool,
    /// Whether engines only pass on what is in it.
    is_opaque: bool,
    /// How many media there were when it began.
    media: usize,
    /// How many names were known when it began.
    known: usize,
    parts: Parts<'a>,
}

/// The way itself.
#[derive(Default)]
pub(super) struct Walk<'a> {
    pub(super) found: Found<'a>,
    frames: Vec<Frame<'a>>,
    /// Names of open objects below the body that mean something to some engine.
    known: Names,
    /// The member of the body that is being read.
    root: Word,
    /// Whether the member of an object of the body that is being read is `user_id`.
    is_user_id: bool,
}

impl<'a> Walk<'a> {
    /// Takes the next event of the body.
    #[inline]
    pub(super) fn pass(&mut self, event: Event<'a>) {
        match event.token {
            Token::Name(name) => self.name(name, event.span.start),
            Token::BeginObject => self.begin(event.span, true),
            Token::BeginArray => self.begin(event.span, false),
            Token::EndObject | Token::EndArray => self.end(event.span.end),
            Token::String(text) => self.string(text, event.span),
            Token::Number(number) => self.scalar(Value::Number(number), event.span),
            Token::Bool(flag) => self.scalar(Value::Bool(flag), event.span),
            Token::Null => self.scalar(Value::Null, event.span),
        }
    }

    #[inline]
    fn name(&mut self, name: Str<'a>, at: usize) {
        if self.frames.len() > 1 {
            return self.name_below(name, at);
        }
        // What decides is meant to the letter: any other spelling is another field.
        self.root = Word::of_body(name);
        if let Some(frame) = self.frames.last_mut() {
            (frame.member, frame.is_spelled) = (self.root, true);
        }
        if self.found.fields.len() <= FIELDS_MAX {
            self.found.fields.push(name.unescaped());
        }
    }

    /// Takes the name of a member below the body's own. One that some engine reads as
    /// a known one counts as that, so that nothing is hidden by its spelling; and it
    /// must not stand beside another spelling of itself.
    fn name_below(&mut self, name: Str<'a>, at: usize) {
        let Some(frame) = self.frames.last_mut() else { return };
        let Folded { mut word, said, is_spelled } = Folded::of(name);
        self.is_user_id = is_spelled && said == "user_id";
        if word != Word::Other && (!frame.is_opaque || word == Word::Reference) {
            self.known.keep_said(&said, at);
        }
        if self.root == Word::StreamOptions && !is_spelled {
            word = Word::Other;
        }
        (frame.member, frame.is_spelled) = (word, is_spelled);
    }

    /// Members below the body's own that steer the engine by having a value. To have none
    /// (`null`) is to be absent: clients write so of what they do not set.
    fn note_steering(&mut self) {
        let Some(frame) = self.frames.last() else { return };
        if self.frames.len() < 2 || !frame.is_object || frame.is_opaque {
            return;
        }
        let word = frame.member;
        let in_options = self.frames.len() == 2 && self.root == Word::StreamOptions;
        match word {
            Word::Steering(name) => self.found.steers(name),
            Word::SteeringInMessages(name) if matches!(self.root, Word::Messages | Word::Input) => {
                self.found.steers(name);
            }
            Word::IncludeUsage | Word::ContinuousUsage | Word::IncludeObfuscation => {}
            _ if in_options => self.found.steers("stream_options"),
            _ => {}
        }
    }

    fn begin(&mut self, span: Range<usize>, is_object: bool) {
        self.note_steering();
        self.note_item(false);
        self.note_option(&Value::Array, &span);
        let word = self.word();
        let is_opaque = self.is_opaque(word);
        let is_spelled = is_object || self.frames.last().is_none_or(|frame| frame.is_spelled);
        match self.frames.len() {
            0 if is_object => self.found.insert_at = Some(span.end),
            1 => self.body_member(
                if is_object { Value::Object(span.clone()) } else { Value::Array },
                &span,
            ),
            _ => {}
        }
        self.frames.push(Frame {
            word,
            member: Word::Other,
            is_spelled,
            is_object,
            is_opaque,
            media: self.found.media.len(),
            known: self.known.len(),
            parts: Parts::default(),
        });
    }

    fn end(&mut self, end: usize) {
        let Some(frame) = self.frames.pop() else { return };
        let again = self.known.close(frame.known);
        self.found.again = self.found.again.or(again);
        if self.frames.len() == 1 {
            self.end_member(end);
        }
        if frame.is_object && !frame.is_opaque {
            self.close_object(&frame);
        }
    }

    fn scalar(&mut self, value: Value<'a>, span: Range<usize>) {
        if value != Value::Null {
            self.note_steering();
        }
        self.note_item(matches!(value, Value::Number(_)));
        self.note_option(&value, &span);
        self.body_member(value, &span);
    }

    #[inline]
    fn string(&mut self, text: Str<'a>, span: Range<usize>) {
        self.note_steering();
        self.note_item(false);
        self.note_option(&Value::Array, &span);
        self.note_text(&span);
        if self.is_user_id && self.root == Word::Metadata && self.frames.len() == 2 {
            self.found.user_id = Some(text);
        }
        let word = self.word();
        let is_opaque = self.frames.last().is_some_and(|frame| frame.is_opaque);
        if !is_opaque || word == Word::Reference {
            self.text(word, text, span.clone());
        }
        self.body_member(Value::String(text, span.clone()), &span);
    }

    /// Notes an item of a list that is a member of the body itself.
    #[inline]
    fn note_item(&mut self, is_number: bool) {
        if self.frames.len() != 2 || self.frames.last().is_none_or(|frame| frame.is_object) {
            return;
        }
        match self.root {
            Word::Prompt => self.found.prompt_items.note(is_number),
            Word::Input => self.found.input_items.note(is_number),
            Word::Documents => self.found.document_items.note(is_number),
            _ => {}
        }
    }

    /// Counts what a model may be given to read: strings, but for those of the body itself
    /// that only say how.
    #[inline]
    fn note_text(&mut self, span: &Range<usize>) {
        let is_read =
            self.frames.len() > 1 || matches!(self.root, Word::Prompt | Word::Input | Word::Query);
        if is_read {
            let bytes = span.len().saturating_sub(2) as u64;
            self.found.text_bytes = self.found.text_bytes.saturating_add(bytes);
        }
    }

    /// Notes a member of `stream_options`.
    #[inline]
    fn note_option(&mut self, value: &Value<'a>, span: &Range<usize>) {
        if self.frames.len() == 2 && self.root == Word::StreamOptions {
            self.found.options.note(self.word(), value, span);
        }
    }

    /// Notes a member of the body itself.
    fn body_member(&mut self, value: Value<'a>, span: &Range<usize>) {
        let is_root_member = self.frames.len() == 1;
        if !is_root_member || !self.frames.last().is_some_and(|frame| frame.is_object) {
            return;
        }
        if let Some(name) = reaches_state(self.root, &value) {
            self.found.steers(name);
        }
        if let Some(place) = self.found.place(self.root) {
            *place = Some(span.clone());
        }
        if self.root != Word::Other && self.found.members.len() <= FIELDS_MAX {
            self.found.members.push((self.root, value));
        }
    }

    /// The object that is a member of the body itself ends.
    fn end_member(&mut self, end: usize) {
        if let Some((word, Value::Object(span))) = self.found.members.last_mut()
            && *word == self.root
        {
            span.end = end;
        }
    }

    /// What the value that comes next is called.
    fn word(&self) -> Word {
        let frame = self.frames.last();
        frame.map_or(Word::Other, |frame| if frame.is_object { frame.member } else { frame.word })
    }

    /// Whether engines only pass on what is in a value: what callers note for
    /// themselves, the schemas of answers and tools, and what a model has said to
    /// a tool (`messages[].content[].input`).
    ///
    /// In another spelling than the APIs' none is: engines may read it or not.
    fn is_opaque(&self, word: Word) -> bool {
        let depth = self.frames.len();
        let inherited = self.frames.last().is_some_and(|frame| frame.is_opaque);
        let is_spelled = self.frames.last().is_some_and(|frame| frame.is_spelled);
        let own = is_spelled
            && match (self.root, word) {
                (_, Word::Metadata | Word::Schemas) => depth == 1,
                (Word::Tools | Word::Functions, Word::Parameters) => true,
                (Word::Messages, Word::Input) => depth == 5,
                _ => false,
            };
        inherited || own
    }
}

/// The name of a documented member whose value makes the engine keep something, or
/// use what it has kept, or treat the request other than the rest.
fn reaches_state(member: Word, value: &Value<'_>) -> Option<&'static str> {
    let off = matches!(value, Value::Null | Value::Bool(false));
    let usual = matches!(value, Value::String(tier, _)
        if matches!(tier.raw(), "auto" | "default" | "standard_only"));
    match member {
        Word::Background if !off => Some("background"),
        Word::Store if !off => Some("store"),
        Word::Container if !off => Some("container"),
        Word::Conversation if !off => Some("conversation"),
        Word::PreviousResponseId if !off => Some("previous_response_id"),
        Word::ServiceTier if !off && !usual => Some("service_tier"),
        Word::Prompt if matches!(value, Value::Object(_)) => Some("prompt"),
        _ => None,
    }
}
