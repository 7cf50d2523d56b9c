use contract::masking::PiiType;
use proptest::prelude::*;

use super::*;
use crate::placeholder::Template;
use crate::value::Value;

mod plain;

const TEMPLATE: &str = "[{TYPE}_{TAG}]";

fn issued_as(template: &str, all: &[(PiiType, &str, &str)]) -> Issued {
    let template = Template::compile(template).unwrap();
    let all = all.iter().map(|(of, tag, value)| (*of, (*tag).to_owned(), Value::new(value)));
    Issued::new(&template, all)
}

fn issued() -> Issued {
    issued_as(
        TEMPLATE,
        &[
            (PiiType::Email, "k3x9q2", "kim@example.com"),
            (PiiType::Email, "k3x9a1b2", "lee@example.com"),
            (PiiType::KrRrn, "a1b2c3", "900101-1234567"),
            (PiiType::Secret, "z9z9z9", "a\"b\\c\n\u{1}가"),
        ],
    )
}

fn restored_in(issued: &Issued, pieces: &[&str], escape: Escape) -> String {
    let (mut lane, mut out) = (LaneText::default(), String::new());
    for piece in pieces {
        lane.push(issued, piece, escape, &mut out);
    }
    lane.finish(issued, escape, &mut out);
    assert!(!lane.holds());
    out
}

#[track_caller]
fn restores(text: &str, expected: &str) {
    let out = restored_in(&issued(), &[text], Escape::None);
    assert_eq!(out, expected, "{text}");
}

#[test]
fn an_exact_placeholder_comes_back_wherever_it_stands() {
    restores("[EMAIL_k3x9q2]", "kim@example.com");
    restores("to [EMAIL_k3x9q2], [EMAIL_k3x9a1b2].", "to kim@example.com, lee@example.com.");
    restores("가[EMAIL_k3x9q2]이", "가kim@example.com이");
    restores("x[EMAIL_k3x9q2]x", "xkim@example.comx");
    restores("[[EMAIL_k3x9q2]]", "[kim@example.com]");
    restores("[EMAIL_[EMAIL_k3x9q2]", "[EMAIL_kim@example.com");
    restores("[KR_RRN_a1b2c3][EMAIL_k3x9q2]", "900101-1234567kim@example.com");
}

#[test]
fn a_slightly_changed_one_comes_back() {
    for text in [
        "[email_K3X9Q2]",
        "[Email_k3x9q2]",
        "[ EMAIL_k3x9q2 ]",
        "[EMAIL _ k3x9q2]",
        "\\[EMAIL\\_k3x9q2\\]",
        "[EMAIL\\_k3x9q2]",
        "\\[EMAIL\\_k3x9q2]",
        "［EMAIL_k3x9q2］",
        "【EMAIL_k3x9q2】",
        "[EMAIL_k3x9q2",
        "EMAIL_k3x9q2]",
        "EMAIL_k3x9q2",
    ] {
        restores(text, "kim@example.com");
        restores(&format!("는 {text} 이"), "는 kim@example.com 이");
    }
    restores("[KR\\_RRN\\_a1b2c3\\]", "900101-1234567");
    restores("KR_RRN_a1b2c3은", "900101-1234567은");
}

#[test]
fn what_could_be_something_else_stays() {
    for text in [
        "[EMAIL_k3x9q3]",
        "[PHONE_k3x9q2]",
        "[EMAIL]",
        "[EMAIL_k3x9q2a1]",
        "[EMAIL_k3x9]",
        "email_k3x9q2",
        "MY_EMAIL_k3x9q2",
        "xEMAIL_k3x9q2]",
        "EMAIL_k3x9q2_old",
        "[EMAIL_k3x9q2_old",
        "[EMAIL-k3x9q2]",
        "[EMAIL_k3x 9q2]",
        "[EMAIL  _k3x9q2]",
        "[EMAIL\n_k3x9q2]",
        "EMAIL",
        "[",
        "",
    ] {
        restores(text, text);
    }
}

#[test]
fn a_backslash_before_an_exact_one_is_the_texts_own() {
    restores("C:\\[EMAIL_k3x9q2]\\", "C:\\kim@example.com\\");
    restores("\\\\[EMAIL_k3x9q2]", "\\\\kim@example.com");
}

#[test]
fn an_end_without_its_bracket_is_restored_too() {
    restores("call [EMAIL_k3x9q2", "call kim@example.com");
    restores("call EMAIL_k3x9q2 ", "call kim@example.com ");
    restores("call [EMAIL_k3x9q2 x", "call kim@example.com x");
}

#[test]
fn in_json_values_are_escaped() {
    let restored = |text: &str| restored_in(&issued(), &[text], Escape::Json);
    let value = "a\\\"b\\\\c\\n\\u0001가";
    for text in
        ["[SECRET_z9z9z9]", "SECRET_z9z9z9", "\\\\[SECRET\\\\_z9z9z9\\\\]", "[secret_Z9z9z9"]
    {
        let json = format!("{{\"a\": \"{text}\"}}");
        assert_eq!(restored(&json), format!("{{\"a\": \"{value}\"}}"));
    }
    // The `n` of a line feed is no letter before the word.
    assert_eq!(restored("\"\\nSECRET_z9z9z9\""), format!("\"\\n{value}\""));
    assert_eq!(restored("\"\\u00e4SECRET_z9z9z9\""), format!("\"\\u00e4{value}\""));
    assert_eq!(restored("\"nSECRET_z9z9z9\""), "\"nSECRET_z9z9z9\"");
    assert_eq!(restored("\"\\u00e4xSECRET_z9z9z9\""), "\"\\u00e4xSECRET_z9z9z9\"");
    assert_eq!(restored("\"C:\\\\[SECRET_z9z9z9]\""), format!("\"C:\\\\{value}\""));
}

#[test]
fn in_json_in_json_values_are_escaped_twice() {
    let text = r#"{"a": "{\"b\": \"[SECRET_z9z9z9]\"}", "c": "\"[SECRET_z9z9z9]\""}"#;
    let out = restored_in(&issued(), &[text], Escape::Json);
    let out: serde_json::Value = serde_json::from_str(&out).unwrap();
    let inner: serde_json::Value = serde_json::from_str(out["a"].as_str().unwrap()).unwrap();
    assert_eq!(inner["b"], "a\"b\\c\n\u{1}가");
    assert_eq!(out["c"], "\"a\"b\\c\n\u{1}가\"");
}

#[test]
fn other_templates_work_the_same_way() {
    let all = [(PiiType::Email, "k3x9q2", "kim@example.com")];
    for (template, texts) in [
        (
            "{{{TYPE}:{TAG}}}",
            ["{{EMAIL:k3x9q2}}", "{EMAIL:k3x9q2}", "{{email:k3x9q2}", "EMAIL:k3x9q2"],
        ),
        (
            "#PII.{TYPE}--{TAG}#",
            ["#PII.EMAIL--k3x9q2#", "#pii.email--k3x9q2#", ".EMAIL--k3x9q2", "EMAIL--k3x9q2"],
        ),
    ] {
        let issued = issued_as(template, &all);
        for text in texts {
            assert_eq!(restored_in(&issued, &[text], Escape::None), "kim@example.com", "{text}");
        }
    }
}

#[test]
fn nothing_is_held_when_nothing_was_issued() {
    let (issued, mut lane, mut out) = (Issued::default(), LaneText::default(), String::new());
    lane.push(&issued, "see [EMAIL_k3", Escape::None, &mut out);
    assert_eq!(out, "see [EMAIL_k3");
    assert!(!lane.holds());
}

#[test]
fn only_what_can_become_one_that_was_issued_is_held() {
    for (text, given) in [
        ("hello [", "hello "),
        ("hello [EMAIL_k3x9", "hello "),
        ("hello [EMAIL_k4", "hello [EMAIL_k4"),
        ("hello [PHONE", "hello [PHONE"),
        ("hello [EMAIL_k3x9q2]", "hello kim@example.com"),
        ("hello [EMAIL_k3x9q2", "hello "),
        ("hello [EMAIL_k3x9q2 ", "hello "),
        ("hello EMA", "hello "),
        ("helloEMA", "helloEMA"),
        ("hello email_k3", "hello email_k3"),
        ("an array[0] of", "an array[0] of"),
        ("[x](http://e.com)", "[x](http://e.com)"),
    ] {
        let (mut lane, mut out) = (LaneText::default(), String::new());
        lane.push(&issued(), text, Escape::None, &mut out);
        assert_eq!(out, given, "{text}");
    }
}

#[test]
fn what_was_restored_is_not_looked_at_again() {
    let issued = issued_as(
        TEMPLATE,
        &[
            (PiiType::Email, "k3x9q2", "[EMAIL_a1b2c3]"),
            (PiiType::Email, "a1b2c3", "lee@example.com"),
        ],
    );
    assert_eq!(restored_in(&issued, &["[EMAIL_k3x9q2]"], Escape::None), "[EMAIL_a1b2c3]");
    assert_eq!(
        restored_in(&issued, &["[EMAIL_[EMAIL_k3x9q2]"], Escape::None),
        "[EMAIL_[EMAIL_a1b2c3]"
    );
}

#[test]
fn tells_where_placeholders_stand() {
    let text = "to [EMAIL_k3x9q2] and KR_RRN_a1b2c3.";
    assert_eq!(places(&issued(), text, Escape::None), [3..17, 22..35]);
}

/// Texts of pieces that placeholders are made of.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec![
            "[EMAIL_k3x9q2]", "[EMAIL_k3x9a1b2]", "EMAIL_k3x9q2", "[KR_RRN_a1b2c3]", "kr\\_rrn", "［", "】", "\\\\",
            "EMAIL", "_", "k3x9", "q2", "a1b2", "[", "]", " ", "\\", "KR", "RRN", "a1b2c3", "\\n", "\\u00e4", "가", "x",
            "[ EMAIL _ k3x9q2 ]", "\\[EMAIL\\_k3x9q2\\]", "SECRET_z9z9z9", "email", "\"",
        ]).prop_map(str::to_owned),
        1 => "[ -~가-힣]{0,4}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn cut(text: &str, places: &[prop::sample::Index]) -> Vec<String> {
    let ends: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut cuts: Vec<_> = places.iter().map(|place| ends[place.index(ends.len())]).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| text.get(cut[0]..cut[1]).unwrap().to_owned()).collect()
}

fn escape() -> impl Strategy<Value = Escape> {
    prop::sample::select(vec![Escape::None, Escape::Json])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn how_a_text_is_cut_changes_nothing(
        text in text(),
        escape in escape(),
        places: [prop::sample::Index; 6],
    ) {
        let whole = restored_in(&issued(), &[&text], escape);
        let pieces = cut(&text, &places);
        let pieces: Vec<_> = pieces.iter().map(String::as_str).collect();
        prop_assert_eq!(restored_in(&issued(), &pieces, escape), whole.clone());
        let ones: Vec<_> = text.split("").collect();
        prop_assert_eq!(restored_in(&issued(), &ones, escape), whole);
    }

    #[test]
    fn a_slow_and_plain_reader_says_the_same(text in text()) {
        let whole = restored_in(&issued(), &[&text], Escape::None);
        prop_assert_eq!(plain::restored(&text), whole);
    }
}
