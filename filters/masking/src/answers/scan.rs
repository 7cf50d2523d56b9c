//! Values that a model wrote itself, masked phrase by phrase.

use std::collections::BTreeMap;
use std::ops::Range;

use contract::masking::{Action, PiiType};

use super::phrases::{Cut, Phrase, Phrases};
use crate::nesting::{Nesting, put_escaped};
use crate::placeholder::masked;
use crate::policy::Policy;
use crate::restore::{Escape, Issued, places};
use crate::scan::Finding;

/// What a text is looked at with.
pub(super) struct Eyes<'a> {
    pub(super) policy: &'a Policy,
    pub(super) issued: &'a Issued,
    pub(super) cut: Cut,
    pub(super) counts: &'a mut BTreeMap<PiiType, u64>,
}

/// One text that is looked at. What a later byte could still turn into a value is held.
#[derive(Default)]
pub(super) struct AnswerScan {
    phrases: Phrases,
    given: Given,
}

/// What has been given on.
#[derive(Default)]
struct Given {
    place: Nesting,
    /// Whether the word goes on that the last phrase broke off inside of a value.
    goes_on: bool,
}

impl AnswerScan {
    /// Takes the next piece; what is settled of the text. With `ends` that is all of it.
    pub(super) fn push(
        &mut self,
        eyes: &mut Eyes<'_>,
        text: &str,
        escape: Escape,
        ends: bool,
    ) -> String {
        self.phrases.push(text);
        let mut out = String::new();
        while let Some(phrase) = self.phrases.next(eyes.cut, ends) {
            let text = self.phrases.text(&phrase);
            if phrase.is_to_be_looked_at(eyes.cut) {
                self.given.mask(eyes, text, &phrase, escape, &mut out);
            } else {
                self.given.give(text.get(phrase.start..).unwrap_or_default(), &mut out);
            }
        }
        self.phrases.forget();
        out
    }

    pub(super) fn holds(&self) -> bool {
        self.phrases.holds()
    }
}

impl Given {
    fn mask(
        &mut self,
        eyes: &mut Eyes<'_>,
        text: &str,
        phrase: &Phrase,
        escape: Escape,
        out: &mut String,
    ) {
        let mut done =
            phrase.start + self.rest_of_word(text.get(phrase.start..).unwrap_or_default());
        self.place.pass(text.get(phrase.start..done).unwrap_or_default());
        let mut last = (done == text.len() && self.goes_on).then_some(done);
        for finding in eyes.findings(text, done, escape) {
            let span = self.widened(text, finding.span, done, escape);
            self.give(text.get(done..span.start).unwrap_or_default(), out);
            self.put(&masked(finding.of), escape, out);
            self.place.pass(text.get(span.clone()).unwrap_or_default());
            (done, last) = (span.end, Some(span.end));
        }
        self.give(text.get(done..).unwrap_or_default(), out);
        self.goes_on = phrase.is_broken && last == Some(text.len());
    }

    /// Where a number stood in JSON, a string does.
    fn put(&self, name: &str, escape: Escape, out: &mut String) {
        if escape == Escape::Json && self.place.is_in_json() {
            put_escaped(&format!("\"{name}\""), self.place.depth(), out);
        } else {
            out.push_str(name);
        }
    }

    fn give(&mut self, text: &str, out: &mut String) {
        self.place.pass(text);
        out.push_str(text);
    }

    /// How much at the beginning of a phrase belongs to a value of the one before.
    fn rest_of_word(&self, text: &str) -> usize {
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\\');
        if self.goes_on { text.find(ends).unwrap_or(text.len()) } else { 0 }
    }

    /// A number in JSON is replaced as a whole.
    fn widened(&self, text: &str, span: Range<usize>, from: usize, escape: Escape) -> Range<usize> {
        let mut place = self.place;
        place.pass(text.get(from..span.start).unwrap_or_default());
        if escape == Escape::None || !place.is_in_json() {
            return span;
        }
        let of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let before = text.as_bytes().get(from..span.start).unwrap_or_default();
        let behind = text.as_bytes().get(span.end..).unwrap_or_default();
        let before = before.iter().rev().take_while(|byte| of_number(byte)).count();
        let behind = behind.iter().take_while(|byte| of_number(byte)).count();
        span.start - before..span.end + behind
    }
}

impl Eyes<'_> {
    /// What is to be masked behind a place; the caller's own placeholders are not.
    fn findings(&mut self, text: &str, from: usize, escape: Escape) -> Vec<Finding> {
        let mut found = self.policy.scan(text);
        found.retain(|finding| finding.span.end > from);
        if found.is_empty() {
            return found;
        }
        let own = places(self.issued, text, escape);
        found.retain(|finding| own.iter().all(|own| apart(own, &finding.span)));
        for finding in &mut found {
            *self.counts.entry(finding.of).or_default() += 1;
            finding.span.start = finding.span.start.max(from);
        }
        found.retain(|finding| self.policy.action(finding.of) != Action::Alert);
        found
    }
}

fn apart(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.end <= other.start || other.end <= one.start
}
