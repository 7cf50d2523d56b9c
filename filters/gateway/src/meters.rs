//! What is counted of authentications and of masking: by Envoy, whichever worker saw
//! them.

use crate::host::Counter;
use contract::masking::PiiType;
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
    masked: Vec<(PiiType, Counter)>,
    detector_failures: Counter,
}

impl Meters {
    /// The counters, made where they are not there yet.
    pub fn new() -> Meters {
        let counter =
            |what: &str, name: &str| Counter::named(&format!("tollgate_auth_{what}_{name}"));
        Meters {
            refused: REFUSALS.map(|code| (code, counter("refused", code.as_str()))),
            accepted: Means::ALL.map(|means| (means, counter("accepted", means.as_str()))),
            masked: PiiType::ALL.iter().map(|of| (*of, masked(*of))).collect(),
            detector_failures: Counter::named("tollgate_masking_detector_failures"),
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

    /// Values were found in a request or an answer.
    pub fn masked<'c>(&self, counts: impl IntoIterator<Item = (&'c PiiType, &'c u64)>) {
        for (of, count) in counts {
            let found = self.masked.iter().find(|(counted, _)| counted == of);
            found.iter().for_each(|(_, counter)| counter.add(*count));
        }
    }

    /// An external detector did not answer as it should.
    pub fn detector_failed(&self) {
        self.detector_failures.count();
    }

    /// How many were refused by each code since the process began.
    pub fn refusals(&self) -> impl Iterator<Item = (Code, u64)> {
        self.refused.iter().map(|(code, counter)| (*code, counter.read()))
    }
}

fn masked(of: PiiType) -> Counter {
    Counter::named(&format!("tollgate_masked_{}", of.as_str().to_ascii_lowercase()))
}
