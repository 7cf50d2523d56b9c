//! Well-formed lines, torn ones, and garbage.

use super::*;
use proptest::prelude::*;

/// Name, labels asked for, value of each line of a body in one piece.
fn values(body: &str) -> Vec<(String, Option<f64>)> {
    in_pieces(body.as_bytes(), body.len().max(1))
}

fn in_pieces(body: &[u8], piece_bytes: usize) -> Vec<(String, Option<f64>)> {
    let mut reader = Reader::default();
    let mut seen = Vec::new();
    for piece in body.chunks(piece_bytes) {
        reader.read(piece, |line| {
            seen.push((String::from_utf8_lossy(line.name).into_owned(), line.value()));
        });
    }
    seen
}

fn value_of(line: &str) -> Option<f64> {
    Line::cut(line.as_bytes())?.value()
}

fn label_of(line: &str, name: &str) -> Option<String> {
    let sample = Line::cut(line.as_bytes())?.sample()?;
    sample.labels.get(name).map(|value| String::from_utf8(value.into_owned()).unwrap())
}

#[test]
fn values_are_read_in_every_notation() {
    let table = [
        ("a 1", 1.0),
        ("a 1.5e+06", 1_500_000.0),
        ("a -2E-3", -0.002),
        ("a +Inf", f64::INFINITY),
        ("a -Inf", f64::NEG_INFINITY),
        ("a 3 1795252317567", 3.0),
        ("a 3 1795252317.567", 3.0),
        ("a\t4", 4.0),
        ("  a   5  ", 5.0),
        ("a{} 6", 6.0),
        ("a {b=\"c\"} 7", 7.0),
        ("a{b=\"c\",} 8", 8.0),
        ("a{ b = \"c\" , d=\"e\" }9", 9.0),
        ("a_bucket{le=\"1\"} 10 # {trace=\"x y\"} 0.67 1.5", 10.0),
        ("a_total 11 12.5 # {trace=\"x\"} 1", 11.0),
        ("a 12\r", 12.0),
        ("a{b=\"} 1\"} 13", 13.0),
        ("a{b=\"\\\"} 1\"} 14", 14.0),
        ("a{b=\"\\\\\"} 15", 15.0),
    ];
    for (line, expected) in table {
        assert_eq!(value_of(line), Some(expected), "{line}");
    }
    assert!(value_of("a NaN").is_some_and(f64::is_nan));
}

#[test]
fn what_is_no_sample_has_no_value() {
    let table = [
        "",
        " ",
        "#",
        "# HELP a b 1",
        "# EOF",
        "a",
        "{} 1",
        " 1",
        "a b",
        "a 1 b",
        "a 1 2 3",
        "a{ 1",
        "a{b} 1",
        "a{b=c} 1",
        "a{b=\"c} 1",
        "a{b=\"c\\\"} 1",
        "a{b=\"c\"d=\"e\"} 1",
        "a{,} 1",
        "a{b=\"c\"}",
        "a 0x1p3",
    ];
    for line in table {
        assert_eq!(value_of(line), None, "{line}");
    }
}

#[test]
fn labels_are_found_and_unescaped() {
    let line = r#"a{x="1",y="q\"b\\n\nz\t",model_name="a,b}=c",empty=""} 1"#;
    assert_eq!(label_of(line, "x").as_deref(), Some("1"));
    assert_eq!(label_of(line, "y").as_deref(), Some("q\"b\\n\nz\\t"));
    assert_eq!(label_of(line, "model_name").as_deref(), Some("a,b}=c"));
    assert_eq!(label_of(line, "empty").as_deref(), Some(""));
    assert_eq!(label_of(line, "name"), None);
    assert_eq!(label_of("a 1", "x"), None);
}

#[test]
fn a_rank_is_a_count_and_nothing_else() {
    let line = Line::cut(br#"a{tp="3",pp="-1",x="z"} 1"#).unwrap().sample().unwrap();
    assert_eq!(line.labels.count("tp"), Some(3));
    assert_eq!((line.labels.count("pp"), line.labels.count("x")), (None, None));
    assert!(line.labels.is("x", "z"));
    assert!(!line.labels.is("x", "y"));
}

#[test]
fn the_last_line_counts_only_with_its_line_feed() {
    assert_eq!(values("a 1\nb 2\n").len(), 2);
    assert_eq!(values("a 1\nb 2"), [("a".to_owned(), Some(1.0))]);
}

#[test]
fn the_end_of_one_body_is_not_the_beginning_of_the_next() {
    let mut reader = Reader::default();
    reader.read(b"a 1", |line| panic!("{line:?}"));
    reader.start();
    let mut seen = Vec::new();
    reader.read(b"b 2\n", |line| seen.push(line.name.to_vec()));
    assert_eq!(seen, [b"b".to_vec()]);
}

#[test]
fn an_overlong_line_is_skipped_and_the_next_one_read() {
    let mut body = vec![b'a'; LINE_BYTES_MAX + 1];
    body.extend_from_slice(b" 1\nb 2\n");
    let expected = [("b".to_owned(), Some(2.0))];
    assert_eq!(in_pieces(&body, body.len()), expected);
    assert_eq!(in_pieces(&body, 1000), expected);
}

#[test]
fn a_line_of_the_greatest_length_is_read() {
    let mut body = vec![b'a'; LINE_BYTES_MAX - 2];
    body.extend_from_slice(b" 1\n");
    assert_eq!(in_pieces(&body, body.len()).len(), 1);
    assert_eq!(in_pieces(&body, 999).len(), 1);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_no_cut_changes_what_is_read(
        body in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'"'), Just(b'{'),
            Just(b'}'), Just(b'\\'), Just(b' '), Just(b'='), Just(b'1')], 0..400),
        piece_bytes in 1usize..40,
    ) {
        let whole = in_pieces(&body, body.len().max(1));
        let torn = in_pieces(&body, piece_bytes);
        prop_assert_eq!(format!("{whole:?}"), format!("{torn:?}"));
    }

    #[test]
    fn a_valid_line_inside_garbage_is_found(
        before in proptest::collection::vec(any::<u8>(), 0..200),
        after in proptest::collection::vec(any::<u8>(), 0..200),
        label in "[^\"\\\\\n]{0,20}",
        value in any::<f64>().prop_filter("a number", |value| !value.is_nan()),
        piece_bytes in 1usize..500,
    ) {
        let line = format!("\nwanted:name{{label=\"{label}\"}} {value:e}\n");
        let body = [&before[..], line.as_bytes(), &after[..]].concat();
        let seen = in_pieces(&body, piece_bytes);
        prop_assert!(seen.contains(&("wanted:name".to_owned(), Some(value))), "{:?}", seen);
    }

    #[test]
    fn labels_come_back_as_they_were(value in any::<String>()) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let line = format!("a{{x=\"y\",label=\"{escaped}\"}} 1");
        prop_assert_eq!(label_of(&line, "label"), Some(value));
    }
}
