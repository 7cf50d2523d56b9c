//! Who asks: found in shared data, or at the control plane, or refused.

use super::{Question, State, Stream};
use crate::failures;
use crate::host::{self, HeldRequest};
use crate::keyring::Found;
use crate::replays::{self, Seen};
use contract::keyring::KeyEntry;
use contract::refusal::{Code, Refusal};
use pipeline::Digest;
use pipeline::exchange::Opened;
use pipeline::headers::Headers;
use pipeline::hmac::{Accepted, Signed, Times};
use pipeline::nonce;
use pipeline::request_path::{self, Identified, Signer, Throttled};
use std::rc::Rc;

impl Stream {
    pub(super) fn find_key(&mut self, held: &HeldRequest, opened: Opened, digest: Digest) {
        let gateway = Rc::clone(&self.gateway);
        match gateway.keyring.find(&digest, self.started_ms) {
            Found::Settled(entry) => self.on_key(held, opened, entry, self.started_ms),
            Found::Unsettled => match gateway.throttle(&host::source_address(), self.started_ms) {
                Some(throttled) => self.put_off(held, &opened, throttled),
                None => {
                    let cluster = &gateway.policy.control_cluster;
                    let asked = gateway.keyring.ask(cluster, &digest, self.started_ms);
                    self.ask(held, opened, Question::Key(digest), asked);
                }
            },
        }
    }

    pub(super) fn on_key(
        &mut self,
        held: &HeldRequest,
        opened: Opened,
        entry: Option<KeyEntry>,
        now_ms: u64,
    ) {
        match request_path::on_key(entry, now_ms / 1_000) {
            Ok(caller) => self.known(held, opened, caller.into()),
            Err(refusal) => self.refuse(held, &refusal, &opened),
        }
    }

    pub(super) fn find_signer(
        &mut self,
        held: &HeldRequest,
        opened: Opened,
        headers: &Headers,
        signed: &Signed<'_>,
    ) {
        let gateway = Rc::clone(&self.gateway);
        let Some(entry) = gateway.keyring.signer(signed.id(), self.started_ms) else {
            return self.reply(held, &request_path::on_unavailable(&opened));
        };
        let policy = &gateway.policy;
        let times = Times {
            now_s: self.started_ms / 1_000,
            started_s: gateway.started_s,
            max_skew_s: policy.hmac.max_skew_s,
            remembered_s: gateway.keyring.remembered_s(),
        };
        match request_path::on_signature(headers, signed, entry, times) {
            Ok(accepted) => self.remember(held, opened, accepted),
            Err(refusal) => self.refuse(held, &refusal, &opened),
        }
    }

    /// What is signed counts once.
    fn remember(&mut self, held: &HeldRequest, opened: Opened, accepted: Accepted) {
        let gateway = Rc::clone(&self.gateway);
        let Accepted { caller, body, nonce, outlives_process } = accepted;
        let signer = Signer { caller, body: Some(body) };
        match replays::remember(&nonce, self.started_ms / 1_000) {
            Seen::Before => self.refuse(held, &nonce::replayed(), &opened),
            Seen::NoRoom { retry_after_s } => {
                self.put_off(held, &opened, Throttled::Nonces { retry_after_s });
            }
            Seen::Never if outlives_process || gateway.policy.hmac.shared_nonces => {
                let asked = replays::ask(&gateway.policy.control_cluster, &nonce);
                self.ask(held, opened, Question::Nonce(signer), asked);
            }
            Seen::Never => self.known(held, opened, signer),
        }
    }

    /// The control plane was asked, or could not be.
    fn ask(&mut self, held: &HeldRequest, opened: Opened, question: Question, asked: bool) {
        if asked {
            self.state = State::Asking { opened, question };
        } else {
            self.reply(held, &request_path::on_unavailable(&opened));
        }
    }

    pub(super) fn known(&mut self, held: &HeldRequest, opened: Opened, signer: Signer) {
        let gateway = Rc::clone(&self.gateway);
        let means = signer.caller.means;
        let identified = request_path::on_caller(&gateway.policy, opened, signer);
        if !matches!(identified, Identified::Refused(..)) {
            gateway.meters.accepted(means);
        }
        match identified {
            Identified::Finish(finish) => self.finish(held, finish),
            Identified::Refused(refusal, opened) => self.refuse(held, &refusal, &opened),
            Identified::Hold(request) => self.state = State::Held(request),
        }
    }

    /// Nobody that may ask. An address of which too many fail is put off instead: it
    /// does not learn which of its guesses is wrong in what way.
    pub(super) fn refuse(&mut self, held: &HeldRequest, refusal: &Refusal, opened: &Opened) {
        let gateway = Rc::clone(&self.gateway);
        let per_minute = gateway.policy.failures_per_minute;
        match failures::note(&host::source_address(), self.started_ms, per_minute) {
            Some(retry_after_s) => {
                self.put_off(held, opened, Throttled::Failures { retry_after_s });
            }
            None => {
                gateway.meters.refused(refusal.code);
                self.reply(held, &request_path::on_refused(refusal, opened));
            }
        }
    }

    fn put_off(&mut self, held: &HeldRequest, opened: &Opened, why: Throttled) {
        self.gateway.meters.refused(Code::RateLimitExceeded);
        self.reply(held, &request_path::on_throttled(opened, why));
    }
}
