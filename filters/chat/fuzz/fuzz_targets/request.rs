//! Any bytes as a request body: no panic, and what parses can be edited: the
//! body with another model parses again, says that model and nothing else new.

#![no_main]

use chat::edit::{Edit, apply, json_string};
use chat::request::parse;
use libfuzzer_sys::fuzz_target;

const OTHER: &str = "engine/\"own\" name";

fuzz_target!(|body: &[u8]| {
    let request = match parse(body) {
        Ok(request) => request,
        Err(error) => return drop((error.to_string(), error.param())),
    };
    // The body is borrowed from in place, so its spans are those of the text.
    let quoted: String = serde_json::from_slice(&body[request.model.span.clone()]).unwrap();
    assert_eq!(quoted, request.model.value);

    let edits = [
        Edit::insert(request.insert_at, b"\"inserted\":{\"n\":1},".to_vec()),
        Edit { span: request.model.span.clone(), text: json_string(OTHER) },
    ];
    let changed = apply(body, &edits).unwrap();
    let again = parse(&changed).unwrap();
    assert_eq!(again.model.value, OTHER);
    assert_eq!(again.stream, request.stream);
    assert_eq!(again.n, request.n);
    assert_eq!(again.max_tokens, request.max_tokens);
    assert_eq!(again.max_completion_tokens, request.max_completion_tokens);
    assert_eq!(again.stream_options.include_usage, request.stream_options.include_usage);
});
