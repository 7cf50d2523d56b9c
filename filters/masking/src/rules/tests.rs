use proptest::prelude::*;

use super::*;

fn policy(
    types: &[(PiiType, Action)],
    words: &[&str],
    custom: &[(&str, &str)],
) -> MaskingPolicyConfig {
    MaskingPolicyConfig {
        types: types.iter().copied().collect(),
        deny_words: words.iter().map(|word| (*word).to_owned()).collect(),
        custom: custom
            .iter()
            .map(|(name, pattern)| ((*name).to_owned(), (*pattern).to_owned()))
            .collect(),
        ..MaskingPolicyConfig::default()
    }
}

fn find<'t>(policy: &MaskingPolicyConfig, text: &'t str) -> Vec<(PiiType, &'t str)> {
    let found = Rules::compile(policy).ok().unwrap().scan(text).into_iter();
    found.map(|finding| (finding.of, &text[finding.span])).collect()
}

#[test]
fn words_and_patterns_are_found_as_they_are_written() {
    let policy = policy(&[], &["한빛프로젝트", "Project Bluefin"], &[("emp", r"\bEMP-\d{6}\b")]);
    let text = "project\u{a0}Bluefin의 ＥＭＰ－１２３４５６은 한빛프로젝트에 kim@example.com";
    let expected = [
        (PiiType::DenyWord, "project\u{a0}Bluefin"),
        (PiiType::Custom, "ＥＭＰ－１２３４５６"),
        (PiiType::DenyWord, "한빛프로젝트"),
        (PiiType::Email, "kim@example.com"),
    ];
    assert_eq!(find(&policy, text), expected);
}

#[test]
fn patterns_are_tried_on_the_text_itself_too() {
    let policy = policy(&[], &[], &[("spaced", r"(?:\d ){7}\d"), ("wide", "＃\\d")]);
    assert_eq!(find(&policy, "1 2 3 4 5 6 7 8"), [(PiiType::Custom, "1 2 3 4 5 6 7 8")]);
    assert_eq!(find(&policy, "＃1 #2"), [(PiiType::Custom, "＃1"), (PiiType::Custom, "#2")]);
}

#[test]
fn a_type_that_is_off_is_not_found() {
    let policy = policy(&[(PiiType::Email, Action::Off)], &["example"], &[]);
    assert_eq!(find(&policy, "kim@example.com"), [(PiiType::DenyWord, "example")]);
    let off = [(PiiType::DenyWord, Action::Off), (PiiType::Custom, Action::Off)];
    assert_eq!(find(&self::policy(&off, &["a"], &[("b", "b")]), "a b"), []);
}

#[test]
fn what_overlaps_is_one_value_of_the_strictest_type() {
    let text = "to kim@example.com now";
    let of = |word, email| {
        let types = [(PiiType::DenyWord, word), (PiiType::Email, email)];
        find(&policy(&types, &["example"], &[]), text)
    };
    let whole = "kim@example.com";
    assert_eq!(of(Action::Restore, Action::Restore), [(PiiType::Email, whole)]);
    assert_eq!(of(Action::Block, Action::Restore), [(PiiType::DenyWord, whole)]);
    assert_eq!(of(Action::Mask, Action::Alert), [(PiiType::DenyWord, "example")]);
    assert_eq!(of(Action::Alert, Action::Mask), [(PiiType::Email, whole)]);
    assert_eq!(of(Action::Alert, Action::Alert), [(PiiType::Email, whole)]);
}

#[test]
fn overlapping_words_leave_nothing_of_themselves() {
    let policy = policy(&[], &["ab cd", "cd ef"], &[]);
    assert_eq!(find(&policy, "x ab cd ef y"), [(PiiType::DenyWord, "ab cd ef")]);
}

#[test]
fn every_fault_is_told_at_once() {
    let policy = policy(&[], &["", "ok"], &[("all", "a*"), ("fine", "ab"), ("open", "(")]);
    let faults = Rules::compile(&policy).err().unwrap();
    let expected = [
        "deny word \"\" has no letter and no digit",
        "custom pattern \"all\" matches the empty text",
        "custom pattern \"open\" is not a regular expression: unclosed group",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn numbers_of_words_and_patterns_are_bounded() {
    let policy = MaskingPolicyConfig {
        deny_words: vec!["word".to_owned(); DENY_WORDS_MAX + 1],
        custom: (0..=CUSTOM_MAX).map(|n| (format!("p{n}"), "ab".to_owned())).collect(),
        ..MaskingPolicyConfig::default()
    };
    let faults = Rules::compile(&policy).err().unwrap();
    assert!(faults[0].contains("10000") && faults[1].contains("64"), "{faults:?}");
}

proptest! {
    #[test]
    fn any_text_can_be_scanned(text in "(\\PC|[0-9a@. \n-]|한빛|\u{200b}){0,60}") {
        let rules = policy(&[(PiiType::Phone, Action::Alert)], &["한빛", "a"], &[("n", "[0-9]{3}")]);
        let rules = Rules::compile(&rules).ok().unwrap();
        let mut end = 0;
        for finding in rules.scan(&text) {
            prop_assert!(finding.span.start >= end && !finding.span.is_empty());
            prop_assert!(text.get(finding.span.clone()).is_some());
            end = finding.span.end;
        }
    }
}
