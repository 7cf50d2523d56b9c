//! Any bytes as a configuration: no panic; what is refused is refused with places
//! in the text, in order, at most a thousand and one; no secret is quoted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Problem, Sources};
use std::io;
use std::path::Path;

/// What every secret holds, with a blank, so that some fields refuse it.
const SECRET: &str = "hunter2 of the fuzzer";

/// A secret that is a good token.
const TOKEN: &str = "hunter2-of-the-fuzzer";

/// Most problems that are told: a thousand, and how many more there are.
const PROBLEMS_MAX: usize = 1_001;

struct Secrets;

impl Sources for Secrets {
    fn var(&self, name: &str) -> Option<String> {
        match name {
            "SECRET" => Some(SECRET.to_owned()),
            "TOKEN" => Some(TOKEN.to_owned()),
            "EMPTY" => Some(String::new()),
            "LONG" => Some("x".repeat(70_000)),
            _ => None,
        }
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        if path.ends_with("secret") {
            Ok(SECRET.to_owned())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Err(problems) = model::load(text, Path::new("/etc/tollgate"), &Secrets) else { return };
    assert!((1..=PROBLEMS_MAX).contains(&problems.len()));
    let places = problems.iter().map(|problem| (problem.line, problem.column));
    assert!(places.is_sorted());
    let written = text.contains("hunter2");
    for problem in &problems {
        assert!(is_inside(text, problem), "{problem}");
        let shown = problem.to_string();
        assert!(written || !shown.contains("hunter2"), "{shown}");
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }
});

/// Whether the place is one in the text, or just behind it.
fn is_inside(text: &str, problem: &Problem) -> bool {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<_> = text.split('\n').collect();
    let (line, column) = (problem.line as usize, problem.column as usize);
    let chars =
        line.checked_sub(1).and_then(|line| lines.get(line)).map_or(0, |line| line.chars().count());
    (1..=lines.len() + 1).contains(&line) && (1..=chars + 1).contains(&column)
}
