//! Texts that a message has in parts, together where they meet: a value may begin in
//! one part and end in the next.

use std::ops::Range;

use super::{Kind, Passage};

/// How much of a part is joined to what stands before and behind it, in bytes. The
/// longest values that anybody cuts have some hundred.
pub const JOIN_BYTES: usize = 1024;

/// Parts of one message, or their ends, as one text. Not `Debug`: it is of a prompt.
pub struct Join {
    said: String,
    pieces: Vec<Piece>,
}

struct Piece {
    passage: usize,
    /// In what is joined.
    span: Range<usize>,
    /// Where it begins in its passage.
    from: usize,
}

impl Join {
    /// The text.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Whether a span goes over a border; others are of one passage alone, and found
    /// there.
    #[must_use]
    pub fn crosses(&self, found: &Range<usize>) -> bool {
        self.touched(found).count() > 1
    }

    /// The passages that a span lies in, by their index, and where in each.
    #[must_use]
    pub fn split(&self, found: Range<usize>) -> Vec<(usize, Range<usize>)> {
        let own = |piece: &Piece| {
            let start = found.start.max(piece.span.start) - piece.span.start;
            let end = found.end.min(piece.span.end) - piece.span.start;
            (piece.passage, piece.from + start..piece.from + end)
        };
        self.touched(&found).map(own).collect()
    }

    fn touched(&self, found: &Range<usize>) -> impl Iterator<Item = &Piece> {
        self.pieces
            .iter()
            .filter(|piece| found.start.max(piece.span.start) < found.end.min(piece.span.end))
    }

    fn new() -> Self {
        Self { said: String::new(), pieces: Vec::new() }
    }

    fn add(&mut self, passage: usize, said: &str, from: usize) {
        let start = self.said.len();
        self.said.push_str(said);
        self.pieces.push(Piece { passage, span: start..self.said.len(), from });
    }
}

pub(super) fn joins(passages: &[Passage<'_>]) -> Vec<Join> {
    let mut joins = Vec::new();
    let mut open = Join::new();
    let mut parts_of = None;
    for (index, passage) in passages.iter().enumerate() {
        let is_part = passage.kind == Kind::Text && passage.parts_of.is_some();
        if !is_part || passage.parts_of != parts_of {
            close(&mut open, &mut joins);
        }
        parts_of = passage.parts_of.filter(|_| is_part);
        if is_part {
            part(index, &passage.said, &mut open, &mut joins);
        }
    }
    close(&mut open, &mut joins);
    joins
}

/// A part: its beginning ends what is open, if it is long, and its end begins another.
fn part(index: usize, said: &str, open: &mut Join, joins: &mut Vec<Join>) {
    if said.len() <= 2 * JOIN_BYTES {
        return open.add(index, said, 0);
    }
    if !open.pieces.is_empty() {
        let end = said.floor_char_boundary(JOIN_BYTES);
        open.add(index, said.get(..end).unwrap_or_default(), 0);
        close(open, joins);
    }
    let from = said.ceil_char_boundary(said.len() - JOIN_BYTES);
    open.add(index, said.get(from..).unwrap_or_default(), from);
}

fn close(open: &mut Join, joins: &mut Vec<Join>) {
    let join = std::mem::replace(open, Join::new());
    if join.pieces.len() > 1 {
        joins.push(join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages<'a>(texts: &[(&'a str, Option<usize>)]) -> Vec<Passage<'a>> {
        let passage = |(text, parts_of): &(&'a str, Option<usize>)| Passage {
            parts_of: *parts_of,
            ..Passage::plain(Kind::Text, text, 0)
        };
        texts.iter().map(passage).collect()
    }

    fn said(joins: &[Join]) -> Vec<&str> {
        joins.iter().map(Join::said).collect()
    }

    #[test]
    fn parts_of_one_message_are_joined_and_no_others() {
        let texts = [("a", Some(1)), ("b", Some(1)), ("c", Some(2)), ("d", None), ("e", None)];
        assert_eq!(said(&joins(&passages(&texts))), ["ab"]);
        assert!(joins(&passages(&[("a", Some(1))])).is_empty());
    }

    #[test]
    fn a_span_is_split_where_the_parts_meet() {
        let texts = [("x", None), ("010-12", Some(1)), ("34-", Some(1)), ("5678 é", Some(1))];
        let joined = joins(&passages(&texts));
        let [join] = joined.as_slice() else { panic!("one message") };
        let found = 0..13;
        assert_eq!(join.said().get(found.clone()), Some("010-1234-5678"));
        assert!(join.crosses(&found) && !join.crosses(&(0..6)) && join.crosses(&(5..7)));
        assert_eq!(join.split(found), [(1, 0..6), (2, 0..3), (3, 0..4)]);
        assert_eq!(join.split(10..12), [(3, 1..3)]);
        assert!(join.split(40..50).is_empty());
    }

    #[test]
    fn of_long_parts_only_the_ends_are_joined() {
        let long = "é".repeat(3 * JOIN_BYTES);
        let texts = [("a", Some(1)), (long.as_str(), Some(1)), ("b", Some(1))];
        let joined = joins(&passages(&texts));
        let lengths: Vec<_> = joined.iter().map(|join| join.said().len()).collect();
        assert_eq!(lengths, [1 + JOIN_BYTES, JOIN_BYTES + 1]);
        let last = joined.last().unwrap();
        assert_eq!(last.split(0..2), [(1, long.len() - JOIN_BYTES..long.len() - JOIN_BYTES + 2)]);
    }
}
