//! What is billed of every recorded answer, and what leaves of it where the caller has
//! asked for no usage, at many cuts.

use std::path::Path;

use serde_json::Value;

use super::{cuts, documents, files, message};
use crate::reply::{Delivered, Reader};
use crate::strip::Strip;
use crate::trial::{Outcome, read};
use crate::usage::Usage;

const ALL: Strip = Strip::Usage { nulls: true };

/// The answer as it leaves, read whole and at cuts; its media type and body.
fn passed(path: &Path, strip: Strip) -> (Outcome, String, String) {
    let message = message(path);
    let media = message.header("content-type").unwrap_or_default().to_owned();
    let begin = || Reader::for_answer(200, Some(&media), None, "tiny").with_usage(strip);
    let whole = read(begin(), &message.body, &[]);
    let every: Vec<_> = (0..message.body.len()).collect();
    for cuts in [every, cuts(message.body.len()), cuts(message.body.len() + 1)] {
        assert_eq!(read(begin(), &message.body, &cuts), whole, "{}", path.display());
    }
    (whole, media, String::from_utf8(message.body).unwrap())
}

/// What leaves where nothing is held back.
fn read_plainly(media: &str, body: &str) -> Vec<u8> {
    read(Reader::for_answer(200, Some(media), None, "tiny"), body.as_bytes(), &[]).bytes
}

fn capture(name: &str) -> std::path::PathBuf {
    let wanted = format!("{name}.response.http");
    files(".response.http").into_iter().find(|path| path.ends_with(&wanted)).unwrap()
}

/// The body without its usage, found by hand: every usage of these captures is the
/// document's own, and none has a brace in a string.
fn without_usage(body: &str) -> String {
    let events = body
        .split_inclusive("\n\n")
        .filter(|event| !(event.contains(r#""choices":[]"#) && event.contains(r#""usage":{"#)));
    let mut out = events.collect::<String>().replace(r#","usage":null"#, "");
    while let Some(start) = out.find(r#","usage":{"#) {
        let mut depth = 0;
        let end = out.split_at(start).1.find(|letter| {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            letter == '}' && depth == 0
        });
        out.replace_range(start..=start + end.unwrap(), "");
    }
    out
}

#[test]
fn no_other_byte_is_lost_with_the_usage() {
    let mut changed = 0;
    for path in files(".response.http") {
        let (outcome, media, body) = passed(&path, ALL);
        let is_chunks = body.contains("chat.completion.chunk") || body.contains("text_completion");
        if !media.starts_with("text/event-stream") || !is_chunks {
            continue;
        }
        let unstripped = passed(&path, Strip::Nothing).0.bytes;
        assert_eq!(unstripped, read_plainly(&media, &body), "{}", path.display());
        let unstripped = String::from_utf8(unstripped).unwrap();
        let left = String::from_utf8(outcome.bytes).unwrap();
        assert_eq!(left, without_usage(&unstripped), "{}", path.display());
        changed += usize::from(left != unstripped);
    }
    assert!(changed > 20, "{changed}");
}

#[test]
fn what_is_counted_does_not_depend_on_what_leaves() {
    for path in files(".response.http") {
        let of = |strip| Outcome { bytes: Vec::new(), ..passed(&path, strip).0 };
        let plain = of(Strip::Nothing);
        assert_eq!((of(ALL), of(Strip::Running)), (of(Strip::Nothing), plain));
    }
}

/// The events of a stream without what differs from request to request.
fn events(text: &str) -> Vec<Value> {
    let mut events = documents("text/event-stream", text);
    for event in events.iter_mut().filter_map(Value::as_object_mut) {
        event.retain(|name, _| {
            !["id", "created", "system_fingerprint", "timings"].contains(&name.as_str())
        });
    }
    events
}

#[test]
fn a_stripped_stream_is_what_the_engine_sends_unasked() {
    for (engine, asked, strip, plain) in [
        ("vllm-0.32.0-cpu", "chat-stream-continuous-usage", ALL, "chat-stream"),
        ("vllm-0.32.0-cpu", "chat-stream-usage", ALL, "chat-stream"),
        ("vllm-0.32.0-cpu", "chat-stream-usage", Strip::Nothing, "chat-stream-usage"),
        ("sglang-0.5.23-cpu", "chat-stream-usage", ALL, "chat-stream"),
        ("llama.cpp-server-b11434", "chat-stream-usage", ALL, "chat-stream"),
    ] {
        let left = passed(&capture(&format!("{engine}/{asked}")), strip).0.bytes;
        let plain =
            String::from_utf8(message(&capture(&format!("{engine}/{plain}"))).body).unwrap();
        assert_eq!(events(&String::from_utf8(left).unwrap()), events(&plain), "{engine} {asked}");
    }
}

#[test]
fn a_caller_that_asks_for_the_usage_event_has_no_other() {
    for engine in ["vllm-0.32.0-cpu", "sglang-0.5.23-cpu"] {
        let running = capture(&format!("{engine}/chat-stream-continuous-usage"));
        let left = passed(&running, Strip::Running).0.bytes;
        let mut left = events(&String::from_utf8(left).unwrap());
        for event in left.iter_mut().filter_map(Value::as_object_mut) {
            if event["choices"] != Value::Array(Vec::new()) {
                assert!(event.remove("usage").is_none_or(|usage| usage.is_null()));
            }
        }
        assert!(left.pop().unwrap()["usage"].is_object(), "{engine}");
        let plain = capture(&format!("{engine}/chat-stream"));
        let plain = events(&String::from_utf8(message(&plain).body).unwrap());
        // The capture of SGLang has a smaller cap: its beginning is the same.
        let same = left.iter().zip(&plain).take_while(|(left, plain)| left == plain).count();
        assert!(same + 1 >= left.len() && same > 3, "{engine}: {same}");
    }
}

#[test]
fn choices_that_count_for_themselves_make_one_sum() {
    let path = capture("vllm-0.32.0-cpu/b-completion-stream-n2");
    let body = message(&path).body;
    let end = memchr::memmem::find(&body, br#""choices":[]"#).unwrap();
    let cut = memchr::memmem::rfind(&body[..end], b"data: ").unwrap();
    let expected = Usage { input: 5, output: 6, ..Usage::default() };
    // Two prompts with an answer each; whole, and before the total has come.
    for body in [&body[..], &body[..cut]] {
        let begin = Reader::for_answer(200, Some("text/event-stream"), None, "tiny");
        let outcome = read(begin.with_usage(ALL).with_answers_per_prompt(1), body, &[9, 99]);
        assert_eq!(outcome.usage, Some(expected));
    }
}

fn said(value: &Value) -> u64 {
    value.as_str().map_or(0, |text| text.len() as u64)
}

/// The bytes of the texts at these places.
fn at(value: &Value, places: &[&str]) -> u64 {
    places.iter().filter_map(|place| value.pointer(place)).map(said).sum()
}

fn each(value: &Value, list: &str, of: impl Fn(&Value) -> u64) -> u64 {
    value[list].as_array().into_iter().flatten().map(of).sum()
}

/// The same of one document as a plain reader finds it.
fn plainly_said(document: &Value, is_event: bool) -> u64 {
    let call = |call: &Value| at(call, &["/function/name", "/function/arguments"]);
    let message = |message: &Value| {
        at(message, &["/content", "/reasoning_content", "/reasoning", "/refusal"])
            + each(message, "tool_calls", call)
    };
    let choice = |choice: &Value| {
        said(&choice["text"]) + message(&choice["delta"]) + message(&choice["message"])
    };
    let part = |part: &Value| at(part, &["/text", "/thinking", "/name"]);
    let item = |item: &Value| {
        at(item, &["/name", "/arguments"])
            + each(item, "content", part)
            + each(item, "summary", part)
    };
    let of_event = said(&document["delta"])
        + at(document, &["/delta/text", "/delta/thinking", "/delta/partial_json"])
        + part(&document["content_block"]);
    let whole = each(document, "content", part) + each(document, "output", item);
    each(document, "choices", choice) + if is_event { of_event } else { whole }
}

#[test]
fn what_was_delivered_is_what_a_plain_reader_finds() {
    let mut streams = 0;
    for path in files(".response.http") {
        let (outcome, media, body) = passed(&path, Strip::Nothing);
        let is_event = media.starts_with("text/event-stream");
        let said = documents(&media, &body)
            .iter()
            .map(|one| plainly_said(one, is_event))
            .collect::<Vec<_>>();
        let carried = said.iter().filter(|bytes| **bytes > 0).count() as u64;
        let expected = Delivered { events: carried, bytes: said.iter().sum() };
        // The last event of some streams is cut off: a plain reader does not see it.
        let is_whole = body.matches("data: {").count() == said.len();
        if media.contains("json") || (is_event && is_whole) {
            assert_eq!(outcome.delivered, expected, "{}", path.display());
        }
        streams += u64::from(is_event && expected.bytes > 0);
    }
    assert!(streams > 40, "{streams}");
}

#[test]
fn an_answer_that_its_cap_has_ended_is_told() {
    let mut told = 0;
    for path in files(".response.http") {
        let (outcome, _, body) = passed(&path, Strip::Nothing);
        let reasons = [
            r#""finish_reason":"length""#,
            r#""stop_reason":"max_tokens""#,
            r#""reason":"max_output_tokens""#,
        ];
        let is_ended = reasons.iter().any(|reason| body.contains(reason));
        assert_eq!(outcome.stopped_by_length, is_ended, "{}", path.display());
        told += u64::from(is_ended);
    }
    assert!(told > 5, "{told}");
}
