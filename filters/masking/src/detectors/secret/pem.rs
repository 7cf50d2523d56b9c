//! Private keys in PEM (RFC 7468 §10, RFC 4716, OpenSSH's and OpenPGP's own): the whole
//! block, also where its end is missing. Certificates and public keys stay.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::super::runs::{base64, end_of_padding, end_of_run};
use super::{certain, innocent};
use crate::resolve::Candidate;
use crate::scene::Scene;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// The longest label that is read: `OPENSSH PRIVATE KEY` and its like.
const LABEL_CHARS_MAX: usize = 48;
/// The largest block: RSA keys of 16384 bits have 13 kB, an exported OpenPGP key more.
const BLOCK_BYTES_MAX: usize = 64 << 10;

pub fn literals() -> Vec<&'static str> {
    vec![BEGIN]
}

pub fn read(scene: &Scene<'_>, hit: &Range<usize>) -> Option<Candidate> {
    let (label, body_start) = label(scene.text(), hit.end)?;
    let end = end_of_block(scene, body_start);
    let is_private = label.contains("PRIVATE KEY");
    let has_body = end > body_start;
    match (is_private, has_body) {
        (true, true) => Some(certain(hit.start..end)),
        (false, true) => Some(innocent(hit.start..end)),
        (_, false) => None,
    }
}

/// The label and where it ends, behind its dashes.
fn label(text: &str, start: usize) -> Option<(&str, usize)> {
    let end = end_of_run(text.as_bytes(), start, |byte| byte.is_ascii_uppercase() || byte == b' ');
    let label = text.get(start..end).filter(|label| label.len() <= LABEL_CHARS_MAX)?;
    text.get(end..)?.starts_with(DASHES).then_some((label, end + DASHES.len()))
}

/// Behind the last line, or behind what still looks like base64.
fn end_of_block(scene: &Scene<'_>, body_start: usize) -> usize {
    let bytes = scene.bytes();
    let window = bytes.len().min(body_start + BLOCK_BYTES_MAX);
    let body = bytes.get(body_start..window).unwrap_or_default();
    let next = memmem::find(body, DASHES.as_bytes()).map(|offset| body_start + offset);
    let closed =
        next.filter(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(END.as_bytes())));
    let label = closed.and_then(|at| label(scene.text(), at + END.len()));
    label.map_or_else(|| end_of_body(bytes, body_start), |(_, end)| end)
}

/// Lines of base64 from a place on, with the headers of RFC 1421 before them; the place
/// itself where there is none.
fn end_of_body(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    let mut at = start;
    while at - start < BLOCK_BYTES_MAX {
        at = end_of_run(bytes, at, |byte| byte.is_ascii_whitespace());
        let word_end = end_of_padding(bytes, end_of_run(bytes, at, base64));
        if word_end - at < WORD_CHARS_MIN {
            let Some(behind) = behind_header(bytes, at) else { break };
            at = behind;
            continue;
        }
        (at, end) = (word_end, word_end);
        if word_end - at > LINE_CHARS_MAX {
            break;
        }
    }
    end
}

/// A shorter word is none of the body, if it is not a header.
const WORD_CHARS_MIN: usize = 16;
/// Lines of PEM have 64 characters, of OpenSSH 70; a longer one is the whole body.
const LINE_CHARS_MAX: usize = 76;
/// The longest header.
const HEADER_BYTES_MAX: usize = 256;
const HEADERS: [&str; 5] = ["Proc-Type:", "DEK-Info:", "Version:", "Comment:", "Hash:"];

fn behind_header(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    HEADERS.iter().find(|header| rest.starts_with(header.as_bytes()))?;
    let line = rest.get(..HEADER_BYTES_MAX).unwrap_or(rest);
    Some(at + memchr(b'\n', line)?)
}
