//! What lies idle of leases goes back to the control plane.

use crate::host::{self, ControlAnswer, Message};
use crate::station::{SharedTable, process_name};
use contract::lease::{LeaseRequest, Returned};
use contract::limits::{LEASE_SLOTS, LEASE_TIMEOUT_MS, LEASE_TTL_MS};
use contract::names::{ANSWER_LEASES, LEASES_PATH};
use pipeline::lease;
use pipeline::vms;
use std::time::Duration;

/// Slots looked at in a tick of 100 ms: all of them in 2 s.
const SLOTS_PER_TICK: u32 = LEASE_SLOTS.div_ceil(20);

/// Most leases of one message, some 50 KiB.
const RETURNED_MAX: usize = 1_000;

/// What was found and is to be told.
#[derive(Default)]
pub struct Returns {
    next_slot: u32,
    /// Which budgets hold; 0: not known yet.
    budgets: u64,
    /// Slots of which all leases are still to be given back.
    recalled: u32,
    found: Vec<(u32, Returned)>,
    asked: Option<u32>,
}

impl Returns {
    /// Looks at some slots, and tells what was found unless an answer is awaited.
    pub fn on_tick(&mut self, control_cluster: &str) {
        if self.asked.is_none() {
            self.look();
            self.tell(control_cluster);
        }
    }

    /// What was leased while other budgets held goes back at once, but for what is reserved: a
    /// budget may be smaller now.
    pub fn on_budgets(&mut self, version: u64) {
        let before = std::mem::replace(&mut self.budgets, version);
        if before != 0 && version != 0 && before != version {
            self.recalled = LEASE_SLOTS;
        }
    }

    fn look(&mut self) {
        let now_ms = host::now_ms();
        let alive = vms::alive(&SharedTable, now_ms);
        let slots = if self.recalled > 0 { LEASE_SLOTS } else { SLOTS_PER_TICK };
        for _ in 0..slots {
            let slot = self.next_slot;
            self.next_slot = (slot + 1) % LEASE_SLOTS;
            // Every lease is over by then.
            let later_ms = if self.recalled > 0 { LEASE_TTL_MS } else { 0 };
            self.recalled = self.recalled.saturating_sub(1);
            let swept = lease::sweep(&SharedTable, slot, now_ms.saturating_add(later_ms), &alive);
            self.found.extend(swept.into_iter().map(|returned| (slot, returned)));
            if self.found.len() >= RETURNED_MAX {
                return;
            }
        }
    }

    fn tell(&mut self, control_cluster: &str) {
        if self.found.is_empty() {
            return;
        }
        let returned = self.found.iter().map(|(_, returned)| *returned).collect();
        let request = LeaseRequest { process: process_name(), wanted: Vec::new(), returned };
        let body = serde_json::to_vec(&request).unwrap_or_default();
        let timeout = Duration::from_millis(LEASE_TIMEOUT_MS);
        let message = Message::Post(&body);
        match host::ask_control(control_cluster, message, LEASES_PATH, timeout) {
            Ok(token) => self.asked = Some(token),
            // Every sweep tells it again.
            Err(_) => self.found.clear(),
        }
    }

    /// The control plane, or Envoy in its place, has answered. Whether this was for here.
    pub fn on_answer(&mut self, token: u32, answer: &ControlAnswer) -> bool {
        if self.asked != Some(token) {
            return false;
        }
        self.asked = None;
        let found = std::mem::take(&mut self.found);
        if answer.kind().as_deref() == Some(ANSWER_LEASES) {
            let now_ms = host::now_ms();
            for (slot, returned) in found {
                lease::told(&SharedTable, slot, &returned, now_ms);
            }
        }
        true
    }
}
