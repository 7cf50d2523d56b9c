//! Parts of budgets that gateways may spend by themselves. Pure.
//!
//! What the ledger holds for a lease is `granted - returned - posted`. A lease is closed, and
//! holds nothing, when nothing can come any more of what was reserved from it:
//!
//! - its gateway is dead, and its spool was read to the end; or
//! - it is over, for the gateway said so or its time has passed, its spool was read to the end
//!   [`GRACE_MS`] later, and every request that was open then has since ended or told of
//!   itself again, without naming it.
//!
//! Never by time alone: while a spool cannot be read, what its gateway holds stays spent.

use crate::budget::Period;
use crate::chain::{Entry, PostingKind};
use crate::store::Position;
use contract::lease::LeaseRequest;
use contract::limits::LEASE_TTL_MS;

/// How long lines may take into the spool after a lease was over: a request that runs is known
/// by its first periodic line, at most a minute (`control.usage_interval`) after it began, and
/// Envoy may hold a line for a minute more (`control.usage_flush`).
pub const GRACE_MS: u64 = 150_000;

/// For so long a lease may have been granted by an answer that was lost, or that another
/// request of the same gateway is waiting for as well. Gateways give leases back later.
pub const FRESH_MS: u64 = 4_000;

/// How much longer a lease must hold that is told again to a gateway that seems not to have
/// learnt of it.
pub const UNLEARNT_MS: u64 = 60_000;

/// How long a gateway waits when others hold what is left of a budget.
pub const RETRY_S: u64 = 2;

/// So many times what is needed is granted, ...
const NEEDS: u64 = 8;

/// ... or this part of what is left, where that is more.
const PART: u64 = 16;

/// A request for leases, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseAsk {
    /// What is asked for and given back.
    pub request: LeaseRequest,
    /// The spool that the gateway's usage will stand in.
    pub spool: String,
    /// The file of it that was written to when the request came.
    pub generation: u64,
}

/// Whether a lease can still be spent from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// It can.
    Open,
    /// It cannot, but usage may still come.
    Over,
    /// Nothing comes any more.
    Closed,
}

impl LeaseState {
    /// The word in the row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            LeaseState::Open => "open",
            LeaseState::Over => "over",
            LeaseState::Closed => "closed",
        }
    }

    /// The state that a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let all = [LeaseState::Open, LeaseState::Over, LeaseState::Closed];
        all.into_iter().find(|state| state.as_str() == word)
    }
}

/// A lease as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// Its number.
    pub id: u64,
    /// The account's name.
    pub account: String,
    /// The name of the period whose budget it is of.
    pub period: String,
    /// The gateway's process.
    pub process: String,
    /// The spool that its usage stands in.
    pub spool: String,
    /// The file of the spool that was written to when it was granted, or grew, last.
    pub generation: u64,
    /// When it was granted first, in Unix milliseconds.
    pub made_ms: u64,
    /// All that was ever granted, in nano-dollars like the next two.
    pub granted: u64,
    /// All that was given back.
    pub returned: u64,
    /// All that the usage that names it came to.
    pub posted: u64,
    /// Unix time in milliseconds from which nothing may be reserved from it.
    pub expires_ms: u64,
    /// Whether it can still be spent from.
    pub state: LeaseState,
    /// When it was over, in Unix milliseconds.
    pub over_at_ms: Option<u64>,
    /// Where the spool ended [`GRACE_MS`] after that.
    pub mark: Option<Position>,
}

impl LeaseRow {
    /// What it holds.
    #[must_use]
    pub fn held(&self) -> u64 {
        match self.state {
            LeaseState::Closed => 0,
            _ => self.granted.saturating_sub(self.returned).saturating_sub(self.posted),
        }
    }

    /// The name of its own account, to which holds are posted.
    #[must_use]
    pub fn account_name(&self) -> String {
        format!("lease/{}", self.id)
    }

    /// The posting of a hold that was `before` and is what the lease holds now.
    #[must_use]
    pub fn change(&self, before: u64, at_ms: u64) -> Option<Entry> {
        let after = self.held();
        let (kind, amount) = match after.checked_sub(before) {
            Some(0) => return None,
            Some(more) => (PostingKind::Hold, more),
            None => (PostingKind::Release, before.saturating_sub(after)),
        };
        let (own, budget) = (self.account_name(), format!("budget/{}", self.account));
        let (debit, credit) = if kind == PostingKind::Hold { (own, budget) } else { (budget, own) };
        Some(Entry {
            at_ms,
            kind,
            debit,
            credit,
            nanodollars: i64::try_from(amount).unwrap_or(i64::MAX),
            record: None,
            lease: Some(self.id),
            why: None,
        })
    }

    /// Takes back up to `total`, all that was ever given back of it.
    pub fn give_back(&mut self, total: u64) {
        self.returned = self.returned.max(total.min(self.granted));
    }

    /// Nothing is reserved from it any more, as is known at `now_ms`.
    pub fn end(&mut self, now_ms: u64) {
        if self.state == LeaseState::Open {
            self.state = LeaseState::Over;
            self.over_at_ms = Some(now_ms);
        }
    }

    /// Whether it is over once it is `now_ms`, by its time.
    #[must_use]
    pub fn has_expired(&self, now_ms: u64) -> bool {
        now_ms >= self.expires_ms.saturating_add(GRACE_MS)
    }

    /// Whether nothing comes of it any more, by the requests that are open in its spool.
    #[must_use]
    pub fn can_be_closed(&self, open: &[OpenLine]) -> bool {
        let Some(mark) = self.mark else { return false };
        let mark = (mark.generation, mark.offset);
        open.iter().all(|line| {
            let told_since = (line.at.generation, line.at.offset) >= mark;
            told_since && !line.leases.contains(&self.id)
        })
    }
}

/// The last line of an open request, as far as leases need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLine {
    /// Where it begins.
    pub at: Position,
    /// The leases that it names.
    pub leases: Vec<u64>,
}

/// What is granted to who needs `need`, of what is left.
#[must_use]
pub fn offer(need: u64, left: u64) -> u64 {
    left.min(need.saturating_mul(NEEDS).max(left / PART))
}

/// Until when a lease of `period` that was granted at `now_ms` can be spent from.
#[must_use]
pub fn expiry(period: &Period, now_ms: u64) -> u64 {
    now_ms.saturating_add(LEASE_TTL_MS).min(period.ends_ms.unwrap_or(u64::MAX))
}

/// When who found nothing left may ask again, in seconds: soon, where others may give some
/// back; once the period is over; or never.
#[must_use]
pub fn retry_after_s(period: &Period, held: u64, now_ms: u64) -> Option<u64> {
    if held > 0 {
        return Some(RETRY_S);
    }
    period.ends_ms.map(|end| end.saturating_sub(now_ms).div_ceil(1_000).max(1))
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;
