use super::*;
use proptest::prelude::*;

use crate::edit::{Edit, apply, json_string};

fn parsed(body: &str) -> Request<'_> {
    parse(body.as_bytes()).unwrap()
}

fn refused(body: &str) -> RequestError {
    parse(body.as_bytes()).unwrap_err()
}

#[test]
fn reads_what_decides() {
    let body = r#" {"model":"llama","messages":[{"role":"user","content":"model"}],
        "stream":true,"stream_options":{"include_usage":true},"n":2,"max_tokens":5,
        "max_completion_tokens":6,"temperature":1e400,"x":{"model":1,"model":2}} "#;
    let request = parsed(body);
    assert_eq!(request.model.value, "llama");
    assert_eq!(body.get(request.model.span.clone()).unwrap(), r#""llama""#);
    assert!(request.stream && request.stream_options.include_usage);
    assert_eq!(
        body.get(request.stream_options.span.unwrap()).unwrap(),
        r#"{"include_usage":true}"#
    );
    assert_eq!(request.n, Some(2));
    assert_eq!((request.max_tokens, request.max_completion_tokens), (Some(5), Some(6)));
    assert_eq!(body.get(..request.insert_at).unwrap(), " {");
}

#[test]
fn null_is_as_good_as_absent() {
    let body = r#"{"model":"m","stream":null,"stream_options":null,"n":null,"max_tokens":null}"#;
    let request = parsed(body);
    assert!(!request.stream);
    assert_eq!(request.stream_options, StreamOptions::default());
    assert_eq!((request.n, request.max_tokens, request.max_completion_tokens), (None, None, None));
}

#[test]
fn borrows_where_nothing_is_escaped() {
    assert!(matches!(parsed(r#"{"model":"m"}"#).model.value, Cow::Borrowed("m")));
    let escaped = parsed(r#"{"mod\u0065l":"\u006d\/\uD83D\uDE00"}"#);
    assert_eq!(escaped.model.value, "m/😀");
}

#[test]
fn refuses_what_is_no_object() {
    for body in ["[]", "1", "\"{}\"", "null", " true "] {
        assert_eq!(refused(body), RequestError::NotAnObject, "{body}");
    }
    for body in [
        "",
        "{",
        "[",
        "nul",
        r#"{"model":"m"}x"#,
        r#"{"model":"m"}{}"#,
        "\u{feff}{}",
        "{'model':'m'}",
        r#"{"model":"m",}"#,
        "{\"model\":\"a\u{0}\"}",
        "{\"a\":NaN,\"model\":\"m\"}",
        "\u{0}",
    ] {
        assert!(matches!(refused(body), RequestError::InvalidJson { .. }), "{body}");
    }
}

#[test]
fn names_the_place_of_a_fault() {
    assert_eq!(refused("{\n  \"a\" 1}"), RequestError::InvalidJson { line: 2, column: 7 });
    let not_utf8 = parse(b"{\n\"\xff\":1}").unwrap_err();
    assert_eq!(not_utf8, RequestError::InvalidJson { line: 2, column: 2 });
}

#[test]
fn refuses_a_duplicate_of_what_decides() {
    for name in [
        "model",
        "messages",
        "prompt",
        "input",
        "stream",
        "stream_options",
        "n",
        "max_tokens",
        "max_completion_tokens",
    ] {
        let body = format!(r#"{{"model":"m","{name}":null,"{name}":null}}"#);
        assert_eq!(refused(&body), RequestError::DuplicateKey(name), "{name}");
    }
    assert_eq!(refused(r#"{"model":"a","m\u006fdel":"b"}"#), RequestError::DuplicateKey("model"));
    assert!(parse(br#"{"model":"m","seed":1,"seed":2}"#).is_ok());
}

#[test]
fn refuses_wrong_types() {
    for (member, param) in [
        (r#""model":1"#, "model"),
        (r#""model":["m"]"#, "model"),
        (r#""model":"\ud800""#, "model"),
        (r#""model":"m","stream":"true""#, "stream"),
        (r#""model":"m","stream":1"#, "stream"),
        (r#""model":"m","stream_options":[]"#, "stream_options"),
        (r#""model":"m","stream_options":true"#, "stream_options"),
        (r#""model":"m","n":1.0"#, "n"),
        (r#""model":"m","n":-1"#, "n"),
        (r#""model":"m","n":1e400"#, "n"),
        (r#""model":"m","max_tokens":"5""#, "max_tokens"),
        (r#""model":"m","max_tokens":18446744073709551616"#, "max_tokens"),
        (r#""model":"m","max_completion_tokens":{}"#, "max_completion_tokens"),
    ] {
        let error = refused(&format!("{{{member}}}"));
        assert!(matches!(error, RequestError::WrongType { .. }), "{member}");
        assert_eq!(error.param(), Some(param), "{member}");
    }
}

#[test]
fn refuses_a_model_that_is_no_name() {
    assert_eq!(refused(r#"{"messages":[]}"#), RequestError::MissingModel);
    assert_eq!(refused(r#"{"model":null}"#), RequestError::MissingModel);
    for model in ["", "a\\u0000b", "\\n", "\\u0085"] {
        assert_eq!(
            refused(&format!(r#"{{"model":"{model}"}}"#)),
            RequestError::BadModel,
            "{model}"
        );
    }
    let longest = "x".repeat(MODEL_BYTES_MAX);
    assert!(parse(format!(r#"{{"model":"{longest}"}}"#).as_bytes()).is_ok());
    assert_eq!(refused(&format!(r#"{{"model":"{longest}x"}}"#)), RequestError::BadModel);
}

#[test]
fn depth_costs_no_stack() {
    let depth = 1 << 20;
    for body in [
        "[".repeat(depth),
        "{\"a\":".repeat(depth),
        format!(r#"{{"model":"m","a":{}"#, "[".repeat(depth)),
        format!(r#"{{"model":{}"#, "{\"a\":".repeat(depth)),
    ] {
        assert!(matches!(refused(&body), RequestError::InvalidJson { .. }));
    }
    let closed = format!(r#"{{"model":"m","a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(parsed(&closed).model.value, "m");
    let array = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(refused(&array), RequestError::NotAnObject);
    let options = format!(r#"{{"model":"m","stream_options":{array}}}"#);
    assert_eq!(refused(&options).param(), Some("stream_options"));
    let model = format!(r#"{{"model":{array}}}"#);
    assert_eq!(refused(&model).param(), Some("model"));
}

#[test]
fn texts_repeat_nothing_of_the_body() {
    for body in [
        "{\"hunter2\":",
        "hunter2",
        r#"{"model":["hunter2"]}"#,
        r#"{"model":"hunter2","n":"hunter2"}"#,
        r#"{"model":"hunter2","stream_options":"hunter2"}"#,
        r#"{"model":"hunter2","model":"hunter2"}"#,
        r#"{"model":"hunter2\n"}"#,
        r#"["hunter2"]"#,
        r#"{"hunter2":1}"#,
    ] {
        let error = refused(body);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

proptest! {
    #[test]
    fn never_panics_and_agrees_with_a_plain_reader(body in "[{}\\[\\]\",:a-d0-9 \\\\u.modelstrn-]{0,60}") {
        let plain = serde_json::from_str::<serde_json::Value>(&body);
        if let Ok(request) = parse(body.as_bytes()) {
            // A plain reader may refuse what is only skipped (a lone surrogate,
            // a number out of its range); what it reads must be the same.
            if let Ok(plain) = plain {
                prop_assert_eq!(plain["model"].as_str(), Some(&*request.model.value));
            }
        }
    }

    #[test]
    fn the_model_can_be_replaced(old in "[^\\p{Cc}]{1,20}", new in "[^\\p{Cc}]{1,20}", text in ".*") {
        let body = serde_json::json!({"a": text, "model": old, "messages": [text]}).to_string();
        let request = parse(body.as_bytes()).unwrap();
        prop_assert_eq!(&*request.model.value, &old);
        let edit = Edit { span: request.model.span.clone(), text: json_string(&new) };
        let changed = apply(body.as_bytes(), &[edit]).unwrap();
        prop_assert_eq!(&*parse(&changed).unwrap().model.value, &new);
    }
}
