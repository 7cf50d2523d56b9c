//! What is believed of what a source says.

use crate::Target;
use std::time::Duration;

/// An endpoint of a pool, as it is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Where it listens.
    pub target: Target,
    /// Whether it left: no new request goes there, running ones end in peace.
    pub draining: bool,
}

/// The endpoints of one pool over time.
#[derive(Clone, Debug)]
pub struct Membership {
    _hold_empty_ms: u64,
    _drain_ms: u64,
}

impl Membership {
    /// No endpoint yet.
    #[must_use]
    pub fn new(hold_empty: Duration, drain: Duration) -> Membership {
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Membership { _hold_empty_ms: ms(hold_empty), _drain_ms: ms(drain) }
    }
}
