//! What a request takes from the buckets of each of its scopes.

use super::bucket::Quota;
use super::slot::Slot;
use super::{Ask, Over, Refused, Standing, Standings, Taken, What};
use crate::scope::{Kind, Scope};
use contract::policy::LimitsConfig;

const SECOND_NS: u64 = 1_000_000_000;
const MS_NS: u64 = 1_000_000;

/// Where the tokens of a scope are, beside its requests.
const TOKENS_TAG: u64 = 0x9e37_79b9_7f4a_7c15;

/// What is taken from one bucket.
#[derive(Clone, Copy)]
struct Taking {
    what: What,
    tag: u64,
    quota: Quota,
    many: u32,
}

/// The buckets of one scope; they are in one slot, and are decided at once.
pub(super) struct Group {
    pub(super) slot: u32,
    kind: Kind,
    takings: Vec<Taking>,
}

/// The buckets of all scopes that have any.
///
/// # Errors
/// A bucket can never hold what is wanted.
pub(super) fn groups(ask: &Ask) -> Result<Vec<Group>, Refused> {
    let mut groups = Vec::with_capacity(ask.scopes.len());
    for (scope, limits) in ask.scopes {
        let group = group(ask, *scope, limits)?;
        groups.extend(Some(group).filter(|group| !group.takings.is_empty()));
    }
    Ok(groups)
}

fn group(ask: &Ask, scope: Scope, limits: &LimitsConfig) -> Result<Group, Refused> {
    let requests = limits.requests_per_minute.map(|per_minute| Taking {
        what: What::Requests,
        tag: scope.tag,
        quota: Quota::part(per_minute, limits.burst.unwrap_or(per_minute), ask.gateways),
        many: 1,
    });
    let tokens = match limits.tokens_per_minute {
        Some(per_minute) => Some(Taking {
            what: What::Tokens,
            tag: scope.tag ^ TOKENS_TAG,
            quota: Quota::part(per_minute, per_minute, ask.gateways),
            many: tokens_to_take(ask, scope, per_minute)?,
        }),
        None => None,
    };
    let takings = requests.into_iter().chain(tokens).collect();
    Ok(Group { slot: scope.slot, kind: scope.kind(), takings })
}

/// All that the request may use. Its own length, and what its caller has asked for, must fit
/// into the whole bucket; a gateway takes no more than its part.
fn tokens_to_take(ask: &Ask, scope: Scope, per_minute: u32) -> Result<u32, Refused> {
    let all = ask.input_tokens.saturating_add(ask.output_tokens);
    let firm = if ask.output_is_callers { all } else { ask.input_tokens };
    if firm > u64::from(per_minute) {
        let over = Over::TooLarge { limit: u64::from(per_minute) };
        return Err(Refused { over, kind: scope.kind(), standing: Standings::default() });
    }
    Ok(u32::try_from(all).unwrap_or(u32::MAX))
}

impl Group {
    /// Takes from all buckets of the group.
    ///
    /// # Errors
    /// One has too little, and the slot is not to be written: of several the one that lasts
    /// longest.
    pub(super) fn take(
        &self,
        slot: &mut Slot,
        now: u64,
    ) -> Result<(Vec<Taken>, Standings), Refused> {
        let before = self.standings(slot, now);
        let mut all = Vec::with_capacity(self.takings.len());
        let mut over: Option<(u64, Over)> = None;
        for taking in &self.takings {
            match self.take_one(taking, slot, now) {
                Ok(taken) => all.push(taken),
                Err(wait) if over.is_none_or(|(longest, _)| longest < wait) => {
                    over = Some((wait, taking.over(wait)));
                }
                Err(_) => {}
            }
        }
        match over {
            None => Ok((all, self.standings(slot, now))),
            Some((_, over)) => Err(Refused { over, kind: self.kind, standing: before }),
        }
    }

    fn take_one(&self, taking: &Taking, slot: &mut Slot, now: u64) -> Result<Taken, u64> {
        let Taking { what, tag, quota, many } = *taking;
        let many = many.clamp(1, quota.capacity);
        let full_at = quota.take(slot.full_at(tag), many, now)?;
        let cell = slot.cell(tag, now).ok_or(SECOND_NS)?;
        let at = cell.take(now, quota.ns_of(u64::from(many)), full_at, quota.full_ns());
        Ok(Taken { slot: self.slot, tag, quota, many, what, at })
    }

    /// The refusal when others always are faster.
    pub(super) fn busy(&self) -> Refused {
        let over = Over::Requests { retry_after_s: 1 };
        Refused { over, kind: self.kind, standing: Standings::default() }
    }

    fn standings(&self, slot: &Slot, now: u64) -> Standings {
        let of = |what: What| {
            let taking = self.takings.iter().find(|taking| taking.what == what)?;
            Some(taking.standing(slot.full_at(taking.tag), now))
        };
        Standings { requests: of(What::Requests), tokens: of(What::Tokens) }
    }
}

impl Taking {
    fn over(&self, wait_ns: u64) -> Over {
        let retry_after_s = wait_ns.div_ceil(SECOND_NS).max(1);
        match self.what {
            What::Requests => Over::Requests { retry_after_s },
            What::Tokens => Over::Tokens { retry_after_s },
        }
    }

    fn standing(&self, full_at: Option<u64>, now: u64) -> Standing {
        let full_at = full_at.map(|full_at| full_at.min(self.quota.latest(now)));
        Standing {
            limit: u64::from(self.quota.capacity),
            remaining: self.quota.remaining(full_at, now),
            reset_ms: full_at.unwrap_or(now).saturating_sub(now).div_ceil(MS_NS),
        }
    }
}
