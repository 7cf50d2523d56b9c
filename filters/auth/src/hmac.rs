//! Signed requests: HMAC-SHA256 (RFC 2104) with a secret that never travels.
//!
//! What is signed are five lines with a line feed between two of them and none at the
//! end: the method, the path with the query as it arrives at the gateway's filters (an
//! honest client writes it in its normal form, so that Envoy's normalisation changes
//! nothing), the timestamp, the nonce, and the SHA-256 of the body as the header has it.
//! The id of the credential is bound by its secret: no two credentials share one.
//!
//! A signature is good once. The nonce is remembered for as long as its timestamp is
//! within the allowed skew ([`crate::nonce`]); what an earlier process has seen is not
//! known, so timestamps from before the process's start are refused.

mod header;

pub(crate) use header::parse;
pub use header::{NONCE_CHARS_MAX, NONCE_CHARS_MIN, SCHEME, Signed};

use crate::authenticate::Caller;
use crate::nonce::Nonce;
use contract::keyring::HmacEntry;
use contract::limits::MAX_SKEW_S_MAX;
use contract::refusal::{Code, Refusal};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// How far ahead of the gateway's clock a timestamp counts as of now, in seconds.
/// Clocks of client and gateway differ by parts of a second, and tick at other times.
pub const AHEAD_S: u64 = 1;

/// What a signature is made with when nobody knows the credential: both refusals take
/// the same time. As long as 32 random bytes in base64.
const NOBODYS_SECRET: &str = "-------------------------------------------";

/// Which timestamps count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// The gateway's clock, Unix seconds.
    pub now_s: u64,
    /// The Unix second in which the gateway's process began.
    pub started_s: u64,
    /// How far a timestamp may be off in either direction, in seconds.
    pub max_skew_s: u64,
    /// The last Unix second up to which an earlier process may have had the control plane
    /// remember a nonce; 0 when none did.
    pub remembered_s: u64,
}

/// A request whose signature and time are right. It may go on when its nonce is fresh,
/// and to an engine when its body is the one that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Who signed it.
    pub caller: Caller,
    /// What must be seen for the first time.
    pub nonce: Nonce,
    /// Whether the control plane has to be asked for the nonce: the timestamp is ahead of
    /// the clock and would count again after a restart, or an earlier process may have
    /// taken it as one that was ahead.
    pub outlives_process: bool,
    /// What the body must be.
    pub body: BodyCheck,
}

/// The digest that a signer has claimed of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyCheck([u8; 32]);

/// Who signed a request, and whether it may count at this time.
///
/// `entry` is what the keyring has under [`Signed::id`]; `method` and `path` (with the
/// query) are as the filter sees them.
///
/// # Errors
/// `invalid_signature` for a wrong signature and for an unknown credential alike, and
/// for a timestamp too far off; `replayed_request` for one from before the start of the
/// process. Only who has the secret learns more than that the signature is wrong.
pub fn judge(
    signed: &Signed<'_>,
    entry: Option<HmacEntry>,
    method: &str,
    path: &str,
    times: Times,
) -> Result<Accepted, Refusal> {
    let good = verify(signed, entry.as_ref(), method, path);
    let Some(entry) = entry.filter(|_| good) else { return Err(wrong()) };
    within(signed.timestamp_s, times)?;
    // The skew of this moment may not be that of the next.
    let until_s = signed.timestamp_s.saturating_add(MAX_SKEW_S_MAX).saturating_add(1);
    let nonce = Nonce::new(&entry.secret, signed.nonce, until_s).ok_or_else(wrong)?;
    Ok(Accepted {
        outlives_process: signed.timestamp_s > times.now_s.saturating_add(AHEAD_S)
            || until_s <= times.remembered_s,
        nonce,
        body: BodyCheck(signed.body_digest),
        caller: Caller::from(entry),
    })
}

/// Whether `signed` was made with the secret of `entry`, in the same time whether it
/// was or not and whether there is an entry or not (a secret beyond 64 bytes costs one
/// or more blocks of SHA-256 in addition, RFC 2104 §3).
#[must_use]
pub fn verify(signed: &Signed<'_>, entry: Option<&HmacEntry>, method: &str, path: &str) -> bool {
    let secret = entry.map_or(NOBODYS_SECRET, |entry| &entry.secret);
    let right = mac(secret, &canonical(method, path, signed));
    let same = right.is_some_and(|right| right.ct_eq(&signed.signature).into());
    same & entry.is_some_and(|entry| entry.id == signed.id)
}

/// The text that is signed.
#[must_use]
pub fn canonical(method: &str, path: &str, signed: &Signed<'_>) -> Vec<u8> {
    [method, path, signed.timestamp, signed.nonce, signed.body_sha256].join("\n").into_bytes()
}

/// The first second in which a gateway that began in `started_s` takes signed requests
/// of clients whose clocks are right; before it, all are `replayed_request`.
#[must_use]
pub fn open_from_s(started_s: u64) -> u64 {
    started_s.saturating_add(AHEAD_S).saturating_add(1)
}

impl BodyCheck {
    /// Whether `body`, whole, is the one that was signed. A request without a body has
    /// the empty one.
    ///
    /// # Errors
    /// `invalid_signature`.
    pub fn check(&self, body: &[u8]) -> Result<(), Refusal> {
        let digest: [u8; 32] = Sha256::digest(body).into();
        if digest.ct_eq(&self.0).into() {
            return Ok(());
        }
        Err(Refusal::new(Code::InvalidSignature, "BodySha256 is not the SHA-256 of the body."))
    }
}

/// A request to be signed, as its client sees it.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    /// In capitals, as it is sent.
    pub method: &'a str,
    /// With the query, as it is sent.
    pub path: &'a str,
    /// The client's clock, Unix seconds.
    pub timestamp_s: u64,
    /// [`NONCE_CHARS_MIN`] to [`NONCE_CHARS_MAX`] URL-safe characters, never used before.
    pub nonce: &'a str,
    /// The whole body.
    pub body: &'a [u8],
}

/// What a client does: the value of the `authorization` header that signs `draft`.
#[must_use]
pub fn sign(id: &str, secret: &str, draft: &Draft<'_>) -> String {
    let Draft { method, path, timestamp_s, nonce, body } = draft;
    let body_sha256 = hex::encode(Sha256::digest(body));
    let text = format!("{method}\n{path}\n{timestamp_s}\n{nonce}\n{body_sha256}");
    let signature = hex::encode(mac(secret, text.as_bytes()).unwrap_or_default());
    format!(
        "{SCHEME} Credential={id}, Timestamp={timestamp_s}, Nonce={nonce}, \
         BodySha256={body_sha256}, Signature={signature}"
    )
}

/// Always there: an HMAC takes a key of any length.
pub(crate) fn mac(secret: &str, text: &[u8]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(text);
    Some(mac.finalize().into_bytes().into())
}

fn within(timestamp_s: u64, times: Times) -> Result<(), Refusal> {
    let Times { now_s, started_s, max_skew_s, .. } = times;
    let off_s = timestamp_s.abs_diff(now_s);
    if off_s > max_skew_s {
        return Err(skewed(off_s, timestamp_s > now_s, max_skew_s));
    }
    // The process before this one, which may have ended in the very second in which this
    // one began, took timestamps that far ahead for its own time.
    if timestamp_s < open_from_s(started_s) {
        return Err(Refusal::new(
            Code::ReplayedRequest,
            "The request was signed before this gateway started, which therefore cannot tell \
             whether it was here before. Sign it again.",
        ));
    }
    Ok(())
}

fn skewed(off_s: u64, ahead: bool, max_skew_s: u64) -> Refusal {
    let side = if ahead { "ahead of" } else { "behind" };
    Refusal::new(
        Code::InvalidSignature,
        format!(
            "The timestamp is {off_s} s {side} the gateway's clock; {max_skew_s} s are allowed."
        ),
    )
}

fn wrong() -> Refusal {
    Refusal::new(Code::InvalidSignature, "The credential or the signature is not valid.")
}

#[cfg(test)]
mod tests;
