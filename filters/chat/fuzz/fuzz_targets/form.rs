//! Any bytes as a form: no panic, parts that lie in the body in their order,
//! and with another model a form parses again, says that model and nothing else
//! new. The boundary is `b0`.

#![no_main]

use chat::edit::{Edit, apply};
use chat::form::{boundary, parse};
use contract::policy::MediaConfig;
use libfuzzer_sys::fuzz_target;

const OTHER: &str = "engine/\"own\" name";

fuzz_target!(|body: &[u8]| {
    if let Some(found) = std::str::from_utf8(body).ok().and_then(boundary) {
        assert!((1..=70).contains(&found.len()) && !found.contains(['\r', '\n', '"', ';', ' ']));
    }
    let form = match parse(body, "b0") {
        Ok(form) => form,
        Err(error) => return drop((error.to_string(), error.param())),
    };
    let _ = form.check_media(body, &MediaConfig::default());
    let mut end = 0;
    for part in &form.parts {
        assert!(part.span.start >= end && part.span.end >= part.span.start);
        end = part.span.end;
        let value = &body[part.span.clone()];
        assert!(!value.windows(6).any(|window| window == b"\r\n--b0"));
    }
    assert_eq!(&body[form.model.span.clone()], form.model.value.as_bytes());
    assert_eq!(form.texts().count() + 1, form.parts.len());

    let edit = Edit { span: form.model.span.clone(), text: OTHER.into() };
    let changed = apply(body, &[edit]).unwrap();
    let again = parse(&changed, "b0").unwrap();
    assert_eq!(again.model.value, OTHER);
    assert_eq!(again.stream, form.stream);
    assert!(again.names().eq(form.names()));
    assert_eq!(changed[again.file.span.clone()], body[form.file.span.clone()]);
});
