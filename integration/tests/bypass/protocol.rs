//! Request lines, header sections, methods, upgrades and expectations of HTTP/1.

use super::attack::{AUTH, Attack, CHAT, HONEST, JSON, KEY, post};
use super::world::World;
use integration::Result;

/// The honest request with one thing changed in its text.
fn changed(name: &str, what: &str, by: &str) -> Attack {
    let text = String::from_utf8_lossy(&post(CHAT, &format!("{JSON}{AUTH}"), HONEST)).into_owned();
    assert!(text.contains(what), "{name}: nothing to change");
    Attack::new(name, text.replacen(what, by, 1))
}

fn request_lines() -> Vec<Attack> {
    let line = format!("POST {CHAT} HTTP/1.1\r\n");
    let lines = [
        ("lower-case method", format!("post {CHAT} HTTP/1.1\r\n")),
        ("mixed method", format!("Post {CHAT} HTTP/1.1\r\n")),
        ("two spaces", format!("POST  {CHAT}  HTTP/1.1\r\n")),
        ("tabs", format!("POST\t{CHAT}\tHTTP/1.1\r\n")),
        ("leading space", format!(" POST {CHAT} HTTP/1.1\r\n")),
        ("leading CRLF", format!("\r\nPOST {CHAT} HTTP/1.1\r\n")),
        ("leading LF", format!("\nPOST {CHAT} HTTP/1.1\r\n")),
        ("trailing space", format!("POST {CHAT} HTTP/1.1 \r\n")),
        ("two paths", format!("POST {CHAT} /metrics HTTP/1.1\r\n")),
        ("NUL in the path", format!("POST {CHAT}\0 HTTP/1.1\r\n")),
        ("HTTP/0.9", format!("POST {CHAT}\r\n")),
        ("HTTP/1.0", format!("POST {CHAT} HTTP/1.0\r\n")),
        ("HTTP/1.2", format!("POST {CHAT} HTTP/1.2\r\n")),
        ("HTTP/2.0", format!("POST {CHAT} HTTP/2.0\r\n")),
        ("HTTP/3.0", format!("POST {CHAT} HTTP/3.0\r\n")),
        ("http/1.1", format!("POST {CHAT} http/1.1\r\n")),
        ("HTTP/01.1", format!("POST {CHAT} HTTP/01.1\r\n")),
        ("no version number", format!("POST {CHAT} HTTP/\r\n")),
        ("LF alone", format!("POST {CHAT} HTTP/1.1\n")),
        ("CR alone", format!("POST {CHAT} HTTP/1.1\r")),
        ("a path of 70 KB", format!("POST {CHAT}?{} HTTP/1.1\r\n", "a".repeat(70_000))),
    ];
    lines.map(|(name, by)| changed(name, &line, &by).unfinished()).into()
}

fn header_sections() -> Vec<Attack> {
    let after_host = "host: t\r\n";
    let with =
        |name: &str, lines: &str| changed(name, after_host, &format!("host: t\r\n{lines}\r\n"));
    vec![
        changed("no host", after_host, ""),
        changed("empty host", after_host, "host:\r\n"),
        with("two hosts", "host: q"),
        with("NUL in a value", "x-a: a\0b"),
        with("NUL in a name", "x\0a: b"),
        with("CR in a value", "x-a: a\rb"),
        with("LF in a value", "x-a: a\nauthorization: Bearer other"),
        with("space in a name", "x a: b"),
        with("space before the colon", "x-a : b"),
        with("no colon", "x-a"),
        with("no name", ": b"),
        with("folded", "x-a: b\r\n c"),
        with("a folded credential", "x-a: b\r\n authorization: Bearer other"),
        with("bytes beyond ASCII", "x-a: \u{e9}\u{20ac}"),
        with("a name beyond ASCII", "x-\u{e9}: 1"),
        with("a header of 100 KB", &format!("x-a: {}", "a".repeat(100_000))),
        with(
            "500 headers",
            (0..500).map(|it| format!("x-{it}: 1\r\n")).collect::<String>().trim_end(),
        ),
        with("underscores", "x_tollgate_pool: pool/q"),
        with("an empty header", "x-a:"),
        changed("LF for CRLF", "host: t\r\n", "host: t\n"),
        changed("a space before the first header", "host: t\r\n", " host: t\r\n"),
        changed("the section ends twice", "host: t\r\n", "host: t\r\n\r\n"),
    ]
    .into_iter()
    .map(Attack::unfinished)
    .collect()
}

/// Methods that the path has not, with and without words that say another.
fn methods() -> Vec<Attack> {
    let other = [
        "GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND", "FOO", "POSTX", "CONNECT",
        "TRACE", "PRI",
    ];
    let mut attacks: Vec<Attack> = other
        .iter()
        .map(|method| {
            let one = changed(method, "POST ", &format!("{method} ")).unfinished();
            // What no client can be told: HEAD has no body, the others end in the codec.
            let is_told = !["HEAD", "CONNECT", "PRI"].contains(method);
            if is_told { one.any_refusal() } else { one }
        })
        .collect();
    attacks.push(changed("GET", "POST ", "GET ").refused(405, "method_not_allowed"));
    attacks.push(changed("DELETE", "POST ", "DELETE ").refused(405, "method_not_allowed"));
    let connect = format!("CONNECT 127.0.0.1:1 HTTP/1.1\r\nhost: 127.0.0.1:1\r\n{AUTH}\r\n");
    attacks.push(Attack::new("CONNECT host:port", connect).any_refusal().unfinished());
    let trace = format!("TRACE {CHAT} HTTP/1.1\r\nhost: t\r\n{AUTH}connection: close\r\n\r\n");
    attacks.push(Attack::new("TRACE without a body", trace).any_refusal().unfinished());
    attacks
}

fn upgrades() -> Vec<Attack> {
    let with = |name: &str, lines: &str| {
        changed(name, "connection: close\r\n", &format!("{lines}\r\n")).unfinished()
    };
    let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13";
    let mut attacks = vec![
        with("websocket", &format!("connection: upgrade\r\nupgrade: websocket\r\n{key}")),
        with(
            "h2c",
            "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__",
        ),
        with("TLS", "connection: upgrade\r\nupgrade: TLS/1.0, HTTP/1.1"),
        with("what is not known", "connection: upgrade\r\nupgrade: q"),
        with("an upgrade without its connection", "connection: close\r\nupgrade: websocket"),
        with("an expectation", "connection: close\r\nexpect: 100-continue"),
        with("an expectation in capitals", "connection: close\r\nExpect: 100-Continue"),
        with("what cannot be expected", "connection: close\r\nexpect: 200-ok"),
        with("keep-alive and close", "connection: keep-alive\r\nconnection: close"),
    ];
    let get = format!(
        "GET {CHAT} HTTP/1.1\r\nhost: t\r\n{AUTH}connection: upgrade\r\nupgrade: websocket\r\n{key}\r\n\r\n"
    );
    attacks.push(Attack::new("GET for a websocket", get).any_refusal().unfinished());
    let protocol = format!("authorization.bearer.{KEY}");
    let get = format!(
        "GET {CHAT} HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-protocol: {protocol}\r\n{key}\r\n\r\n"
    );
    attacks.push(Attack::new("a key as a websocket's protocol", get).any_refusal().unfinished());
    attacks
}

#[tokio::test]
async fn lines_and_headers_have_one_reading() -> Result<()> {
    let mut world = World::new().await?;
    world.try_all(request_lines()).await?;
    world.try_all(header_sections()).await?;
    world.end().await
}

#[tokio::test]
async fn methods_and_upgrades_open_nothing() -> Result<()> {
    let mut world = World::new().await?;
    world.try_all(methods()).await?;
    world.try_all(upgrades()).await?;
    world.end().await
}
