//! A body that may go out, as long as it can still change.

use super::parsed::Parsed;
use chat::edit::{Edit, apply};
use chat::strip::Strip;
use chat::texts::Texts;
use contract::refusal::{Code, Refusal};
use routing::Route;
use std::rc::Rc;

/// How the engine's answer is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Which of its usage the client has not asked for.
    pub strip: Strip,
    /// How many answers each of several prompts has; 0: there is one prompt.
    pub per_prompt: u64,
}

/// A body that may go out, and what is to be done with it.
pub(in crate::request_path) struct Draft<'p, 'b> {
    /// The pool that is tried first.
    pub(in crate::request_path) route: &'p Rc<Route>,
    pub(in crate::request_path) body: &'b [u8],
    pub(in crate::request_path) parsed: Parsed<'b>,
    /// `None`: nobody may want them.
    pub(in crate::request_path) texts: Option<Texts<'b>>,
    /// What is masked, in the order of the places: the same for every pool.
    pub(in crate::request_path) masked: Vec<Edit>,
    /// Bytes of what a model is given to read.
    pub(in crate::request_path) text_bytes: u64,
    /// Bytes of media, which are no text: what they come to is stated.
    pub(in crate::request_path) media_bytes: u64,
}

impl Draft<'_, '_> {
    /// How long the body is with the edits of a pool and all that is masked, in bytes, before
    /// it is known how many tokens are put in; media are left out.
    pub(in crate::request_path) fn body_bytes(&self, edits: &[Edit]) -> u64 {
        self.length(edits).saturating_sub(self.media_bytes)
    }

    /// The same with its media.
    pub(in crate::request_path) fn length(&self, edits: &[Edit]) -> u64 {
        let all = || edits.iter().chain(&self.masked);
        let put_in: usize = all().map(|edit| edit.text.len()).sum();
        let taken_out: usize = all().map(|edit| edit.span.len()).sum();
        self.body.len().saturating_add(put_in).saturating_sub(taken_out) as u64
    }

    /// What bounds each answer by so many tokens, if any.
    pub(in crate::request_path) fn cap_edits(&self, tokens: Option<u64>) -> Vec<Edit> {
        tokens.map(|tokens| self.parsed.cap_edits(tokens)).unwrap_or_default()
    }

    /// The edits of a pool, those of `cap` tokens, and all that is masked, in the order of
    /// their places.
    pub(in crate::request_path) fn all<'e>(
        &'e self,
        edits: &'e [Edit],
        cap: &'e [Edit],
    ) -> Vec<&'e Edit> {
        let mut all: Vec<&Edit> = edits.iter().chain(&self.masked).chain(cap).collect();
        all.sort_by_key(|edit| edit.span.start);
        all
    }
}

/// The body with the edits; `None`: there is none. A body that was not edited as it had
/// to be goes nowhere.
pub(in crate::request_path) fn edited(
    body: &[u8],
    edits: &[&Edit],
) -> Result<Option<Vec<u8>>, Refusal> {
    if edits.is_empty() {
        return Ok(None);
    }
    apply(body, edits).map(Some).ok_or_else(cannot_be_rewritten)
}

pub(in crate::request_path) fn cannot_be_rewritten() -> Refusal {
    Refusal::new(Code::FilterUnavailable, "The request could not be rewritten.")
}
