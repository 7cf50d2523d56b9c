//! How far a change has got: canaries first, then everybody.

use serde::{Deserialize, Serialize};

/// How far the last change got. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Rollout {
    /// It is for everybody.
    Idle {
        /// It went to all at once, because no canary was connected.
        #[serde(default)]
        untried: bool,
    },
    /// Only the canaries have it.
    Soaking {
        /// Since when.
        since_ms: u64,
        /// Canaries, by node id, that have not acknowledged all of it.
        #[serde(default)]
        waits_for: Vec<String>,
        /// When the others get it, if nothing is refused until then; none while a
        /// canary is waited for.
        until_ms: Option<u64>,
    },
    /// A canary refused a part of it; the others keep what they have.
    Stopped {
        /// The canary's node id.
        node: String,
        /// Type of what it refused.
        kind: String,
        /// Name of what it refused.
        resource: String,
        /// Envoy's own words.
        error: String,
        /// When.
        at_ms: u64,
    },
}

impl Rollout {
    /// What [`Rollout::state`] can be.
    pub const STATES: [&str; 3] = ["idle", "soaking", "stopped"];

    /// Its name, as in JSON.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self {
            Rollout::Idle { .. } => "idle",
            Rollout::Soaking { .. } => "soaking",
            Rollout::Stopped { .. } => "stopped",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn states_are_named_as_in_json() {
        let stopped = json!({"state": "stopped", "node": "canary-1", "kind": "cluster",
            "resource": "pool/a", "error": "no", "at_ms": 5});
        let table = [
            json!({"state": "idle", "untried": true}),
            json!({"state": "soaking", "since_ms": 1, "waits_for": ["a"], "until_ms": null}),
            stopped,
        ];
        for (json, state) in table.into_iter().zip(Rollout::STATES) {
            let rollout = from_value::<Rollout>(json.clone()).unwrap();
            assert_eq!((rollout.state(), to_value(&rollout).unwrap()), (state, json));
        }
    }
}
