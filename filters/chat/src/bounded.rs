//! A buffer that never grows beyond its bound.

/// Bytes of something that matters only as long as it is short.
#[derive(Default)]
pub(crate) struct Bounded<const BYTES_MAX: usize> {
    bytes: Vec<u8>,
    over: bool,
}

impl<const BYTES_MAX: usize> Bounded<BYTES_MAX> {
    /// Forgets what was collected; keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.over = false;
    }

    /// Appends, unless that would be more than the bound: then all is lost.
    pub(crate) fn push(&mut self, more: &[u8]) {
        self.over |= self.bytes.len() + more.len() > BYTES_MAX;
        if !self.over {
            self.bytes.extend_from_slice(more);
        }
    }

    /// What was collected, if all of it fitted.
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        (!self.over).then_some(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_up_to_the_bound_and_nothing_beyond() {
        let mut word = Bounded::<4>::default();
        word.push(b"ab");
        word.push(b"cd");
        assert_eq!(word.whole(), Some(b"abcd".as_slice()));
        word.push(b"");
        assert_eq!(word.whole(), Some(b"abcd".as_slice()));
        word.push(b"e");
        assert_eq!(word.whole(), None);
        word.push(b"");
        assert_eq!(word.whole(), None);
        word.clear();
        assert_eq!(word.whole(), Some(b"".as_slice()));
    }
}
