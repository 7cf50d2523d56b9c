//! Changes of one chunk while it is read from front to back.

use std::ops::Range;

/// A chunk and what shall leave in its place. Costs nothing while nothing is
/// changed: the first [`Splice::replace`] makes the only buffer.
pub struct Splice<'c> {
    chunk: &'c [u8],
    out: Vec<u8>,
    /// Bytes of the chunk that are decided: in `out`, or dropped.
    done: usize,
    changed: bool,
}

impl<'c> Splice<'c> {
    /// A chunk that nothing was changed in yet.
    #[must_use]
    pub fn new(chunk: &'c [u8]) -> Self {
        Self { chunk, out: Vec::new(), done: 0, changed: false }
    }

    /// The same behind bytes that were kept back of the chunks before.
    pub(crate) fn behind(held: Vec<u8>, chunk: &'c [u8]) -> Self {
        let changed = !held.is_empty();
        Self { chunk, out: held, done: 0, changed }
    }

    /// The chunk as it came.
    #[must_use]
    pub fn chunk(&self) -> &'c [u8] {
        self.chunk
    }

    /// Puts `text` where `span` of the chunk was. Spans must come in order; the
    /// part of a span that lies before an earlier one's end is left out.
    pub fn replace(&mut self, span: Range<usize>, text: &[u8]) {
        if !self.changed {
            self.out.reserve(self.chunk.len() + text.len());
            self.changed = true;
        }
        self.keep_until(span.start);
        self.out.extend_from_slice(text);
        self.done = self.done.max(span.end.min(self.chunk.len()));
    }

    /// Where a byte of the chunk that was not replaced yet is in what leaves.
    pub(crate) fn place(&self, at: usize) -> usize {
        self.out.len() + at.saturating_sub(self.done)
    }

    /// Puts `text` where `place` is in what leaves; so many bytes of the chunk were
    /// read, and `place` lies before the last of them. Places behind it move.
    pub(crate) fn change(&mut self, place: Range<usize>, read: usize, text: &[u8]) {
        if place.start >= self.out.len() {
            let at = |place: usize| place - self.out.len() + self.done;
            return self.replace(at(place.start)..at(place.end), text);
        }
        self.changed = true;
        self.keep_until(read);
        if place.end <= self.out.len() {
            self.out.splice(place, text.iter().copied());
        }
    }

    /// What shall leave as with [`Self::finish`], up to a place, and what is kept back
    /// from there on.
    pub(crate) fn finish_at(mut self, place: usize) -> (Option<Vec<u8>>, Vec<u8>) {
        if !self.changed && place >= self.place(self.chunk.len()) {
            return (None, Vec::new());
        }
        self.keep_until(self.chunk.len());
        if place == 0 {
            // As it is, so that a long event in many chunks is never copied.
            return (Some(Vec::new()), self.out);
        }
        let held = if place < self.out.len() { self.out.split_off(place) } else { Vec::new() };
        (Some(self.out), held)
    }

    /// The bytes that shall leave, or `None` when those are the chunk itself.
    #[must_use]
    pub fn finish(mut self) -> Option<Vec<u8>> {
        if !self.changed {
            return None;
        }
        self.keep_until(self.chunk.len());
        Some(self.out)
    }

    fn keep_until(&mut self, end: usize) {
        if let Some(kept) = self.chunk.get(self.done..end) {
            self.out.extend_from_slice(kept);
            self.done = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_an_unchanged_chunk_alone() {
        assert_eq!(Splice::new(b"abc").finish(), None);
    }

    #[test]
    fn replaces_drops_and_inserts_in_order() {
        let mut splice = Splice::new(b"0123456789");
        splice.replace(0..0, b"<");
        splice.replace(2..4, b"XYZ");
        splice.replace(8..10, b"");
        assert_eq!(splice.finish().as_deref(), Some(b"<01XYZ4567".as_slice()));
    }

    #[test]
    fn changes_what_was_kept_back_and_what_was_read() {
        let changed = |place: Range<usize>, read| {
            let mut splice = Splice::behind(b"0123".to_vec(), b"456789");
            splice.change(place, read, b"xy");
            String::from_utf8(splice.finish().unwrap()).unwrap()
        };
        assert_eq!(changed(1..2, 0), "0xy23456789");
        assert_eq!(changed(2..6, 3), "01xy6789");
        assert_eq!(changed(4..6, 3), "0123xy6789");
        assert_eq!(changed(5..9, 6), "01234xy9");
    }

    #[test]
    fn keeps_back_from_a_place_on() {
        let at = |held: &[u8], place| Splice::behind(held.to_vec(), b"4567").finish_at(place);
        assert_eq!(at(b"", 4), (None, Vec::new()));
        assert_eq!(at(b"", 3), (Some(b"456".to_vec()), b"7".to_vec()));
        assert_eq!(at(b"23", 0), (Some(Vec::new()), b"234567".to_vec()));
        assert_eq!(at(b"23", 3), (Some(b"234".to_vec()), b"567".to_vec()));
        assert_eq!(at(b"23", 6), (Some(b"234567".to_vec()), Vec::new()));
    }

    #[test]
    fn survives_spans_out_of_order_and_out_of_bounds() {
        let mut splice = Splice::new(b"0123");
        splice.replace(2..3, b"x");
        splice.replace(1..2, b"y");
        splice.replace(3..99, b"z");
        assert_eq!(splice.finish().as_deref(), Some(b"01xyz".as_slice()));
    }
}
