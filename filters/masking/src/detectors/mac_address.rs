//! Addresses of network cards: IEEE 802, EUI-48 in six pairs with `:` or `-`, and in
//! three groups of four with `.` as Cisco writes them. More pairs are a fingerprint.
//! All zeros and all ones name no card.

use std::ops::Range;

use contract::masking::PiiType;
use memchr::{memchr2_iter, memchr3_iter};

use super::naming::named;
use crate::evidence::words;
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

words! {
    /// What is said about network cards.
    NETWORK = [
        "mac", "mac address", "맥주소", "맥 주소", "물리적 주소", "물리 주소", "physical address", "hwaddr",
        "ether", "bssid", "lladdr", "랜카드", "블루투스", "bluetooth", "wifi", "ethernet", "nic",
    ]
}

/// Nouns that name an address without marks.
const NOUNS: &[&str] = &[
    "mac",
    "mac address",
    "macaddress",
    "mac_address",
    "mac-address",
    "맥주소",
    "맥 주소",
    "bssid",
    "mac 주소",
    "mac주소",
];

/// Long dashes and bars that stand for a `-`; the text keeps them between letters.
const BARS: &[&str] = &["\u{2014}", "\u{2015}", "\u{3161}", "\u{30fc}", "\u{2500}"];

/// What stands between the groups of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Colon,
    /// `-`, or a bar in its place.
    Dash,
    Dot,
}

/// Puts down every address.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut from = 0;
    for at in memchr3_iter(b':', b'-', b'.', scene.bytes()) {
        if at >= from {
            from = chained(scene, at, found).unwrap_or(from);
        }
    }
    from = 0;
    for at in memchr2_iter(0xe2, 0xe3, scene.bytes()) {
        if at >= from && mark(scene, at).is_some() {
            from = chained(scene, at, found).unwrap_or(from);
        }
    }
    for run in scene.digits() {
        bare(scene, run.start, found);
    }
}

/// The mark at a place, with its length in bytes.
fn mark(scene: &Scene<'_>, at: usize) -> Option<(Mark, usize)> {
    match scene.byte(at)? {
        b':' => Some((Mark::Colon, 1)),
        b'-' => Some((Mark::Dash, 1)),
        b'.' => Some((Mark::Dot, 1)),
        0xe2 | 0xe3 if BARS.contains(&scene.slice(at..at + 3)) => Some((Mark::Dash, 3)),
        _ => None,
    }
}

/// Puts down the address with a first mark at a place; where the chain around it ends.
fn chained(scene: &Scene<'_>, at: usize, found: &mut Candidates) -> Option<usize> {
    let (mark, _) = mark(scene, at)?;
    let (span, groups) = read(scene, at, mark)?;
    let end = span.end;
    if is_address(scene, &span, groups, mark) {
        let level = if scene.says_near(&span, &NETWORK) { Level::Certain } else { Level::Strong };
        found.pii(PiiType::MacAddress, span, level);
    }
    Some(end)
}

/// Reads groups of hexadecimal digits around a first mark: the whole chain of them and
/// how many there are. A word before the mark is no group: `MAC:00:1A…`.
fn read(scene: &Scene<'_>, mark_at: usize, of: Mark) -> Option<(Range<usize>, usize)> {
    let size = if of == Mark::Dot { 4 } else { 2 };
    let start = mark_at.checked_sub(size)?;
    let is_group = |at: usize| {
        let group = scene.bytes().get(at..at + size);
        group.is_some_and(|group| group.iter().all(u8::is_ascii_hexdigit))
    };
    let touched = scene.before(start).is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !is_group(start) || touched {
        return None;
    }
    let (mut end, mut groups) = (mark_at, 1);
    while let Some((_, length)) = mark(scene, end).filter(|(mark, _)| *mark == of) {
        let next = end + length + line_break(scene, end + length);
        if !is_group(next) {
            break;
        }
        (end, groups) = (next + size, groups + 1);
    }
    (groups > 1).then_some((start..end, groups))
}

/// The end of a line behind a mark.
fn line_break(scene: &Scene<'_>, at: usize) -> usize {
    match (scene.byte(at), scene.byte(at + 1)) {
        (Some(b'\n'), _) => 1,
        (Some(b'\r'), Some(b'\n')) => 2,
        _ => 0,
    }
}

fn is_address(scene: &Scene<'_>, span: &Range<usize>, groups: usize, mark: Mark) -> bool {
    let text = scene.slice(span.clone()).as_bytes();
    let whole = groups == if mark == Mark::Dot { 3 } else { 6 };
    let longer = scene.byte(span.end) == Some(b':')
        && scene.byte(span.end + 1).is_some_and(|byte| byte.is_ascii_hexdigit());
    let has_letter = text.iter().any(u8::is_ascii_alphabetic);
    let sure = has_letter || mark == Mark::Colon || scene.says_near(span, &NETWORK);
    whole && !longer && sure && scene.stands_alone(span) && is_of_a_card(text)
}

fn is_of_a_card(text: &[u8]) -> bool {
    let mut digits = text.iter().filter(|byte| byte.is_ascii_hexdigit());
    let Some(first) = digits.next() else { return false };
    digits.any(|byte| byte != first)
}

/// Twelve hexadecimal digits that are called an address.
fn bare(scene: &Scene<'_>, at: usize, found: &mut Candidates) {
    let is_hex = |byte: &&u8| byte.is_ascii_hexdigit();
    let before = scene.bytes().get(at.saturating_sub(12)..at).unwrap_or_default();
    let start = at - before.iter().rev().take_while(is_hex).count();
    let rest = scene.bytes().get(start..).unwrap_or_default();
    let span = start..start + rest.iter().take(13).take_while(is_hex).count();
    let fits = span.len() == 12 && scene.stands_alone(&span);
    if fits
        && is_of_a_card(scene.slice(span.clone()).as_bytes())
        && named(scene, start, NOUNS).is_some()
    {
        found.pii(PiiType::MacAddress, span, Level::Strong);
    }
}

#[cfg(test)]
mod tests {
    use super::PiiType;
    use crate::detectors::trial::{hits, misses};

    const HITS: &[&str] = &[
        "MAC ⟦00:1A:2B:3C:4D:5E⟧",
        "맥주소는 ⟦00-1a-2b-3c-4d-5e⟧입니다",
        "⟦001a.2b3c.4d5e⟧ dynamic",
        "link/ether ⟦52:54:00:12:34:56⟧ brd",
        "\"mac\":\"⟦a4:83:e7:01:02:03⟧\"",
        "⟦12:34:56:78:90:12⟧",
        "MAC 주소: ⟦10-20-30-40-50-60⟧",
        "BSSID=⟦de:ad:be:ef:00:01⟧,",
        "맥 주소 ⟦001A2B3C4D5E⟧로 등록",
        "mac address: ⟦a483e7010203⟧",
        "(⟦00:1A:2B:3C:4D:5E⟧)",
        "단말⟦00:1A:2B:3C:4D:5E⟧이",
        "⟦00:1A:2B:\n3C:4D:5E⟧",
        "Physical Address. . . : ⟦00-1A-2B-3C-4D-5E⟧",
        "MAC:⟦A2:E3:5A:1A:64:7B⟧",
        "MAC:⟦5c6f.4049.3d84⟧",
        "mac ⟦bc\u{2014}3a\u{2014}2c\u{2014}69\u{2014}28\u{2014}49⟧",
        "MAC = ⟦CE\u{3161}7E\u{3161}F0\u{3161}AC\u{3161}52\u{3161}A2⟧",
        "device ⟦F4:5C:89:AA:BB:CC⟧ joined",
    ];

    const MISSES: &[&str] = &[
        "12:30:45",
        "2026-01-15 12:30:45",
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "SHA1 da:39:a3:ee:5e:6b:4b:0d:32:55:bf:ef:95:60:18:90:af:d8:07:09",
        "00:1A:2B:3C:4D",
        "00:1A:2B:3C:4D:5E:6F",
        "10-20-30-40-50-60",
        "aa-bb-cc",
        "001a.2b3c",
        "001a.2b3c.4d5e.6f70",
        "001a2b3c4d5e",
        "g0:1a:2b:3c:4d:5e",
        "x00:1A:2B:3C:4D:5E",
        "550e8400-e29b-41d4-a716-446655440000",
        "1.2345.6789",
    ];

    #[test]
    fn finds_addresses() {
        hits(PiiType::MacAddress, HITS);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }
}
