//! The JSON body of a request: the only parse there is. What decides (model,
//! limits, stream) is read here once, so that no two readers can disagree.

mod asked;
mod error;
mod walk;
mod word;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::json::{Event, Events, Fault, Reason, Str};
use crate::medium::Medium;
use crate::path::Api;
use crate::texts::{Gatherer, Texts};
pub(crate) use asked::OptionPlaces;
use asked::{Items, user_name};
pub use asked::{MaxTokensPlaces, USER_BYTES_MAX};
pub use error::RequestError;
use walk::{Found, Value, Walk};
use word::Word;

/// Longest name of a model, in bytes. Names of the hubs have at most 193; the
/// asked name goes into records, so it must not be as large as a body.
pub const MODEL_BYTES_MAX: usize = 512;

/// Most members of the body itself. The APIs have some 40 each.
pub const FIELDS_MAX: usize = 256;

/// Most media and addresses in one request. A film as single pictures has hundreds;
/// each costs memory and a check.
pub const MEDIA_MAX: usize = 4_096;

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
    /// `continuous_usage_stats` is `true`: it expects usage in every event.
    pub continuous_usage: bool,
}

/// What decides about a request, out of its body. Its `Debug` shows nothing that the
/// caller has written.
#[derive(Clone, PartialEq, Eq)]
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
    /// The same, by the name that responses write.
    pub max_output_tokens: Option<u64>,
    /// Where those three stand.
    pub max_tokens_places: MaxTokensPlaces,
    /// How many answers. Not checked against any bound.
    pub n: Option<u64>,
    /// How many answers are made for the best `n` of them (completions). Not
    /// checked against any bound.
    pub best_of: Option<u64>,
    /// The names of all members of the body, unescaped and in order: at most
    /// [`FIELDS_MAX`].
    pub fields: Vec<Cow<'a, str>>,
    /// What steers the engine beside `fields`: known names below the body's own
    /// members, each once, and documented members with a value that reaches into
    /// what the engine keeps.
    pub steering: Vec<&'static str>,
    /// Every medium and every address to fetch from, in order: at most
    /// [`MEDIA_MAX`].
    pub media: Vec<Medium<'a>>,
    /// Whether `cache_salt` is one of the fields.
    pub has_cache_salt: bool,
    /// Where a member can be put in: just behind the opening brace. As there is
    /// always a model, the text to insert is `"name":value,`.
    pub insert_at: usize,
    pub(crate) option_places: OptionPlaces,
    /// `user`.
    body_user: Option<Cow<'a, str>>,
    /// `metadata.user_id`.
    metadata_user: Option<Cow<'a, str>>,
    prompt_items: Items,
    input_items: Items,
    document_items: Items,
    query_bytes: u64,
    text_bytes: u64,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("stream", &self.stream)
            .field("fields", &self.fields.len())
            .field("steering", &self.steering)
            .field("media", &self.media)
            .finish_non_exhaustive()
    }
}

/// Reads a request body: one pass, values skipped and not copied.
///
/// # Errors
/// [`RequestError`], the form of the whole body first.
pub fn parse(body: &[u8]) -> Result<Request<'_>, RequestError> {
    request(body, |_| {})
}

/// The same, and every text that it carries, found on the same pass.
///
/// # Errors
/// As [`parse`], and [`RequestError::TooManyTexts`].
pub fn parse_with_texts<'a>(
    body: &'a [u8],
    api: &Api<'_>,
) -> Result<(Request<'a>, Texts<'a>), RequestError> {
    let mut gatherer = Gatherer::new(body, api);
    let request = request(body, |event| gatherer.pass(event))?;
    let texts = gatherer.finish().ok_or(RequestError::TooManyTexts)?;
    Ok((request, texts))
}

fn request<'a>(body: &'a [u8], also: impl FnMut(&Event<'a>)) -> Result<Request<'a>, RequestError> {
    let found = read(body, also).map_err(|fault| form_error(body, fault))?;
    if let Some(at) = found.again {
        return Err(RequestError::DuplicateKey(known_name(body, at)));
    }
    let insert_at = found.insert_at.ok_or(RequestError::NotAnObject)?;
    if found.fields.len() > FIELDS_MAX {
        return Err(RequestError::TooManyFields);
    }
    if found.is_over_media {
        return Err(RequestError::TooManyMedia);
    }
    let body_user = user(&found);
    let query_bytes = query_bytes(&found);
    Ok(Request {
        model: model(&found)?,
        stream: flag(&found, Word::Stream, "stream")?,
        stream_options: stream_options(&found)?,
        max_tokens: count(&found, Word::MaxTokens, "max_tokens")?,
        max_completion_tokens: count(&found, Word::MaxCompletionTokens, "max_completion_tokens")?,
        max_output_tokens: count(&found, Word::MaxOutputTokens, "max_output_tokens")?,
        max_tokens_places: found.max_tokens.clone(),
        n: count(&found, Word::N, "n")?,
        best_of: count(&found, Word::BestOf, "best_of")?,
        has_cache_salt: found.fields.iter().any(|name| name == "cache_salt"),
        fields: found.fields,
        steering: found.steering,
        body_user,
        metadata_user: found.user_id.and_then(user_name),
        option_places: found.options.places,
        prompt_items: found.prompt_items,
        input_items: found.input_items,
        document_items: found.document_items,
        query_bytes,
        text_bytes: found.text_bytes,
        media: found.media,
        insert_at,
    })
}

/// `also` sees every event too.
#[inline]
fn read<'a>(body: &'a [u8], mut also: impl FnMut(&Event<'a>)) -> Result<Found<'a>, Fault> {
    let mut walk = Walk::default();
    for event in Events::of(body)? {
        let event = event?;
        also(&event);
        walk.pass(event);
    }
    Ok(walk.found)
}

fn count(
    found: &Found<'_>,
    member: Word,
    param: &'static str,
) -> Result<Option<u64>, RequestError> {
    let wrong = RequestError::WrongType { param, expected: "a whole number" };
    match found.value(member) {
        None => Ok(None),
        Some(Value::Number(number)) => number.parse().map(Some).map_err(|_| wrong),
        Some(_) => Err(wrong),
    }
}

fn flag(found: &Found<'_>, member: Word, param: &'static str) -> Result<bool, RequestError> {
    match found.value(member) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(RequestError::WrongType { param, expected: "a boolean" }),
    }
}

fn query_bytes(found: &Found<'_>) -> u64 {
    match found.value(Word::Query) {
        Some(Value::String(_, span)) => span.len() as u64,
        _ => 0,
    }
}

fn model<'a>(found: &Found<'a>) -> Result<Text<'a>, RequestError> {
    let (name, span) = match found.value(Word::Model).ok_or(RequestError::MissingModel)? {
        Value::String(name, span) => (name, span),
        _ => return Err(RequestError::WrongType { param: "model", expected: "a string" }),
    };
    // An escape has at most six bytes a byte that it says; so a body's worth of
    // text is never unescaped for a name.
    if name.raw().len() > 6 * MODEL_BYTES_MAX {
        return Err(RequestError::BadModel);
    }
    let value = name.unescaped();
    let fits = (1..=MODEL_BYTES_MAX).contains(&value.len());
    if !fits || value.chars().any(char::is_control) {
        return Err(RequestError::BadModel);
    }
    Ok(Text { span: span.clone(), value })
}

fn user<'a>(found: &Found<'a>) -> Option<Cow<'a, str>> {
    match found.value(Word::User)? {
        Value::String(name, _) => user_name(*name),
        _ => None,
    }
}

fn stream_options(found: &Found<'_>) -> Result<StreamOptions, RequestError> {
    match found.value(Word::StreamOptions) {
        None => Ok(StreamOptions::default()),
        Some(Value::Object(span)) => Ok(StreamOptions {
            span: Some(span.clone()),
            include_usage: found.options.flag(Word::IncludeUsage)?,
            continuous_usage: found.options.flag(Word::ContinuousUsage)?,
        }),
        Some(_) => Err(RequestError::WrongType { param: "stream_options", expected: "an object" }),
    }
}

fn form_error(body: &[u8], fault: Fault) -> RequestError {
    match fault.reason {
        Reason::Depth => RequestError::TooDeep,
        Reason::Tokens => RequestError::TooManyTokens,
        Reason::Duplicate => RequestError::DuplicateKey(known_name(body, fault.at)),
        reason => {
            let (line, column) = fault.line_and_column(body);
            RequestError::InvalidJson { line, column, reason }
        }
    }
}

/// The name that stands at a place, if it is one that may be repeated.
fn known_name(body: &[u8], at: usize) -> Option<&'static str> {
    let name = Str::at(std::str::from_utf8(body).ok()?, at)?;
    word::known(name)
}

#[cfg(test)]
mod tests;
