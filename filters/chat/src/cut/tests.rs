use super::*;
use contract::refusal::Code;

use crate::reply::Reader;
use crate::strip::Strip;
use crate::trial::reader;

fn refusal() -> Refusal {
    Refusal::new(Code::BudgetExceeded, "The budget is \"used up\".")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn stream() -> Reader {
    reader("text/event-stream", "A")
}

const ERROR: &str = r#"{"error":{"message":"The budget is \"used up\".","type":"insufficient_quota","param":null,"code":"budget_exceeded"}}"#;

#[test]
fn each_path_has_its_own_error_event() {
    for api in [Api::Chat, Api::Completions, Api::Transcriptions] {
        let left = text(stream().cut(&api, &refusal()));
        assert_eq!(left, format!("data: {ERROR}\n\ndata: [DONE]\n\n"));
    }
    let left = text(stream().cut(&Api::Messages, &refusal()));
    assert!(left.starts_with("event: error\ndata: {\"type\":\"error\",\"error\":{"), "{left}");
    assert!(left.ends_with("}}\n\n") && left.lines().count() == 3);
}

#[test]
fn responses_fail_with_the_next_number() {
    let mut answer = stream();
    answer.push(b"data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"},\"sequence_number\":0}\n\n");
    answer.push(b"data: {\"type\":\"x\",\"sequence_number\":41,\"delta\":\"a\"}\n\n");
    let left = text(answer.cut(&Api::Responses, &refusal()));
    let data = left.strip_prefix("event: response.failed\ndata: ").unwrap();
    let event: serde_json::Value = serde_json::from_str(data.trim_end()).unwrap();
    assert_eq!(event["sequence_number"], 42);
    assert_eq!(event["response"]["id"], "resp_1");
    assert_eq!(event["response"]["error"]["code"], "budget_exceeded");
    assert!(left.ends_with("}\n\n"));
}

#[test]
fn the_event_stands_between_two() {
    for (chunks, gap) in [
        (vec!["data: {}\n\n"], ""),
        (vec!["data: {}\r\r"], ""),
        (vec!["data: {}\r\n\r\n"], ""),
        (vec![": ping\n"], ""),
        (vec!["data: {}\n"], "\n\n"),
        (vec!["event: x\n"], "\n\n"),
        (vec!["data: {\"a"], "\n\n"),
    ] {
        let mut plain = stream();
        let mut held = stream().with_usage(Strip::Nothing);
        for chunk in &chunks {
            plain.push(chunk.as_bytes());
            held.push(chunk.as_bytes());
        }
        let event = format!("data: {ERROR}\n\ndata: [DONE]\n\n");
        assert_eq!(text(plain.cut(&Api::Chat, &refusal())), format!("{gap}{event}"), "{chunks:?}");
        assert_eq!(text(held.cut(&Api::Chat, &refusal())), event, "{chunks:?}");
    }
}

#[test]
fn an_event_that_was_too_large_to_be_held_is_ended() {
    let mut held = stream().with_usage(Strip::Nothing);
    held.push(format!("data: {{\"a\":\"{}", "x".repeat(crate::strip::EVENT_BYTES_MAX)).as_bytes());
    assert!(held.cut(&Api::Chat, &refusal()).starts_with(b"\n\ndata: "));
}

#[test]
fn nothing_leaves_behind_it() {
    let mut answer = stream().with_usage(Strip::Nothing);
    let first = answer.push(b"data: {\"choices\":[{\"text\":\"ab\"}]}\n\ndata: {\"cho");
    assert!(first.replacement.is_some_and(|left| left.ends_with(b"\n\n")));
    assert!(!answer.cut(&Api::Completions, &refusal()).is_empty());
    let rest = answer.push(b"ices\":[{\"text\":\"cd\"}]}\n\n");
    assert_eq!((rest.replacement, rest.usage_changed), (Some(Vec::new()), false));
    assert!(answer.cut(&Api::Completions, &refusal()).is_empty());
    assert!(answer.finish().is_empty());
    assert_eq!(answer.delivered().bytes, 2);
}

#[test]
fn an_answer_that_is_no_stream_says_nothing() {
    for media in ["application/json", "text/plain"] {
        let mut answer = reader(media, "A");
        answer.push(b"{\"choices\":[");
        assert!(answer.cut(&Api::Chat, &refusal()).is_empty());
        assert_eq!(answer.push(b"]}").replacement, Some(Vec::new()));
    }
}
