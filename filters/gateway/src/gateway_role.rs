//! The downstream filter: carries events to the pipeline and does what it says.

mod answer;
mod caller;
mod detect;
mod leases;
mod silence;

use crate::failures;
use crate::fleet::Servers;
use crate::host::{self, AnswerChunk, ControlAnswer, HeldRequest};
use crate::keyring::{Keyring, process_started_ms};
use crate::masking_key::TagSecret;
use crate::meters::Meters;
use crate::replays::{self, Seen};
use crate::station::{SharedTable, Station};
use contract::lease::Wanted;
use contract::names::{BODIES_PROPERTY, TALLY_PROPERTY, WHO_PROPERTY};
use contract::usage::{Tally, Who};
use log::info;
use pipeline::Digest;
use pipeline::Policy;
use pipeline::command::{Finish, Reply};
use pipeline::exchange::{Answering, CertificateNames, Forwarded, Held, Opened};
use pipeline::headers::Headers;
use pipeline::hmac::open_from_s;
use pipeline::nonce;
use pipeline::note;
use pipeline::privacy::{External, Material};
use pipeline::request_path::{self, Arrival, Claim, Decision, Opening, Setting, Signer, Throttled};
use pipeline::response_path;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use silence::{Watch, Watched};
use std::mem;
use std::rc::Rc;
use std::time::Duration;

/// How often a worker looks whether the keyring has another epoch.
const TICK: Duration = Duration::from_millis(500);

/// What all streams of a worker share.
pub struct Gateway {
    policy: Policy,
    keyring: Keyring,
    masking_key: TagSecret,
    meters: Meters,
    station: Station,
    servers: Servers,
    watch: Rc<Watch>,
    started_s: u64,
}

impl Gateway {
    /// A gateway that decides by `policy`.
    pub fn start(policy: Policy) -> Rc<Gateway> {
        host::tick_every(TICK);
        let keyring = Keyring::new(policy.stale_for_ms);
        let started_s = process_started_ms() / 1_000;
        let masking_key = TagSecret::default();
        let (meters, station) = (Meters::new(), Station::open());
        let (servers, watch) = (Servers::open(), Rc::default());
        Rc::new(Gateway {
            policy,
            keyring,
            masking_key,
            meters,
            station,
            servers,
            watch,
            started_s,
        })
    }

    /// Looks at shared data again, and last of all at streams: what follows would be asked of
    /// Envoy for one of them.
    pub fn on_tick(&self) {
        self.keyring.refresh();
        self.masking_key.refresh();
        self.servers.refresh();
        self.station.on_tick();
        self.watch.on_tick(TICK, Duration::from_millis(self.policy.stream_idle_timeout_ms));
    }

    /// Whether requests can be decided about. What is signed when the process began may
    /// have been seen by the process before it.
    fn is_ready(&self, now_s: u64) -> bool {
        self.keyring.is_ready()
            && (!self.policy.hmac.used || now_s >= open_from_s(self.started_s))
            && (!self.needs_masking_key() || self.masking_key.is_there())
    }

    /// Whether something is kept by the masking key: values, or users who look like some.
    fn needs_masking_key(&self) -> bool {
        self.policy.masking.are_used() || self.policy.spending.use_users_of_bodies()
    }

    /// The seconds until the next try of `address`, if too many of it failed.
    fn throttle(&self, address: &str, now_ms: u64) -> Option<Throttled> {
        failures::standing(address, now_ms, self.policy.failures_per_minute)
            .map(|retry_after_s| Throttled::Failures { retry_after_s })
    }
}

/// One request with its answer.
pub struct Stream {
    gateway: Rc<Gateway>,
    context: u32,
    state: State,
    started_ms: u64,
    body: Body,
    /// What the external detector has said; `None`: it was not asked.
    detected: Option<Option<Vec<u8>>>,
    /// How often the control plane was asked for leases.
    asks: u8,
    /// What it is being asked for while the answer passes, and by which call.
    ahead: Option<(u32, Vec<Wanted>)>,
    /// Where Envoy does not see that the answer falls silent.
    watched: Option<Watched>,
}

/// What Envoy holds of the request's body.
#[derive(Clone, Copy, Default)]
struct Body {
    bytes: usize,
    ended: bool,
}

enum State {
    /// Nothing has arrived.
    New,
    /// The control plane is asked for something.
    Asking { opened: Opened, question: Question },
    /// The body is awaited.
    Held(Held),
    /// The body is there, and the external detector's word on it is awaited.
    Detecting(Held),
    /// The body is there, and the control plane's leases are awaited, by that call.
    Leasing(Held, Vec<Wanted>, u32),
    /// The engine is awaited.
    Forwarded(Box<Forwarded>),
    /// The answer passes.
    Answering(Box<Answering>),
    /// The gateway has answered; the ledger is told of whom it knew.
    Finished(Option<Who>),
}

/// What the control plane is asked.
enum Question {
    /// Whose key this is.
    Key(Digest),
    /// Whether the nonce of what he has signed was seen.
    Nonce(Signer),
}

impl Stream {
    /// A stream that nothing has arrived of.
    pub fn new(gateway: Rc<Gateway>, context: u32) -> Stream {
        Stream {
            gateway,
            context,
            state: State::New,
            started_ms: 0,
            body: Body::default(),
            detected: None,
            asks: 0,
            ahead: None,
            watched: None,
        }
    }

    fn take_state(&mut self) -> State {
        mem::replace(&mut self.state, State::Finished(None))
    }

    fn open(&mut self, held: &HeldRequest, headers: &Headers, end_of_stream: bool) {
        let gateway = Rc::clone(&self.gateway);
        let now_s = self.started_ms / 1_000;
        if let Some(reply) = request_path::health(headers, gateway.is_ready(now_s)) {
            return self.reply(held, &reply);
        }
        let certificate = certificate(held, &gateway.policy);
        let arrival = Arrival { headers, end_of_stream, certificate, now_s };
        let Opening { claim, opened, edits } = request_path::on_headers(&gateway.policy, arrival);
        held.edit(&edits);
        match claim {
            Claim::Key(digest) => self.find_key(held, opened, digest),
            Claim::Signed(signed) => self.find_signer(held, opened, headers, &signed),
            Claim::Caller(caller) => self.known(held, opened, caller.into()),
            Claim::Refused(refusal) => self.refuse(held, &refusal, &opened),
        }
    }

    fn reply(&mut self, held: &HeldRequest, reply: &Reply) {
        held.reply(reply);
        self.state = State::Finished(None);
    }

    fn finish(&mut self, held: &HeldRequest, finish: Finish) {
        held.reply(&finish.reply);
        self.state = State::Finished(finish.who);
    }

    /// More of the body is there, perhaps all of it. Says whether the request
    /// goes on.
    fn on_body(&mut self, held: &HeldRequest) -> bool {
        let State::Held(request) = &self.state else { return false };
        let gateway = Rc::clone(&self.gateway);
        if self.body.bytes > gateway.policy.max_body_bytes {
            let finish = request_path::on_body_too_large(&gateway.policy, request);
            self.finish(held, finish);
            return false;
        }
        if !self.body.ended {
            return false;
        }
        self.decide_again(held)
    }

    /// The whole body is there, and perhaps something that it had to wait for. Says
    /// whether the request goes on.
    fn decide_again(&mut self, held: &HeldRequest) -> bool {
        let detected = self.detected.take();
        let external = match &detected {
            None => External::Unasked,
            Some(None) => External::Failed,
            Some(Some(answer)) => External::Answered(answer),
        };
        let goes_on = self.decide(held, external);
        self.detected = detected;
        goes_on
    }

    fn decide(&mut self, held: &HeldRequest, external: External<'_>) -> bool {
        let (State::Held(request) | State::Detecting(request)) = &self.state else { return false };
        let gateway = Rc::clone(&self.gateway);
        let body = held.body(self.body.bytes);
        let key = gateway.masking_key.get();
        let material = Material { key: key.as_deref(), external };
        let (till, fleet) = (gateway.station.till(), gateway.servers.get());
        let may_ask = self.asks < leases::ASKS_MAX;
        let setting = Setting { material, till: &till, fleet: &fleet, may_ask };
        match request_path::on_body(&gateway.policy, request, &body, &setting) {
            Decision::Finish(finish) => self.finish_masked(held, finish),
            Decision::Refused(refusal) => {
                let opened = request.opened.clone();
                self.refuse(held, &refusal, &opened);
            }
            Decision::Detect(question) => return self.detect(held, &question),
            Decision::Lease(wanted) => return self.ask_for_leases(held, wanted),
            Decision::Forward { edits, body, bodies, forwarded } => {
                held.edit(&edits);
                if let Some(bodies) = bodies {
                    host::note(BODIES_PROPERTY, &bodies);
                }
                if let Some(body) = body {
                    held.set_body(self.body.bytes, &body);
                }
                gateway.meters.masked(&forwarded.who.masked);
                if forwarded.masked.as_ref().is_some_and(|masked| masked.detector_failed) {
                    gateway.meters.detector_failed();
                }
                note_who(&forwarded.who);
                note_tally(&forwarded.course.at_start());
                self.state = State::Forwarded(forwarded);
                return true;
            }
        }
        false
    }

    /// A request that its policy blocks has values that count as well.
    fn finish_masked(&mut self, held: &HeldRequest, finish: Finish) {
        finish.who.iter().for_each(|who| self.gateway.meters.masked(&who.masked));
        self.finish(held, finish);
    }

    /// What was masked of what the model wrote itself counts as well.
    fn note_answer(&self, answering: &Answering) {
        let Some(who) = response_path::who_of_answer(answering) else { return };
        self.gateway.meters.masked(answering.texts.iter().flat_map(|texts| texts.counts()));
        note_who(&who);
    }

    fn goes_on(&self) -> Action {
        match self.state {
            State::Forwarded(_) | State::Answering(_) => Action::Continue,
            _ => Action::Pause,
        }
    }
}

impl Context for Stream {
    /// The control plane has answered for the key that the request came with, or the
    /// external detector for its texts.
    fn on_http_call_response(&mut self, call: u32, _: usize, body_size: usize, _: usize) {
        if matches!(self.state, State::Detecting(_)) {
            return self.on_detected(body_size);
        }
        match self.state {
            State::Leasing(_, _, asked) if asked == call => return self.on_leases(body_size),
            State::Answering(_) => return self.on_leases_ahead(call, body_size),
            _ => {}
        }
        let gateway = Rc::clone(&self.gateway);
        let (opened, question) = match self.take_state() {
            State::Asking { opened, question } => (opened, question),
            other => {
                self.state = other;
                return;
            }
        };
        let held = HeldRequest::enter();
        let answer = ControlAnswer::enter(body_size);
        match question {
            Question::Key(digest) => {
                gateway.keyring.asked();
                let now_ms = host::now_ms();
                match gateway.keyring.learn(&answer, &digest, now_ms) {
                    Some(entry) => self.on_key(&held, opened, entry, now_ms),
                    None => self.reply(&held, &request_path::on_unavailable(&opened)),
                }
            }
            Question::Nonce(signer) => match replays::learn(&answer) {
                Some(Seen::Never) => self.known(&held, opened, signer),
                Some(_) => self.refuse(&held, &nonce::replayed(), &opened),
                None => self.reply(&held, &request_path::on_nonce_unavailable(&opened)),
            },
        }
        if self.on_body(&held) {
            host::resume_request(held);
        }
    }

    fn on_done(&mut self) -> bool {
        true
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        self.started_ms = host::now_ms();
        let held = HeldRequest::enter();
        let headers = held.headers();
        self.open(&held, &headers, end_of_stream);
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.body = Body { bytes: size, ended: end_of_stream };
        self.on_body(&HeldRequest::enter());
        self.goes_on()
    }

    /// A body may also end with trailers; then no callback had said so.
    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        if !self.body.ended {
            self.body.ended = true;
            self.on_body(&HeldRequest::enter());
        }
        self.goes_on()
    }

    fn on_http_response_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        match self.take_state() {
            State::Forwarded(forwarded) => self.on_answer(*forwarded, end_of_stream),
            other => {
                self.state = other;
                Action::Continue
            }
        }
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        let State::Answering(answering) = &mut self.state else { return Action::Continue };
        let chunk = AnswerChunk::enter(size);
        self.watched.iter().for_each(Watched::heard);
        let bytes = if answering.reader.rewrites() { chunk.bytes() } else { Vec::new() };
        let started_ms = self.started_ms;
        let elapsed_ms = || host::now_ms().saturating_sub(started_ms);
        let till = || self.gateway.station.till();
        let step = response_path::on_body(answering, &bytes, end_of_stream, elapsed_ms, till);
        if step.reset {
            host::break_off();
        }
        if !step.wanted.is_empty() && self.ahead.is_none() {
            self.ahead = leases::ask_ahead(&self.gateway.policy.control_cluster, step.wanted);
        }
        if let Some(replacement) = step.replacement {
            chunk.replace(&replacement);
        }
        if end_of_stream {
            journal(&self.gateway.policy, answering, started_ms);
        } else if step.tally_changed {
            note_tally(&answering.tally);
        }
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        if let State::Answering(answering) = &mut self.state {
            response_path::on_end(answering);
            journal(&self.gateway.policy, answering, self.started_ms);
        }
        Action::Continue
    }

    /// The stream is over, whatever ended it; what is noted here still reaches
    /// the access log's last line.
    fn on_log(&mut self) {
        match self.take_state() {
            State::Answering(answering) => {
                let tally = response_path::final_tally(&answering);
                let mut tally = answering.course.until_now(tally, host::now_ms());
                tally.silent = self.watched.as_ref().is_some_and(Watched::is_broken_off);
                note_tally(&tally);
                self.note_answer(&answering);
                let turn = self.gateway.station.next_answer();
                answering.course.learn(&answering.reader, &tally, turn, &SharedTable);
                answering.course.settle(&tally, &self.gateway.station.till());
            }
            State::Forwarded(mut forwarded) => {
                answer::land(&mut forwarded);
                let course = &forwarded.course;
                let tally = course.until_now(course.at_start(), host::now_ms());
                note_tally(&tally);
                forwarded.course.settle(&tally, &self.gateway.station.till());
            }
            State::Held(held) | State::Detecting(held) | State::Leasing(held, ..) => {
                note_who(&held.who());
            }
            State::Finished(Some(who)) => note_who(&who),
            State::Asking { question: Question::Key(_), .. } => {
                self.gateway.keyring.asked();
                // Who leaves before the answer has guessed as well.
                let per_minute = self.gateway.policy.failures_per_minute;
                let address = host::source_address();
                let _ = failures::note(&address, self.started_ms, per_minute);
            }
            State::New | State::Asking { .. } | State::Finished(None) => {}
        }
    }
}

/// Writes the end of an answer where Envoy's death cannot take it any more, before
/// the answer's last bytes go on.
fn journal(policy: &Policy, answering: &Answering, started_ms: u64) {
    if policy.journal {
        let line = response_path::journal_line(answering, started_ms, host::now_ms());
        info!("{}", note::journal(&line));
    }
}

/// Names in the certificate that the client has shown, where certificates count.
fn certificate(held: &HeldRequest, policy: &Policy) -> Option<CertificateNames> {
    let [uri, dns] = policy.client_certificates.then(|| held.certificate_names())??;
    Some(CertificateNames { uri, dns })
}

fn note_who(who: &Who) {
    host::note(WHO_PROPERTY, &note::who(who));
}

fn note_tally(tally: &Tally) {
    host::note(TALLY_PROPERTY, &note::tally(tally));
}
