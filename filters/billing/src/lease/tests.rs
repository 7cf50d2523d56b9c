use super::cell::{Cell, HOLDERS_MAX, Stage};
use super::slot::Slot;
use super::*;
use crate::memory::Memory;
use crate::table::Table;
use crate::vms::{Alive, alive, beat, new_vm};
use contract::lease::{Account, Leased, Returned};
use contract::limits::{LEASE_IDLE_MS, LEASE_SLOTS, LEASE_TTL_MS, LEASES_PER_SLOT, VM_STALE_MS};

mod any_order;

const NOW: u64 = 1_800_000_000_000;

fn payer(name: &str) -> Payer {
    Payer::new(1, &Account::parse(name).unwrap())
}

fn granted(lease: u64, granted: u64) -> Leased {
    let expires_ms = NOW + LEASE_TTL_MS;
    Leased::Granted { lease, granted, expires_ms, ends_ms: None, last: false }
}

/// A payer with a lease.
fn funded(table: &Memory, name: &str, lease: u64, amount: u64) -> Payer {
    let payer = payer(name);
    assert_eq!(install(table, &payer, &granted(lease, amount), NOW), None);
    payer
}

fn cell(table: &Memory, payer: &Payer, lease: u64) -> Option<Cell> {
    let slot = Slot::of(table.read(&name(payer.slot)).as_deref());
    slot.cells().find(|cell| cell.lease == lease).cloned()
}

fn available(table: &Memory, payer: &Payer, lease: u64) -> u64 {
    cell(table, payer, lease).map_or(0, |cell| cell.available())
}

fn wanted(payer: &Payer, need: u64, lease: u64) -> Wanted {
    Wanted { account: payer.name().to_owned(), need, lease }
}

fn back(lease: u64, total: u64, over: bool) -> Vec<Returned> {
    vec![Returned { lease, total, over }]
}

#[test]
fn all_accounts_pay_or_none() {
    let table = Memory::default();
    let (tenant, key) = (funded(&table, "tenant/t", 1, 100), funded(&table, "key/k", 2, 60));
    let payers = [tenant.clone(), key.clone()];
    let first = reserve(&table, &payers, 50, 1, NOW).unwrap();
    assert_eq!((first.leases(), first.nanodollars(), first.is_empty()), (vec![1, 2], 50, false));
    let short = reserve(&table, &payers, 50, 1, NOW).unwrap_err();
    let expected =
        Short { missing: vec![wanted(&key, 40, 2)], available: 10, retry_after_s: Some(1) };
    assert_eq!(short, expected);
    assert_eq!([available(&table, &tenant, 1), available(&table, &key, 2)], [50, 10]);
    settle(&table, first, 20, NOW);
    assert_eq!([available(&table, &tenant, 1), available(&table, &key, 2)], [80, 40]);
}

#[test]
fn who_has_no_lease_is_to_be_asked_for() {
    let table = Memory::default();
    let (tenant, key) = (payer("tenant/t"), payer("key/k"));
    let short = reserve(&table, &[tenant.clone(), key.clone()], 7, 1, NOW).unwrap_err();
    assert_eq!(short.missing, [wanted(&tenant, 7, 0), wanted(&key, 7, 0)]);
    assert_eq!((short.available, short.retry_after_s), (0, Some(1)));
    assert!(reserve(&table, &[], 7, 1, NOW).unwrap().is_empty());
    assert!(reserve(&table, &[tenant], 0, 1, NOW).unwrap().is_empty(), "nothing to pay");
}

#[test]
fn who_has_no_budget_pays_nothing_for_a_while() {
    let table = Memory::default();
    let (tenant, key) = (payer("tenant/t"), funded(&table, "key/k", 2, 60));
    install(&table, &tenant, &Leased::Unbounded, NOW);
    let payers = [tenant, key];
    let mut held = reserve(&table, &payers, 50, 1, NOW).unwrap();
    assert_eq!(held.leases(), [2]);
    assert_eq!(extend(&table, &mut held, 10, NOW), Ok(()));
    settle(&table, held, 1, NOW);
    assert!(reserve(&table, &payers, 50, 1, NOW + UNBOUNDED_MS).is_err());
}

#[test]
fn a_budget_that_goes_away_gives_its_lease_back() {
    let table = Memory::default();
    let key = funded(&table, "key/k", 2, 60);
    let mut held = reserve(&table, std::slice::from_ref(&key), 50, 1, NOW).unwrap();
    install(&table, &key, &Leased::Unbounded, NOW);
    assert_eq!(extend(&table, &mut held, 500, NOW), Ok(()), "nothing bounds it");
    settle(&table, held, 40, NOW);
    assert_eq!(sweep(&table, key.slot, NOW, &Alive::default()), back(2, 20, true));
    // It has one again.
    assert_eq!(install(&table, &key, &granted(3, 10), NOW), None);
    assert_eq!(reserve(&table, &[key], 10, 1, NOW).unwrap().leases(), [3]);
}

#[test]
fn what_the_ledger_does_not_have_is_asked_for_once_a_second() {
    let table = Memory::default();
    let key = [payer("key/k")];
    let cases = [
        // the answer; available, seconds to wait
        (Leased::Exhausted { retry_after_s: Some(90) }, 0, Some(90)),
        (Leased::Exhausted { retry_after_s: None }, 0, None),
        (last(5, Some(NOW + 3_600_000)), 5, Some(3_600)),
        (last(5, None), 5, None),
    ];
    for (leased, available, retry_after_s) in cases {
        install(&table, &key[0], &leased, NOW);
        let short = reserve(&table, &key, 6, 1, NOW + DRY_MS - 1).unwrap_err();
        let found = (short.missing.len(), short.available);
        assert_eq!(found, (0, available), "{leased:?}");
        let waited = short.retry_after_s.map(|s| if s < 90 { s } else { s.div_ceil(90) * 90 });
        assert_eq!(waited, retry_after_s, "{leased:?}");
        let short = reserve(&table, &key, 6, 1, NOW + DRY_MS).unwrap_err();
        assert_eq!(short.missing.len(), 1, "{leased:?}");
    }
    // Others may not need what they hold.
    install(&table, &key[0], &last(5, None), NOW);
    let held = reserve(&table, &key, 4, 1, NOW).unwrap();
    assert_eq!(reserve(&table, &key, 6, 1, NOW).unwrap_err().retry_after_s, Some(2));
    settle(&table, held, 0, NOW);
}

fn last(amount: u64, ends_ms: Option<u64>) -> Leased {
    Leased::Granted {
        lease: 7,
        granted: amount,
        expires_ms: NOW + LEASE_TTL_MS,
        ends_ms,
        last: true,
    }
}

#[test]
fn answers_come_late_and_twice() {
    let table = Memory::default();
    let key = funded(&table, "key/k", 1, 100);
    install(&table, &key, &granted(1, 300), NOW);
    install(&table, &key, &granted(1, 200), NOW);
    assert_eq!(available(&table, &key, 1), 300);
}

#[test]
fn another_lease_replaces_the_first_one() {
    let table = Memory::default();
    let key = funded(&table, "key/k", 1, 100);
    let payers = std::slice::from_ref(&key);
    let mut old = reserve(&table, payers, 30, 1, NOW).unwrap();
    install(&table, &key, &granted(2, 50), NOW);
    let new = reserve(&table, payers, 50, 1, NOW).unwrap();
    assert_eq!((old.leases(), new.leases()), (vec![1], vec![2]));
    let alive = Alive::default();
    assert_eq!(sweep(&table, key.slot, NOW, &alive), back(1, 40, false), "30 more may be needed");
    assert_eq!(extend(&table, &mut old, 30, NOW), Ok(()));
    let short = extend(&table, &mut old, 1, NOW).unwrap_err();
    assert_eq!((short.missing.len(), short.available), (0, 0), "it does not grow any more");
    settle(&table, old, 45, NOW);
    assert_eq!(sweep(&table, key.slot, NOW, &alive), back(1, 55, true));
    settle(&table, new, 50, NOW);
}

#[test]
fn what_lies_idle_goes_back_until_the_control_plane_knows() {
    let table = Memory::default();
    let key = funded(&table, "key/k", 1, 100);
    let (payers, alive) = (std::slice::from_ref(&key), Alive::default());
    settle(&table, reserve(&table, payers, 30, 1, NOW).unwrap(), 25, NOW);
    assert_eq!(sweep(&table, key.slot, NOW + LEASE_IDLE_MS - 1, &alive), []);
    let idle = NOW + LEASE_IDLE_MS;
    assert_eq!(sweep(&table, key.slot, idle, &alive), back(1, 75, true));
    assert_eq!(reserve(&table, payers, 1, 1, idle).unwrap_err().missing, [wanted(&key, 1, 0)]);
    assert_eq!(sweep(&table, key.slot, idle + 1, &alive), back(1, 75, true), "not told yet");
    told(&table, key.slot, &back(1, 75, true)[0], idle);
    assert_eq!(sweep(&table, key.slot, idle, &alive), []);
    // An answer that was on its way does not bring it back; what it brought goes back.
    install(&table, &key, &granted(1, 500), idle);
    assert!(reserve(&table, payers, 1, 1, idle).is_err());
    assert_eq!(sweep(&table, key.slot, idle, &alive), back(1, 475, true));
    told(&table, key.slot, &back(1, 475, true)[0], idle);
    assert_eq!(sweep(&table, key.slot, idle + 10_000, &alive), []);
    assert_eq!(table.read(&name(key.slot)), Some(vec![1]), "forgotten");
}

#[test]
fn a_clock_that_jumps_back_keeps_no_lease_from_lying_idle() {
    let table = Memory::default();
    let key = funded(&table, "key/k", 1, 100);
    let (payers, alive) = (std::slice::from_ref(&key), Alive::default());
    let later = NOW + 300_000;
    settle(&table, reserve(&table, payers, 30, 1, later).unwrap(), 25, later);
    assert_eq!(sweep(&table, key.slot, NOW, &alive), []);
    assert_eq!(sweep(&table, key.slot, NOW + LEASE_IDLE_MS, &alive), back(1, 75, true));
}

#[test]
fn a_last_rest_that_pays_for_nothing_goes_back_though_it_is_asked_for() {
    let table = Memory::default();
    let (key, alive) = (payer("key/k"), Alive::default());
    install(&table, &key, &last(5, None), NOW);
    let idle = NOW + LEASE_IDLE_MS;
    install(&table, &key, &last(5, None), idle - 1);
    assert_eq!(sweep(&table, key.slot, idle, &alive), back(7, 5, true));
}

#[test]
fn an_idle_lease_keeps_as_much_again_as_is_reserved() {
    let table = Memory::default();
    let key = funded(&table, "key/k", 1, 100);
    let mut held = reserve(&table, std::slice::from_ref(&key), 30, 1, NOW).unwrap();
    let idle = NOW + LEASE_IDLE_MS;
    assert_eq!(sweep(&table, key.slot, idle, &Alive::default()), back(1, 40, false));
    let short = extend(&table, &mut held, 31, idle).unwrap_err();
    assert_eq!((short.missing, short.available), (vec![wanted(&key, 1, 1)], 30));
    install(&table, &key, &granted(1, 101), idle);
    assert_eq!(extend(&table, &mut held, 31, idle), Ok(()));
    assert_eq!(held.nanodollars(), 61);
    settle(&table, held, 61, idle);
    assert_eq!(available(&table, &key, 1), 0);
}

#[test]
fn leases_end() {
    let alive = Alive::default();
    let ends = |expires_ms| Leased::Granted {
        lease: 1,
        granted: 100,
        expires_ms,
        ends_ms: Some(NOW + 1_000),
        last: false,
    };
    for (leased, ends_ms) in [
        (granted(1, 100), NOW + LEASE_TTL_MS - EXPIRY_MARGIN_MS),
        (ends(NOW + LEASE_TTL_MS), NOW + 1_000),
        (ends(NOW + 1_000), NOW + 1_000),
    ] {
        let table = Memory::default();
        let key = payer("key/k");
        install(&table, &key, &leased, NOW);
        let payers = std::slice::from_ref(&key);
        let held = reserve(&table, payers, 20, 1, ends_ms - 1).unwrap();
        let short = reserve(&table, payers, 20, 1, ends_ms).unwrap_err();
        assert_eq!(short.missing, [wanted(&key, 20, 0)]);
        assert_eq!(sweep(&table, key.slot, ends_ms, &alive), back(1, 60, false));
        settle(&table, held, 15, ends_ms);
        assert_eq!(sweep(&table, key.slot, ends_ms, &alive), back(1, 85, true));
    }
}

#[test]
fn what_a_dead_vm_had_reserved_is_spent() {
    let table = Memory::default();
    let (dead, living) = (new_vm(&table, NOW), new_vm(&table, NOW));
    let key = funded(&table, "key/k", 1, 100);
    let payers = std::slice::from_ref(&key);
    let mut lost = reserve(&table, payers, 30, dead, NOW).unwrap();
    let held = reserve(&table, payers, 20, living, NOW).unwrap();
    let now = NOW + VM_STALE_MS;
    assert!(beat(&table, living, now));
    sweep(&table, key.slot, now, &alive(&table, now));
    let spent = |table: &Memory| cell(table, &key, 1).map(|cell| (cell.spent, cell.reserved()));
    assert_eq!(spent(&table), Some((30, 20)));
    // It was only slow.
    assert!(!beat(&table, dead, now) && extend(&table, &mut lost, 1, now).is_err());
    settle(&table, lost, 10, now);
    assert_eq!(spent(&table), Some((30, 20)), "it is spent already");
    settle(&table, held, 5, now);
    assert_eq!(spent(&table), Some((35, 0)));
}

#[test]
fn a_cost_beyond_its_reservation_is_spent_all_the_same() {
    let table = Memory::default();
    let key = funded(&table, "key/k", 1, 100);
    let payers = std::slice::from_ref(&key);
    settle(&table, reserve(&table, payers, 30, 1, NOW).unwrap(), 170, NOW);
    assert_eq!(available(&table, &key, 1), 0);
    let short = reserve(&table, payers, 10, 1, NOW).unwrap_err();
    assert_eq!(short.missing, [wanted(&key, 10, 1)]);
    assert_eq!(sweep(&table, key.slot, NOW + LEASE_IDLE_MS, &Alive::default()), back(1, 0, true));
}

#[test]
fn an_extension_is_paid_by_all_or_by_none() {
    let table = Memory::default();
    let (tenant, key) = (funded(&table, "tenant/t", 1, 100), funded(&table, "key/k", 2, 60));
    let mut held = reserve(&table, &[tenant.clone(), key.clone()], 50, 1, NOW).unwrap();
    let short = extend(&table, &mut held, 20, NOW).unwrap_err();
    assert_eq!((short.missing, short.available), (vec![wanted(&key, 10, 2)], 10));
    assert_eq!((available(&table, &tenant, 1), held.nanodollars()), (50, 50));
    settle(&table, held, 50, NOW);
    assert_eq!([available(&table, &tenant, 1), available(&table, &key, 2)], [50, 10]);
}

#[test]
fn where_others_always_are_faster_nothing_is_reserved() {
    let table = Memory::default();
    let (tenant, key) = (funded(&table, "tenant/t", 1, 100), funded(&table, "key/k", 2, 60));
    table.lose(u32::MAX);
    let payers = [tenant.clone(), key];
    assert_eq!(
        reserve(&table, &payers, 10, 1, NOW),
        Err(Short { missing: vec![], available: 0, retry_after_s: Some(1) })
    );
    // It comes back when it expires.
    assert_eq!(install(&table, &tenant, &granted(9, 40), NOW), None);
    table.lose(40);
    settle(&table, reserve(&table, &payers, 10, 1, NOW).unwrap(), 10, NOW);
    assert_eq!(available(&table, &tenant, 1), 90);
}

#[test]
fn what_is_held_comes_back_when_a_later_account_fails() {
    let table = Memory::default();
    let payers = [funded(&table, "tenant/t", 1, 100), funded(&table, "key/k", 2, 60)];
    table.keep_busy(Some(&name(payers[1].slot)));
    let short = reserve(&table, &payers, 50, 1, NOW).unwrap_err();
    assert_eq!((short.missing.len(), short.available), (0, 0));
    assert!(cell(&table, &payers[0], 1).unwrap().holders.is_empty());
    table.keep_busy(None);
    assert!(reserve(&table, &payers, 50, 1, NOW).is_ok());
}

#[test]
fn a_full_slot_sends_leases_back() {
    let table = Memory::default();
    let key = payer("key/k");
    let others = |n: u64| {
        let mut other = key.clone();
        other.tag = u128::from(n);
        other
    };
    for n in 0..LEASES_PER_SLOT as u64 {
        let leased = if n < 3 { Leased::Exhausted { retry_after_s: None } } else { granted(n, 1) };
        assert_eq!(install(&table, &others(n), &leased, NOW), None);
    }
    assert_eq!(install(&table, &key, &granted(1_000, 9), NOW), None, "what was noted gives way");
    for n in 1_001..1_003 {
        assert_eq!(install(&table, &others(n), &granted(n, 9), NOW), None);
    }
    let full = install(&table, &others(1_003), &granted(1_003, 9), NOW);
    assert_eq!(full, Some(Returned { lease: 1_003, total: 9, over: true }));
    assert_eq!(install(&table, &others(1_003), &Leased::Unbounded, NOW), None);
    assert_eq!(available(&table, &key, 1_000), 9);
}

#[test]
fn a_lease_has_a_bounded_number_of_holders() {
    let table = Memory::default();
    let key = funded(&table, "key/k", 1, u64::MAX);
    let payers = std::slice::from_ref(&key);
    let held: Vec<_> = (0..=HOLDERS_MAX as u32)
        .map(|vm| reserve(&table, payers, 1, vm, NOW))
        .take_while(Result::is_ok)
        .collect();
    assert_eq!(held.len(), HOLDERS_MAX);
    assert!(cell(&table, &key, 1).unwrap().stage == Stage::Open);
    assert!(reserve(&table, payers, 1, 0, NOW).is_ok());
}

#[test]
fn a_broken_slot_is_empty() {
    let table = Memory::default();
    let key = funded(&table, "key/k", 1, 100);
    let whole = table.read(&name(key.slot)).unwrap();
    for at in 0..whole.len() {
        for broken in [whole[..at].to_vec(), [&whole[..at], &[255], &whole[at + 1..]].concat()] {
            table.put(&name(key.slot), broken);
            let held = reserve(&table, std::slice::from_ref(&key), 1, 1, NOW);
            sweep(&table, key.slot, NOW, &Alive::default());
            settle(&table, held.unwrap_or_default(), 1, NOW);
        }
    }
    assert!(sweep(&table, LEASE_SLOTS - 1, NOW, &Alive::default()).is_empty());
}

#[test]
fn workers_together_spend_what_there_is() {
    let table = Memory::default();
    let payers = [funded(&table, "tenant/t", 1, 1_000), funded(&table, "key/k", 2, 105)];
    let count = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|threads| {
        for vm in 1..5 {
            let (table, payers, count) = (&table, &payers, &count);
            threads.spawn(move || {
                for _ in 0..20 {
                    if let Ok(held) = reserve(table, payers, 10, vm, NOW) {
                        settle(table, held, 5, NOW);
                        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let settled = count.into_inner();
    assert!((17..=20).contains(&settled), "{settled}");
    assert_eq!(available(&table, &payers[0], 1), 1_000 - 5 * settled);
    assert_eq!(available(&table, &payers[1], 2), 105 - 5 * settled);
}

#[test]
fn a_vm_that_does_not_know_yet_that_it_is_dead_begins_anew() {
    let table = Memory::default();
    let vm = new_vm(&table, NOW);
    let key = funded(&table, "key/k", 1, 100);
    let payers = std::slice::from_ref(&key);
    let lost = reserve(&table, payers, 30, vm, NOW).unwrap();
    let now = NOW + VM_STALE_MS;
    sweep(&table, key.slot, now, &alive(&table, now));
    let held = reserve(&table, payers, 20, vm, now).unwrap();
    settle(&table, lost, 10, now);
    let spent = |table: &Memory| cell(table, &key, 1).map(|cell| (cell.spent, cell.reserved()));
    assert_eq!(spent(&table), Some((30, 20)), "the second request is under way");
    settle(&table, held, 5, now);
    assert_eq!(spent(&table), Some((35, 0)));
}
