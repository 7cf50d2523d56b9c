//! The ledger's tokens against those that the engines counted themselves, by pool.
//!
//! Pure: samples of the counters and records go in, a row for each pool comes out. The two
//! sides never agree to the token under load, and for reasons that are known; a row names
//! those that apply, with what they can come to.
//!
//! [`reconcile`] asks the ledger for both sides, which are read in pieces.

mod ask;
mod counters;
mod records;
mod why;

pub use ask::reconcile;
use counters::{Counters, Read};
use records::Posted;

use contract::policy::Engine;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Decimal places of a percentage.
const PERCENT_PARTS: i128 = 100;

/// Tokens of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Prompt tokens, the cached ones included.
    pub input: u64,
    /// Generated tokens.
    pub output: u64,
}

/// A difference: what the engines have and the ledger has not; negative: the other way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// In tokens.
    pub tokens: i64,
    /// As a part of the ledger's tokens, in percent with two places; none where the ledger
    /// has none.
    pub percent: Option<String>,
}

/// How the two sides of a pool compare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolRow {
    /// The pool.
    pub pool: String,
    /// Its engines.
    pub engine: Engine,
    /// From when to when both were looked at, in Unix milliseconds: from the first sample of
    /// the window to the last. None without two samples.
    pub window: Option<(u64, u64)>,
    /// Requests in the ledger that ended in that window.
    pub requests: u64,
    /// What the ledger has of them.
    pub ledger: Tokens,
    /// What the engines counted; none where they were not sampled or do not tell.
    pub engines: Option<Tokens>,
    /// Of the input.
    pub input_difference: Option<Difference>,
    /// Of the output.
    pub output_difference: Option<Difference>,
    /// Why they may differ.
    pub explanations: Vec<String>,
}

/// What is known of a pool, to be compared.
#[derive(Clone, Copy, Debug)]
struct Compared<'a> {
    /// Its name.
    pool: &'a str,
    /// What runs there.
    engine: Engine,
    /// Its endpoints that serve other pools as well.
    shared: &'a BTreeSet<String>,
}

impl Tokens {
    fn add(&mut self, more: Tokens) {
        self.input = self.input.saturating_add(more.input);
        self.output = self.output.saturating_add(more.output);
    }
}

impl Compared<'_> {
    /// The row: `posted` is of the window that `read` covers.
    fn row(&self, posted: &Posted, read: &Read) -> PoolRow {
        let engines = read.tokens;
        let difference = |of: fn(&Tokens) -> u64| {
            engines.map(|engines| difference(of(&posted.tokens), of(&engines)))
        };
        let mut row = PoolRow {
            pool: self.pool.to_owned(),
            engine: self.engine,
            window: read.window,
            requests: posted.requests,
            ledger: posted.tokens,
            engines,
            input_difference: difference(|tokens| tokens.input),
            output_difference: difference(|tokens| tokens.output),
            explanations: Vec::new(),
        };
        row.explanations = why::explanations(self, posted, read, &row);
        row
    }
}

fn difference(ledger: u64, engines: u64) -> Difference {
    let tokens = i128::from(engines) - i128::from(ledger);
    Difference {
        tokens: i64::try_from(tokens).unwrap_or(if tokens < 0 { i64::MIN } else { i64::MAX }),
        percent: percent(tokens, ledger),
    }
}

/// With two places, towards zero.
fn percent(part: i128, whole: u64) -> Option<String> {
    let whole = Some(i128::from(whole)).filter(|whole| *whole > 0)?;
    let parts = part.saturating_mul(100 * PERCENT_PARTS) / whole;
    let (sign, parts) = (if parts < 0 { "-" } else { "" }, parts.unsigned_abs());
    let one = PERCENT_PARTS.unsigned_abs();
    Some(format!("{sign}{}.{:02}", parts / one, parts % one))
}

#[cfg(test)]
mod tests;
