//! The singleton that keeps the keyring in shared data up to date, and tells the
//! control plane how many were refused.
//!
//! It asks the control plane for what has changed since the version it has; the
//! control plane holds the question until there is something to say. A revoked
//! key is therefore revoked in every worker within one round trip.

use crate::host::{self, ControlAnswer, Message};
use crate::keyring::process_started_ms;
use crate::meters::Meters;
use crate::returns::Returns;
use crate::station::process_name;
use contract::keyring::{KeyringDelta, RefusalReport};
use contract::limits::{KEYRING_POLL_MS, REFUSAL_REPORT_MS};
use contract::names::{ANSWER_DELTA, ANSWER_NOTED, KEYRING_PATH, REFUSALS_PATH};
use log::{info, warn};
use pipeline::fleet::{self, FLEET_NAME};
use pipeline::keyring::marks::{FRESH_NAME, REMEMBERED_NAME, encode_moment};
use pipeline::keyring::signers::{SIGNERS_NAME, Signers};
use pipeline::keyring::{STATE_NAME, State, encode_entry, entry_name_of_hex};
use pipeline::masking_key::{self, MASKING_KEY_NAME};
use pipeline::spending::marks::{SHARES_NAME, Shares};
use std::collections::BTreeMap;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);

/// How much longer than the control plane holds the question an answer is
/// awaited.
const GRACE_MS: u64 = 5_000;

/// Ticks until the control plane is asked again after it did not answer.
const TICKS_AFTER_FAILURE: u32 = 2;

/// How long the answer to a report is awaited.
const REPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// The conversation with the control plane.
pub struct Sync {
    control_cluster: String,
    state: State,
    signers: Signers,
    /// The version of the masking key that was delivered; empty before.
    masking_version: String,
    /// The version of the servers that were delivered; 0 before.
    fleet_version: u64,
    asked: Option<u32>,
    wait_ticks: u32,
    silent: bool,
    meters: Meters,
    reports: Reports,
    returns: Returns,
}

/// What the control plane was told of refusals.
struct Reports {
    process: String,
    noted: BTreeMap<String, u64>,
    told: Option<(u32, BTreeMap<String, u64>)>,
    next_ms: u64,
}

impl Sync {
    /// Goes on where an earlier VM of this process has stopped.
    pub fn start(control_cluster: String) -> Sync {
        host::tick_every(TICK);
        let state = host::shared(STATE_NAME).as_deref().and_then(State::decode);
        Sync {
            control_cluster,
            state: state.unwrap_or_default(),
            signers: signers(),
            masking_version: masking_version(),
            fleet_version: fleet_version(),
            asked: None,
            wait_ticks: 0,
            silent: false,
            meters: Meters::new(),
            reports: Reports {
                process: process_started_ms().to_string(),
                noted: BTreeMap::new(),
                told: None,
                next_ms: 0,
            },
            returns: Returns::default(),
        }
    }

    /// Asks, unless an answer is awaited; reports, if it is time.
    pub fn on_tick(&mut self) {
        if self.wait_ticks > 0 {
            self.wait_ticks -= 1;
        } else if self.asked.is_none() {
            self.ask();
        }
        if self.reports.are_due() {
            self.reports.send(&self.control_cluster, &self.meters);
        }
        self.returns.on_tick(&self.control_cluster);
    }

    fn ask(&mut self) {
        let path = format!(
            "{KEYRING_PATH}?epoch={}&since={}&hmac={}&masking={}&fleet={}&process={}",
            self.state.epoch,
            self.state.version,
            self.signers.version,
            self.masking_version,
            self.fleet_version,
            process_name(),
        );
        let timeout = Duration::from_millis(KEYRING_POLL_MS + GRACE_MS);
        match host::ask_control(&self.control_cluster, Message::Get, &path, timeout) {
            Ok(token) => self.asked = Some(token),
            Err(_) => self.wait_ticks = TICKS_AFTER_FAILURE,
        }
    }

    /// The control plane, or Envoy in its place, has answered.
    pub fn on_answer(&mut self, token: u32, answer: &ControlAnswer) {
        if self.asked != Some(token) {
            if !self.returns.on_answer(token, answer) {
                self.reports.on_answer(token, answer);
            }
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
        host::set_shared_if_absent(REMEMBERED_NAME, &encode_moment(delta.nonces_until_s));
        if let Some(set) = &delta.hmac {
            for (name, stored) in self.signers.replace(set) {
                host::set_shared(&name, &stored);
            }
            self.signers = signers();
        }
        if let Some(key) = &delta.masking {
            host::set_shared(MASKING_KEY_NAME, &masking_key::encode(key));
            self.masking_version = masking_version();
        }
        if let Some(fleet) = &delta.fleet {
            host::set_shared(FLEET_NAME, &fleet::encode(fleet));
            self.fleet_version = fleet.version;
        }
        let shares = Shares { gateways: delta.gateways.max(1), spool_full: delta.spool_full };
        host::set_shared(SHARES_NAME, &shares.encode());
        self.state = State { epoch: delta.epoch.clone(), version: delta.version };
        self.returns.on_budgets(delta.budgets);
        if !delta.more {
            host::set_shared(FRESH_NAME, &encode_moment(host::now_ms()));
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

/// Who may sign, as it was delivered last.
fn signers() -> Signers {
    host::shared(SIGNERS_NAME).as_deref().and_then(Signers::decode).unwrap_or_default()
}

/// The version of the masking key that stands in shared data.
fn masking_version() -> String {
    let key = host::shared(MASKING_KEY_NAME).as_deref().and_then(masking_key::decode);
    key.map(|key| key.version).unwrap_or_default()
}

/// The version of the servers that stand in shared data.
fn fleet_version() -> u64 {
    host::shared(FLEET_NAME).as_deref().map_or(0, |stored| fleet::decode(stored).version)
}

impl Reports {
    fn are_due(&mut self) -> bool {
        let now_ms = host::now_ms();
        let due = now_ms >= self.next_ms;
        if due {
            self.next_ms = now_ms.saturating_add(REFUSAL_REPORT_MS);
        }
        due
    }

    /// Says how many were refused since the process began, if those are others than
    /// were noted. So a report that is lost is made good by the next.
    fn send(&mut self, control_cluster: &str, meters: &Meters) {
        let refused = meters.refusals().filter(|(_, count)| *count > 0);
        let refused = refused.map(|(code, count)| (code.as_str().to_owned(), count)).collect();
        if refused == self.noted {
            return;
        }
        let report = RefusalReport { process: self.process.clone(), refused };
        let body = serde_json::to_vec(&report).unwrap_or_default();
        let message = Message::Post(&body);
        let token = host::ask_control(control_cluster, message, REFUSALS_PATH, REPORT_TIMEOUT);
        self.told = token.ok().map(|token| (token, report.refused));
    }

    fn on_answer(&mut self, token: u32, answer: &ControlAnswer) {
        let told = self.told.take_if(|(told, _)| *told == token);
        if let Some((_, refused)) = told
            && answer.kind().as_deref() == Some(ANSWER_NOTED)
        {
            self.noted = refused;
        }
    }
}

fn delta(answer: &ControlAnswer) -> Option<KeyringDelta> {
    (answer.kind()? == ANSWER_DELTA).then(|| serde_json::from_slice(&answer.body()).ok()).flatten()
}
