use super::*;

fn of(objects: &[&str]) -> Option<[u64; 4]> {
    let mut keeper = UsageKeeper::default();
    for object in objects {
        keeper.merge(object.as_bytes());
    }
    keeper.usage().map(|u| [u.input, u.cached_input, u.output, u.reasoning])
}

#[test]
fn reads_every_shape() {
    for (object, expected) in [
        (r#"{"prompt_tokens":16,"total_tokens":30,"completion_tokens":14}"#, [16, 0, 14, 0]),
        (
            r#"{"prompt_tokens":16,"completion_tokens":14,"prompt_tokens_details":
            {"cached_tokens":15},"completion_tokens_details":{"reasoning_tokens":4}}"#,
            [16, 15, 14, 4],
        ),
        (
            r#"{"prompt_tokens":16,"completion_tokens":14,"prompt_tokens_details":null,
            "reasoning_tokens":9,"completion_tokens_details":null}"#,
            [16, 0, 14, 9],
        ),
        (r#"{"prompt_tokens":9,"total_tokens":9}"#, [9, 0, 0, 0]),
        (r#"{"total_tokens":9}"#, [9, 0, 0, 0]),
        (
            r#"{"input_tokens":20,"output_tokens":5,"input_tokens_details":
            {"cached_tokens":3,"per_turn":[]},"output_tokens_details":{"reasoning_tokens":2}}"#,
            [20, 3, 5, 2],
        ),
        (
            r#"{"cache_read_input_tokens":15,"input_tokens":1,"output_tokens":14,
            "cache_creation_input_tokens":4}"#,
            [20, 15, 14, 0],
        ),
        (r#"{"input_tokens":1,"output_tokens":2,"cache_read_input_tokens":null}"#, [1, 0, 2, 0]),
    ] {
        assert_eq!(of(&[object]), Some(expected), "{object}");
    }
}

#[test]
fn what_is_no_count_is_not_there() {
    for value in ["-1", "1.0", "1e3", "\"5\"", "null", "[1]", "{}", "true", "-0"] {
        let object = format!(r#"{{"prompt_tokens":{value},"completion_tokens":2}}"#);
        assert_eq!(of(&[&object]), Some([0, 0, 2, 0]), "{object}");
    }
    for value in ["9007199254740993", "99999999999999999999999999", "18446744073709551615"] {
        let object = format!(r#"{{"prompt_tokens":{value},"completion_tokens":2}}"#);
        assert_eq!(of(&[&object]), Some([0, 0, 2, 0]), "{object}");
    }
    let most = format!(
        r#"{{"input_tokens":{COUNT_MAX},"cache_read_input_tokens":{COUNT_MAX},
        "cache_creation_input_tokens":{COUNT_MAX}}}"#
    );
    assert_eq!(of(&[&most]), Some([COUNT_MAX, COUNT_MAX, 0, 0]));
}

#[test]
fn what_is_no_usage_leaves_nothing() {
    for object in ["", "{}", "null", "[1]", "{", r#"{"type":"duration","seconds":3}"#, "\u{0}"] {
        assert_eq!(of(&[object]), None, "{object}");
    }
    assert_eq!(of(&[r#"{"prompt_tokens":null}"#]), None);
    assert!(!UsageKeeper::default().merge(b"{\"prompt_tokens\":\xff}"));
}

#[test]
fn running_totals_are_totals() {
    let steps = [
        r#"{"prompt_tokens":16,"completion_tokens":1}"#,
        r#"{"prompt_tokens":16,"completion_tokens":2}"#,
        r#"{"prompt_tokens":16,"completion_tokens":3}"#,
    ];
    assert_eq!(of(&steps), Some([16, 0, 3, 0]));
    let mut keeper = UsageKeeper::default();
    let changed: Vec<_> =
        [steps[0], steps[0], steps[1], "null"].iter().map(|o| keeper.merge(o.as_bytes())).collect();
    assert_eq!(changed, [true, false, true, false]);
    assert_eq!(keeper.objects(), 3);
}

#[test]
fn anthropic_starts_with_the_prompt_and_ends_with_the_answer() {
    let start = r#"{"input_tokens":1,"cache_read_input_tokens":15,"output_tokens":0}"#;
    assert_eq!(of(&[start, r#"{"output_tokens":14}"#]), Some([16, 15, 14, 0]));
    let restated = r#"{"input_tokens":1,"output_tokens":14}"#;
    assert_eq!(of(&[start, restated]), Some([16, 15, 14, 0]));
}

#[test]
fn parts_are_never_larger_than_the_whole() {
    let object = r#"{"prompt_tokens":2,"completion_tokens":3,"reasoning_tokens":7,
        "prompt_tokens_details":{"cached_tokens":9}}"#;
    assert_eq!(of(&[object]), Some([2, 2, 3, 3]));
}

#[test]
fn a_repeated_count_has_its_largest_value() {
    assert_eq!(of(&[r#"{"prompt_tokens":5,"prompt_tokens":2}"#]), Some([5, 0, 0, 0]));
}

fn running(answers_per_prompt: Option<u64>, objects: &[(Option<u64>, &str)]) -> [u64; 4] {
    let mut keeper = UsageKeeper::default();
    if let Some(answers) = answers_per_prompt {
        keeper.set_answers_per_prompt(answers);
    }
    for (choice, object) in objects {
        keeper.merge_of(*choice, object.as_bytes(), true);
    }
    let usage = keeper.usage().unwrap();
    [usage.input, usage.cached_input, usage.output, usage.reasoning]
}

#[test]
fn choices_are_summed_and_their_totals_are_not() {
    let a =
        r#"{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}"#;
    let b = r#"{"prompt_tokens":7,"completion_tokens":2,"reasoning_tokens":1}"#;
    let of_all = r#"{"prompt_tokens":7,"completion_tokens":3}"#;
    let less = r#"{"prompt_tokens":5,"completion_tokens":1}"#;
    let total = r#"{"prompt_tokens":12,"completion_tokens":4}"#;
    for (answers, objects, expected) in [
        (None, vec![(Some(0), a), (Some(0), less), (Some(0), a)], [5, 4, 2, 0]),
        (None, vec![(Some(0), a), (Some(1), b)], [7, 4, 4, 1]),
        (None, vec![(Some(0), a), (Some(1), of_all)], [7, 4, 3, 0]),
        (Some(1), vec![(Some(0), a), (Some(1), b)], [12, 4, 4, 1]),
        (Some(2), vec![(Some(0), a), (Some(1), a), (Some(2), b), (Some(3), b)], [12, 4, 8, 2]),
        (Some(0), vec![(Some(0), a), (Some(1), b)], [12, 4, 4, 1]),
        (Some(1), vec![(Some(0), a), (Some(1), b), (None, total)], [12, 4, 4, 1]),
        (None, vec![(None, less), (Some(0), a)], [5, 4, 2, 0]),
    ] {
        assert_eq!(running(answers, &objects), expected, "{objects:?}");
    }
}

#[test]
fn choices_beyond_the_bound_count_as_the_last() {
    let object = r#"{"completion_tokens":2}"#;
    let last = CHOICES_MAX as u64 - 1;
    let seen: Vec<_> = [last, last + 1, u64::MAX].map(|choice| (Some(choice), object)).into();
    assert_eq!(running(Some(1), &seen), [0, 0, 2, 0]);
    let most = format!(r#"{{"completion_tokens":{COUNT_MAX}}}"#);
    let seen = [(Some(0), most.as_str()), (Some(1), most.as_str())];
    assert_eq!(running(None, &seen), [0, 0, COUNT_MAX, 0]);
}

#[test]
fn anthropic_restates_its_input_with_the_cache_apart() {
    let start = r#"{"input_tokens":16,"output_tokens":0}"#;
    let delta = r#"{"input_tokens":1,"output_tokens":14,"cache_creation_input_tokens":0,
        "cache_read_input_tokens":15}"#;
    assert_eq!(of(&[start, delta]), Some([16, 15, 14, 0]));
    assert_eq!(of(&[start, delta, delta]), Some([16, 15, 14, 0]));
}

#[test]
fn cached_input_has_another_name_too() {
    let object =
        r#"{"prompt_tokens":16,"prompt_cache_hit_tokens":10,"prompt_cache_miss_tokens":6}"#;
    assert_eq!(of(&[object]), Some([16, 10, 0, 0]));
}
