//! What a real Envoy makes of a request before the gateway's filter sees it: which
//! headers are gone, and whose tokens count. The Envoy is `$ENVOY`, or the one that
//! `make build` links.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod process;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use process::{Gateway, Reply, engine};
use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData as _, SigningKey as _};
use resources::{Jwks, Material};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const ISSUER: &str = "https://login.example";
const PAYLOAD: &str = "x-tollgate-jwt-68747470733a2f2f6c6f67696e2e6578616d706c65";

fn new_key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ED25519).unwrap()
}

/// The material of the fixture, with this key for the issuer by a file.
fn material(key: &KeyPair) -> Material {
    let x = URL_SAFE_NO_PAD.encode(key.der_bytes());
    let set = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "1", "x": x }] });
    let keys = Jwks::parse(&set.to_string()).unwrap();
    Material { jwks: [(fixture::KEYS.into(), keys)].into(), ..fixture::material() }
}

fn token(key: &KeyPair, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "EdDSA", "kid": "1" })), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

fn claims() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({ "iss": ISSUER, "aud": "tollgate", "sub": "ann", "exp": now + 600 })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn ask(gateway: &Gateway, target: &str, headers: &str) -> Reply {
    let request = format!("GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n");
    gateway.ask(request.as_bytes())
}

/// The value of a header of the request that reached the engine.
fn arrived<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn a_token_that_was_verified_is_handed_over() {
    let key = new_key();
    let gateway = Gateway::without_a_filter(engine(), &material(&key));
    let good = token(&key, &claims());
    let reply = ask(&gateway, "/v1/x", &format!("authorization: Bearer {good}\r\n"));
    assert_eq!(arrived(&reply, PAYLOAD), good.split('.').nth(1));
    // The filter is to see what was presented.
    assert_eq!(arrived(&reply, "authorization"), Some(format!("Bearer {good}").as_str()));
}

#[test]
fn what_was_not_verified_goes_on_without_a_payload() {
    let key = new_key();
    let gateway = Gateway::without_a_filter(engine(), &material(&key));
    let (good, other) = (token(&key, &claims()), new_key());
    let bearer = |token: String| format!("authorization: Bearer {token}\r\n");
    let of = |claims: Value| bearer(token(&key, &claims));
    let no_expiry = json!({ "iss": ISSUER, "aud": "tollgate", "sub": "ann" });
    let table = [
        String::new(),
        bearer("tg_made-up".to_owned()),
        bearer("a.b.c".to_owned()),
        bearer(token(&other, &claims())),
        of(with(claims(), "iss", json!("https://elsewhere.example"))),
        of(with(claims(), "iss", json!("https://id.example"))),
        of(with(claims(), "aud", json!("another"))),
        of(with(claims(), "exp", json!(1_000_000_000))),
        of(no_expiry),
        bearer(format!("tg_made-up, Bearer {good}")),
        format!("{}{}", bearer(good.clone()), bearer("x".to_owned())),
        format!("{}{}", bearer("x".to_owned()), bearer(good.clone())),
        format!("cookie: access_token={good}\r\n"),
        format!(
            "{PAYLOAD}: e30\r\nX-Tollgate-Jwt-68747470733A2F2F6C6F67696E2E6578616D706C65: e30\r\n"
        ),
    ];
    for headers in table {
        assert_eq!(arrived(&ask(&gateway, "/v1/x", &headers), PAYLOAD), None, "{headers}");
    }
    let in_query = ask(&gateway, &format!("/v1/x?access_token={good}"), "");
    assert_eq!(arrived(&in_query, PAYLOAD), None);
}

/// Headers of a client, and whether they reach the filter.
const HEADERS: &[(&str, bool)] = &[
    ("accept", true),
    ("traceparent", true),
    ("x-anything", true),
    ("x-tollgate-pool", false),
    ("X-Tollgate-Tenant", false),
    ("x-envoy-upstream-rq-timeout-ms", false),
    ("x-envoy-original-path", false),
    ("x-forwarded-client-cert", false),
    ("x_api_key", false),
    ("x_tollgate_pool", false),
    ("x-http-method", false),
    ("x-http-method-override", false),
    ("X-Method-Override", false),
    ("x-original-url", false),
    ("x-rewrite-url", false),
    ("grpc-timeout", false),
    ("x-client-trace-id", false),
    ("x-ot-span-context", false),
];

#[test]
fn headers_that_steer_do_not_pass() {
    let gateway = Gateway::without_a_filter(engine(), &material(&new_key()));
    for (name, passes) in HEADERS {
        let reply = ask(&gateway, "/v1/x", &format!("{name}: 1\r\n"));
        assert_eq!(reply.status, 200, "{name}: {reply:?}");
        let head = reply.body.to_lowercase();
        let there = head.contains(&format!("\n{}: 1", name.to_lowercase()));
        assert_eq!(there, *passes, "{name}: {reply:?}");
    }
}

/// Each is refused, or arrives without a header that only the gateway may set.
#[test]
fn no_spelling_brings_an_own_header_through() {
    let gateway = Gateway::without_a_filter(engine(), &material(&new_key()));
    let table = [
        "X-TOLLGATE-POOL: 1\r\n",
        "x-tollgate-pool : 1\r\n",
        "x-tollgate-pool\t: 1\r\n",
        "x-toll\rgate-pool: 1\r\n",
        "x-tollgate-pool\0: 1\r\n",
        "a: 1\nx-tollgate-pool: 1\r\n",
        "a: 1\rx-tollgate-pool: 1\r\n",
        "a: 1\r\n x-tollgate-pool: 1\r\n",
        "connection: x-tollgate-pool\r\nx-tollgate-pool: 1\r\n",
        "transfer-encoding: chunked\r\n\r\n0\r\nx-tollgate-pool: 1\r\n",
    ];
    for headers in table {
        let reply = ask(&gateway, "/v1/x", headers);
        let mut lines = reply.body.lines();
        let own = lines.any(|line| line.trim_start().to_lowercase().starts_with("x-tollgate-"));
        assert!([200, 400].contains(&reply.status) && !own, "{headers:?}: {reply:?}");
    }
}

#[test]
fn an_offer_of_another_protocol_is_passed_over_or_refused() {
    let gateway = Gateway::without_a_filter(engine(), &material(&new_key()));
    let offer = |protocol: &str| {
        format!(
            "GET /v1/x HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings\r\n\
             upgrade: {protocol}\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n"
        )
    };
    for (protocol, status) in [("TLS/1.2", 200), ("h2c", 200), ("websocket", 400)] {
        let reply = gateway.ask(offer(protocol).as_bytes());
        assert_eq!(reply.status, status, "{protocol}: {reply:?}");
        assert!(!reply.body.to_lowercase().contains("\nupgrade"), "{protocol}: {reply:?}");
    }
}
