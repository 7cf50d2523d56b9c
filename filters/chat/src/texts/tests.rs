use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::*;
use crate::edit::{apply, json_string};
use crate::path::Api;
use crate::request::{Request, RequestError, parse, parse_with_texts};

mod captured;
mod shapes;

fn parsed<'a>(body: &'a str, api: &Api<'_>) -> (Request<'a>, Texts<'a>) {
    let (request, texts) = parse_with_texts(body.as_bytes(), api).unwrap();
    assert!(request == parse(body.as_bytes()).unwrap(), "{body}");
    (request, texts)
}

/// What is said in a body, JSON with `json:` before it.
fn told(api: &Api<'_>, body: &str) -> Vec<String> {
    let (_, texts) = parsed(body, api);
    let tell = |passage: &Passage<'_>| match passage.kind() {
        Kind::Text => passage.said().to_owned(),
        Kind::Json => format!("json:{}", passage.said()),
    };
    let mut end = 0;
    for passage in texts.passages() {
        assert!(passage.span().start >= end && passage.span().end <= body.len());
        end = passage.span().end;
    }
    texts.passages().iter().map(tell).collect()
}

/// The body with every `word` in its texts replaced, wherever it can be.
fn replaced(api: &Api<'_>, body: &str, word: &str, text: &str) -> String {
    let (_, texts) = parsed(body, api);
    let mut edits = Vec::new();
    for (index, passage) in texts.passages().iter().enumerate() {
        let found = passage.said().match_indices(word);
        let found = found.map(|(at, _)| (at..at + word.len(), text.to_owned()));
        edits.extend(texts.edits(index, &found.collect::<Vec<_>>()));
    }
    let changed = apply(body.as_bytes(), &edits).unwrap();
    parse(&changed).unwrap();
    String::from_utf8(changed).unwrap()
}

fn chat_of(content: &str) -> String {
    format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]}}"#)
}

fn value_at(passage: &Passage<'_>, word: &str) -> Vec<(String, String)> {
    let at = passage.said().find(word).unwrap();
    let fits = passage.fitted(at..at + word.len());
    fits.into_iter()
        .map(|fit| (passage.said().get(fit.span).unwrap().to_owned(), fit.value))
        .collect()
}

#[test]
fn edits_go_through_escapes_and_leave_the_rest() {
    for (content, word, expected) in [
        (r#""tel 010-1""#, "010-1", r#""tel [P\"]""#),
        (r#""\u0061 \u0030\u0031\u0030-1\n\/""#, "010-1", r#""\u0061 [P\"]\n\/""#),
        (r#""\uD83D\uDE00010-1\uD83D\uDE00""#, "010-1", r#""\uD83D\uDE00[P\"]\uD83D\uDE00""#),
        (r#""x\uD83D\uDE00y""#, "😀", r#""x[P\"]y""#),
        (r#""010-1010-1""#, "010-1", r#""[P\"][P\"]""#),
        (r#""\\\\010-1\\""#, "010-1", r#""\\\\[P\"]\\""#),
    ] {
        let out = replaced(&Api::Chat, &chat_of(content), word, "[P\"]");
        assert_eq!(out, chat_of(expected), "{content}");
    }
}

#[test]
fn spans_in_any_order_that_overlap_or_cut_characters_are_made_whole() {
    let body = chat_of(r#""a한국b""#);
    let (_, texts) = parsed(&body, &Api::Chat);
    let text = |span, text: &str| (span, text.to_owned());
    for (spans, expected) in [
        (vec![text(7..8, "Y"), text(0..1, "X")], "X한국Y"),
        (vec![text(2..3, "X")], "aX국b"),
        (vec![text(1..4, "X"), text(3..6, "Y")], "aXb"),
        (vec![text(1..5, "X"), text(5..99, "Y")], "aX"),
        (vec![text(3..3, "X"), text(90..99, "X")], "a한국b"),
    ] {
        let edits = texts.edits(0, &spans);
        let out = String::from_utf8(apply(body.as_bytes(), &edits).unwrap()).unwrap();
        assert_eq!(out, chat_of(&format!("\"{expected}\"")));
    }
    assert!(texts.edits(7, &[text(0..1, "X")]).is_empty());
    assert!(texts.passages()[0].fitted(3..3).is_empty());
}

#[test]
fn json_in_a_string_stays_json() {
    let arguments = |inner: &str| {
        let string = String::from_utf8(json_string(inner)).unwrap();
        format!(
            r#"{{"model":"m","messages":[{{"tool_calls":[{{"id":"77","type":"function","function":{{"name":"77","arguments":{string}}}}}]}}]}}"#
        )
    };
    for (inner, expected) in [
        (r#"{"a":"77"}"#, r#"{"a":"[P\"]"}"#),
        (r#"{"a":177.5}"#, r#"{"a":"[P\"]"}"#),
        (r#"{"77":[1,-77,7 ,true]}"#, r#"{"[P\"]":[1,"[P\"]",7 ,true]}"#),
        (r#"{"a":"{\"b\":77}"}"#, r#"{"a":"{\"b\":\"[P\\\"]\"}"}"#),
        (r#"{"a":"\u0037\u0037 {77"}"#, r#"{"a":"\u0037\u0037 {[P\"]"}"#),
        (r#"["77 77"]"#, r#"["[P\"] [P\"]"]"#),
        (r#"7777"#, r#"[P"][P"]"#),
        (r#"{"a":77"#, r#"{"a":[P"]"#),
    ] {
        let out = replaced(&Api::Chat, &arguments(inner), "77", "[P\"]");
        let value: Value = serde_json::from_str(&out).unwrap();
        let call = &value["messages"][0]["tool_calls"][0];
        assert_eq!(call["function"]["arguments"], expected, "{inner}");
        assert_eq!(out, arguments(expected));
    }
}

#[test]
fn json_in_json_is_read_to_its_depth() {
    for depth in 0..=JSON_NESTED_MAX + 1 {
        let nest = |text: String| json!({ "a": text }).to_string();
        let inner = (0..depth).fold(r#"{"n":77}"#.to_owned(), |text, _| nest(text));
        let body = chat_of(&json_string_of(&inner));
        let out = replaced(&Api::Chat, &body, "77", "[P\"]");
        let mut value: Value = serde_json::from_str(&out).unwrap();
        value = value["messages"][0]["content"].take();
        for _ in 0..depth {
            value = serde_json::from_str::<Value>(value.as_str().unwrap()).unwrap()["a"].take();
        }
        let expected = if depth <= JSON_NESTED_MAX { r#"{"n":"[P\"]"}"# } else { r#"{"n":[P"]}"# };
        assert_eq!(value, expected, "{depth}");
    }
}

fn json_string_of(text: &str) -> String {
    String::from_utf8(json_string(text)).unwrap()
}

#[test]
fn findings_are_fitted_to_tokens_and_told_without_escapes() {
    let body =
        r#"{"model":"m","metadata":{"a":["ab","cd"],"n":12345,"j":"{\"k\":\"x\\u0040y\\\"z\"}"}}"#;
    let (_, texts) = parsed(body, &Api::Chat);
    let [passage] = texts.passages() else { panic!("one passage") };
    let fits = |word, expected: &[(&str, &str)]| {
        let found = value_at(passage, word);
        let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(found, expected, "{word}");
    };
    fits(r#"b","c"#, &[("b", "b"), ("c", "c")]);
    fits("234", &[("12345", "12345")]);
    fits(r#"":["#, &[]);
    fits(r#"x\\u0040y\\\"z"#, &[(r#"x\\u0040y\\\"z"#, "x@y\"z")]);
    fits("u0040y", &[(r"\\u0040y", "@y")]);
    fits(r#"cd"],"n":1"#, &[("cd", "cd"), ("n", "n"), ("12345", "12345")]);
}

#[test]
fn joined_parts_are_split_again() {
    let body = chat_of(
        r#"[{"type":"text","text":"call 010-12"},{"type":"image_url","image_url":{"url":"data:,"}},{"type":"text","text":"34-\u0035678"}]"#,
    );
    let (_, texts) = parsed(&body, &Api::Chat);
    let joins = texts.joins();
    assert_eq!(joins.len(), 1);
    assert_eq!(joins[0].said(), "call 010-1234-5678");
    let found = 5..18;
    assert!(joins[0].crosses(&found));
    let mut edits = Vec::new();
    for (passage, span) in joins[0].split(found) {
        edits.extend(texts.edits(passage, &[(span, "[P]".to_owned())]));
    }
    let out = String::from_utf8(apply(body.as_bytes(), &edits).unwrap()).unwrap();
    assert_eq!(out, body.replace("010-12", "[P]").replace(r"34-\u0035678", "[P]"));
}

#[test]
fn other_messages_and_prompts_are_not_joined() {
    let body = r#"{"model":"m","prompt":["a","b"],"messages":[{"content":"a"},{"content":["b"]},{"content":[{"text":"c"}]}]}"#;
    let (_, texts) = parsed(body, &Api::Chat);
    assert_eq!(texts.passages().len(), 5);
    assert!(texts.joins().is_empty());
}

#[test]
fn a_form_has_texts_without_escapes() {
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = part("model", "m 77")
        + &part("prompt", "to \"77\" \\n 77")
        + &part("language", "77")
        + &part("unknown", "77")
        + &part("x", "")
        + "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"77\"\r\n\r\n77\r\n--b--";
    let form = form::parse(body.as_bytes(), "b").unwrap();
    let texts = Texts::of_form(&form, body.as_bytes());
    let said: Vec<_> = texts.passages().iter().map(Passage::said).collect();
    assert_eq!(said, ["to \"77\" \\n 77", "77"]);
    let edits = texts.edits(0, &[(4..6, "[P\"]".to_owned()), (11..13, "[Q]".to_owned())]);
    let out = apply(body.as_bytes(), &edits).unwrap();
    let expected = body.replace("to \"77\" \\n 77", "to \"[P\"]\" \\n [Q]");
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn a_field_of_a_form_that_wants_a_word_may_hold_a_text() {
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let speaker = "known_speaker_references[]";
    let body = part("model", "m")
        + &part("language", "kim@example.com")
        + &part("temperature", "0.2")
        + &part("include[]", "logprobs")
        + &part("include[]", "김민수")
        + &part("response_format", "verbose_json")
        + &part(speaker, "data:audio/wav;base64,UklGRg==")
        + &part(speaker, "kim")
        + "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--";
    let form = form::parse(body.as_bytes(), "b").unwrap();
    let texts = Texts::of_form(&form, body.as_bytes());
    let said: Vec<_> = texts.passages().iter().map(Passage::said).collect();
    assert_eq!(said, ["kim@example.com", "김민수", "kim"]);
}

#[test]
fn media_are_neither_texts_nor_copied() {
    let base64 = "iVBORw0KGgo\\/".repeat(900_000);
    let body = chat_of(&format!(
        r#"[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{base64}"}}}},{{"type":"input_audio","input_audio":{{"data":"{base64}","format":"wav"}}}},{{"type":"text","text":"hi"}}]"#
    ));
    assert_eq!(told(&Api::Chat, &body), ["hi"]);
    let out = replaced(&Api::Chat, &body, "hi", "[P]");
    assert!(out == body.replace("\"hi\"", "\"[P]\""));
}

#[test]
fn more_texts_than_anybody_has_are_refused() {
    let body = |count| format!(r#"{{"model":"m","input":["a"{}]}}"#, r#","a""#.repeat(count - 1));
    let read = |body: String| {
        let read = parse_with_texts(body.as_bytes(), &Api::Embeddings);
        read.map(|(_, texts)| texts.passages().len())
    };
    assert_eq!(read(body(TEXTS_MAX)), Ok(TEXTS_MAX));
    assert_eq!(read(body(TEXTS_MAX + 1)), Err(RequestError::TooManyTexts));
    assert!(parse(body(TEXTS_MAX + 1).as_bytes()).is_ok());
}

/// Any JSON, with words that are found.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        (0..100u8).prop_map(|number| json!(f64::from(number) * 7.5)),
        "[a7\"\\\\{}:, \n한😀\u{1}]{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map(
                "[a-c7\"\\\\]{0,3}|text|content|type|id",
                inner.clone(),
                0..4
            )
            .prop_map(|members| Value::Object(members.into_iter().collect())),
            inner.prop_map(|value| Value::String(value.to_string())),
        ]
    })
}

/// Two values are the same but for texts and numbers that say the placeholder. One that was
/// found over two names is the name of both, of which a reader keeps one.
fn same_but_for(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) if one != other => {
            let inner = |text: &str| serde_json::from_str::<Value>(text).ok();
            other.contains('⟦')
                || inner(one).zip(inner(other)).is_some_and(|(a, b)| same_but_for(&a, &b))
        }
        (Value::Number(_), Value::String(other)) => other.contains('⟦'),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same_but_for(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            let mut names = other.keys();
            let is_told = names.all(|name| name.contains('⟦') || one.contains_key(name));
            is_told
                && one.iter().all(|(name, value)| match other.get(name) {
                    Some(new) => same_but_for(value, new),
                    None => other.keys().any(|key| key.contains('⟦')),
                })
        }
        _ => one == other,
    }
}

#[test]
fn what_is_found_over_two_names_stands_in_the_place_of_both() {
    let body = chat_of(r#"{"type":{"7":0.0,"text":-1}}"#);
    let (_, texts) = parse_with_texts(body.as_bytes(), &Api::Chat).unwrap();
    let said = texts.passages()[0].said();
    let start = said.find("7\"").unwrap();
    let end = said.find("xt\":").unwrap();
    let edits = texts.edits(0, &[(start..end, "[P]".to_owned())]);
    let changed = String::from_utf8(apply(body.as_bytes(), &edits).unwrap()).unwrap();
    assert!(
        changed.contains(r#"{"type":{"[P]":"#) && changed.contains(r#""[P]xt":-1}}"#),
        "{changed}"
    );
}

proptest! {
    #[test]
    fn whatever_is_replaced_the_body_parses_and_the_rest_is_the_same(
        content in any_json(),
        unknown in any_json(),
        ascii in any::<bool>(),
        picks in proptest::collection::vec((any::<Index>(), any::<Index>(), 1..9usize), 0..6),
    ) {
        let body = json!({"model":"m","messages":[{"id":"7a","content":content}],"x":unknown});
        let body = if ascii { escaped(&body.to_string()) } else { body.to_string() };
        let Ok((_, texts)) = parse_with_texts(body.as_bytes(), &Api::Chat) else { return Ok(()) };
        let mut edits = Vec::new();
        let count = texts.passages().len();
        for (index, passage) in texts.passages().iter().enumerate() {
            let said = passage.said();
            let own = picks.iter().filter(|(which, ..)| which.index(count) == index);
            let spans = own.map(|(_, at, length)| {
                let start = at.index(said.len());
                start..(start + length).min(said.len())
            });
            let spans: Vec<_> = spans.collect();
            for fit in passage.fits(&spans) {
                prop_assert!(said.get(fit.span).is_some_and(|stands| !stands.is_empty()));
            }
            let numbered = spans.into_iter().enumerate();
            let replaced = numbered.map(|(number, span)| (span, format!("⟦\"{index}.{number}\\")));
            edits.extend(texts.edits(index, &replaced.collect::<Vec<_>>()));
        }
        let changed = apply(body.as_bytes(), &edits);
        prop_assert!(changed.is_some(), "edits are in order");
        let changed = changed.unwrap();
        let (one, other): (Value, Value) = (
            serde_json::from_str(&body).unwrap(),
            serde_json::from_slice(&changed).unwrap(),
        );
        prop_assert!(same_but_for(&one, &other), "{one} {other}");
        prop_assert_eq!(edits.is_empty(), changed == body.as_bytes());
    }
}

/// JSON with every letter of its strings that is not ASCII escaped.
fn escaped(json: &str) -> String {
    let escape = |letter: char| {
        if letter.is_ascii() {
            return letter.to_string();
        }
        let mut units = [0; 2];
        letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04X}")).collect()
    };
    json.chars().map(escape).collect()
}
