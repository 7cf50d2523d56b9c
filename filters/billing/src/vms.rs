//! Which worker VMs there are: a VM that Envoy has loaded anew never leaves what it had
//! entered, so that what it holds counts only as long as it shows signs of life.

use crate::bytes::{Reader, Record, read, write};
use crate::table::{Table, change_surely};
use contract::limits::VM_STALE_MS;

const NAME: &str = "vms";

/// A VM and its last sign of life. The first record of the value is no VM: it has the number
/// that the next one will get.
struct Beat {
    vm: u32,
    at_ms: u64,
}

impl Record for Beat {
    const VERSION: u8 = 1;
    const BYTES: usize = 12;

    fn read(reader: &mut Reader) -> Option<Beat> {
        Some(Beat { vm: reader.u32()?, at_ms: reader.u64()? })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.vm.to_le_bytes());
        bytes.extend_from_slice(&self.at_ms.to_le_bytes());
    }
}

/// The VMs that were alive when it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alive {
    vms: Vec<u32>,
    next: u32,
}

impl Alive {
    /// Whether that VM lives: one that came after the question does.
    #[must_use]
    pub fn has(&self, vm: u32) -> bool {
        vm >= self.next || self.vms.contains(&vm)
    }
}

/// A number for a VM: never 0, and none that another VM of this process has had.
pub fn new_vm(table: &impl Table, now_ms: u64) -> u32 {
    let mut enlist = |value: Option<&[u8]>| {
        let mut beats = read::<Beat>(value);
        let vm = next_of(&beats);
        let counter = Beat { vm: vm.saturating_add(1), at_ms: 0 };
        match beats.first_mut() {
            Some(first) => *first = counter,
            None => beats.push(counter),
        }
        beats.push(Beat { vm, at_ms: now_ms });
        (Some(write(&beats)), vm)
    };
    // Where even that is always lost, a number that nobody gets from the table: what it holds
    // is never given up.
    change_surely(table, NAME, &mut enlist).unwrap_or(u32::MAX)
}

fn next_of(beats: &[Beat]) -> u32 {
    beats.first().map_or(1, |counter| counter.vm)
}

/// A sign of life, to be given each second. `false`: the VM was given up, together with all
/// that it held; it needs a [`new_vm`].
pub fn beat(table: &impl Table, vm: u32, now_ms: u64) -> bool {
    let mut sign = |value: Option<&[u8]>| {
        let mut beats = read::<Beat>(value);
        match beats.iter_mut().skip(1).find(|beat| beat.vm == vm) {
            Some(beat) => beat.at_ms = now_ms,
            None => return (None, false),
        }
        (Some(write(&beats)), true)
    };
    vm == u32::MAX || table.change(NAME, &mut sign).unwrap_or(true)
}

/// The VMs that live. Those that gave no sign for [`VM_STALE_MS`] are given up here, for good:
/// what somebody has read as dead does not come back to life. The answer may be kept for a
/// second or so.
pub fn alive(table: &impl Table, now_ms: u64) -> Alive {
    let mut give_up = |value: Option<&[u8]>| {
        let beats = read::<Beat>(value);
        let (next, many) = (next_of(&beats), beats.len());
        let lives = |beat: &Beat| now_ms.saturating_sub(beat.at_ms) < VM_STALE_MS;
        let numbered = beats.into_iter().enumerate();
        let fresh: Vec<Beat> =
            numbered.filter(|(place, beat)| *place == 0 || lives(beat)).map(|(_, b)| b).collect();
        let vms = fresh.iter().skip(1).map(|beat| beat.vm).collect();
        let changed = (fresh.len() < many).then(|| write(&fresh));
        (changed, Alive { vms, next })
    };
    // Nobody is known to be dead.
    table.change(NAME, &mut give_up).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    #[test]
    fn numbers_never_come_again() {
        let table = Memory::default();
        assert_eq!([new_vm(&table, 0), new_vm(&table, 0)], [1, 2]);
        assert_eq!(alive(&table, VM_STALE_MS), Alive { vms: vec![], next: 3 });
        assert_eq!(new_vm(&table, VM_STALE_MS), 3);
    }

    #[test]
    fn whoever_is_silent_is_given_up_for_good() {
        let table = Memory::default();
        let (a, b) = (new_vm(&table, 0), new_vm(&table, 0));
        assert!(beat(&table, a, VM_STALE_MS - 1));
        let alive = alive(&table, VM_STALE_MS);
        assert!(alive.has(a) && !alive.has(b) && !alive.has(0));
        assert!(alive.has(new_vm(&table, VM_STALE_MS)), "it came later");
        assert!(beat(&table, a, VM_STALE_MS) && !beat(&table, b, VM_STALE_MS));
    }

    #[test]
    fn where_nothing_is_known_everybody_lives() {
        let table = Memory::losing(u32::MAX);
        assert!(alive(&table, 0).has(5));
        assert_eq!(new_vm(&table, 0), u32::MAX);
        assert!(beat(&table, u32::MAX, 9) && alive(&Memory::default(), 9).has(u32::MAX));
    }
}
