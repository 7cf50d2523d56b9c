//! The header of a signed request, read strictly: whoever can sign can also write it
//! as it is specified, and what is not read in two ways cannot be used to say two
//! things.

use crate::credential::ambiguous;
use contract::limits::NAME_BYTES_MAX;
use contract::refusal::{Code, Refusal};

/// The scheme of the `authorization` header; its case does not matter (RFC 9110 §11.1).
pub const SCHEME: &str = "TOLLGATE-HMAC-SHA256";

/// Shortest nonce: 16 URL-safe characters are 96 random bits.
pub const NONCE_CHARS_MIN: usize = 16;

/// Longest nonce.
pub const NONCE_CHARS_MAX: usize = 64;

/// Digits of the longest timestamp; they last for 30,000 years.
const TIMESTAMP_DIGITS_MAX: usize = 12;

/// What the header of a signed request says. It has no `Debug`: it must not reach a log.
///
/// The three texts are kept as they were sent, because they are signed that way: the
/// digits of `BodySha256` may be of either case, and the signature holds for that case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signed<'a> {
    pub(super) id: &'a str,
    pub(super) timestamp: &'a str,
    pub(super) timestamp_s: u64,
    pub(super) nonce: &'a str,
    pub(super) body_sha256: &'a str,
    pub(super) body_digest: [u8; 32],
    pub(super) signature: [u8; 32],
}

impl<'a> Signed<'a> {
    /// The id of the credential that the request is said to be signed by: a name of
    /// 1 to [`NAME_BYTES_MAX`] plain characters. The client's claim, until
    /// [`super::judge`] has found the signature good.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }
}

/// Reads what follows the scheme: the five parameters in any order, each once, with a
/// comma between two of them and white space about the commas alone.
///
/// # Errors
/// `ambiguous_credentials` when there is another credential behind a comma, which is
/// how two header lines of one name may arrive; `invalid_signature` for all else.
pub(crate) fn parse(parameters: &[u8]) -> Result<Signed<'_>, Refusal> {
    let text = std::str::from_utf8(parameters).map_err(|_| malformed())?;
    let mut read = Parameters::default();
    for parameter in text.split(',') {
        read.put(parameter.trim_matches([' ', '\t']))?;
    }
    read.signed().ok_or_else(malformed)
}

#[derive(Default)]
struct Parameters<'a> {
    credential: Option<&'a str>,
    timestamp: Option<&'a str>,
    nonce: Option<&'a str>,
    body_sha256: Option<&'a str>,
    signature: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    fn put(&mut self, parameter: &'a str) -> Result<(), Refusal> {
        if parameter.is_empty() {
            return Err(malformed());
        }
        // A scheme stands alone or before a space, a parameter before its `=`.
        let Some((name, value)) = parameter.split_once('=') else { return Err(ambiguous()) };
        let place = match name {
            "Credential" => &mut self.credential,
            "Timestamp" => &mut self.timestamp,
            "Nonce" => &mut self.nonce,
            "BodySha256" => &mut self.body_sha256,
            "Signature" => &mut self.signature,
            _ if name.contains([' ', '\t']) => return Err(ambiguous()),
            _ => return Err(malformed()),
        };
        if place.replace(value).is_some() { Err(malformed()) } else { Ok(()) }
    }

    fn signed(&self) -> Option<Signed<'a>> {
        let (timestamp, body_sha256) = (self.timestamp?, self.body_sha256?);
        Some(Signed {
            id: self.credential.filter(|id| is_id(id))?,
            timestamp,
            timestamp_s: seconds(timestamp)?,
            nonce: self.nonce.filter(|nonce| is_nonce(nonce))?,
            body_sha256,
            body_digest: hex_32(body_sha256)?,
            signature: hex_32(self.signature?)?,
        })
    }
}

/// The names that the configuration takes for such credentials.
fn is_id(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._:@/-".contains(&c))
}

fn is_nonce(text: &str) -> bool {
    (NONCE_CHARS_MIN..=NONCE_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c))
}

/// Digits alone: no sign, no zero in front.
fn seconds(text: &str) -> Option<u64> {
    let plain = text.len() <= TIMESTAMP_DIGITS_MAX
        && !text.starts_with('0')
        && text.bytes().all(|c| c.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn hex_32(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

fn malformed() -> Refusal {
    Refusal::new(
        Code::InvalidSignature,
        "A signed request has `Authorization: TOLLGATE-HMAC-SHA256 Credential=ID, \
         Timestamp=UNIX_SECONDS, Nonce=16 to 64 URL-safe characters, BodySha256=64 hexadecimal \
         digits, Signature=64 hexadecimal digits`, each of them once.",
    )
}
