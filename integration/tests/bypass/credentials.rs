//! Who asks: two credentials, odd spellings of one, and headers by which others
//! have been fooled.

use super::attack::{AUTH, Attack, CHAT, HONEST, JSON, KEY, RICH, post};
use super::world::World;
use integration::Result;

const MISSING: (u16, &str) = (401, "missing_credentials");
const INVALID: (u16, &str) = (401, "invalid_api_key");
const TWO: (u16, &str) = (400, "ambiguous_credentials");

/// Header lines in place of the credential, and the one refusal that they get.
fn refused() -> Vec<(String, (u16, &'static str))> {
    let line = |line: &str, refusal| (format!("{line}\r\n"), refusal);
    vec![
        line("x-nothing: 1", MISSING),
        line("authorization:", MISSING),
        line("authorization: Bearer", MISSING),
        line(&format!("authorization: Basic {KEY}"), MISSING),
        line(&format!("authorization: {KEY}"), MISSING),
        line(&format!("authorization: Bearer{KEY}"), MISSING),
        line(&format!("proxy-authorization: Bearer {KEY}"), MISSING),
        line(&format!("cookie: authorization=Bearer {KEY}; x-api-key={KEY}"), MISSING),
        line(&format!("x_api_key: {KEY}"), MISSING),
        line(&format!("api-key: {KEY}"), MISSING),
        line(&format!("authorization: Bearer {KEY}x"), INVALID),
        line(&format!("authorization: Bearer {KEY} x"), INVALID),
        line(&format!("authorization: Bearer \"{KEY}\""), INVALID),
        line(&format!("authorization: Bearer {KEY}\u{a0}"), INVALID),
        line(&format!("x-api-key: Bearer {KEY}"), INVALID),
        line("x-api-key: null", INVALID),
        line("x-api-key: *", INVALID),
        line("x-api-key: ' or 1=1 --", INVALID),
        line(&format!("authorization: Bearer {KEY}\r\nauthorization: Bearer {RICH}"), TWO),
        line(&format!("authorization: Bearer {KEY}\r\nauthorization: Bearer {KEY}"), TWO),
        line(&format!("authorization: Bearer {KEY}\r\nAUTHORIZATION: Bearer {RICH}"), TWO),
        line(&format!("authorization: Bearer {KEY}\r\nauthorization: Basic eDp5"), TWO),
        line(&format!("authorization: Bearer {KEY}\r\nx-api-key: {RICH}"), TWO),
        line(&format!("authorization: Bearer {KEY}\r\nx-api-key: {KEY}"), TWO),
        line(&format!("authorization: Bearer {KEY}\r\nX-Api-Key: {RICH}"), TWO),
        line(&format!("x-api-key: {KEY}\r\nx-api-key: {RICH}"), TWO),
        line(&format!("authorization: Bearer {KEY}, Bearer {RICH}"), TWO),
        line(&format!("authorization: Bearer {KEY},Bearer {RICH}"), TWO),
        line(&format!("authorization: Bearer {KEY},{RICH}"), TWO),
        line(&format!("x-api-key: {KEY},{RICH}"), TWO),
    ]
}

/// Spellings of the attacker's own key that are right, or refused.
fn spellings() -> Vec<Attack> {
    let served = ["authorization: bearer {KEY}", "Authorization: BEARER {KEY}", "X-API-KEY: {KEY}"];
    let either = [
        "authorization: Bearer  {KEY}",
        "authorization:Bearer {KEY}",
        "authorization: \t Bearer {KEY} \t",
        "authorization: Bearer\t{KEY}",
        "authorization: Bearer {KEY},",
        "authorization: ,Bearer {KEY}",
        "authorization: Bearer {KEY};",
        "authorization: Bearer {KEY}\r\nauthorization:",
        "authorization: Bearer {KEY}, ",
        "x-api-key: {KEY}\r\nx-api-key:",
        "x-api-key: {KEY}=",
        "x-api-key: {KEY}%00",
        "x-api-key: {KEY}\u{200b}",
    ];
    let attack = |line: &&str| Attack::headers(format!("{line:?}"), &format!("{line}\r\n"));
    let served = served.iter().map(attack).map(Attack::served);
    served.chain(either.iter().map(attack)).collect()
}

/// Header lines beside an honest credential that would make somebody else of it.
const SPOOFED: &[&str] = &[
    "x-tollgate-tenant: rich",
    "x-tollgate-pool: pool/q",
    "X-Tollgate-Pool: pool/q",
    "x-tollgate-pool:  pool/q\r\nx-tollgate-pool: pool/q",
    "x-tollgate-stream: 1",
    "x-tollgate-masked: 0",
    "x-tollgate-answer: found",
    "x-tollgate-jwt-0: eyJpc3MiOiJ4Iiwic3ViIjoicmljaCIsImV4cCI6OTk5OTk5OTk5OX0",
    "X-TOLLGATE-JWT-0: eyJ0ZW5hbnQiOiJyaWNoIn0\r\nx-tollgate-jwt-1: e30",
    "x-envoy-upstream-rq-timeout-ms: 1",
    "x-envoy-upstream-rq-per-try-timeout-ms: 1",
    "x-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 9",
    "x-envoy-upstream-alt-stat-name: q",
    "x-envoy-original-path: /metrics",
    "x-envoy-decorator-operation: q",
    "x-envoy-internal: true",
    "x-envoy-external-address: 10.0.0.1",
    "x-envoy-force-trace: 1",
    "x-envoy-ip-tags: a",
    "x-forwarded-client-cert: URI=spiffe://rich/one;Subject=\"CN=rich\"",
    "X-Forwarded-Client-Cert: By=a;URI=spiffe://rich/one,By=b",
    "x-forwarded-for: 127.0.0.1, 10.0.0.1",
    "x-forwarded-proto: https",
    "x-forwarded-host: q",
    "x-forwarded-path: /metrics",
    "x-original-url: /metrics",
    "x-rewrite-url: /metrics",
    "x-real-ip: 10.0.0.1",
    "forwarded: for=10.0.0.1;host=q",
    "via: 1.1 q",
    "x-request-id: 00000000-0000-0000-0000-000000000000",
    "x-user: rich\r\nx-tenant: rich\r\nremote-user: rich",
    "openai-organization: rich\r\nopenai-project: rich",
    "x-http-method-override: DELETE",
    "x-method-override: GET\r\nx-http-method: GET",
    "cookie: a=b",
    "te: trailers",
    "proxy-connection: keep-alive",
];

#[tokio::test]
async fn a_credential_is_one_and_as_it_should_be() -> Result<()> {
    let mut world = World::new().await?;
    let attack = |(line, (status, code)): (String, (u16, &'static str))| {
        Attack::headers(format!("{line:?}"), &line).refused(status, code)
    };
    world.try_all(refused().into_iter().map(attack).collect()).await?;
    world.try_all(spellings()).await?;
    let places =
        ["?api_key={KEY}", "?access_token={KEY}", "?authorization=Bearer%20{KEY}", "?key={KEY}"];
    let in_query = places.map(|query| {
        let bytes = post(&format!("{CHAT}{query}"), JSON, HONEST);
        Attack::new(query, bytes).refused(MISSING.0, MISSING.1)
    });
    world.try_all(in_query.into()).await?;
    world.end().await
}

#[tokio::test]
async fn nobody_is_somebody_else_by_a_header() -> Result<()> {
    let mut world = World::new().await?;
    let beside = |line: &&str| Attack::headers(format!("{line:?}"), &format!("{line}\r\n{AUTH}"));
    world.try_all(SPOOFED.iter().map(beside).map(Attack::served).collect()).await?;
    let alone = |line: &&str| {
        Attack::headers(format!("{line:?} alone"), &format!("{line}\r\n"))
            .refused(MISSING.0, MISSING.1)
    };
    world.try_all(SPOOFED.iter().map(alone).collect()).await?;
    world.end().await
}

/// What the connection says is only for the next hop is taken off before the filter
/// or after it, but never between the decision and the engine.
#[tokio::test]
async fn nothing_is_taken_off_by_the_connection_header() -> Result<()> {
    let mut world = World::new().await?;
    let names =
        ["authorization", "x-tollgate-pool", "content-type", "content-length", "host", "x-api-key"];
    let attacks = names.map(|name| {
        let head = format!("{JSON}{AUTH}connection: close, {name}\r\n");
        let bytes = String::from_utf8_lossy(&post(CHAT, &head, HONEST)).replacen(
            "connection: close\r\n",
            "",
            1,
        );
        Attack::new(format!("connection: {name}"), bytes)
    });
    world.try_all(attacks.into()).await?;
    world.end().await
}
