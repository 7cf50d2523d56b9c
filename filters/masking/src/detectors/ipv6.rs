//! Addresses of the internet protocol, version 6: RFC 4291 §2.2 in all three forms, RFC
//! 4007 §11 zones. Compressed ones must be of a range that RFC 4291 or IANA's registry
//! has given out: `dead::beef` is a path in a program, `12:30:45` a time. `::` and `::1`
//! tell nothing of anybody.

use std::net::Ipv6Addr;
use std::ops::Range;

use contract::masking::PiiType;

use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// RFC 4291 §2.2, form 3 in full: `xxxx:` six times and a version 4 address.
const ADDRESS_BYTES_MAX: usize = 45;

/// Puts down every address.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut from = 0;
    for &colon in scene.colons() {
        if colon < from || !can_begin(scene, colon) {
            continue;
        }
        let token = token(scene, colon, from);
        from = token.end;
        if let Some(span) = address(scene, token) {
            found.pii(PiiType::IpAddress, span, Level::Strong);
        }
    }
}

/// Most colons are none of an address: it has a digit or a colon on either side.
fn can_begin(scene: &Scene<'_>, colon: usize) -> bool {
    let fits = |byte: Option<u8>| byte.is_some_and(|byte| byte == b':' || byte.is_ascii_hexdigit());
    fits(scene.byte(colon + 1))
        && (scene.byte(colon + 1) == Some(b':') || fits(scene.before(colon)))
}

/// The characters of an address around a colon.
fn token(scene: &Scene<'_>, colon: usize, from: usize) -> Range<usize> {
    let belongs = |byte: &&u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let first = from.max(colon.saturating_sub(ADDRESS_BYTES_MAX));
    let before = scene.bytes().get(first..colon).unwrap_or_default();
    let start = colon - before.iter().rev().take_while(belongs).count();
    let rest = scene.bytes().get(colon..).unwrap_or_default();
    start..colon + rest.iter().take(2 * ADDRESS_BYTES_MAX).take_while(belongs).count()
}

fn address(scene: &Scene<'_>, token: Range<usize>) -> Option<Range<usize>> {
    let token = token.start + colon_of_label(scene.slice(token.clone()))..token.end;
    let text = scene.slice(token.clone());
    let whole = text.trim_end_matches(['.', ':']);
    let text = if text.ends_with("::") { text } else { whole };
    let span = token.start..token.start + text.len();
    if text.len() > ADDRESS_BYTES_MAX || text.bytes().filter(|byte| *byte == b':').count() < 2 {
        return None;
    }
    let address: Ipv6Addr = text.parse().ok()?;
    let end = span.end + zone(scene, span.end);
    let fits = scene.stands_alone(&span) && is_somebody(&address) && is_written(text, &address);
    (fits && !is_network(scene, end, address)).then_some(span.start..end)
}

/// A colon in front that ends a label: `Host:2001:db8::1`, `Host:::ffff:192.0.2.1`.
fn colon_of_label(text: &str) -> usize {
    usize::from(text.starts_with(":::") || (text.starts_with(':') && !text.starts_with("::")))
}

fn is_somebody(address: &Ipv6Addr) -> bool {
    !address.is_loopback() && !address.is_unspecified()
}

/// Whether a text is an address and not pairs of hexadecimal digits, a time or a path.
fn is_written(text: &str, address: &Ipv6Addr) -> bool {
    let groups = text.split(':').filter(|group| group.len() > 2).count();
    let full = !text.contains("::") && groups >= 3;
    full || is_given_out(address) && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// IANA, IPv6 Address Space: global unicast, unique local, link local, multicast, and
/// those that hold one of version 4 (RFC 4291 §2.5.5.2, RFC 6052 §2.1).
fn is_given_out(address: &Ipv6Addr) -> bool {
    matches!(
        address.segments(),
        [0x2000..=0x3fff | 0xfc00..=0xfdff | 0xfe80..=0xfeff | 0xff00..=0xffff, ..]
            | [0, 0, 0, 0, 0, 0xffff, ..]
            | [0x64, 0xff9b, ..]
    )
}

/// RFC 4007 §11: `%` and the name of the zone; its length.
fn zone(scene: &Scene<'_>, at: usize) -> usize {
    let Some(rest) = scene.bytes().get(at..).and_then(|rest| rest.strip_prefix(b"%")) else {
        return 0;
    };
    let name = rest.iter().take(16).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    if name == 0 { 0 } else { name + 1 }
}

/// Whether a prefix length follows and the address is the network's own.
fn is_network(scene: &Scene<'_>, end: usize, address: Ipv6Addr) -> bool {
    let rest = scene.bytes().get(end..).and_then(|rest| rest.strip_prefix(b"/"));
    let digits = rest.unwrap_or_default().iter().take(3).take_while(|byte| byte.is_ascii_digit());
    let length =
        digits.fold(None, |length, digit| Some(length.unwrap_or(0) * 10 + u32::from(digit - b'0')));
    let host = length.map(|length| u128::MAX.checked_shr(length).unwrap_or(0));
    host.is_some_and(|host| u128::from(address) & host == 0)
}

#[cfg(test)]
mod tests {
    use super::PiiType;
    use crate::detectors::trial::{hits, misses};
    use proptest::prelude::*;
    use std::net::Ipv6Addr;

    const HITS: &[&str] = &[
        "IPv6 ⟦2001:db8::1⟧로 접속",
        "⟦2001:0db8:85a3:0000:0000:8a2e:0370:7334⟧",
        "⟦2001:DB8:0:0:8:800:200C:417A⟧에서",
        "http://[⟦2001:db8::8a2e:370:7334⟧]:443/",
        "inet6 ⟦fe80::5054:ff:fe12:3456%eth0⟧",
        "link ⟦fe80::1⟧ up",
        "⟦::ffff:203.0.113.5⟧ mapped",
        "fd는 ⟦fd12:3456:789a:1::1⟧입니다",
        "addr=⟦2606:4700:4700::1111⟧,",
        "\"ip\":\"⟦2a00:1450:4001:81b::200e⟧\"",
        "⟦2001:db8::1⟧.",
        "IP address:⟦2a00:1450:f80d::d7a3⟧ on file",
        "Host:⟦::ffff:203.0.113.5⟧,",
        "from ⟦2001:db8:1::a:b⟧: refused",
        "주소⟦2001:db8::10⟧이",
        "⟦64:ff9b::192.0.2.33⟧",
        "inet6 ⟦2001:db8::5⟧/64 scope",
        "⟦a1b2:c3d4:e5f6:1122:3344:5566:7788:99aa⟧",
    ];

    const MISSES: &[&str] = &[
        "12:30:45",
        "::",
        "::1",
        "[::]:8080",
        "std::vec::Vec",
        "std::fs::File",
        "dead::beef",
        "a::b::c",
        "f64::EPSILON",
        "10:20::30",
        "2001:db8::/32",
        "fe80::/10",
        "00:11:22:33:44:55:66:77",
        "08:30:00:12",
        "비율은 1:2:3:4",
        "cafe::",
        "Ref 3:16",
        "1:2:3:4:5:6:7:8",
        "x2001:db8::1z",
        "c::c11",
    ];

    #[test]
    fn finds_addresses() {
        hits(PiiType::IpAddress, HITS);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }

    proptest! {
        #[test]
        fn finds_every_global_one(rest: [u16; 7], first in 0x2000_u16..0x4000) {
            let mut segments = [first; 8];
            segments[1..].copy_from_slice(&rest);
            prop_assume!(rest[6] != 0);
            hits(PiiType::IpAddress, &[&format!("주소는 ⟦{}⟧입니다", Ipv6Addr::from(segments))]);
        }
    }
}
