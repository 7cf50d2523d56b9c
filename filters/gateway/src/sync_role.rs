//! The singleton that keeps the keyring in shared data up to date.
//!
//! It asks the control plane for what has changed since the version it has; the
//! control plane holds the question until there is something to say. A revoked
//! key is therefore revoked in every worker within one round trip.

use crate::host::{self, ControlAnswer};
use contract::keyring::KeyringDelta;
use contract::limits::KEYRING_POLL_MS;
use contract::names::{ANSWER_DELTA, KEYRING_PATH};
use log::{info, warn};
use pipeline::keyring::{STATE_NAME, State, encode_entry, entry_name_of_hex};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);

/// How much longer than the control plane holds the question an answer is
/// awaited.
const GRACE_MS: u64 = 5_000;

/// Ticks until the control plane is asked again after it did not answer.
const TICKS_AFTER_FAILURE: u32 = 2;

/// The conversation with the control plane.
pub struct Sync {
    control_cluster: String,
    state: State,
    asked: Option<u32>,
    wait_ticks: u32,
    silent: bool,
}

impl Sync {
    /// Goes on where an earlier VM of this process has stopped.
    pub fn start(control_cluster: String) -> Sync {
        host::tick_every(TICK);
        let state = host::shared(STATE_NAME).as_deref().and_then(State::decode).unwrap_or_default();
        Sync { control_cluster, state, asked: None, wait_ticks: 0, silent: false }
    }

    /// Asks, unless an answer is awaited.
    pub fn on_tick(&mut self) {
        if self.wait_ticks > 0 {
            self.wait_ticks -= 1;
        } else if self.asked.is_none() {
            self.ask();
        }
    }

    fn ask(&mut self) {
        let path =
            format!("{KEYRING_PATH}?epoch={}&since={}", self.state.epoch, self.state.version);
        let timeout = Duration::from_millis(KEYRING_POLL_MS + GRACE_MS);
        match host::ask_control(&self.control_cluster, &path, timeout) {
            Ok(token) => self.asked = Some(token),
            Err(_) => self.wait_ticks = TICKS_AFTER_FAILURE,
        }
    }

    /// The control plane, or Envoy in its place, has answered.
    pub fn on_answer(&mut self, token: u32, answer: &ControlAnswer) {
        if self.asked != Some(token) {
            return;
        }
        self.asked = None;
        match delta(answer) {
            Some(delta) => {
                self.apply(&delta);
                self.ask();
            }
            None => self.fail(),
        }
    }

    /// Entries first, then the state that makes them count.
    fn apply(&mut self, delta: &KeyringDelta) {
        for change in &delta.changes {
            let stored = encode_entry(&delta.epoch, change.entry.as_ref());
            host::set_shared(&entry_name_of_hex(&change.sha256), &stored);
        }
        self.state = State { epoch: delta.epoch.clone(), version: delta.version };
        if !delta.more {
            host::set_shared(STATE_NAME, &self.state.encode());
        }
        if std::mem::take(&mut self.silent) {
            info!("the control plane answers again");
        }
    }

    fn fail(&mut self) {
        if !std::mem::replace(&mut self.silent, true) {
            warn!("the control plane does not answer; known keys go on working");
        }
        self.wait_ticks = TICKS_AFTER_FAILURE;
    }
}

fn delta(answer: &ControlAnswer) -> Option<KeyringDelta> {
    (answer.kind()? == ANSWER_DELTA).then(|| serde_json::from_slice(&answer.body()).ok()).flatten()
}
