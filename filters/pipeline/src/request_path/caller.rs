//! The caller of a request is found, or refused.

use super::{no_such_model, refused, reply};
use crate::Policy;
use crate::command::{Finish, Reply};
use crate::exchange::{Held, Opened, who};
use crate::headers::Headers;
use crate::model_list;
use crate::surface::Wanted;
use auth::Caller;
use auth::authorize::Permissions;
use auth::hmac::{self, Accepted, BodyCheck, Signed, Times};
use contract::keyring::{HmacEntry, KeyEntry};
use contract::names::CLIENT_REQUEST_ID_HEADER;
use contract::refusal::{Code, Refusal};
use contract::usage::Who;

/// What a caller's request leads to before its body is there.
#[derive(Debug)]
pub enum Identified {
    /// It ends here.
    Finish(Finish),
    /// Nobody that may ask: it ends here, and counts against the address.
    Refused(Refusal, Opened),
    /// Its body decides.
    Hold(Held),
}

/// The look-up of the key has ended.
///
/// # Errors
/// `invalid_api_key` without an entry, `key_expired`.
pub fn on_key(entry: Option<KeyEntry>, now_s: u64) -> Result<Caller, Refusal> {
    auth::authenticate(entry, now_s)
}

/// Somebody who may ask, and what he has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Who asks.
    pub caller: Caller,
    /// Which body was signed; `None`: none was.
    pub body: Option<BodyCheck>,
}

impl From<Caller> for Signer {
    fn from(caller: Caller) -> Signer {
        Signer { caller, body: None }
    }
}

/// Whether the request is signed by the secret of `entry`, at a time that counts.
/// Whether it was here before is for the shell to find out.
///
/// # Errors
/// `invalid_signature`, also without an entry; `replayed_request` for what an earlier
/// process may have seen.
pub fn on_signature(
    headers: &Headers,
    signed: &Signed<'_>,
    entry: Option<HmacEntry>,
    times: Times,
) -> Result<Accepted, Refusal> {
    let method = headers.text(":method").unwrap_or_default();
    let path = headers.text(":path").unwrap_or_default();
    hmac::judge(signed, entry, method, path, times)
}

/// The caller is known.
#[must_use]
pub fn on_caller(policy: &Policy, opened: Opened, signer: Signer) -> Identified {
    if let Err(refusal) = check_caller(policy, &opened, &signer) {
        return Identified::Refused(refusal, opened);
    }
    let who = who(&signer.caller, &opened);
    let answer = match policy.access.of(&signer.caller) {
        Err(refusal) => return Identified::Refused(refusal, opened),
        Ok(permissions) => answer(policy, &opened, &signer.caller.tenant, &permissions),
    };
    match answer {
        Ok(None) => Identified::Hold(Held { signer, opened }),
        Ok(Some(body)) => Identified::Finish(answered(body, who, &opened)),
        Err(refusal) => Identified::Finish(refused(&refusal, who, &opened)),
    }
}

/// What has to be true of a caller beside the credential.
fn check_caller(policy: &Policy, opened: &Opened, signer: &Signer) -> Result<(), Refusal> {
    if let Some(names) = &opened.certificate {
        policy.certificates.check(&names.certificate(), &signer.caller)?;
    }
    match &signer.body {
        Some(signed) if opened.end_of_stream => signed.check(b""),
        _ => Ok(()),
    }
}

/// What the gateway answers itself; `None`: an engine does.
fn answer(
    policy: &Policy,
    opened: &Opened,
    tenant: &str,
    permissions: &Permissions<'_>,
) -> Result<Option<String>, Refusal> {
    let wanted = opened.wanted.as_ref().map_err(Clone::clone)?;
    if !permissions.path(opened.path) {
        return Err(super::forbidden());
    }
    match wanted {
        Wanted::Models => Ok(Some(model_list::list(policy, tenant, permissions))),
        Wanted::Model(name) => {
            model_list::one(policy, tenant, permissions, name).map(Some).ok_or_else(no_such_model)
        }
        Wanted::Json | Wanted::Form { .. } => Ok(None),
    }
}

/// The control plane has to be asked, and cannot be.
#[must_use]
pub fn on_unavailable(opened: &Opened) -> Reply {
    let refusal =
        Refusal::new(Code::ControlUnavailable, "This credential could not be checked; try again.");
    reply(&refusal, opened).with_header("retry-after", Some("1"))
}

/// The control plane could not say whether a nonce was here before. It counts as used:
/// the same request again would be a replay.
#[must_use]
pub fn on_nonce_unavailable(opened: &Opened) -> Reply {
    let refusal = Refusal::new(
        Code::ControlUnavailable,
        "This signed request could not be checked; sign it again.",
    );
    reply(&refusal, opened)
}

/// Why a request is put off, and for how many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttled {
    /// Too many of the address failed to authenticate.
    Failures {
        /// At least one.
        retry_after_s: u64,
    },
    /// More requests were signed within the time that a nonce is remembered than the
    /// gateway can remember.
    Nonces {
        /// At least one.
        retry_after_s: u64,
    },
}

/// The request is put off.
#[must_use]
pub fn on_throttled(opened: &Opened, why: Throttled) -> Reply {
    let (retry_after_s, refusal) = match why {
        Throttled::Failures { retry_after_s } => (retry_after_s, auth::failures::refusal()),
        Throttled::Nonces { retry_after_s } => (retry_after_s, auth::nonce::full()),
    };
    reply(&refusal, opened).with_header("retry-after", Some(&retry_after_s.to_string()))
}

fn answered(body: String, who: Who, opened: &Opened) -> Finish {
    let reply = Reply::json(200, body)
        .with_header(CLIENT_REQUEST_ID_HEADER, opened.client_request_id.as_deref());
    Finish { reply, who: Some(who) }
}

/// A refusal that nobody is billed for.
#[must_use]
pub fn on_refused(refusal: &Refusal, opened: &Opened) -> Reply {
    reply(refusal, opened)
}
