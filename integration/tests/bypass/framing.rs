//! Request smuggling: where a body ends is the same for the gate and the engine, or
//! the request is refused (RFC 9112 §6.3, §11.2).

use super::attack::{AUTH, Attack, CHAT, HONEST, JSON, chunk, framed, post};
use super::world::World;
use integration::Result;

/// What a smuggler wants an engine to take for a request of its own.
const SMUGGLED: &str = "POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: 35\r\n\r\n{\"model\":\"engine-secret\",\"a\":\"bcde\"}";

/// Lines that say how a body is framed, each beside a length or in place of it.
const TRANSFER_ENCODINGS: &[&str] = &[
    "transfer-encoding: xchunked",
    "transfer-encoding: chunked, identity",
    "transfer-encoding: identity, chunked",
    "transfer-encoding: identity",
    "transfer-encoding: gzip, chunked",
    "transfer-encoding: chunked, chunked",
    "transfer-encoding: chunked\r\ntransfer-encoding: identity",
    "transfer-encoding: identity\r\ntransfer-encoding: chunked",
    "transfer-encoding: chunked\r\ntransfer-encoding: cow",
    "transfer-encoding:\r\n chunked",
    "transfer-encoding: \x0bchunked",
    "transfer-encoding: chunked\x0b",
    "transfer-encoding:\tchunked",
    "transfer-encoding: \"chunked\"",
    "transfer-encoding: 'chunked'",
    "transfer-encoding: chunked;q=1",
    "transfer-encoding: ,chunked",
    "transfer-encoding: CHUNKED",
    "transfer-encoding : chunked",
    " transfer-encoding: chunked",
    "transfer-encoding\t: chunked",
    "x: y\rtransfer-encoding: chunked",
    "x: y\ntransfer-encoding: chunked",
    "transfer_encoding: chunked",
    "transfer-encoding: chun\u{212a}ed",
    "transfer-encoding:",
];

const LENGTHS: &[&str] = &[
    "content-length: 0\r\ncontent-length: {N}",
    "content-length: {N}\r\ncontent-length: 0",
    "content-length: {N}\r\ncontent-length: {N}",
    "content-length: {N}, {N}",
    "content-length: {N},0",
    "content-length: +{N}",
    "content-length: -{N}",
    "content-length: -1",
    "content-length: {N}.0",
    "content-length: 0x{N}",
    "content-length: {N} {N}",
    "content-length: {N}a",
    "content-length: 0{N}",
    "content-length: \"{N}\"",
    "content-length: 1e2",
    "content-length: 18446744073709551616",
    "content-length: 18446744073709551615",
    "content-length: 99999999999999999999999999999999",
    "content-length : {N}",
    "content-length\t: {N}",
    "content-length:\r\n {N}",
    "content_length: {N}",
    "content-length:",
    "content-length: \u{0663}",
    "x: y\ncontent-length: {N}",
    "x: y\rcontent-length: {N}",
];

fn smuggling() -> Vec<Attack> {
    let mut attacks = Vec::new();
    let whole = format!("{}0\r\n\r\n", chunk(HONEST));
    for encoding in TRANSFER_ENCODINGS {
        let name = |what: &str| format!("{encoding:?} {what}");
        let alone = framed(&format!("{encoding}\r\n"), &format!("{whole}{SMUGGLED}"));
        attacks.push(Attack::new(name("alone"), alone).unfinished());
        let length = format!("content-length: {}\r\n", whole.len() + SMUGGLED.len());
        let both = [format!("{length}{encoding}\r\n"), format!("{encoding}\r\n{length}")];
        attacks.extend(both.map(|framing| {
            let bytes = framed(&framing, &format!("{whole}{SMUGGLED}"));
            Attack::new(name("and a length"), bytes).unfinished()
        }));
        let short =
            framed(&format!("{encoding}\r\ncontent-length: 4\r\n"), &format!("{whole}{SMUGGLED}"));
        attacks.push(Attack::new(name("and a short length"), short).unfinished());
    }
    attacks
}

fn lengths() -> Vec<Attack> {
    let attack = |line: &&str| {
        let line = line.replace("{N}", &HONEST.len().to_string());
        let bytes = framed(&format!("{line}\r\n"), &format!("{HONEST}{SMUGGLED}"));
        Attack::new(format!("{line:?}"), bytes).unfinished()
    };
    LENGTHS.iter().map(attack).collect()
}

fn chunks() -> Vec<Attack> {
    let one = chunk(HONEST);
    let size = HONEST.len();
    let bodies = [
        ("extension", format!("{size:x};a=b\r\n{HONEST}\r\n0\r\n\r\n")),
        ("quoted extension", format!("{size:x};a=\"b\r\n\"\r\n{HONEST}\r\n0\r\n\r\n")),
        ("extension with LF", format!("{size:x};a=b\n\r\n{HONEST}\r\n0\r\n\r\n")),
        ("extension of 8 KiB", format!("{size:x};{}\r\n{HONEST}\r\n0\r\n\r\n", "a".repeat(8_192))),
        ("LF after the size", format!("{size:x}\n{HONEST}\r\n0\r\n\r\n")),
        ("CR after the size", format!("{size:x}\r{HONEST}\r\n0\r\n\r\n")),
        ("no CRLF after the chunk", format!("{size:x}\r\n{HONEST}0\r\n\r\n")),
        ("two bytes after the chunk", format!("{size:x}\r\n{HONEST}XX0\r\n\r\n")),
        ("space before the size", format!(" {size:x}\r\n{HONEST}\r\n0\r\n\r\n")),
        ("space after the size", format!("{size:x} \r\n{HONEST}\r\n0\r\n\r\n")),
        ("zeros before the size", format!("0000{size:x}\r\n{HONEST}\r\n0\r\n\r\n")),
        ("size in hexadecimal of C", format!("0x{size:x}\r\n{HONEST}\r\n0\r\n\r\n")),
        ("size with a sign", format!("+{size:x}\r\n{HONEST}\r\n0\r\n\r\n")),
        ("negative size", format!("-{size:x}\r\n{HONEST}\r\n0\r\n\r\n")),
        ("size beyond 64 bits", format!("1000000000000000{size:02x}\r\n{HONEST}\r\n0\r\n\r\n")),
        ("size that is none", format!("xyz\r\n{HONEST}\r\n0\r\n\r\n")),
        ("no size", format!("\r\n{HONEST}\r\n0\r\n\r\n")),
        ("00 at the end", format!("{one}00\r\n\r\n")),
        ("end with an extension", format!("{one}0;a\r\n\r\n")),
        ("no end", one.clone()),
        ("half a chunk", one[..one.len() / 2].to_owned()),
        ("more behind the end", format!("{one}0\r\n\r\n{SMUGGLED}")),
        ("a body behind the end", format!("{one}0\r\n\r\n{HONEST}")),
        (
            "a byte in each chunk",
            HONEST.chars().map(|it| chunk(&it.to_string())).collect::<String>() + "0\r\n\r\n",
        ),
    ];
    let framing = "transfer-encoding: chunked\r\n";
    bodies.map(|(name, body)| Attack::new(name, framed(framing, &body)).unfinished()).into()
}

/// What comes after a body is no header any more.
fn trailers() -> Vec<Attack> {
    let lines = [
        "authorization: Bearer {RICH}",
        "x-api-key: {RICH}",
        "x-tollgate-pool: pool/q",
        "x-tollgate-jwt-0: e30",
        "content-length: 0",
        "transfer-encoding: chunked",
        "host: q",
        "content-type: text/plain",
        "x-end: 1",
    ];
    let head = "transfer-encoding: chunked\r\ntrailer: authorization, x-api-key\r\n";
    let attack = |line: &str| {
        let body = format!("{}0\r\n{line}\r\n\r\n", chunk(HONEST));
        Attack::new(format!("trailer {line:?}"), framed(head, &body))
    };
    let mut all: Vec<Attack> = lines.map(attack).into();
    let anonymous = format!("{}0\r\nauthorization: Bearer {{RICH}}\r\n\r\n", chunk(HONEST));
    let bytes = framed(head, &anonymous).replace(AUTH, "");
    all.push(
        Attack::new("a credential in the trailers alone", bytes)
            .refused(401, "missing_credentials"),
    );
    all
}

/// Two requests in one write are two requests.
fn pipelines() -> Vec<Attack> {
    let keep = |path: &str, headers: &str| {
        let bytes = post(path, &format!("{JSON}{headers}"), HONEST);
        String::from_utf8_lossy(&bytes).replacen("connection: close\r\n", "", 1)
    };
    let last = String::from_utf8_lossy(&post(CHAT, JSON, HONEST)).into_owned();
    let (honest, secret) = (keep(CHAT, AUTH), HONEST.replace("tiny", "secret"));
    let asks_more =
        String::from_utf8_lossy(&post(CHAT, &format!("{JSON}{AUTH}"), secret)).into_owned();
    vec![
        Attack::new("the second has no credential", format!("{honest}{last}")),
        Attack::new("the second asks for more", format!("{honest}{asks_more}")),
        Attack::new("the first is refused", format!("{}{last}", keep("/metrics", AUTH))),
        Attack::new("three at once", format!("{honest}{honest}{last}")),
    ]
    .into_iter()
    .map(Attack::unfinished)
    .collect()
}

#[tokio::test]
async fn a_body_ends_where_it_ends_for_everybody() -> Result<()> {
    let mut world = World::new().await?;
    world.try_all(smuggling()).await?;
    world.end().await
}

#[tokio::test]
async fn lengths_chunks_and_trailers() -> Result<()> {
    let mut world = World::new().await?;
    world.try_all(lengths()).await?;
    world.try_all(chunks()).await?;
    world.try_all(trailers()).await?;
    world.try_all(pipelines()).await?;
    world.end().await
}
