//! What reading the documents of one request may cost. A worker answers nobody else
//! while it reads, so this bounds how long one caller can stop all others.

use std::cell::Cell;

/// Steps for one request, each some 20 ns of a CPU: tokens, comments, brackets in
/// strings, objects, and bytes that are passed by. Writers need 100 to 1,100 for a
/// page.
const STEPS_MAX: usize = 500_000;

/// Bytes that are passed by in a step.
const BYTES_PER_STEP: usize = 16;

/// Most bytes that the compressed parts of all documents may inflate to. Writers have
/// 1 to 3 kB for a page.
const INFLATED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most blocks that those parts may have. Every block costs its tables, some 2 µs,
/// be it empty; writers have one for every two pages or more.
const BLOCKS_MAX: usize = 2048;

/// What may still be done for the documents of one request.
pub(super) struct Work {
    /// Steps; in a cell, as the readers of an object take from it side by side.
    pub(super) left: Cell<usize>,
    /// Bytes that may still be inflated.
    pub(super) inflatable: usize,
    /// Blocks that may still be inflated.
    pub(super) blocks: usize,
}

impl Default for Work {
    fn default() -> Self {
        Self { left: Cell::new(STEPS_MAX), inflatable: INFLATED_BYTES_MAX, blocks: BLOCKS_MAX }
    }
}

impl Work {
    /// Takes a block off those that may be inflated; `None` when none is left.
    pub(super) fn begin_block(&mut self) -> Option<()> {
        self.blocks = self.blocks.checked_sub(1)?;
        Some(())
    }

    /// Takes steps off what is left; `None` when nothing is.
    #[inline]
    pub(super) fn steps(&self, steps: usize) -> Option<()> {
        let left = self.left.get().saturating_sub(steps);
        self.left.set(left);
        (left > 0).then_some(())
    }

    /// The same for bytes that are passed by.
    #[inline]
    pub(super) fn bytes(&self, bytes: usize) -> Option<()> {
        self.steps(bytes / BYTES_PER_STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_stays_spent() {
        let work = Work::default();
        assert_eq!(work.steps(STEPS_MAX - 2), Some(()));
        assert_eq!(work.bytes(BYTES_PER_STEP), Some(()));
        assert_eq!(work.steps(0), Some(()));
        assert_eq!(work.bytes(usize::MAX), None);
        assert_eq!(work.steps(0), None);
    }
}
