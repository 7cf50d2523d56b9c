//! Any bytes as a request body with parts of its texts replaced: no panic, the parse is
//! the same with and without texts, edits are in order, the changed body is JSON again
//! and differs only where a placeholder stands.
//!
//! The first byte says which API, the second where the replaced spans are.

#![no_main]

use chat::edit::apply;
use chat::path::Api;
use chat::request::{RequestError, parse, parse_with_texts};
use chat::texts::Kind;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const PLACEHOLDER: &str = "⟦\"\\";

fuzz_target!(|input: &[u8]| {
    let [api, seed, body @ ..] = input else { return };
    let api = match api % 6 {
        0 => Api::Chat,
        1 => Api::Completions,
        2 => Api::Embeddings,
        3 => Api::Responses,
        4 => Api::Messages,
        _ => Api::Rerank,
    };
    let plain = parse(body);
    let (request, texts) = match parse_with_texts(body, &api) {
        Ok(read) => read,
        Err(error) => {
            let is_own = error == RequestError::TooManyTexts;
            return assert!(is_own || plain.is_err_and(|plain| plain == error));
        }
    };
    assert!(plain.is_ok_and(|plain| plain == request));
    let mut edits = Vec::new();
    for (index, passage) in texts.passages().iter().enumerate() {
        let said = passage.said();
        let step = usize::from(*seed) % 13 + 1;
        let spans = (0..said.len()).step_by(step * 2).map(|at| at..at + step);
        let spans: Vec<_> = spans.take(50).collect();
        for fit in passage.fits(&spans) {
            let stands = &said[fit.span.clone()];
            assert!(!stands.is_empty() && fit.found < spans.len());
            assert!(passage.kind() == Kind::Json || fit.value == stands);
        }
        let replaced: Vec<_> = spans.into_iter().map(|span| (span, PLACEHOLDER.into())).collect();
        edits.extend(texts.edits(index, &replaced));
    }
    for join in texts.joins() {
        let whole = 0..join.said().len();
        assert!(join.crosses(&whole));
        for (passage, span) in join.split(whole) {
            assert!(texts.passages()[passage].said().get(span).is_some());
        }
    }
    let changed = apply(body, &edits).expect("edits are in order");
    let Ok(before) = serde_json::from_slice::<Value>(body) else { return };
    let after = serde_json::from_slice(&changed).expect("the changed body is JSON");
    assert!(is_same(&before, &after));
});

/// Whether two values differ only where the second says the placeholder.
fn is_same(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (_, Value::String(after)) if after.contains('⟦') => {
            matches!(before, Value::String(_) | Value::Number(_))
        }
        (Value::Array(before), Value::Array(after)) => {
            let same = before.iter().zip(after).all(|(before, after)| is_same(before, after));
            same && before.len() == after.len()
        }
        (Value::Object(before), Value::Object(after)) => before.iter().all(|(name, value)| {
            let is_renamed = || after.keys().any(|name| name.contains('⟦'));
            after.get(name).map_or_else(is_renamed, |after| is_same(value, after))
        }),
        _ => before == after,
    }
}
