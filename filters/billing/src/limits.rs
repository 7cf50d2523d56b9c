//! Requests and tokens in a minute, as buckets that all workers share.
//!
//! A request is admitted by all of its scopes or by none. Tokens are taken when it is
//! admitted, as many as it is likely to use, and are set right when it has ended.
//!
//! What settles is never more generous than if the true count had been known from the start:
//! tokens that were taken in vain come back only as far as the bucket would not have been
//! full meanwhile, and not after two fillings of it. An answer that used more than was taken
//! brings its buckets into debt, by what they hold at the most: nobody is locked out for
//! longer than two fillings of a bucket.

mod admitting;
mod bucket;
mod cell;
mod slot;

use crate::scope::{Kind, Scope};
use crate::table::{Table, change_surely};
use admitting::{Group, groups};
use bucket::{Quota, sane};
use contract::policy::LimitsConfig;
use slot::Slot;

/// What a request wants.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// All for whom it counts, with their limits.
    pub scopes: &'a [(Scope, &'a LimitsConfig)],
    /// Tokens of its prompts, estimated.
    pub input_tokens: u64,
    /// The most tokens of its answers.
    pub output_tokens: u64,
    /// Whether the caller has asked for answers of that length. Otherwise no more than a
    /// bucket holds is taken for them.
    pub output_is_callers: bool,
    /// Gateways that share the limits; 0 is read as 1.
    pub gateways: u32,
    /// Nanoseconds since 1970.
    pub now_ns: u64,
}

/// How a bucket stands, on this gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it holds.
    pub limit: u64,
    /// What can be taken now.
    pub remaining: u64,
    /// Milliseconds until it is full.
    pub reset_ms: u64,
}

/// The buckets with the least in them, of all scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standings {
    /// Of requests.
    pub requests: Option<Standing>,
    /// Of tokens.
    pub tokens: Option<Standing>,
}

/// Why a request was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Too many requests.
    Requests {
        /// Seconds until it can be admitted, at least 1.
        retry_after_s: u64,
    },
    /// Too many tokens.
    Tokens {
        /// Seconds until it can be admitted, at least 1.
        retry_after_s: u64,
    },
    /// More tokens than the bucket will ever hold.
    TooLarge {
        /// What it holds, on all gateways together.
        limit: u64,
    },
}

/// A request that was not admitted; nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why: of several reasons the one that lasts longest.
    pub over: Over,
    /// What has this limit.
    pub kind: Kind,
    /// For the headers.
    pub standing: Standings,
}

/// A request that was admitted, and has to be settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// For the headers.
    pub standing: Standings,
    taken: Vec<Taken>,
}

/// What was taken from a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Taken {
    slot: u32,
    tag: u64,
    quota: Quota,
    many: u32,
    what: What,
    /// When, as the cell has it.
    at: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Requests,
    Tokens,
}

/// Takes one request and its tokens from all buckets, or nothing.
///
/// # Errors
/// Some bucket has too little in it. A slot that is full, or for which others always are
/// faster, counts as too many requests.
pub fn admit(table: &impl Table, ask: &Ask) -> Result<Admitted, Refused> {
    let now = sane(ask.now_ns);
    let groups = groups(ask)?;
    if groups.len() > 1 {
        // Nothing is taken, for however short a time, for a request that is refused.
        looked_at(&groups, now, |group| Slot::of(table.read(&name(group.slot)).as_deref()))?;
    }
    let mut admitted = Admitted { standing: Standings::default(), taken: Vec::new() };
    for group in &groups {
        match taken(table, group, now) {
            Ok((taken, standing)) => {
                admitted.taken.extend(taken);
                admitted.standing = admitted.standing.tighter(standing);
            }
            Err(refused) => {
                give_back(table, &admitted, now);
                let standing = admitted.standing.tighter(refused.standing);
                return Err(Refused { standing, ..refused });
            }
        }
    }
    Ok(admitted)
}

/// All groups as they stand, and the refusal that lasts longest.
fn looked_at(groups: &[Group], now: u64, slot_of: impl Fn(&Group) -> Slot) -> Result<(), Refused> {
    let mut standing = Standings::default();
    let mut refused: Option<Refused> = None;
    for group in groups {
        match group.take(&mut slot_of(group), now) {
            Ok((_, stands)) => standing = standing.tighter(stands),
            Err(found) => {
                standing = standing.tighter(found.standing);
                let lasts_longer = refused.is_none_or(|old| old.wait_s() < found.wait_s());
                refused = if lasts_longer { Some(found) } else { refused };
            }
        }
    }
    refused.map_or(Ok(()), |refused| Err(Refused { standing, ..refused }))
}

fn taken(table: &impl Table, group: &Group, now: u64) -> Result<(Vec<Taken>, Standings), Refused> {
    let mut take = |value: Option<&[u8]>| {
        let mut slot = Slot::of(value);
        let taken = group.take(&mut slot, now);
        (taken.is_ok().then(|| slot.written(now)), taken)
    };
    table.change(&name(group.slot), &mut take).unwrap_or_else(|| Err(group.busy()))
}

/// Sets the token buckets right: `tokens` of prompts and answers were used. To be called once.
pub fn settle(table: &impl Table, admitted: &Admitted, tokens: u64, now_ns: u64) {
    let of_tokens = admitted.taken.iter().filter(|taken| taken.what == What::Tokens);
    for taken in of_tokens {
        set_right(table, taken, tokens, sane(now_ns));
    }
}

/// Takes all back, the request as well: it was never forwarded. In place of [`settle`].
pub fn give_back(table: &impl Table, admitted: &Admitted, now_ns: u64) {
    for taken in &admitted.taken {
        set_right(table, taken, 0, sane(now_ns));
    }
}

fn set_right(table: &impl Table, taken: &Taken, truth: u64, now: u64) {
    if truth == u64::from(taken.many) {
        return;
    }
    let mut change = |value: Option<&[u8]>| {
        let mut slot = Slot::of(value);
        let fits = settled(&mut slot, taken, truth, now).is_some();
        (fits.then(|| slot.written(now)), ())
    };
    // Where others always are faster, or the slot is full of others' cells by now, time
    // refills what was taken, and forgives what was not.
    let _ = change_surely(table, &name(taken.slot), &mut change);
}

/// `None`: the slot has no room.
fn settled(slot: &mut Slot, taken: &Taken, truth: u64, now: u64) -> Option<()> {
    let Taken { tag, quota, at, .. } = *taken;
    let many = u64::from(taken.many);
    let cell = slot.cell(tag, now)?;
    match truth.checked_sub(many) {
        Some(more) => {
            let (ns, latest) = (quota.ns_of(more), quota.latest(now));
            let full_at = cell.full_at.max(now).saturating_add(ns).min(latest);
            cell.take(now, ns, full_at, quota.full_ns());
        }
        None => cell.give_back(at, quota.ns_of(many.saturating_sub(truth)), quota.full_ns()),
    }
    Some(())
}

fn name(slot: u32) -> String {
    format!("l/{slot}")
}

impl Refused {
    fn wait_s(&self) -> u64 {
        match self.over {
            Over::Requests { retry_after_s } | Over::Tokens { retry_after_s } => retry_after_s,
            Over::TooLarge { .. } => u64::MAX,
        }
    }
}

impl Standings {
    fn tighter(self, other: Standings) -> Standings {
        let less = |a: Option<Standing>, b: Option<Standing>| {
            a.into_iter().chain(b).min_by_key(|standing| standing.remaining)
        };
        Standings {
            requests: less(self.requests, other.requests),
            tokens: less(self.tokens, other.tokens),
        }
    }
}

#[cfg(test)]
mod tests;
