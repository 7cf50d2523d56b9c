use super::*;
use serde_json::Value;

fn retelling() -> Retelling {
    Retelling::new(ErrorShape::OpenAi, "chat-large", "models/own")
}

fn told(status: u16, body: &str) -> (u16, &'static str, String, Option<String>) {
    let refusal = retelling().refusal(status, body.as_bytes());
    let code = refusal.code;
    (code.status(), code.as_str(), refusal.message.into(), refusal.param.map(Into::into))
}

#[test]
fn only_words_about_the_request_are_quoted() {
    let body = r#"{"error":{"message":"secret inner words","param":"n"}}"#;
    for status in [401, 403, 404, 408, 421, 429, 500, 503, 504] {
        let (_, _, message, param) = told(status, body);
        assert!(!message.contains("secret") && param.is_none(), "{status}: {message}");
    }
    for status in [400, 413, 422] {
        let (status, code, message, param) = told(status, body);
        assert_eq!((status, code), (400, "invalid_request"));
        assert_eq!((message.as_str(), param.as_deref()), ("secret inner words", Some("n")));
    }
}

#[test]
fn what_says_nothing_is_told_all_the_same() {
    for body in
        ["", "{}", "<html>", "{\"error\":{\"message\":\"\"}}", "Traceback (most recent call last)"]
    {
        assert_eq!(told(400, body).2, "The inference server does not take this request.", "{body}");
    }
    let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(ERROR_BYTES_MAX));
    assert_eq!(told(400, &long).2, "The inference server does not take this request.");
}

#[test]
fn a_body_is_in_the_shape_of_the_path() {
    let body = |shape| Retelling::new(shape, "a", "b").body(503, b"");
    assert!(body(ErrorShape::OpenAi).starts_with(r#"{"error":{"message":"No inference"#));
    assert!(body(ErrorShape::Anthropic).starts_with(r#"{"type":"error","error":{"message":"No"#));
}

#[test]
fn an_error_of_a_stream_is_told_in_its_place() {
    let value = |place, value: &str| -> Value {
        serde_json::from_slice(&retelling().value(place, Some(value.as_bytes()))).unwrap()
    };
    let broken = r#"{"message":"see /a/b.py","type":"InternalServerError","code":500}"#;
    let error = value(Place::Document, broken);
    assert_eq!(error["message"], "The inference server failed while it was answering.");
    assert_eq!((&error["type"], &error["code"]), (&"server_error".into(), &"engine_error".into()));
    let wrong = r#"{"message":"models/own has no /a/b","type":"BadRequestError"}"#;
    let error = value(Place::Document, wrong);
    assert_eq!(error["message"], "chat-large has no …");
    assert_eq!(error["code"], "invalid_request");
    let error = value(Place::Response, broken);
    assert_eq!(error.as_object().unwrap().len(), 2);
    assert_eq!(value(Place::Document, "\"all words\"")["code"], "engine_error");
    assert!(!retelling().value(Place::Document, None).is_empty());
    assert_eq!(retelling().text(Some(br#""at /a/b""#)), "\"at …\"".as_bytes());
    assert!(retelling().text(Some(b"7")).starts_with(b"\"The inference server failed"));
}
