//! Any bytes as a usage object and as a JSON answer: no panic, counts within
//! their bounds, and an answer that is valid JSON is read as a plain reader
//! reads it and stays valid.

#![no_main]

use chat::reply::Reader;
use chat::usage::{COUNT_MAX, Usage, UsageKeeper};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fn check(usage: Usage) {
    assert!(usage.input <= COUNT_MAX && usage.output <= COUNT_MAX);
    assert!(usage.cached_input <= usage.input && usage.reasoning <= usage.output);
}

fn merged(input: &[u8]) {
    let mut keeper = UsageKeeper::default();
    let changed = keeper.merge(input);
    assert!(!changed || keeper.usage().is_some());
    let once = keeper.usage();
    keeper.merge(input);
    assert_eq!(keeper.usage(), once, "totals are never summed");
    once.map(check);
}

fn answered(input: &[u8]) {
    let mut reader = Reader::for_answer(200, Some("application/json"), None, "asked");
    let (head, tail) = input.split_at(input.len() / 2);
    let mut left = Vec::new();
    for chunk in [head, tail] {
        left.extend(reader.push(chunk).replacement.unwrap_or_else(|| chunk.to_vec()));
    }
    left.extend(reader.finish());
    reader.usage().map(check);
    let Ok(plain @ Value::Object(_)) = serde_json::from_slice::<Value>(input) else { return };
    assert!(reader.saw_done());
    assert_eq!(reader.usage().is_some(), reader.usage_objects() > 0);
    let read: Value = serde_json::from_slice(&left).unwrap();
    compare(&plain, &read);
}

/// Equal but for the three names. A member that is there twice is one for the
/// plain reader, so a name may also have been replaced in one that it dropped.
fn compare(plain: &Value, read: &Value) {
    for place in ["/model", "/response/model", "/message/model"] {
        let long = |name: &str| name.len() > 80;
        match (plain.pointer(place), read.pointer(place)) {
            (Some(Value::String(name)), Some(read)) => assert!(read == "asked" || long(name)),
            (plain, read) => assert_eq!(plain, read),
        }
    }
    for (name, value) in plain.as_object().unwrap() {
        if !["model", "response", "message"].contains(&name.as_str()) {
            assert_eq!(read.get(name), Some(value));
        }
    }
}

fuzz_target!(|input: &[u8]| {
    merged(input);
    answered(input);
});
