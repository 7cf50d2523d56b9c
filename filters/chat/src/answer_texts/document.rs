//! One JSON document of an answer: where its texts are, and what it tells of them.

use std::borrow::Cow;
use std::ops::Range;

use super::place::{Ends, Place, Told, piece_of};
use super::{Field, Lane, LaneTexts};
use crate::edit::{Edit, json_string};
use crate::json::{Event, Events, Reason, Str, Token};

/// A text in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The string in the document, with its quotes.
    pub(super) span: Range<usize>,
    pub(super) field: Field,
    pub(super) is_piece: bool,
    /// A piece of the document itself: its type tells the field.
    is_own: bool,
    /// The name of a member.
    pub(super) is_name: bool,
    choice: Option<usize>,
    call: Option<usize>,
}

/// One of the choices of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    pub(super) index: u64,
    pub(super) is_finished: bool,
}

/// An object or array that is open.
#[derive(Debug, Clone, Copy)]
struct Frame {
    place: Place,
    is_object: bool,
    member: Place,
    field: Option<Field>,
    is_piece: bool,
    choice: Option<usize>,
    call: Option<usize>,
}

/// What was found in a document. Used again for the next one: no memory an event.
#[derive(Default)]
pub(super) struct Document {
    pub(super) leaves: Vec<Leaf>,
    pub(super) choices: Vec<Choice>,
    /// The calls' indexes.
    calls: Vec<u64>,
    /// What one more document like this must not say again.
    pub(super) once: Vec<Range<usize>>,
    kind: Range<usize>,
    index: u64,
    output_index: Option<u64>,
    part_index: u64,
    has_error: bool,
    is_stream: bool,
    frames: Vec<Frame>,
    /// Where the value began that is [`Place::Once`], and how deep.
    skipping: Option<(usize, usize)>,
}

impl Document {
    /// Reads a document, and gives it as it can be read ([`mended`] where it must be):
    /// `None` where it is no JSON. In a stream, texts may come in pieces.
    pub(super) fn read<'t>(&mut self, text: &'t [u8], is_stream: bool) -> Option<Cow<'t, str>> {
        self.is_stream = is_stream;
        match self.try_read(text) {
            Ok(()) => std::str::from_utf8(text).ok().map(Cow::Borrowed),
            Err(Reason::Nul | Reason::LoneSurrogate) => {
                let text = mended(text);
                self.try_read(&text).ok()?;
                String::from_utf8(text).ok().map(Cow::Owned)
            }
            Err(_) => None,
        }
    }

    fn try_read(&mut self, text: &[u8]) -> Result<(), Reason> {
        self.clear();
        for event in Events::of(text).map_err(|fault| fault.reason)? {
            self.pass(&event.map_err(|fault| fault.reason)?);
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.leaves.clear();
        self.choices.clear();
        self.calls.clear();
        self.once.clear();
        self.frames.clear();
        (self.kind, self.index, self.output_index, self.part_index) = (0..0, 0, None, 0);
        (self.has_error, self.skipping) = (false, None);
    }

    #[inline]
    fn pass(&mut self, event: &Event<'_>) {
        if let Some((start, depth)) = &mut self.skipping {
            match event.token {
                Token::BeginObject | Token::BeginArray => *depth += 1,
                Token::EndObject | Token::EndArray if *depth > 1 => *depth -= 1,
                Token::EndObject | Token::EndArray => {
                    self.once.push(*start..event.span.end);
                    self.skipping = None;
                }
                _ => {}
            }
            return;
        }
        match event.token {
            Token::Name(name) => self.name(name, &event.span),
            Token::BeginObject => self.begin(event.span.start, true),
            Token::BeginArray => self.begin(event.span.start, false),
            Token::EndObject | Token::EndArray => {
                self.frames.pop();
            }
            Token::String(text) => self.string(text, event.span.clone()),
            Token::Number(number) => self.number(number, event.span.clone()),
            Token::Bool(_) => self.scalar(event.span.clone()),
            Token::Null => {}
        }
    }

    /// A name; where every string is a text, it is one too.
    #[inline]
    fn name(&mut self, name: Str<'_>, span: &Range<usize>) {
        let Some(frame) = self.frames.last_mut() else { return };
        frame.member = frame.place.member(name.raw());
        if let Place::Region(field) = frame.place
            && !name.raw().is_empty()
        {
            let (choice, call) = (frame.choice, frame.call);
            let (span, is_name) = (span.clone(), true);
            self.leaves.push(Leaf {
                span,
                field,
                is_piece: false,
                is_own: false,
                is_name,
                choice,
                call,
            });
        }
    }

    fn place(&self) -> Place {
        match self.frames.last() {
            None => Place::Document,
            Some(frame) if frame.is_object => frame.member,
            Some(frame) => frame.place,
        }
    }

    fn begin(&mut self, start: usize, is_object: bool) {
        let place = self.place();
        if place == Place::Once {
            self.skipping = Some((start, 1));
            return;
        }
        let outer = self.frames.last().copied();
        self.has_error |= place == Place::Error;
        let mut frame = Frame {
            place: if outer.is_none() && !is_object { Place::Skip } else { place },
            is_object,
            member: Place::Skip,
            field: outer.and_then(|frame| frame.field),
            is_piece: outer.is_some_and(|frame| frame.is_piece) || place == Place::Delta,
            choice: outer.and_then(|frame| frame.choice),
            call: outer.and_then(|frame| frame.call),
        };
        match place {
            Place::Choices if is_object => frame.choice = Some(self.new_choice()),
            Place::Calls if is_object => frame.call = Some(self.new_call()),
            Place::Text(field) if field != Field::Text => frame.field = Some(field),
            _ => {}
        }
        self.frames.push(frame);
    }

    fn new_choice(&mut self) -> usize {
        let slot = self.choices.len();
        self.choices.push(Choice { index: slot as u64, is_finished: false });
        slot
    }

    fn new_call(&mut self) -> usize {
        let slot = self.calls.len();
        self.calls.push(slot as u64);
        slot
    }

    fn string(&mut self, text: Str<'_>, span: Range<usize>) {
        let place = self.place();
        let Some(frame) = self.frames.last().copied() else { return };
        match place {
            Place::Told(Told::Kind) => self.kind = span.start + 1..span.end - 1,
            Place::Told(Told::FinishReason) | Place::Once => self.scalar(span),
            Place::Delta => self.leaf(&frame, Field::Text, true, span),
            Place::Error | Place::Message => {
                self.has_error = true;
                self.leaf(&frame, Field::Error, false, span);
            }
            _ => {
                let Some(field) = place.field(frame.field) else { return };
                let in_choice = frame.place == Place::Choices;
                let is_piece = (frame.is_piece || in_choice) && field != Field::Value;
                if !text.raw().is_empty() || is_piece {
                    self.leaf(&frame, field, is_piece, span);
                }
            }
        }
    }

    fn leaf(&mut self, frame: &Frame, field: Field, is_piece: bool, span: Range<usize>) {
        let is_piece = is_piece && self.is_stream;
        let is_own = frame.place == Place::Document && is_piece;
        let (choice, call) = (frame.choice, frame.call);
        self.leaves.push(Leaf { span, field, is_piece, is_own, is_name: false, choice, call });
    }

    fn number(&mut self, number: &str, span: Range<usize>) {
        let Place::Told(told) = self.place() else { return self.scalar(span) };
        let Ok(number) = number.parse() else { return };
        let Some(frame) = self.frames.last() else { return };
        match (told, frame.choice, frame.call) {
            (Told::Index, _, Some(slot)) => set(&mut self.calls, slot, |own| *own = number),
            (Told::Index, Some(slot), None) => {
                set(&mut self.choices, slot, |own| own.index = number);
            }
            (Told::Index, None, None) => self.index = number,
            (Told::OutputIndex, ..) => self.output_index = Some(number),
            (Told::PartIndex, ..) => self.part_index = number,
            _ => {}
        }
    }

    /// A value that is neither null nor text.
    fn scalar(&mut self, span: Range<usize>) {
        match self.place() {
            Place::Told(Told::FinishReason) => {
                self.once.push(span);
                let slot = self.frames.last().and_then(|frame| frame.choice);
                if let Some(slot) = slot {
                    set(&mut self.choices, slot, |own| own.is_finished = true);
                }
            }
            Place::Once => self.once.push(span),
            Place::Error => self.has_error = true,
            _ => {}
        }
    }

    /// What the document says that it is; `text` is what it was read from.
    fn kind<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.kind.clone()).unwrap_or_default()
    }

    /// Which lanes the document ends, besides those of finished choices.
    pub(super) fn ends(&self, text: &str) -> Ends {
        if self.has_error { Ends::All } else { Ends::by(self.kind(text)) }
    }

    /// Whether one of its choices has come to its end.
    pub(super) fn finishes_any(&self) -> bool {
        self.choices.iter().any(|choice| choice.is_finished)
    }

    /// The block or item that the document is about.
    pub(super) fn item(&self) -> u64 {
        self.output_index.unwrap_or(self.index)
    }

    /// Which lane a leaf is a piece of; `None`: it is a whole text, or none at all.
    pub(super) fn lane(&self, leaf: &Leaf, text: &str) -> Option<Lane> {
        if !leaf.is_piece {
            return None;
        }
        let field = if leaf.is_own { piece_of(self.kind(text))? } else { leaf.field };
        let Some(choice) = leaf.choice.and_then(|slot| self.choices.get(slot)) else {
            return Some(Lane { choice: self.item(), field, part: self.part_index });
        };
        let part = leaf.call.and_then(|slot| self.calls.get(slot));
        Some(Lane { choice: choice.index, field, part: part.copied().unwrap_or(0) })
    }

    /// The changes to a document whose texts are all whole.
    pub(super) fn wholes(&self, text: &str, texts: &mut impl LaneTexts) -> Vec<Edit> {
        let edit = |leaf: &Leaf| {
            let said = said(text, leaf);
            let changed = texts.whole(leaf.field, &said).filter(|changed| *changed != said)?;
            Some(Edit { span: leaf.span.clone(), text: json_string(&changed) })
        };
        self.leaves.iter().filter_map(edit).collect()
    }
}

/// What a leaf says.
pub(super) fn said<'t>(text: &'t str, leaf: &Leaf) -> Cow<'t, str> {
    Str::at(text, leaf.span.start).map_or(Cow::Borrowed(""), Str::unescaped)
}

fn set<T>(list: &mut [T], slot: usize, change: impl FnOnce(&mut T)) {
    if let Some(own) = list.get_mut(slot) {
        change(own);
    }
}

/// A text whose halves of surrogate pairs and NULs, which engines write where a model
/// has cut a character, are U+FFFD. Every byte keeps its place.
fn mended(text: &[u8]) -> Vec<u8> {
    let mut mended = text.to_vec();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', text.get(at..).unwrap_or_default()) {
        at += found;
        let unit = unit(text, at);
        let is_pair = unit.is_some_and(|unit| (0xD800..0xDC00).contains(&unit))
            && self::unit(text, at + 6).is_some_and(|low| (0xDC00..0xE000).contains(&low));
        let is_bad = unit.is_some_and(|unit| unit == 0 || (0xD800..0xE000).contains(&unit));
        if let Some(digits) = mended.get_mut(at + 2..at + 6).filter(|_| is_bad && !is_pair) {
            digits.copy_from_slice(b"fffd");
        }
        at += if is_pair { 12 } else { 2 };
    }
    mended
}

/// The number of an escape `\uXXXX` at a place.
fn unit(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
