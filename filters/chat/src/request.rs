//! The JSON body of a request: the only parse there is. What decides (model,
//! limits, stream) is read here once, so that no two readers can disagree.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::object::each_member;

/// Longest name of a model, in bytes. Names of the hubs have at most 193; the
/// asked name goes into records, so it must not be as large as a body.
pub const MODEL_BYTES_MAX: usize = 512;

/// A string value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a> {
    /// The value in the body, its quotes included, in bytes.
    pub span: Range<usize>,
    /// What it says, unescaped.
    pub value: Cow<'a, str>,
}

/// What the caller wants to know of a stream while it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamOptions {
    /// The object in the body, in bytes; `None` when it is absent or null.
    pub span: Option<Range<usize>>,
    /// `include_usage` is `true`: the caller expects the usage event.
    pub include_usage: bool,
}

/// What decides about a request, out of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The model that was asked for: 1 to [`MODEL_BYTES_MAX`] bytes without
    /// control characters.
    pub model: Text<'a>,
    /// Whether the answer shall come as a stream of events; `null` is no.
    pub stream: bool,
    /// `stream_options`, with its place for an edit.
    pub stream_options: StreamOptions,
    /// Most tokens to generate, as chat (the older name), completions and
    /// messages write it. Not checked against any bound.
    pub max_tokens: Option<u64>,
    /// The same, by the name that chat has now.
    pub max_completion_tokens: Option<u64>,
    /// How many answers. Not checked against any bound.
    pub n: Option<u64>,
    /// Where a member can be put in: just behind the opening brace. As there is
    /// always a model, the text to insert is `"name":value,`.
    pub insert_at: usize,
}

/// Why a body is refused. No text here repeats anything of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// Not UTF-8, not JSON, or more than one value; counted from 1, in bytes.
    InvalidJson {
        /// Line of the fault.
        line: usize,
        /// Column of the fault.
        column: usize,
    },
    /// JSON, but not an object.
    NotAnObject,
    /// A member that decides stands there twice.
    DuplicateKey(&'static str),
    /// No `model`, or `null`.
    MissingModel,
    /// An empty `model`, one longer than [`MODEL_BYTES_MAX`], or one with
    /// control characters.
    BadModel,
    /// A member has a type that it must not have.
    WrongType {
        /// The member.
        param: &'static str,
        /// What it may be.
        expected: &'static str,
    },
}

impl RequestError {
    /// The member that is at fault, for `error.param`.
    #[must_use]
    pub fn param(&self) -> Option<&'static str> {
        match self {
            Self::InvalidJson { .. } | Self::NotAnObject => None,
            Self::DuplicateKey(param) | Self::WrongType { param, .. } => Some(param),
            Self::MissingModel | Self::BadModel => Some("model"),
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidJson { line, column } => {
                write!(f, "the body is not valid JSON (line {line}, column {column})")
            }
            Self::NotAnObject => f.write_str("the body must be a JSON object"),
            Self::DuplicateKey(param) => write!(f, "'{param}' is given more than once"),
            Self::MissingModel => f.write_str("'model' is missing"),
            Self::BadModel => {
                write!(f, "'model' must be 1 to {MODEL_BYTES_MAX} bytes without control characters")
            }
            Self::WrongType { param, expected } => write!(f, "'{param}' must be {expected}"),
        }
    }
}

impl std::error::Error for RequestError {}

/// Members that decide: two readers of a duplicate might pick different ones.
#[derive(Clone, Copy)]
enum Deciding {
    Model,
    Messages,
    Prompt,
    Input,
    Stream,
    StreamOptions,
    N,
    MaxTokens,
    MaxCompletionTokens,
}

impl Deciding {
    fn of(name: &str) -> Option<(Self, &'static str)> {
        Some(match name {
            "model" => (Self::Model, "model"),
            "messages" => (Self::Messages, "messages"),
            "prompt" => (Self::Prompt, "prompt"),
            "input" => (Self::Input, "input"),
            "stream" => (Self::Stream, "stream"),
            "stream_options" => (Self::StreamOptions, "stream_options"),
            "n" => (Self::N, "n"),
            "max_tokens" => (Self::MaxTokens, "max_tokens"),
            "max_completion_tokens" => (Self::MaxCompletionTokens, "max_completion_tokens"),
            _ => return None,
        })
    }
}

const MEMBERS: usize = Deciding::MaxCompletionTokens as usize + 1;

/// The deciding members as they stand in the body.
#[derive(Default)]
struct Found<'a> {
    raw: [Option<&'a RawValue>; MEMBERS],
    duplicate: Option<&'static str>,
}

impl<'a> Found<'a> {
    fn note(&mut self, name: &str, value: &'a RawValue) {
        let Some((member, name)) = Deciding::of(name) else { return };
        let Some(slot) = self.raw.get_mut(member as usize) else { return };
        if slot.replace(value).is_some() {
            self.duplicate.get_or_insert(name);
        }
    }

    /// The value of a member that is there and not null.
    fn value(&self, member: Deciding) -> Option<&'a RawValue> {
        let raw = *self.raw.get(member as usize)?;
        raw.filter(|raw| raw.get() != "null")
    }

    fn count(&self, member: Deciding, param: &'static str) -> Result<Option<u64>, RequestError> {
        let wrong = RequestError::WrongType { param, expected: "a whole number" };
        let value = self.value(member).map(|raw| raw.get().parse::<u64>());
        value.transpose().map_err(|_| wrong)
    }

    fn flag(&self, member: Deciding, param: &'static str) -> Result<bool, RequestError> {
        match self.value(member).map(RawValue::get) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(RequestError::WrongType { param, expected: "a boolean" }),
        }
    }
}

/// Reads a request body: one pass, values skipped and not copied.
///
/// # Errors
/// [`RequestError`], the form of the whole body first.
pub fn parse(body: &[u8]) -> Result<Request<'_>, RequestError> {
    let text = std::str::from_utf8(body).map_err(|e| not_utf8(body, e.valid_up_to()))?;
    let mut found = Found::default();
    each_member(text, |name, value| found.note(name, value)).map_err(|e| form_error(text, &e))?;
    if let Some(name) = found.duplicate {
        return Err(RequestError::DuplicateKey(name));
    }
    Ok(Request {
        model: model(text, &found)?,
        stream: found.flag(Deciding::Stream, "stream")?,
        stream_options: stream_options(text, &found)?,
        max_tokens: found.count(Deciding::MaxTokens, "max_tokens")?,
        max_completion_tokens: found
            .count(Deciding::MaxCompletionTokens, "max_completion_tokens")?,
        n: found.count(Deciding::N, "n")?,
        insert_at: text.find('{').map_or(0, |brace| brace + 1),
    })
}

fn model<'a>(text: &'a str, found: &Found<'a>) -> Result<Text<'a>, RequestError> {
    /// Borrows from the body where nothing is escaped.
    #[derive(Deserialize)]
    struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

    let raw = found.value(Deciding::Model).ok_or(RequestError::MissingModel)?;
    // A lone surrogate is not a string that can be said: a wrong type as well.
    let Borrowed(value) = serde_json::from_str(raw.get())
        .map_err(|_| RequestError::WrongType { param: "model", expected: "a string" })?;
    let fits = (1..=MODEL_BYTES_MAX).contains(&value.len());
    if !fits || value.chars().any(char::is_control) {
        return Err(RequestError::BadModel);
    }
    Ok(Text { span: span_in(text, raw), value })
}

fn stream_options(text: &str, found: &Found<'_>) -> Result<StreamOptions, RequestError> {
    let Some(raw) = found.value(Deciding::StreamOptions) else {
        return Ok(StreamOptions::default());
    };
    let mut include_usage = false;
    each_member(raw.get(), |name, value| {
        if name == "include_usage" {
            include_usage = value.get() == "true";
        }
    })
    .map_err(|_| RequestError::WrongType { param: "stream_options", expected: "an object" })?;
    Ok(StreamOptions { span: Some(span_in(text, raw)), include_usage })
}

/// Where a borrowed value stands in the text that it was borrowed from.
fn span_in(text: &str, raw: &RawValue) -> Range<usize> {
    let start = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + raw.get().len()
}

fn not_utf8(body: &[u8], at: usize) -> RequestError {
    let before = body.get(..at).unwrap_or_default();
    let line = 1 + memchr::memchr_iter(b'\n', before).count();
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    RequestError::InvalidJson { line, column: at - line_start + 1 }
}

fn form_error(text: &str, error: &serde_json::Error) -> RequestError {
    let is_object = text.trim_ascii_start().starts_with('{');
    if !is_object && serde_json::from_str::<&RawValue>(text).is_ok() {
        return RequestError::NotAnObject;
    }
    RequestError::InvalidJson { line: error.line(), column: error.column() }
}

#[cfg(test)]
mod tests;
