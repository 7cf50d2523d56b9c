//! Addresses of machines, and URLs with credentials.

use masking::PiiType;

use super::secrets;
use crate::rng::{HEX, LETTERS_DIGITS, Rng};
use crate::sample::Made;

const HOSTS: &[&str] = &[
    "db.internal",
    "redis-01.prod.example.com",
    "localhost",
    "pg.svc.cluster.local",
    "example.com",
    "mq.corp.example.io",
    "git.example.com",
    "nexus.example.co.kr",
    "mongo0.example.net",
];
const USERS: &[&str] =
    &["admin", "app", "postgres", "root", "svc_user", "deploy", "readonly", "minjun", "ci-bot"];

pub fn host(rng: &mut Rng) -> &'static str {
    rng.pick(HOSTS)
}

pub fn ip4_text(rng: &mut Rng) -> String {
    let mut part = |first, last| rng.within(first..=last);
    let (second, third, last) = (part(0, 255), part(0, 255), part(1, 254));
    match part(0, 9) {
        0..=1 => format!("10.{second}.{third}.{last}"),
        2 => format!("192.168.{third}.{last}"),
        3 => format!("172.{}.{third}.{last}", part(16, 31)),
        4 => format!("203.0.113.{last}"),
        _ => {
            let first = part(11, 223);
            let first = if matches!(first, 127 | 169 | 192 | 172) { 211 } else { first };
            format!("{first}.{second}.{third}.{last}")
        }
    }
}

fn ip6_text(rng: &mut Rng) -> String {
    let word = |rng: &mut Rng| format!("{:x}", rng.within(1..=0xffff));
    let words =
        |rng: &mut Rng, count: usize| (0..count).map(|_| word(rng)).collect::<Vec<_>>().join(":");
    match rng.below(14) {
        12 => format!("::ffff:{}", ip4_text(rng)),
        13 => format!("2a00:1450:{}::{}", word(rng), word(rng)),
        0..=1 => format!("2001:db8::{}", word(rng)),
        2..=3 => format!("2001:db8:{}::{}", words(rng, 2), words(rng, 2)),
        4..=5 => format!("fe80::{}", words(rng, 4)),
        6..=7 => format!("2406:{}", words(rng, 7)),
        8..=9 => format!("2001:0db8:{}", words(rng, 6)).to_uppercase(),
        _ => format!("fd00:{}::{}", words(rng, 3), words(rng, 1)),
    }
}

pub fn ip(rng: &mut Rng) -> Made {
    match rng.below(5) {
        0 => ip6(rng),
        _ => ip4(rng),
    }
}

pub fn ip6(rng: &mut Rng) -> Made {
    Made::pii(PiiType::IpAddress, "IPv6", ip6_text(rng))
}

pub fn ip4(rng: &mut Rng) -> Made {
    Made::pii(PiiType::IpAddress, "IPv4", ip4_text(rng))
}

/// With a port behind, which is not a part of it.
pub fn ip_port(rng: &mut Rng) -> Made {
    let port = format!(":{}", rng.pick(&["80", "443", "5432", "6379", "8080", "50051", "51234"]));
    match rng.below(5) {
        0 => Made::pii(PiiType::IpAddress, "IPv6", ip6_text(rng)).between("[", &format!("]{port}")),
        _ => ip4(rng).between("", &port),
    }
}

pub fn mac(rng: &mut Rng) -> Made {
    let hex = rng.text(HEX, 12);
    let grouped = |size: usize, joint: &str| {
        let letters: Vec<char> = hex.chars().collect();
        letters.chunks(size).map(|part| part.iter().collect()).collect::<Vec<String>>().join(joint)
    };
    let (kind, text) = match rng.below(6) {
        0..=1 => ("colons", grouped(2, ":")),
        2 => ("colons", grouped(2, ":").to_uppercase()),
        3 => ("dashes", grouped(2, "-").to_uppercase()),
        4 => ("dashes", grouped(2, "-")),
        _ => ("dots", grouped(4, ".")),
    };
    Made::pii(PiiType::MacAddress, kind, text)
}

/// The password is what must not leave; with the user or the whole URL is as right.
pub fn url_credentials(rng: &mut Rng) -> Made {
    let (kind, scheme, behind) = rng.pick(&[
        ("database", "postgres", "5432/app?sslmode=require"),
        ("database", "postgresql+asyncpg", "5432/orders"),
        ("database", "mysql", "3306/shop"),
        ("database", "mongodb+srv", "27017/prod?retryWrites=true"),
        ("database", "mongodb", "27017/admin"),
        ("queue", "amqp", "5672/vhost"),
        ("queue", "redis", "6379/0"),
        ("queue", "rediss", "6380"),
        ("web", "https", "8443/api/v1/items"),
        ("web", "http", "8080/"),
        ("web", "https", "443/org/repo.git"),
        ("file", "ftp", "21/pub/report.csv"),
        ("file", "sftp", "22/home/data"),
        ("mail", "smtp", "587"),
    ]);
    let password = match rng.below(3) {
        0 => rng.text(LETTERS_DIGITS, 16),
        1 => secrets::word_password(rng).replace(['@', '#', '/', '?', ':', '%', '&', '$'], "!"),
        _ => secrets::word_password(rng).replace(['@', '#', '/', '?', ':', '&'], "%40"),
    };
    let user = if scheme == "redis" { "" } else { rng.pick(USERS) };
    let rest = format!("@{}:{behind}", rng.pick(HOSTS));
    let mut made = Made::pii(PiiType::UrlCredentials, kind, password)
        .between(&format!("{user}:"), "")
        .or_all()
        .between(&format!("{scheme}://"), &rest)
        .or_all();
    // From the scheme to the at sign too.
    if let Some(mark) = &mut made.mark {
        mark.also.push(0..mark.span.end);
    }
    made
}
