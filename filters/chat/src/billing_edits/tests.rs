use super::*;
use crate::edit::apply;
use crate::request::parse;

/// The body with its edits, and what is taken out of the answer.
fn asked(body: &str, api: &Api<'_>, engine: Engine) -> (String, Strip) {
    let request = parse(body.as_bytes()).unwrap();
    let (edits, asked) = usage_edits(&request, api, engine);
    let edited = apply(body.as_bytes(), &edits).unwrap();
    let edited = String::from_utf8(edited).unwrap();
    let again = parse(edited.as_bytes()).unwrap();
    assert!(usage_edits(&again, api, engine).0.is_empty(), "{edited}");
    (edited, asked.strip(engine))
}

const BOTH: &str = r#""include_usage":true,"continuous_usage_stats":true"#;

#[test]
fn usage_is_asked_for_whatever_the_caller_has_written() {
    for (before, after, strip) in [
        ("", format!(r#""stream_options":{{{BOTH}}},"#), Strip::Usage { nulls: true }),
        (
            r#""stream_options": null ,"#,
            format!(r#""stream_options": {{{BOTH}}} ,"#),
            Strip::Usage { nulls: true },
        ),
        (
            r#""stream_options":{ },"#,
            format!(r#""stream_options":{{{BOTH} }},"#),
            Strip::Usage { nulls: true },
        ),
        (
            r#""stream_options":{ "include_obfuscation" : false },"#,
            format!(r#""stream_options":{{{BOTH}, "include_obfuscation" : false }},"#),
            Strip::Usage { nulls: true },
        ),
        (
            r#""stream_options":{"x":1, "include_usage": false},"#,
            r#""stream_options":{"continuous_usage_stats":true,"x":1, "include_usage": true},"#
                .to_owned(),
            Strip::Usage { nulls: true },
        ),
        (
            r#""stream_options":{"continuous_usage_stats":null,"include_usage":true},"#,
            r#""stream_options":{"continuous_usage_stats":true,"include_usage":true},"#.to_owned(),
            Strip::Running,
        ),
        (
            r#""stream_options":{"include_usage":true},"#,
            r#""stream_options":{"continuous_usage_stats":true,"include_usage":true},"#.to_owned(),
            Strip::Running,
        ),
        (
            r#""stream_options":{"continuous_usage_stats":true,"include_usage":true},"#,
            r#""stream_options":{"continuous_usage_stats":true,"include_usage":true},"#.to_owned(),
            Strip::Nothing,
        ),
    ] {
        let body = |options: &str| format!(r#"{{{options}"model":"m","stream":true}}"#);
        for api in [Api::Chat, Api::Completions] {
            let expected = (body(&after), strip);
            assert_eq!(asked(&body(before), &api, Engine::Vllm), expected, "{before}");
        }
    }
}

#[test]
fn engines_are_asked_for_what_they_have() {
    let body = r#"{"model":"m","stream":true}"#;
    let both = format!(r#"{{"stream_options":{{{BOTH}}},"model":"m","stream":true}}"#);
    let one = r#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#.to_owned();
    for (engine, expected, nulls) in [
        (Engine::Vllm, &both, true),
        (Engine::Sglang, &both, false),
        (Engine::Tgi, &one, false),
        (Engine::Llamacpp, &one, true),
        (Engine::Triton, &one, true),
        (Engine::Openai, &one, true),
    ] {
        let (edited, strip) = asked(body, &Api::Chat, engine);
        assert_eq!((&edited, strip), (expected, Strip::Usage { nulls }), "{engine:?}");
    }
    let (edited, strip) = asked(&one, &Api::Chat, Engine::Openai);
    assert_eq!((edited, strip), (one, Strip::Nothing));
}

#[test]
fn what_reports_by_itself_is_left_alone() {
    let stream = r#"{"model":"m","stream":true}"#;
    for api in [Api::Messages, Api::Responses, Api::Embeddings, Api::Rerank] {
        assert_eq!(asked(stream, &api, Engine::Vllm), (stream.to_owned(), Strip::Nothing));
    }
    let whole = r#"{"model":"m","stream":false}"#;
    assert_eq!(asked(whole, &Api::Chat, Engine::Vllm), (whole.to_owned(), Strip::Nothing));
}

fn capped(body: &str, api: &Api<'_>) -> String {
    let request = parse(body.as_bytes()).unwrap();
    let edits = max_tokens_edits(&request, api, 42);
    String::from_utf8(apply(body.as_bytes(), &edits).unwrap()).unwrap()
}

#[test]
fn the_cap_stands_wherever_an_engine_may_read_it() {
    for (api, before, after) in [
        (Api::Chat, r#"{"model":"m"}"#, r#"{"max_tokens":42,"model":"m"}"#),
        (Api::Completions, r#"{ "model":"m"}"#, r#"{"max_tokens":42, "model":"m"}"#),
        (Api::Messages, r#"{"max_tokens":9,"model":"m"}"#, r#"{"max_tokens":42,"model":"m"}"#),
        (Api::Responses, r#"{"model":"m"}"#, r#"{"max_output_tokens":42,"model":"m"}"#),
        (
            Api::Chat,
            r#"{"max_completion_tokens":null,"model":"m"}"#,
            r#"{"max_completion_tokens":42,"model":"m"}"#,
        ),
        (
            Api::Chat,
            r#"{"max_completion_tokens": 9 ,"model":"m","max_tokens":7}"#,
            r#"{"max_completion_tokens": 42 ,"model":"m","max_tokens":42}"#,
        ),
        (
            Api::Completions,
            r#"{"max_completion_tokens":9,"model":"m"}"#,
            r#"{"max_tokens":42,"max_completion_tokens":42,"model":"m"}"#,
        ),
        (Api::Embeddings, r#"{"model":"m","max_tokens":9}"#, r#"{"model":"m","max_tokens":9}"#),
        (Api::Rerank, r#"{"model":"m"}"#, r#"{"model":"m"}"#),
    ] {
        assert_eq!(capped(before, &api), after);
    }
}

#[test]
fn all_edits_go_together() {
    let body = r#"{"model":"m","stream":true,"messages":[]}"#;
    let request = parse(body.as_bytes()).unwrap();
    let mut edits = vec![
        Edit { span: request.model.span.clone(), text: b"\"n\"".to_vec() },
        Edit::insert(request.insert_at, b"\"cache_salt\":\"s\",".to_vec()),
    ];
    edits.extend(usage_edits(&request, &Api::Chat, Engine::Openai).0);
    edits.extend(max_tokens_edits(&request, &Api::Chat, 5));
    edits.sort_by_key(|edit| edit.span.start);
    let edited = String::from_utf8(apply(body.as_bytes(), &edits).unwrap()).unwrap();
    let expected = r#"{"cache_salt":"s","stream_options":{"include_usage":true},"max_tokens":5,"model":"n","stream":true,"messages":[]}"#;
    assert_eq!(edited, expected);
}
