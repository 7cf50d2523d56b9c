//! Addresses of the internet protocol, version 4: RFC 791 in dotted decimal (RFC 6943
//! §3.1.1, the strict form). Private ones (RFC 1918) count. Loopback, `0.0.0.0/8`,
//! netmasks and networks with their prefix length (RFC 4632) tell nothing of anybody.
//!
//! Four numbers with dots are as often a version or a section: what stands before them
//! decides, and small numbers alone need a word about networks.

use std::ops::Range;

use contract::masking::PiiType;

use super::ipv6;
use super::naming::named;
use crate::evidence::words;
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

words! {
    /// What is said about addresses.
    NETWORK = [
        "ip", "ips", "ipv4", "아이피", "host", "server", "서버", "addr", "address", "dns", "gateway",
        "게이트웨이", "client", "클라이언트", "ping", "ssh", "inet", "remote", "proxy", "프록시", "접속",
        "네트워크", "network", "login", "로그인", "nat", "vpn", "방화벽", "firewall", "subnet", "http",
        "https", "from", "호스트", "포트", "port", "curl", "telnet", "nslookup", "차단", "공인", "사설",
    ]
}

words! {
    /// What is said about versions and sections.
    VERSION = [
        "version", "versions", "ver", "버전", "버젼", "release", "릴리스", "릴리즈", "build", "빌드", "firmware",
        "펌웨어", "upgrade", "업그레이드", "업데이트", "update", "section", "섹션", "chapter", "조항", "항목",
        "clause", "figure", "table", "oid",  "sdk", "driver", "드라이버", "patch", "패치", "changelog",
        "assemblyversion", "fileversion", "목차", "절", "revision", "rev",
    ]
}

/// Nouns that name versions and sections.
const VERSION_NOUNS: &[&str] = &[
    "version",
    "versions",
    "ver",
    "버전",
    "버젼",
    "release",
    "릴리스",
    "릴리즈",
    "build",
    "빌드",
    "firmware",
    "펌웨어",
    "section",
    "섹션",
    "chapter",
    "조항",
    "항목",
    "clause",
    "figure",
    "table",
    "oid",
    "v",
    "sdk",
    "driver",
    "드라이버",
    "patch",
    "패치",
    "chrome",
    "chromium",
    "edge",
    "windows",
    "office",
    "assemblyversion",
    "fileversion",
    "제",
    "§",
    "revision",
    "rev",
    "그림",
    "표",
    "부록",
    "fw",
    "kernel",
    "커널",
    "jdk",
    "java",
    "jre",
    "node",
    "python",
    "mysql",
    "mariadb",
    "postgresql",
    "oracle",
    "nginx",
    "openssl",
    "safari",
    "firefox",
    "whale",
    "android",
    "ios",
    "macos",
    "ubuntu",
    "이력",
    "크롬",
    "엣지",
    "윈도우",
    "edg",
    "opr",
    "bios",
    "앱",
    "tomcat",
    "ffmpeg",
];

/// Nouns that name addresses.
const ADDRESS_NOUNS: &[&str] = &[
    "ip",
    "ipv4",
    "아이피",
    "host",
    "server",
    "서버",
    "addr",
    "address",
    "주소",
    "dns",
    "gateway",
    "게이트웨이",
    "client",
    "ping",
    "ssh",
    "inet",
    "remote",
    "proxy",
    "호스트",
];

/// How near a word about versions must stand, in characters.
const VERSION_CHARS: usize = 14;

/// Puts down every address of both versions.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let runs = scene.digits();
    let mut index = 0;
    while let Some(run) = runs.get(index) {
        let quad = run.len() <= 3 && scene.byte(run.end).is_some_and(|byte| b".[ ".contains(&byte));
        let chain = if quad { chain(scene, index) } else { 1 };
        if chain == 4
            && let Some(last) = runs.get(index + 3)
        {
            quad_at(scene, run.start..last.end, found);
        }
        index += chain;
    }
    ipv6::find(scene, found);
}

/// How many runs are joined by dots from one on.
fn chain(scene: &Scene<'_>, first: usize) -> usize {
    let joins = |gap: &str| matches!(gap, "." | "[.]" | " . ");
    1 + (first..).take_while(|index| scene.gap(*index).is_some_and(joins)).take(8).count()
}

fn quad_at(scene: &Scene<'_>, span: Range<usize>, found: &mut Candidates) {
    let Some(octets) = octets(scene.slice(span.clone())) else { return };
    if !stands(scene, &span) || is_nobody(octets) || is_network(scene, span.end, octets) {
        return;
    }
    let named_so = named(scene, span.start, ADDRESS_NOUNS).is_some();
    if !named_so && is_version(scene, &span, octets) {
        return found.innocent(span, Level::Likely);
    }
    let worded = named_so || is_said(scene, &span);
    let level = if worded { Level::Strong } else { Level::Likely };
    if worded || is_usual(octets) || begins_log(scene, &span) {
        found.pii(PiiType::IpAddress, span, level);
    }
}

/// Four numbers up to 255 without leading zeros, or all padded to three digits.
fn octets(text: &str) -> Option<[u8; 4]> {
    let parts = || text.split('.').map(|part| part.trim_matches(['[', ']', ' ', '\n']));
    let padded = parts().all(|part| part.len() == 3);
    let mut octets = [0; 4];
    for (octet, part) in octets.iter_mut().zip(parts()) {
        let fits = padded || part.len() == 1 || !part.starts_with('0');
        *octet = part.parse().ok().filter(|_| fits)?;
    }
    (parts().count() == octets.len()).then_some(octets)
}

/// Whether nothing touches an address that would make something else of it.
fn stands(scene: &Scene<'_>, span: &Range<usize>) -> bool {
    let is_digit = |at: usize| scene.byte(at).is_some_and(|byte| byte.is_ascii_digit());
    let before = scene.bytes().get(..span.start).unwrap_or_default();
    let front = match before {
        [.., b'=', b'='] | [.., b'.' | b'^' | b'~' | b'+'] => false,
        [.., letter, b'/' | b'-'] => !letter.is_ascii_alphabetic(),
        _ => true,
    };
    let behind = match (scene.byte(span.end), scene.byte(span.end + 1)) {
        (Some(b'.'), _) => !is_digit(span.end + 1) && !is_file(scene, span.end + 1),
        (Some(b'-' | b'+'), Some(next)) => !next.is_ascii_alphabetic(),
        _ => true,
    };
    scene.stands_alone(span) && front && behind
}

/// Whether the ending of a program's file follows a dot: `driver-42.2.5.1.jar`.
fn is_file(scene: &Scene<'_>, at: usize) -> bool {
    const ENDINGS: &[&str] = &[
        "jar", "zip", "tar", "tgz", "gz", "exe", "dll", "deb", "rpm", "msi", "whl", "so", "dmg",
        "apk",
    ];
    ENDINGS.iter().any(|ending| scene.slice(at..at + ending.len()) == *ending)
}

/// RFC 1122 §3.2.1.3: this host, loopback; and masks of networks.
fn is_nobody(octets: [u8; 4]) -> bool {
    matches!(octets, [0 | 127 | 255, ..])
}

/// Whether a prefix length follows and the address is the network's own.
fn is_network(scene: &Scene<'_>, end: usize, octets: [u8; 4]) -> bool {
    let Some(length) = prefix_length(scene, end) else { return false };
    let host = u32::MAX.checked_shr(length).unwrap_or(0);
    u32::from_be_bytes(octets) & host == 0
}

/// RFC 4632 §3.1: `/` and at most two digits.
fn prefix_length(scene: &Scene<'_>, at: usize) -> Option<u32> {
    let rest = scene.bytes().get(at..)?.strip_prefix(b"/")?;
    let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    let ends = !rest.get(digits).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'/');
    let text = std::str::from_utf8(rest.get(..digits)?).ok()?;
    text.parse().ok().filter(|length| ends && *length <= 32)
}

/// Whether this is called a version or a section. A word somewhat before counts only
/// where nothing is said about networks, and not for a private address.
fn is_version(scene: &Scene<'_>, span: &Range<usize>, octets: [u8; 4]) -> bool {
    let near = || {
        let before = scene.chars_before(span.start, VERSION_CHARS);
        let before = before.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        VERSION.stand_in(before.rsplit(['\n', ',', ';', '|']).next().unwrap_or_default())
    };
    let networks = || is_private(octets) || is_said(scene, span);
    named(scene, span.start, VERSION_NOUNS).is_some() || (near() && !networks())
}

/// Whether networks are spoken of on the line.
fn is_said(scene: &Scene<'_>, span: &Range<usize>) -> bool {
    scene.says_before_on_line(span.start, &NETWORK) || scene.says_behind_on_line(span.end, &NETWORK)
}

/// RFC 1918, but for 10/8, which versions begin with too.
fn is_private(octets: [u8; 4]) -> bool {
    matches!(octets, [192, 168, ..] | [172, 16..=31, ..])
}

/// Whether a line of an access log begins with this: `192.0.2.1 - - [`.
fn begins_log(scene: &Scene<'_>, span: &Range<usize>) -> bool {
    matches!(scene.before(span.start), None | Some(b'\n'))
        && scene.chars_behind(span.end, 3) == " - "
}

/// Whether numbers are those of addresses: versions and sections are small.
fn is_usual(octets: [u8; 4]) -> bool {
    octets.first() == Some(&10) || octets.iter().any(|octet| *octet > 40)
}

#[cfg(test)]
mod tests {
    use super::PiiType;
    use crate::detectors::trial::{hits, misses};
    use proptest::prelude::*;

    const HITS: &[&str] = &[
        "접속 IP는 ⟦203.0.113.45⟧입니다",
        "⟦198.51.100.7⟧ - - [15/Jan/2026:10:00:00 +0900] \"GET /\"",
        "ssh kim@⟦192.168.0.12⟧",
        "http://⟦203.0.113.5⟧:8080/path",
        "서버 ⟦10.0.0.5⟧에서",
        "client_ip=⟦172.16.3.4⟧,",
        "\"ip\":\"⟦192.0.2.1⟧\"",
        "dns ⟦8.8.8.8⟧",
        "[⟦203.0.113.45⟧]",
        "inet ⟦192.168.1.10⟧/24 brd",
        "⟦203.0.113.45⟧.",
        "차단된 아이피 ⟦1.2.3.4⟧ 해제",
        "from ⟦100.64.1.2⟧ to the gate",
        "x-forwarded-for: ⟦203.0.113.195⟧, proxy",
        "ip ⟦192.168.001.010⟧",
        "⟦203[.]0[.]113[.]45⟧ 악성",
        "버전을 확인하려면 서버 주소 ⟦10.20.30.40⟧으로",
        "업데이트 후 ⟦192.168.0.10⟧ 접속 불가",
        "⟦34.17.18.1⟧ - kim [December 20, 2022] \"POST /login\" 302",
        "abv9 psql -h ⟦182.108.11.184⟧ -U app",
        "version 2 of the host at ⟦203.0.113.9⟧",
    ];

    const MISSES: &[&str] = &[
        "v1.2.3.4",
        "version 10.0.19041.1",
        "version 1.2.3.4",
        "버전 120.0.6.99",
        "Chrome/120.0.6.99",
        "127.0.0.1:3000",
        "0.0.0.0",
        "10.0.0.0/8",
        "192.168.0.0/16 대역",
        "255.255.255.0",
        "1.3.6.1.4.1.311",
        "256.1.1.1",
        "제 1.2.3.4 절",
        "3.2.1.4 시스템 구성",
        "섹션 3.1.2.10 참고",
        "192.168.0",
        "펌웨어 2.0.10.50",
        "pkg==1.2.3.44",
        "1.2.3.4-beta",
        "a1.2.3.4",
        "2026.01.15.10",
        "01.02.03.04",
        "build 22.100.1.60",
        "const char oid[] = \"2.5.4.14\"; // OID\n// ping",
        "postgresql-42.2.5.1.jar",
        "kernel 5.15.0.91",
        "크롬 버전은 120.0.6.99",
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
        fn finds_every_public_one(a in 41_u8..127, b: u8, c: u8, d: u8) {
            hits(PiiType::IpAddress, &[&format!("접속 ⟦{a}.{b}.{c}.{d}⟧에서")]);
        }
    }
}
