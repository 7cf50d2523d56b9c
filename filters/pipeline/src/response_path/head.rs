//! The headers of an answer.

use crate::command::{HeaderEdit, Reply};
use crate::exchange::{Answering, Forwarded};
use crate::headers::Headers;
use crate::privacy::{self, Masked};
use crate::request_path::Answers;
use crate::spending::{Course, Till, standing_headers};
use billing::table::Table;
use chat::answer_texts::Form;
use chat::engine_error::Retelling;
use chat::path::{Api, error_shape};
use chat::reply::Reader;
use contract::names::{
    CLIENT_REQUEST_ID_HEADER, MASKED_HEADER, OWN_HEADER_PREFIX, POOL_HEADER, RETRY_HEADER,
    RETRY_OFF,
};
use contract::refusal::{engine_error, is_engine_error, retry_after_s};
use contract::usage::{Tally, Who};
use std::borrow::Cow;

/// What the headers of an answer lead to.
pub struct Head {
    /// Changes of them.
    pub edits: Vec<HeaderEdit>,
    /// The answer that is coming.
    pub answering: Answering,
    /// What the client gets in its place: it is an error without a body, and none can be
    /// written behind its headers.
    pub reply: Option<Reply>,
}

/// Headers of an engine's error that stay: they are Envoy's, or about the connection. All
/// others are about a body that does not leave, or about how the engine is spoken to.
const ERROR_HEADERS: [&str; 7] = [
    "connection",
    "content-length",
    "content-type",
    "date",
    "server",
    "transfer-encoding",
    "x-request-id",
];

/// The headers of the answer have arrived: the reader is chosen, once. `is_engines` is asked
/// of an error alone: whether it comes from an engine, and not from Envoy, which tells its
/// own in the contract's words already.
#[must_use]
pub fn on_headers(
    forwarded: Forwarded,
    headers: &Headers,
    end_of_stream: bool,
    is_engines: impl FnOnce() -> bool,
) -> Head {
    let status = status(headers);
    let error = (is_engine_error(status) && is_engines()).then(|| engine_error(status).status());
    let reader = reader(&forwarded, headers, status, error.is_some());
    // What the gateway says comes behind what is taken away of the engine's.
    let mut edits = error.map(|told| error_edits(status, told, headers)).unwrap_or_default();
    edits.extend(answer_edits(&forwarded, &reader, headers, end_of_stream));
    let reply = error.filter(|_| end_of_stream);
    let reply = reply.map(|told| in_place(told, &edits, &retelling(&forwarded).body(status, b"")));
    let Forwarded { who, request_id, masked, course, .. } = forwarded;
    let status = error.unwrap_or(status);
    let tally = Tally { whole: end_of_stream, ..first_tally(&course, status) };
    let texts = masked.and_then(|masked| texts(masked, &reader, &who));
    let answering =
        Answering { who, request_id, status, reader, texts, tally, course, cut_at_ms: None };
    Head { edits, answering, reply }
}

/// A server answers: where the pool has affinity, it is the one that has the prompt now.
/// `address` is asked only then; an error says nothing of that.
pub fn on_server<'t, T: Table + 't>(
    forwarded: &Forwarded,
    headers: &Headers,
    address: impl FnOnce() -> Option<String>,
    till: impl FnOnce() -> Till<'t, T>,
) {
    if let Some(trace) = &forwarded.onward.trace
        && (200..300).contains(&status(headers))
        && let Some(address) = address()
    {
        trace.served(&forwarded.pool, &address, &till());
    }
}

fn status(headers: &Headers) -> u16 {
    headers.text(":status").and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// What reads the answer; errors of engines are told again.
fn reader(forwarded: &Forwarded, headers: &Headers, status: u16, is_engines_error: bool) -> Reader {
    let [media, encoding] = ["content-type", "content-encoding"].map(|name| headers.text(name));
    let mut reader = Reader::for_answer(status, media, encoding, &forwarded.asked);
    if !is_engine_error(status) || is_engines_error {
        let length = headers.text("content-length").and_then(|length| length.parse().ok());
        reader = reader.with_errors(status, length, retelling(forwarded));
    }
    let Answers { strip, per_prompt } = forwarded.answers;
    reader = reader.with_usage(strip);
    if per_prompt > 0 { reader.with_answers_per_prompt(per_prompt) } else { reader }
}

fn retelling(forwarded: &Forwarded) -> Retelling {
    let shape = error_shape(forwarded.who.path.as_deref().unwrap_or_default());
    Retelling::new(shape, &forwarded.asked, &forwarded.pool.config.model)
}

/// An engine that refuses has used nothing that is billed, unless it says so.
fn first_tally(course: &Course, status: u16) -> Tally {
    if super::is_answer(status) { course.at_start() } else { Tally::default() }
}

/// What changes the texts of an answer that is read.
fn texts(masked: Masked, reader: &Reader, who: &Who) -> Option<privacy::Answering> {
    let api = Api::of(who.path.as_deref()?)?;
    let form = if reader.is_event_stream() { Form::EventStream } else { Form::Json };
    reader.rewrites().then(|| privacy::Answering::begin(masked, form, &api)).flatten()
}

fn answer_edits(
    forwarded: &Forwarded,
    reader: &Reader,
    headers: &Headers,
    end_of_stream: bool,
) -> Vec<HeaderEdit> {
    let mut edits = foreign_headers(headers);
    if reader.rewrites() && !end_of_stream && headers.text("content-length").is_some() {
        edits.push(HeaderEdit::remove("content-length"));
    }
    if let Some(id) = &forwarded.who.client_request_id {
        edits.push(HeaderEdit::set(CLIENT_REQUEST_ID_HEADER, id.clone()));
    }
    if let Some(masked) = &forwarded.masked {
        edits.push(HeaderEdit::set(MASKED_HEADER, masked.found.to_string()));
    }
    let standing = standing_headers(forwarded.course.standing());
    edits.extend(standing.into_iter().map(|(name, value)| HeaderEdit::set(name, value)));
    if let (true, Some(pool)) = (forwarded.expose_pool, &forwarded.who.pool) {
        edits.push(HeaderEdit::set(POOL_HEADER, pool.clone()));
    }
    if forwarded.onward.is_sent_once {
        edits.push(HeaderEdit::set(RETRY_HEADER, RETRY_OFF));
    }
    edits
}

/// What headers begin with that only the gateway may say something with.
const FOREIGN_PREFIXES: [&str; 3] = [OWN_HEADER_PREFIX, "x-envoy-", "x-ratelimit-"];

/// Headers that only the gateway may say something with.
fn foreign_headers(headers: &Headers) -> Vec<HeaderEdit> {
    let names = headers.lines().map(|(name, _)| name);
    names
        .filter(|name| FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
        .map(|name| HeaderEdit::remove(name.to_owned()))
        .collect()
}

/// What makes the headers of an engine's error those of the error that is `told`.
fn error_edits(status: u16, told: u16, headers: &Headers) -> Vec<HeaderEdit> {
    let names = headers.lines().map(|(name, _)| name).filter(|name| !name.starts_with(':'));
    let gone = names.filter(|name| !ERROR_HEADERS.contains(name));
    let mut edits: Vec<_> = gone.map(|name| HeaderEdit::remove(name.to_owned())).collect();
    edits.push(HeaderEdit::set(":status", told.to_string()));
    edits.push(HeaderEdit::set("content-type", "application/json"));
    let after = headers.text("retry-after").and_then(|told| retry_after_s(status, told));
    edits.extend(after.map(|seconds| HeaderEdit::set("retry-after", seconds.to_string())));
    edits
}

/// The answer that stands in the place of one without a body.
fn in_place(status: u16, edits: &[HeaderEdit], body: &str) -> Reply {
    let told = edits.iter().filter_map(|edit| match (&edit.name, &edit.value) {
        (Cow::Borrowed(name), Some(value)) if !name.starts_with(':') => {
            Some((*name, value.clone().into_owned()))
        }
        _ => None,
    });
    Reply { status, headers: told.collect(), body: body.to_owned() }
}
