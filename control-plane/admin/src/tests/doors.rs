//! Who is let in to the admin API, and who is not.

use super::{TOKEN, request, send, world};
use crate::Door;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use ledger::{AuditFilter, AuditRow};
use serde_json::json;
use tower::ServiceExt as _;

#[tokio::test]
async fn who_gets_in() {
    let world = world().await;
    let bearer = format!("Bearer {TOKEN}");
    let table = [
        ("/api/v1/status", Some("127.0.0.1:8081"), Some(bearer.as_str()), 200),
        ("/api/v1/status", Some("localhost:8081"), Some(bearer.as_str()), 200),
        ("/api/v1/status", Some("127.0.0.1:8081"), Some("bearer made-up-token"), 200),
        ("/api/v1/status", Some("127.0.0.1:8081"), Some("Bearer made-up-toke"), 401),
        ("/api/v1/status", Some("127.0.0.1:8081"), Some("Basic made-up-token"), 401),
        ("/api/v1/status", Some("127.0.0.1:8081"), None, 401),
        ("/metrics", Some("127.0.0.1:8081"), Some(bearer.as_str()), 200),
        ("/metrics", Some("127.0.0.1:8081"), Some("Bearer made-up-toke"), 401),
        ("/metrics", Some("127.0.0.1:8081"), None, 401),
        ("/metrics", Some("evil.example"), Some(bearer.as_str()), 421),
        ("/api/v1/nothing", Some("127.0.0.1:8081"), None, 401),
        ("/api/v1/nothing", Some("127.0.0.1:8081"), Some(bearer.as_str()), 404),
        ("/api/v1/status", Some("evil.example"), Some(bearer.as_str()), 421),
        ("/healthz", Some("evil.example"), None, 421),
        ("/healthz", None, None, 421),
        ("/healthz", Some("127.0.0.1:8081"), None, 200),
        ("/readyz", Some("127.0.0.1:8081"), None, 503),
    ];
    for (path, host, token, expected) in table {
        let mut request = Request::builder().uri(path);
        for (name, value) in [("host", host), ("authorization", token)] {
            request = value.into_iter().fold(request, |request, value| request.header(name, value));
        }
        let (status, _) = send(&world.router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, expected, "{path} {host:?} {token:?}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let world = world().await;
    for (path, name, value, expected) in [
        ("/api/v1/keys", "origin", "http://127.0.0.1:8081", 200),
        ("/api/v1/keys", "origin", "http://evil.example", 403),
        ("/api/v1/keys", "origin", "null", 403),
        ("/api/v1/keys", "sec-fetch-site", "cross-site", 403),
        ("/api/v1/keys", "sec-fetch-site", "same-origin", 200),
        ("/metrics", "origin", "null", 403),
        ("/healthz", "origin", "http://evil.example", 403),
    ] {
        let request = request(Method::GET, path).header(name, value);
        let (status, text) = send(&world.router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, expected, "{path} {name} {value}: {text}");
    }
    assert_eq!(world.refusals.counted().admin.get(&Door::Origin), Some(&5));
}

#[tokio::test]
async fn no_answer_is_kept() {
    let world = world().await;
    for path in ["/api/v1/keys", "/api/v1/nothing", "/healthz"] {
        let request = request(Method::GET, path).body(Body::empty()).unwrap();
        let answer = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
    }
}

/// Wrong tokens do not fill the audit trail, whatever there are of them.
#[tokio::test]
async fn wrong_tokens_are_counted_and_noted_once_a_minute() {
    let world = world().await;
    let knock = async |token: Option<&str>| {
        let mut asked = Request::builder().uri("/api/v1/keys").header("host", "127.0.0.1:8081");
        if let Some(token) = token {
            asked = asked.header("authorization", format!("Bearer {token}"));
        }
        let (status, _) = send(&world.router, asked.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    };
    let rows = async || -> Vec<AuditRow> {
        world.ledger.audit(&AuditFilter { limit: 99, ..AuditFilter::default() }).await.unwrap()
    };
    world.refusals.note(1_000).await.unwrap();
    assert_eq!(rows().await, []);
    for _ in 0..3 {
        knock(Some("made-up-wrong")).await;
    }
    knock(None).await;
    for at_ms in [1_000, 1_001, 60_999] {
        world.refusals.note(at_ms).await.unwrap();
        knock(Some("made-up-wrong")).await;
    }
    world.refusals.note(61_000).await.unwrap();
    world.refusals.note(121_000).await.unwrap();
    let rows = rows().await;
    let said: Vec<_> = rows.iter().map(|row| (row.at_ms, row.detail.clone())).collect();
    assert_eq!(said, [(1_000, json!({"refused": 3})), (61_000, json!({"refused": 3}))]);
    assert!(rows.iter().all(|row| row.action == "admin.refused" && row.actor == "admin"));
    let counted = world.refusals.counted().admin;
    assert_eq!((counted[&Door::WrongToken], counted[&Door::NoToken]), (6, 1));
}
