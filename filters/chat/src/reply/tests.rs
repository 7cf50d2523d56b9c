use super::*;
use crate::strip::Strip;
use proptest::prelude::*;

use crate::trial::{read, reader};

#[test]
fn the_headers_decide_the_form() {
    for (status, media, encoding, expected) in [
        (200, Some("application/json"), None, Media::Json),
        (500, Some("Application/JSON; charset=utf-8"), Some("identity"), Media::Json),
        (400, Some("application/problem+json"), Some(" "), Media::Json),
        (200, Some("text/event-stream;charset=utf-8"), Some(""), Media::EventStream),
        (200, Some("text/event-stream"), Some("gzip"), Media::Opaque),
        (200, Some("application/json"), Some("identity, br"), Media::Opaque),
        (200, Some("text/plain; x=application/json"), None, Media::Opaque),
        (200, Some("json"), None, Media::Opaque),
        (200, Some("é+json"), None, Media::Json),
        (200, Some("€json"), None, Media::Opaque),
        (200, None, None, Media::Opaque),
        (204, Some("application/json"), None, Media::Opaque),
    ] {
        assert_eq!(form_of(status, media, encoding), expected, "{media:?} {encoding:?}");
    }
}

#[test]
fn what_is_not_read_passes_untouched() {
    let mut reader = Reader::for_answer(200, Some("text/html"), None, "A");
    assert!(!reader.rewrites() && !reader.is_event_stream());
    let pushed = reader.push(br#"{"model":"tiny","usage":{"prompt_tokens":1}}"#);
    assert_eq!(pushed, Pushed { replacement: None, usage_changed: false, first_data: true });
    assert!(reader.finish().is_empty());
    assert_eq!((reader.usage(), reader.saw_done(), reader.saw_error()), (None, false, false));
}

#[test]
fn tells_each_change_once() {
    let mut stream = reader("text/event-stream", "tiny");
    assert!(stream.rewrites() && stream.is_event_stream());
    let mut flags = |chunk: &str| {
        let pushed = stream.push(chunk.as_bytes());
        (pushed.replacement.is_some(), pushed.usage_changed, pushed.first_data)
    };
    assert_eq!(flags(": ping\n\n"), (false, false, false));
    assert_eq!(flags("data: {\"model\":\"tiny\"}"), (false, false, false));
    assert_eq!(flags("\n\n"), (false, false, true));
    let usage = "data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n";
    assert_eq!(flags(usage), (false, true, false));
    assert_eq!(flags(usage), (false, false, false));
    assert_eq!(flags("data: {\"model\":\"ti"), (true, false, false));
    assert_eq!(stream.finish(), b"\"ti");
    assert_eq!(stream.usage_objects(), 2);
    assert_eq!(stream.events(), 3);
}

fn strips() -> impl Strategy<Value = Strip> {
    prop_oneof![
        Just(Strip::Nothing),
        Just(Strip::Running),
        any::<bool>().prop_map(|nulls| Strip::Usage { nulls }),
    ]
}

/// Pieces of answers, whole and broken, to be strung together.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(&b"{\"id\":\"x\",\"model\":\"tiny\",\"usage\":{\"prompt_tokens\":3}}"[..]),
        Just(
            &b"data: {\"model\":\"tiny\",\"choices\":[{\"delta\":{\"content\":\"a\\\"b\"}}]}\n\n"[..]
        ),
        Just(&b"data: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":9}}\r\n\r\n"[..]),
        Just(
            &b"data: {\"message\":{\"model\":\"tiny\\u0041\",\"usage\":{\"input_tokens\":2}}}\r\r"
                [..]
        ),
        Just(&b"data: [DONE]\n\n"[..]),
        Just(&b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\r\n\r\n"[..]),
        Just(&b"data: {\"usage\":null,\"choices\":[{\"index\":1,\"text\":\"a\\u00e9\"}]}\n\n"[..]),
        Just(&b"data: {\"choices\":[{\"index\":2}],\"usage\":{\"completion_tokens\":4}}\r\r"[..]),
        Just(&b"\"choices\":["[..]),
        Just(&b"\"delta\":\""[..]),
        Just(&b": ping\n"[..]),
        Just(&b"\xEF\xBB\xBF"[..]),
        Just(&b"\"model\":\"tiny\""[..]),
        Just(&b"\"error\":"[..]),
        Just(&b"\"usage\":{"[..]),
        Just(&b"data:"[..]),
        Just(&b"\r"[..]),
        Just(&b"\n"[..]),
        Just(&b"{"[..]),
        Just(&b"}"[..]),
        Just(&b"["[..]),
        Just(&b"]"[..]),
        Just(&b"\""[..]),
        Just(&b"\\"[..]),
        Just(&b","[..]),
        Just(&b": "[..]),
    ];
    let piece = prop_oneof![
        9 => piece.prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
        1 => (500usize..520).prop_map(|n| vec![b'x'; n]),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn cuts_change_nothing(
        body in pieces(),
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
        media in prop_oneof![Just("application/json"), Just("text/event-stream")],
        asked in prop_oneof![Just("tiny"), Just("chat-large"), Just("")],
        strip in proptest::option::of(strips()),
    ) {
        let begin = || match strip {
            Some(strip) => reader(media, asked).with_usage(strip),
            None => reader(media, asked),
        };
        let whole = read(begin(), &body, &[]);
        prop_assert_eq!(read(begin(), &body, &cuts), whole);
    }

    #[test]
    fn what_is_held_back_leaves_as_it_came(
        body in pieces(),
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
    ) {
        let plain = read(reader("text/event-stream", "chat-large"), &body, &cuts);
        let held = reader("text/event-stream", "chat-large").with_usage(Strip::Nothing);
        prop_assert_eq!(read(held, &body, &cuts), plain);
    }

    #[test]
    fn an_equal_name_changes_no_byte(
        events in proptest::collection::vec((".*", any::<u32>()), 0..6),
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
        end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
    ) {
        let mut body = String::new();
        for (text, tokens) in &events {
            let event = serde_json::json!({"a": text, "model": "m", "usage": {"prompt_tokens": tokens}});
            body.extend(["data: ", &event.to_string(), end, end]);
        }
        let outcome = read(reader("text/event-stream", "m"), body.as_bytes(), &cuts);
        prop_assert_eq!(outcome.bytes, body.as_bytes());
        prop_assert_eq!(outcome.events, events.len() as u64);
        let most = events.iter().map(|(_, tokens)| u64::from(*tokens)).max();
        prop_assert_eq!(outcome.usage.map(|usage| usage.input), most);
    }

    #[test]
    fn a_whole_document_reads_back_with_the_asked_name(
        text in ".*", asked in "[^\\p{Cc}]{1,20}",
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
    ) {
        let document = |model: &str| serde_json::json!({
            "a": [text, {"model": text}], "model": model, "message": {"model": model, "b": text},
            "object": text, text.as_str(): text,
        });
        prop_assume!(!["model", "usage", "message", "response", "error", "a"].contains(&text.as_str()));
        let body = document("engine/own").to_string();
        let outcome = read(reader("application/json", &asked), body.as_bytes(), &cuts);
        let read_back: serde_json::Value = serde_json::from_slice(&outcome.bytes).unwrap();
        prop_assert_eq!(read_back, document(&asked));
    }
}
