//! A slot of the table: the cells of some buckets.

use super::cell::Cell;
use crate::bytes::{read, write};
use contract::limits::LIMITS_PER_SLOT;

/// The cells of one slot.
pub(super) struct Slot(Vec<Cell>);

impl Slot {
    pub(super) fn of(value: Option<&[u8]>) -> Slot {
        Slot(read(value))
    }

    /// What is written: cells of full buckets are as good as none.
    pub(super) fn written(mut self, now: u64) -> Vec<u8> {
        self.forget_full(now);
        write(&self.0)
    }

    fn forget_full(&mut self, now: u64) {
        self.0.retain(|cell| cell.full_at > now);
    }

    /// When the bucket is full again.
    pub(super) fn full_at(&self, tag: u64) -> Option<u64> {
        self.0.iter().find(|cell| cell.tag == tag).map(|cell| cell.full_at)
    }

    /// The bucket's cell, a new one if there is none; `None`: the slot is full.
    pub(super) fn cell(&mut self, tag: u64, now: u64) -> Option<&mut Cell> {
        if self.full_at(tag).is_none() {
            if self.0.len() >= LIMITS_PER_SLOT {
                self.forget_full(now);
            }
            if self.0.len() >= LIMITS_PER_SLOT {
                return None;
            }
            self.0.push(Cell::new(tag));
        }
        self.0.iter_mut().find(|cell| cell.tag == tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(slot: &mut Slot, tag: u64, full_at: u64, now: u64) -> bool {
        slot.cell(tag, now).map(|cell| cell.full_at = full_at).is_some()
    }

    #[test]
    fn full_buckets_make_room() {
        let mut slot = Slot::of(None);
        for tag in 0..LIMITS_PER_SLOT as u64 {
            assert!(put(&mut slot, tag, 100 + tag, 10));
        }
        assert!(!put(&mut slot, 1_000, 200, 99), "none is full yet");
        assert!(put(&mut slot, 3, 300, 99) && slot.full_at(3) == Some(300));
        assert!(put(&mut slot, 1_000, 200, 100), "the first one is full again");
        assert_eq!([slot.full_at(0), slot.full_at(1_000)], [None, Some(200)]);
        let written = slot.written(200);
        assert_eq!(written.len(), 1 + 33, "only one is later than that");
        assert_eq!(Slot::of(Some(&written)).full_at(3), Some(300));
    }

    #[test]
    fn a_broken_slot_is_empty() {
        assert_eq!(Slot::of(Some(&[1, 2, 3])).full_at(0), None);
    }
}
