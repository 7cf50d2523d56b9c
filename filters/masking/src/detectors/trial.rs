//! How detectors are tried: whole texts through all of them.

use contract::masking::PiiType;

use crate::scan::scan;

/// Texts with exactly one value, which is marked: `call ⟦010-1234-5678⟧ now`.
#[track_caller]
pub fn hits(of: PiiType, texts: &[&str]) {
    let mut wrong = Vec::new();
    for marked in texts {
        let (before, rest) = marked.split_once('⟦').unwrap();
        let (value, behind) = rest.split_once('⟧').unwrap();
        let text = format!("{before}{value}{behind}");
        let found: Vec<_> =
            scan(&text).into_iter().map(|f| (f.of.as_str(), text[f.span].to_owned())).collect();
        if found != [(of.as_str(), value.to_owned())] {
            wrong.push(format!("{marked}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Texts with nothing to find.
#[track_caller]
pub fn misses(texts: &[&str]) {
    let mut wrong = Vec::new();
    for text in texts {
        let found: Vec<_> =
            scan(text).into_iter().map(|f| (f.of.as_str(), text[f.span].to_owned())).collect();
        if !found.is_empty() {
            wrong.push(format!("{text}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
