use super::*;
use proptest::prelude::*;

fn row<'a>(seq: i64, subject: &'a str, detail: &'a str) -> Sealed<'a> {
    Sealed { seq, at_ms: 5, actor: "admin", action: "key.created", subject, detail }
}

/// The hash is what others compute by the documented rule.
#[test]
fn the_hash_of_a_row() {
    let mut bytes = GENESIS.to_vec();
    bytes.extend([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5]);
    for text in ["admin", "key.created", "k1", "{}"] {
        bytes.extend([0, 0, 0, 0, 0, 0, 0]);
        bytes.push(u8::try_from(text.len()).unwrap());
        bytes.extend(text.bytes());
    }
    let expected: [u8; HASH_BYTES] = Sha256::digest(&bytes).into();
    assert_eq!(row(1, "k1", "{}").hash(&GENESIS), expected);
}

#[test]
fn a_head_as_text() {
    let head = Head { seq: 12, hash: [0xab; HASH_BYTES] };
    let written = format!("12:{}", "ab".repeat(HASH_BYTES));
    assert_eq!(head.to_string(), written);
    assert_eq!(written.parse(), Ok(head));
    let (short, long) = ("ab".repeat(31), "ab".repeat(33));
    let table = [
        String::new(),
        "12".to_owned(),
        "12:".to_owned(),
        format!("12:{short}"),
        format!("12:{long}"),
        written.replace("12", "+12"),
        written.replace("12", "-12"),
        written.replace("12", ""),
        written.replace("12", "99999999999999999999"),
        written.replacen("ab", "xy", 1),
        format!(" {written}"),
    ];
    for text in table {
        assert_eq!(text.parse::<Head>(), Err(NotAHead), "{text}");
    }
}

#[test]
fn a_verdict_outside_has_the_words_that_users_rely_on() {
    let whole = Verdict::Whole { rows: 0, head: Head::GENESIS };
    let broken = Verdict::Broken { seq: 2, why: Fault::Altered };
    let head = format!("0:{}", "00".repeat(HASH_BYTES));
    let table = [
        (&whole, format!(r#"{{"verdict":"whole","rows":0,"head":"{head}"}}"#)),
        (&broken, r#"{"verdict":"broken","seq":2,"why":"altered"}"#.to_owned()),
    ];
    for (verdict, text) in table {
        assert_eq!(serde_json::to_string(verdict).unwrap(), text);
        assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), *verdict);
    }
}

#[test]
fn a_row_outside_has_its_time_in_words() {
    let row = AuditRow {
        seq: 1,
        at_ms: 1_795_252_163_120,
        actor: "admin".to_owned(),
        action: "key.created".to_owned(),
        subject: "k1".to_owned(),
        detail: serde_json::json!({"tenant": "acme"}),
        hash: "ab".to_owned(),
    };
    let text = serde_json::to_string(&row).unwrap();
    assert!(text.contains(r#""at":"2026-11-21T09:09:23.120Z","actor":"admin""#), "{text}");
    assert_eq!(serde_json::from_str::<AuditRow>(&text).unwrap(), row);
}

#[test]
fn a_head_before_the_first_row_is_the_only_one() {
    let verified = |known| Verification::against(Some(known)).end();
    assert_eq!(verified(Head::GENESIS), Verdict::Whole { rows: 0, head: Head::GENESIS });
    let other = Head { seq: 0, hash: [1; HASH_BYTES] };
    assert_eq!(verified(other), Verdict::Broken { seq: 0, why: Fault::Rewritten });
}

#[test]
fn words_are_one_for_each_action() {
    let words: std::collections::BTreeSet<_> = Action::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(words.len(), Action::ALL.len());
}

proptest! {
    /// Where one text ends and the next begins is part of what is hashed.
    #[test]
    fn rows_that_differ_have_other_hashes(
        one in ("[a-c\"{}]{0,6}", "[a-c\"{}]{0,6}"),
        two in ("[a-c\"{}]{0,6}", "[a-c\"{}]{0,6}"),
    ) {
        let hash = |(subject, detail): &(String, String)| row(1, subject, detail).hash(&GENESIS);
        prop_assert_eq!(one == two, hash(&one) == hash(&two));
    }
}
