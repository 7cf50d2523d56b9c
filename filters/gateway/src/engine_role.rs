//! The filter of a pool's cluster: gives each attempt of a request that may go to several
//! pools the body of its own.
//!
//! Envoy replays to every attempt the body that the gateway's filter has forwarded, and the
//! headers as the attempt before has left them. So the length is said anew each time.

use crate::host::{self, HeldAttempt};
use chat::attempt::{self, Attempt};
use contract::attempt::{Bodies, PoolBody};
use contract::refusal::{Code, ErrorShape, Refusal};
use log::error;
use pipeline::command::Reply;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

/// One attempt.
#[derive(Default)]
pub struct AttemptStream {
    state: State,
}

#[derive(Default)]
enum State {
    /// It goes on as it is.
    #[default]
    Passing,
    /// Its body is awaited, so many bytes of it are there, and made that of the pool.
    Held(PoolBody, usize),
    /// It has ended here.
    Refused,
}

impl AttemptStream {
    fn open(&self, held: &HeldAttempt, end_of_stream: bool) -> State {
        let Told { bodies, is_copy } = match told(held) {
            Ok(Some(told)) => told,
            Ok(None) => return State::Passing,
            Err(_) => return refuse(held, "what is told of the pools' bodies cannot be read"),
        };
        let cluster = host::cluster_name().unwrap_or_default();
        match attempt::of(&bodies, &cluster) {
            Attempt::Untold if is_copy => State::Passing,
            Attempt::Untold => refuse(held, "nothing is told of its pool's body"),
            _ if end_of_stream => refuse(held, "a request without a body has several"),
            Attempt::Same(pool) => {
                held.set_length(pool.length);
                held.set_path(pool.path.as_deref());
                State::Passing
            }
            Attempt::Changed(pool) => {
                held.set_path(pool.path.as_deref());
                State::Held(pool.clone(), 0)
            }
        }
    }

    /// The whole body is there.
    fn close(&mut self) {
        let State::Held(pool, bytes) = &self.state else { return };
        let held = HeldAttempt::enter();
        self.state = match attempt::body(pool, &held.body(*bytes)) {
            Some(body) => {
                held.set_body(*bytes, &body);
                State::Passing
            }
            None => refuse(&held, "the body is not the one that was decided about"),
        };
    }

    fn goes_on(&self) -> Action {
        if matches!(self.state, State::Passing) { Action::Continue } else { Action::Pause }
    }
}

/// What is told of bodies.
struct Told {
    bodies: Bodies,
    /// It is of a request's copy, and says nothing of other attempts.
    is_copy: bool,
}

/// What is told of the pools' bodies, or of that of a request's copy.
fn told(held: &HeldAttempt) -> Result<Option<Told>, serde_json::Error> {
    if let Some(told) = held.bodies() {
        let bodies = serde_json::from_slice(&told)?;
        return Ok(Some(Told { bodies, is_copy: false }));
    }
    let Some(told) = held.body_of_copy() else { return Ok(None) };
    let bodies = Bodies { pools: vec![serde_json::from_slice::<PoolBody>(&told)?] };
    Ok(Some(Told { bodies, is_copy: true }))
}

/// No pool may get what was made for another.
fn refuse(held: &HeldAttempt, why: &str) -> State {
    error!("an attempt is ended: {why}");
    let refusal = Refusal::new(Code::FilterUnavailable, "The gateway could not send this request.");
    held.reply(&Reply::refusal(&refusal, ErrorShape::OpenAi));
    State::Refused
}

impl Context for AttemptStream {}

impl HttpContext for AttemptStream {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        self.state = self.open(&HeldAttempt::enter(), end_of_stream);
        self.goes_on()
    }

    /// Envoy holds what has come of the body, and tells of all of it.
    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if let State::Held(_, bytes) = &mut self.state {
            *bytes = size;
        }
        if end_of_stream {
            self.close();
        }
        self.goes_on()
    }

    /// A body may also end with trailers; then no callback had said so.
    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.close();
        self.goes_on()
    }
}
