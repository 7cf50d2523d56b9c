//! What a session tells people: what is had, on the way, and refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::resource::Resource;

/// Longest error text kept of a NACK, in bytes: enough for Envoy's, and a bound.
const TEXT_BYTES_MAX: usize = 4096;
/// What is left of it when there are too many.
const SHORT_BYTES_MAX: usize = 128;
/// Most resources listed with a NACK; a response may have held thousands.
const RESOURCES_MAX: usize = 100;

/// A response that Envoy refused.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Nack {
    /// Names and versions of resources in the response; the first 100.
    pub resources: BTreeMap<String, String>,
    /// Envoy's own words, cut at 4096 bytes.
    pub error: String,
    /// When, in milliseconds of the session's clock (Unix time in the server).
    pub at_ms: u64,
}

impl Nack {
    pub(crate) fn new(resources: &[Arc<Resource>], error: &str, at_ms: u64) -> Self {
        let listed = resources.iter().take(RESOURCES_MAX);
        let resources = listed.map(|r| (r.name.to_string(), r.version.to_string())).collect();
        let end = error.floor_char_boundary(TEXT_BYTES_MAX);
        Self { resources, error: error.get(..end).unwrap_or_default().to_owned(), at_ms }
    }

    pub(crate) fn shorten(&mut self) {
        self.error.truncate(self.error.floor_char_boundary(SHORT_BYTES_MAX));
        self.error.shrink_to_fit();
    }
}

/// Messages of one type, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Responses sent.
    pub responses: u64,
    /// Responses that Envoy accepted.
    pub acks: u64,
    /// Responses that Envoy refused.
    pub nacks: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.responses += more.responses;
        self.acks += more.acks;
        self.nacks += more.nacks;
    }
}

/// The state of one type for one Envoy, for people to read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TypeStatus {
    /// Whether all resources of the type are wanted.
    pub wildcard: bool,
    /// How many are wanted by name.
    pub names: usize,
    /// How many resources Envoy is known to have.
    pub acked: usize,
    /// The snapshot version of the last response that Envoy accepted.
    pub version: Option<String>,
    /// Whether a response waits for its acknowledgement.
    pub in_flight: bool,
    /// Refused resources that rest until their bytes change, by name.
    pub refused: BTreeMap<String, Nack>,
    /// The last refusal on this stream, mended or not.
    pub last_nack: Option<Nack>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResourceType;

    #[test]
    fn texts_and_lists_are_cut() {
        let resources: Vec<_> = (0..RESOURCES_MAX + 50)
            .map(|i| Arc::new(Resource::new(ResourceType::Cluster, &format!("{i:05}"), vec![])))
            .collect();
        let nack = Nack::new(&resources, &"ä".repeat(TEXT_BYTES_MAX), 7);
        assert_eq!(nack.resources.len(), RESOURCES_MAX);
        assert_eq!(nack.error.len(), TEXT_BYTES_MAX);
        assert_eq!(Nack::new(&[], "short", 7).error, "short");
        let mut nack = nack;
        nack.shorten();
        assert_eq!(nack.error.len(), SHORT_BYTES_MAX);
    }
}
