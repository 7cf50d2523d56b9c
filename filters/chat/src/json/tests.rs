use super::*;

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

fn fault(text: &str) -> Option<Fault> {
    events(text).err()
}

fn events(text: &str) -> Result<Vec<Event<'_>>, Fault> {
    Events::of(text.as_bytes())?.collect()
}

#[test]
fn tells_every_token_and_its_place() {
    let text = " {\"a\\u0062\" : [1.5e3,true , false,null],\r\n\t\"é\":\"x\"} ";
    let told: Vec<_> = events(text).unwrap();
    let places: Vec<_> = told.iter().map(|event| text.get(event.span.clone()).unwrap()).collect();
    let expected =
        ["{", "\"a\\u0062\"", "[", "1.5e3", "true", "false", "null", "]", "\"é\"", "\"x\"", "}"];
    assert_eq!(places, expected);
    let name = |event: &Event<'_>| match event.token {
        Token::Name(name) => Some(name.unescaped().into_owned()),
        _ => None,
    };
    assert_eq!(told.iter().filter_map(name).collect::<Vec<_>>(), ["ab", "é"]);
    assert!(told.iter().any(|event| event.token == Token::Number("1.5e3")));
}

#[test]
fn any_value_may_stand_alone() {
    for text in ["null", " 0 ", "\"\"", "[]", "{}", "\t\r\n true"] {
        assert_eq!(fault(text), None, "{text:?}");
    }
}

#[test]
fn refuses_what_is_not_json() {
    for (text, at) in [
        ("", 0),
        (" ", 1),
        ("\u{feff}{}", 0),
        ("\u{a0}1", 0),
        ("\u{c}1", 0),
        ("nul", 0),
        ("nulll", 4),
        ("True", 0),
        ("NaN", 0),
        ("Infinity", 0),
        ("-", 1),
        ("01", 1),
        ("1.", 2),
        (".1", 0),
        ("+1", 0),
        ("0x1", 1),
        ("1 2", 2),
        ("{}{}", 2),
        ("[1,]", 3),
        ("[,1]", 1),
        ("[1 2]", 3),
        ("[1}", 2),
        ("[", 1),
        ("]", 0),
        ("{", 1),
        ("{]", 1),
        ("{\"a\"}", 4),
        ("{\"a\" 1}", 5),
        ("{\"a\":}", 5),
        ("{\"a\":1,}", 7),
        ("{\"a\":1 \"b\":2}", 7),
        ("{a:1}", 1),
        ("{'a':1}", 1),
        ("{1:1}", 1),
        ("{\"a\":1]", 6),
        ("/**/1", 0),
        ("1//", 1),
        ("\"a\nb\"", 2),
        ("\"\u{0}\"", 1),
        ("\"abc", 4),
        ("\"\\x\"", 2),
        ("\0", 0),
    ] {
        assert_eq!(fault(text), Some(Fault { at, reason: Reason::Syntax }), "{text:?}");
    }
}

#[test]
fn refuses_what_is_not_utf8() {
    for body in [
        b"\"\xff\"".as_slice(),
        b"\"\xc0\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\"\xe2\x82\"",
        b"\xff",
        b"{}\x80",
    ] {
        assert!(Events::of(body).is_err(), "{body:?}");
    }
}

#[test]
fn refuses_what_is_stricter_than_the_rfc() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let many = |count: usize| format!("[{}0]", "0,".repeat(count - 2));
    assert_eq!(fault(&deep(JSON_DEPTH_MAX)), None);
    assert_eq!(fault(&many(JSON_TOKENS_MAX)), None);
    for (text, at, reason) in [
        (deep(JSON_DEPTH_MAX + 1), JSON_DEPTH_MAX, Reason::Depth),
        ("{\"a\":".repeat(1 << 20), 5 * JSON_DEPTH_MAX, Reason::Depth),
        (many(JSON_TOKENS_MAX + 1), 2 * JSON_TOKENS_MAX - 1, Reason::Tokens),
        (r#"{"a":1,"a":2}"#.to_owned(), 7, Reason::Duplicate),
        (r#"[{"a":{"b":1, "b":2}}]"#.to_owned(), 14, Reason::Duplicate),
        (r#"{"a":{"a":{"a":1}},"\u0061":1}"#.to_owned(), 19, Reason::Duplicate),
        (r#"{"a":"\u0000"}"#.to_owned(), 7, Reason::Nul),
        (r#"["\udc00"]"#.to_owned(), 3, Reason::LoneSurrogate),
    ] {
        assert_eq!(fault(&text), Some(Fault { at, reason }));
    }
}

#[test]
fn one_object_with_many_names_is_read_in_its_time() {
    let object = |name: &dyn Fn(usize) -> String| {
        let members: Vec<_> = (0..100_000).map(|n| name(n) + ":0").collect();
        format!("{{{}}}", members.join(","))
    };
    assert_eq!(fault(&object(&|n| format!("\"{n}\""))), None);
    let twice = object(&|n| format!("\"{}\"", n.min(90_000)));
    assert_eq!(fault(&twice).unwrap().reason, Reason::Duplicate);
    let escaped = object(&|n| format!("\"{}\\u00{:02x}\"", n / 64, 0x20 + n % 64));
    assert_eq!(fault(&escaped), None);
}

#[test]
fn there_is_nothing_after_a_fault() {
    let mut told = Events::of(b"[1,x,2]").unwrap();
    assert!(told.by_ref().take(2).all(|event| event.is_ok()));
    assert!(told.next().unwrap().is_err());
    assert!(told.next().is_none() && told.next().is_none());
}

#[test]
fn counts_lines_and_columns_from_one() {
    for (text, at, place) in [
        ("", 0, (1, 1)),
        ("ab", 2, (1, 3)),
        ("a\nbc", 3, (2, 2)),
        ("a\n", 2, (2, 1)),
        ("é\r\n\n", 5, (3, 1)),
        ("a", 99, (1, 2)),
    ] {
        let fault = Fault { at, reason: Reason::Syntax };
        assert_eq!(fault.line_and_column(text.as_bytes()), place, "{text:?}");
    }
}

/// The value that a text's events tell, built without another reader's help but for
/// the numbers.
fn value(text: &str) -> Result<Value, Fault> {
    let mut open: Vec<(Value, Option<String>)> = Vec::new();
    let mut name = None;
    let mut whole = None;
    let mut twice = false;
    for event in Events::of(text.as_bytes())? {
        let told = match event?.token {
            Token::BeginObject => {
                open.push((Value::Object(Map::new()), name.take()));
                continue;
            }
            Token::BeginArray => {
                open.push((Value::Array(Vec::new()), name.take()));
                continue;
            }
            Token::Name(told) => {
                name = Some(told.unescaped().into_owned());
                continue;
            }
            Token::EndObject | Token::EndArray => {
                let (value, own_name) = open.pop().unwrap();
                name = own_name;
                value
            }
            Token::String(told) => Value::String(told.unescaped().into_owned()),
            // What is out of a float's range is not told by the other reader.
            Token::Number(number) => serde_json::from_str(number).unwrap_or_default(),
            Token::Bool(flag) => Value::Bool(flag),
            Token::Null => Value::Null,
        };
        match open.last_mut() {
            None => assert_eq!(whole.replace(told), None),
            Some((Value::Array(items), _)) => items.push(told),
            Some((Value::Object(members), _)) => {
                twice |= members.insert(name.take().unwrap(), told).is_some();
            }
            Some(_) => panic!("neither an object nor an array"),
        }
    }
    assert!(!twice, "no object says a name twice");
    Ok(whole.unwrap())
}

fn json() -> impl Strategy<Value = Value> {
    let text = "(.|[\"\\\\/\n\t]|[a-c]){0,6}".prop_filter("no NUL", |text| !text.contains('\0'));
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        text.clone().prop_map(Value::String),
    ];
    scalar.prop_recursive(6, 60, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            proptest::collection::btree_map(text.clone(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_another_writes(written in json(), is_pretty: bool) {
        let text = if is_pretty {
            serde_json::to_string_pretty(&written).unwrap()
        } else {
            written.to_string()
        };
        prop_assert_eq!(value(&text).unwrap(), written);
    }

    #[test]
    fn agrees_with_another_reader(text in "[{}\\[\\]\",: a-b0-1\\\\u.eE+\\-trufalsn\n\u{1}é]{0,24}") {
        agrees(&text);
    }

    #[test]
    fn agrees_about_damaged_texts(written in json(), at: prop::sample::Index, byte in "[{}\\[\\]\",:\\\\ 0x]") {
        let mut text = written.to_string();
        let places: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
        let place = places[at.index(places.len())];
        text.remove(place);
        text.insert_str(place, &byte);
        agrees(&text);
    }

    #[test]
    fn names_are_the_same_however_they_are_escaped(name in "[a-c/\"é😀]{1,4}", other in "[a-c/\"é😀]{1,4}", escapes: u64) {
        let mut escaped = String::new();
        for (place, unit) in other.encode_utf16().enumerate() {
            let plain = char::from_u32(u32::from(unit)).filter(|c| *c != '"' && escapes >> place & 1 == 0);
            match plain {
                Some(plain) => escaped.push(plain),
                None => escaped.push_str(&format!("\\u{unit:04x}")),
            }
        }
        let text = format!("{{{}:1,\"x\":[],\"{escaped}\":2}}", Value::String(name.clone()));
        let is_duplicate = fault(&text).map(|fault| fault.reason) == Some(Reason::Duplicate);
        prop_assert_eq!(is_duplicate, name == other, "{}", text);
    }
}

/// Whether a text is taken for the same by both readers, but for what we alone refuse.
fn agrees(text: &str) {
    let other = serde_json::from_str::<&RawValue>(text);
    match value(text) {
        Ok(told) => {
            assert!(other.is_ok(), "{text:?}");
            if let Ok(plain) = serde_json::from_str::<Value>(text) {
                assert_eq!(told, plain, "{text:?}");
            }
        }
        Err(Fault { reason: Reason::Syntax, .. }) => assert!(other.is_err(), "{text:?}"),
        Err(_) => {}
    }
}
