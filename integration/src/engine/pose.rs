//! What the simulator is told to be like while it runs.

use serde::{Deserialize, Serialize};

use super::command::Fault;

/// What is not said is as it is: the load as it is counted, the fault of `--fault`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pose {
    /// Requests that `/metrics` says to run.
    pub running: Option<u64>,
    /// Requests that `/metrics` says to wait.
    pub waiting: Option<u64>,
    /// Share of the key-value cache that `/metrics` says to be in use, 0 to 1.
    pub kv_use: Option<f64>,
    /// How every request fails that names no fault itself; `/health` says nothing of it.
    pub fault: Option<String>,
    /// The fault is of every Nth request alone, counted from the pose on.
    pub every: Option<u64>,
    /// The status of `/health`.
    pub health: Option<u16>,
    /// Whether the rest of every stream comes without pauses between tokens.
    pub hurry: bool,
}

impl Pose {
    /// What was posted; the error is what should have been.
    pub(super) fn parse(body: &[u8]) -> Result<Pose, String> {
        let pose: Pose = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        pose.standing_fault()?;
        Ok(pose)
    }

    pub(super) fn standing_fault(&self) -> Result<Option<Fault>, String> {
        self.fault.as_deref().map(str::parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pose_is_partial_and_its_words_are_checked() {
        let pose = Pose::parse(br#"{"kv_use": 0.5, "fault": "status=503"}"#).unwrap();
        assert_eq!((pose.kv_use, pose.running), (Some(0.5), None));
        assert_eq!(pose.standing_fault(), Ok(Some(Fault::Status(503))));
        assert_eq!(Pose::parse(b"{}"), Ok(Pose::default()));
        for wrong in [r#"{"fault": "sulk"}"#, r#"{"kv": 1}"#, ""] {
            assert!(Pose::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
