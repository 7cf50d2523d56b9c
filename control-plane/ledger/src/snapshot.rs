//! All of the ledger's money at one moment.

use crate::audit::Head;
use crate::chain::{SealedPosting, SealedRecord};
use crate::error::Error;
use crate::lease::LeaseRow;
use crate::store::Position;

/// What an account came to in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// The account's name; pools have accounts, too: `pool/NAME`.
    pub account: String,
    /// The period's name; pools have `total` alone.
    pub period: String,
    /// The records' cost, in nano-dollars; below zero for pools.
    pub nanodollars: i64,
    /// What corrections added to it.
    pub corrected_nanodollars: i64,
    /// Prompt tokens.
    pub input_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// Records.
    pub requests: u64,
}

/// All of the ledger's money at one moment, in pages: at most `limit` rows after one.
#[async_trait::async_trait]
pub trait Snapshot: Send {
    /// Records in the order of their numbers, after number `after`.
    async fn records(&mut self, after: u64, limit: u32) -> Result<Vec<SealedRecord>, Error>;
    /// Postings in the order of their numbers, after number `after`.
    async fn postings(&mut self, after: u64, limit: u32) -> Result<Vec<SealedPosting>, Error>;
    /// Balances in the order of account and period, after those.
    async fn balances(&mut self, after: (&str, &str), limit: u32) -> Result<Vec<Balance>, Error>;
    /// Leases in the order of their numbers, after number `after`.
    async fn leases(&mut self, after: u64, limit: u32) -> Result<Vec<LeaseRow>, Error>;
    /// How far each spool was read.
    async fn positions(&mut self) -> Result<Vec<(String, Position)>, Error>;
    /// The ends of the chains of records and of postings.
    async fn heads(&mut self) -> Result<(Head, Head), Error>;
}
