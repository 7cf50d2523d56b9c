use super::*;
use crate::request::RequestError;
use crate::request::parse;

const CHAT: Api<'static> = Api::Chat;

#[test]
fn names_the_user_of_the_path() {
    let long = "x".repeat(USER_BYTES_MAX);
    for (body, api, user) in [
        (r#"{"model":"m","user":"u\u0031"}"#.to_owned(), CHAT, Some("u1")),
        (r#"{"model":"m","us\u0065r":"u"}"#.to_owned(), Api::Responses, Some("u")),
        (r#"{"model":"m","user":"u","metadata":{"user_id":"x"}}"#.to_owned(), CHAT, Some("u")),
        (
            r#"{"model":"m","user":"u","metadata":{"a":{"user_id":"y"},"user_id":"x"}}"#.to_owned(),
            Api::Messages,
            Some("x"),
        ),
        (r#"{"model":"m","metadata":{"User_Id":"x"}}"#.to_owned(), Api::Messages, None),
        (r#"{"model":"m","metadata":{"user_id":["x"]}}"#.to_owned(), Api::Messages, None),
        (r#"{"model":"m","x":{"user_id":"x","user":"y"}}"#.to_owned(), Api::Messages, None),
        (r#"{"model":"m","user":""}"#.to_owned(), CHAT, None),
        (r#"{"model":"m","user":7}"#.to_owned(), CHAT, None),
        (r#"{"model":"m","user":null}"#.to_owned(), CHAT, None),
        (r#"{"model":"m","user":"a\nb"}"#.to_owned(), CHAT, None),
        (format!(r#"{{"model":"m","user":"{long}"}}"#), CHAT, Some(long.as_str())),
        (format!(r#"{{"model":"m","user":"{long}x"}}"#), CHAT, None),
    ] {
        assert_eq!(parse(body.as_bytes()).unwrap().user(&api), user, "{body}");
    }
}

#[test]
fn counts_prompts_and_inputs() {
    for (value, many) in [
        (r#""a""#, 1),
        ("[]", 1),
        (r#"["a"]"#, 1),
        (r#"["a","b","c"]"#, 3),
        ("[1,2,3]", 1),
        ("[[1,2],[3]]", 2),
        (r#"[1,"a",2]"#, 3),
        (r#"[{"prompt_token_ids":[1,2]},"b"]"#, 2),
        ("null", 1),
        (r#"[null,"a"]"#, 2),
    ] {
        let body = format!(r#"{{"model":"m","prompt":{value},"x":["a","b"]}}"#);
        let request = parse(body.as_bytes()).unwrap();
        let counts = [Api::Completions, CHAT, Api::Embeddings].map(|api| request.prompts(&api));
        assert_eq!(counts, [many, 1, 1], "{body}");
        assert_eq!(request.inputs(&Api::Completions), many);
        let body = body.replace("prompt\":", "input\":");
        let request = parse(body.as_bytes()).unwrap();
        assert_eq!(
            (request.inputs(&Api::Embeddings), request.prompts(&Api::Embeddings)),
            (many, 1)
        );
        assert_eq!(request.inputs(&Api::Responses), 1);
    }
}

#[test]
fn what_is_read_are_strings() {
    for (body, bytes) in [
        (r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#, 9),
        (r#"{"model":"m","prompt":"hello"}"#, 5),
        (r#"{"model":"m","input":["ab","c"],"user":"ann"}"#, 3),
        (r#"{"model":"m","prompt":[1,2,3]}          "#, 12),
    ] {
        assert_eq!(parse(body.as_bytes()).unwrap().text_bytes(), bytes, "{body}");
    }
}

#[test]
fn a_query_is_read_with_every_document() {
    let body = br#"{"model":"m","query":"who","documents":["a",{"text":"b"},"c"]}"#;
    let request = parse(body).unwrap();
    assert_eq!((request.inputs(&Api::Rerank), request.repeated_bytes(&Api::Rerank)), (3, 5));
    assert_eq!((request.inputs(&CHAT), request.repeated_bytes(&CHAT)), (1, 0));
    let body = br#"{"model":"m","query":7,"documents":"a"}"#;
    let request = parse(body).unwrap();
    assert_eq!((request.inputs(&Api::Rerank), request.repeated_bytes(&Api::Rerank)), (1, 0));
}

#[test]
fn the_callers_cap_is_that_of_the_path() {
    let body = br#"{"model":"m","max_tokens":3,"max_completion_tokens":5,"max_output_tokens":7}"#;
    let request = parse(body).unwrap();
    for (api, tokens) in [
        (CHAT, Some(5)),
        (Api::Completions, Some(3)),
        (Api::Messages, Some(3)),
        (Api::Responses, Some(7)),
        (Api::Embeddings, None),
    ] {
        assert_eq!(request.asked_tokens(&api), tokens, "{api:?}");
    }
    let request = parse(br#"{"model":"m","max_tokens":0,"max_output_tokens":null}"#).unwrap();
    let tokens = [CHAT, Api::Completions, Api::Messages, Api::Responses];
    assert_eq!(tokens.map(|api| request.asked_tokens(&api)), [None, Some(0), None, None]);
}

#[test]
fn places_are_those_of_the_values() {
    let body = r#"{"model":"m","max_tokens" : null ,"x":{"max_tokens":9},"max_output_tokens":12}"#;
    let request = parse(body.as_bytes()).unwrap();
    let places = &request.max_tokens_places;
    let text = |place: &Option<Range<usize>>| place.clone().and_then(|span| body.get(span));
    assert_eq!(text(&places.max_tokens), Some("null"));
    assert_eq!(text(&places.max_output_tokens), Some("12"));
    assert_eq!(text(&places.max_completion_tokens), None);
}

#[test]
fn counts_media_by_their_place() {
    let body = br#"{"model":"m","messages":[{"content":[
        {"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},
        {"type":"image_url","image_url":{"url":"https://a.example/b.png"}},
        {"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}},
        {"type":"file","file":{"file_data":"AA=="}}]}],
        "tools":[{"server_url":"https://a.example"}]}"#;
    let request = parse(body).unwrap();
    assert_eq!((request.images(), request.other_media()), (2, 2));
}

#[test]
fn a_flag_of_a_stream_is_a_boolean() {
    for (options, usage, continuous) in [
        (r#"{"include_usage":true,"continuous_usage_stats":true}"#, true, true),
        (r#"{"include_usage":false,"continuous_usage_stats":null}"#, false, false),
        (r#"{"continuous_usage_stats":true}"#, false, true),
        (r#"{"x":{"include_usage":1,"continuous_usage_stats":1}}"#, false, false),
    ] {
        let body = format!(r#"{{"model":"m","stream_options":{options}}}"#);
        let read = parse(body.as_bytes()).unwrap().stream_options;
        assert_eq!((read.include_usage, read.continuous_usage), (usage, continuous), "{body}");
    }
    for value in ["1", "0", r#""true""#, "[true]", "{}"] {
        for name in ["include_usage", "continuous_usage_stats"] {
            let body = format!(r#"{{"model":"m","stream_options":{{"{name}":{value}}}}}"#);
            let error = parse(body.as_bytes()).unwrap_err();
            let RequestError::WrongType { param, expected } = error else { panic!("{error}") };
            assert!(param.ends_with(name) && expected == "a boolean", "{body}");
        }
    }
}
