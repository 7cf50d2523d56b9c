//! User and password in a URL or a data source's name: RFC 3986 §3.2.1, and as Go's MySQL
//! driver writes them. The span is `user:password`; the host stays readable.

use std::ops::Range;

use contract::masking::PiiType;
use memchr::memmem;

use super::runs::end_of_run;
use super::secret;
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// Characters of an authority that are read.
const AUTHORITY_CHARS_MAX: usize = 512;

/// Puts down every pair.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut read_to = 0;
    for at in memmem::find_iter(scene.bytes(), "://") {
        let start = at + "://".len();
        let is_url =
            start >= read_to && scene.before(at).is_some_and(|byte| byte.is_ascii_alphanumeric());
        let Some(span) = is_url.then(|| userinfo(scene, start, at)).flatten() else { continue };
        read_to = span.end;
        put(scene, span, found);
    }
    for &at in scene.ats() {
        let behind = scene.text().get(at + 1..).unwrap_or_default();
        if ["tcp(", "unix("].iter().any(|net| behind.starts_with(net)) {
            put(scene, before_network(scene, at), found);
        }
    }
}

fn put(scene: &Scene<'_>, span: Range<usize>, found: &mut Candidates) {
    if let Some(value) = pair(scene, span) {
        found.pii(PiiType::UrlCredentials, value, Level::Certain);
    }
}

/// What stands before the last `@` of the authority.
fn userinfo(scene: &Scene<'_>, start: usize, scheme_end: usize) -> Option<Range<usize>> {
    let rest = scene.bytes().get(start..)?;
    let window = rest.get(..AUTHORITY_CHARS_MAX).unwrap_or(rest);
    let ends = |byte: &u8| {
        !byte.is_ascii_graphic() || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\')
    };
    let word =
        window.iter().position(ends).map_or(window, |end| window.get(..end).unwrap_or_default());
    let authority = word.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let authority = authority.and_then(|end| word.get(..end)).unwrap_or(word);
    let last = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte == b'@');
    if let Some(at) =
        over_break(scene, start + word.len(), authority.len() == word.len(), authority)
    {
        return Some(start..at);
    }
    let at = last(authority).or_else(|| {
        // Passwords hold `/`, `#` and `?` although they must not, or were unescaped.
        let at = last(word)?;
        (!is_web(scene, scheme_end) && is_host(word.get(at + 1..)?) && is_open(word.get(..at)?))
            .then_some(at)
    })?;
    Some(start..start + at)
}

/// Characters of the second half of a password.
const HALF_CHARS_MAX: usize = 64;

/// The `@` behind a password that a line break splits. What stands before the break must be
/// no host with its port, and behind the `@` something of a URL must follow.
fn over_break(scene: &Scene<'_>, first_end: usize, is_bare: bool, first: &[u8]) -> Option<usize> {
    let colon = first.iter().position(|byte| *byte == b':')?;
    let (user, half) = (first.get(..colon)?, first.get(colon + 1..)?);
    let is_port = half.iter().all(u8::is_ascii_digit);
    if !is_bare
        || is_port
        || first.contains(&b'@')
        || user.iter().any(|byte| matches!(byte, b'.' | b'['))
    {
        return None;
    }
    let second = match scene.bytes().get(first_end..)? {
        [b'\n', ..] => first_end + 1,
        [b'\r', b'\n', ..] => first_end + 2,
        _ => return None,
    };
    let of_password =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'@' | b'/' | b'"' | b'\'' | b':');
    let at = end_of_run(scene.bytes(), second, of_password);
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let host_end = end_of_run(scene.bytes(), at + 1, of_host);
    let fits = scene.byte(at) == Some(b'@')
        && (1..=HALF_CHARS_MAX).contains(&(at - second))
        && host_end > at + 1
        && matches!(scene.byte(host_end), Some(b':' | b'/'));
    fits.then_some(at)
}

fn is_web(scene: &Scene<'_>, scheme_end: usize) -> bool {
    let before = scene.bytes().get(scheme_end.saturating_sub(5)..scheme_end).unwrap_or_default();
    before.ends_with(b"http") || before.ends_with(b"https")
}

/// A user and the colon before the password, without anything of a path.
fn is_open(userinfo: &[u8]) -> bool {
    let colon = userinfo.iter().position(|byte| *byte == b':');
    let user = colon.and_then(|colon| userinfo.get(..colon));
    user.is_some_and(|user| !user.iter().any(|byte| matches!(byte, b'/' | b'?' | b'#')))
        && !userinfo.contains(&b'=')
}

fn is_host(rest: &[u8]) -> bool {
    rest.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'[')
}

/// `user:password` before `@tcp(`.
fn before_network(scene: &Scene<'_>, at: usize) -> Range<usize> {
    let before = scene.bytes().get(at.saturating_sub(AUTHORITY_CHARS_MAX)..at).unwrap_or_default();
    let ends =
        |byte: &u8| !byte.is_ascii_graphic() || matches!(byte, b'"' | b'\'' | b'`' | b'=' | b'/');
    let length = before.iter().rev().position(ends).unwrap_or(before.len());
    at - length..at
}

/// Pairs of documentation: nobody's.
const SHOWN: [&str; 8] = [
    "user:password",
    "username:password",
    "user:pass",
    "user:pwd",
    "username:pass",
    "login:password",
    "userid:password",
    "name:password",
];

/// A user and a password that are neither fillers nor references; a password alone where
/// there is no user.
fn pair(scene: &Scene<'_>, span: Range<usize>) -> Option<Range<usize>> {
    let text = scene.slice(span.clone());
    let (user, password) = text.split_once(':')?;
    let shown = SHOWN.contains(&text.to_ascii_lowercase().as_str());
    if password.is_empty() || shown || secret::is_stand_in(user) || secret::is_stand_in(password) {
        return None;
    }
    Some(if user.is_empty() { span.start + 1..span.end } else { span })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::trial::{hits, misses};

    #[test]
    fn finds_pairs() {
        hits(
            PiiType::UrlCredentials,
            &[
                "DATABASE_URL=postgres://⟦app:s3cr3t!Pw⟧@db.internal:5432/main",
                "https://⟦deploy:hunter22⟧@git.example.com/x.git로 받으세요",
                "\"mongodb+srv://⟦root:p@ss:w0rd⟧@cluster0.example.net/?retryWrites=true\"",
                "redis://:⟦onlyapassword9⟧@cache:6379/0",
                "amqp://⟦svc:a/b#c?d9⟧@mq:5672/%2f",
                "db, err := sql.Open(\"mysql\", \"⟦root:qwer1234!⟧@tcp(db:3306)/shop\")",
                "jdbc:mysql://⟦shop:Zx9-81k⟧@db.example.com/x",
                "DB is at mongodb://readonly:⟦53qh5pzE\nvTSokaHd⟧@git.example.com:27017/admin"
                    .replacen("readonly:⟦", "⟦readonly:", 1)
                    .leak(),
                "접속은 ftp://⟦kim:Abc12345⟧@ftp.example.com 입니다",
            ],
        );
    }

    #[test]
    fn leaves_urls_without() {
        misses(&[
            "https://example.com:8080/@user/page:1",
            "ssh://git@example.com/x.git",
            "https://example.com/a:b@c",
            "postgres://${DB_USER}:${DB_PASS}@db:5432/x",
            "postgres://user:password@localhost:5432/x",
            "postgres://<user>:<password>@host/db",
            "https://kim:****@example.com/",
            "https://example.com/?next=a:b&to=@here",
            "see db://local:8080\nkim1@x:1 and",
            "https://unpkg.com/@scope/pkg@1.2.3:8080",
        ]);
    }
}
