//! Names that people give to passwords, tokens and keys, in Korean and English.

use std::ops::Range;

use crate::evidence::words;
use crate::scene::Scene;

/// What a name says its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// Whatever a person may have thought of.
    Password,
    /// Random or thought of.
    Secret,
    /// Random.
    Token,
}

/// A name in a text.
pub struct Name {
    /// The whole identifier.
    pub span: Range<usize>,
    /// What it calls its value.
    pub called: Called,
    /// Whether it is written in Hangul.
    pub korean: bool,
    /// `LIKE_THIS`: a variable of an environment.
    pub shouted: bool,
    /// The word alone.
    pub bare: bool,
}

const PASSWORDS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pass",
    "pwd",
    "pw",
    "requirepass",
    "identified by",
];
const SECRETS: [&str; 3] = ["secret", "credential", "credentials"];
const TOKENS: [&str; 2] = ["token", "key"];
const KOREAN_PASSWORDS: [&str; 7] =
    ["비밀번호", "비밀 번호", "비번", "암호", "패스워드", "패스프레이즈", "패스코드"];
const KOREAN_SECRETS: [&str; 2] = ["시크릿", "비밀값"];
const KOREAN_TOKENS: [&str; 2] = ["토큰", "키"];

pub fn literals() -> Vec<&'static str> {
    [&PASSWORDS[..], &SECRETS, &TOKENS, &KOREAN_PASSWORDS, &KOREAN_SECRETS, &KOREAN_TOKENS].concat()
}

/// What may still follow the word in an identifier.
const ENDINGS: [&str; 12] = [
    "",
    "_base",
    "base",
    "_hex",
    "_value",
    "value",
    "_b64",
    "_base64",
    "_phrase",
    "_plain",
    "id_secret",
    "string",
];
/// Longest part of an identifier before the word.
const HEAD_CHARS_MAX: usize = 48;
/// Parts of identifiers whose value is no password.
const NO_PASSWORDS: [&str; 22] = [
    "forgot",
    "hint",
    "policy",
    "label",
    "show",
    "hide",
    "reset",
    "field",
    "strength",
    "length",
    "change",
    "haspass",
    "require_",
    "bypass",
    "compass",
    "boarding",
    "/passwd",
    "_min_",
    "_max_",
    "invalid",
    "isp",
    "confirmation",
];
/// Parts of identifiers, and words before, whose token or key is public.
const PUBLIC: [&str; 26] = [
    "public",
    "primary",
    "foreign",
    "partition",
    "sort",
    "cache",
    "page",
    "next",
    "prev",
    "cursor",
    "continu",
    "sync",
    "max",
    "min",
    "stop",
    "eos",
    "bos",
    "pad",
    "unk",
    "sep",
    "mask",
    "idempot",
    "공개",
    "publishable",
    "reset_",
    "site",
];

words!(
    /// What makes a key one that opens something.
    OPENING = [
        "api", "access", "secret", "private", "auth", "authorization", "signing", "sign", "encryption",
        "encrypt", "decryption", "service", "account", "master", "subscription", "app", "client", "admin",
        "hmac", "aes", "webhook", "shared", "jwt", "session", "server", "openai", "hex", "deploy", "root",
        "액세스", "접근", "비밀", "시크릿", "암호화", "인증", "서비스", "보안", "서명", "API", "복호화", "관리자",
        "마스터", "접속", "개인",
    ]
);

/// Reads the name that a hit is in.
pub fn read(scene: &Scene<'_>, hit: &Range<usize>) -> Option<Name> {
    let word = scene.slice(hit.clone());
    if word.is_ascii() {
        latin(scene, hit, &word.to_ascii_lowercase())
    } else {
        korean(scene, hit, word)
    }
}

fn korean(scene: &Scene<'_>, hit: &Range<usize>, word: &str) -> Option<Name> {
    let called = match word {
        _ if KOREAN_PASSWORDS.contains(&word) => Called::Password,
        _ if KOREAN_SECRETS.contains(&word) => Called::Secret,
        "키" if !opens(scene, hit.start) => return None,
        _ => Called::Token,
    };
    Some(Name { span: hit.clone(), called, korean: true, shouted: false, bare: false })
}

fn latin(scene: &Scene<'_>, hit: &Range<usize>, word: &str) -> Option<Name> {
    let span = identifier(scene, hit);
    let head = scene.slice(span.start..hit.start);
    let tail = scene.slice(hit.end..span.end).trim_end_matches(|c: char| c.is_ascii_digit());
    if !ENDINGS.contains(&tail.to_ascii_lowercase().as_str()) || !begins_word(scene, hit, word) {
        return None;
    }
    let whole = scene.slice(span.clone()).to_ascii_lowercase();
    let called = called(scene, &span, word, &whole, head)?;
    let written = scene.slice(span.clone());
    let shouted =
        written.len() > word.len() && !written.bytes().any(|byte| byte.is_ascii_lowercase());
    Some(Name { bare: head.is_empty(), span, called, korean: false, shouted })
}

fn called(
    scene: &Scene<'_>,
    span: &Range<usize>,
    word: &str,
    whole: &str,
    head: &str,
) -> Option<Called> {
    let says = |parts: &[&str]| parts.iter().any(|part| whole.contains(part));
    if PASSWORDS.contains(&word) {
        return (!says(&NO_PASSWORDS)).then_some(Called::Password);
    }
    if says(&PUBLIC) || is_public(scene, span.start) {
        return None;
    }
    match word {
        "key" if !(opens_in(whole) || head.is_empty() && opens(scene, span.start)) => None,
        "token" | "key" if whole.contains("secret") => Some(Called::Secret),
        "token" | "key" => Some(Called::Token),
        _ => Some(Called::Secret),
    }
}

fn identifier(scene: &Scene<'_>, hit: &Range<usize>) -> Range<usize> {
    let belongs = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'-' | b'.');
    let least = hit.start.saturating_sub(HEAD_CHARS_MAX);
    let before = scene.bytes().get(least..hit.start).unwrap_or_default();
    let head = before.iter().rev().take_while(belongs).count();
    let behind = scene.bytes().get(hit.end..).unwrap_or_default();
    let tail = behind
        .iter()
        .take(HEAD_CHARS_MAX)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    let dashes = before.get(before.len() - head..).unwrap_or_default();
    let dashes = dashes.iter().take_while(|byte| matches!(byte, b'-' | b'.')).count();
    hit.start - head + dashes..hit.end + tail
}

/// Short words are parts of many others: they begin an identifier, or a word in it.
fn begins_word(scene: &Scene<'_>, hit: &Range<usize>, word: &str) -> bool {
    let first = scene.byte(hit.start).unwrap_or_default();
    match scene.before(hit.start) {
        _ if word.len() > 4 => true,
        Some(before) if before.is_ascii_lowercase() => {
            word == "key" || first.is_ascii_uppercase() || word == "pwd"
        }
        Some(before) => !before.is_ascii_uppercase() || first.is_ascii_uppercase() && word == "key",
        None => true,
    }
}

/// Bytes before a word in which another one qualifies it.
const QUALIFIER_BYTES: usize = 28;

fn words_before<'t>(scene: &Scene<'t>, at: usize) -> &'t str {
    let mut start = at.saturating_sub(QUALIFIER_BYTES);
    while !scene.text().is_char_boundary(start) {
        start += 1;
    }
    let window = scene.slice(start..at);
    window.rsplit(['\n', '.', ',', ';', ':', '=', '"', '{']).next().unwrap_or_default()
}

fn opens(scene: &Scene<'_>, at: usize) -> bool {
    let before = words_before(scene, at);
    OPENING.stand_in(before)
        && !PUBLIC.iter().any(|word| before.to_ascii_lowercase().contains(word))
}

fn opens_in(identifier: &str) -> bool {
    OPENING.words().iter().any(|word| identifier.contains(word))
}

fn is_public(scene: &Scene<'_>, at: usize) -> bool {
    let before = words_before(scene, at);
    let last = before.trim_end().rsplit(' ').next().unwrap_or_default().to_ascii_lowercase();
    PUBLIC.iter().any(|word| last.starts_with(word))
}
