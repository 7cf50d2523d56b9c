//! Changes to a body by spans: everything outside of them stays as it came,
//! to the byte.

use std::borrow::Borrow;
use std::ops::Range;

/// New bytes for a span of a body; an empty span inserts.
pub struct Edit {
    /// Where in the body, in bytes.
    pub span: Range<usize>,
    /// What stands there afterwards.
    pub text: Vec<u8>,
}

impl Edit {
    /// An edit that puts `text` at `at` and removes nothing.
    #[must_use]
    pub fn insert(at: usize, text: Vec<u8>) -> Self {
        Self { span: at..at, text }
    }
}

/// The body with all edits applied, in one new buffer. `None` when the spans
/// are not in ascending order, overlap or leave the body.
#[must_use]
pub fn apply(body: &[u8], edits: &[impl Borrow<Edit>]) -> Option<Vec<u8>> {
    let added: usize = edits.iter().map(|edit| edit.borrow().text.len()).sum();
    let mut out = Vec::with_capacity(body.len() + added);
    let mut done = 0;
    for edit in edits {
        let edit: &Edit = edit.borrow();
        body.get(edit.span.clone())?;
        out.extend_from_slice(body.get(done..edit.span.start)?);
        out.extend_from_slice(&edit.text);
        done = edit.span.end;
    }
    out.extend_from_slice(body.get(done..)?);
    Some(out)
}

/// `text` as a JSON string, quotes included (RFC 8259 §7).
#[must_use]
pub fn json_string(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    // A string into a vector: neither of the two can fail.
    if serde_json::to_writer(&mut out, text).is_err() {
        return b"\"\"".to_vec();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edit(span: Range<usize>, text: &str) -> Edit {
        Edit { span, text: text.into() }
    }

    #[test]
    fn applies_edits_in_order() {
        for (edits, expected) in [
            (vec![], Some("0123456789")),
            (vec![edit(0..10, "")], Some("")),
            (vec![edit(0..1, "a"), edit(1..1, "b"), edit(9..10, "c")], Some("ab12345678c")),
            (vec![Edit::insert(10, b"!".to_vec())], Some("0123456789!")),
            (vec![edit(3..5, ""), edit(4..6, "")], None),
            (vec![edit(5..6, ""), edit(1..2, "")], None),
            (vec![edit(9..11, "")], None),
            (vec![edit(11..11, "")], None),
        ] {
            let applied = apply(b"0123456789", &edits);
            assert_eq!(applied.as_deref(), expected.map(str::as_bytes));
        }
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "a span that ends before it starts")]
    fn refuses_a_span_that_ends_before_it_starts() {
        assert_eq!(apply(b"0123", &[edit(3..1, "")]), None);
    }

    #[test]
    fn escapes_what_json_demands() {
        assert_eq!(
            json_string("a\"\\\n\u{1}é"),
            br#""a\"\\\n\u0001"#.iter().copied().chain("é\"".bytes()).collect::<Vec<_>>()
        );
    }

    proptest! {
        #[test]
        fn a_json_string_reads_back(text in ".*") {
            let read: String = serde_json::from_slice(&json_string(&text)).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
