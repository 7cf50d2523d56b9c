//! The texts of an answer: what was masked in the request comes back, and what the model
//! wrote itself is masked where the policy says so.

use chat::answer_texts::{AnswerTexts, Field, Form, Lane, LaneTexts};
use chat::path::Api;
use contract::masking::PiiType;
use hashbrown::HashMap;
use masking::{Answer, Escape};
use std::collections::BTreeMap;
use std::fmt;

/// What is known of a masked request when its answer comes.
pub struct Masked {
    /// What is done with the texts of the answer.
    pub(super) answer: Answer,
    /// How many values were found in the request.
    pub found: u64,
    /// Whether the external detector has failed and the policy lets that pass.
    pub detector_failed: bool,
    /// Whether the answer's text is asked to be JSON itself.
    pub is_structured: bool,
}

/// Values are not shown.
impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masked").field("found", &self.found).finish_non_exhaustive()
    }
}

/// An answer whose texts change while it passes.
pub struct Answering {
    texts: AnswerTexts,
    lanes: Lanes,
    /// Whether the answer is whole: what follows passes as it comes.
    ended: bool,
}

struct Lanes {
    answer: Answer,
    is_structured: bool,
    open: HashMap<Lane, Open>,
}

/// A lane that has begun.
#[derive(Default)]
struct Open {
    lane: masking::Lane,
    /// Known from its first character on.
    escape: Option<Escape>,
}

impl Answering {
    /// The answer to a masked request, whose form is known now; `None`: nothing in it
    /// changes.
    #[must_use]
    pub fn begin(masked: Masked, form: Form, api: &Api<'_>) -> Option<Answering> {
        let Masked { answer, is_structured, .. } = masked;
        let lanes = Lanes { answer, is_structured, open: HashMap::new() };
        let changes = !lanes.answer.changes_nothing();
        changes.then(|| Answering { texts: AnswerTexts::new(form, api), lanes, ended: false })
    }

    /// What leaves in the place of the answer's next bytes.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        if self.ended { chunk.to_vec() } else { self.texts.push(chunk, &mut self.lanes) }
    }

    /// The answer is whole: what was held back. A second call gives nothing.
    pub fn finish(&mut self) -> Vec<u8> {
        if std::mem::replace(&mut self.ended, true) {
            return Vec::new();
        }
        self.texts.finish(&mut self.lanes)
    }

    /// How many values of the model's own were found so far, by type.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<PiiType, u64> {
        self.lanes.answer.counts()
    }
}

impl LaneTexts for Lanes {
    fn piece(&mut self, lane: &Lane, text: &str) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        let begins = escape(lane.field, self.is_structured, text);
        let open = self.open.entry(*lane).or_default();
        open.escape = open.escape.or(begins);
        let escape = open.escape.unwrap_or_default();
        self.answer.push(&mut open.lane, text, escape, &mut out);
        (out != text).then_some(out)
    }

    fn holds(&self, lane: &Lane) -> bool {
        self.open.get(lane).is_some_and(|open| open.lane.holds())
    }

    fn end(&mut self, lane: &Lane) -> Option<String> {
        let mut open = self.open.remove(lane)?;
        let mut out = String::new();
        self.answer.finish(&mut open.lane, open.escape.unwrap_or_default(), &mut out);
        (!out.is_empty()).then_some(out)
    }

    fn whole(&mut self, field: Field, text: &str) -> Option<String> {
        let escape = escape(field, self.is_structured, text);
        self.answer.whole(text, escape.unwrap_or_default())
    }
}

/// How values are written into a lane that begins with `text`: as in JSON where it is
/// arguments, or JSON was asked for and it begins so. `None`: it has not begun.
fn escape(field: Field, is_structured: bool, text: &str) -> Option<Escape> {
    if field.is_json() {
        return Some(Escape::Json);
    }
    let first = text.trim_start().chars().next()?;
    // Schemas of answers are objects; a bracket may begin a placeholder.
    let is_json = is_structured && first == '{';
    Some(if is_json { Escape::Json } else { Escape::None })
}
