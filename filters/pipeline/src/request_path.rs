//! The way of a request: its headers, its caller, its body.

mod arrival;
mod body;
mod caller;
mod chain;

pub use arrival::{Arrival, Claim, Opening, health, on_headers};
pub use body::{Answers, Decision, Setting, on_body, on_body_too_large};
pub use caller::{
    Identified, Signer, Throttled, on_caller, on_key, on_nonce_unavailable, on_refused,
    on_signature, on_throttled, on_unavailable,
};

use crate::command::{Finish, Reply};
use crate::exchange::{Held, Opened};
use contract::names::CLIENT_REQUEST_ID_HEADER;
use contract::refusal::{Code, Refusal};
use contract::usage::Who;

/// What a client is told, on the path that it asked for.
fn reply(refusal: &Refusal, opened: &Opened) -> Reply {
    let allow = (refusal.code == Code::MethodNotAllowed).then_some(opened.allow);
    Reply::refusal(refusal, opened.shape)
        .with_header("allow", allow)
        .with_header(CLIENT_REQUEST_ID_HEADER, opened.client_request_id.as_deref())
}

/// The control plane has to say what the request may spend, and does not answer. Nothing is
/// spent that is not granted.
#[must_use]
pub fn on_no_lease(held: &Held) -> Finish {
    let refusal = Refusal::new(
        Code::ControlUnavailable,
        "The budget of this request could not be asked for; try again.",
    );
    let mut finish = refused(&refusal, held.who(), &held.opened);
    finish.reply = finish.reply.with_header("retry-after", Some("1"));
    finish
}

/// The end of a request whose caller is known.
fn refused(refusal: &Refusal, who: Who, opened: &Opened) -> Finish {
    let who = Who { code: Some(refusal.code.as_str().to_owned()), ..who };
    Finish { reply: reply(refusal, opened), who: Some(who) }
}

fn no_such_model() -> Refusal {
    Refusal::new(Code::ModelNotFound, "This model does not exist, or you may not use it.")
        .with_param("model")
}

fn forbidden() -> Refusal {
    Refusal::new(Code::Forbidden, "You may not do this on this path.")
}

#[cfg(test)]
mod tests;
