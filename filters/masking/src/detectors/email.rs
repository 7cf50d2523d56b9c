//! E-mail addresses: RFC 5321 §4.1.2 and RFC 6531 §3.3 (other letters than ASCII's), as
//! people write them; RFC 5890 and the root zone for what a domain may end in.
//!
//! Hangul may touch an address on both sides: a particle behind (`kim@example.com으로`)
//! and a label before. A user before a host in a URL is no address, `git@host:path` is
//! none, and neither is a version or a file (`@types/node@1.2.3`, `icon@2x.png`).

use std::ops::Range;

use contract::masking::PiiType;

use super::domain::{domain_end, is_hangul};
use crate::evidence::words;
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

words! {
    /// What is said about mail.
    MAIL = ["mail", "e-mail", "email", "메일", "이메일", "contact", "연락", "reply", "mailto"]
}

words! {
    /// Commands with an account and a machine behind them.
    SSH = ["ssh ", "scp ", "sftp ", "rsync ", "mosh ", "ssh-copy-id "]
}

/// RFC 5321 §4.5.3.1.1, in bytes.
const LOCAL_BYTES_MAX: usize = 64;

/// How far before the `@` the beginning of a URL is looked for, in bytes.
const URL_BYTES_MAX: usize = 160;

/// Puts down every address.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    for &at in scene.ats() {
        if let Some(span) = address(scene, at) {
            found.pii(PiiType::Email, span, Level::Certain);
        }
    }
}

fn address(scene: &Scene<'_>, at: usize) -> Option<Range<usize>> {
    let before = scene.text().get(..at)?;
    let spaced = before.ends_with(' ') && scene.byte(at + 1) == Some(b' ');
    let before = before.get(..at - usize::from(spaced))?;
    let local = quoted(before).or_else(|| local(before))?;
    let end = domain_end(scene.text(), at + 1 + usize::from(spaced))?;
    if spaced && !is_said(scene, before.len() - local.len()..end, local) {
        return None;
    }
    let local = unmarked(local, scene.byte(end));
    let start = line_before(before, before.len() - local.len());
    let innocent = is_user_of_url(before, start) || is_ssh(scene, local, start..end);
    (!local.is_empty() && !innocent).then_some(start..end)
}

/// The local part that a text ends with, without quotes.
fn local(before: &str) -> Option<&str> {
    let last = before.chars().next_back()?;
    let takes = |c: char| {
        is_of_local(c) || (!c.is_ascii() && (is_hangul(last) || !is_hangul(c)) && c.is_alphabetic())
    };
    let from = window(before, LOCAL_BYTES_MAX);
    let start = from.rfind(|c| !takes(c)).map_or(0, |at| at + char_len(from, at));
    let local = from.get(start..)?.trim_start_matches(['.', '-', '+', '\'', '%', '&']);
    let local = without_number(local, from);
    let is_local = !local.ends_with('.') && local.contains(char::is_alphanumeric);
    is_local.then_some(local)
}

/// A telephone number that a dash joins to the name is none of it: eight digits, or
/// fewer that go on before.
fn without_number<'t>(local: &'t str, before: &str) -> &'t str {
    let Some((number, name)) = local.rsplit_once('-') else { return local };
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    let front = before.strip_suffix(local).unwrap_or_default().trim_end_matches([' ', ')']);
    let goes_on = digits >= 4 && front.ends_with(|c: char| c.is_ascii_digit());
    if is_number && (digits >= 8 || goes_on) && !name.is_empty() { name } else { local }
}

fn is_of_local(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '\'' | '%' | '&')
}

/// Where a name begins whose line ends behind a `-` in it; else the place itself.
fn line_before(before: &str, start: usize) -> usize {
    let above = before.get(..start).unwrap_or_default();
    let line = above.strip_suffix("\r\n").or_else(|| above.strip_suffix('\n'));
    let Some(name) = line.and_then(|line| line.strip_suffix('-')) else { return start };
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    let length = name.bytes().rev().take(LOCAL_BYTES_MAX).take_while(is_of_name).count();
    if length == 0 { start } else { name.len() - length }
}

/// RFC 5321 §4.1.2, `Quoted-string`: `"john doe"@example.com`.
fn quoted(before: &str) -> Option<&str> {
    let inner = window(before.strip_suffix('"')?, LOCAL_BYTES_MAX);
    let open = inner.rfind('"')?;
    let content = inner.get(open + 1..)?;
    let fits = content.starts_with(|c: char| c.is_ascii_alphanumeric())
        && content.chars().all(|c| is_of_local(c) || c == ' ' || c == '@');
    let stands = !inner.get(..open)?.ends_with(|c: char| c.is_alphanumeric() || c == '"');
    (fits && stands).then(|| before.get(before.len() - content.len() - 2..))?
}

/// Whether a name with spaces around the `@` is one, and no word of a sentence.
fn is_said(scene: &Scene<'_>, span: Range<usize>, local: &str) -> bool {
    let marked = local.contains(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_'));
    let ends = |byte: Option<u8>| matches!(byte, None | Some(b'\n' | b'\r'));
    let is_line = ends(scene.before(span.start)) && ends(scene.byte(span.end));
    marked || is_line || scene.says_before_on_line(span.start, &MAIL)
}

/// Without the mark of a quotation, or of Markdown, that closes behind the address. A
/// `'` within a name is part of it (`o'brien@…`).
fn unmarked(local: &str, behind: Option<u8>) -> &str {
    if behind == Some(b'_') {
        return local.trim_start_matches('_');
    }
    let Some((name, rest)) = local.rsplit_once('\'') else { return local };
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_name = last.len() <= 2 && last.chars().all(|c| c.is_ascii_alphabetic());
    if is_name && behind != Some(b'\'') { local } else { rest }
}

/// Whether a local part is the user, or the password, in a URL (RFC 3986 §3.2.1).
fn is_user_of_url(before: &str, start: usize) -> bool {
    let from = window(before.get(..start).unwrap_or_default(), URL_BYTES_MAX);
    let token = from.rfind(|c: char| c.is_whitespace() || "\"'<>`".contains(c));
    let token = token.map_or(from, |at| from.get(at + 1..).unwrap_or_default());
    token.rsplit_once("://").is_some_and(|(_, rest)| !rest.contains(PATH) || has_password(rest))
}

/// What ends the host of a URL.
const PATH: [char; 3] = ['/', '?', '#'];

/// Whether a user and `:` come before any path, and what follows is no port.
fn has_password(rest: &str) -> bool {
    let (front, path) =
        rest.split_at_checked(rest.find(PATH).unwrap_or(rest.len())).unwrap_or((rest, ""));
    let port =
        front.rsplit_once(':').map(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    !path.is_empty() && port == Some(false)
}

/// Whether this is an account on a machine: `git@host:group/name`, `ssh kim@host`.
fn is_ssh(scene: &Scene<'_>, local: &str, span: Range<usize>) -> bool {
    let path = scene.slice(span.end..scene.text().len().min(span.end + 2)).as_bytes();
    let goes_on = path.first() == Some(&b':') && path.get(1).is_some_and(u8::is_ascii_alphanumeric);
    let is_account = matches!(local, "git" | "hg" | "svn" | "gitlab" | "gitea");
    (is_account && goes_on) || scene.says_before_on_line(span.start, &SSH)
}

fn window(text: &str, bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default()
}

fn char_len(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::PiiType;
    use crate::detectors::trial::{hits, misses};
    use proptest::prelude::*;

    const HITS: &[&str] = &[
        "⟦kim@example.com⟧으로 보내 주세요",
        "메일은⟦kim.cs+news@mail.example.co.kr⟧입니다.",
        "Write to <⟦jane_doe@example.org⟧>.",
        "[메일](mailto:⟦jane@example.org⟧)",
        "'⟦kim@example.com⟧'",
        "f'⟦kim@example.com⟧'",
        "\"email\":\"⟦kim-2@example.io⟧\",",
        "담당자(⟦KIM@EXAMPLE.COM⟧)에게",
        "⟦홍길동@example.com⟧에게",
        "⟦info@한글도메인.한국⟧으로",
        "⟦kim@도메인.kr⟧로",
        "⟦noreply@example.com⟧",
        "reach ⟦o'brien@example.ie⟧ or",
        "⟦\"john doe\"@example.com⟧ wrote",
        "send it to ⟦kim@example.com⟧.Thanks",
        "⟦kim@example.com⟧.감사합니다",
        "https://example.com/?email=⟦kim@example.com⟧&x=1",
        "⟦01012345678@example.net⟧",
        "user=⟦a@b.co⟧;",
        "⟦kim@sub-1.example.museum⟧,",
        "_⟦kim@example.test⟧_",
        "⟦jürgen@müller.de⟧",
        "root=⟦admin@corp.internal⟧",
        "⟦kim@xn--3e0b707e.xn--3e0b707e⟧",
        "⟦kim@example.\ncom⟧ 입니다",
        "⟦kim@\nexample.com⟧ 입니다",
        "e-mail:⟦x@example.com⟧/02-",
        "⟦kim@my-\nexample.com⟧ 입니다",
        "T 02\n⟦wchen @ EXAMPLE.DE⟧\n끝",
        "메일 ⟦grace-\nlee@example.com⟧로",
    ];

    const MISSES: &[&str] = &[
        "user@host",
        "@types/node@1.2.3",
        "npm i left-pad@1.3.0",
        "icon@2x.png",
        "git@github.com:org/repo.git",
        "@app.route('/')",
        "y = W@x.reshape(2)",
        "kim @ home.",
        "트위터 @kim.example",
        "https://user@example.com/",
        "https://medium.com/@kim.dev",
        "a@b",
        "@",
        "kim@@example",
        "kim@.com",
        "Foo@1a2b.js",
        "uses: actions/checkout@v4.1.0",
        "***@example.com",
        "@Override.kt",
        "ssh -i key.pem ubuntu@web.example.com",
        "scp a.txt kim@web.example.com:/srv",
        "docker.io/x@sha256:abcd.io",
    ];

    #[test]
    fn finds_addresses() {
        hits(PiiType::Email, HITS);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }

    proptest! {
        #[test]
        fn particles_never_count(
            local in "[a-z][a-z0-9]{1,8}",
            domain in "[a-z]{3,8}\\.(com|net|org|kr|co\\.kr)",
            particle in "(으로|로|에게|은|는|이|가|을|를|입니다)",
        ) {
            hits(PiiType::Email, &[&format!("메일⟦{local}@{domain}⟧{particle} 연락")]);
        }
    }
}
