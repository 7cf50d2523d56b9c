use super::*;
use contract::limits::{JSON_DEPTH_MAX, JSON_TOKENS_MAX};
use proptest::prelude::*;

use crate::edit::{Edit, apply, json_string};

fn parsed(body: &str) -> Request<'_> {
    parse(body.as_bytes()).unwrap()
}

fn refused(body: &str) -> RequestError {
    parse(body.as_bytes()).unwrap_err()
}

fn invalid(line: usize, column: usize) -> RequestError {
    RequestError::InvalidJson { line, column, reason: Reason::Syntax }
}

#[test]
fn reads_what_decides() {
    let body = r#" {"model":"llama","messages":[{"role":"user","content":"model"}],
        "stream":true,"stream_options":{"include_usage":true},"n":2,"max_tokens":5,
        "max_completion_tokens":6,"max_output_tokens":7,"best_of":3,"temperature":1e400,
        "x":{"model":1,"n":2}} "#;
    let request = parsed(body);
    assert_eq!(request.model.value, "llama");
    assert_eq!(body.get(request.model.span.clone()).unwrap(), r#""llama""#);
    assert!(request.stream && request.stream_options.include_usage);
    assert_eq!(
        body.get(request.stream_options.span.unwrap()).unwrap(),
        r#"{"include_usage":true}"#
    );
    assert_eq!((request.n, request.best_of), (Some(2), Some(3)));
    assert_eq!((request.max_tokens, request.max_completion_tokens), (Some(5), Some(6)));
    assert_eq!(request.max_output_tokens, Some(7));
    assert_eq!(body.get(..request.insert_at).unwrap(), " {");
}

#[test]
fn null_is_as_good_as_absent() {
    let body = r#"{"model":"m","stream":null,"stream_options":null,"n":null,"max_tokens":null}"#;
    let request = parsed(body);
    assert!(!request.stream);
    assert_eq!(request.stream_options, StreamOptions::default());
    assert_eq!((request.n, request.max_tokens, request.max_completion_tokens), (None, None, None));
}

#[test]
fn borrows_where_nothing_is_escaped() {
    assert!(matches!(parsed(r#"{"model":"m"}"#).model.value, Cow::Borrowed("m")));
    let escaped = parsed(r#"{"mod\u0065l":"\u006d\/\uD83D\uDE00"}"#);
    assert_eq!(escaped.model.value, "m/😀");
}

#[test]
fn refuses_what_is_no_object() {
    for body in ["[]", "1", "\"{}\"", "null", " true "] {
        assert_eq!(refused(body), RequestError::NotAnObject, "{body}");
    }
    for body in [
        "",
        "{",
        "[",
        "nul",
        r#"{"model":"m"}x"#,
        r#"{"model":"m"}{}"#,
        "\u{feff}{}",
        "{'model':'m'}",
        r#"{"model":"m",}"#,
        "{\"model\":\"a\u{0}\"}",
        "{\"a\":NaN,\"model\":\"m\"}",
        "\u{0}",
    ] {
        assert!(matches!(refused(body), RequestError::InvalidJson { .. }), "{body}");
    }
}

#[test]
fn names_the_place_of_a_fault() {
    assert_eq!(refused("{\n  \"a\" 1}"), invalid(2, 7));
    let not_utf8 = parse(b"{\n\"\xff\":1}").unwrap_err();
    assert_eq!(not_utf8, invalid(2, 2));
}

#[test]
fn refuses_a_duplicate_wherever_it_stands() {
    for name in [
        "model",
        "messages",
        "prompt",
        "input",
        "stream",
        "stream_options",
        "n",
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "seed",
        "top_k",
        "role",
        "image_url",
        "mm_processor_kwargs",
    ] {
        for body in [
            format!(r#"{{"model":"m","{name}":null,"{name}":null}}"#),
            format!(r#"{{"model":"m","x":[{{"{name}":1,"y":{{}},"{name}":2}}]}}"#),
        ] {
            assert_eq!(refused(&body), RequestError::DuplicateKey(Some(name)), "{body}");
            assert_eq!(refused(&body).param(), Some(name), "{body}");
        }
    }
    for (body, name) in [
        (r#"{"model":"a","m\u006fdel":"b"}"#, Some("model")),
        (r#"{"m\u006fdel":"a","model":"b"}"#, Some("model")),
        (r#"{"model":"m","é":1,"\u00e9":2}"#, None),
        (r#"{"model":"m","a/b":1,"a\/b":2}"#, None),
        (r#"{"model":"m","metadata":{"x":1,"x":1}}"#, None),
        (r#"{"model":"m","":1,"":1}"#, None),
    ] {
        assert_eq!(refused(body), RequestError::DuplicateKey(name), "{body}");
    }
    assert!(parse(br#"{"model":"m","a":{"x":1},"b":{"x":1,"X":2,"x ":3}}"#).is_ok());
}

/// A part of a message, in a body.
fn with_part(part: &str) -> String {
    format!(r#"{{"model":"m","messages":[{{"content":[{part}]}}]}}"#)
}

#[test]
fn refuses_two_spellings_of_what_decides() {
    for (part, name) in [
        (
            r#"{"type":"image_url","image_url":{"Format":"a","fOrmat":"a","foRmat":"a",
                "forMat":"a","formAt":"a","formaT":"a","url":"http://169.254.169.254/"}}"#,
            "format",
        ),
        (
            r#"{"type":"document","source":{"type":"base64","media_type":"application/pdf",
                "data":"AAAA","Type":"text"}}"#,
            "type",
        ),
        (
            r#"{"type":"image","Type":"document",
                "source":{"type":"base64","data":"AAAA","tYpe":"text"}}"#,
            "type",
        ),
        (r#"{"type":"image","url":"http://169.254.169.254/","Type":"x"}"#, "type"),
        (r#"{"Type":"x","type":"image","url":"http://169.254.169.254/"}"#, "type"),
        (r#"{"type":"audio","data":"AAAA","TYPE":"x"}"#, "type"),
        (r#"{"source":{"Media_Type":"image/png","media_type":"a","data":"AAAA"}}"#, "media_type"),
        (r#"{"image_url":"a","\u0049mage_url":"b"}"#, "image_url"),
        (r#"{"ſource":{"url":"a"},"source":{"url":"b"}}"#, "source"),
        (r#"{"file":{"file_data":"a","FILE_DATA":1}}"#, "file_data"),
        (r#"{"input":{},"Input":{"image_url":"a"}}"#, "input"),
        (r#"{"x":{"y":[{"UUID":1,"a":[],"Uuid":2}]}}"#, "uuid"),
        (r#"{"file_id":1,"File_Id":2}"#, "file_id"),
        (r#"{"base64":"a","Base64":"b"}"#, "base64"),
    ] {
        let body = with_part(part);
        assert_eq!(refused(&body), RequestError::DuplicateKey(Some(name)), "{part}");
        let model_last =
            body.replacen(r#""model":"m","#, "", 1).replace("]}]}", r#"]}],"model":"m"}"#);
        assert_eq!(refused(&model_last), RequestError::DuplicateKey(Some(name)), "{part}");
    }
    for body in [
        r#"{"model":"m","stream_options":{"include_usage":false,"Include_Usage":true}}"#,
        r#"{"model":"m","tools":[{"function":{"parameters":{},"Parameters":{}}}]}"#,
        r##"{"model":"m","tools":[{"function":{"parameters":{"$ref":"#","$REF":"a"}}}]}"##,
    ] {
        assert!(matches!(refused(body), RequestError::DuplicateKey(Some(_))), "{body}");
    }
}

#[test]
fn spellings_of_what_decides_nothing_are_the_callers() {
    for part in [
        r#"{"title":1,"Title":2}"#,
        r#"{"type":"tool_use","input":{"url":1,"URL":2,"type":"a","Type":"b"}}"#,
        r#"{"url":"a","x":{"URL":"b"},"y":[{"Url":"c"}]}"#,
        r#"{"data":"a","base64":"b"}"#,
        r#"{"env":{"PATH":"/bin"}}"#,
    ] {
        assert!(parse(with_part(part).as_bytes()).is_ok(), "{part}");
    }
    assert!(parse(br#"{"model":"m","metadata":{"url":1,"URL":2}}"#).is_ok());
    let schema = r#"{"properties":{"url":{},"URL":{}}}"#;
    let tools = format!(r#"{{"model":"m","tools":[{{"function":{{"parameters":{schema}}}}}]}}"#);
    assert!(parse(tools.as_bytes()).is_ok());
}

#[test]
fn refuses_wrong_types() {
    for (member, param) in [
        (r#""model":1"#, "model"),
        (r#""model":["m"]"#, "model"),
        (r#""model":"m","stream":"true""#, "stream"),
        (r#""model":"m","stream":1"#, "stream"),
        (r#""model":"m","stream_options":[]"#, "stream_options"),
        (r#""model":"m","stream_options":true"#, "stream_options"),
        (r#""model":"m","n":1.0"#, "n"),
        (r#""model":"m","n":-1"#, "n"),
        (r#""model":"m","n":1e400"#, "n"),
        (r#""model":"m","max_tokens":"5""#, "max_tokens"),
        (r#""model":"m","max_tokens":18446744073709551616"#, "max_tokens"),
        (r#""model":"m","max_completion_tokens":{}"#, "max_completion_tokens"),
        (r#""model":"m","max_output_tokens":[1]"#, "max_output_tokens"),
        (r#""model":"m","best_of":true"#, "best_of"),
    ] {
        let error = refused(&format!("{{{member}}}"));
        assert!(matches!(error, RequestError::WrongType { .. }), "{member}");
        assert_eq!(error.param(), Some(param), "{member}");
    }
}

#[test]
fn refuses_a_model_that_is_no_name() {
    assert_eq!(refused(r#"{"messages":[]}"#), RequestError::MissingModel);
    assert_eq!(refused(r#"{"model":null}"#), RequestError::MissingModel);
    for model in ["", "a\\u0001b", "\\n", "\\u0085"] {
        assert_eq!(
            refused(&format!(r#"{{"model":"{model}"}}"#)),
            RequestError::BadModel,
            "{model}"
        );
    }
    let longest = "x".repeat(MODEL_BYTES_MAX);
    assert!(parse(format!(r#"{{"model":"{longest}"}}"#).as_bytes()).is_ok());
    assert_eq!(refused(&format!(r#"{{"model":"{longest}x"}}"#)), RequestError::BadModel);
    let escaped = "\\u0078".repeat(MODEL_BYTES_MAX);
    assert_eq!(parsed(&format!(r#"{{"model":"{escaped}"}}"#)).model.value, longest);
    assert_eq!(refused(&format!(r#"{{"model":"{escaped}x"}}"#)), RequestError::BadModel);
}

#[test]
fn refuses_strings_that_two_readers_read_apart() {
    for (text, reason) in [
        (r"\u0000", Reason::Nul),
        (r"\ud800", Reason::LoneSurrogate),
        (r"\ude00", Reason::LoneSurrogate),
    ] {
        for body in [
            format!("{{\"model\":\"m\",\n\"x\":\"{text}\"}}"),
            format!("{{\"model\":\"m\",\n    \"{text}\":1}}"),
            format!("{{\"model\":\"m\",\n[\"{text}\"]").replace("[\"", "\"\": [\"") + "}",
        ] {
            let error = refused(&body);
            let RequestError::InvalidJson { line: 2, column: 6.., reason: found } = error else {
                panic!("{body}: {error}");
            };
            assert_eq!(found, reason, "{body}");
        }
    }
}

#[test]
fn refuses_what_is_too_deep_or_too_much() {
    let deep =
        |depth: usize| format!(r#"{{"model":"m","a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(parsed(&deep(JSON_DEPTH_MAX - 1)).model.value, "m");
    for body in [
        deep(JSON_DEPTH_MAX),
        deep(1 << 20),
        "[".repeat(1 << 20),
        "{\"a\":".repeat(1 << 20),
        format!(r#"{{"model":{}"#, "{\"a\":".repeat(1 << 20)),
    ] {
        assert_eq!(refused(&body), RequestError::TooDeep);
    }
    let many = |count: usize| format!(r#"{{"model":"m","a":[{}0]}}"#, "0,".repeat(count - 1));
    assert!(parse(many(JSON_TOKENS_MAX - 5).as_bytes()).is_ok());
    assert_eq!(refused(&many(JSON_TOKENS_MAX - 4)), RequestError::TooManyTokens);
    let fields = |count: usize| {
        let more: String = (1..count).map(|n| format!(r#","f{n}":0"#)).collect();
        format!(r#"{{"model":"m"{more}}}"#)
    };
    assert_eq!(parsed(&fields(FIELDS_MAX)).fields.len(), FIELDS_MAX);
    assert_eq!(refused(&fields(FIELDS_MAX + 1)), RequestError::TooManyFields);
    assert_eq!(refused(&fields(100_000)), RequestError::TooManyFields);
    let media = |count: usize| {
        let urls = vec![r#"{"image_url":""}"#; count].join(",");
        format!(r#"{{"model":"m","messages":[{urls}]}}"#)
    };
    assert_eq!(parsed(&media(MEDIA_MAX)).media.len(), MEDIA_MAX);
    assert_eq!(refused(&media(MEDIA_MAX + 1)), RequestError::TooManyMedia);
    // Texts that turn out to be no media make no room for what was not kept.
    let text = r#"{"source":{"type":"text","data":"a"},"x":[URLS],"type":"document"}"#;
    let urls = vec![r#"{"image_url":""}"#; MEDIA_MAX].join(",");
    let hidden = format!(r#"{{"model":"m","messages":[{}]}}"#, text.replace("URLS", &urls));
    assert_eq!(refused(&hidden), RequestError::TooManyMedia);
}

#[test]
fn the_names_of_all_fields_in_order() {
    let request = parse(r#"{"b":{"x":1},"\u0061":[{"y":2}],"model":"m","c":"d"}"#.as_bytes());
    assert_eq!(request.unwrap().fields, ["b", "a", "model", "c"]);
    assert!(parsed(r#"{"model":"m","cache_s\u0061lt":null}"#).has_cache_salt);
    assert!(!parsed(r#"{"model":"m","x":{"cache_salt":1}}"#).has_cache_salt);
}

#[test]
fn options_stand_where_they_stand() {
    let body = r#"{"model":"m","stream_options":{"include_usage":true,"x":{}} ,"y":{"z":{}}}"#;
    let options = parsed(body).stream_options;
    assert!(options.include_usage);
    assert_eq!(body.get(options.span.unwrap()), Some(r#"{"include_usage":true,"x":{}}"#));
    for options in [
        r#"{"include_usage":false}"#,
        r#"{"include_usage":null}"#,
        r#"{"x":{"include_usage":true}}"#,
        "{}",
    ] {
        let body = format!(r#"{{"model":"m","stream_options":{options}}}"#);
        assert!(!parsed(&body).stream_options.include_usage, "{options}");
    }
}

#[test]
fn texts_repeat_nothing_of_the_body() {
    for body in [
        "{\"hunter2\":",
        "hunter2",
        r#"{"model":["hunter2"]}"#,
        r#"{"model":"hunter2","n":"hunter2"}"#,
        r#"{"model":"hunter2","stream_options":"hunter2"}"#,
        r#"{"model":"hunter2","model":"hunter2"}"#,
        r#"{"model":"hunter2\n"}"#,
        r#"["hunter2"]"#,
        r#"{"hunter2":1}"#,
        r#"{"model":"m","hunter2":1,"hunter2":1}"#,
        r#"{"model":"m","hunter2":"\u0000"}"#,
    ] {
        let error = refused(body);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn debug_shows_nothing_that_the_caller_wrote() {
    let body = r#"{"model":"hunter2","hunter2":1,"messages":[
        {"image_url":"hunter2"},{"input_audio":{"data":"hunter2","format":"hunter2"}}]}"#;
    let request = parsed(body);
    let whats: Vec<_> = request.media.iter().map(Medium::what).collect();
    let events: Vec<_> = Events::of(body.as_bytes()).unwrap().collect();
    assert_eq!((whats.len(), events.len()), (2, 22));
    assert!(!format!("{request:?} {whats:?} {events:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn never_panics_and_agrees_with_a_plain_reader(body in "[{}\\[\\]\",:a-d0-9 \\\\u.modelstrn-]{0,60}") {
        let plain = serde_json::from_str::<serde_json::Value>(&body);
        if let Ok(request) = parse(body.as_bytes()) {
            // A plain reader may refuse what is only skipped (a lone surrogate,
            // a number out of its range); what it reads must be the same.
            if let Ok(plain) = plain {
                prop_assert_eq!(plain["model"].as_str(), Some(&*request.model.value));
            }
        }
    }

    #[test]
    fn no_spelling_takes_the_place_of_another(
        names in proptest::sample::subsequence(
            vec!["type", "url", "path", "data", "base64", "media_type", "format", "image_url"], 1..8),
        again in any::<proptest::sample::Index>(),
        upper in prop::collection::vec(any::<bool>(), 10),
        at in any::<proptest::sample::Index>(),
    ) {
        let name = again.get(&names);
        let letters = name.chars().zip(upper.iter().cycle());
        let other: String = letters
            .map(|(letter, upper)| if *upper { letter.to_ascii_uppercase() } else { letter })
            .collect();
        let mut members: Vec<_> = names.iter().map(|name| format!(r#""{name}":"a""#)).collect();
        let alone = with_part(&format!("{{{}}}", members.join(",")));
        prop_assert!(parse(alone.as_bytes()).is_ok());
        members.insert(at.index(members.len() + 1), format!(r#""{other}":"b""#));
        let body = with_part(&format!(r#"{{"x":{{{}}}}}"#, members.join(",")));
        prop_assert_eq!(refused(&body), RequestError::DuplicateKey(Some(*name)));
    }

    #[test]
    fn the_model_can_be_replaced(old in "[^\\p{Cc}]{1,20}", new in "[^\\p{Cc}]{1,20}", text in "[^\u{0}]*") {
        let body = serde_json::json!({"a": text, "model": old, "messages": [text]}).to_string();
        let request = parse(body.as_bytes()).unwrap();
        prop_assert_eq!(&*request.model.value, &old);
        let edit = Edit { span: request.model.span.clone(), text: json_string(&new) };
        let changed = apply(body.as_bytes(), &[edit]).unwrap();
        prop_assert_eq!(&*parse(&changed).unwrap().model.value, &new);
    }
}
