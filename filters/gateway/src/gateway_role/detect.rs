//! The external detector is asked about the texts of a request.

use super::{State, Stream};
use crate::host::{self, HeldRequest};
use contract::refusal::Code;
use pipeline::privacy::Question;
use std::time::Duration;

impl Stream {
    /// Asks; where that cannot be, the policy says what becomes of the request. Says
    /// whether it goes on.
    pub(super) fn detect(&mut self, held: &HeldRequest, question: &Question) -> bool {
        let detector = &question.detector;
        let asked = host::ask_service(
            &detector.cluster,
            &detector.authority,
            &detector.path,
            &question.body,
            Duration::from_millis(detector.timeout_ms),
        );
        if let State::Held(request) = self.take_state() {
            self.state = State::Detecting(request);
        }
        asked.is_err() && self.on_word(held, None)
    }

    /// The detector has answered, or Envoy in its place.
    pub(super) fn on_detected(&mut self, body_size: usize) {
        let held = HeldRequest::enter();
        let answer = host::service_answer(body_size);
        if self.on_word(&held, answer) {
            host::resume_request(held);
        }
    }

    fn on_word(&mut self, held: &HeldRequest, answer: Option<Vec<u8>>) -> bool {
        self.detected = Some(answer);
        let goes_on = self.decide_again(held);
        // One that goes on has said whether the detector was needed.
        if let State::Finished(Some(who)) = &self.state
            && who.code.as_deref() == Some(Code::ControlUnavailable.as_str())
        {
            self.gateway.meters.detector_failed();
        }
        goes_on
    }
}
