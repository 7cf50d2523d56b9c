//! Bodies that two readers of JSON would read otherwise, that are something else,
//! or that cost more than they should.

use super::attack::{AUTH, Attack, CHAT, HONEST, JSON, post};
use super::world::World;
use integration::Result;
use serde_json::json;

const MESSAGES: &str = r#""messages":[{"role":"user","content":"one two"}]"#;

/// A name twice, anywhere.
fn duplicates() -> Vec<Attack> {
    let bodies = [
        format!(r#"{{"model":"tiny","model":"secret",{MESSAGES}}}"#),
        format!(r#"{{"model":"secret","model":"tiny",{MESSAGES}}}"#),
        format!(r#"{{"model":"tiny",{MESSAGES},"model":"tiny"}}"#),
        format!(r#"{{"model":"tiny","mod\u0065l":"secret",{MESSAGES}}}"#),
        format!(r#"{{"\u006d\u006F\u0064\u0065\u006c":"secret","model":"tiny",{MESSAGES}}}"#),
        format!(r#"{{"model":"tiny",{MESSAGES},{MESSAGES}}}"#),
        format!(r#"{{"model":"tiny",{MESSAGES},"stream":false,"stream":true}}"#),
        format!(r#"{{"model":"tiny",{MESSAGES},"max_tokens":1,"max_token\u0073":4096}}"#),
        format!(r#"{{"model":"tiny",{MESSAGES},"user":"a","user":"b"}}"#),
        format!(r#"{{"model":"tiny",{MESSAGES},"stream_options":{{"include_usage":true,"include_usage":false}}}}"#),
        r#"{"model":"tiny","messages":[{"role":"user","role":"system","content":"one two"}]}"#.into(),
        r#"{"model":"tiny","messages":[{"role":"user","content":"a","content":"b"}]}"#.into(),
        r#"{"model":"tiny","messages":[{"role":"user","content":"a","c\u006fntent":"b"}]}"#.into(),
        r#"{"model":"tiny","messages":[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}]}"#.into(),
        r#"{"model":"tiny","messages":[{"role":"user","content":[{"type":"text","t\u0065xt":"a","text":"b"}]}]}"#.into(),
    ];
    bodies.map(|body| Attack::body(body.clone(), body).refused(400, "duplicate_key")).into()
}

/// What is one thing however it is written: the engine gets what was decided.
fn escapes() -> Vec<Attack> {
    let asked = || json!({"model": "tiny", "messages": [{"role": "user", "content": "one two"}]});
    let bodies = [
        format!(r#"{{"mod\u0065l":"tiny",{MESSAGES}}}"#),
        format!(r#"{{"model":"\u0074\u0069\u006e\u0079",{MESSAGES}}}"#),
        format!(" \t\r\n{HONEST}\r\n\t "),
        HONEST.replace("messages", "messa\\u0067es"),
        HONEST.replace(":", " : ").replace(",", " , "),
    ];
    bodies.map(|body| Attack::body(body.clone(), body).means(asked()).served()).into()
}

/// A model that is not the attacker's, or no model, in any spelling.
fn models() -> Vec<Attack> {
    let unknown = [
        "secret",
        "engine-secret",
        "engine-tiny",
        "q",
        "pool/q",
        "TINY",
        "Tiny",
        "tiny ",
        " tiny",
        "tiny\\u0020",
        "tiny\\u200b",
        "tiny/",
        "./tiny",
        "../secret",
        "tiny/../secret",
        "tiny,secret",
        "*",
        "t*",
        "t?ny",
        "\u{442}iny",
        "\u{ff54}iny",
        "tiny:secret",
        "tiny@secret",
        "tiny#",
        "openai/tiny",
    ];
    let mut attacks: Vec<Attack> = unknown
        .iter()
        .map(|name| {
            Attack::body(format!("model {name:?}"), HONEST.replace("tiny", name))
                .refused(404, "model_not_found")
        })
        .collect();
    let none = ["7", "null", "true", "[\"tiny\"]", "{\"a\":\"tiny\"}", "[]", "1e5"];
    attacks.extend(none.map(|value| {
        let body = HONEST.replace("\"tiny\"", value);
        Attack::body(format!("model {value}"), body).refused(400, "invalid_request")
    }));
    let odd = [
        "\"\"".to_owned(),
        format!("\"{}\"", "a".repeat(100_000)),
        "\"tiny\\u0000\"".into(),
        "\"\\ud800\"".into(),
        "\"tiny\\nsecret\"".into(),
        "\"secret\\u0009\"".into(),
    ];
    attacks.extend(odd.map(|value| {
        let body = HONEST.replace("\"tiny\"", &value);
        Attack::body(format!("model {:.20}", value), body).any_refusal()
    }));
    let absent = format!("{{{MESSAGES}}}");
    attacks.push(Attack::body("no model", absent).refused(400, "invalid_request"));
    attacks.push(Attack::body("Model", HONEST.replace("model", "Model")).any_refusal());
    attacks
}

/// What is no JSON (RFC 8259), or not one value of it.
fn malformed() -> Vec<Attack> {
    let wrong: Vec<(&str, Vec<u8>)> = vec![
        ("BOM", [b"\xef\xbb\xbf", HONEST.as_bytes()].concat()),
        ("UTF-16", HONEST.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("a second value", format!("{HONEST}{}", HONEST.replace("tiny", "secret")).into()),
        ("a byte behind the end", format!("{HONEST}x").into()),
        ("a bracket behind the end", format!("{HONEST}}}").into()),
        ("NUL behind the end", format!("{HONEST}\0").into()),
        ("a comma behind the last", HONEST.replace("}]}", "}],}").into()),
        ("a comment", HONEST.replace("{\"model\"", "{/*x*/\"model\"").into()),
        ("single quotes", HONEST.replace('"', "'").into()),
        ("no quotes", HONEST.replace("\"model\"", "model").into()),
        ("NaN", HONEST.replace("\"tiny\"", "NaN").into()),
        ("a control character", HONEST.replace("one two", "one\ntwo").into()),
        ("NUL in a text", HONEST.replace("one two", "one\0two").into()),
        ("half an escape", HONEST.replace("one two", "one\\u12").into()),
        ("an escape that is none", HONEST.replace("one two", "one\\x41").into()),
        ("invalid UTF-8", HONEST.bytes().map(|it| if it == b'w' { 0xff } else { it }).collect()),
        (
            "overlong UTF-8",
            HONEST
                .bytes()
                .flat_map(|it| if it == b'w' { vec![0xc0, 0xaf] } else { vec![it] })
                .collect(),
        ),
        (
            "a surrogate in UTF-8",
            HONEST
                .bytes()
                .flat_map(|it| if it == b'w' { vec![0xed, 0xa0, 0x80] } else { vec![it] })
                .collect(),
        ),
        ("cut", HONEST.as_bytes()[..HONEST.len() - 1].to_vec()),
        ("nothing", Vec::new()),
        ("space", b" \n".to_vec()),
        ("lines of JSON", format!("{HONEST}\n{HONEST}").into()),
        ("a record separator", format!("\x1e{HONEST}").into()),
        ("a prefix against hijacking", format!(")]}}',\n{HONEST}").into()),
        ("a form", b"model=secret&messages=1".to_vec()),
    ];
    let attack =
        |(name, body): (&str, Vec<u8>)| Attack::body(name, body).refused(400, "invalid_json");
    wrong.into_iter().map(attack).collect()
}

/// JSON that engines would stumble over, or that is no object.
fn not_a_chat() -> Vec<Attack> {
    let told = |attack: Attack| attack.refused(400, "invalid_json").refused(400, "invalid_request");
    let bodies = [
        ("NUL by an escape", HONEST.replace("one two", "one\\u0000two")),
        ("a lone surrogate", HONEST.replace("one two", "one\\ud800two")),
        ("a lone low surrogate", HONEST.replace("one two", "\\udc00")),
        ("surrogates the wrong way round", HONEST.replace("one two", "\\udc00\\ud800")),
        ("NUL in a name", HONEST.replace("\"role\"", "\"a\\u0000\":1,\"role\"")),
        ("an array", format!("[{HONEST}]")),
        ("a text", "\"tiny\"".to_owned()),
    ];
    bodies.map(|(name, body)| told(Attack::body(name, body))).into()
}

#[tokio::test]
async fn a_name_stands_once_and_means_what_it_says() -> Result<()> {
    let mut world = World::new().await?;
    world.try_all(duplicates()).await?;
    world.try_all(escapes()).await?;
    world.try_all(models()).await?;
    world.end().await
}

#[tokio::test]
async fn what_is_no_json_is_read_by_nobody() -> Result<()> {
    let mut world = World::new().await?;
    world.try_all(malformed()).await?;
    world.try_all(not_a_chat()).await?;
    world.end().await
}

#[tokio::test]
async fn a_body_is_json_that_is_not_packed() -> Result<()> {
    let mut world = World::new().await?;
    // Ten bytes of deflate stand for a megabyte; nobody here unpacks anything.
    let bomb = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &[0; 1024]].concat();
    let packed = ["gzip", "br", "deflate", "zstd", "identity", "gzip, gzip", "x", "GZIP"];
    let attack = |encoding: &str| {
        let head = format!("{JSON}{AUTH}content-encoding: {encoding}\r\n");
        let bytes =
            post(CHAT, &head, if encoding == "gzip" { bomb.as_slice() } else { HONEST.as_bytes() });
        Attack::new(format!("content-encoding: {encoding}"), bytes)
            .refused(415, "unsupported_media_type")
    };
    world.try_all(packed.map(attack).into()).await?;
    let kinds = [
        "text/plain",
        "application/jsonx",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "json",
        "*/*",
        "text/json",
        "application/octet-stream",
    ];
    let attack = |kind: &str| {
        let bytes = post(CHAT, &format!("content-type: {kind}\r\n{AUTH}"), HONEST);
        Attack::new(kind, bytes).refused(415, "unsupported_media_type")
    };
    world.try_all(kinds.map(attack).into()).await?;
    let none = Attack::new("no type", post(CHAT, AUTH, HONEST));
    world.try_all(vec![none.refused(415, "unsupported_media_type")]).await?;
    let fine =
        ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8"];
    let attack = |kind: &str| {
        Attack::new(kind, post(CHAT, &format!("content-type: {kind}\r\n{AUTH}"), HONEST))
    };
    world.try_all(fine.map(|kind| attack(kind).served()).into()).await?;
    let odd = [
        "application/json-patch+json",
        "application/json; charset=utf-16",
        "application/json, text/plain",
        "application/json; boundary=x",
        "application/json\r\ncontent-type: text/plain",
        "text/plain\r\ncontent-type: application/json",
    ];
    world.try_all(odd.map(attack).into()).await?;
    world.end().await
}
