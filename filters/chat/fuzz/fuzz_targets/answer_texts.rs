//! Any bytes as an answer whose texts change: no panic, whatever the cuts the same bytes
//! leave, an answer whose texts do not change leaves as it came, and lanes end.
//!
//! The first byte says how long the pieces are, and which form it is.

#![no_main]

use std::collections::BTreeMap;

use chat::answer_texts::{AnswerTexts, Field, Form, Lane, LaneTexts};
use chat::path::Api;
use libfuzzer_sys::fuzz_target;

/// Replaces `[X]`, and keeps back what may still become it.
#[derive(Default)]
struct Swap {
    is_on: bool,
    held: BTreeMap<Lane, String>,
}

impl LaneTexts for Swap {
    fn piece(&mut self, lane: &Lane, text: &str) -> Option<String> {
        assert!(!text.is_empty());
        if !self.is_on {
            return None;
        }
        let all = self.held.remove(lane).unwrap_or_default() + text;
        let all = all.replace("[X]", "\"한");
        let kept = ["[X", "["].into_iter().find(|start| all.ends_with(start)).unwrap_or_default();
        if !kept.is_empty() {
            self.held.insert(*lane, kept.to_owned());
        }
        Some(all[..all.len() - kept.len()].to_owned())
    }

    fn holds(&self, lane: &Lane) -> bool {
        self.held.contains_key(lane)
    }

    fn end(&mut self, lane: &Lane) -> Option<String> {
        self.held.remove(lane)
    }

    fn whole(&mut self, _: Field, text: &str) -> Option<String> {
        assert!(!text.is_empty());
        self.is_on.then(|| text.replace("[X]", "\"한"))
    }
}

fn passed(form: Form, answer: &[u8], size: usize, is_on: bool) -> Vec<u8> {
    let mut texts = Swap { is_on, ..Swap::default() };
    // The small bound of an answer that is made of numbers is soon reached.
    let mut passing = AnswerTexts::new(form, &Api::Embeddings);
    let mut out = Vec::new();
    for chunk in answer.chunks(size.max(1)) {
        out.extend(passing.push(chunk, &mut texts));
    }
    out.extend(passing.finish(&mut texts));
    assert!(passing.finish(&mut texts).is_empty() && texts.held.is_empty());
    out
}

fuzz_target!(|input: &[u8]| {
    let [first, answer @ ..] = input else { return };
    let form = if first % 2 == 0 { Form::EventStream } else { Form::Json };
    let size = usize::from(first / 2) % 17 + 1;
    assert_eq!(passed(form, answer, size, false), answer);
    let whole = passed(form, answer, answer.len(), true);
    assert_eq!(passed(form, answer, size, true), whole);
    assert_eq!(passed(form, answer, 1, true), whole);
    if std::str::from_utf8(answer).is_ok() {
        assert!(std::str::from_utf8(&whole).is_ok());
    }
});
