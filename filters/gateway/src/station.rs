//! A worker at the table of limits and leases: who it is, and what it has heard last.

use crate::host;
use crate::keyring::process_started_ms;
use pipeline::spending::Till;
use pipeline::spending::marks::{self, SHARES_NAME, Shares};
use pipeline::table::{self, Table};
use pipeline::vms::{self, Alive};
use std::cell::{Cell, RefCell};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::rc::Rc;

/// The table that all VMs of the process share.
pub struct SharedTable;

impl Table for SharedTable {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        host::shared(name)
    }

    fn change<T>(
        &self,
        name: &str,
        change: &mut dyn FnMut(Option<&[u8]>) -> (Option<Vec<u8>>, T),
    ) -> Option<T> {
        host::change_shared(name, change)
    }
}

/// With what names are hashed in this process.
pub fn salt() -> u64 {
    table::salt(&SharedTable, RandomState::new().hash_one(process_started_ms()))
}

/// Tells this process from every other that asks the same control plane.
pub fn process_name() -> String {
    marks::process_name(process_started_ms(), salt())
}

/// One worker.
pub struct Station {
    vm: Cell<u32>,
    alive: RefCell<Rc<Alive>>,
    shares: Cell<Shares>,
    salt: u64,
    answers: Cell<u64>,
}

impl Station {
    /// A worker that nobody has seen before.
    pub fn open() -> Station {
        let now_ms = host::now_ms();
        let station = Station {
            vm: Cell::new(vms::new_vm(&SharedTable, now_ms)),
            alive: RefCell::default(),
            shares: Cell::default(),
            salt: salt(),
            answers: Cell::default(),
        };
        station.look(now_ms);
        station
    }

    /// Says that it lives, and looks who else does.
    pub fn on_tick(&self) {
        let now_ms = host::now_ms();
        if !vms::beat(&SharedTable, self.vm.get(), now_ms) {
            self.vm.set(vms::new_vm(&SharedTable, now_ms));
        }
        self.look(now_ms);
    }

    fn look(&self, now_ms: u64) {
        *self.alive.borrow_mut() = Rc::new(vms::alive(&SharedTable, now_ms));
        self.shares
            .set(host::shared(SHARES_NAME).as_deref().map_or_else(Shares::default, Shares::decode));
    }

    /// Where a request pays, just now.
    pub fn till(&self) -> Till<'static, SharedTable> {
        let Shares { gateways, spool_full } = self.shares.get();
        Till {
            table: &SharedTable,
            vm: self.vm.get(),
            alive: Rc::clone(&self.alive.borrow()),
            gateways,
            salt: self.salt,
            spool_full,
            now_ms: host::now_ms(),
        }
    }

    /// How many answers it has seen before this one.
    pub fn next_answer(&self) -> u64 {
        self.answers.replace(self.answers.get().wrapping_add(1))
    }
}
