//! How many requests are under way: counted for each scope and worker VM, so that the count
//! of a VM that is gone can be dropped.

use crate::bytes::{Reader, Record, read, write};
use crate::scope::Scope;
use crate::table::{Table, change_surely};
use crate::vms::Alive;

/// Counts in one slot: scopes that meet there, times the workers of a machine.
const COUNTS_PER_SLOT: usize = 512;

/// Requests of a scope that one VM has under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    tag: u64,
    vm: u32,
    many: u32,
}

impl Record for Count {
    const VERSION: u8 = 1;
    const BYTES: usize = 16;

    fn read(reader: &mut Reader) -> Option<Count> {
        Some(Count { tag: reader.u64()?, vm: reader.u32()?, many: reader.u32()? })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.tag.to_le_bytes());
        bytes.extend_from_slice(&self.vm.to_le_bytes());
        bytes.extend_from_slice(&self.many.to_le_bytes());
    }
}

/// What a request has entered, and has to leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entered {
    vm: u32,
    scopes: Vec<Scope>,
}

/// Counts a request in all scopes, each with the most that may be under way on all of
/// `gateways` together; of which this one has its part, at least 1.
///
/// # Errors
/// The first scope that has no room, or whose slot is full or never free; nothing is counted
/// then.
pub fn enter(
    table: &impl Table,
    scopes: &[(Scope, u32)],
    vm: u32,
    alive: &Alive,
    gateways: u32,
) -> Result<Entered, Scope> {
    let mut entered = Entered { vm, scopes: Vec::with_capacity(scopes.len()) };
    let part = |most: u32| (most / gateways.max(1)).max(1);
    // A request that some scope has no room for does not keep others out for a moment.
    let is_full = |(scope, most): &&(Scope, u32)| {
        scopes.len() > 1 && under_way(table, *scope, alive) >= u64::from(part(*most))
    };
    if let Some((full, _)) = scopes.iter().find(is_full) {
        return Err(*full);
    }
    for (scope, most) in scopes {
        if !enter_one(table, *scope, part(*most), vm, alive) {
            leave(table, entered);
            return Err(*scope);
        }
        entered.scopes.push(*scope);
    }
    Ok(entered)
}

fn under_way(table: &impl Table, scope: Scope, alive: &Alive) -> u64 {
    sum(&read::<Count>(table.read(&name(scope)).as_deref()), scope.tag, alive)
}

fn sum(counts: &[Count], tag: u64, alive: &Alive) -> u64 {
    let ours = counts.iter().filter(|count| count.tag == tag && alive.has(count.vm));
    ours.map(|count| u64::from(count.many)).sum()
}

fn enter_one(table: &impl Table, scope: Scope, most: u32, vm: u32, alive: &Alive) -> bool {
    let mut one_more = |value: Option<&[u8]>| {
        let mut counts = read::<Count>(value);
        counts.retain(|count| alive.has(count.vm));
        if sum(&counts, scope.tag, alive) >= u64::from(most) {
            return (None, false);
        }
        let is_full = counts.len() >= COUNTS_PER_SLOT;
        match counts.iter_mut().find(|count| count.tag == scope.tag && count.vm == vm) {
            Some(count) => count.many = count.many.saturating_add(1),
            None if is_full => return (None, false),
            None => counts.push(Count { tag: scope.tag, vm, many: 1 }),
        }
        (Some(write(&counts)), true)
    };
    table.change(&name(scope), &mut one_more).unwrap_or(false)
}

/// Counts a request no more.
pub fn leave(table: &impl Table, entered: Entered) {
    for scope in entered.scopes {
        let mut one_less = |value: Option<&[u8]>| {
            let mut counts = read::<Count>(value);
            let ours = |count: &&mut Count| count.tag == scope.tag && count.vm == entered.vm;
            let Some(count) = counts.iter_mut().find(ours) else { return (None, ()) };
            count.many = count.many.saturating_sub(1);
            counts.retain(|count| count.many > 0);
            (Some(write(&counts)), ())
        };
        // Where others always are faster the count heals with the VM's end.
        let _ = change_surely(table, &name(scope), &mut one_less);
    }
}

fn name(scope: Scope) -> String {
    format!("c/{}", scope.slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;
    use crate::scope::Kind;
    use crate::vms::{alive, beat, new_vm};
    use contract::limits::VM_STALE_MS;

    fn scope(name: &str) -> Scope {
        Scope::new(1, Kind::Key, &[name])
    }

    #[test]
    fn all_scopes_are_entered_or_none() {
        let (table, all) = (Memory::default(), Alive::default());
        let (a, b) = (scope("a"), scope("b"));
        let first = enter(&table, &[(a, 2), (b, 1)], 1, &all, 1).unwrap();
        assert_eq!(enter(&table, &[(a, 2), (b, 1)], 1, &all, 1), Err(b));
        assert_eq!(under_way(&table, a, &all), 1);
        let second = enter(&table, &[(a, 2)], 2, &all, 1).unwrap();
        assert_eq!(enter(&table, &[(a, 2)], 2, &all, 1), Err(a));
        leave(&table, first);
        leave(&table, second);
        assert_eq!([under_way(&table, a, &all), under_way(&table, b, &all)], [0, 0]);
        assert_eq!(table.read("c/0").unwrap_or(vec![1]), [1]);
    }

    #[test]
    fn gateways_share_what_there_is() {
        let (table, all) = (Memory::default(), Alive::default());
        for (most, gateways, expected) in [(4, 2, 2), (1, 5, 1), (3, 0, 3), (0, 1, 1)] {
            let key = scope(&format!("{most}/{gateways}"));
            let entered =
                (0..9).map_while(|_| enter(&table, &[(key, most)], 1, &all, gateways).ok());
            assert_eq!(entered.count(), expected, "{most}/{gateways}");
        }
    }

    #[test]
    fn what_a_dead_vm_had_entered_heals() {
        let table = Memory::default();
        let (a, b) = (new_vm(&table, 0), new_vm(&table, 0));
        let key = [(scope("a"), 1)];
        let lost = enter(&table, &key, a, &alive(&table, 0), 1).unwrap();
        assert_eq!(enter(&table, &key, b, &alive(&table, 0), 1), Err(scope("a")));
        assert!(beat(&table, b, VM_STALE_MS));
        let alive = alive(&table, VM_STALE_MS);
        enter(&table, &key, b, &alive, 1).unwrap();
        leave(&table, lost);
        assert_eq!(under_way(&table, scope("a"), &alive), 1, "the dead one's is none of b's");
    }

    #[test]
    fn where_others_always_are_faster_nobody_enters() {
        let (table, all) = (Memory::default(), Alive::default());
        let entered = enter(&table, &[(scope("a"), 9)], 1, &all, 1).unwrap();
        table.lose(64);
        assert_eq!(enter(&table, &[(scope("a"), 9)], 1, &all, 1), Err(scope("a")));
        leave(&table, entered);
        assert_eq!(under_way(&table, scope("a"), &all), 0);
    }

    #[test]
    fn a_full_slot_has_no_room() {
        let (table, all) = (Memory::default(), Alive::default());
        let many = (0..600_u64).map(|tag| Count { tag, vm: 1, many: 1 }).collect::<Vec<_>>();
        table.put(&name(scope("a")), write(&many[..COUNTS_PER_SLOT]));
        assert_eq!(enter(&table, &[(scope("a"), 9)], 1, &all, 1), Err(scope("a")));
        new_vm(&table, 0);
        let one_died = alive(&table, VM_STALE_MS);
        assert!(enter(&table, &[(scope("a"), 9)], 2, &one_died, 1).is_ok(), "the dead make room");
        table.put(&name(scope("a")), vec![1, 2, 3]);
        assert!(enter(&table, &[(scope("a"), 9)], 1, &all, 1).is_ok(), "broken is empty");
    }

    #[test]
    fn no_more_enter_than_may_from_several_threads() {
        let (table, all) = (Memory::default(), Alive::default());
        let entered = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|threads| {
            for vm in 1..5 {
                let (table, all, entered) = (&table, &all, &entered);
                threads.spawn(move || {
                    for _ in 0..20 {
                        let scopes = [(scope("a"), 10), (scope("b"), 30)];
                        if enter(table, &scopes, vm, all, 1).is_ok() {
                            entered.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        assert_eq!(entered.into_inner(), 10);
        assert_eq!(under_way(&table, scope("b"), &all), 10);
    }
}
