//! Digits in the path of a URL stay (RFC 3986 §3.3): articles, products, pages. What
//! stands in a query is a value like any other.

use std::ops::Range;

use super::naming::token_at;
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// How far before a number its URL may begin, in bytes.
const URL_BYTES_MAX: usize = 240;

/// Fewer digits are taken for nothing else.
const DIGITS_MIN: usize = 8;

/// Puts down every segment of a path that has many digits.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut from = 0;
    for run in scene.digits() {
        if run.start < from || !matches!(scene.before(run.start), Some(b'/' | b'-' | b'_')) {
            continue;
        }
        let token = token_at(scene, run.start);
        from = token.end;
        if scene.digits_of(token.clone()).len() >= DIGITS_MIN && is_in_path(scene, &token) {
            found.innocent(token, Level::Strong);
        }
    }
}

/// Whether a URL has begun before a place, and its host has ended, but not its path.
fn is_in_path(scene: &Scene<'_>, token: &Range<usize>) -> bool {
    let from = token.start.saturating_sub(URL_BYTES_MAX);
    let before = scene.bytes().get(from..token.start).unwrap_or_default();
    let is_outside = |byte: &u8| byte.is_ascii_whitespace() || b"\"'<>`?#&=(,;|".contains(byte);
    let url = before.rsplit(is_outside).next().unwrap_or_default();
    let Some(scheme) = url.windows(3).position(|mark| mark == b"://") else { return false };
    let rest = url.get(scheme + 3..).unwrap_or_default();
    let host = rest.split(|byte| *byte == b'/').next().unwrap_or_default();
    host.len() < rest.len() && !CALLS.contains(&host)
}

/// Hosts with telephones in their paths.
const CALLS: &[&[u8]] = &[b"wa.me", b"t.me", b"api.whatsapp.com"];

#[cfg(test)]
mod tests {
    use crate::detectors::trial::misses;

    const MISSES: &[&str] = &[
        "https://example.com/item/01012345678",
        "https://news.example.com/article/260115-1234567",
        "http://example.com/a/900101-9234567/view",
        "https://example.com/p/4242424242424242",
        "https://shop.example.com/products/010123456789",
        "https://example.com/2026/01/15/123456789",
        "(https://example.com/orders/02-123-4567)",
        "https://example.com/t/some-title-01012345678",
        "https://example.com/v/536-22-1234",
        "https://example.com/d/8801062636891.html",
        "링크: https://example.com/q/031-123-4567",
        "<https://example.com/a/01098765432>",
        "https://example.com/images/20260115103045.jpg",
        "https://example.com/x/12-345-67891",
        "ftp://example.com/pub/01012345678",
    ];

    #[test]
    fn leaves_paths() {
        misses(MISSES);
    }
}
