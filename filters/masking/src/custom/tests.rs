use proptest::prelude::*;

use super::*;

fn find<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
    let mut found = Vec::new();
    Pattern::compile(pattern).ok().unwrap().find(text, |span| found.push(&text[span]));
    found
}

#[track_caller]
fn refused(table: &[(&str, &str)]) {
    for (pattern, reason) in table {
        let said = Pattern::compile(pattern).err().unwrap_or_else(|| panic!("{pattern} is taken"));
        assert!(said.contains(reason), "{pattern}: {said}");
    }
}

#[test]
fn matches_are_leftmost_and_apart() {
    assert_eq!(find(r"\bEMP-\d{6}\b", "EMP-123456, XEMP-123456 EMP-1234567"), ["EMP-123456"]);
    assert_eq!(find(r"\bEMP-\d{6}\b", "EMP-123456은 EMP-654321의"), ["EMP-123456", "EMP-654321"]);
    assert_eq!(find("ab|abcd", "abcd ab"), ["ab", "ab"]);
    assert_eq!(find("abcd|ab", "abcd ab"), ["abcd", "ab"]);
    assert_eq!(find("a+?b*", "aab"), ["a", "ab"]);
    assert_eq!(find("^a.*z$", "a가나z"), ["a가나z"]);
    assert_eq!(find("(?i)project", "Project PROJECT"), ["Project", "PROJECT"]);
    assert_eq!(find("사번[ :]*[가-힣]{2}[0-9]+", "내 사번: 인사12 입니다"), ["사번: 인사12"]);
}

#[test]
fn classes_and_boundaries_are_ascii() {
    assert_eq!(find(r"\d+", "12 ٣٤"), ["12"]);
    assert_eq!(find(r"\w+", "ab가cd"), ["ab", "cd"]);
    assert_eq!(find(r"[\w가]+", "ab가cd"), ["ab가cd"]);
    assert_eq!(find(r"[^\s,]+", "a나, b"), ["a나", "b"]);
    assert_eq!(find(r"\W+", "a나,b"), ["나,"]);
    assert_eq!(find(r"\b가\d", "가1 가2"), Vec::<&str>::new());
    assert_eq!(find(r"x\B\d", "x1 가"), ["x1"]);
    assert_eq!(find(r"(?:\b{start}a)", "a ba"), ["a"]);
}

#[test]
fn what_cannot_be_used_is_refused() {
    refused(&[
        ("a*", "the empty text"),
        ("", "the empty text"),
        (r"\b", "the empty text"),
        ("(", "not a regular expression: unclosed group"),
        ("(?=a)", "look-around"),
        (r"(a)\1", "backreferences"),
        (r"a\p{Hangul}", "[가-힣]"),
        (r"[^a\pL]", "[가-힣]"),
        ("[a&&b]", "can match nothing"),
        ("a{2000}{2000}", "bytes"),
        ("(?:[가-힣a-z]{1,60}x){30}", "bytes"),
        (&"a".repeat(1001), "1000 characters"),
        (&format!("{}a{}", "(".repeat(60), ")".repeat(60)), "nest"),
    ]);
}

#[test]
fn reading_on_is_bounded() {
    let text = "a".repeat(20_000);
    let pattern = Pattern::compile("a|a+b").ok().unwrap();
    let (mut overlook, mut at, mut steps) = (text.len() * OVERLOOK_TEXTS_MAX, 0, 0);
    let first = overlook;
    while let Some(end) = pattern.end(text.as_bytes(), at, &mut overlook) {
        at = end;
        steps += 1;
    }
    assert_eq!((steps, at), (text.len(), text.len()));
    assert!(first - overlook <= text.len() * OVERLOOK_TEXTS_MAX);
}

proptest! {
    // Automata take long to build without optimization.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_regex_engine_finds_the_same(
        pattern in "[ab.]([ab가]|[ab]\\*|[ab]\\+|\\(a\\|b가\\)|\\?|\\[\\^a\\]){0,6}",
        text in "[ab가\n]{0,30}",
    ) {
        let Ok(other) = regex_automata::dfa::regex::Regex::new(&pattern) else { return Ok(()) };
        let Ok(own) = Pattern::compile(&pattern) else { return Ok(()) };
        let mut found = Vec::new();
        own.find(&text, |span| found.push(span));
        let expected: Vec<_> = other.find_iter(&text).map(|hit| hit.range()).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_pattern_panics(pattern: String, text: String) {
        if let Ok(pattern) = Pattern::compile(&pattern) {
            pattern.find(&text, |span| assert!(text.get(span).is_some()));
        }
    }
}
