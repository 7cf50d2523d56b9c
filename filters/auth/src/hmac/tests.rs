use super::*;
use crate::credential::{Presented, take};

const SECRET: &str = "made-up secret of the test";
const PATH: &str = "/v1/chat/completions?a=b";
const NONCE: &str = "nonce-of_the-test-1";
const NOW_S: u64 = 1_700_000_000;
const TIMES: Times =
    Times { now_s: NOW_S, started_s: NOW_S - 1_000, max_skew_s: 300, remembered_s: 0 };

fn entry() -> HmacEntry {
    HmacEntry {
        id: "ann".into(),
        secret: SECRET.into(),
        tenant: "acme".into(),
        user: Some("u1".into()),
        roles: vec!["batch".into()],
        masking: None,
    }
}

fn draft() -> Draft<'static> {
    Draft { method: "POST", path: PATH, timestamp_s: NOW_S, nonce: NONCE, body: b"{}" }
}

fn header_at(timestamp_s: u64) -> String {
    sign("ann", SECRET, &Draft { timestamp_s, ..draft() })
}

fn read(header: &str) -> Result<Signed<'_>, Refusal> {
    match take([("authorization", header.as_bytes())].into_iter(), false)? {
        Some(Presented::Signed(signed)) => Ok(signed),
        _ => panic!("not read as signed"),
    }
}

fn code_of(header: &str) -> &'static str {
    read(header).map_or_else(|refusal| refusal.code.as_str(), |_| "read")
}

fn judged(header: &str, times: Times) -> Result<Accepted, Refusal> {
    judge(&read(header)?, Some(entry()), "POST", PATH, times)
}

/// Made with another implementation (Python's hmac): text and signature.
#[test]
fn the_signature_is_the_one_that_others_make() {
    let header = sign("ann", SECRET, &draft());
    let signed = read(&header).unwrap();
    let text = "POST\n/v1/chat/completions?a=b\n1700000000\nnonce-of_the-test-1\n\
        44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(String::from_utf8(canonical("POST", PATH, &signed)).unwrap(), text);
    assert_eq!(
        hex::encode(signed.signature),
        "af4357f14a230cf2638cec41a84f7fc8041a6352673531ba9030a5352653cce9"
    );
}

/// RFC 4231, test case 2.
#[test]
fn the_mac_is_the_rfcs() {
    let mac = mac("Jefe", b"what do ya want for nothing?").unwrap();
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(hex::encode(mac), expected);
}

#[test]
fn a_signed_request_is_its_signers() {
    let accepted = judged(&header_at(NOW_S), TIMES).unwrap();
    let Caller { tenant, key, user, .. } = &accepted.caller;
    assert_eq!((tenant.as_str(), key.as_str(), user.as_deref()), ("acme", "ann", Some("u1")));
    assert_eq!(accepted.nonce, Nonce::new(SECRET, NONCE, NOW_S + MAX_SKEW_S_MAX + 1).unwrap());
    assert!(!accepted.outlives_process);
    assert_eq!(accepted.body.check(b"{}"), Ok(()));
    for other in [&b""[..], b"{} ", b"{\"a\":1}"] {
        assert_eq!(accepted.body.check(other).unwrap_err().code, Code::InvalidSignature);
    }
}

#[test]
fn every_part_is_signed() {
    let header = header_at(NOW_S);
    let signed = read(&header).unwrap();
    let good = |signed: &Signed<'_>, method, path| verify(signed, Some(&entry()), method, path);
    assert!(good(&signed, "POST", PATH));
    assert!(!good(&signed, "PUT", PATH));
    assert!(!good(&signed, "post", PATH));
    assert!(!good(&signed, "POST", "/v1/chat/completions"));
    assert!(!good(&signed, "POST", "/v1/chat/completions?a=b&c"));
    assert!(!good(&Signed { timestamp: "1700000001", ..signed }, "POST", PATH));
    assert!(!good(&Signed { nonce: "nonce-of_the-test-2", ..signed }, "POST", PATH));
    assert!(!good(&Signed { body_sha256: &"0".repeat(64), ..signed }, "POST", PATH));
    for at in 0..32 {
        let mut signature = signed.signature;
        signature[at] ^= 1;
        assert!(!good(&Signed { signature, ..signed }, "POST", PATH), "byte {at}");
    }
    assert!(!good(&Signed { id: "bob", ..signed }, "POST", PATH), "another's entry");
}

#[test]
fn nobody_and_a_wrong_secret_are_one_refusal() {
    let header = header_at(NOW_S);
    let signed = read(&header).unwrap();
    let judge_by = |entry| judge(&signed, entry, "POST", PATH, TIMES).unwrap_err();
    let wrong = judge_by(Some(HmacEntry { secret: "another".into(), ..entry() }));
    assert_eq!(wrong, judge_by(None));
    assert_eq!(wrong.code, Code::InvalidSignature);
    // Whoever knows what stands in for a missing secret can do nothing with it.
    let header = sign("ann", NOBODYS_SECRET, &draft());
    let signed = read(&header).unwrap();
    assert!(!verify(&signed, None, "POST", PATH));
}

#[test]
fn timestamps() {
    let started = |started_s| Times { started_s, ..TIMES };
    let (ok, skewed, replayed) = (Ok(false), Err("invalid_signature"), Err("replayed_request"));
    let table = [
        (NOW_S, TIMES, ok),
        (NOW_S - 300, TIMES, ok),
        (NOW_S - 301, TIMES, skewed),
        (NOW_S + 1, TIMES, ok),
        (NOW_S + 2, TIMES, Ok(true)),
        (NOW_S + 300, TIMES, Ok(true)),
        (NOW_S + 301, TIMES, skewed),
        (1, TIMES, skewed),
        (999_999_999_999, TIMES, skewed),
        (NOW_S, started(NOW_S), replayed),
        (NOW_S + 1, started(NOW_S), replayed),
        (NOW_S + 2, started(NOW_S), Ok(true)),
        (NOW_S, started(NOW_S - 1), replayed),
        (NOW_S, started(NOW_S - 2), ok),
        (NOW_S - 3, started(NOW_S - 2), replayed),
        (NOW_S - 301, started(NOW_S), skewed),
        // A clock that was set back behind the process's start.
        (NOW_S, started(NOW_S + 10), replayed),
    ];
    for (timestamp_s, times, expected) in table {
        let outcome = judged(&header_at(timestamp_s), times);
        let outcome =
            outcome.map(|accepted| accepted.outlives_process).map_err(|r| r.code.as_str());
        assert_eq!(outcome, expected, "{timestamp_s} {times:?}");
    }
}

#[test]
fn the_clock_is_named_to_those_who_can_sign() {
    let message = |timestamp_s| judged(&header_at(timestamp_s), TIMES).unwrap_err().message;
    assert_eq!(
        message(NOW_S - 301),
        "The timestamp is 301 s behind the gateway's clock; 300 s are allowed."
    );
    assert!(message(NOW_S + 400).starts_with("The timestamp is 400 s ahead of the gateway's"));
    let unsigned = header_at(NOW_S - 301).replace("Signature=", "Signature=00");
    let cut = unsigned.strip_suffix(|_| true).and_then(|cut| cut.strip_suffix(|_| true)).unwrap();
    assert!(!judged(cut, TIMES).unwrap_err().message.contains("clock"));
}

/// A process may end at any moment and the next begin in the same second.
#[test]
fn what_counts_in_one_process_counts_in_no_later_one_unless_it_was_ahead() {
    for ahead_s in 0..=300 {
        let header = header_at(NOW_S + ahead_s);
        if judged(&header, TIMES).unwrap().outlives_process {
            continue;
        }
        for later_s in 0..=301 {
            let times = Times {
                now_s: NOW_S + later_s,
                started_s: NOW_S,
                max_skew_s: 300,
                remembered_s: 0,
            };
            assert!(judged(&header, times).is_err(), "{ahead_s} {later_s}");
        }
    }
}

/// The control plane told the second process how far the nonces reach that it remembers.
#[test]
fn what_was_ahead_for_one_process_is_asked_for_by_the_next() {
    for ahead_s in 2..=300 {
        let header = header_at(NOW_S + ahead_s);
        let first = judged(&header, TIMES).unwrap();
        assert!(first.outlives_process);
        for later_s in 2..=ahead_s + 300 {
            let times = Times {
                now_s: NOW_S + later_s,
                started_s: NOW_S,
                remembered_s: first.nonce.until_s,
                ..TIMES
            };
            let again = judged(&header, times);
            assert!(again.is_err() || again.unwrap().outlives_process, "{ahead_s} {later_s}");
        }
    }
}

#[test]
fn another_name_for_a_secret_is_no_new_nonce() {
    let of = |id: &str| {
        let header = header_at(NOW_S).replace("Credential=ann", &format!("Credential={id}"));
        let entry = HmacEntry { id: id.into(), ..entry() };
        judge(&read(&header).unwrap(), Some(entry), "POST", PATH, TIMES).unwrap().nonce
    };
    assert_eq!(of("ann"), of("bob"));
}

#[test]
fn a_gateway_opens_for_honest_clocks() {
    let times = |now_s| Times { now_s, started_s: NOW_S, max_skew_s: 300, remembered_s: 0 };
    let open_s = open_from_s(NOW_S);
    assert!(judged(&header_at(open_s), times(open_s)).is_ok());
    assert!(judged(&header_at(open_s - 1), times(open_s - 1)).is_err());
}

#[test]
fn no_nonce_may_be_forgotten_while_its_request_counts() {
    let header = header_at(NOW_S);
    let until_s = judged(&header, TIMES).unwrap().nonce.until_s;
    // Whatever the skew is set to meanwhile.
    let widest = Times { max_skew_s: MAX_SKEW_S_MAX, ..TIMES };
    assert!(judged(&header, Times { now_s: until_s - 1, ..widest }).is_ok());
    assert!(judged(&header, Times { now_s: until_s, ..widest }).is_err());
}

#[test]
fn order_white_space_and_the_case_of_digits_are_free() {
    let header = header_at(NOW_S);
    let (scheme, parameters) = header.split_once(' ').unwrap();
    let mut parts: Vec<&str> = parameters.split(", ").collect();
    parts.reverse();
    for separator in [",", ", ", " ,\t ", ",  "] {
        let header = format!("{scheme}  {}", parts.join(separator));
        assert!(judged(&header, TIMES).is_ok(), "{separator:?}");
    }
    let signed = read(&header).unwrap();
    let capitals = hex::encode(signed.signature).to_uppercase();
    let header = header.replace(&hex::encode(signed.signature), &capitals);
    assert!(judged(&header, TIMES).is_ok());
}

/// The digest is signed in the case in which it is sent.
#[test]
fn the_digest_is_signed_as_sent() {
    let digest = hex::encode(Sha256::digest(b"{}"));
    let capitals = digest.to_uppercase();
    let text = format!("POST\n{PATH}\n{NOW_S}\n{NONCE}\n{capitals}");
    let signature = hex::encode(mac(SECRET, text.as_bytes()).unwrap());
    let header = |digest| {
        format!(
            "{SCHEME} Credential=ann,Timestamp={NOW_S},Nonce={NONCE},BodySha256={digest},\
             Signature={signature}"
        )
    };
    let accepted = judged(&header(&capitals), TIMES).unwrap();
    assert_eq!(accepted.body.check(b"{}"), Ok(()));
    assert!(judged(&header(&digest), TIMES).is_err());
}

#[test]
fn values_that_cannot_be() {
    let header = header_at(NOW_S);
    let signed = read(&header).unwrap();
    let signature = hex::encode(signed.signature);
    let long = |c: &str, count| c.repeat(count);
    let table = [
        (
            "Credential=ann",
            vec!["Credential=".to_owned(), "Credential".into(), "credential=ann".into()],
        ),
        (
            "=ann,",
            vec!["=\"ann\",".into(), "= ann,".into(), "=a n,".into(), "=-a,".into(), "=a%,".into()],
        ),
        (
            "=ann,",
            vec![
                "=한,".into(),
                "=a\0,".into(),
                "=a\u{7f},".into(),
                format!("={},", long("a", 257)),
            ],
        ),
        (
            "=1700000000",
            vec!["=".into(), "=0".into(), "=01700000000".into(), "=+1700000000".into()],
        ),
        (
            "=1700000000",
            vec!["=-1".into(), "=1e9".into(), "=1_0".into(), "=1.0".into(), "=0x65".into()],
        ),
        ("=1700000000", vec!["=1700000000000".into(), "=١٧٠٠".into(), "=1700 000".into()]),
        (NONCE, vec![String::new(), long("n", 15), long("n", 65), long("n", 1_000)]),
        (
            NONCE,
            vec![
                "nonce.of.the.test".into(),
                "nonce+of/the=test".into(),
                "nonce of the test".into(),
            ],
        ),
        (signed.body_sha256, vec![String::new(), long("0", 63), long("0", 65), long("g", 64)]),
        (
            &signature,
            vec![String::new(), long("0", 62), long("0", 66), long("-", 64), long("é", 32)],
        ),
        (", Nonce", vec![",, Nonce".into(), ", Other=x, Nonce".into(), ", Nonce=x, Nonce".into()]),
        (", Nonce", vec![" Nonce".into(), "; Nonce".into()]),
        (
            "Timestamp=1700000000, ",
            vec![String::new(), "Timestamp=1, Timestamp=1700000000, ".into()],
        ),
    ];
    for (part, replacements) in table {
        for replacement in replacements {
            let header = header.replace(part, &replacement);
            let code = code_of(&header);
            assert!(["invalid_signature", "ambiguous_credentials"].contains(&code), "{header}");
            let ambiguous = replacement == "Credential";
            assert_eq!(code == "ambiguous_credentials", ambiguous, "{header}");
        }
    }
    for count in [256, 257] {
        let header = header.replace("=ann,", &format!("={},", long("a", count)));
        assert_eq!(code_of(&header) == "read", count == 256);
    }
}

#[test]
fn parameters_that_are_not_there() {
    let header = header_at(NOW_S);
    let (scheme, parameters) = header.split_once(' ').unwrap();
    let parts: Vec<&str> = parameters.split(", ").collect();
    for left_out in 0..parts.len() {
        let mut parts = parts.clone();
        parts.remove(left_out);
        assert_eq!(code_of(&format!("{scheme} {}", parts.join(", "))), "invalid_signature");
    }
    for bare in
        [scheme.to_owned(), format!("{scheme} "), format!("{scheme} ,"), format!("{header},")]
    {
        assert_eq!(code_of(&bare), "invalid_signature", "{bare}");
    }
}

#[test]
fn another_credential_behind_the_first_is_found() {
    let header = header_at(NOW_S);
    let (_, parameters) = header.split_once(' ').unwrap();
    let others = [
        "Bearer tg_x".to_owned(),
        "Bearer".into(),
        "Bearer YWJj==".into(),
        "Basic dTpw".into(),
        "Basic dTpwYQ==".into(),
        "sk-of-another-kind".into(),
        header.clone(),
    ];
    for other in others {
        for both in [format!("{header},{other}"), format!("{header}, {other}")] {
            assert_eq!(code_of(&both), "ambiguous_credentials", "{both}");
        }
        let before = format!("{SCHEME} {other},{parameters}");
        assert_ne!(code_of(&before), "read", "{before}");
    }
}

#[test]
fn bytes_that_are_no_text() {
    let headers = [("authorization", &b"TOLLGATE-HMAC-SHA256 Credential=\xff"[..])];
    let refusal = take(headers.into_iter(), false).map(|_| ()).unwrap_err();
    assert_eq!(refusal.code, Code::InvalidSignature);
}
