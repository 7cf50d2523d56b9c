//! What is counted of authentications: by Envoy, whichever worker saw them.

use crate::host::Counter;
use contract::refusal::Code;
use pipeline::Means;

/// Codes by which somebody who asks is refused.
const REFUSALS: [Code; 9] = [
    Code::MissingCredentials,
    Code::AmbiguousCredentials,
    Code::InvalidApiKey,
    Code::KeyExpired,
    Code::InvalidToken,
    Code::InvalidSignature,
    Code::ReplayedRequest,
    Code::Forbidden,
    Code::RateLimitExceeded,
];

/// The counters of one VM; those of all VMs count together.
pub struct Meters {
    refused: [(Code, Counter); REFUSALS.len()],
    accepted: [(Means, Counter); Means::ALL.len()],
}

impl Meters {
    /// The counters, made where they are not there yet.
    pub fn new() -> Meters {
        let counter =
            |what: &str, name: &str| Counter::named(&format!("tollgate_auth_{what}_{name}"));
        Meters {
            refused: REFUSALS.map(|code| (code, counter("refused", code.as_str()))),
            accepted: Means::ALL.map(|means| (means, counter("accepted", means.as_str()))),
        }
    }

    /// Somebody was refused.
    pub fn refused(&self, code: Code) {
        let found = self.refused.iter().find(|(counted, _)| *counted == code);
        found.iter().for_each(|(_, counter)| counter.count());
    }

    /// Somebody was recognised.
    pub fn accepted(&self, means: Means) {
        let found = self.accepted.iter().find(|(counted, _)| *counted == means);
        found.iter().for_each(|(_, counter)| counter.count());
    }

    /// How many were refused by each code since the process began.
    pub fn refusals(&self) -> impl Iterator<Item = (Code, u64)> {
        self.refused.iter().map(|(code, counter)| (*code, counter.read()))
    }
}
