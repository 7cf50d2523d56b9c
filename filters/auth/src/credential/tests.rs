use super::*;

fn shown(presented: Option<Presented<'_>>) -> String {
    match presented {
        None => "none".to_owned(),
        Some(Presented::Key(key)) => format!("key {}", key.0),
        Some(Presented::Token(token)) => format!("token {}", token.0),
        Some(Presented::Signed(signed)) => format!("signed by {}", signed.id()),
    }
}

fn outcome(headers: &[(&str, &[u8])], tokens_expected: bool) -> String {
    take(headers.iter().copied(), tokens_expected)
        .map_or_else(|refusal| refusal.code.as_str().to_owned(), shown)
}

fn good() -> String {
    crate::key::generate(&[1; 32])
}

fn signed() -> String {
    let (digits, nonce) = ("0".repeat(64), "n".repeat(16));
    format!(
        "TOLLGATE-HMAC-SHA256 Credential=ann, Timestamp=1700000000, Nonce={nonce}, \
         BodySha256={digits}, Signature={digits}"
    )
}

#[test]
fn one_value() {
    let key = good();
    let is_key = format!("key {key}");
    let table = [
        ("authorization", format!("Bearer {key}"), is_key.as_str()),
        ("authorization", format!(" \tbEARER   {key} \t"), &is_key),
        ("authorization", "Bearer sk-of-another-kind".into(), "key sk-of-another-kind"),
        ("authorization", "Bearer a.b".into(), "key a.b"),
        ("authorization", "Bearer a.b.c.d".into(), "key a.b.c.d"),
        ("authorization", "Bearer a.b.c".into(), "token a.b.c"),
        ("authorization", "Bearer eyJ-_.eyJ0.x9".into(), "token eyJ-_.eyJ0.x9"),
        ("authorization", signed(), "signed by ann"),
        ("authorization", signed().replace("TOLLGATE", "tollgate"), "signed by ann"),
        ("x-api-key", key.clone(), &is_key),
        ("x-api-key", format!(" {key}\t"), &is_key),
        ("x-api-key", "sk-of-another-kind".into(), "key sk-of-another-kind"),
        // Keys alone, whatever they look like.
        ("x-api-key", "a.b.c".into(), "key a.b.c"),
        // None of ours.
        ("proxy-authorization", format!("Bearer {key}"), "none"),
        ("content-type", key.clone(), "none"),
    ];
    for (name, value, expected) in table {
        assert_eq!(outcome(&[(name, value.as_bytes())], true), expected, "{name}: {value}");
    }
}

#[test]
fn without_issuers_there_are_no_tokens() {
    assert_eq!(outcome(&[("authorization", b"Bearer a.b.c")], false), "key a.b.c");
    assert_eq!(outcome(&[("authorization", b"Bearer a..c")], false), "key a..c");
}

#[test]
fn refused_values() {
    let key = good();
    let (missing, ambiguous) = ("missing_credentials", "ambiguous_credentials");
    let (bad_key, bad_token) = ("invalid_api_key", "invalid_token");
    let of = |value: &str| value.as_bytes().to_vec();
    let authorization: &[(Vec<u8>, &str)] = &[
        (of(""), missing),
        (of(" \t "), missing),
        (of("Bearer"), missing),
        (of("Bearer "), missing),
        (of("Bearer \t"), missing),
        (of("Basic dTpw"), missing),
        (of(&key), missing),
        (of(&format!("Bearer\t{key}")), missing),
        (of(&format!("Bearer:{key}")), missing),
        (of(&format!("Bearer={key}")), missing),
        (of("\u{ff22}earer x"), missing),
        (vec![0xff, 0xfe], missing),
        (of(&format!("Bearer {key},Bearer {key}")), ambiguous),
        (of(&format!("Bearer {key}, {key}")), ambiguous),
        (of(&format!("Bearer {key},")), ambiguous),
        (of(&format!(",Bearer {key}")), ambiguous),
        (of(&format!("Basic dTpw,Bearer {key}")), ambiguous),
        (of(&format!("Bearer {key},{}", signed())), ambiguous),
        (of(&format!("{},Bearer {key}", signed())), ambiguous),
        (of("Bearer a.b.c,Bearer d.e.f"), ambiguous),
        (of("Bearer a b"), bad_key),
        (of(&format!("Bearer Bearer {key}")), bad_key),
        (of(&format!("Bearer {key} {key}")), bad_key),
        (of(&format!("Bearer {key}x")), bad_key),
        (of("Bearer tg_mistyped"), bad_key),
        (of("Bearer sk-\u{7f}"), bad_key),
        (of("Bearer sk-\0"), bad_key),
        (of("Bearer sk-\r\nx: y"), bad_key),
        (of("Bearer 한글"), bad_key),
        (b"Bearer \xff".to_vec(), bad_key),
        (of("Bearer a..c"), bad_token),
        (of("Bearer a.b."), bad_token),
        (of("Bearer .b.c"), bad_token),
        (of("Bearer a.b.c="), bad_token),
        (of("Bearer a.b.c d"), bad_token),
        (of("Bearer x Bearer a.b.c"), bad_token),
        (of("Bearer a.b.c%2Bd"), bad_token),
        (b"Bearer a.b.\xff".to_vec(), bad_token),
    ];
    for (value, expected) in authorization {
        let text = String::from_utf8_lossy(value);
        assert_eq!(&outcome(&[("authorization", value)], true), expected, "{text:?}");
    }
    let x_api_key: &[(Vec<u8>, &str)] = &[
        (of(""), missing),
        (of("\t"), missing),
        (of(&format!("{key},{key}")), ambiguous),
        (of(","), ambiguous),
        (of(&format!("Bearer {key}")), bad_key),
        (of("tg_mistyped"), bad_key),
        (of("a\u{1}b"), bad_key),
        (b"\xff\xfe".to_vec(), bad_key),
    ];
    for (value, expected) in x_api_key {
        let text = String::from_utf8_lossy(value);
        assert_eq!(&outcome(&[("x-api-key", value)], true), expected, "{text:?}");
    }
}

#[test]
fn two_header_lines_are_two_credentials_whatever_they_say() {
    let (key, signed) = (good(), signed());
    let bearer = format!("Bearer {key}");
    let values = [("authorization", ""), ("authorization", &bearer), ("authorization", &signed)];
    let values = [&values[..], &[("x-api-key", ""), ("x-api-key", &key)]].concat();
    for one in &values {
        for other in &values {
            let headers = [one, other].map(|(name, value)| (*name, value.as_bytes()));
            assert_eq!(outcome(&headers, true), "ambiguous_credentials", "{one:?} {other:?}");
        }
    }
}

#[test]
fn what_is_read_is_stripped() {
    for header in ["authorization", "x-api-key"] {
        assert!(HEADERS.contains(&header));
        assert_ne!(outcome(&[(header, b"Bearer x")], true), "none");
    }
}

#[test]
fn nobody_at_all_is_told_how_to_send_a_key() {
    assert_eq!(outcome(&[], true), "none");
    assert_eq!(missing().code, Code::MissingCredentials);
}
