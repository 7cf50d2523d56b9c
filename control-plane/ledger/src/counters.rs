//! What engines say that they have counted: the other side of a reconciliation.

use serde::{Deserialize, Serialize};

/// What an engine says that it has counted since it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineCounters {
    /// When it was asked, in Unix milliseconds.
    pub at_ms: u64,
    /// The pool it is of.
    pub pool: String,
    /// `address:port`.
    pub endpoint: String,
    /// Its kind.
    pub engine: String,
    /// Prompt tokens.
    pub input_tokens: u64,
    /// Those of them that came from its cache, where it tells.
    pub cached_input_tokens: Option<u64>,
    /// Generated tokens.
    pub output_tokens: u64,
}
