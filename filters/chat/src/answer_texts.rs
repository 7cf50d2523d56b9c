//! The texts of an answer, given to somebody while the answer passes, and put back as
//! he says: [`AnswerTexts`] finds them, a [`LaneTexts`] changes them.
//!
//! Looked at are whole events, and whole JSON bodies. What does not change leaves
//! byte for byte; no event is lost, delayed or put elsewhere. A text that is kept back
//! at the end of its lane leaves in the lane's last event, or in one more like it.

mod document;
mod frame;
mod now;
mod place;
mod stream;
mod template;

use crate::edit;
use crate::path::Api;
use document::Document;
use stream::Stream;

/// Longest event and largest JSON body that are looked at, in bytes; longer ones pass
/// as they are.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The same of an answer that is made of numbers: only an error has a text there.
const NUMBERS_BYTES_MAX: usize = 64 * 1024;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `text/event-stream`
    EventStream,
    /// JSON, whole.
    Json,
}

/// What kind of text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// What the model says.
    Text,
    /// What it thinks: `reasoning`, `thinking`.
    Reasoning,
    /// The same by another name, which some engines send beside it.
    ReasoningContent,
    /// A summary of what it thinks.
    Summary,
    /// Why it does not answer.
    Refusal,
    /// The arguments of a call: JSON, in pieces.
    Arguments,
    /// A string in an object: arguments that are no string, what was asked for.
    Value,
    /// What an error says.
    Error,
}

impl Field {
    /// Whether the text is JSON itself, so that what is put in must be escaped.
    #[must_use]
    pub fn is_json(self) -> bool {
        self == Self::Arguments
    }
}

/// Which of the texts that a stream tells in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// The choice, the block or the item of the output, counted from 0.
    pub choice: u64,
    /// Which text of it.
    pub field: Field,
    /// The call of a tool, or the part of an item, counted from 0.
    pub part: u64,
}

/// Who changes the texts of an answer.
pub trait LaneTexts {
    /// The next piece of a lane, never empty: what leaves in its place, perhaps nothing
    /// as all of it is kept back. `None`: the piece as it is, with nothing kept back.
    fn piece(&mut self, lane: &Lane, text: &str) -> Option<String>;

    /// Whether something of the lane is kept back.
    fn holds(&self, lane: &Lane) -> bool;

    /// The lane goes on no more, or not before something else was said: what was kept
    /// back and leaves now.
    fn end(&mut self, lane: &Lane) -> Option<String>;

    /// A text that comes whole, never empty: what leaves in its place. `None`: the
    /// text as it is.
    fn whole(&mut self, field: Field, text: &str) -> Option<String>;
}

/// Passes an answer on with its texts changed.
pub struct AnswerTexts {
    form: Body,
}

enum Body {
    EventStream(Box<Stream>),
    /// Not yet whole, so many bytes at most.
    Json(Vec<u8>, usize),
    /// Too large to be looked at.
    Passing,
}

impl AnswerTexts {
    /// Before the first byte of an answer of an API.
    #[must_use]
    pub fn new(form: Form, api: &Api<'_>) -> Self {
        let is_numbers = *api == Api::Embeddings;
        let bytes_max = if is_numbers { NUMBERS_BYTES_MAX } else { DOCUMENT_BYTES_MAX };
        let form = match form {
            Form::EventStream => Body::EventStream(Box::new(Stream::new(bytes_max))),
            Form::Json => Body::Json(Vec::new(), bytes_max),
        };
        Self { form }
    }

    /// Takes the next bytes of the answer, and gives those that leave now.
    pub fn push(&mut self, chunk: &[u8], texts: &mut impl LaneTexts) -> Vec<u8> {
        match &mut self.form {
            Body::EventStream(stream) => stream.push(chunk, texts),
            Body::Json(body, bytes_max) => {
                body.extend_from_slice(chunk);
                if body.len() <= *bytes_max {
                    return Vec::new();
                }
                let body = std::mem::take(body);
                self.form = Body::Passing;
                body
            }
            Body::Passing => chunk.to_vec(),
        }
    }

    /// The answer has ended: the bytes that leave last. A second call gives none.
    pub fn finish(&mut self, texts: &mut impl LaneTexts) -> Vec<u8> {
        match &mut self.form {
            Body::EventStream(stream) => stream.finish(texts),
            Body::Json(body, _) => json(std::mem::take(body), texts),
            Body::Passing => Vec::new(),
        }
    }
}

/// A whole body with its texts changed.
fn json(body: Vec<u8>, texts: &mut impl LaneTexts) -> Vec<u8> {
    let mut document = Document::default();
    let edits = match document.read(&body, false) {
        Some(text) => document.wholes(&text, texts),
        None => return body,
    };
    if edits.is_empty() {
        return body;
    }
    edit::apply(&body, &edits).unwrap_or(body)
}

#[cfg(test)]
mod tests;
