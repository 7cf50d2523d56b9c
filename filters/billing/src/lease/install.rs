//! An answer of the control plane comes into the table.

use super::cell::{Cell, NEVER_MS, Stage};
use super::slot::{Is, Slot};
use super::{DRY_MS, Payer, UNBOUNDED_MS, name};
use crate::table::{Table, change_surely};
use contract::lease::{Leased, Returned};

/// What the control plane has said of `payer` counts from now on. An answer may come late or
/// twice. What is returned has to be given back at once: there is no room for that lease.
pub fn install(
    table: &impl Table,
    payer: &Payer,
    leased: &Leased,
    now_ms: u64,
) -> Option<Returned> {
    let mut change = |value: Option<&[u8]>| {
        let mut slot = Slot::of(value);
        let too_much = installed(&mut slot, payer, leased, now_ms);
        (Some(slot.written()), too_much)
    };
    // What could not be put in comes back when the lease expires: it may be one that is here
    // already, and is spent from.
    let too_much = change_surely(table, &name(payer.slot), &mut change).flatten();
    too_much.map(|(lease, total)| Returned { lease, total, over: true })
}

fn installed(slot: &mut Slot, payer: &Payer, leased: &Leased, now_ms: u64) -> Option<(u64, u64)> {
    match leased {
        Leased::Granted { lease, granted, expires_ms, ends_ms, last } => {
            let ends_ms = ends_ms.unwrap_or(NEVER_MS);
            let until_ms = now_ms.saturating_add(DRY_MS);
            slot.note(payer, last.then_some(Is::Dry { until_ms, retry_ms: ends_ms }));
            let new = Cell {
                lease: *lease,
                stage: Stage::Open,
                granted: *granted,
                returned: 0,
                told: 0,
                spent: 0,
                expires_ms: *expires_ms,
                ends_ms,
                used_ms: now_ms,
                epoch: 0,
                holders: Vec::new(),
            };
            grow(slot, payer, new, !*last, now_ms)
        }
        Leased::Exhausted { retry_after_s } => {
            let retry_ms = retry_after_s.map(|s| now_ms.saturating_add(s.saturating_mul(1_000)));
            let retry_ms = retry_ms.unwrap_or(NEVER_MS);
            let until_ms = now_ms.saturating_add(DRY_MS).min(retry_ms);
            slot.note(payer, Some(Is::Dry { until_ms, retry_ms }));
            None
        }
        Leased::Unbounded => {
            retire(slot, payer);
            let until_ms = now_ms.saturating_add(UNBOUNDED_MS);
            slot.note(payer, Some(Is::Unbounded { until_ms }));
            None
        }
    }
}

/// The lease grows, or is there from now on in place of another one, which gives back what
/// nobody has reserved. A last rest that is too small for every request must lie idle
/// (`is_used`), so that it comes back. Returns what there is no room for.
fn grow(
    slot: &mut Slot,
    payer: &Payer,
    new: Cell,
    is_used: bool,
    now_ms: u64,
) -> Option<(u64, u64)> {
    let has_other = slot.open(payer).is_some_and(|open| open.lease != new.lease);
    let Some(known) = slot.lease(new.lease) else {
        retire(slot, payer);
        let (lease, granted) = (new.lease, new.granted);
        return (!slot.add(payer, new, now_ms)).then_some((lease, granted));
    };
    known.granted = known.granted.max(new.granted);
    known.expires_ms = known.expires_ms.max(new.expires_ms);
    if is_used {
        known.used_ms = now_ms;
    }
    if known.stage == Stage::Retiring && !has_other && !known.is_ending(now_ms) {
        known.stage = Stage::Open;
    }
    None
}

fn retire(slot: &mut Slot, payer: &Payer) {
    while let Some(open) = slot.open(payer) {
        open.stage = Stage::Retiring;
    }
}
