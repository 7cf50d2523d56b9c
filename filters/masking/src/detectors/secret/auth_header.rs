//! What authorizes a request: `Bearer` (RFC 6750 §2.1), `Basic` (RFC 7617 §2) and curl's
//! `-u user:password`. The credentials are the value, without the scheme.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::super::runs::{alnum, base64, end_of_padding, end_of_run, end_over_break};
use super::plausible::Link;
use super::{certain, plausible, stand_in};
use crate::resolve::Candidate;
use crate::scene::Scene;

const BEARER_CHARS_MIN: usize = 12;
const BASIC_CHARS_MIN: usize = 8;
const BASIC_CHARS_MAX: usize = 512;
const CURL: [&str; 3] = [" -u ", " --user ", " -u"];

pub fn literals() -> Vec<&'static str> {
    ["bearer ", "basic "].into_iter().chain(CURL).collect()
}

pub fn read(scene: &Scene<'_>, hit: &Range<usize>) -> Option<Candidate> {
    if scene.slice(hit.clone()).starts_with(' ') {
        return user_and_password(scene, hit.end);
    }
    if scene.before(hit.start).is_some_and(alnum) {
        return None;
    }
    let start = end_of_run(scene.bytes(), hit.end, |byte| byte == b' ');
    match scene.byte(hit.start).map(|byte| byte.to_ascii_lowercase()) {
        Some(b'b') if scene.slice(hit.clone()).len() == "basic ".len() => basic(scene, start),
        _ => bearer(scene, start),
    }
}

fn bearer(scene: &Scene<'_>, start: usize) -> Option<Candidate> {
    let end = end_of_padding(scene.bytes(), end_of_run(scene.bytes(), start, is_token68));
    let token = scene.slice(start..end).trim_end_matches(['.', '~']);
    let fits = token.len() >= BEARER_CHARS_MIN && plausible::is_mixed(token);
    (fits && !stand_in::is_filler(token)).then(|| certain(start..start + token.len()))
}

/// RFC 9110 §11.2.
fn is_token68(byte: u8) -> bool {
    alnum(byte) || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

/// A pair in two lines, whose halves only decode together.
fn basic_over_break(scene: &Scene<'_>, start: usize) -> Option<Candidate> {
    let first_end = end_of_run(scene.bytes(), start, base64);
    let end = end_over_break(scene.bytes(), first_end, base64)?;
    let joined: String = scene.slice(start..end).split(['\r', '\n']).collect();
    let end = end_of_padding(scene.bytes(), end);
    is_pair(&joined).then(|| certain(start..end))
}

/// Whether a text decodes to `user:password`.
fn is_pair(encoded: &str) -> bool {
    let fits = (BASIC_CHARS_MIN..=BASIC_CHARS_MAX).contains(&encoded.len());
    let decoded = fits.then(|| STANDARD_NO_PAD.decode(encoded).ok()).flatten();
    decoded.is_some_and(|pair| {
        pair.contains(&b':')
            && pair.iter().all(|byte| *byte >= b' ' && *byte != 0x7f)
            && std::str::from_utf8(&pair).is_ok()
    })
}

fn basic(scene: &Scene<'_>, start: usize) -> Option<Candidate> {
    let end = end_of_run(scene.bytes(), start, base64);
    let whole = || certain(start..end_of_padding(scene.bytes(), end));
    basic_over_break(scene, start).or_else(|| is_pair(scene.slice(start..end)).then(whole))
}

/// Characters of a user with a password behind `-u`.
const PAIR_CHARS_MAX: usize = 256;

fn user_and_password(scene: &Scene<'_>, start: usize) -> Option<Candidate> {
    let quote = scene.byte(start).filter(|byte| matches!(byte, b'"' | b'\''));
    let start = start + usize::from(quote.is_some());
    let ends = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'"' | b'\'' | b'`');
    let end = end_of_run(scene.bytes(), start, |byte| {
        !matches!(byte, b'"' | b'\'' | b'`') && byte.is_ascii_graphic()
    });
    let pair = scene.slice(start..end);
    let (user, password) = pair.split_once(':')?;
    let fits = pair.len() <= PAIR_CHARS_MAX
        && scene.byte(end).is_none_or(ends)
        && !user.is_empty()
        && password.len() >= 4
        && !password.starts_with('/')
        && !stand_in::is_reference(password)
        && !stand_in::is_filler(password)
        && plausible::is_password(password, Link::Assigned);
    fits.then(|| certain(start..end))
}
