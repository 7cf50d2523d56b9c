use super::*;

use serde_json::{Value, json};

use crate::medium::What;
use crate::request::parse;

const IMAGE: Place = Place::Medium(MediaKind::Image);
const AUDIO: Place = Place::Medium(MediaKind::Audio);
const VIDEO: Place = Place::Medium(MediaKind::Video);
const DOCUMENT: Place = Place::Medium(MediaKind::Document);

/// A medium in one line: `=` and a URL, or the type, `:` and the base64.
fn found(body: &str) -> Vec<(Place, String)> {
    let request = parse(body.as_bytes()).unwrap();
    for medium in &request.media {
        let quoted: String = serde_json::from_str(body.get(medium.span.clone()).unwrap()).unwrap();
        match medium.what() {
            What::Url(url) => assert_eq!(url, quoted),
            What::Data { base64, .. } => assert!(quoted.ends_with(&*base64)),
            What::Unreadable => {}
        }
    }
    let line = |what| match what {
        What::Url(url) => format!("={url}"),
        What::Data { declared, base64 } => format!("{}:{base64}", declared.unwrap_or_default()),
        What::Unreadable => "?".to_owned(),
    };
    request.media.iter().map(|medium| (medium.place, line(medium.what()))).collect()
}

fn in_field(name: &str, value: Value) -> Vec<(Place, String)> {
    let mut body = json!({"model": "m"});
    body[name] = value;
    found(&body.to_string())
}

fn in_part(part: Value) -> Vec<(Place, String)> {
    in_field(
        "messages",
        json!([{"role": "user", "content": [{"type": "text", "text": "?"}, part]}]),
    )
}

fn one(place: Place, line: &str) -> Vec<(Place, String)> {
    vec![(place, line.to_owned())]
}

#[test]
fn parts_of_chats() {
    for (part, place, line) in [
        (json!({"type": "image_url", "image_url": {"url": "https://a/b"}}), IMAGE, "=https://a/b"),
        (json!({"type": "image_url", "image_url": "https://a/b"}), IMAGE, "=https://a/b"),
        (json!({"image_url": {"detail": "low", "url": "x"}}), IMAGE, "=x"),
        (
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}),
            IMAGE,
            "image/png:iVBO",
        ),
        (json!({"type": "video_url", "video_url": {"url": "http://a"}}), VIDEO, "=http://a"),
        (json!({"type": "audio_url", "audio_url": {"url": "//a"}}), AUDIO, "=//a"),
        (json!({"type": "file_url", "file_url": {"url": "file:///a"}}), Place::File, "=file:///a"),
        (
            json!({"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}),
            AUDIO,
            "audio/wav:UklG",
        ),
        (json!({"input_audio": {"data": "UklG"}}), AUDIO, ":UklG"),
        (
            json!({"type": "file", "file": {"filename": "a", "file_data": "JVBE"}}),
            Place::File,
            ":JVBE",
        ),
        (
            json!({"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE"}}),
            Place::File,
            "application/pdf:JVBE",
        ),
        (json!({"type": "image", "url": "/etc/passwd"}), IMAGE, "=/etc/passwd"),
        (json!({"type": "image", "path": "/etc/passwd"}), IMAGE, "=/etc/passwd"),
        (json!({"type": "image", "base64": "iVBO"}), IMAGE, ":iVBO"),
        (json!({"type": "image", "image": "http://a"}), IMAGE, "=http://a"),
        (json!({"type": "video", "video": ["http://a"]}), VIDEO, "=http://a"),
        (json!({"type": "audio", "url": "http://a"}), AUDIO, "=http://a"),
        (json!({"images": ["http://a"]}), IMAGE, "=http://a"),
    ] {
        assert_eq!(in_part(part.clone()), one(place, line), "{part}");
    }
}

#[test]
fn items_of_responses() {
    for (item, place, line) in [
        (json!({"content": [{"type": "input_image", "image_url": "x"}]}), IMAGE, "=x"),
        (json!({"content": [{"type": "input_file", "file_url": "x"}]}), Place::File, "=x"),
        (json!({"content": [{"type": "input_file", "file_data": "x"}]}), Place::File, ":x"),
        (json!({"output": {"type": "computer_screenshot", "image_url": "x"}}), IMAGE, "=x"),
        (json!({"output": [{"type": "input_image", "image_url": "x"}]}), IMAGE, "=x"),
        (json!({"type": "mcp_call", "server_url": "http://a"}), Place::Service, "=http://a"),
    ] {
        assert_eq!(in_field("input", json!([item])), one(place, line), "{item}");
    }
    let mask = json!([{"type": "image_generation", "input_image_mask": {"image_url": "x"}}]);
    assert_eq!(in_field("tools", mask), one(IMAGE, "=x"));
    let mcp = json!([{"type": "mcp", "server_url": "http://169.254.169.254/"}]);
    assert_eq!(in_field("tools", mcp), one(Place::Service, "=http://169.254.169.254/"));
}

#[test]
fn blocks_of_messages() {
    let source = |kind: &str, source: Value| json!({"type": kind, "source": source});
    let base64 = json!({"type": "base64", "media_type": "image/png", "data": "iVBO"});
    let url = json!({"type": "url", "url": "https://a"});
    for (block, place, line) in [
        (source("image", base64.clone()), IMAGE, "image/png:iVBO"),
        (source("document", base64.clone()), DOCUMENT, "image/png:iVBO"),
        (source("image", url.clone()), IMAGE, "=https://a"),
        (source("document", url.clone()), DOCUMENT, "=https://a"),
        (source("unheard_of", url.clone()), Place::File, "=https://a"),
        (json!({"source": {"data": "iVBO"}}), Place::File, ":iVBO"),
        (
            json!({"type": "tool_result", "content": [source("image", base64.clone())]}),
            IMAGE,
            "image/png:iVBO",
        ),
        (
            source("document", json!({"type": "content", "content": [source("image", url)]})),
            IMAGE,
            "=https://a",
        ),
        (source("image", json!({"type": "text", "data": "iVBO"})), IMAGE, ":iVBO"),
    ] {
        assert_eq!(in_part(block.clone()), one(place, line), "{block}");
    }
    let servers = json!([{"type": "url", "url": "https://a", "name": "a"}]);
    assert_eq!(in_field("mcp_servers", servers), one(Place::Service, "=https://a"));
}

#[test]
fn a_documents_plain_text_is_no_medium_and_hides_none() {
    let document =
        |source: &str| format!(r#"{{"model":"m","messages":[{{"content":[{{{source}}}]}}]}}"#);
    for (inside, expected) in [
        (
            r#""type":"document","source":{"type":"text","media_type":"text/plain","data":"a"}"#,
            vec![],
        ),
        (r#""source":{"data":"a","type":"text"},"type":"document""#, vec![]),
        (
            r#""source":{"data":"a","type":"text"},"x":{"image_url":"b"},"type":"document""#,
            one(IMAGE, "=b"),
        ),
        (r#""source":{"type":"text"},"x":{"image_url":"b"},"type":"document""#, one(IMAGE, "=b")),
        (
            r#""type":"document","source":{"type":"text","url":"b","data":"a"}"#,
            vec![(DOCUMENT, "=b".to_owned()), (DOCUMENT, ":a".to_owned())],
        ),
        (
            r#""type":"document","source":{"type":"text","x":{"image_url":"b"},"data":"a"}"#,
            one(IMAGE, "=b"),
        ),
        (
            r#""type":"document","y":{"file_url":"b"},"source":{"type":"text","data":"a"}"#,
            one(DOCUMENT, "=b"),
        ),
    ] {
        assert_eq!(found(&document(inside)), expected, "{inside}");
    }
}

#[test]
fn inputs_of_embeddings_and_rerankers() {
    for (field, value, line) in [
        ("input", json!([{"text": "a", "image": "http://a"}]), "=http://a"),
        ("input", json!([{"image": "data:image/png;base64,iVBO"}]), "image/png:iVBO"),
        ("documents", json!(["a", {"image": "http://a"}]), "=http://a"),
        ("documents", json!([{"content": [{"image_url": {"url": "x"}}]}]), "=x"),
        ("documents", json!({"content": [{"image_url": {"url": "x"}}]}), "=x"),
        ("query", json!({"content": [{"image_url": {"url": "x"}}]}), "=x"),
        ("query", json!({"image": "x"}), "=x"),
    ] {
        assert_eq!(in_field(field, value.clone()), one(IMAGE, line), "{value}");
    }
    // A field of the body itself, where a pool allows it.
    assert_eq!(in_field("image", json!("http://a")), one(IMAGE, "=http://a"));
}

#[test]
fn escapes_and_order_hide_nothing() {
    for body in [
        r#"{"model":"m","messages":[{"content":[{"im\u0061ge_url":{"\u0075rl":"x"}}]}]}"#,
        r#"{"messages":[{"content":[{"image_url":{"url":"\u0078"},"type":"text"}]}],"model":"m"}"#,
        r#"{"model":"m","messages":[{"content":[{"image_url":[{"url":"x"}]}]}]}"#,
        r#"{"model":"m","messages":[{"content":[{"url":"x","type":"im\u0061ge"}]}]}"#,
        r#"{"model":"m","messages":{"content":{"image_url":["x"]}}}"#,
        r#"{"model":"m","messages":[{"Content":[{"Image_URL":{"URL":"x"}}]}]}"#,
        r#"{"model":"m","messages":[{"content":[{"IMAGE\u005fURL":{"\u0055rl":"x"}}]}]}"#,
        r#"{"model":"m","messages":[{"content":[{"type":"image","ſource":{"url":"x"}}]}]}"#,
    ] {
        assert_eq!(found(body), one(IMAGE, "=x"), "{body}");
    }
}

#[test]
fn another_spelling_of_a_type_is_the_pools_to_allow() {
    for (part, media, steers) in [
        (r#"{"Type":"image","url":"a"}"#, 1, true),
        (r#"{"type":"document","source":{"Type":"text","data":"a"}}"#, 1, true),
        (r#"{"type":"document","source":{"type":"text","data":"a"}}"#, 0, false),
        (r#"{"TYPE":"anything","url":"a"}"#, 0, false),
    ] {
        let body = format!(r#"{{"model":"m","messages":[{{"content":[{part}]}}]}}"#);
        let request = parse(body.as_bytes()).unwrap();
        let expected = if steers { vec!["type"] } else { vec![] };
        assert_eq!((request.media.len(), request.steering), (media, expected), "{part}");
    }
}

#[test]
fn what_is_passed_on_is_so_to_every_engine() {
    for body in [
        r#"{"model":"m","tools":[{"Parameters":{"image_url":"x"}}]}"#,
        r#"{"model":"m","tools":[{"Parameters":[{"image_url":"x"}]}]}"#,
        r#"{"model":"m","messages":[{"content":[{"Input":{"image_url":"x"}}]}]}"#,
    ] {
        assert_eq!(found(body), one(IMAGE, "=x"), "{body}");
    }
}

#[test]
fn all_of_them_in_order() {
    let body = r#"{"model":"m","messages":[
        {"content":[{"image_url":"1"},{"type":"image","source":{"data":"2"}}]},
        {"content":[{"video_url":{"url":"3"}},{"input_audio":{"format":"mp3","data":"4"}}]}]}"#;
    let expected = [(IMAGE, "=1"), (IMAGE, ":2"), (VIDEO, "=3"), (AUDIO, "audio/mp3:4")];
    assert_eq!(found(body), expected.map(|(place, line)| (place, line.to_owned())));
}

#[test]
fn what_is_no_medium() {
    let schema = json!({"properties": {"image_url": {"type": "string", "default": "x"}, "url": {"type": "image"}}});
    let link = json!({"type": "url_citation", "url": "https://a", "title": "a"});
    for (field, value) in [
        ("metadata", json!({"image_url": "https://a"})),
        ("tools", json!([{"type": "function", "function": {"parameters": schema}}])),
        ("tools", json!([{"name": "f", "input_schema": {"image_url": "x", "$ref": "#/$defs/a"}}])),
        ("response_format", json!({"json_schema": {"schema": {"image_url": "x"}}})),
        ("audio", json!({"voice": "alloy", "format": "wav"})),
        ("messages", json!([{"audio": {"id": "a"}, "content": "https://a"}])),
        ("messages", json!([{"content": [{"type": "text", "text": "![](https://a)"}]}])),
        ("messages", json!([{"content": [{"type": "image_url", "image_url": null}]}])),
        ("messages", json!([{"content": [{"type": "tool_use", "input": {"image_url": "x"}}]}])),
        ("messages", json!([{"content": [{"type": "search_result", "source": "https://a"}]}])),
        ("messages", json!([{"content": [{"type": "redacted_thinking", "data": "x"}]}])),
        ("input", json!([{"content": [{"type": "output_text", "annotations": [link]}]}])),
        ("input", json!(["image_url", "url"])),
        ("documents", json!([{"text": "a", "url": "https://a"}])),
    ] {
        assert_eq!(in_field(field, value.clone()), vec![], "{value}");
    }
}

#[test]
fn a_schema_elsewhere_would_be_fetched() {
    let tool = |link: &str| json!([{"function": {"parameters": {"items": {"$ref": link}}}}]);
    assert_eq!(in_field("tools", tool("http://a/s")), one(Place::Service, "=http://a/s"));
    assert_eq!(in_field("tools", tool("other.json")), one(Place::Service, "=other.json"));
    assert_eq!(in_field("tools", tool("#")), vec![]);
}
