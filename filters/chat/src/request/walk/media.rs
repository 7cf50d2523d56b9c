//! The places of media, and of addresses that an engine would fetch from.

use std::ops::Range;

use contract::policy::MediaKind;

use super::{Frame, Walk};
use crate::json::Str;
use crate::medium::{Medium, Place};
use crate::request::word::{STEERING, Word};

/// A string that is part of a medium if the object around it is one.
struct Leaf<'a> {
    word: Word,
    text: Str<'a>,
    span: Range<usize>,
}

/// Most leaves of an object: there are so many names of them, each in one spelling.
/// What is beyond is not looked at, so the body is refused.
const LEAVES_MAX: usize = 6;

/// What stood in an object that may be a medium. Members come in any order, so
/// that is decided when the object ends.
#[derive(Default)]
pub(super) struct Parts<'a> {
    kind: Kind,
    /// At most [`LEAVES_MAX`].
    leaves: Vec<Leaf<'a>>,
    /// The medium that is a `source` of plain text, if this is a document.
    plain_source: Option<usize>,
}

/// What an object says of itself by its `type`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Medium(Place),
    /// `text`, which a document's `source` may be.
    Text,
}

impl Kind {
    fn of(name: &str) -> Self {
        Self::Medium(match name {
            "image" | "input_image" | "image_url" => Place::Medium(MediaKind::Image),
            "video" | "input_video" | "video_url" => Place::Medium(MediaKind::Video),
            "audio" | "input_audio" | "audio_url" => Place::Medium(MediaKind::Audio),
            "document" => Place::Medium(MediaKind::Document),
            "file" | "input_file" | "file_url" => Place::File,
            "text" => return Self::Text,
            _ => return Self::Other,
        })
    }
}

/// The place that a member is by its name, as an object or as a URL.
fn place(word: Word) -> Option<Place> {
    Some(match word {
        Word::ImageUrl | Word::Image => Place::Medium(MediaKind::Image),
        Word::VideoUrl | Word::Video => Place::Medium(MediaKind::Video),
        Word::AudioUrl | Word::Audio | Word::InputAudio => Place::Medium(MediaKind::Audio),
        Word::FileUrl | Word::File | Word::Source => Place::File,
        Word::ServerUrl | Word::McpServers => Place::Service,
        _ => return None,
    })
}

impl<'a> Walk<'a> {
    /// Takes a string below the body's own members.
    pub(super) fn text(&mut self, word: Word, text: Str<'a>, span: Range<usize>) {
        match word {
            Word::Other => {}
            Word::Type => self.type_name(text),
            Word::FileData => self.found.medium(Medium::file(text, span)),
            Word::Reference if text.raw().starts_with('#') => {}
            Word::Reference => self.found.medium(Medium::url(Place::Service, text, span)),
            Word::Url | Word::Path | Word::Data | Word::MediaType | Word::Format => {
                self.leaf(Leaf { word, text, span });
            }
            // `source` as a string is what a search result is called.
            Word::Source | Word::File | Word::InputAudio | Word::McpServers => {}
            _ => {
                if let Some(place) = place(word) {
                    self.found.medium(Medium::url(place, text, span));
                }
            }
        }
    }

    fn leaf(&mut self, leaf: Leaf<'a>) {
        let Some(frame) = self.frames.last_mut().filter(|frame| frame.is_object) else { return };
        if frame.parts.leaves.len() < LEAVES_MAX {
            frame.parts.leaves.push(leaf);
        } else {
            self.found.is_over_media = true;
        }
    }

    /// What an object says that it is. Said by another spelling of `type`, engines
    /// would take it for one thing or another: that is the pool's to allow.
    fn type_name(&mut self, name: Str<'a>) {
        let name = name.unescaped();
        if let Some(steering) = STEERING.iter().find(|own| **own == name) {
            self.found.steers(steering);
        }
        let kind = Kind::of(&name);
        let Some(frame) = self.frames.last_mut().filter(|frame| frame.is_object) else { return };
        let is_medium = matches!(kind, Kind::Medium(_));
        if frame.is_spelled || is_medium {
            frame.parts.kind = kind;
        }
        if !frame.is_spelled && kind != Kind::Other {
            self.found.steers("type");
        }
    }

    /// An object has ended: was it a medium, or one with a `source`?
    pub(super) fn close_object(&mut self, frame: &Frame<'a>) {
        if let Kind::Medium(place) = frame.parts.kind {
            self.name_sources(frame, place);
        }
        let named = place(frame.word);
        let place = match frame.parts.kind {
            Kind::Medium(place) => named.or(Some(place)),
            _ => named,
        };
        let Some(place) = place else { return };
        let first = self.found.media.len();
        for leaf in &frame.parts.leaves {
            if let Some(medium) = medium(place, leaf, &frame.parts.leaves) {
                self.found.medium(medium);
            }
        }
        if is_plain_source(frame)
            && self.found.media.len() == first + 1
            && let Some(parent) = self.frames.last_mut()
        {
            parent.parts.plain_source = Some(first);
        }
    }

    /// A part that says what it is says it of its `source` too. Text is no medium,
    /// but only as the source of a document: some engines take any other source
    /// for base64.
    fn name_sources(&mut self, part: &Frame<'a>, place: Place) {
        let own = self.found.media.get_mut(part.media..).unwrap_or_default();
        for medium in own.iter_mut().filter(|medium| medium.place == Place::File) {
            medium.place = place;
        }
        let is_document = place == Place::Medium(MediaKind::Document);
        if let Some(index) = part.parts.plain_source
            && is_document
            && index < self.found.media.len()
        {
            self.found.media.remove(index);
        }
    }
}

/// Whether an object is a `source` of text and of nothing else.
fn is_plain_source(frame: &Frame<'_>) -> bool {
    let is_address = |leaf: &Leaf<'_>| matches!(leaf.word, Word::Url | Word::Path);
    frame.word == Word::Source
        && frame.parts.kind == Kind::Text
        && !frame.parts.leaves.iter().any(is_address)
}

fn medium<'a>(place: Place, leaf: &Leaf<'a>, beside: &[Leaf<'a>]) -> Option<Medium<'a>> {
    let text_of = |word| beside.iter().find(|leaf| leaf.word == word).map(|leaf| leaf.text);
    let span = leaf.span.clone();
    match leaf.word {
        Word::Url | Word::Path => Some(Medium::url(place, leaf.text, span)),
        Word::Data if place == Place::Medium(MediaKind::Audio) => {
            Some(Medium::sound(text_of(Word::Format), leaf.text, span))
        }
        Word::Data => Some(Medium::base64(place, text_of(Word::MediaType), leaf.text, span)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
