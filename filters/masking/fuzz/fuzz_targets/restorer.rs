//! Any text, as a request and as an answer: what was redacted is restored to the byte, and
//! however an answer is cut the same comes out, with the scan of answers and without.
//!
//! The first byte says how: its lowest bit whether the text is JSON, the next one whether
//! answers are scanned, the others at most how many characters a piece has.

#![no_main]

use std::rc::Rc;
use std::sync::LazyLock;

use contract::masking::MaskingPolicyConfig;
use libfuzzer_sys::fuzz_target;
use masking::{Answer, Escape, Lane, Policy, Redaction, Settled, TagKey};

/// Its addresses have placeholders in every run: they are in the dictionary.
const KNOWN: &str = "kim@example.com, lee@example.com, password: \"q7'\\\\x9Zw!\"";

static CONFIGS: LazyLock<[MaskingPolicyConfig; 2]> = LazyLock::new(|| {
    [false, true].map(|answers| MaskingPolicyConfig { answers, ..MaskingPolicyConfig::default() })
});

fn settled(policy: &Rc<Policy>, text: &str) -> (Settled, String) {
    let mut redaction = Redaction::new(Rc::clone(policy), TagKey::for_tenant(&[7; 32], "acme"));
    redaction.look(KNOWN);
    let found = redaction.look(text);
    let settled = redaction.settle();
    let mut redacted = text.to_owned();
    for finding in found.into_iter().rev() {
        let value = &text[finding.span.clone()];
        let replacement = settled.replacement(finding.of, value).unwrap();
        redacted.replace_range(finding.span, &replacement);
    }
    (settled, redacted)
}

fn restored<'t>(
    answer: &mut Answer,
    pieces: impl Iterator<Item = &'t str>,
    escape: Escape,
) -> String {
    let (mut lane, mut out) = (Lane::default(), String::new());
    for piece in pieces {
        answer.push(&mut lane, piece, escape, &mut out);
    }
    answer.finish(&mut lane, escape, &mut out);
    assert!(!lane.holds());
    out
}

/// Pieces of so many characters, a shorter and a longer one by turns.
fn pieces(text: &str, chars: usize) -> Vec<&str> {
    let (mut pieces, mut rest, mut long) = (Vec::new(), text, false);
    while !rest.is_empty() {
        let take = if long { chars + 3 } else { chars };
        let at = rest.char_indices().nth(take).map_or(rest.len(), |(at, _)| at);
        let (piece, behind) = rest.split_at(at);
        pieces.push(piece);
        (rest, long) = (behind, !long);
    }
    pieces
}

fuzz_target!(|input: &[u8]| {
    let Some((how, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let escape = if how & 1 == 0 { Escape::None } else { Escape::Json };
    let policy = Policy::compile(&CONFIGS[usize::from(how >> 1 & 1)]);
    let policy = Rc::new(policy.ok().unwrap());

    let (whole, redacted) = settled(&policy, text);
    let mut whole = Answer::new(Rc::clone(&policy), whole.into_issued());
    let mut cut = Answer::new(Rc::clone(&policy), settled(&policy, text).0.into_issued());
    let expected = restored(&mut whole, std::iter::once(text), escape);
    let chars = usize::from(how >> 2).max(1);
    assert_eq!(restored(&mut cut, pieces(text, chars).into_iter(), escape), expected);
    assert_eq!(cut.counts(), whole.counts());

    if !policy.scans_answers() {
        assert_eq!(restored(&mut cut, pieces(&redacted, chars).into_iter(), Escape::None), text);
    }
});
