use contract::masking::MaskingPolicyConfig;
use proptest::prelude::*;

use super::*;
use crate::restore::{Escape, Issued, LaneText};

fn policy_with(types: &[(PiiType, Action)]) -> Rc<Policy> {
    let types = types.iter().copied().collect();
    let config = MaskingPolicyConfig { types, ..MaskingPolicyConfig::default() };
    Rc::new(Policy::compile(&config).ok().unwrap())
}

fn key() -> TagKey {
    TagKey::for_tenant(&[7; 32], "acme")
}

fn redaction(types: &[(PiiType, Action)]) -> Redaction {
    Redaction::new(policy_with(types), key())
}

fn replaced(settled: &Settled, text: &str, found: &[Finding]) -> String {
    let mut out = text.to_owned();
    for finding in found.iter().rev() {
        let value = text.get(finding.span.clone()).unwrap();
        if let Some(replacement) = settled.replacement(finding.of, value) {
            out.replace_range(finding.span.clone(), &replacement);
        }
    }
    out
}

/// The texts of one request as they go out, and what was issued.
fn redact(types: &[(PiiType, Action)], texts: &[&str]) -> (Vec<String>, Issued) {
    let mut redaction = redaction(types);
    let found: Vec<_> = texts.iter().map(|text| redaction.look(text)).collect();
    let settled = redaction.settle();
    let out = texts.iter().zip(found).map(|(text, found)| replaced(&settled, text, &found));
    (out.collect(), settled.into_issued())
}

fn redact_one(text: &str) -> String {
    redact(&[], &[text]).0.remove(0)
}

fn restored(issued: &Issued, text: &str) -> String {
    let (mut lane, mut out) = (LaneText::default(), String::new());
    lane.push(issued, text, Escape::None, &mut out);
    lane.finish(issued, Escape::None, &mut out);
    out
}

/// The placeholder of an address that nothing collides with.
fn placeholder(value: &str) -> String {
    let tag = key().tag(PiiType::Email, value);
    format!("[EMAIL_{}]", std::str::from_utf8(&tag[..6]).unwrap())
}

#[test]
fn one_value_has_one_placeholder_in_every_text_and_request() {
    let kim = placeholder("kim@example.com");
    let lee = placeholder("lee@example.com");
    let texts = ["kim@example.com, lee@example.com", "again kim@example.com"];
    let (out, issued) = redact(&[], &texts);
    assert_eq!(out, [format!("{kim}, {lee}"), format!("again {kim}")]);
    assert_eq!(issued.len(), 2);
    assert_eq!(redact_one("lee@example.com and kim@example.com"), format!("{lee} and {kim}"));
}

#[test]
fn the_policy_says_what_is_done() {
    let text = "to kim@example.com";
    for (action, expected, issues) in [
        (Action::Restore, format!("to {}", placeholder("kim@example.com")), 1),
        (Action::Mask, "to [EMAIL]".to_owned(), 0),
        (Action::Block, "to [EMAIL]".to_owned(), 0),
        (Action::Alert, text.to_owned(), 0),
        (Action::Off, text.to_owned(), 0),
    ] {
        let (out, issued) = redact(&[(PiiType::Email, action)], &[text]);
        assert_eq!((out, issued.len()), (vec![expected], issues));
    }
}

#[test]
fn every_finding_counts_once() {
    let mut redaction = redaction(&[(PiiType::Email, Action::Alert)]);
    redaction.look("kim@example.com and kim@example.com");
    redaction.look("lee@example.com");
    assert_eq!(*redaction.counts(), [(PiiType::Email, 3)].into());
    assert_eq!(*redaction.settle().counts(), [(PiiType::Email, 3)].into());
}

#[test]
fn names_the_types_that_block() {
    let mut redaction = redaction(&[(PiiType::Email, Action::Block)]);
    assert_eq!(redaction.blocked(), []);
    redaction.look("kim@example.com");
    assert_eq!(redaction.blocked(), [PiiType::Email]);
}

#[test]
fn external_spans_fill_what_is_free() {
    let text = "Kim Lee, kim@example.com, Seoul";
    let mut redaction = redaction(&[]);
    let mut found = redaction.look(text);
    let external = [(0..7, PiiType::Person), (7..31, PiiType::Address), (30..99, PiiType::Person)];
    let external = external.map(|(span, of)| Finding { of, span });
    redaction.add(text, &mut found, &external);
    let spans: Vec<_> =
        found.iter().map(|finding| (finding.of, text.get(finding.span.clone()).unwrap())).collect();
    assert_eq!(
        spans,
        [
            (PiiType::Person, "Kim Lee"),
            (PiiType::Email, "kim@example.com"),
            (PiiType::Address, ", Seoul")
        ]
    );
    let counts = [(PiiType::Person, 1), (PiiType::Email, 1), (PiiType::Address, 1)];
    assert_eq!(*redaction.counts(), counts.into());
    let settled = redaction.settle();
    let out = replaced(&settled, text, &found);
    assert_eq!(restored(&settled.into_issued(), &out), text);
}

#[test]
fn what_only_is_counted_gives_way_to_an_external_span() {
    let text = "at kim@example.com, Seoul";
    let types = [(PiiType::Email, Action::Alert), (PiiType::Person, Action::Off)];
    let mut redaction = redaction(&types);
    let mut found = redaction.look(text);
    let external = [(3..25, PiiType::Address), (0..2, PiiType::Person)];
    redaction.add(text, &mut found, &external.map(|(span, of)| Finding { of, span }));
    assert_eq!(found, [Finding { of: PiiType::Address, span: 3..25 }]);
    assert_eq!(*redaction.counts(), [(PiiType::Email, 1), (PiiType::Address, 1)].into());
}

#[test]
fn a_text_that_looks_like_a_placeholder_comes_back_as_it_was() {
    let own = placeholder("kim@example.com");
    let core = own.trim_matches(['[', ']']);
    for literal in [own.clone(), core.to_owned(), own.to_lowercase(), own.replace('_', "\\_")] {
        for texts in [
            [format!("kim@example.com and {literal}"), String::new()],
            [literal.clone(), "kim@example.com".to_owned()],
        ] {
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let (out, issued) = redact(&[], &texts);
            assert!(!out.concat().contains("kim@example.com"));
            for (out, text) in out.iter().zip(texts) {
                assert_eq!(restored(&issued, out), text);
            }
        }
    }
}

#[test]
fn a_value_whose_tags_are_all_taken_is_masked() {
    let tag = key().tag(PiiType::Email, "kim@example.com");
    let tags = (6..=32).step_by(2).map(|chars| std::str::from_utf8(&tag[..chars]).unwrap());
    let literals: String = tags.map(|tag| format!("[EMAIL_{tag}] ")).collect();
    let (out, issued) = redact(&[], &["kim@example.com", &literals]);
    assert_eq!(out, ["[EMAIL]", &literals]);
    assert!(issued.is_empty());
}

/// Texts with addresses, what looks like their placeholders, and marks around them.
fn text() -> impl Strategy<Value = String> {
    let own = placeholder("kim@example.com");
    let core = own.trim_matches(['[', ']']).to_owned();
    let mut pieces: Vec<String> = [
        "kim@example.com",
        "lee@example.org",
        "010-1234-5678",
        "[",
        "]",
        " ",
        "\\",
        "_",
        "EMAIL",
        "EMAIL_",
        "[EMAIL",
        "가",
        "\n",
        " x ",
        "k3x9q2",
        "password: ",
        "<",
        "［",
    ]
    .map(str::to_owned)
    .into();
    pieces.extend([own.clone(), own.to_lowercase(), core.to_lowercase(), format!("[ {core} ]")]);
    pieces.extend([core.clone(), own.replace('_', "\\_"), core.replacen('_', " _", 1)]);
    let piece = prop_oneof![4 => prop::sample::select(pieces), 1 => "\\PC{0,6}"];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn redacted_and_restored_is_what_it_was(texts in prop::collection::vec(text(), 1..4)) {
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let (out, issued) = redact(&[], &texts);
        for (out, text) in out.iter().zip(texts) {
            prop_assert_eq!(restored(&issued, out), text);
        }
    }

    #[test]
    fn redacting_twice_is_redacting_once(text in text()) {
        // Not so beside a word that announces a secret: what a placeholder has taken the
        // place of may have been what kept the rest from being one.
        let text = text.replace("password: ", "");
        let once = redact_one(&text);
        prop_assert_eq!(redact_one(&once), once);
    }

    #[test]
    fn the_order_of_texts_changes_no_placeholder(texts in prop::collection::vec(text(), 2..5)) {
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let backwards: Vec<_> = texts.iter().rev().copied().collect();
        let (mut out, _) = redact(&[], &texts);
        out.reverse();
        prop_assert_eq!(redact(&[], &backwards).0, out);
    }

    #[test]
    fn no_two_values_share_a_placeholder(count in 1..40_usize) {
        let texts: Vec<_> = (0..count).map(|n| format!("p{n}@example.com")).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let (out, _) = redact(&[], &texts);
        let distinct: BTreeSet<_> = out.iter().collect();
        prop_assert_eq!(distinct.len(), count);
    }
}

proptest! {
#![proptest_config(ProptestConfig::with_cases(12))]

#[test]
fn no_detector_takes_a_placeholder_for_a_value(value: String, around in "[ -~가-힣]{0,3}") {
    let template = crate::placeholder::Template::compile("[{TYPE}_{TAG}]").unwrap();
    let tag = key().tag(PiiType::Email, &value);
    for of in PiiType::ALL {
        for chars in [6, 8, 32] {
            let tag = std::str::from_utf8(&tag[..chars]).unwrap();
            let own = template.placeholder(*of, tag);
            let text = format!("{around}{own}{around}");
            let touched = crate::scan::scan(&text).into_iter().any(|finding| {
                finding.span.start < around.len() + own.len() && finding.span.end > around.len()
            });
            prop_assert!(!touched, "{}", text);
        }
    }
}}
