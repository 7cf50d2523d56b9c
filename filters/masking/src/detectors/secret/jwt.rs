//! JSON Web Tokens: RFC 7515 §3.1 (three parts) and RFC 7516 §3.1 (five, encrypted). Its
//! header tells one, as base64url of a JSON object with `alg`.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::super::runs::{base64url, end_of_run};
use super::certain;
use crate::resolve::Candidate;
use crate::scene::Scene;

/// `{"` in base64url: every header begins so.
const BEGIN: &str = "eyJ";
/// The longest header that is decoded; certificates in it (`x5c`) make it long.
const HEADER_CHARS_MAX: usize = 8192;
const PARTS_MAX: usize = 5;
/// The least characters of a signature: those of HMAC-SHA256 have 43; less is cut off.
const SIGNATURE_CHARS_MIN: usize = 8;

/// Without padding, and without a care for stray bits at the end.
const DECODER: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

pub fn literals() -> Vec<&'static str> {
    vec![BEGIN]
}

pub fn read(scene: &Scene<'_>, hit: &Range<usize>) -> Option<Candidate> {
    if scene.before(hit.start).is_some_and(base64url) || scene.slice(hit.clone()) != BEGIN {
        return None;
    }
    let parts = parts(scene.bytes(), hit.start);
    let (header, payload) = (parts.first()?, parts.get(1)?);
    let last = parts.iter().take(PARTS_MAX).rfind(|part| !part.is_empty())?;
    let signed = parts.get(2).is_some_and(|part| part.len() >= SIGNATURE_CHARS_MIN);
    let says_how = || is_header(scene.slice(header.clone()));
    let nested = || scene.slice(payload.clone()).starts_with(BEGIN);
    let is_one = if signed { nested() || says_how() } else { nested() && says_how() };
    is_one.then(|| certain(hit.start..last.end))
}

/// The parts between dots; a part that is followed by no dot is the last.
fn parts(bytes: &[u8], start: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut at = start;
    while parts.len() < PARTS_MAX {
        let end = end_of_run(bytes, at, base64url);
        parts.push(at..end);
        if bytes.get(end) != Some(&b'.') {
            break;
        }
        at = end + 1;
    }
    parts
}

fn is_header(part: &str) -> bool {
    let decoded = (part.len() <= HEADER_CHARS_MAX).then(|| DECODER.decode(part).ok()).flatten();
    decoded.is_some_and(|json| memchr::memmem::find(&json, b"\"alg\"").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(json: &str) -> String {
        DECODER.encode(json).trim_end_matches('=').to_owned()
    }

    fn found(text: &str) -> Option<&str> {
        let start = text.find(BEGIN)?;
        read(&Scene::of(text), &(start..start + 3)).map(|candidate| &text[candidate.span])
    }

    #[test]
    fn a_header_tells_it() {
        let token =
            format!("{}.{}.{}", part(r#"{"alg":"HS256"}"#), part(r#"{"sub":"1"}"#), "x".repeat(43));
        assert_eq!(found(&format!("보내: {token}입니다")), Some(token.as_str()));
        assert_eq!(found(&format!("{token}.")), Some(token.as_str()));
        let unsigned = format!("{}.{}.", part(r#"{"alg":"none"}"#), part(r#"{"sub":"1"}"#));
        assert_eq!(found(&unsigned), Some(unsigned.trim_end_matches('.')));
        let encrypted = format!("{}.a1.b2b2b2b2b2.c3.d4", part(r#"{"alg":"dir","enc":"A256GCM"}"#));
        assert_eq!(found(&encrypted), Some(encrypted.as_str()));
    }

    #[test]
    fn other_base64_is_none() {
        for text in [
            format!("{} alone", part(r#"{"alg":"HS256"}"#)),
            format!("{}.json", part(r#"{"name":"x"}"#)),
            format!("x{}.{}.{}", part(r#"{"alg":"HS256"}"#), part("{}"), "x".repeat(43)),
        ] {
            assert_eq!(found(&text), None, "{text}");
        }
    }
}
