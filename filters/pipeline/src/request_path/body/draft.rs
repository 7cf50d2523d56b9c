//! A body that may go out, as long as it can still change.

use billing::bound::Asked;
use chat::billing_edits::max_tokens_edits;
use chat::edit::{Edit, apply};
use chat::path::Api;
use chat::request::Request;
use chat::strip::Strip;
use chat::texts::Texts;
use contract::refusal::{Code, Refusal};
use routing::Route;

/// How the engine's answer is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Which of its usage the client has not asked for.
    pub strip: Strip,
    /// How many answers each of several prompts has; 0: there is one prompt.
    pub per_prompt: u64,
}

/// A body that may go out, and what is to be done with it.
pub(super) struct Draft<'p, 'b> {
    pub(super) route: &'p Route,
    pub(super) body: &'b [u8],
    /// `None`: nobody may want them.
    pub(super) texts: Option<Texts<'b>>,
    pub(super) edits: Vec<Edit>,
    /// Whether the answer's text is asked to be JSON itself.
    pub(super) is_structured: bool,
    /// What it will cost at most, but for the bytes that go out.
    pub(super) asked: Asked,
    /// Bytes of what a model is given to read.
    pub(super) text_bytes: u64,
    /// Bytes of media, which are no text: what they come to is stated.
    pub(super) media_bytes: u64,
    /// What puts in how many tokens an answer may have; `None`: that cannot be put in.
    pub(super) capping: Option<Capping<'b>>,
    pub(super) answers: Answers,
}

/// A request whose answers can be bounded.
pub(super) struct Capping<'b> {
    pub(super) request: Request<'b>,
    pub(super) api: Api<'static>,
    /// What the pool puts in where the caller has named nothing.
    pub(super) default: Option<u64>,
}

impl Capping<'_> {
    /// What bounds the answers by `cap`, or as the pool does.
    pub(super) fn edits(&self, cap: Option<u64>) -> Vec<Edit> {
        let tokens = cap.or(self.default);
        tokens.map(|tokens| max_tokens_edits(&self.request, &self.api, tokens)).unwrap_or_default()
    }
}

/// How long a body is with the edits, before it is known how many tokens are put in.
pub(super) fn length_after(body: &[u8], edits: &[Edit]) -> u64 {
    let put_in: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let taken_out: usize = edits.iter().map(|edit| edit.span.len()).sum();
    body.len().saturating_add(put_in).saturating_sub(taken_out) as u64
}

/// The body with the edits; `None`: there is none. A body that was not edited as it had
/// to be goes nowhere.
pub(super) fn edited(body: &[u8], edits: &[Edit]) -> Result<Option<Vec<u8>>, Refusal> {
    if edits.is_empty() {
        return Ok(None);
    }
    let cannot = || Refusal::new(Code::FilterUnavailable, "The request could not be rewritten.");
    apply(body, edits).map(Some).ok_or_else(cannot)
}
