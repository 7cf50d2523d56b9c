//! An Envoy as `status` and the metrics show it, and which ones are supported.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The extension that runs the Wasm module.
const WASM_RUNTIME: &str = "envoy.wasm.runtime.v8";
/// Release lines of Envoy that the product is tested with, and the first patch of
/// each that is.
const SUPPORTED: [((u32, u32), u32); 4] = [((1, 36), 4), ((1, 37), 0), ((1, 39), 0), ((1, 40), 0)];

/// An Envoy that is or was connected. Times are Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvoyStatus {
    /// Its id, as it says itself.
    pub node: String,
    /// Its cluster, as it says itself.
    pub cluster: String,
    /// Its version, such as `1.40.0`; empty if it does not say.
    pub envoy_version: String,
    /// Whether it has V8; none if it lists no extensions.
    pub wasm_v8: Option<bool>,
    /// Why it is not supported.
    pub unsupported: Option<String>,
    /// Another Envoy is connected under the same id: they hide each other.
    pub duplicate: bool,
    /// Which of the variants of the resources it gets; empty: there is but one.
    pub variant: String,
    /// Whether it gets changes before the others.
    pub canary: bool,
    /// How it talks: `delta` or `sotw`.
    pub protocol: String,
    /// When its present or last stream began.
    pub connected_since_ms: u64,
    /// When its last stream ended; none while it is connected.
    pub disconnected_at_ms: Option<u64>,
    /// The last snapshot of which it acknowledged every resource.
    pub converged_to: Option<String>,
    /// Whether it is connected and has everything that is in force for it.
    pub converged: bool,
    /// By type of resource, what it has and refuses.
    pub types: BTreeMap<String, TypeStatus>,
    /// By type of resource, the messages of all its streams since this control
    /// plane began.
    pub counts: BTreeMap<String, MessageCounts>,
}

/// What an Envoy has and refuses of one type of resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TypeStatus {
    /// Whether it wants all resources of the type.
    pub wildcard: bool,
    /// How many it wants by name.
    pub names: u64,
    /// How many it has.
    pub acked: u64,
    /// The snapshot of the last response that it accepted.
    pub version: Option<String>,
    /// Whether a response waits for its acknowledgement.
    pub in_flight: bool,
    /// What it refuses and keeps an older version of, by name.
    pub refused: BTreeMap<String, Refusal>,
    /// Its last refusal, mended or not.
    pub last_nack: Option<Refusal>,
}

/// Messages of one type of resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageCounts {
    /// Responses that were sent.
    pub responses: u64,
    /// How many of them were accepted.
    pub acks: u64,
    /// How many of them were refused.
    pub nacks: u64,
}

/// A response that an Envoy refused (a NACK).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// Names and versions of what was in the response.
    pub resources: BTreeMap<String, String>,
    /// Envoy's own words.
    pub error: String,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
}

impl EnvoyStatus {
    /// Whether it is connected now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.disconnected_at_ms.is_none()
    }

    /// How many resources it refuses.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.types.values().map(|state| state.refused.len()).sum()
    }

    /// Says why it is not supported, if it is not.
    #[must_use]
    pub fn judged(mut self) -> Self {
        self.unsupported = unsupported(&self.envoy_version, self.wasm_v8);
        self
    }
}

fn unsupported(version: &str, wasm_v8: Option<bool>) -> Option<String> {
    if wasm_v8 == Some(false) {
        return Some(format!("it is built without {WASM_RUNTIME} and cannot run the module"));
    }
    let tested = || "supported are 1.36.4 and later of 1.36, 1.37, 1.39 and 1.40";
    match numbers(version) {
        None if version.is_empty() => Some(format!("it does not say its version; {}", tested())),
        Some((line, patch)) if SUPPORTED.iter().any(|(l, p)| *l == line && *p <= patch) => None,
        _ => Some(format!("version {version} is not tested; {}", tested())),
    }
}

/// `1.40.0` or `1.40.0-dev` as release line and patch.
fn numbers(version: &str) -> Option<((u32, u32), u32)> {
    let number = version.split(['-', '+']).next()?;
    let mut parts = number.splitn(3, '.').map(str::parse);
    let mut next = || parts.next()?.ok();
    Some(((next()?, next()?), next()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn which_envoys_are_supported() {
        let table = [
            ("1.36.4", Some(true), None),
            ("1.36.12", None, None),
            ("1.36.3", Some(true), Some("version 1.36.3 is not tested")),
            ("1.37.0", Some(true), None),
            ("1.38.3", Some(true), Some("version 1.38.3 is not tested")),
            ("1.38.3", Some(false), Some("without envoy.wasm.runtime.v8")),
            ("1.40.0", Some(false), Some("without envoy.wasm.runtime.v8")),
            ("1.40.2-dev", Some(true), None),
            ("1.41.0", Some(true), Some("version 1.41.0 is not tested")),
            ("2.36.4", Some(true), Some("is not tested")),
            ("1.40", Some(true), Some("version 1.40 is not tested")),
            ("", Some(true), Some("does not say its version")),
            ("4294967296.1.1", None, Some("is not tested")),
        ];
        for (version, v8, expected) in table {
            let why = unsupported(version, v8);
            match expected {
                None => assert_eq!(why, None, "{version}"),
                Some(part) => assert!(why.clone().unwrap().contains(part), "{version}: {why:?}"),
            }
        }
    }

    #[test]
    fn an_envoy_is_read_without_what_nobody_counts_yet() {
        let told = json!({
            "node": "gateway", "cluster": "c", "envoy_version": "1.40.0", "colour": "red",
            "connected_since_ms": 5, "disconnected_at_ms": null, "converged_to": "v1",
            "types": {"cluster": {"wildcard": true, "names": 0, "acked": 3, "version": "v1",
                "in_flight": false, "last_nack": null,
                "refused": {"pool/a": {"resources": {"pool/a": "x"}, "error": "no", "at_ms": 7}}}},
        });
        let envoy = serde_json::from_value::<EnvoyStatus>(told).unwrap().judged();
        assert_eq!((envoy.refused(), envoy.wasm_v8, envoy.unsupported.clone()), (1, None, None));
        assert!(envoy.is_connected() && envoy.counts.is_empty());
        assert_eq!(envoy.types["cluster"].refused["pool/a"].at_ms, 7);
    }
}
