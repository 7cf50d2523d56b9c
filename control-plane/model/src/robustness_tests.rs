//! No text makes `load` panic, loop, or refuse without a reason.

use crate::load_tests::accepted;
use crate::load_tests::{WHOLE, sources};
use crate::{Problem, load};
use proptest::prelude::*;
use std::path::Path;

/// Pieces that YAML and this format give a meaning to.
const PIECES: &[&str] = &[
    "version: 1\n",
    "pools:",
    "models",
    ": ",
    "\n",
    "  ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!t ",
    "? ",
    "| ",
    "> ",
    "'",
    "\"",
    "#",
    "---\n",
    "...\n",
    "%TAG",
    "<<: ",
    "${",
    "}",
    "${TOKEN}",
    "~",
    "\t",
    "\r",
    "\u{feff}",
    "\u{85}",
    "\\x",
    "1.5",
    "-1",
    "한",
    ",",
    "\0",
];

/// The example that the repository starts with.
const EXAMPLE: &str = include_str!("../../../tollgate.yaml");

fn loads_or_says_why(text: &str) {
    if let Err(problems) = load(text, Path::new("/etc/tollgate"), &sources()) {
        assert!(!problems.is_empty(), "{text:?}");
        assert!(problems.iter().all(|p| is_inside(text, p) && !p.message.is_empty()), "{text:?}");
        assert!(problems.is_sorted() && problems.iter().all(|p| !p.message.contains('\n')));
        for secret in ["0123456789abcdef-secret", "fedcba9876543210-secret"] {
            assert!(problems.iter().all(|p| !p.to_string().contains(secret)));
        }
    }
}

/// Whether the place is one in the text, or just behind it. YAML breaks lines at
/// CR, LF and both (YAML 1.2.2, section 5.4).
fn is_inside(text: &str, problem: &Problem) -> bool {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<_> = text.split('\n').collect();
    let (line, column) = (problem.line as usize, problem.column as usize);
    let chars = lines.get(line - 1).map_or(0, |line| line.chars().count());
    (1..=lines.len() + 1).contains(&line) && (1..=chars + 1).contains(&column)
}

/// The whole configuration with some characters replaced by a piece.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (0..WHOLE.chars().count(), 0..12_usize, proptest::sample::select(PIECES));
    proptest::collection::vec(edit, 1..4).prop_map(|edits| {
        let mut chars: Vec<char> = WHOLE.chars().collect();
        for (at, removed, piece) in edits {
            let at = at.min(chars.len());
            let end = chars.len().min(at + removed);
            chars.splice(at..end, piece.chars());
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text(text in "\\PC*") {
        loads_or_says_why(&text);
    }

    #[test]
    fn pieces_of_yaml(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        loads_or_says_why(&pieces.concat());
    }

    #[test]
    fn a_good_one_with_mistakes(text in mutated()) {
        loads_or_says_why(&text);
    }
}

fn refused(text: &str) -> Vec<Problem> {
    load(text, Path::new("/etc/tollgate"), &sources()).err().unwrap_or_default()
}

fn only(text: &str) -> String {
    let problems = refused(text);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

#[test]
fn half_a_file() {
    for text in [EXAMPLE, WHOLE] {
        for (end, _) in text.char_indices() {
            loads_or_says_why(text.split_at(end).0);
        }
        loads_or_says_why(text);
    }
    // Cut in the middle of a flow map: refused as a whole.
    let (half, _) = EXAMPLE.split_once("interval:").unwrap();
    assert!(only(half).contains("this is not YAML"));
}

#[test]
fn names_that_stand_twice() {
    let pool = "{ engine: vllm, model: m, endpoints: [http://b:1] }";
    let text = format!("version: 1\npools:\n  a: {pool}\n  a: {pool}\n");
    assert_eq!(only(&text), "4:3: pools.a: stands here a second time; once is allowed");
    let text = format!("version: 1\npools:\n  a: &a {pool}\n  b: *a\n");
    assert_eq!(accepted(&text).pools.len(), 2, "an alias is no duplicate");
}

#[test]
fn a_bomb_in_the_place_of_endpoints() {
    let mut text =
        "version: 1\npools: { a: { engine: vllm, model: m, endpoints: *l8 } }\n".to_owned();
    let levels = (1..9).fold("x0: &l0 [http://b:1]\n".to_owned(), |levels, level| {
        levels + &format!("x{level}: &l{level} [{}]\n", format!("*l{}, ", level - 1).repeat(10))
    });
    text.insert_str("version: 1\n".len(), &levels);
    assert!(only(&text).contains("holds more than 1000000 values, aliases counted in full"));
}

#[test]
fn ten_thousand_problems() {
    let mut text = "version: 1\npools:\n".to_owned();
    for n in 0..10_000 {
        text += &format!("  p{n}: {{ engine: vllm, model: m, endpoints: [http://b:1] }}\n");
    }
    text += "models:\n";
    for n in 0..10_000 {
        text += &format!("  m{n}: q{n}\n");
    }
    let problems = refused(&text);
    assert_eq!(problems.len(), 1_001);
    let (last, kept) = problems.split_last().unwrap();
    assert!(kept.is_sorted());
    assert_eq!(last.message, "and 9000 more problems; solve these first");
    assert!(problems.iter().all(|problem| problem.message.len() < 500));
}

#[test]
fn as_many_problems_as_a_text_can_hold() {
    let aliases = "*x, ".repeat(300);
    let text = format!(
        "version: 1\npools: {{ a: {{ endpoints: [&x [{}], {aliases}] }} }}\n",
        "y, ".repeat(3_000)
    );
    assert!(refused(&text).len() <= 1_001);
    let text =
        format!("version: 1\ntenants: {{ t: {{ models: [{}] }} }}\n", "[], ".repeat(100_000));
    let problems = refused(&text);
    assert_eq!(problems.last().unwrap().message, "and 99000 more problems; solve these first");
}

#[test]
fn nested_deeper_than_anybody_needs() {
    let keys: String = (0..200).map(|depth| " ".repeat(depth) + "a:\n").collect();
    for text in ["- ".repeat(1 << 16), keys, "? ".repeat(1 << 16)] {
        let shown = only(&text);
        assert!(shown.ends_with("nested deeper than 32 levels"), "{shown}");
    }
    // The parser of YAML looks ahead in these, and gives up before it tells of a level.
    for text in ["[".repeat(1 << 20), "{a: ".repeat(1 << 18)] {
        let shown = only(&text);
        assert!(shown.ends_with("this is not YAML: recursion limit exceeded"), "{shown}");
    }
}

#[test]
fn sixteen_mebibytes() {
    const MOST: usize = 16 << 20;
    let filled = |text: &str, most: usize| text.repeat(most / text.len());
    let start = "version: 1\n";
    accepted(&format!("{start}{}", filled("# a comment  \n", MOST - start.len())));
    let large = filled("x", MOST + 1);
    assert_eq!(only(&large), "1:1: the configuration is larger than 16777216 bytes");
    let name = refused(&format!("{}: 1", filled("y", MOST - 3)));
    assert!(name.iter().all(|problem| problem.to_string().len() < 1_000));
}
