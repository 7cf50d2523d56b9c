use super::*;
use crate::reply::Reader;
use crate::trial::{Outcome, read, reader};

const ALL: Strip = Strip::Usage { nulls: true };

fn begin(strip: Strip) -> Reader {
    reader("text/event-stream", "A").with_usage(strip)
}

/// What leaves, whole and byte by byte.
fn stripped(strip: Strip, body: &str) -> (String, Outcome) {
    let whole = read(begin(strip), body.as_bytes(), &[]);
    for pieces in [1, 2, 3, 7] {
        let cuts: Vec<_> = (0..body.len()).step_by(pieces).collect();
        assert_eq!(read(begin(strip), body.as_bytes(), &cuts), whole, "{pieces}: {body}");
    }
    (String::from_utf8(whole.bytes.clone()).unwrap(), whole)
}

/// What leaves of one event.
fn event(strip: Strip, data: &str) -> String {
    let (text, _) = stripped(strip, &format!("data: {data}\n\n"));
    let inside = text.strip_prefix("data: ").and_then(|text| text.strip_suffix("\n\n"));
    assert!(inside.is_some() || text.is_empty(), "{text}");
    inside.unwrap_or("dropped").to_owned()
}

#[test]
fn the_member_goes_with_its_comma() {
    for (before, after) in [
        (r#"{"a":1,"usage":{"prompt_tokens":3},"b":[{}]}"#, r#"{"a":1,"b":[{}]}"#),
        (r#"{"a":1,"usage":{"prompt_tokens":3}}"#, r#"{"a":1}"#),
        (r#"{"usage":{"x":{"y":"}"}},"b":2}"#, r#"{"b":2}"#),
        (r#"{"usage":{}}"#, "{}"),
        (r#"{ "usage" : { } , "b" : 2 }"#, r#"{ "b" : 2 }"#),
        (r#"{ "a" : 1 , "usage" : null , "b" : 2 }"#, r#"{ "a" : 1  , "b" : 2 }"#),
        (r#"{"a": 1, "usage": null, "b": 2}"#, r#"{"a": 1, "b": 2}"#),
        (r#"{"usage":null,"usage":{},"b":2,"us\u0061ge":{}}"#, r#"{"b":2}"#),
        (r#"{"usage":null,"usage":{}}"#, "{}"),
        (r#"{"model":"x","usage":{},"model":"y"}"#, r#"{"model":"A","model":"A"}"#),
        (r#"{"usage":{},"model":"x"}"#, r#"{"model":"A"}"#),
        (r#"{"usage":7,"b":"usage"}"#, r#"{"usage":7,"b":"usage"}"#),
        (
            r#"{"choices":[{"usage":{}}],"x":{"usage":{}}}"#,
            r#"{"choices":[{"usage":{}}],"x":{"usage":{}}}"#,
        ),
        (r#"{"usage":{},"b":"#, r#"{"usage":{},"b":"#),
        (r#"[{"usage":{}}]"#, r#"[{"usage":{}}]"#),
    ] {
        assert_eq!(event(ALL, before), after);
    }
}

#[test]
fn the_usage_event_is_dropped_and_no_other() {
    for (data, after) in [
        (r#"{"choices":[],"usage":{"prompt_tokens":0}}"#, "dropped"),
        (r#"{"usage":{"prompt_tokens":1},"x":1,"choices":[ ]}"#, "dropped"),
        (r#"{"choices":[],"usage":null}"#, r#"{"choices":[]}"#),
        (
            r#"{"choices":[],"prompt_filter_results":[]}"#,
            r#"{"choices":[],"prompt_filter_results":[]}"#,
        ),
        (r#"{"choices":[],"usage":{},"error":{"code":5}}"#, r#"{"choices":[],"error":{"code":5}}"#),
        (r#"{"choices":[{"index":0}],"usage":{}}"#, r#"{"choices":[{"index":0}]}"#),
        (r#"{"choices":null,"usage":{}}"#, r#"{"choices":null}"#),
    ] {
        assert_eq!(event(ALL, data), after);
    }
}

#[test]
fn null_stays_where_the_engine_sends_it_unasked() {
    let strip = Strip::Usage { nulls: false };
    assert_eq!(event(strip, r#"{"a":1,"usage":null}"#), r#"{"a":1,"usage":null}"#);
    assert_eq!(event(strip, r#"{"usage":null,"usage":{}}"#), r#"{"usage":null}"#);
    assert_eq!(event(strip, r#"{"choices":[],"usage":{}}"#), "dropped");
}

#[test]
fn running_usage_becomes_null_and_the_usage_event_stays() {
    for (data, after) in [
        (r#"{"choices":[{}],"usage":{"a":1},"x":2}"#, r#"{"choices":[{}],"usage":null,"x":2}"#),
        (r#"{"usage": {"a":1} ,"choices":[{}]}"#, r#"{"usage": null ,"choices":[{}]}"#),
        (r#"{"choices":[{}],"usage":null}"#, r#"{"choices":[{}],"usage":null}"#),
        (r#"{"choices":[],"usage":{"a":1}}"#, r#"{"choices":[],"usage":{"a":1}}"#),
        (r#"{"usage":{"a":1}}"#, r#"{"usage":{"a":1}}"#),
    ] {
        assert_eq!(event(Strip::Running, data), after);
        assert_eq!(event(Strip::Nothing, data), data);
    }
}

#[test]
fn lines_of_every_kind_stay_whole() {
    for end in ["\n", "\r\n", "\r"] {
        let body = [
            ": first",
            "",
            "event: x",
            r#"data: {"a":1,"#,
            r#"data: "usage":{"#,
            "data: },",
            "data: \"b\":2}",
            "id: 7",
            "",
            ": note",
            r#"data: {"choices":[],"usage":{}}"#,
            "retry: 5",
            "",
            "data: [DONE]",
            "",
            "",
        ];
        let left = [
            ": first",
            "",
            "event: x",
            r#"data: {"a":1,"#,
            "data: \"b\":2}",
            "id: 7",
            "",
            ": note",
            "data: [DONE]",
            "",
            "",
        ];
        let (text, outcome) = stripped(ALL, &body.join(end));
        assert_eq!(text, left.join(end), "{end:?}");
        assert_eq!((outcome.events, outcome.done), (2, true));
    }
}

#[test]
fn zero_is_a_usage() {
    let (_, outcome) = stripped(
        ALL,
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0}}\n\n",
    );
    assert_eq!(outcome.usage.map(|usage| (usage.input, usage.output)), Some((0, 0)));
}

#[test]
fn a_whole_event_leaves_at_once() {
    let mut stream = begin(ALL);
    for (event, leaves) in [
        (": ping\n\n", ": ping\n\n"),
        (": ping\n", ": ping\n"),
        ("data: {\"a\":1}\n\n", "data: {\"a\":1}\n\n"),
        ("data: {\"a\":1,\"usage\":{}}\r\n\r\n", "data: {\"a\":1}\r\n\r\n"),
        ("data: {\"choices\":[],\"usage\":{}}\r\n\r\n", ""),
        ("data: {\"a\":1", ""),
        (",\"usage\":{}}\n\ndata: {\"b\"", "data: {\"a\":1}\n\n"),
        (":2}\n", ""),
        ("\n", "data: {\"b\":2}\n\n"),
        ("data: [DONE]\n", "data: [DONE]\n"),
        ("\n", "\n"),
    ] {
        let pushed = stream.push(event.as_bytes());
        let left = pushed.replacement.unwrap_or(event.as_bytes().to_vec());
        assert_eq!(String::from_utf8(left).unwrap(), leaves, "{event:?}");
    }
    assert!(stream.finish().is_empty());
}

#[test]
fn an_unchanged_chunk_of_whole_events_costs_no_buffer() {
    let mut stream = begin(ALL);
    let chunk = "data: {\"choices\":[{\"index\":0}],\"model\":\"A\"}\n\n".repeat(3);
    assert!(stream.push(chunk.as_bytes()).replacement.is_none());
}

#[test]
fn the_last_event_may_lack_its_empty_line() {
    for (body, left) in [
        ("data: {\"a\":1,\"usage\":{}}", "data: {\"a\":1}"),
        ("data: {\"a\":1,\"usage\":{}}\n", "data: {\"a\":1}\n"),
        ("data: {\"choices\":[],\"usage\":{}}\n", ""),
        ("data: {\"a\":1,\"usage\":{}", "data: {\"a\":1,\"usage\":{}"),
        ("data: {\"model\":\"ti", "data: {\"model\":\"ti"),
    ] {
        assert_eq!(stripped(ALL, body).0, left);
    }
}

#[test]
fn an_event_beyond_the_bound_passes() {
    let event = |bytes: usize| {
        let frame = "data: {\"choices\":[],\"a\":\"\",\"usage\":{}}\n\n".len();
        let text = "x".repeat(bytes - frame);
        format!("data: {{\"choices\":[],\"a\":\"{text}\",\"usage\":{{}}}}\n\n")
    };
    let tail = "data: {\"b\":1,\"usage\":{}}\n\n";
    for (bytes, is_dropped) in [(EVENT_BYTES_MAX, true), (EVENT_BYTES_MAX + 1, false)] {
        let body = event(bytes) + tail;
        let expected = if is_dropped { String::new() } else { event(bytes) };
        let expected = expected + "data: {\"b\":1}\n\n";
        for cuts in [vec![], vec![10], vec![1 << 19, EVENT_BYTES_MAX], vec![EVENT_BYTES_MAX + 1]] {
            let outcome = read(begin(ALL), body.as_bytes(), &cuts);
            assert!(outcome.bytes == expected.as_bytes(), "{bytes} {cuts:?}");
        }
    }
    let mut stream = begin(ALL);
    let held = stream.push(&event(EVENT_BYTES_MAX * 2).as_bytes()[..EVENT_BYTES_MAX]).replacement;
    assert_eq!(held, Some(Vec::new()));
    assert_eq!(stream.push(b"xx").replacement.map(|left| left.len()), Some(EVENT_BYTES_MAX + 2));
    assert_eq!(stream.push(b"xx").replacement, None);
}

#[test]
fn every_cut_of_two_events_is_the_same() {
    let body = "data: {\"a\":1}\n\ndata: {\"choices\":[{}],\"usage\":{\"a\":4},\"b\":2}\r\n\r\n";
    for (strip, left) in [
        (Strip::Running, body.replace(r#"{"a":4}"#, "null")),
        (ALL, body.replace(r#","usage":{"a":4}"#, "")),
    ] {
        for first in 0..body.len() {
            for second in first..body.len() {
                let outcome = read(begin(strip), body.as_bytes(), &[first, second]);
                assert_eq!(String::from_utf8(outcome.bytes).unwrap(), left, "{first} {second}");
            }
        }
    }
}

/// Three events as engines send them that count as they go, cut twice at every pair of
/// places around the second.
#[test]
fn running_usage_is_nulled_wherever_it_is_cut() {
    let event = |n: u32| {
        format!(
            "data: {{\"model\":\"sim\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"w{n}\"}}}}],\
             \"usage\":{{\"prompt_tokens\":3,\"total_tokens\":{n},\"d\":{{\"cached\":0}}}}}}\n\n"
        )
    };
    let all = [event(1), event(2), event(3)].concat();
    let read = |cuts: &[usize]| {
        let reader =
            crate::reply::Reader::for_answer(200, Some("text/event-stream"), None, "tiny-longer");
        let mut reader = reader.with_usage(Strip::Running);
        let mut out = Vec::new();
        let mut from = 0;
        for cut in cuts.iter().copied().chain([all.len()]) {
            let chunk = &all.as_bytes()[from..cut];
            out.extend(reader.push(chunk).replacement.unwrap_or_else(|| chunk.to_vec()));
            from = cut;
        }
        out.extend(reader.finish());
        String::from_utf8(out).unwrap()
    };
    let whole = read(&[]);
    assert_eq!(whole.matches("\"usage\":null").count(), 3);
    let len = event(1).len();
    for first in (0..=2 * len).step_by(3) {
        for second in first..=(first + 60).min(all.len()) {
            assert_eq!(read(&[first, second]), whole, "{first} {second}");
        }
    }
}
