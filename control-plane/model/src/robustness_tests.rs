//! No text makes `load` panic, loop, or refuse without a reason.

use crate::load;
use crate::load_tests::{WHOLE, sources};
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

fn loads_or_says_why(text: &str) {
    if let Err(problems) = load(text, Path::new("/etc/tollgate"), &sources()) {
        assert!(!problems.is_empty(), "{text:?}");
        assert!(problems.iter().all(|p| p.line > 0 && p.column > 0 && !p.message.is_empty()));
        assert!(problems.is_sorted() && problems.iter().all(|p| !p.message.contains('\n')));
        assert!(problems.iter().all(|p| !p.to_string().contains("0123456789abcdef-secret")));
    }
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
