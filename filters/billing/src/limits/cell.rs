//! What the table keeps of one bucket.
//!
//! The bucket itself is one number, the moment at which it will be full again. To give back
//! what was taken in vain one has to know how it would have stood otherwise: a bucket that
//! had been full meanwhile would have lost what came in. So what was taken since the bucket
//! was last full is kept, summed up by slices of time; with it the bucket can be played again
//! with the truth. All of a slice counts as taken at its end: that errs on the side of too
//! little, by what one slice holds at the most.

use crate::bytes::{Reader, Record};

/// Slices that are kept; with [`SLICES_PER_FILLING`] those of the last two fillings, two
/// minutes for tokens. What was taken earlier cannot be given back any more.
const SLICES: usize = 8;

/// Slices in the time that an empty bucket needs to be full.
const SLICES_PER_FILLING: u64 = 4;

/// What was taken in a slice of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slice {
    /// When the last of it was taken.
    at: u64,
    /// The time that it takes to refill it.
    ns: u64,
}

/// A bucket's cell. All times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) tag: u64,
    /// When it is full again: its theoretical arrival time.
    pub(super) full_at: u64,
    /// When it was full for the last time.
    since: u64,
    /// When it would be full if only that had been taken of which no slice is kept.
    base: u64,
    /// The slices, the oldest first; those that are not there yet have no length.
    slices: [Slice; SLICES],
}

impl Cell {
    pub(super) fn new(tag: u64) -> Cell {
        Cell { tag, full_at: 0, since: 0, base: 0, slices: [Slice::default(); SLICES] }
    }

    /// What takes `ns` to refill was taken, and it is full at `full_at` now. `filling_ns` is
    /// the time an empty bucket needs. Returns the moment to name when it is given back.
    pub(super) fn take(&mut self, now: u64, ns: u64, full_at: u64, filling_ns: u64) -> u64 {
        if self.full_at <= now {
            *self = Cell { since: now, ..Cell::new(self.tag) };
        }
        self.full_at = full_at;
        let last = self.slices.last().copied().unwrap_or_default();
        // No time is earlier than the one before, whatever the clock says.
        let at = last.at.max(now);
        let before = if place(last.at, filling_ns) == place(at, filling_ns) {
            last.ns
        } else {
            self.base = self.slices.first().map_or(self.base, |oldest| after(self.base, oldest));
            self.slices.rotate_left(1);
            0
        };
        if let Some(last) = self.slices.last_mut() {
            *last = Slice { at, ns: before.saturating_add(ns) };
        }
        at
    }

    /// Of what was taken at `at`, what takes `ns` to refill was not used.
    pub(super) fn give_back(&mut self, at: u64, ns: u64, filling_ns: u64) {
        let is_same = |slice: &&mut Slice| place(slice.at, filling_ns) == place(at, filling_ns);
        // Since then the bucket was full, or it is too long ago.
        let Some(slice) = self.slices.iter_mut().rfind(is_same).filter(|_| at >= self.since) else {
            return;
        };
        slice.ns = slice.ns.saturating_sub(ns);
        self.full_at = self.full_at.min(self.slices.iter().fold(self.base, after));
    }
}

/// Which slice a moment is in.
fn place(at: u64, filling_ns: u64) -> u64 {
    at / (filling_ns / SLICES_PER_FILLING).max(1)
}

/// When a bucket that is full at `full_at` is full once a slice was taken as well.
fn after(full_at: u64, slice: &Slice) -> u64 {
    full_at.max(slice.at).saturating_add(slice.ns)
}

impl Record for Cell {
    const VERSION: u8 = 1;
    const BYTES: usize = 49;

    fn read(reader: &mut Reader) -> Option<Cell> {
        Some(Cell {
            tag: reader.u64()?,
            full_at: reader.u64()?,
            since: reader.u64()?,
            base: reader.u64()?,
            slices: read_slices(reader)?,
        })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        for number in [self.tag, self.full_at, self.since, self.base] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let there = || self.slices.iter().skip_while(|slice| **slice == Slice::default());
        // There are no more than SLICES.
        bytes.push(u8::try_from(there().count()).unwrap_or(u8::MAX));
        for slice in there() {
            bytes.extend_from_slice(&slice.at.to_le_bytes());
            bytes.extend_from_slice(&slice.ns.to_le_bytes());
        }
    }
}

fn read_slices(reader: &mut Reader) -> Option<[Slice; SLICES]> {
    let mut slices = [Slice::default(); SLICES];
    let first = SLICES.checked_sub(usize::from(reader.u8()?))?;
    for slice in slices.iter_mut().skip(first) {
        *slice = Slice { at: reader.u64()?, ns: reader.u64()? };
    }
    Some(slices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{read, write};

    /// A bucket that needs 40 to be full: slices of 10.
    fn take(cell: &mut Cell, now: u64, ns: u64) -> u64 {
        let full_at = cell.full_at.max(now) + ns;
        cell.take(now, ns, full_at, 40)
    }

    #[test]
    fn what_was_not_used_comes_back() {
        let mut cell = Cell::new(1);
        let (first, second) = (take(&mut cell, 100, 30), take(&mut cell, 101, 5));
        cell.give_back(first, 20, 40);
        assert_eq!(cell.full_at, 101 + 15, "both count as taken at 101");
        cell.give_back(second, 5, 40);
        assert_eq!(cell.full_at, 101 + 10);
    }

    #[test]
    fn nothing_comes_back_through_a_full_bucket() {
        let mut cell = Cell::new(1);
        let first = take(&mut cell, 100, 30);
        take(&mut cell, 130, 20);
        cell.give_back(first, 30, 40);
        assert_eq!(cell.full_at, 150, "it was full at 130");
        let mut cell = Cell::new(1);
        let first = take(&mut cell, 100, 30);
        take(&mut cell, 125, 20);
        cell.give_back(first, 30, 40);
        assert_eq!(cell.full_at, 145, "it would have been full at 125");
    }

    #[test]
    fn slices_are_bounded_and_the_oldest_are_final() {
        let mut cell = Cell::new(1);
        let first = take(&mut cell, 100, 300);
        for n in 1..=SLICES as u64 {
            take(&mut cell, 100 + 10 * n, 1);
        }
        assert_eq!((cell.slices[0].at, cell.base, cell.full_at), (110, 400, 408));
        cell.give_back(first, 300, 40);
        assert_eq!(cell.full_at, 408);
        assert_eq!(read::<Cell>(Some(&write(&[cell]))), [cell]);
        assert_eq!(read::<Cell>(Some(&[vec![1; 33], vec![9; 200]].concat())), []);
    }

    #[test]
    fn times_do_not_go_back() {
        let mut cell = Cell::new(1);
        take(&mut cell, 100, 30);
        assert_eq!(take(&mut cell, 50, 3), 100);
        cell.give_back(100, 3, 40);
        assert_eq!(cell.full_at, 130);
    }
}
