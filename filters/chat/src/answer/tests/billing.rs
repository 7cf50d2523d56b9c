//! What is counted of an answer beside what the engine counts.

use crate::reply::Delivered;
use crate::trial::{Outcome, read_any_way};

fn json(body: &str) -> Outcome {
    read_any_way("application/json", "A", body.as_bytes())
}

fn events(events: &[&str]) -> Outcome {
    let body: String = events.iter().map(|data| format!("data: {data}\n\n")).collect();
    read_any_way("text/event-stream", "A", body.as_bytes())
}

#[test]
fn generated_text_of_an_event_is_counted_wherever_it_stands() {
    for (data, bytes) in [
        (r#"{"choices":[{"delta":{"content":"a\u00e9"}}]}"#, 3),
        (r#"{"choices":[{"delta":{"content":""},"finish_reason":"stop"}]}"#, 0),
        (r#"{"choices":[{"delta":{"content":null,"role":"assistant"}}]}"#, 0),
        (r#"{"choices":[{"delta":{"content":[{"type":"text","text":"ab"}]}}]}"#, 2),
        (r#"{"choices":[{"delta":{"reasoning":"ab","reasoning_content":"ab"}}]}"#, 2),
        (r#"{"choices":[{"delta":{"reasoning_content":null,"reasoning":"ab","content":"c"}}]}"#, 3),
        (r#"{"choices":[{"delta":{"reasoning":""}},{"delta":{"reasoning_content":"ab"}}]}"#, 2),
        (
            r#"{"choices":[{"delta":{"tool_calls":[{"id":"x","function":{"name":"f","arguments":"{\"a\""}}]}}]}"#,
            5,
        ),
        (r#"{"choices":[{"delta":{"function_call":{"name":"f","arguments":"{}"}}}]}"#, 3),
        (r#"{"choices":[{"text":"ab","logprobs":{"text":"no"}},{"text":"c"}]}"#, 3),
        (r#"{"delta":"ab","type":"response.output_text.delta"}"#, 2),
        (r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"ab"}}"#, 2),
        (r#"{"delta":{"thinking":"ab","signature":"no"}}"#, 2),
        (r#"{"delta":{"partial_json":"{\"a\":"}}"#, 5),
        (r#"{"content_block":{"type":"tool_use","id":"no","name":"f","input":{}}}"#, 1),
        (r#"{"type":"response.output_text.done","text":"said before"}"#, 0),
        (r#"{"type":"response.completed","response":{"output":[{"content":[{"text":"x"}]}]}}"#, 0),
        (r#"{"type":"response.output_item.done","item":{"content":[{"text":"x"}]}}"#, 0),
        (r#"{"message":{"content":[{"text":"x"}]}}"#, 0),
        (r#"{"error":{"message":"x"},"text":"x"}"#, 0),
    ] {
        let expected = Delivered { events: u64::from(bytes > 0), bytes };
        assert_eq!(events(&[data]).delivered, expected, "{data}");
    }
}

#[test]
fn generated_text_of_a_whole_answer_is_counted() {
    for (body, bytes) in [
        (r#"{"choices":[{"message":{"content":"ab"}},{"message":{"content":"c"}}]}"#, 3),
        (r#"{"choices":[{"text":"ab"}],"text":"c"}"#, 3),
        (
            r#"{"content":[{"type":"text","text":"ab"},{"type":"tool_use","name":"f","input":{"a":1}}]}"#,
            10,
        ),
        (
            r#"{"output":[{"type":"reasoning","summary":[{"text":"a"}]},
            {"content":[{"type":"output_text","text":"bc"}]},
            {"type":"function_call","name":"f","arguments":"{}"}]}"#,
            6,
        ),
        (r#"{"text":"heard","segments":[{"text":"heard"}]}"#, 5),
        (r#"{"data":[{"embedding":[1,2]}],"object":"list"}"#, 0),
        (r#"{"choices":[{"message":{"content":"cut o"#, 5),
    ] {
        let expected = Delivered { events: u64::from(bytes > 0), bytes };
        assert_eq!(json(body).delivered, expected, "{body}");
    }
}

#[test]
fn what_is_no_answer_is_read_to_its_end() {
    for body in [
        r#"{"choices":[1,"a",[{}],null,{"text":"a"}]}"#,
        r#"{"choices":[}]}"#,
        r#"{"choices":{"text":"a"},"delta":7}"#,
        r#"{"choices":[{"delta":[{"content":"a"}],"text":{"a":"b"}}]}"#,
        r#"{"content":[{"content":[{"content":[{"content":[{"content":[{"text":"a"}]}]}]}]}]}"#,
    ] {
        let outcome = json(body);
        assert_eq!(outcome.bytes, body.as_bytes());
        assert_eq!(events(&[body]).bytes, format!("data: {body}\n\n").as_bytes());
    }
}

#[test]
fn a_cap_that_was_reached_is_told() {
    for (data, is_told) in [
        (r#"{"choices":[{"finish_reason":"stop"},{"finish_reason":"length"}]}"#, true),
        (r#"{"choices":[{"finish_reason":"stop"}]}"#, false),
        (r#"{"choices":[{"finish_reason":null,"text":"length"}]}"#, false),
        (r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"}}"#, true),
        (r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#, false),
        (r#"{"stop_reason":"max_tokens"}"#, true),
        (r#"{"response":{"incomplete_details":{"reason":"max_output_tokens"}}}"#, true),
        (r#"{"response":{"incomplete_details":{"reason":"content_filter"}}}"#, false),
        (r#"{"incomplete_details":{"reason":"max_output_tokens"}}"#, true),
        (r#"{"incomplete_details":null}"#, false),
    ] {
        assert_eq!(events(&[data]).stopped_by_length, is_told, "{data}");
        assert_eq!(json(data).stopped_by_length, is_told, "{data}");
    }
}

#[test]
fn sound_is_counted_in_milliseconds() {
    for (body, audio_ms) in [
        (r#"{"text":"a","usage":{"type":"duration","seconds":9}}"#, Some(9_000)),
        (r#"{"text":"a","usage":{"type":"duration","seconds":0.5}}"#, Some(500)),
        (r#"{"text":"a","duration":8.47}"#, Some(8_470)),
        (r#"{"text":"a","duration":"8.47"}"#, Some(8_470)),
        (r#"{"text":"a","duration":8.47,"usage":{"type":"duration","seconds":9}}"#, Some(9_000)),
        (r#"{"text":"a","x":{"duration":8.47}}"#, None),
        (r#"{"text":"a","duration":null}"#, None),
        (r#"{"usage":{"type":"tokens","input_tokens":3,"output_tokens":2}}"#, None),
    ] {
        assert_eq!(json(body).audio_ms, audio_ms, "{body}");
    }
    let tokens = json(r#"{"usage":{"type":"tokens","input_tokens":3,"output_tokens":2}}"#);
    assert_eq!(tokens.usage.map(|usage| (usage.input, usage.output)), Some((3, 2)));
    assert_eq!(json(r#"{"usage":{"type":"duration","seconds":9}}"#).usage, None);
}

fn counts(outcome: &Outcome) -> Option<(u64, u64)> {
    outcome.usage.map(|usage| (usage.input, usage.output))
}

#[test]
fn running_usage_is_that_of_the_events_own_choice() {
    let first = r#"{"choices":[{"index":0}],"usage":{"prompt_tokens":9,"completion_tokens":3}}"#;
    let second =
        r#"{"usage":{"prompt_tokens":9,"completion_tokens":2},"choices":[{"text":"a","index":1}]}"#;
    let of_all =
        r#"{"usage":{"prompt_tokens":9,"completion_tokens":4},"choices":[{"text":"a","index":1}]}"#;
    let total = r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":6}}"#;
    let both = r#"{"choices":[{"index":0},{"index":1}],"usage":{"prompt_tokens":9,"completion_tokens":5}}"#;
    for (seen, expected) in [
        (vec![first], (9, 3)),
        (vec![first, first, second], (9, 5)),
        (vec![first, of_all], (9, 4)),
        (vec![first, second, total], (9, 6)),
        (vec![total, first, second], (9, 6)),
        (vec![both], (9, 5)),
    ] {
        assert_eq!(counts(&events(&seen)), Some(expected), "{seen:?}");
    }
    // One answer that is no event tells of all of its choices.
    assert_eq!(counts(&json(first)), Some((9, 3)));
}

#[test]
fn rerankers_count_in_their_own_words() {
    for (body, expected) in [
        (r#"{"results":[],"usage":{"total_tokens":15}}"#, Some((15, 0))),
        (r#"{"results":[],"usage":{"prompt_tokens":9,"total_tokens":9}}"#, Some((9, 0))),
        (r#"{"results":[],"meta":{"billed_units":{"search_units":1}}}"#, None),
        (
            r#"{"meta":{"billed_units":{"input_tokens":7},"tokens":{"input_tokens":8}}}"#,
            Some((8, 0)),
        ),
        (r#"[{"index":0,"score":0.9}]"#, None),
    ] {
        assert_eq!(counts(&json(body)), expected, "{body}");
    }
}
