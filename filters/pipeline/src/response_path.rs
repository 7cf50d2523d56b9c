//! The way of an answer: headers, body, end.

mod head;

pub use head::{Head, on_headers, on_server};

use crate::exchange::Answering;
use crate::spending::Till;
use billing::table::Table;
use chat::path::Api;
use contract::lease::Wanted;
use contract::refusal::{Code, Refusal};
use contract::spool::{Line, LineType};
use contract::usage::{Source, Tally, Who};

/// Whether something was answered that can be billed.
fn is_answer(status: u16) -> bool {
    (100..400).contains(&status)
}

/// What a chunk of the answer leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What leaves in the chunk's place; `None`: the chunk as it is.
    pub replacement: Option<Vec<u8>>,
    /// Whether the running count has changed.
    pub tally_changed: bool,
    /// Whether the exchange has to be broken off now: the client has been told that it is
    /// over, and the engine goes on.
    pub reset: bool,
    /// Leases that the exchange will need soon: the control plane is to be asked for them.
    pub wanted: Vec<Wanted>,
}

/// How long after its last words an answer is broken off, in milliseconds: a reset overtakes
/// what Envoy has not written to the client yet.
const LINGER_MS: u64 = 50;

/// A chunk of the answer has arrived; `elapsed_ms` says how long after the request, and
/// `till` is where more is reserved; both are only asked when it matters.
pub fn on_body<'t, T: Table + 't>(
    answering: &mut Answering,
    chunk: &[u8],
    end_of_stream: bool,
    elapsed_ms: impl FnOnce() -> u64,
    till: impl Fn() -> Till<'t, T>,
) -> Step {
    if let Some(cut_at_ms) = answering.cut_at_ms {
        let reset = till().now_ms >= cut_at_ms.saturating_add(LINGER_MS);
        return Step { replacement: Some(Vec::new()), reset, ..Step::default() };
    }
    let pushed = answering.reader.push(chunk);
    let mut tally_changed = pushed.usage_changed;
    if pushed.first_data && answering.reader.is_event_stream() {
        answering.tally.first_token_ms = Some(elapsed_ms());
        tally_changed = true;
    }
    let before = answering.tally;
    tally_changed |= count(answering, || till().now_ms);
    let mut wanted = Vec::new();
    if tally_changed && !answering.course.affords(&answering.tally, &till, &mut wanted) {
        answering.tally = Tally { cut: true, ..before };
        answering.cut_at_ms = Some(till().now_ms);
        let replacement = Some(cut(answering));
        return Step { replacement, tally_changed: true, ..Step::default() };
    }
    let mut replacement = pushed.replacement;
    if end_of_stream {
        let tail = answering.reader.finish();
        if !tail.is_empty() {
            replacement.get_or_insert_with(|| chunk.to_vec()).extend(tail);
        }
        on_end(answering);
    }
    let replacement = change_texts(answering, chunk, replacement, end_of_stream);
    Step { replacement, tally_changed, wanted, reset: false }
}

/// The budget does not pay for this chunk: it stays here, and the client is told why no more
/// comes. An answer that is no stream just breaks off.
fn cut(answering: &mut Answering) -> Vec<u8> {
    let refusal = Refusal::new(Code::BudgetExceeded, "The budget does not pay for more of this.");
    let path = answering.who.path.clone().unwrap_or_default();
    let mut leaves = Vec::new();
    if let Some(texts) = &mut answering.texts {
        leaves.extend(texts.finish());
    }
    if let Some(api) = Api::of(&path) {
        leaves.extend(answering.reader.cut(&api, &refusal));
    }
    leaves
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

/// The answer has ended as the engine meant it to. A count that was told with its last words
/// is the engine's own.
pub fn on_end(answering: &mut Answering) {
    answering.tally.whole = true;
    if answering.tally.source == Source::Running {
        answering.tally.source = Source::Engine;
    }
    answering.tally.cut |= answering.course.is_cut_short(&answering.reader);
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
        sent: None,
        attempts: None,
    }
}

/// Counts what has come by now. Whether that is another count than before.
fn count(answering: &mut Answering, now_ms: impl FnOnce() -> u64) -> bool {
    let Answering { reader, course, tally, status, .. } = answering;
    if reader.usage().is_none() && !is_answer(*status) {
        return false;
    }
    let counted = course.count(reader, *tally, now_ms);
    let is_other = counted != *tally;
    *tally = counted;
    is_other
}

#[cfg(test)]
mod tests;
