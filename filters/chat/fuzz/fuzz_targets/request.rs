//! Any bytes as a request body: no panic, what parses says the same to another
//! reader, and it can be edited: the body with another model parses again, says that
//! model and nothing else new.

#![no_main]

use chat::edit::{Edit, apply, json_string};
use chat::medium::Medium;
use chat::request::{RequestError, parse};
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

    if let Ok(plain) = serde_json::from_slice::<serde_json::Value>(body) {
        assert_eq!(plain["model"].as_str(), Some(&*request.model.value));
        let mut names: Vec<_> = request.fields.iter().map(AsRef::as_ref).collect();
        names.sort_unstable();
        assert!(plain.as_object().unwrap().keys().eq(names.iter().copied()));
        assert_eq!(request.has_cache_salt, names.contains(&"cache_salt"));
    }
    for medium in &request.media {
        assert!(body[medium.span.clone()].starts_with(b"\""));
        drop(medium.what());
    }

    let edits = [
        Edit::insert(request.insert_at, b"\"inserted\":{\"n\":1},".to_vec()),
        Edit { span: request.model.span.clone(), text: json_string(OTHER) },
    ];
    let changed = apply(body, &edits).unwrap();
    let again = match parse(&changed) {
        Ok(again) => again,
        // The body had the inserted name, or as many fields as there may be.
        Err(RequestError::DuplicateKey(_) | RequestError::TooManyFields) => return,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(again.model.value, OTHER);
    assert_eq!(again.stream, request.stream);
    assert_eq!(again.n, request.n);
    assert_eq!(again.max_tokens, request.max_tokens);
    assert_eq!(again.max_completion_tokens, request.max_completion_tokens);
    assert_eq!(again.max_output_tokens, request.max_output_tokens);
    assert_eq!(again.best_of, request.best_of);
    assert_eq!(again.fields[1..], request.fields);
    assert_eq!(again.steering, request.steering);
    assert!(again.media.iter().map(Medium::what).eq(request.media.iter().map(Medium::what)));
    assert_eq!(again.stream_options.include_usage, request.stream_options.include_usage);
});
