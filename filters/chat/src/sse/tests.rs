use crate::trial::{Outcome, read_any_way};

fn stream(body: &str) -> (String, Outcome) {
    let outcome = read_any_way("text/event-stream", "A", body.as_bytes());
    (String::from_utf8(outcome.bytes.clone()).unwrap(), outcome)
}

#[test]
fn reads_every_kind_of_line_end() {
    for end in ["\n", "\r\n", "\r"] {
        let lines = [
            ": comment",
            "",
            "event: x",
            "id: 1",
            "retry: 5",
            r#"data: {"model":"tiny","usage":null}"#,
            "",
            r#"data:{"model":"tiny","usage":{"prompt_tokens":3}}"#,
            "",
            "data: [DONE]",
            "",
            "",
        ];
        let body = lines.join(end);
        let (text, outcome) = stream(&body);
        assert_eq!(text, body.replace("tiny", "A"));
        assert_eq!((outcome.events, outcome.done), (2, true), "{end:?}");
        assert_eq!(outcome.usage.unwrap().input, 3);
    }
}

#[test]
fn counts_events_with_data() {
    for (body, events, done) in [
        ("", 0, false),
        ("data: 1\n\n", 1, false),
        ("data: 1", 0, false),
        ("data\n\ndata:\n\ndata", 2, false),
        ("data: 1\ndata: 2\n\n", 1, false),
        ("event: data\n\n: data: 1\n\n", 0, false),
        ("dat: 1\n\ndatax: 1\n\n data: 1\n\n", 0, false),
        ("\u{feff}data: 1\n\n", 1, false),
        ("\u{feff}\u{feff}data: 1\n\n", 0, false),
        ("data: [DONE]\n\n", 0, true),
        ("data:[DONE]", 0, true),
        ("data: [DONE] \n\n", 0, true),
        ("data:  [DONE]\n\n", 1, false),
        ("data: [DONE\n\n", 1, false),
        ("data: 1\ndata: [DONE]\n\n", 1, false),
        ("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", 1, true),
        ("data: {\"type\":\"response.completed\",\"response\":{}}\n\n", 1, true),
        ("data: {\"type\":\"response.created\",\"response\":{}}\n\n", 1, false),
    ] {
        let (text, outcome) = stream(body);
        assert_eq!(text, body);
        assert_eq!((outcome.events, outcome.done), (events, done), "{body:?}");
    }
}

#[test]
fn only_the_first_mark_counts() {
    for body in ["\u{feff}data: {\"model\":\"t\"}\n", "data: {\"model\":\"t\"}\n"] {
        assert_eq!(stream(body).0, body.replace("\"t\"", "\"A\""));
    }
    // Half a mark is part of the first field's name.
    let half = b"\xEF\xBBdata: {\"model\":\"t\"}\n\ndata: {\"model\":\"t\"}\n";
    let read = read_any_way("text/event-stream", "A", half).bytes;
    assert_eq!(read, b"\xEF\xBBdata: {\"model\":\"t\"}\n\ndata: {\"model\":\"A\"}\n");
}

#[test]
fn data_lines_of_one_event_are_one_document() {
    let body = "data: {\"id\":1,\ndata: \"model\"\ndata: :\ndata: \"tiny\",\"usage\":{\ndata:\
                \"prompt_tokens\":\ndata: 4}}\n\n";
    let (text, outcome) = stream(body);
    assert_eq!(text, body.replace("tiny", "A"));
    assert_eq!(outcome.usage.unwrap().input, 4);
    assert_eq!(outcome.events, 1);
}

#[test]
fn a_line_end_inside_of_a_number_splits_it() {
    let outcome = stream("data: {\"usage\":{\"prompt_tokens\":1\ndata: 2}}\n\n").1;
    assert_eq!(outcome.usage, None);
}

#[test]
fn a_name_that_a_line_end_cuts_passes() {
    let body = "data: {\"model\":\"ti\ndata: ny\",\"response\":{\"model\":\"x\"}}\n\n";
    assert_eq!(stream(body).0, body.replace("\"x\"", "\"A\""));
    let body = "data: {\"model\":\"ti\n\ndata: {\"model\":\"x\"}\r\rdata: {\"model\":\"ti\r";
    assert_eq!(stream(body).0, body.replace("\"x\"", "\"A\""));
}

#[test]
fn every_event_is_a_document_of_its_own() {
    let body = "data: {\"a\":[{\n\ndata: oops\n\ndata: {\"model\":\"x\"}\n\n";
    assert_eq!(stream(body).0, body.replace("\"x\"", "\"A\""));
}

#[test]
fn an_error_in_a_stream_is_seen() {
    let (_, outcome) = stream("data: {\"error\":{\"code\":500}}\n\ndata: [DONE]\n\n");
    assert!(outcome.error && outcome.done);
}

#[test]
fn a_data_line_beyond_all_bounds_streams_on() {
    let text = "x".repeat(1 << 18);
    let body = format!("data: {{\"a\":\"{text}\",\"model\":\"t\"}}\n\n");
    assert_eq!(stream(&body).0, body.replace("\"t\"", "\"A\""));
}
