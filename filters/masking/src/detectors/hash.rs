//! Digests, fingerprints and colours stay.
//!
//! Hexadecimal digests by their lengths (FIPS 180-4, RFC 1321), labelled ones
//! (`sha256:…`, OCI image specification), integrity strings (W3C Subresource Integrity
//! §3.1), fingerprints of keys (RFC 4716 §4, OpenSSH's `SHA256:…`), colours of CSS.

use std::ops::Range;

use memchr::{memchr_iter, memchr3_iter};

use super::runs::{base64, base64url, end_of_padding, end_of_run, hex, long_runs};
use super::secret;
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
const DIGEST_CHARS: [usize; 6] = [32, 40, 56, 64, 96, 128];
/// Digits of an address of Ethereum.
const ADDRESS_CHARS: usize = 40;
/// Pairs of a fingerprint with colons; six are a network card's address.
const PAIRS_MIN: usize = 12;
/// Characters behind a label from which on something is a digest.
const LABELLED_CHARS_MIN: usize = 20;

/// Keeps the place of every digest that no name calls a key.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    bare(scene, found);
    labelled(scene, found);
    fingerprints(scene, found);
    colours(scene, found);
}

fn bare(scene: &Scene<'_>, found: &mut Candidates) {
    for run in long_runs(scene.bytes(), 32, hex) {
        let prefixed = scene.slice(run.start.saturating_sub(2)..run.start) == "0x";
        // Forty digits behind `0x` are an address.
        let fits = DIGEST_CHARS.contains(&run.len()) && !(prefixed && run.len() == ADDRESS_CHARS);
        let span = if prefixed { run.start - 2..run.end } else { run };
        if fits && scene.stands_alone(&span) && !secret::is_named(scene, span.start) {
            found.innocent(span, Level::Strong);
        }
    }
}

fn labelled(scene: &Scene<'_>, found: &mut Candidates) {
    let bytes = scene.bytes();
    let mut free = 0;
    for sign in memchr3_iter(b':', b'-', b'=', bytes) {
        let before = bytes.get(free..sign).unwrap_or_default();
        if ends_in_label(before)
            && let Some(span) = behind_label(bytes, sign)
        {
            free = span.end;
            found.innocent(span, Level::Strong);
        }
    }
}

/// Whether the last word is `sha` or `md5`, with whichever digits a digest of that name has.
fn ends_in_label(bytes: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let digits = bytes.iter().rev().take_while(|byte| is_digit(byte)).count();
    let (name, digits) = bytes.split_at(bytes.len() - digits);
    let ends_in = |word: &[u8]| {
        let tail = name.len().checked_sub(word.len()).and_then(|start| name.get(start..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(word))
    };
    match digits.first() {
        Some(b'1' | b'2' | b'3') => ends_in(b"sha"),
        Some(b'5') => ends_in(b"sha") || ends_in(b"md"),
        _ => false,
    }
}

/// `sha256:…`, `sha384-…`; `MD5 (…)` is not among them.
fn behind_label(bytes: &[u8], sign: usize) -> Option<Range<usize>> {
    let start = end_of_run(bytes, sign + 1, |byte| byte == b' ');
    let end = end_of_run(bytes, start, |byte| base64(byte) || base64url(byte));
    let end = end_of_padding(bytes, end);
    (end - start >= LABELLED_CHARS_MIN).then_some(start..end)
}

fn fingerprints(scene: &Scene<'_>, found: &mut Candidates) {
    let bytes = scene.bytes();
    let mut free = 0;
    for colon in memchr_iter(b':', bytes) {
        let Some(start) = colon.checked_sub(2).filter(|start| *start >= free) else { continue };
        let end = end_of_pairs(bytes, start);
        if end.saturating_sub(start) >= 3 * PAIRS_MIN - 1 && scene.stands_alone(&(start..end)) {
            found.innocent(start..end, Level::Certain);
        }
        free = end.max(free);
    }
}

fn end_of_pairs(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let is_pair = |pair: &&[u8]| match pair {
        [first, second] => hex(*first) && hex(*second),
        [first, second, b':'] => hex(*first) && hex(*second),
        _ => false,
    };
    let pairs = rest.chunks(3).take_while(is_pair).count();
    let longest = (start + 3 * pairs).min(bytes.len());
    // The last pair may be followed by something else than a colon.
    match rest.get(3 * pairs..3 * pairs + 2) {
        Some([first, second]) if hex(*first) && hex(*second) => longest + 2,
        _ if bytes.get(longest.wrapping_sub(1)) == Some(&b':') => longest - 1,
        _ => longest,
    }
}

fn colours(scene: &Scene<'_>, found: &mut Candidates) {
    for sharp in memchr_iter(b'#', scene.bytes()) {
        let span = sharp..end_of_run(scene.bytes(), sharp + 1, hex);
        if matches!(span.len(), 4 | 5 | 7 | 9) && scene.stands_alone(&span) {
            found.innocent(span, Level::Likely);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::trial::misses;

    #[test]
    fn digests_stay() {
        misses(&[
            "commit 3f786850e387550fdab836ed7e6dc881de23001b",
            "md5 d41d8cd98f00b204e9800998ecf8427e  file.iso",
            "image@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "체크섬 sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08입니다",
            "tx 0x9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "integrity=\"sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC\"",
            "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDvSA6ZYmHqMNgPa1k kim@laptop (ED25519)",
            "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            "color: #1a2b3c; background: #12345678",
        ]);
    }

    #[test]
    fn labels_end_in_their_digits() {
        let table: [(&str, bool); 13] = [
            ("sha1", true),
            ("x SHA256", true),
            ("sha3", true),
            ("sha512", true),
            ("md5", true),
            ("sha1md5", true),
            ("MD55", true),
            ("sha4", false),
            ("sha", false),
            ("md1", false),
            ("d5", false),
            ("256", false),
            ("", false),
        ];
        for (text, expected) in table {
            assert_eq!(ends_in_label(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn pairs_are_counted() {
        assert_eq!(end_of_pairs(b"aa:bb:cc", 0), 8);
        assert_eq!(end_of_pairs(b"aa:bb:cc ", 0), 8);
        assert_eq!(end_of_pairs(b"aa:bb: ", 0), 5);
        assert_eq!(end_of_pairs(b"xa:bb", 0), 0);
    }
}
