//! The texts of a request: what people and models have said in it, each as one
//! [`Passage`] to look through, and the changes to the body that replace parts of
//! them. Everything else of the body stays as it came, to the byte.
//!
//! Every string is a text but those that the shape of the API knows as none:
//! definitions and schemas, media, and plain words where it has ids, names, roles and
//! words that steer a service. So are names that no API has, and numbers of many
//! digits where a text could stand. A string that is JSON through and through (the
//! arguments of a tool call, what a tool has answered), and an object that the shape
//! does not know, is one passage, so that the names in it stand beside their values.

mod escapes;
mod fit;
mod gather;
mod join;
mod plain;
mod section;
mod shape;

use std::borrow::Cow;
use std::ops::Range;

use crate::edit::Edit;
use crate::form;
use escapes::{Places, Side, inside};
pub(crate) use gather::Gatherer;
pub use join::{JOIN_BYTES, Join};
use section::Sections;

/// How deep strings of JSON inside of JSON are read, below a passage. Agents that call
/// agents need two; deeper ones are taken as text, numbers in them too.
pub const JSON_NESTED_MAX: usize = 4;

/// Most texts of one request. The longest chats have some thousand parts; each costs
/// memory beside the body, and an object of strings is one text.
pub const TEXTS_MAX: usize = 100_000;

/// How a passage is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// One JSON object or array, where strings have their escapes, or one number.
    Json,
}

/// One text of a request. Not `Debug`: it may be of a prompt.
pub struct Passage<'a> {
    kind: Kind,
    said: Cow<'a, str>,
    /// As it stands in the body, without quotes.
    raw: &'a str,
    /// Where `raw` begins in the body.
    start: usize,
    /// Whether it is the inside of a JSON string.
    quoted: bool,
    /// The array of parts that it is one of: where that begins.
    parts_of: Option<usize>,
}

/// A part of a passage that can be replaced. Not `Debug`: it may be of a prompt.
pub struct Fit {
    /// Which of the findings it is of.
    pub found: usize,
    /// In what the passage says, in bytes.
    pub span: Range<usize>,
    /// What stands there, all escapes undone, also those of JSON in JSON.
    pub value: String,
}

impl Passage<'_> {
    /// How it is to be read.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The text: never empty.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Where it stands in the body, without its quotes, in bytes.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.start..self.start + self.raw.len()
    }

    /// [`Passage::fits`] of one span.
    #[must_use]
    pub fn fitted(&self, found: Range<usize>) -> Vec<Fit> {
        self.fits(std::slice::from_ref(&found))
    }

    /// What of the spans in `found` can be replaced, in order. Of JSON those are parts of
    /// strings and names, and whole numbers: of one span more than one where it goes
    /// over several, and none where it touches only what holds them together. Spans
    /// beyond the text are cut; of those that overlap, the first has it all.
    #[must_use]
    pub fn fits(&self, found: &[Range<usize>]) -> Vec<Fit> {
        let wanted = self.wanted(found.iter());
        let spans: Vec<_> = wanted.iter().map(|(_, span)| span.clone()).collect();
        let origin = |place: usize| wanted.get(place).map_or(0, |(index, _)| *index);
        if self.kind == Kind::Json {
            let cuts = fit::cuts(&self.said, &spans).into_iter();
            return cuts.map(|cut| cut.fit(origin)).collect();
        }
        let value = |span: &Range<usize>| self.said.get(span.clone()).unwrap_or_default();
        let fit = |(found, span): (usize, Range<usize>)| {
            let value = value(&span).to_owned();
            Fit { found, span, value }
        };
        wanted.into_iter().map(fit).collect()
    }

    /// The changes to the body that put the texts where the spans of what is said
    /// were, in order. Texts are escaped as their place demands; a number in JSON
    /// becomes a string. Of spans that overlap, the first one's text stands for both.
    #[must_use]
    pub fn edits(&self, replacements: &[(Range<usize>, String)]) -> Vec<Edit> {
        let wanted = self.wanted(replacements.iter().map(|(span, _)| span));
        let text = |index: usize| replacements.get(index).map_or("", |(_, text)| text);
        let said = match self.kind {
            Kind::Text => {
                wanted.into_iter().map(|(index, span)| (span, text(index).to_owned())).collect()
            }
            Kind::Json => self.json_edits(&wanted, text),
        };
        let mut places = Places::new(self.raw, Side::Said, Side::Raw);
        let edit = |(span, text): (Range<usize>, String)| {
            if !self.quoted {
                return self.edit(span, text);
            }
            self.edit(places.span(&span), inside(&text))
        };
        said.into_iter().map(edit).collect()
    }

    /// The spans in order, without overlaps, of whole characters, each with its place
    /// among those that were given.
    fn wanted<'s>(
        &self,
        spans: impl Iterator<Item = &'s Range<usize>>,
    ) -> Vec<(usize, Range<usize>)> {
        let whole = |span| fit::whole_characters(&self.said, span);
        let mut all: Vec<_> = spans.map(whole).enumerate().collect();
        all.retain(|(_, span)| !span.is_empty());
        all.sort_by_key(|(_, span)| span.start);
        let mut wanted: Vec<(usize, Range<usize>)> = Vec::with_capacity(all.len());
        for (index, span) in all {
            match wanted.last_mut() {
                Some((_, last)) if span.start < last.end => last.end = last.end.max(span.end),
                _ => wanted.push((index, span)),
            }
        }
        wanted
    }

    fn json_edits<'t>(
        &self,
        wanted: &[(usize, Range<usize>)],
        text: impl Fn(usize) -> &'t str,
    ) -> Vec<(Range<usize>, String)> {
        let spans: Vec<_> = wanted.iter().map(|(_, span)| span.clone()).collect();
        let cuts = fit::cuts(&self.said, &spans).into_iter();
        let replaced = |cut: fit::Cut| {
            let index = wanted.get(cut.wanted).map(|(index, _)| *index)?;
            Some((cut.span.clone(), cut.replaced(text(index))))
        };
        cuts.filter_map(replaced).collect()
    }

    fn edit(&self, span: Range<usize>, text: String) -> Edit {
        let span = self.start + span.start..self.start + span.end;
        Edit { span, text: text.into_bytes() }
    }
}

/// The texts of one request. Not `Debug`: they are of a prompt.
#[derive(Default)]
pub struct Texts<'a> {
    passages: Vec<Passage<'a>>,
    sections: Sections,
}

/// Fields of a transcription that hold a plain word, or a number.
const FORM: [&str; 7] = [
    "chunking_strategy",
    "include[]",
    "language",
    "response_format",
    "stream",
    "temperature",
    "timestamp_granularities[]",
];

/// Whether a field of a form is no text. Of the model, the gate itself has the word;
/// speakers are heard from sounds, which stand as URLs.
fn is_known(name: &str, value: &str) -> bool {
    match name {
        "model" => true,
        "known_speaker_references[]" => value.starts_with("data:"),
        name => FORM.binary_search(&name).is_ok() && plain::says_word(value),
    }
}

impl<'a> Texts<'a> {
    /// The texts of a form, which was parsed from `body`.
    #[must_use]
    pub fn of_form(form: &form::Form<'_>, body: &'a [u8]) -> Self {
        let passage = |part: &form::Part<'_>| {
            let text = std::str::from_utf8(body.get(part.span.clone())?).ok()?;
            let kind = if fit::is_json(text) { Kind::Json } else { Kind::Text };
            let is_text = !text.is_empty() && !is_known(part.name, text);
            is_text.then(|| Passage::plain(kind, text, part.span.start))
        };
        let passages = form.texts().filter_map(passage).collect();
        Self { passages, sections: Sections::default() }
    }

    /// All of them, in the order of the body. None overlaps another.
    #[must_use]
    pub fn passages(&self) -> &[Passage<'a>] {
        &self.passages
    }

    /// What is said over the borders of parts of one message: around each border up
    /// to [`JOIN_BYTES`] on either side, together.
    #[must_use]
    pub fn joins(&self) -> Vec<Join> {
        join::joins(&self.passages)
    }

    /// [`Passage::edits`] of one of the passages; none where there is no such.
    #[must_use]
    pub fn edits(&self, passage: usize, replacements: &[(Range<usize>, String)]) -> Vec<Edit> {
        self.passages.get(passage).map_or_else(Vec::new, |own| own.edits(replacements))
    }
}

#[cfg(test)]
mod tests;
