//! The way over the events of a body that finds its texts.

use std::borrow::Cow;
use std::ops::Range;

use super::fit::is_json;
use super::plain::{is_long_number, is_name};
use super::section::Sections;
use super::shape::Place;
use super::{Kind, Passage, TEXTS_MAX, Texts};
use crate::json::{Event, Str, Token};
use crate::path::Api;

/// An object or array that is open.
struct Frame<'a> {
    place: Place,
    is_object: bool,
    /// Of an object, what the member is that is being read.
    member: Place,
    /// Whether that member is the text of a part.
    is_part_text: bool,
    /// The array that this is in, if its texts are parts of one text: where it begins.
    parts_of: Option<usize>,
    /// The data of a source that is no medium as far as is known, and where it stands.
    data: Option<(Str<'a>, usize)>,
    /// Whether the source says that its data are a medium's.
    is_medium: bool,
}

/// An object or array that is one text.
struct Region {
    start: usize,
    depth: usize,
    /// Whether it has a name, a string or a long number: a list of small numbers is no
    /// text.
    has_text: bool,
}

/// Finds the texts of a body, given its events.
pub(crate) struct Gatherer<'a> {
    body: &'a [u8],
    api: Place,
    frames: Vec<Frame<'a>>,
    region: Option<Region>,
    passages: Vec<Passage<'a>>,
    sections: Sections,
}

impl<'a> Gatherer<'a> {
    /// Before the first event of `body`.
    pub(crate) fn new(body: &'a [u8], api: &Api<'_>) -> Self {
        let frames = Vec::with_capacity(16);
        let (passages, sections) = (Vec::new(), Sections::default());
        Self { body, api: Place::body(api), frames, region: None, passages, sections }
    }

    /// The texts, in the order of the body; `None`: there are more than [`TEXTS_MAX`].
    pub(crate) fn finish(mut self) -> Option<Texts<'a>> {
        self.passages.sort_by_key(|passage| passage.start);
        let Self { passages, sections, .. } = self;
        (passages.len() <= TEXTS_MAX).then_some(Texts { passages, sections })
    }

    /// Keeps a text, and no more than one over the bound.
    fn keep(&mut self, passage: Passage<'a>) {
        if self.passages.len() <= TEXTS_MAX {
            self.passages.push(passage);
        }
    }

    /// Takes the next event of the body.
    #[inline]
    pub(crate) fn pass(&mut self, event: &Event<'a>) {
        if self.region.is_some() {
            return self.pass_region(event);
        }
        match event.token {
            Token::Name(name) => self.name(name, event.span.start + 1),
            Token::BeginObject => self.begin(event.span.start, true),
            Token::BeginArray => self.begin(event.span.start, false),
            Token::EndObject | Token::EndArray => self.end(),
            Token::String(text) => self.string(text, event.span.start + 1),
            Token::Number(number) => self.number(number, event.span.start),
            Token::Bool(_) | Token::Null => {}
        }
    }

    fn pass_region(&mut self, event: &Event<'a>) {
        let Some(region) = &mut self.region else { return };
        match event.token {
            Token::Name(_) | Token::String(_) => region.has_text = true,
            Token::Number(number) => region.has_text |= is_long_number(number),
            Token::BeginObject | Token::BeginArray => region.depth += 1,
            Token::EndObject | Token::EndArray if region.depth > 0 => region.depth -= 1,
            Token::EndObject | Token::EndArray => {
                let (span, has_text) = (region.start..event.span.end, region.has_text);
                self.region = None;
                if has_text {
                    self.region(span);
                }
            }
            _ => {}
        }
    }

    fn region(&mut self, span: Range<usize>) {
        let start = span.start;
        let text = self.body.get(span).and_then(|bytes| std::str::from_utf8(bytes).ok());
        if let Some(text) = text {
            self.keep(Passage::plain(Kind::Json, text, start));
        }
    }

    #[inline]
    fn name(&mut self, name: Str<'a>, start: usize) {
        if self.frames.len() == 1 {
            self.sections.begin(name.raw(), start);
        }
        let Some(frame) = self.frames.last_mut() else { return };
        frame.member = frame.place.member(name.raw());
        frame.is_part_text = frame.parts_of.is_some() && name.raw() == "text";
        let may_be_said = matches!(frame.member, Place::Text | Place::Things);
        if may_be_said && !is_name(name) {
            self.text(name, start, None);
        }
    }

    /// A long number where a text could stand.
    #[inline]
    fn number(&mut self, number: &'a str, start: usize) {
        let in_array = self.frames.last().is_some_and(|frame| !frame.is_object);
        if is_long_number(number) && !self.place().is_number(in_array) {
            self.keep(Passage::plain(Kind::Json, number, start));
        }
    }

    /// What the value that comes next is.
    #[inline]
    fn place(&self) -> Place {
        match self.frames.last() {
            None => self.api,
            Some(frame) if frame.is_object => frame.member,
            Some(frame) => frame.place.item(),
        }
    }

    fn begin(&mut self, start: usize, is_object: bool) {
        let place = self.place();
        if place.is_region(is_object) {
            self.region = Some(Region { start, depth: 0, has_text: false });
            return;
        }
        let parts_of = if is_object {
            self.frames.last().filter(|frame| !frame.is_object).and_then(|frame| frame.parts_of)
        } else {
            (place == Place::Content).then_some(start)
        };
        self.frames.push(Frame {
            place,
            is_object,
            member: Place::Skip,
            is_part_text: false,
            parts_of,
            data: None,
            is_medium: false,
        });
    }

    fn end(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        if let Some((data, start)) = frame.data.filter(|_| !frame.is_medium) {
            self.text(data, start, None);
        }
    }

    fn string(&mut self, text: Str<'a>, start: usize) {
        let place = self.place();
        let Some(frame) = self.frames.last_mut() else { return };
        if place == Place::SourceKind {
            frame.is_medium = text.raw() == "base64";
        }
        match place {
            _ if place.is_known(text) => {}
            Place::SourceData => frame.data = Some((text, start)),
            _ => {
                let is_part = frame.is_part_text || !frame.is_object;
                let parts_of = frame.parts_of.filter(|_| is_part);
                self.text(text, start, parts_of);
            }
        }
    }

    fn text(&mut self, text: Str<'a>, start: usize, parts_of: Option<usize>) {
        if text.raw().is_empty() {
            return;
        }
        let said = text.unescaped();
        let kind = if is_json(&said) { Kind::Json } else { Kind::Text };
        self.keep(Passage { kind, said, raw: text.raw(), start, quoted: true, parts_of });
    }
}

impl<'a> Passage<'a> {
    /// A text that stands in its body as it is said.
    pub(super) fn plain(kind: Kind, text: &'a str, start: usize) -> Self {
        Self { kind, said: Cow::Borrowed(text), raw: text, start, quoted: false, parts_of: None }
    }
}
