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
    fn survives_spans_out_of_order_and_out_of_bounds() {
        let mut splice = Splice::new(b"0123");
        splice.replace(2..3, b"x");
        splice.replace(1..2, b"y");
        splice.replace(3..99, b"z");
        assert_eq!(splice.finish().as_deref(), Some(b"01xyz".as_slice()));
    }
}
