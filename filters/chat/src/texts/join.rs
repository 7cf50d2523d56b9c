//! Texts that a message has in parts, together where they meet: a value may begin in
//! one part and end in the next.

use std::ops::Range;

use super::{Kind, Passage};

/// How much of a part is joined to what stands before and behind it, in bytes. The
/// longest values that anybody cuts have some hundred.
pub const JOIN_BYTES: usize = 1024;

/// How long a join grows before the next one begins, in bytes: a message may have as
/// many parts as there may be texts.
const WINDOW_BYTES: usize = 16 * JOIN_BYTES;

/// Parts of one message, or their ends, as one text. Not `Debug`: it is of a prompt.
pub struct Join {
    said: String,
    /// In order, without a gap.
    pieces: Vec<Piece>,
    /// Where the borders stand that it tells of. Others are told of by the join before
    /// or behind, which has more of what stands around them.
    own: Range<usize>,
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

    /// Whether a span goes over a border that this join tells of; others are of one
    /// passage alone, and found there, or of the join before or behind.
    #[must_use]
    pub fn crosses(&self, found: &Range<usize>) -> bool {
        let from = self.own.start.max(found.start + 1);
        let first = self.pieces.partition_point(|piece| piece.span.start < from);
        let border = self.pieces.get(first).map(|piece| piece.span.start);
        border.is_some_and(|border| border < found.end.min(self.own.end))
    }

    /// The passages that a span lies in, by their index, and where in each.
    #[must_use]
    pub fn split(&self, found: Range<usize>) -> Vec<(usize, Range<usize>)> {
        let own = |piece: &Piece| {
            let start = found.start.max(piece.span.start) - piece.span.start;
            let end = found.end.min(piece.span.end) - piece.span.start;
            (piece.passage, piece.from + start..piece.from + end)
        };
        let first = self.pieces.partition_point(|piece| piece.span.end <= found.start);
        let rest = self.pieces.get(first..).unwrap_or_default().iter();
        let end = if found.is_empty() { 0 } else { found.end };
        rest.take_while(|piece| piece.span.start < end).map(own).collect()
    }

    fn new() -> Self {
        Self { said: String::new(), pieces: Vec::new(), own: 0..usize::MAX }
    }

    fn add(&mut self, passage: usize, said: &str, from: usize) {
        let start = self.said.len();
        self.said.push_str(said);
        self.pieces.push(Piece { passage, span: start..self.said.len(), from });
    }

    /// The join that goes on where this one has grown long. Its beginning is the end of
    /// this one, so that a border has [`JOIN_BYTES`] on either side in one of them.
    fn next(&mut self) -> Self {
        let middle = self.said.len().saturating_sub(JOIN_BYTES);
        let cut = self.said.floor_char_boundary(middle.saturating_sub(JOIN_BYTES));
        self.own.end = middle;
        let mut next = Self::new();
        next.own.start = middle - cut;
        let first = self.pieces.partition_point(|piece| piece.span.end <= cut);
        for piece in self.pieces.get(first..).unwrap_or_default() {
            let start = piece.span.start.max(cut);
            let said = self.said.get(start..piece.span.end).unwrap_or_default();
            next.add(piece.passage, said, piece.from + (start - piece.span.start));
        }
        next
    }
}

/// The joins, in order. What is no part and stands between two does not part them.
pub(super) fn joins(passages: &[Passage<'_>]) -> Vec<Join> {
    let mut joins = Vec::new();
    let mut open = Join::new();
    let mut parts_of = None;
    let parts = passages.iter().enumerate().filter(|(_, passage)| passage.parts_of.is_some());
    for (index, passage) in parts {
        if passage.kind == Kind::Json || passage.parts_of != parts_of {
            close(&mut open, &mut joins);
        }
        parts_of = passage.parts_of;
        if passage.kind == Kind::Text {
            part(index, &passage.said, &mut open, &mut joins);
        }
    }
    close(&mut open, &mut joins);
    joins
}

/// A part: its beginning ends what is open, if it is long, and its end begins another.
fn part(index: usize, said: &str, open: &mut Join, joins: &mut Vec<Join>) {
    if open.said.len() >= WINDOW_BYTES {
        let next = open.next();
        joins.push(std::mem::replace(open, next));
    }
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

    #[test]
    fn what_is_no_part_does_not_part_two() {
        let texts = [("010-12", Some(1)), ("a name", None), ("34-5678", Some(1))];
        let joined = joins(&passages(&texts));
        assert_eq!(said(&joined), ["010-1234-5678"]);
        assert_eq!(joined[0].split(0..13), [(0, 0..6), (2, 0..7)]);
    }

    #[test]
    fn many_parts_are_joined_in_windows_and_no_border_is_lost() {
        for (part, count) in [("a", 60_000), ("é3", 20_000), ("한국어", 9_000)] {
            let texts = vec![(part, Some(1)); count];
            let joined = joins(&passages(&texts));
            let all: usize = joined.iter().map(|join| join.said().len()).sum();
            assert!(joined.len() > 1 && all < 2 * part.len() * count, "{part}");
            let mut borders = Vec::new();
            for join in &joined {
                assert!(join.said().len() <= WINDOW_BYTES + 2 * JOIN_BYTES);
                for at in 1..join.said().len() {
                    let around = at - 1..at + 1;
                    if !join.crosses(&around) {
                        continue;
                    }
                    let (first, last) = (&joined[0], &joined[joined.len() - 1]);
                    let before = std::ptr::eq(join, first) || at >= JOIN_BYTES;
                    let behind = std::ptr::eq(join, last) || join.said().len() - at >= JOIN_BYTES;
                    assert!(before && behind, "{part}: {at}");
                    borders.push(join.split(around)[1].0);
                }
            }
            assert!(borders.into_iter().eq(1..count), "{part}: each border once, in order");
        }
    }

    #[test]
    fn pieces_say_what_the_join_says() {
        let texts: Vec<String> = (0..9_000).map(|number| format!("{number:05} ")).collect();
        let parts: Vec<_> = texts.iter().map(|text| (text.as_str(), Some(1))).collect();
        for join in joins(&passages(&parts)) {
            for at in 1..join.said().len() - 1 {
                let stands = join.said().get(at - 1..at + 1);
                let pieces = join.split(at - 1..at + 1);
                let told = pieces.into_iter().map(|(part, span)| texts[part].get(span).unwrap());
                assert_eq!(Some(told.collect::<String>().as_str()), stands);
            }
        }
    }
}
