use contract::masking::{Action, MaskingPolicyConfig};
use proptest::prelude::*;

use super::*;
use crate::placeholder::Template;
use crate::value::Value;

fn answer_with(types: &[(PiiType, Action)], answers: bool) -> Answer {
    let types = types.iter().copied().collect();
    let config = MaskingPolicyConfig { types, answers, ..MaskingPolicyConfig::default() };
    let policy = Rc::new(Policy::compile(&config).ok().unwrap());
    let template = Template::compile(&config.placeholder).unwrap();
    let value = Value::new("kim@example.com");
    Answer::new(
        policy,
        Issued::new(&template, [(PiiType::Email, "k3x9q2".to_owned(), value)].into_iter()),
    )
}

fn answer() -> Answer {
    answer_with(&[], true)
}

fn given(answer: &mut Answer, pieces: &[&str], escape: Escape) -> String {
    let (mut lane, mut out) = (Lane::default(), String::new());
    for piece in pieces {
        answer.push(&mut lane, piece, escape, &mut out);
    }
    answer.finish(&mut lane, escape, &mut out);
    assert!(!lane.holds());
    out
}

#[test]
fn masks_what_the_model_wrote_and_restores_what_the_caller_said() {
    let mut answer = answer();
    for (text, expected) in [
        ("write to lee@example.org, please", "write to [EMAIL], please"),
        ("write to [EMAIL_k3x9q2] or lee@example.org", "write to kim@example.com or [EMAIL]"),
        ("password: EMAIL_k3x9q2", "password: kim@example.com"),
        ("nothing to see here", "nothing to see here"),
        ("", ""),
    ] {
        assert_eq!(given(&mut answer, &[text], Escape::None), expected);
    }
    assert_eq!(*answer.counts(), [(PiiType::Email, 2)].into());
}

#[test]
fn without_the_switch_nothing_of_the_models_is_looked_at() {
    let mut answer = answer_with(&[], false);
    let text = "lee@example.org and [EMAIL_k3x9q2]";
    assert_eq!(given(&mut answer, &[text], Escape::None), "lee@example.org and kim@example.com");
    assert!(answer.counts().is_empty());
}

#[test]
fn an_alert_counts_and_changes_nothing() {
    let mut answer = answer_with(&[(PiiType::Email, Action::Alert)], true);
    assert_eq!(given(&mut answer, &["to lee@example.org"], Escape::None), "to lee@example.org");
    assert_eq!(*answer.counts(), [(PiiType::Email, 1)].into());
}

#[test]
fn a_value_in_pieces_is_never_given() {
    let (mut answer, mut lane, mut out) = (answer(), Lane::default(), String::new());
    for piece in ["write to le", "e@exam", "ple.o", "rg"] {
        answer.push(&mut lane, piece, Escape::None, &mut out);
        assert_eq!(out, "write ");
    }
    answer.push(&mut lane, " and wait for", Escape::None, &mut out);
    assert_eq!(out, "write to [EMAIL] and ");
}

#[test]
fn a_whole_text_says_whether_it_changed() {
    let mut answer = answer();
    assert_eq!(answer.whole("nothing", Escape::None), None);
    assert_eq!(answer.whole("[EMAIL_k3x9q2", Escape::None).as_deref(), Some("kim@example.com"));
    assert_eq!(answer.whole("lee@example.org", Escape::None).as_deref(), Some("[EMAIL]"));
}

#[test]
fn knows_when_nothing_changes() {
    let config = MaskingPolicyConfig::default();
    let policy = Rc::new(Policy::compile(&config).ok().unwrap());
    assert!(Answer::new(policy, Issued::default()).changes_nothing());
    assert!(!answer_with(&[], false).changes_nothing());
    assert!(!answer().changes_nothing());
}

#[test]
fn masked_json_is_json() {
    let mut answer = answer();
    for (text, expected) in [
        ("{\"to\":\"lee@example.org\"}", "{\"to\":\"[EMAIL]\"}"),
        (
            "{\"to\": \"x\\\"lee@example.org\\\"\", \"n\": 1}",
            "{\"to\": \"x\\\"[EMAIL]\\\"\", \"n\": 1}",
        ),
        ("{\"phone\": 1}", "{\"phone\": 1}"),
        ("{\"phone\": 01012345678}", "{\"phone\": \"[PHONE]\"}"),
        (
            "{\"a\": \"{\\\"phone\\\": 01012345678}\"}",
            "{\"a\": \"{\\\"phone\\\": \\\"[PHONE]\\\"}\"}",
        ),
    ] {
        assert_eq!(given(&mut answer, &[text], Escape::Json), expected);
    }
}

/// Texts in which values, placeholders and words follow each other.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "lee@example.org", "[EMAIL_k3x9q2]", "EMAIL_k3x9q2", "010-1234-5678", "010 1234 5678", "전화", "는 ",
            "word ", "to ", " ", "\n", ": ", "password", "password is ", "at", " dot ", "공일공", "\"", "\\", "[",
            "192.168.0.1", "900101-1234567", "so. ", "-----BEGIN PRIVATE KEY-----\n", "\n-----END PRIVATE KEY-----",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
        1 => prop::sample::select(vec![3, 2000]).prop_map(|count: usize| "x1".repeat(count)),
        1 => prop::sample::select(vec![3, 900]).prop_map(|count: usize| "010-1 ".repeat(count)),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn how_a_text_is_cut_changes_nothing(
        text in text(),
        places: [prop::sample::Index; 8],
        json: bool,
    ) {
        let escape = if json { Escape::Json } else { Escape::None };
        let mut whole = answer();
        let expected = given(&mut whole, &[&text], escape);
        let ends: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut cuts: Vec<_> = places.iter().map(|place| ends[place.index(ends.len())]).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|cut| text.get(cut[0]..cut[1]).unwrap()).collect();
        let mut cut = answer();
        prop_assert_eq!(given(&mut cut, &pieces, escape), expected.clone());
        prop_assert_eq!(cut.counts(), whole.counts());
        let ones: Vec<_> = text.split("").collect();
        prop_assert_eq!(given(&mut answer(), &ones, escape), expected);
    }

    #[test]
    fn prose_stays_as_it_is(words in prop::collection::vec("[a-z가-힣]{1,8}[.,!?]?", 0..40)) {
        let text = words.join(" ");
        prop_assert_eq!(answer().whole(&text, Escape::None), None);
    }
}
