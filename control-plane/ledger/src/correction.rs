//! Corrections: what sets the cost of a record right without changing it.

use crate::audit::Actor;
use crate::record::UsageRecord;
use serde::{Deserialize, Serialize};

/// Something that a record's cost is set right by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCorrection {
    /// The record's id.
    pub record: String,
    /// What is added to its cost; below zero: taken off.
    pub nanodollars: i64,
    /// Why, for people.
    pub why: String,
    /// Who did it.
    pub actor: Actor,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
}

/// A correction as it was posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The number of its posting.
    pub posting: u64,
    /// When it was made, in Unix milliseconds; RFC 3339 in UTC outside.
    #[serde(rename = "at", with = "crate::record::rfc3339")]
    pub at_ms: u64,
    /// What was added to the record's cost.
    pub nanodollars: i64,
    /// Why.
    pub why: String,
    /// The record as it was posted.
    pub record: UsageRecord,
}

/// What came of a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Corrected {
    /// It was posted.
    Posted {
        /// The number of its posting.
        posting: u64,
        /// What the record costs now, all its corrections included.
        nanodollars: i64,
    },
    /// There is no such record.
    Unknown,
    /// The record would cost less than nothing, or more than fits.
    OutOfBounds,
}
