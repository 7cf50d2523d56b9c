//! One lease as this gateway keeps it.

use super::EXPIRY_MARGIN_MS;
use crate::bytes::Reader;
use crate::vms::Alive;
use contract::lease::Returned;
use contract::limits::LEASE_IDLE_MS;

/// Worker VMs that hold something of one lease: more than any machine has workers.
pub(super) const HOLDERS_MAX: usize = 1_024;

/// How long an over lease is remembered after the control plane knows, in milliseconds: an
/// answer that was on its way shall not bring it back.
const OVER_MS: u64 = 10_000;

/// `ends_ms` of a lease whose period never ends.
pub(super) const NEVER_MS: u64 = u64::MAX;

/// What one VM has reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) vm: u32,
    /// How often VMs had died of the lease when this began: a VM that was given up and does
    /// not know it yet may begin anew, and what it had held before is spent already.
    pub(super) epoch: u32,
    /// Requests: what is reserved may be nothing for each of them.
    pub(super) requests: u32,
    pub(super) nanodollars: u64,
}

/// The life of a lease goes one way; only an answer of the control plane can open one anew
/// that was not over yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Requests reserve from it.
    Open,
    /// No request reserves from it any more.
    Retiring,
    /// Nothing is reserved; the control plane is told, and knows since then (0: not yet).
    Over { known_ms: u64 },
}

/// A lease. All amounts are in nano-dollars and only grow, but for what is reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) lease: u64,
    pub(super) stage: Stage,
    pub(super) granted: u64,
    pub(super) returned: u64,
    /// What of `returned` the control plane knows.
    pub(super) told: u64,
    pub(super) spent: u64,
    pub(super) expires_ms: u64,
    pub(super) ends_ms: u64,
    /// When something was last reserved, wanted or settled.
    pub(super) used_ms: u64,
    /// How often VMs have died that held something.
    pub(super) epoch: u32,
    pub(super) holders: Vec<Holder>,
}

impl Cell {
    /// What it can pay for.
    pub(super) fn available(&self) -> u64 {
        let gone = self.returned.saturating_add(self.spent).saturating_add(self.reserved());
        self.granted.saturating_sub(gone)
    }

    pub(super) fn reserved(&self) -> u64 {
        self.holders.iter().fold(0, |sum, holder| sum.saturating_add(holder.nanodollars))
    }

    /// Whether a new request may be paid from it.
    pub(super) fn is_usable(&self, now_ms: u64) -> bool {
        self.stage == Stage::Open && !self.is_ending(now_ms)
    }

    /// A lease that expires with its period is used to the last: another one would expire then
    /// as well.
    pub(super) fn is_ending(&self, now_ms: u64) -> bool {
        let margin_ms = if self.expires_ms < self.ends_ms { EXPIRY_MARGIN_MS } else { 0 };
        now_ms >= self.ends_ms || now_ms.saturating_add(margin_ms) >= self.expires_ms
    }

    /// Holds `more` for a request of `vm`. Returns the holder's epoch; `None`: there is not so
    /// much.
    #[must_use]
    pub(super) fn hold(&mut self, vm: u32, more: u64, now_ms: u64) -> Option<u32> {
        let (enough, is_full) = (self.available() >= more, self.holders.len() >= HOLDERS_MAX);
        let epoch = match self.holders.iter_mut().find(|holder| holder.vm == vm) {
            _ if !enough => return None,
            Some(holder) => {
                holder.requests = holder.requests.saturating_add(1);
                holder.nanodollars = holder.nanodollars.saturating_add(more);
                holder.epoch
            }
            None if is_full => return None,
            None => {
                let epoch = self.epoch;
                self.holders.push(Holder { vm, epoch, requests: 1, nanodollars: more });
                epoch
            }
        };
        self.used_ms = now_ms;
        Some(epoch)
    }

    fn holder(&mut self, (vm, epoch): (u32, u32)) -> Option<&mut Holder> {
        self.holders.iter_mut().find(|holder| holder.vm == vm && holder.epoch == epoch)
    }

    /// Holds `more` for a request that `of` (a VM in an epoch) holds something for already. `false`: there is not
    /// so much, or the VM counts as dead. Also a lease that no other request may use can pay
    /// for that: the request's open line in the spool keeps it.
    #[must_use]
    pub(super) fn hold_more(&mut self, of: (u32, u32), more: u64, now_ms: u64) -> bool {
        let enough = self.available() >= more;
        let Some(holder) = self.holder(of).filter(|_| enough) else { return false };
        holder.nanodollars = holder.nanodollars.saturating_add(more);
        self.used_ms = now_ms;
        true
    }

    /// A request of `of` gives back an extension that it does not use.
    pub(super) fn hold_less(&mut self, of: (u32, u32), less: u64) {
        if let Some(holder) = self.holder(of) {
            holder.nanodollars = holder.nanodollars.saturating_sub(less);
        }
    }

    /// A request of `of` for which `reserved` was held has cost `cost`.
    pub(super) fn settle(&mut self, of: (u32, u32), reserved: u64, cost: u64, now_ms: u64) {
        let cost = match self.holder(of) {
            Some(holder) => {
                holder.requests = holder.requests.saturating_sub(1);
                holder.nanodollars = holder.nanodollars.saturating_sub(reserved);
                cost
            }
            // The VM was given up, and what it had reserved is spent.
            None => cost.saturating_sub(reserved),
        };
        self.spent = self.spent.saturating_add(cost);
        self.used_ms = now_ms;
        self.holders.retain(|holder| holder.requests > 0);
    }

    /// Spends what dead VMs had reserved, gives back what lies idle, and goes on to the next
    /// stage if it is time.
    pub(super) fn sweep(&mut self, now_ms: u64, alive: &Alive) {
        self.bury(alive);
        // A clock that has jumped back must not keep a lease busy until it is back there.
        self.used_ms = self.used_ms.min(now_ms);
        let is_idle = now_ms.saturating_sub(self.used_ms) >= LEASE_IDLE_MS;
        if self.stage == Stage::Open && (self.is_ending(now_ms) || is_idle && self.is_free()) {
            self.stage = Stage::Retiring;
        }
        if self.stage == Stage::Retiring && self.is_free() {
            self.stage = Stage::Over { known_ms: 0 };
        }
        if is_idle || self.stage != Stage::Open {
            self.give_back();
        }
    }

    /// Requests under way may need as much again as they have reserved; the rest goes back.
    fn give_back(&mut self) {
        let available = self.available();
        let kept = available.min(self.reserved());
        self.returned = self.returned.saturating_add(available.saturating_sub(kept));
    }

    fn bury(&mut self, alive: &Alive) {
        let dead = self.holders.iter().filter(|holder| !alive.has(holder.vm));
        let lost = dead.fold(0_u64, |sum, holder| sum.saturating_add(holder.nanodollars));
        self.spent = self.spent.saturating_add(lost);
        let many = self.holders.len();
        self.holders.retain(|holder| alive.has(holder.vm));
        if self.holders.len() < many {
            self.epoch = self.epoch.wrapping_add(1);
        }
    }

    fn is_free(&self) -> bool {
        self.holders.is_empty()
    }

    /// What the control plane does not know yet.
    pub(super) fn untold(&self) -> Option<Returned> {
        let over = matches!(self.stage, Stage::Over { .. });
        let is_news = self.returned > self.told || self.stage == Stage::Over { known_ms: 0 };
        is_news.then_some(Returned { lease: self.lease, total: self.returned, over })
    }

    /// The control plane knows.
    pub(super) fn told(&mut self, returned: &Returned, now_ms: u64) {
        self.told = self.told.max(returned.total);
        if returned.over && self.stage == (Stage::Over { known_ms: 0 }) {
            self.stage = Stage::Over { known_ms: now_ms.max(1) };
        }
    }

    /// Whether it can be forgotten.
    pub(super) fn is_done(&self, now_ms: u64) -> bool {
        let Stage::Over { known_ms } = self.stage else { return false };
        known_ms > 0 && now_ms.abs_diff(known_ms) >= OVER_MS && self.untold().is_none()
    }

    pub(super) fn read(reader: &mut Reader) -> Option<Cell> {
        Some(Cell {
            lease: reader.u64()?,
            stage: read_stage(reader)?,
            granted: reader.u64()?,
            returned: reader.u64()?,
            told: reader.u64()?,
            spent: reader.u64()?,
            expires_ms: reader.u64()?,
            ends_ms: reader.u64()?,
            used_ms: reader.u64()?,
            epoch: reader.u32()?,
            holders: (0..reader.u16()?).map(|_| read_holder(reader)).collect::<Option<_>>()?,
        })
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.lease.to_le_bytes());
        let (stage, known_ms) = match self.stage {
            Stage::Open => (0, 0),
            Stage::Retiring => (1, 0),
            Stage::Over { known_ms } => (2_u8, known_ms),
        };
        bytes.push(stage);
        let numbers = [known_ms, self.granted, self.returned, self.told, self.spent];
        let times = [self.expires_ms, self.ends_ms, self.used_ms];
        for number in numbers.into_iter().chain(times) {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        // No lease has more than HOLDERS_MAX.
        let holders = u16::try_from(self.holders.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&holders.to_le_bytes());
        for holder in self.holders.iter().take(usize::from(holders)) {
            for number in [holder.vm, holder.epoch, holder.requests] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            bytes.extend_from_slice(&holder.nanodollars.to_le_bytes());
        }
    }
}

fn read_stage(reader: &mut Reader) -> Option<Stage> {
    let (stage, known_ms) = (reader.u8()?, reader.u64()?);
    match stage {
        0 => Some(Stage::Open),
        1 => Some(Stage::Retiring),
        2 => Some(Stage::Over { known_ms }),
        _ => None,
    }
}

fn read_holder(reader: &mut Reader) -> Option<Holder> {
    Some(Holder {
        vm: reader.u32()?,
        epoch: reader.u32()?,
        requests: reader.u32()?,
        nanodollars: reader.u64()?,
    })
}
