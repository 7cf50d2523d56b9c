use super::*;
use crate::trial::read_any_way;

fn json(asked: &str, body: &str) -> (String, crate::trial::Outcome) {
    let outcome = read_any_way("application/json", asked, body.as_bytes());
    (String::from_utf8(outcome.bytes.clone()).unwrap(), outcome)
}

#[test]
fn puts_the_asked_name_where_the_engine_wrote_its_own() {
    for (body, expected) in [
        (r#"{"model":"tiny"}"#, r#"{"model":"A"}"#),
        (
            r#" { "id" : 1 , "model" : "tiny" , "x":null}"#,
            r#" { "id" : 1 , "model" : "A" , "x":null}"#,
        ),
        (r#"{"mod\u0065l":"t\"\\"}"#, r#"{"mod\u0065l":"A"}"#),
        (r#"{"response":{"model":"tiny"}}"#, r#"{"response":{"model":"A"}}"#),
        (r#"{"message":{"model":"tiny"},"model":"b"}"#, r#"{"message":{"model":"A"},"model":"A"}"#),
        (r#"{"model":""}"#, r#"{"model":"A"}"#),
        (r#"{"model":"a","model":"b"}"#, r#"{"model":"A","model":"A"}"#),
        (r#"{"a":{"b":[{"c":"}"}]},"model":"x"}"#, r#"{"a":{"b":[{"c":"}"}]},"model":"A"}"#),
    ] {
        assert_eq!(json("A", body).0, expected);
    }
}

#[test]
fn leaves_every_other_model_alone() {
    for body in [
        r#"{"choices":[{"model":"tiny"}]}"#,
        r#"{"choices":{"model":"tiny"}}"#,
        r#"{"response":{"message":{"model":"tiny"}}}"#,
        r#"{"response":[{"model":"tiny"}]}"#,
        r#"{"x":"\"model\":\"tiny\""}"#,
        r#"{"model":null,"response":null,"message":"model"}"#,
        r#"{"model":["tiny"],"message":7}"#,
        r#"[{"model":"tiny"}]"#,
        r#"{"Model":"tiny","model ":"tiny"}"#,
        r#"{} {"model":"tiny"}"#,
    ] {
        assert_eq!(json("A", body).0, body);
    }
}

#[test]
fn garbage_passes_as_it_came() {
    for body in [
        "",
        "{",
        "}",
        "\"",
        "{\"",
        "{\"model",
        "{\"model\"",
        "{\"model\":",
        "{\"model\":\"ti",
        "{\"model\":\"ti\\",
        "{\"model\" \"tiny\"}",
        "{{\"model\":\"tiny\"}}",
        "{]\"model\":\"x\"}",
        "<html>",
        "\u{0}\u{0}",
        "{model:\"tiny\"}",
        "{\"a\":}}}",
        "{:\"model\":\"a\"}",
        "upstream connect error",
        "{\"usage\":{\"prompt_tokens\":1",
        "{\"error\":",
    ] {
        assert_eq!(json("A", body).0, body);
    }
}

#[test]
fn a_name_beyond_the_bound_passes() {
    for (bytes, replaced) in [(MODEL_VALUE_BYTES_MAX - 2, true), (MODEL_VALUE_BYTES_MAX - 1, false)]
    {
        let body = format!(r#"{{"model":"{}","message":{{"model":"b"}}}}"#, "x".repeat(bytes));
        let tail = r#","message":{"model":"A"}}"#;
        let name = if replaced { "A".to_owned() } else { "x".repeat(bytes) };
        assert_eq!(json("A", &body).0, format!(r#"{{"model":"{name}"{tail}"#));
    }
}

#[test]
fn nothing_but_a_name_is_held_back() {
    let body = br#"{"id":"x","model":"tiny","choices":[{"text":"hello"#;
    let mut scanner = AnswerScanner::new("A");
    let mut left = Vec::new();
    for (at, byte) in body.iter().enumerate() {
        let chunk = [*byte];
        let mut out = Splice::new(&chunk);
        scanner.push(0..1, &mut out);
        left.extend(out.finish().unwrap_or(chunk.to_vec()));
        let in_name = (18..23).contains(&at);
        assert_eq!(scanner.held.is_empty(), !in_name, "at {at}");
        assert!(in_name || left.last() == Some(byte) || *byte == b'"');
    }
}

#[test]
fn an_equal_name_costs_no_buffer() {
    let body = br#"{"model":"tiny","usage":{"prompt_tokens":1}}"#;
    let mut scanner = AnswerScanner::new("tiny");
    let mut out = Splice::new(body);
    scanner.push(0..body.len(), &mut out);
    assert!(out.finish().is_none());
}

#[test]
fn finds_the_usage_of_all_three_places() {
    for (body, input) in [
        (r#"{"usage":{"prompt_tokens":5,"x":{"y":"}"}}}"#, Some(5)),
        (r#"{"response":{"usage":{"input_tokens":6}}}"#, Some(6)),
        (r#"{"message":{"usage":{"input_tokens":7}},"usage":null}"#, Some(7)),
        (r#"{"us\u0061ge" : {"prompt_tokens":8} }"#, Some(8)),
        (r#"{"choices":[{"usage":{"prompt_tokens":5}}]}"#, None),
        (r#"{"usage":null}"#, None),
        (r#"{"usage":[{"prompt_tokens":5}]}"#, None),
        (r#"{"usage":{"prompt_tokens":5"#, None),
    ] {
        assert_eq!(json("A", body).1.usage.map(|usage| usage.input), input, "{body}");
    }
}

#[test]
fn a_usage_beyond_the_bound_is_not_read() {
    for (padding, read) in [(USAGE_BYTES_MAX - 28, true), (USAGE_BYTES_MAX - 27, false)] {
        let spaces = " ".repeat(padding);
        let usage = format!(r#"{{"prompt_tokens":1234567890{spaces}}}"#);
        assert_eq!(usage.len() <= USAGE_BYTES_MAX, read);
        let body = format!(r#"{{"usage":{usage},"model":"x"}}"#);
        let (text, outcome) = json("A", &body);
        assert_eq!(outcome.usage.is_some(), read);
        assert!(text.ends_with(r#""model":"A"}"#));
    }
}

#[test]
fn notes_errors() {
    for (body, error) in [
        (r#"{"error":{"message":"x"}}"#, true),
        (r#"{"error":"Unauthorized"}"#, true),
        (r#"{"response":{"error":{"code":1}}}"#, true),
        (r#"{"object":"error","message":"x"}"#, true),
        (r#"{"type":"error"}"#, true),
        (r#"{"type":"response.failed"}"#, true),
        (r#"{"error":null,"response":{"error":null,"type":"error"}}"#, false),
        (r#"{"choices":[{"error":"x"}],"object":"list","errors":1}"#, false),
    ] {
        assert_eq!(json("A", body).1.error, error, "{body}");
    }
}

#[test]
fn knows_the_end_of_a_document() {
    for (body, done) in [
        (r#"{"a":[1,{"b":"}"}]} "#, true),
        (r#"{"a":[1,{"b":"}"}]"#, false),
        ("{}", true),
        ("[]", false),
        ("", false),
    ] {
        assert_eq!(json("A", body).1.done, done, "{body}");
    }
}

#[test]
fn depth_is_a_number() {
    let body = format!(r#"{{"a":{}{},"model":"x"}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(json("A", &body).0.ends_with(r#""model":"A"}"#));
}

mod billing;
