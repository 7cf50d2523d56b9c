//! Any order of requests, answers of the ledger, sweeps and dying VMs.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Wait {
        ms: u64,
    },
    /// The ledger answers for one payer: the lease grows, or another one begins.
    Install {
        payer: usize,
        more: u64,
        is_new: bool,
        last: bool,
    },
    Unbounded {
        payer: usize,
    },
    Reserve {
        payers: usize,
        amount: u64,
        vm: usize,
    },
    Extend {
        which: usize,
        more: u64,
    },
    Settle {
        which: usize,
        percent: u64,
    },
    Sweep {
        tells: bool,
    },
    /// A VM is silent for too long; its requests may settle all the same, or not.
    Die {
        vm: usize,
    },
    /// Others are faster for a while.
    Lose {
        swaps: u32,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..6_000_u64).prop_map(|ms| Step::Wait { ms }),
        3 => (0..3_usize, 0..300_u64, any::<bool>(), any::<bool>()).prop_map(
            |(payer, more, is_new, last)| Step::Install { payer, more, is_new, last }
        ),
        1 => (0..3_usize).prop_map(|payer| Step::Unbounded { payer }),
        6 => (1..8_usize, 0..90_u64, 0..3_usize)
            .prop_map(|(payers, amount, vm)| Step::Reserve { payers, amount, vm }),
        3 => (0..50_usize, 0..40_u64).prop_map(|(which, more)| Step::Extend { which, more }),
        5 => (0..50_usize, 0..=100_u64)
            .prop_map(|(which, percent)| Step::Settle { which, percent }),
        4 => any::<bool>().prop_map(|tells| Step::Sweep { tells }),
        1 => (0..3_usize).prop_map(|vm| Step::Die { vm }),
        1 => (0..70_u32).prop_map(|swaps| Step::Lose { swaps }),
    ]
}

/// What the ledger and the requests know of a lease.
#[derive(Default)]
struct Truth {
    granted: u64,
    /// What requests have cost.
    cost: u64,
    told: u64,
    over: bool,
}

struct Run {
    table: Memory,
    now: u64,
    payers: Vec<Payer>,
    /// The lease of each payer that grows.
    growing: Vec<Option<u64>>,
    leases: BTreeMap<u64, Truth>,
    vms: Vec<u32>,
    held: Vec<Reservation>,
}

impl Run {
    fn new() -> Run {
        let table = Memory::default();
        let vms = (0..3).map(|_| new_vm(&table, NOW)).collect();
        let mut payers = ["tenant/t", "key/k", "user/t/u"].map(payer).to_vec();
        // Two of them meet in one slot.
        payers[1].slot = payers[0].slot;
        Run {
            table,
            now: NOW,
            payers,
            growing: vec![None; 3],
            leases: BTreeMap::new(),
            vms,
            held: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Wait { ms } => self.now += ms,
            Step::Install { payer, more, is_new, last } => self.install(payer, more, is_new, last),
            Step::Unbounded { payer } => {
                install(&self.table, &self.payers[payer], &Leased::Unbounded, self.now);
            }
            Step::Reserve { payers, amount, vm } => {
                let chosen = (0..3).filter(|n| payers >> n & 1 == 1);
                let chosen: Vec<Payer> = chosen.map(|n| self.payers[n].clone()).collect();
                self.held.extend(reserve(&self.table, &chosen, amount, self.vms[vm], self.now));
            }
            Step::Extend { which, more } if !self.held.is_empty() => {
                let which = which % self.held.len();
                let _ = extend(&self.table, &mut self.held[which], more, self.now);
            }
            Step::Settle { which, percent } if !self.held.is_empty() => {
                let held = self.held.remove(which % self.held.len());
                // What is not held of some account is not bounded by it.
                let least = held.parts.iter().map(|part| part.nanodollars).min().unwrap_or(0);
                let cost = least * percent / 100;
                for lease in held.leases() {
                    self.leases.get_mut(&lease).unwrap().cost += cost;
                }
                settle(&self.table, held, cost, self.now);
            }
            Step::Extend { .. } | Step::Settle { .. } => {}
            Step::Sweep { tells } => self.sweep(tells),
            Step::Die { vm } => self.die(vm),
            Step::Lose { swaps } => self.table.lose(swaps),
        }
    }

    fn install(&mut self, payer: usize, more: u64, is_new: bool, last: bool) {
        let grows = self.growing[payer].filter(|lease| !is_new && !self.leases[lease].over);
        let lease = grows.unwrap_or(self.leases.len() as u64 + 1);
        let truth = self.leases.entry(lease).or_default();
        truth.granted += more;
        let (granted, expires_ms) = (truth.granted, self.now + 20_000);
        self.growing[payer] = Some(lease);
        let leased = Leased::Granted { lease, granted, expires_ms, ends_ms: None, last };
        if let Some(returned) = install(&self.table, &self.payers[payer], &leased, self.now) {
            // Nothing is ever held of it.
            assert_eq!(returned.total, granted);
        }
    }

    fn sweep(&mut self, tells: bool) {
        for vm in &self.vms {
            beat(&self.table, *vm, self.now);
        }
        let alive = alive(&self.table, self.now);
        for slot in [self.payers[0].slot, self.payers[2].slot] {
            for returned in sweep(&self.table, slot, self.now, &alive) {
                let truth = self.leases.get_mut(&returned.lease).unwrap();
                assert!(returned.total >= truth.told, "it only grows");
                if tells {
                    truth.told = returned.total;
                    truth.over |= returned.over;
                    told(&self.table, slot, &returned, self.now);
                }
                let live = |held: &&Reservation| {
                    held.leases().contains(&returned.lease) && alive.has(held.vm)
                };
                assert!(!returned.over || !self.held.iter().any(|held| live(&held)));
            }
        }
    }

    fn die(&mut self, vm: usize) {
        self.now += VM_STALE_MS;
        for other in (0..3).filter(|other| *other != vm) {
            beat(&self.table, self.vms[other], self.now);
        }
        let alive = alive(&self.table, self.now);
        self.vms = (0..3)
            .map(|n| match alive.has(self.vms[n]) {
                true => self.vms[n],
                false => new_vm(&self.table, self.now),
            })
            .collect();
    }

    fn check(&self) {
        for slot in [self.payers[0].slot, self.payers[2].slot] {
            let slot = Slot::of(self.table.read(&name(slot)).as_deref());
            for cell in slot.cells() {
                let gone = cell.spent + cell.reserved() + cell.returned;
                assert!(gone <= cell.granted, "{cell:?}");
                let truth = &self.leases[&cell.lease];
                assert!(cell.granted <= truth.granted && cell.spent >= truth.cost);
                assert!(!truth.over || cell.holders.is_empty());
            }
        }
        for (lease, truth) in &self.leases {
            let parts = self.held.iter().flat_map(|held| &held.parts);
            let held = parts.filter(|part| part.lease == *lease).map(|part| part.nanodollars);
            let gone = truth.told + truth.cost + held.sum::<u64>();
            assert!(gone <= truth.granted, "lease {lease}: what was given back was spent");
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_spent_twice(steps in proptest::collection::vec(step(), 1..120)) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
            run.check();
        }
    }
}
