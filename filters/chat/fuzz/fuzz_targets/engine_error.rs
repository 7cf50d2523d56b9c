//! Any bytes as an error of an engine: no panic, and what is told is one short line without
//! paths; as an answer with that status and as a stream with the error in it, whatever the
//! cuts, the same bytes leave.
//!
//! The first byte says the status and how long the pieces are.

#![no_main]

use chat::engine_error::Retelling;
use chat::reply::Reader;
use chat::strip::Strip;
use contract::refusal::ErrorShape;
use libfuzzer_sys::fuzz_target;

const OWN: &str = "org/own";

fn left(status: u16, media: &str, body: &[u8], size: usize, is_held: bool) -> Vec<u8> {
    let retelling = Retelling::new(ErrorShape::OpenAi, "asked", OWN);
    let mut reader = Reader::for_answer(status, Some(media), None, "asked")
        .with_errors(status, None, retelling);
    if is_held {
        reader = reader.with_usage(Strip::Nothing);
    }
    let mut left = Vec::new();
    for chunk in body.chunks(size.max(1)) {
        let pushed = reader.push(chunk);
        left.extend_from_slice(pushed.replacement.as_deref().unwrap_or(chunk));
    }
    left.extend(reader.finish());
    assert!(reader.finish().is_empty());
    left
}

fuzz_target!(|input: &[u8]| {
    let Some((how, body)) = input.split_first() else { return };
    let status = [400, 413, 422, 500][usize::from(how % 4)];
    let size = usize::from(how / 4) + 1;

    let refusal = Retelling::new(ErrorShape::OpenAi, "asked", OWN).refusal(status, body);
    let message = refusal.message;
    assert!(!message.is_empty() && message.chars().count() <= 500);
    assert!(!message.contains(|c: char| c.is_control()));
    assert!(!message.split(' ').any(|word| word.starts_with("/usr/") || word.contains("://")));

    let told = left(status, "text/plain", body, body.len(), false);
    assert!(serde_json::from_slice::<serde_json::Value>(&told).is_ok());
    assert_eq!(left(status, "text/plain", body, size, false), told);

    let stream = "text/event-stream";
    let whole = left(200, stream, body, body.len(), false);
    assert_eq!(left(200, stream, body, size, false), whole);
    assert_eq!(left(200, stream, body, body.len(), true), whole);
    assert_eq!(left(200, stream, body, size, true), whole);
});
