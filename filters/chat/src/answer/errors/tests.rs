use crate::engine_error::Retelling;
use crate::reply::Reader;
use crate::strip::Strip;
use crate::trial::{Outcome, read, reader};
use contract::refusal::ErrorShape;
use proptest::prelude::*;

fn retelling(shape: ErrorShape) -> Retelling {
    Retelling::new(shape, "chat", "org/own")
}

fn open(media: &str, shape: ErrorShape) -> Reader {
    reader(media, "chat").with_errors(200, None, retelling(shape))
}

/// Whole and byte by byte, with and without whole events.
fn told(media: &str, shape: ErrorShape, body: &str) -> String {
    let every: Vec<_> = (0..body.len()).collect();
    let whole: Outcome = read(open(media, shape), body.as_bytes(), &[]);
    assert_eq!(read(open(media, shape), body.as_bytes(), &every), whole, "byte by byte");
    let held = || open(media, shape).with_usage(Strip::Nothing);
    assert_eq!(read(held(), body.as_bytes(), &[]).bytes, whole.bytes, "whole events");
    assert_eq!(read(held(), body.as_bytes(), &every).bytes, whole.bytes, "whole events, cut");
    assert!(whole.error, "{body}");
    String::from_utf8(whole.bytes).unwrap()
}

fn of_stream(body: &str) -> String {
    told("text/event-stream", ErrorShape::OpenAi, body)
}

const FAILED: &str = r#""message":"The inference server failed while it was answering.""#;

#[test]
fn an_error_event_says_nothing_of_the_engines_insides() {
    let event =
        "data: {\"error\": {\"message\": \"see /a/b.py\", \"code\": 500}}\n\ndata: [DONE]\n\n";
    let expected = format!(
        "data: {{\"error\": {{\"code\":\"engine_error\",{FAILED},\"param\":null,\
         \"type\":\"server_error\"}}}}\n\ndata: [DONE]\n\n"
    );
    assert_eq!(of_stream(event), expected);
    let text = "data: {\"id\":1,\"error\":\"at /a/b \\\" c\",\"n\":2}\n\n";
    let end = "\"type\":\"server_error\"},\"n\":2}\n\n";
    assert!(of_stream(text).starts_with("data: {\"id\":1,\"error\":{"), "{}", of_stream(text));
    assert!(of_stream(text).ends_with(end));
}

#[test]
fn every_shape_of_an_error_is_told_again() {
    for (event, has) in [
        (
            r#"{"type":"error","message":"at /a/b: org/own","code":"x"}"#,
            r#""message":"at …: chat","code""#,
        ),
        (r#"{"error":["org/own"],"a":1}"#, r#""type":"server_error"},"a":1}"#),
        (
            r#"{"type":"response.failed","response":{"id":"r","error":{"code":"c","message":"/a/b"}}}"#,
            r#""error":{"code":"engine_error","message":"The inference"#,
        ),
        (
            r#"{"error":{"type":"BadRequestError","message":"org/own: too long"}}"#,
            r#""message":"chat: too long""#,
        ),
        (
            r#"{"error":{"a":["}\"",{"b":"]"}],"message":"x"},"model":"org/own"}"#,
            r#""type":"server_error"},"model":"chat"}"#,
        ),
    ] {
        let told = of_stream(&format!("data: {event}\n\n"));
        assert!(told.contains(has), "{event}: {told}");
    }
    let body = r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#;
    let told = told("application/json", ErrorShape::Anthropic, body);
    assert!(told.contains(r#""type":"rate_limit_error""#) && told.contains("at their limit"));
}

#[test]
fn what_is_no_error_stays() {
    let body = "data: {\"error\":null,\"message\":{\"model\":\"x\",\"content\":\"/a/b.py\"}}\n\n\
                data: {\"choices\":[{\"message\":\"/a/b\",\"error\":\"/a/b\"}]}\n\n";
    let whole = read(open("text/event-stream", ErrorShape::OpenAi), body.as_bytes(), &[]);
    assert_eq!(String::from_utf8(whole.bytes).unwrap(), body.replace("\"x\"", "\"chat\""));
    assert!(!whole.error);
}

#[test]
fn nothing_is_told_of_an_error_that_is_too_large_or_broken() {
    let long = "/a/b ".repeat(5_000);
    let told = of_stream(&format!("data: {{\"error\":{{\"message\":\"{long}\"}}}}\n\n"));
    assert!(told.contains(FAILED) && told.len() < 300, "{told}");
    let told = of_stream(&format!("data: {{\"error\":\"{long}\"}}\n\n"));
    assert!(told.contains(FAILED) && told.len() < 300, "{told}");
    for broken in ["data: {\"error\":{\"message\":\"/a/b", "data: {\"error\":\"/a/b\n\n"] {
        assert!(!of_stream(broken).contains("/a/b"), "{broken}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn cuts_change_nothing(
        pieces in proptest::collection::vec(prop_oneof![
            Just("data: {"), Just("\"error\":"), Just("\"message\":"), Just("\"/a/b\""), Just("{"), Just("}"),
            Just("["), Just("]"), Just("\""), Just("\\"), Just(","), Just("\n\n"), Just("\r"), Just("null"),
            Just("\"response\":{"), Just("\"usage\":{\"prompt_tokens\":3}"), Just("\"choices\":[],"),
        ], 0..14),
        cuts in proptest::collection::vec(any::<usize>(), 0..10),
        held in any::<bool>(),
    ) {
        let body = pieces.concat();
        let begin = || {
            let reader = open("text/event-stream", ErrorShape::OpenAi);
            if held { reader.with_usage(Strip::Usage { nulls: true }) } else { reader }
        };
        let whole = read(begin(), body.as_bytes(), &[]);
        prop_assert_eq!(read(begin(), body.as_bytes(), &cuts), whole);
    }
}
