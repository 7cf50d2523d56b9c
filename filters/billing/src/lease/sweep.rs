//! What is done with leases from time to time, by nobody's request: the role `sync` looks at
//! every slot each two seconds.

use super::name;
use super::slot::Slot;
use crate::table::{Table, change_surely};
use crate::vms::Alive;
use contract::lease::Returned;

/// Puts one slot in order: what dead VMs had reserved is spent; what was not used for
/// [`LEASE_IDLE_MS`](contract::limits::LEASE_IDLE_MS) goes back, also what is left of leases
/// that end soon or that others have replaced; and a lease of which nothing is reserved then
/// is over. Returns what the control plane does not know yet; the same again until it is
/// [`told`].
pub fn sweep(table: &impl Table, slot: u32, now_ms: u64, alive: &Alive) -> Vec<Returned> {
    let name = name(slot);
    // Most slots are empty.
    if table.read(&name).is_none_or(|value| value.len() <= 1) {
        return Vec::new();
    }
    let mut swept = |value: Option<&[u8]>| {
        let mut slot = Slot::of(value);
        slot.forget(now_ms);
        slot.cells_mut().for_each(|cell| cell.sweep(now_ms, alive));
        let written = slot.written();
        let untold = slot.cells().filter_map(|cell| cell.untold()).collect();
        (Some(written).filter(|written| Some(written.as_slice()) != value), untold)
    };
    table.change(&name, &mut swept).unwrap_or_default()
}

/// The control plane knows what `returned` says. A lease that is over is forgotten some
/// seconds later.
pub fn told(table: &impl Table, slot: u32, returned: &Returned, now_ms: u64) {
    let mut know = |value: Option<&[u8]>| {
        let mut slot = Slot::of(value);
        let Some(cell) = slot.lease(returned.lease) else { return (None, ()) };
        cell.told(returned, now_ms);
        (Some(slot.written()), ())
    };
    let _ = change_surely(table, &name(slot), &mut know);
}
