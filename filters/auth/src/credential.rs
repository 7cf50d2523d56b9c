//! The credential of a request: exactly one, in a header.
//!
//! Whatever can be read in two ways is refused: two header lines, also joined by a
//! comma on the way, a second scheme behind the first, white space or other characters
//! inside of a key. Credentials in the query do not count.

use crate::authenticate::invalid_key;
use crate::hmac::{self, Signed};
use contract::refusal::{Code, Refusal};

/// Headers that carry a credential. They never reach an engine.
///
/// `proxy-authorization` is not read and is no second credential; but it speaks to
/// whoever is a proxy on the way (RFC 9110 §11.7.2), and that is the gateway.
pub const HEADERS: [&str; 3] = ["authorization", "x-api-key", "proxy-authorization"];

/// The one credential that a request carries, as it was sent. Like its parts it has no
/// `Debug`: it must not reach a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Presented<'a> {
    /// An API key.
    Key(PresentedKey<'a>),
    /// A token of some issuer.
    Token(PresentedToken<'a>),
    /// A signature under the request.
    Signed(Signed<'a>),
}

/// A key of printable ASCII characters, with the right checksum if it is one of
/// Tollgate's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresentedKey<'a>(pub(crate) &'a str);

/// A token in the form of a signed JWT: three parts of URL-safe characters (RFC 7515
/// §7.1). Whether it is good is Envoy's to say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresentedToken<'a>(pub(crate) &'a str);

/// The one credential among `headers`, which are (lower-case name, value); `None` when
/// there is no header for one, and a client certificate may do.
///
/// A bearer with two dots in it is a token when `tokens_expected`, that is when there
/// are issuers, and otherwise a key of unknown make. `x-api-key` carries keys alone.
///
/// # Errors
/// `missing_credentials` where the header is there and holds none, `ambiguous_credentials`
/// with two, and `invalid_api_key`, `invalid_token` or `invalid_signature` for one that
/// cannot be such.
pub fn take<'a>(
    headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    tokens_expected: bool,
) -> Result<Option<Presented<'a>>, Refusal> {
    let mut credentials =
        headers.filter(|(name, _)| matches!(*name, "authorization" | "x-api-key"));
    let Some((name, value)) = credentials.next() else { return Ok(None) };
    if credentials.next().is_some() {
        return Err(ambiguous());
    }
    let value = trim(value);
    let presented = match name {
        "authorization" => authorization(value, tokens_expected)?,
        _ => Presented::Key(key(value)?),
    };
    Ok(Some(presented))
}

/// What a request is told that carries no credential at all.
#[must_use]
pub fn missing() -> Refusal {
    Refusal::new(
        Code::MissingCredentials,
        "No API key. Send it as `Authorization: Bearer KEY` or `x-api-key: KEY`.",
    )
}

impl PresentedKey<'_> {
    /// The digest by which the key is looked up.
    #[must_use]
    pub fn digest(self) -> crate::key::Digest {
        crate::key::digest(self.0)
    }
}

/// RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1).
fn authorization(value: &[u8], tokens_expected: bool) -> Result<Presented<'_>, Refusal> {
    let (scheme, rest) = scheme(value);
    if scheme.eq_ignore_ascii_case(hmac::SCHEME.as_bytes()) {
        return hmac::parse(rest).map(Presented::Signed);
    }
    if value.contains(&b',') {
        return Err(ambiguous());
    }
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(missing());
    }
    let is_token = tokens_expected && rest.iter().filter(|&&c| c == b'.').count() == 2;
    if is_token { token(rest).map(Presented::Token) } else { key(rest).map(Presented::Key) }
}

fn key(value: &[u8]) -> Result<PresentedKey<'_>, Refusal> {
    if value.is_empty() {
        return Err(missing());
    }
    // Two header lines of one name may reach the filter joined by a comma.
    if value.contains(&b',') {
        return Err(ambiguous());
    }
    let text = Some(value).filter(|value| value.iter().all(u8::is_ascii_graphic));
    text.and_then(|text| std::str::from_utf8(text).ok())
        .filter(|text| crate::key::may_be_a_key(text))
        .map(PresentedKey)
        .ok_or_else(invalid_key)
}

/// Envoy takes a token to end at the first character that is none of its own: what it
/// has verified must be all that was sent.
fn token(value: &[u8]) -> Result<PresentedToken<'_>, Refusal> {
    let is_part = |part: &[u8]| {
        !part.is_empty() && part.iter().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(c))
    };
    let text = Some(value).filter(|value| value.split(|&c| c == b'.').all(is_part));
    text.and_then(|text| std::str::from_utf8(text).ok())
        .map(PresentedToken)
        .ok_or_else(|| Refusal::new(Code::InvalidToken, "This token is not valid."))
}

/// The scheme, and what follows it behind one or more spaces (RFC 9110 §11.4).
fn scheme(value: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = value.splitn(2, |&c| c == b' ');
    (halves.next().unwrap_or_default(), trim(halves.next().unwrap_or_default()))
}

/// Without the white space that may stand about a value (RFC 9110 §5.5).
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

pub(crate) fn ambiguous() -> Refusal {
    Refusal::new(
        Code::AmbiguousCredentials,
        "The request carries more than one credential; send one.",
    )
}

#[cfg(test)]
mod tests;
