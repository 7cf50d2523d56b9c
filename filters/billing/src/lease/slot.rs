//! A slot of the table: the leases of some accounts, and what is remembered of accounts.

use super::Payer;
use super::cell::{Cell, Stage};
use crate::bytes::{Reader, Record, read, write};
use contract::limits::LEASES_PER_SLOT;

/// What the slot has on one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) tag: u128,
    pub(super) is: Is,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Is {
    Lease(Cell),
    /// Until then it is known to have no budget.
    Unbounded {
        until_ms: u64,
    },
    /// Until then the ledger is known to have no more; there may be some from `retry_ms` on.
    Dry {
        until_ms: u64,
        retry_ms: u64,
    },
}

impl Record for Entry {
    const VERSION: u8 = 1;
    const BYTES: usize = 128;

    fn read(reader: &mut Reader) -> Option<Entry> {
        let (tag, kind) = (reader.u128()?, reader.u8()?);
        let is = match kind {
            0 => Is::Lease(Cell::read(reader)?),
            1 => Is::Unbounded { until_ms: reader.u64()? },
            2 => Is::Dry { until_ms: reader.u64()?, retry_ms: reader.u64()? },
            _ => return None,
        };
        Some(Entry { tag, is })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.tag.to_le_bytes());
        match &self.is {
            Is::Lease(cell) => {
                bytes.push(0);
                cell.write(bytes);
            }
            Is::Unbounded { until_ms } => {
                bytes.push(1);
                bytes.extend_from_slice(&until_ms.to_le_bytes());
            }
            Is::Dry { until_ms, retry_ms } => {
                bytes.push(2);
                bytes.extend_from_slice(&until_ms.to_le_bytes());
                bytes.extend_from_slice(&retry_ms.to_le_bytes());
            }
        }
    }
}

/// All that a slot has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot(pub(super) Vec<Entry>);

impl Slot {
    pub(super) fn of(value: Option<&[u8]>) -> Slot {
        Slot(read(value))
    }

    pub(super) fn written(&self) -> Vec<u8> {
        write(&self.0)
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.0.iter().filter_map(|entry| match &entry.is {
            Is::Lease(cell) => Some(cell),
            Is::Unbounded { .. } | Is::Dry { .. } => None,
        })
    }

    pub(super) fn cells_mut(&mut self) -> impl Iterator<Item = &mut Cell> {
        self.entries_mut().map(|(_, cell)| cell)
    }

    fn entries_mut(&mut self) -> impl Iterator<Item = (u128, &mut Cell)> {
        self.0.iter_mut().filter_map(|entry| match &mut entry.is {
            Is::Lease(cell) => Some((entry.tag, cell)),
            Is::Unbounded { .. } | Is::Dry { .. } => None,
        })
    }

    /// The lease of that number.
    pub(super) fn lease(&mut self, number: u64) -> Option<&mut Cell> {
        self.cells_mut().find(|cell| cell.lease == number)
    }

    /// The payer's lease that new requests are paid from, or would be if it did not end soon.
    pub(super) fn open(&mut self, payer: &Payer) -> Option<&mut Cell> {
        let mut cells = self.entries_mut();
        cells
            .find_map(|(tag, cell)| (tag == payer.tag && cell.stage == Stage::Open).then_some(cell))
    }

    pub(super) fn is_unbounded(&self, payer: &Payer, now_ms: u64) -> bool {
        self.notes(payer).any(|is| matches!(is, Is::Unbounded { until_ms } if now_ms < *until_ms))
    }

    /// When there may be more, where the ledger has none.
    pub(super) fn dry_until(&self, payer: &Payer, now_ms: u64) -> Option<u64> {
        self.notes(payer).find_map(|is| match is {
            Is::Dry { until_ms, retry_ms } if now_ms < *until_ms => Some(*retry_ms),
            _ => None,
        })
    }

    fn notes(&self, payer: &Payer) -> impl Iterator<Item = &Is> {
        self.0.iter().filter(|entry| entry.tag == payer.tag).map(|entry| &entry.is)
    }

    /// Remembers one thing of the payer, and nothing else; if there is room.
    pub(super) fn note(&mut self, payer: &Payer, note: Option<Is>) {
        self.0.retain(|entry| entry.tag != payer.tag || matches!(entry.is, Is::Lease(_)));
        if self.0.len() < LEASES_PER_SLOT {
            self.0.extend(note.map(|is| Entry { tag: payer.tag, is }));
        }
    }

    /// Adds a lease. `false`: the slot is full of leases.
    #[must_use]
    pub(super) fn add(&mut self, payer: &Payer, cell: Cell, now_ms: u64) -> bool {
        if self.0.len() >= LEASES_PER_SLOT {
            self.forget(now_ms);
        }
        if self.0.len() >= LEASES_PER_SLOT {
            self.0.retain(|entry| matches!(entry.is, Is::Lease(_)));
        }
        let has_room = self.0.len() < LEASES_PER_SLOT;
        if has_room {
            self.0.push(Entry { tag: payer.tag, is: Is::Lease(cell) });
        }
        has_room
    }

    /// Drops what is of no use any more.
    pub(super) fn forget(&mut self, now_ms: u64) {
        self.0.retain(|entry| match &entry.is {
            Is::Lease(cell) => !cell.is_done(now_ms),
            Is::Unbounded { until_ms } | Is::Dry { until_ms, .. } => now_ms < *until_ms,
        });
    }
}
