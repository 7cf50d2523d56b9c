//! What comes back to the caller: values that the model wrote itself are masked where the
//! policy says so, and then the caller's own are put in.
//!
//! In that order: what the caller said is nothing to be hidden from him.

mod phrases;
mod scan;

use std::collections::BTreeMap;
use std::rc::Rc;

use contract::masking::PiiType;

use crate::policy::Policy;
use crate::restore::{Escape, Issued, LaneText};
use phrases::Cut;
use scan::{AnswerScan, Eyes};

/// What is done with the texts of one answer. Not to be logged: it has the values.
pub struct Answer {
    policy: Rc<Policy>,
    issued: Issued,
    cut: Cut,
    counts: BTreeMap<PiiType, u64>,
}

/// One text of an answer that arrives in pieces: a choice's content, the arguments of one
/// tool call.
#[derive(Default)]
pub struct Lane {
    scan: AnswerScan,
    text: LaneText,
}

impl Answer {
    /// The answer to a request that has issued these placeholders.
    #[must_use]
    pub fn new(policy: Rc<Policy>, issued: Issued) -> Self {
        let cut = Cut::of(policy.config());
        Self { policy, issued, cut, counts: BTreeMap::new() }
    }

    /// Whether every text stays as it is: nothing was issued and nothing is looked for.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.issued.is_empty() && !self.policy.scans_answers()
    }

    /// Takes the next piece of a lane and adds to `out` what is settled. How a text is cut
    /// into pieces changes nothing of what comes out in the end.
    pub fn push(&mut self, lane: &mut Lane, text: &str, escape: Escape, out: &mut String) {
        if self.policy.scans_answers() {
            let text = self.scanned(lane, text, escape, false);
            lane.text.push(&self.issued, &text, escape, out);
        } else {
            lane.text.push(&self.issued, text, escape, out);
        }
    }

    /// Adds to `out` what a lane held: nothing follows. The lane is as new.
    pub fn finish(&mut self, lane: &mut Lane, escape: Escape, out: &mut String) {
        if self.policy.scans_answers() {
            let text = self.scanned(lane, "", escape, true);
            lane.text.push(&self.issued, &text, escape, out);
        }
        lane.text.finish(&self.issued, escape, out);
        *lane = Lane::default();
    }

    /// A text that came as a whole; `None` when it stays as it is.
    #[must_use]
    pub fn whole(&mut self, text: &str, escape: Escape) -> Option<String> {
        if self.changes_nothing() {
            return None;
        }
        let (mut lane, mut out) = (Lane::default(), String::with_capacity(text.len()));
        self.push(&mut lane, text, escape, &mut out);
        self.finish(&mut lane, escape, &mut out);
        (out != text).then_some(out)
    }

    /// How many values of the model's own were found, by type.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<PiiType, u64> {
        &self.counts
    }

    fn scanned(&mut self, lane: &mut Lane, text: &str, escape: Escape, ends: bool) -> String {
        let Self { policy, issued, cut, counts } = self;
        let mut eyes = Eyes { policy, issued, cut: *cut, counts };
        lane.scan.push(&mut eyes, text, escape, ends)
    }
}

impl Lane {
    /// Whether something is held back.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.scan.holds() || self.text.holds()
    }
}

#[cfg(test)]
mod tests;
