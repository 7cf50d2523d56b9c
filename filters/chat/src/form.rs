//! The form of a transcription (`multipart/form-data`, RFC 7578 and RFC 2046
//! §5.1): parts by their place in the body, nothing copied.
//!
//! Stricter than the readers of engines: what they take in different ways (text
//! before the first part, a second `model`, a file name in two charsets) is
//! refused, so that what is read here is what is read there. Parts may come in
//! any order: some clients send the file first.

mod boundary;
mod error;
mod header;
mod part;

use std::borrow::Cow;
use std::ops::Range;

use contract::policy::{MediaConfig, MediaKind};

use crate::json::Str;
use crate::media::{Fault, Inspection, MediaError};
use crate::medium::{Medium, Place};
use crate::request::{MODEL_BYTES_MAX, Text};

pub use boundary::boundary;
pub use error::FormError;
pub use part::{PART_HEADER_BYTES_MAX, PARTS_MAX, Part};

/// The fields of a transcription (OpenAI, "Create transcription"), for an
/// allow-list.
pub const FIELDS: &[&str] = &[
    "chunking_strategy",
    "file",
    "include[]",
    "known_speaker_names[]",
    "known_speaker_references[]",
    "language",
    "model",
    "prompt",
    "response_format",
    "stream",
    "temperature",
    "timestamp_granularities[]",
];

const FILE: &str = "file";
const SPEAKERS: &str = "known_speaker_references[]";

/// What decides about a form, and all of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form<'a> {
    /// The model that was asked for: 1 to [`MODEL_BYTES_MAX`] bytes without
    /// control characters. Its span is the value alone: there are no quotes.
    pub model: Text<'a>,
    /// Whether the answer shall come as a stream of events.
    pub stream: bool,
    /// In which format the answer shall come; not checked.
    pub response_format: Option<Text<'a>>,
    /// The sound.
    pub file: Part<'a>,
    /// Every part in the order of the body, `model` and `file` among them.
    pub parts: Vec<Part<'a>>,
}

impl<'a> Form<'a> {
    /// Every part but the file. Their values are UTF-8 without NUL.
    pub fn texts(&self) -> impl Iterator<Item = &Part<'a>> {
        self.parts.iter().filter(|part| part.filename.is_none())
    }

    /// The names of all parts, in the order of the body.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.parts.iter().map(|part| part.name)
    }

    /// Looks at the file, and at what else carries sound; `body` is what the
    /// form was parsed from. The file is sound, or a film with sound.
    ///
    /// # Errors
    /// The first part that is refused, counted among all parts.
    pub fn check_media(&self, body: &[u8], rules: &MediaConfig) -> Result<(), MediaError> {
        let mut inspection = Inspection::new(rules);
        let kind = Some(MediaKind::Audio);
        for (index, part) in self.parts.iter().enumerate() {
            let value = body.get(part.span.clone()).unwrap_or_default();
            let checked = match part.name {
                FILE => inspection.file(kind, part.declared(), value),
                SPEAKERS => inspection.speaker(value, part.span.clone()),
                _ => Ok(()),
            };
            checked.map_err(|fault| MediaError { kind, index, fault })?;
        }
        Ok(())
    }
}

impl Inspection<'_> {
    /// A sound that stands in a field as a URL.
    fn speaker(&mut self, value: &[u8], span: Range<usize>) -> Result<(), Fault> {
        let text = std::str::from_utf8(value).ok().and_then(Str::plain);
        let text = text.ok_or(Fault::Base64)?;
        self.medium(&Medium::url(Place::Medium(MediaKind::Audio), text, span))
    }
}

/// Reads a form: one pass, values not copied.
///
/// # Errors
/// [`FormError`], the form of the whole body first.
pub fn parse<'a>(body: &'a [u8], boundary: &str) -> Result<Form<'a>, FormError> {
    let parts = part::parts(body, boundary)?;
    for (index, part) in parts.iter().enumerate() {
        check_part(body, part)?;
        let before = parts.get(..index).unwrap_or_default();
        if !part.name.ends_with("[]") && before.iter().any(|other| other.name == part.name) {
            let known = FIELDS.iter().find(|known| **known == part.name);
            return Err(FormError::DuplicateField(known.copied()));
        }
    }
    let text = |name| text(body, &parts, name);
    let model = model(text("model")?)?;
    let stream = stream(text("stream")?)?;
    let response_format = text("response_format")?;
    let file = parts.iter().find(|part| part.name == FILE).cloned();
    let file = file.ok_or(FormError::MissingFile)?;
    Ok(Form { model, stream, response_format, file, parts })
}

/// `file` is a file, and every other field a text: some readers take any field
/// with a file's name as a file, and see no text in it.
fn check_part(body: &[u8], part: &Part<'_>) -> Result<(), FormError> {
    if part.name == FILE {
        return part.filename.map(drop).ok_or(FormError::MissingFile);
    }
    if part.filename.is_some() {
        return Err(FormError::UnexpectedFile);
    }
    // `_charset_` would say how to read the others (RFC 7578 §4.6).
    let media_type = part.content_type.and_then(|name| name.split(';').next());
    let media_type = media_type.unwrap_or("text/plain").trim_end().to_ascii_lowercase();
    if !matches!(media_type.as_str(), "text/plain" | "application/json") || part.name == "_charset_"
    {
        return Err(FormError::Encoding);
    }
    let value = body.get(part.span.clone()).unwrap_or_default();
    let text = std::str::from_utf8(value).map_err(|_| FormError::NotText)?;
    if text.contains('\0') { Err(FormError::NotText) } else { Ok(()) }
}

fn text<'a>(body: &'a [u8], parts: &[Part<'a>], name: &str) -> Result<Option<Text<'a>>, FormError> {
    let Some(part) = parts.iter().find(|part| part.name == name) else { return Ok(None) };
    let value = body.get(part.span.clone()).unwrap_or_default();
    let value = std::str::from_utf8(value).map_err(|_| FormError::NotText)?;
    Ok(Some(Text { span: part.span.clone(), value: Cow::Borrowed(value) }))
}

fn model(model: Option<Text<'_>>) -> Result<Text<'_>, FormError> {
    let model = model.ok_or(FormError::MissingModel)?;
    let fits = (1..=MODEL_BYTES_MAX).contains(&model.value.len());
    if !fits || model.value.chars().any(char::is_control) {
        return Err(FormError::BadModel);
    }
    Ok(model)
}

/// A boolean as clients of all languages write it into a form.
fn stream(stream: Option<Text<'_>>) -> Result<bool, FormError> {
    match stream.as_ref().map(|text| text.value.as_ref()) {
        None | Some("false" | "False" | "0") => Ok(false),
        Some("true" | "True" | "1") => Ok(true),
        Some(_) => Err(FormError::BadStream),
    }
}

#[cfg(test)]
mod tests;
