//! What the ledger has of a pool, and of which kinds.

use super::Tokens;
use contract::usage::{End, Source};
use ledger::UsageRecord;

/// Requests of one kind, and their tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// How many.
    pub requests: u64,
    /// Their tokens.
    pub tokens: Tokens,
}

impl Kind {
    fn add(&mut self, tokens: Tokens) {
        self.requests = self.requests.saturating_add(1);
        self.tokens.add(tokens);
    }
}

/// The records of one pool that ended in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// How many.
    pub requests: u64,
    /// Their tokens.
    pub tokens: Tokens,
    /// Those whose tokens Tollgate counted itself.
    pub estimated: Kind,
    /// Those whose client left before the end, or whose budget ended them.
    pub cut: Kind,
    /// Those whose engine broke off.
    pub failed: Kind,
    /// Those whose gateway died.
    pub lost: Kind,
    /// Those that began before the window, or went on when it began.
    pub across: Kind,
    /// Attempts at other engines, beside the one that answered.
    pub more_attempts: u64,
}

impl Posted {
    /// Takes a record in, if it ended from `from_ms` on and before `to_ms`: engines count
    /// while they work, and most of them at the end.
    pub fn add(&mut self, record: &UsageRecord, from_ms: u64, to_ms: u64) {
        let ended_ms = record.at_ms.saturating_add(record.duration_ms);
        if !(from_ms..to_ms).contains(&ended_ms) {
            return;
        }
        let tokens = Tokens { input: record.input_tokens, output: record.output_tokens };
        self.requests = self.requests.saturating_add(1);
        self.tokens.add(tokens);
        self.more_attempts = self.more_attempts.saturating_add(record.attempts.saturating_sub(1));
        let kinds = [
            (record.source == Source::Estimated, &mut self.estimated),
            (matches!(record.end, End::ClientLeft | End::CutByBudget), &mut self.cut),
            (record.end == End::EngineFailed, &mut self.failed),
            (record.end == End::GatewayLost, &mut self.lost),
            (record.at_ms < from_ms, &mut self.across),
        ];
        kinds.into_iter().filter(|(is, _)| *is).for_each(|(_, kind)| kind.add(tokens));
    }
}
