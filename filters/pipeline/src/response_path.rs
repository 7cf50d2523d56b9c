//! The way of an answer: headers, body, end.

use crate::command::HeaderEdit;
use crate::exchange::{Answering, Forwarded};
use crate::headers::Headers;
use crate::privacy::{self, Masked};
use chat::answer_texts::Form;
use chat::path::Api;
use chat::reply::Reader;
use contract::names::{CLIENT_REQUEST_ID_HEADER, MASKED_HEADER, OWN_HEADER_PREFIX, POOL_HEADER};
use contract::spool::{Line, LineType};
use contract::usage::{Source, Tally, Who};

/// The headers of the answer have arrived: the reader is chosen, once.
#[must_use]
pub fn on_headers(
    forwarded: Forwarded,
    headers: &Headers,
    end_of_stream: bool,
) -> (Vec<HeaderEdit>, Answering) {
    let status = headers.text(":status").and_then(|status| status.parse().ok()).unwrap_or(0);
    let reader = Reader::for_answer(
        status,
        headers.text("content-type"),
        headers.text("content-encoding"),
        &forwarded.asked,
    );
    let edits = answer_edits(&forwarded, &reader, headers, end_of_stream);
    let tally = Tally { whole: end_of_stream, ..Tally::default() };
    let Forwarded { who, request_id, masked, .. } = forwarded;
    let texts = masked.and_then(|masked| texts(masked, &reader, &who));
    (edits, Answering { who, request_id, status, reader, texts, tally })
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
    if let (true, Some(pool)) = (forwarded.expose_pool, &forwarded.who.pool) {
        edits.push(HeaderEdit::set(POOL_HEADER, pool.clone()));
    }
    edits
}

/// Headers that only the gateway may say something with.
fn foreign_headers(headers: &Headers) -> Vec<HeaderEdit> {
    let names = headers.lines().map(|(name, _)| name);
    names
        .filter(|name| name.starts_with(OWN_HEADER_PREFIX) || name.starts_with("x-ratelimit-"))
        .map(|name| HeaderEdit::remove(name.to_owned()))
        .collect()
}

/// What a chunk of the answer leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What leaves in the chunk's place; `None`: the chunk as it is.
    pub replacement: Option<Vec<u8>>,
    /// Whether the running count has changed.
    pub tally_changed: bool,
}

/// A chunk of the answer has arrived; `elapsed_ms` says how long after the
/// request, and is only asked when it matters.
pub fn on_body(
    answering: &mut Answering,
    chunk: &[u8],
    end_of_stream: bool,
    elapsed_ms: impl FnOnce() -> u64,
) -> Step {
    let pushed = answering.reader.push(chunk);
    let mut tally_changed = pushed.usage_changed;
    if pushed.first_data && answering.reader.is_event_stream() {
        answering.tally.first_token_ms = Some(elapsed_ms());
        tally_changed = true;
    }
    if pushed.usage_changed {
        count(answering);
    }
    let mut replacement = pushed.replacement;
    if end_of_stream {
        let tail = answering.reader.finish();
        if !tail.is_empty() {
            replacement.get_or_insert_with(|| chunk.to_vec()).extend(tail);
        }
        on_end(answering);
    }
    Step { replacement: change_texts(answering, chunk, replacement, end_of_stream), tally_changed }
}

/// The texts of an answer leave changed. A JSON answer leaves as soon as its last brace
/// is there: behind its body nothing can be written any more where it ends with trailers.
fn change_texts(
    answering: &mut Answering,
    chunk: &[u8],
    replacement: Option<Vec<u8>>,
    end_of_stream: bool,
) -> Option<Vec<u8>> {
    let Some(texts) = &mut answering.texts else { return replacement };
    let came = replacement.as_deref().unwrap_or(chunk);
    let mut leaves = texts.push(came);
    let is_whole = !answering.reader.is_event_stream() && answering.reader.saw_done();
    if end_of_stream || is_whole {
        leaves.extend(texts.finish());
    }
    if leaves == chunk { None } else { Some(leaves) }
}

/// The answer has ended as the engine meant it to.
pub fn on_end(answering: &mut Answering) {
    answering.tally.whole = true;
    if answering.reader.usage().is_some() {
        answering.tally.source = Source::Engine;
    }
}

/// The count that the ledger gets, whatever ended the exchange. An error that an
/// engine tells under a status of success is a failure; what it tells under
/// another is an answer.
#[must_use]
pub fn final_tally(answering: &Answering) -> Tally {
    let failed = answering.status < 400 && answering.reader.saw_error();
    Tally { failed, ..answering.tally }
}

/// What the ledger is told of the request once values were masked that the model wrote
/// itself; `None`: none were.
#[must_use]
pub fn who_of_answer(answering: &Answering) -> Option<Who> {
    let counts = answering.texts.as_ref()?.counts();
    let mut who = answering.who.clone();
    for (of, count) in counts {
        *who.masked.entry(*of).or_default() += count;
    }
    (!counts.is_empty()).then_some(who)
}

/// The end of a whole answer, as the access log will write it too; for the
/// journal.
#[must_use]
pub fn journal_line(answering: &Answering, started_ms: u64, now_ms: u64) -> Line {
    Line {
        line_type: LineType::End,
        id: answering.request_id.clone(),
        at_ms: started_ms,
        who: serde_json::to_string(&who_of_answer(answering).as_ref().unwrap_or(&answering.who))
            .ok(),
        usage: serde_json::to_string(&final_tally(answering)).ok(),
        status: Some(answering.status),
        flags: None,
        details: None,
        endpoint: None,
        duration_ms: Some(now_ms.saturating_sub(started_ms)),
    }
}

/// Until the end is there, an engine's count is a running one.
fn count(answering: &mut Answering) {
    let Some(usage) = answering.reader.usage() else { return };
    answering.tally = Tally {
        input: usage.input,
        cached_input: usage.cached_input,
        output: usage.output,
        reasoning: usage.reasoning,
        source: Source::Running,
        ..answering.tally
    };
}

#[cfg(test)]
mod tests;
