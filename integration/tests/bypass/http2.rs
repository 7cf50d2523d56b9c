//! Tricks with HTTP/2: pseudo-headers, what HTTP/1 says otherwise, frames out of turn.

use super::attack::{Attack, CHAT, HONEST, KEY, RICH};
use super::frames::{
    self, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, block, exchange, frame,
};
use super::verdict::Outcome;
use super::world::World;
use integration::Result;
use std::time::Duration;

/// How long the gate may wait for what never comes.
const PATIENCE: Duration = Duration::from_millis(400);

type Field = (String, String);

fn field(name: &str, value: &str) -> Field {
    (name.to_owned(), value.to_owned())
}

/// What an honest caller sends, in the order of a library.
fn honest() -> Vec<Field> {
    vec![
        field(":method", "POST"),
        field(":scheme", "http"),
        field(":authority", "t"),
        field(":path", CHAT),
        field("authorization", &format!("Bearer {KEY}")),
        field("content-type", "application/json"),
    ]
}

/// The honest fields with more behind them.
fn and(more: &[(&str, &str)]) -> Vec<Field> {
    honest().into_iter().chain(more.iter().map(|(name, value)| field(name, value))).collect()
}

/// The honest fields with some put first.
fn after(first: &[(&str, &str)]) -> Vec<Field> {
    first.iter().map(|(name, value)| field(name, value)).chain(honest()).collect()
}

/// The honest fields with one changed, or left out.
fn but(name: &str, value: Option<&str>) -> Vec<Field> {
    let changed = honest().into_iter().filter_map(|one| match (one.0 == name, value) {
        (false, _) => Some(one),
        (true, value) => value.map(|value| field(name, value)),
    });
    changed.collect()
}

/// The fields with the keys in them.
fn filled(world: &World, fields: Vec<Field>) -> Vec<Field> {
    let text =
        |value: String| String::from_utf8_lossy(&world.filled(value.as_bytes())).into_owned();
    fields.into_iter().map(|(name, value)| (name, text(value))).collect()
}

/// A request on stream 1: the fields, then the body.
fn request(fields: &[Field], body: &str) -> Vec<u8> {
    let head = frame(HEADERS, END_HEADERS, 1, &block(fields));
    [head, frame(DATA, END_STREAM, 1, body.as_bytes())].concat()
}

fn pseudo_headers() -> Vec<(&'static str, Vec<Field>)> {
    vec![
        ("two paths", after(&[(":path", "/metrics")])),
        ("two equal paths", after(&[(":path", CHAT)])),
        ("two methods", after(&[(":method", "GET")])),
        ("two schemes", after(&[(":scheme", "https")])),
        ("two authorities", after(&[(":authority", "q")])),
        ("a path behind the headers", and(&[(":path", "/metrics")])),
        ("a method behind the headers", and(&[(":method", "GET")])),
        ("an authority behind the headers", and(&[(":authority", "q")])),
        ("an unknown one", after(&[(":secret", "1")])),
        ("one of answers", after(&[(":status", "200")])),
        ("no path", but(":path", None)),
        ("no method", but(":method", None)),
        ("no scheme", but(":scheme", None)),
        ("no authority", but(":authority", None)),
        ("an empty path", but(":path", Some(""))),
        ("an empty method", but(":method", Some(""))),
        ("a path of one star", but(":path", Some("*"))),
        ("a path without a slash", but(":path", Some("v1/chat/completions"))),
        ("an absolute path", but(":path", Some("http://q/v1/chat/completions"))),
        (
            "a path with a line",
            but(":path", Some("/v1/chat/completions HTTP/1.1\r\nx-api-key: a\r\nx:")),
        ),
        ("a path with a space", but(":path", Some("/v1/chat/completions /metrics"))),
        ("a path with a fragment", but(":path", Some("/v1/chat/completions#/metrics"))),
        ("a path with NUL", but(":path", Some("/v1/chat/completions\0"))),
        ("a path with dots", but(":path", Some("/v1/models/../chat/completions"))),
        ("a path with a slash encoded", but(":path", Some("/v1/chat%2fcompletions"))),
        ("a method with a line", but(":method", Some("POST /metrics HTTP/1.1\r\nx: y\r\n\r\nGET"))),
        ("a method in lower case", but(":method", Some("post"))),
        ("a scheme that is none", but(":scheme", Some("http://q/metrics?"))),
        ("another scheme", but(":scheme", Some("https"))),
        ("an authority with a line", but(":authority", Some("t\r\nx-tollgate-pool: pool/q"))),
        ("an authority with a user", but(":authority", Some("user:pass@t"))),
        ("an authority with a path", but(":authority", Some("t/metrics?"))),
        ("a name in capitals", after(&[(":PATH", "/metrics")])),
        ("a websocket", and(&[(":protocol", "websocket")])),
        ("CONNECT", but(":method", Some("CONNECT"))),
    ]
}

fn headers() -> Vec<(&'static str, Vec<Field>)> {
    vec![
        ("capitals", and(&[("X-Api-Key", "a")])),
        ("a second credential", and(&[("authorization", &format!("Bearer {RICH}"))])),
        ("a second credential of the other kind", and(&[("x-api-key", RICH)])),
        ("a credential in capitals", and(&[("Authorization", &format!("Bearer {RICH}"))])),
        ("another host", and(&[("host", "q")])),
        ("two hosts", and(&[("host", "t"), ("host", "q")])),
        ("connection", and(&[("connection", "authorization, x-tollgate-pool")])),
        ("keep-alive", and(&[("keep-alive", "1")])),
        ("proxy-connection", and(&[("proxy-connection", "close")])),
        ("upgrade", and(&[("upgrade", "websocket")])),
        ("transfer-encoding", and(&[("transfer-encoding", "chunked")])),
        ("te", and(&[("te", "gzip")])),
        ("te: trailers", and(&[("te", "trailers")])),
        ("http2-settings", and(&[("http2-settings", "AAMAAABkAAQAAP__")])),
        ("a line in a value", and(&[("x-a", "b\r\nx-tollgate-pool: pool/q")])),
        ("LF in a value", and(&[("x-a", "b\nx-tollgate-pool: pool/q")])),
        ("NUL in a value", and(&[("x-a", "b\0c")])),
        ("a space around a value", and(&[("x-a", " b ")])),
        ("a line in a name", and(&[("x-a: b\r\nx-tollgate-pool", "pool/q")])),
        ("a colon in a name", and(&[("x-tollgate-pool: x", "pool/q")])),
        ("a space in a name", and(&[("x-tollgate-pool ", "pool/q")])),
        ("a space before a name", and(&[(" x-tollgate-pool", "pool/q")])),
        ("an empty name", and(&[("", "pool/q")])),
        ("our own", and(&[("x-tollgate-pool", "pool/q"), ("x-tollgate-jwt-0", "e30")])),
        ("Envoy's", and(&[("x-envoy-retry-on", "5xx"), ("x-envoy-original-path", "/metrics")])),
        ("a certificate", and(&[("x-forwarded-client-cert", "URI=spiffe://rich/a")])),
        ("a longer body", and(&[("content-length", "9999")])),
        ("a shorter body", and(&[("content-length", "5")])),
        ("two lengths", and(&[("content-length", "5"), ("content-length", "6")])),
        ("a length that is none", and(&[("content-length", "+5")])),
        ("crumbs", and(&[("cookie", "a=b"), ("cookie", "c=d")])),
        ("an expectation", and(&[("expect", "100-continue")])),
        ("a content encoding", and(&[("content-encoding", "gzip")])),
        ("300 fields", and(&vec![("x-a", "1"); 300])),
        ("70 KB", and(&[("x-a", &"a".repeat(70_000))])),
    ]
}

/// Frames out of turn.
fn frames_out_of_turn(world: &World) -> Vec<(&'static str, Vec<u8>)> {
    let fields = filled(world, honest());
    let (head, all) = (block(&fields), HONEST.as_bytes());
    let open = frame(HEADERS, END_HEADERS, 1, &head);
    let (half, rest) = head.split_at(40);
    let trailers = |fields: &[(&str, &str)]| {
        let fields = filled(world, fields.iter().map(|(name, value)| field(name, value)).collect());
        let end = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields));
        [open.clone(), frame(DATA, 0, 1, all), end].concat()
    };
    let secret = HONEST.replace("tiny", "secret");
    vec![
        (
            "a head in two frames",
            [
                frame(HEADERS, 0, 1, half),
                frame(CONTINUATION, END_HEADERS, 1, rest),
                frame(DATA, END_STREAM, 1, all),
            ]
            .concat(),
        ),
        (
            "a head cut by data",
            [frame(HEADERS, 0, 1, half), frame(DATA, END_STREAM, 1, all)].concat(),
        ),
        (
            "a head that goes on elsewhere",
            [frame(HEADERS, 0, 1, half), frame(CONTINUATION, END_HEADERS, 3, rest)].concat(),
        ),
        (
            "a head that never ends",
            [frame(HEADERS, 0, 1, half), frame(CONTINUATION, 0, 1, &[]).repeat(200)].concat(),
        ),
        (
            "data behind the end",
            [
                open.clone(),
                frame(DATA, END_STREAM, 1, all),
                frame(DATA, END_STREAM, 1, secret.as_bytes()),
            ]
            .concat(),
        ),
        (
            "a head behind the end",
            [open.clone(), frame(DATA, END_STREAM, 1, all), open.clone()].concat(),
        ),
        ("data before the head", [frame(DATA, END_STREAM, 1, all), open.clone()].concat()),
        ("a stream of the peer's", frame(HEADERS, END_HEADERS, 2, &head)),
        ("the stream of the connection", frame(HEADERS, END_HEADERS, 0, &head)),
        ("no body", frame(HEADERS, END_HEADERS | END_STREAM, 1, &head)),
        ("a block that is none", frame(HEADERS, END_HEADERS, 1, &[0xff; 40])),
        (
            "a frame of 20,000 bytes",
            [open.clone(), frame(DATA, END_STREAM, 1, &[b' '; 20_000])].concat(),
        ),
        ("trailers", trailers(&[("x-end", "1")])),
        (
            "a credential in trailers",
            trailers(&[("authorization", &format!("Bearer {RICH}")), ("x-api-key", RICH)]),
        ),
        (
            "our own in trailers",
            trailers(&[("x-tollgate-pool", "pool/q"), ("x-tollgate-jwt-0", "e30")]),
        ),
        ("a path in trailers", trailers(&[(":path", "/metrics")])),
        ("a length in trailers", trailers(&[("content-length", "1")])),
        ("an empty frame before each byte", one_by_one(&open, all)),
    ]
}

fn one_by_one(open: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = open.to_vec();
    for byte in body {
        bytes.extend(frame(DATA, 0, 1, &[]));
        bytes.extend(frame(DATA, 0, 1, &[*byte]));
    }
    bytes.extend(frame(DATA, END_STREAM, 1, &[]));
    bytes
}

async fn try_frames(world: &mut World, name: &str, bytes: &[u8]) -> Result<()> {
    let address = world.gate.url().trim_start_matches("http://").to_owned();
    let heard = tokio::time::timeout(PATIENCE, exchange(&address, bytes, 1)).await;
    let heard = heard.unwrap_or_else(|_| Ok(frames::Heard::default()))?;
    let answers = heard.bodies.into_iter().map(|body| Outcome::Answer { status: None, body });
    let mut outcomes: Vec<Outcome> = answers.collect();
    if heard.is_cut {
        outcomes.push(Outcome::Cut);
    }
    let attack = Attack::new(name, Vec::new()).unfinished();
    world.judge(&attack, &outcomes).await
}

#[tokio::test]
async fn fields_have_one_meaning() -> Result<()> {
    let mut world = World::new().await?;
    for (name, fields) in pseudo_headers().into_iter().chain(headers()) {
        let bytes = request(&filled(&world, fields), HONEST);
        try_frames(&mut world, name, &bytes).await?;
    }
    world.end().await
}

#[tokio::test]
async fn frames_come_in_turn() -> Result<()> {
    let mut world = World::new().await?;
    for (name, bytes) in frames_out_of_turn(&world) {
        try_frames(&mut world, name, &bytes).await?;
    }
    world.end().await
}
