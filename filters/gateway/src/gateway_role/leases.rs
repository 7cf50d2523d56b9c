//! Money for a request: leased from the control plane where the gateway has none.

use super::{State, Stream};
use crate::host::{self, ControlAnswer, HeldRequest, Message};
use crate::station::process_name;
use contract::lease::{LeaseAnswer, LeaseRequest, Returned, Wanted};
use contract::limits::LEASE_TIMEOUT_MS;
use contract::names::{ANSWER_LEASES, LEASES_PATH};
use pipeline::request_path;
use pipeline::spending;
use std::time::Duration;

/// How often one request asks for money: somebody else may have spent what it got.
pub const ASKS_MAX: u8 = 3;

impl Stream {
    /// Asks for `wanted`; says whether the request goes on.
    pub(super) fn ask_for_leases(&mut self, held: &HeldRequest, wanted: Vec<Wanted>) -> bool {
        let request = LeaseRequest { process: process_name(), wanted, returned: Vec::new() };
        let asked = ask(&self.gateway.policy.control_cluster, &request);
        self.asks = self.asks.saturating_add(1);
        match (self.take_state(), asked) {
            (State::Held(of) | State::Detecting(of), Some(call)) => {
                self.state = State::Leasing(of, request.wanted, call);
            }
            (State::Held(of) | State::Detecting(of), None) => {
                let finish = request_path::on_no_lease(&of);
                self.finish(held, finish);
            }
            (other, _) => self.state = other,
        }
        false
    }

    /// The same while the answer passes.
    pub(super) fn on_leases_ahead(&mut self, call: u32, body_size: usize) {
        let Some((_, wanted)) = self.ahead.take_if(|(asked, _)| *asked == call) else { return };
        let Some(answer) = leases(&ControlAnswer::enter(body_size)) else { return };
        let returned = spending::install(&self.gateway.station.till(), &wanted, &answer);
        give_back(&self.gateway.policy.control_cluster, returned);
    }

    /// The control plane has answered, or Envoy in its place.
    pub(super) fn on_leases(&mut self, body_size: usize) {
        let held = HeldRequest::enter();
        let answer = leases(&ControlAnswer::enter(body_size));
        let State::Leasing(request, wanted, _) = self.take_state() else { return };
        let Some(answer) = answer else {
            let finish = request_path::on_no_lease(&request);
            return self.finish(&held, finish);
        };
        let returned = spending::install(&self.gateway.station.till(), &wanted, &answer);
        give_back(&self.gateway.policy.control_cluster, returned);
        self.state = State::Held(request);
        if self.decide_again(&held) {
            host::resume_request(held);
        }
    }
}

/// Asks for what an answer will need that is under way; by which call, if it could.
pub fn ask_ahead(cluster: &str, wanted: Vec<Wanted>) -> Option<(u32, Vec<Wanted>)> {
    let request = LeaseRequest { process: process_name(), wanted, returned: Vec::new() };
    Some((ask(cluster, &request)?, request.wanted))
}

/// The call that asks, if Envoy can send it.
fn ask(cluster: &str, request: &LeaseRequest) -> Option<u32> {
    let body = serde_json::to_vec(request).unwrap_or_default();
    let timeout = Duration::from_millis(LEASE_TIMEOUT_MS);
    host::ask_control(cluster, Message::Post(&body), LEASES_PATH, timeout).ok()
}

fn leases(answer: &ControlAnswer) -> Option<LeaseAnswer> {
    let is_leases = answer.kind().as_deref() == Some(ANSWER_LEASES);
    is_leases.then(|| serde_json::from_slice(&answer.body()).ok()).flatten()
}

/// What there was no room for goes back at once. Nobody awaits the answer: what gets lost
/// comes back when the lease is over.
fn give_back(cluster: &str, returned: Vec<Returned>) {
    if !returned.is_empty() {
        ask(cluster, &LeaseRequest { process: process_name(), wanted: Vec::new(), returned });
    }
}
