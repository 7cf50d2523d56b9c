//! The routers from outside, over a real ledger.

use crate::{Access, Admin, AdminToken, Minted, Overview, Status, router, sync_router};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use contract::policy::{GatewayConfig, RoleConfig, TenantConfig};
use ledger::{Ledger, NewKey};
use plan::{ListenerPlan, Plan, UsageFlush};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt as _;

const TOKEN: &str = "made-up-token";

struct Still;

#[async_trait::async_trait]
impl Overview for Still {
    async fn status(&self) -> Status {
        Status { version: "1.2.3".into(), ..Status::default() }
    }

    async fn ready(&self) -> bool {
        false
    }
}

struct World {
    ledger: Ledger,
    router: Router,
    _data: TempDir,
}

fn plan() -> Plan {
    let all = || vec!["*".to_owned()];
    Plan {
        listener: ListenerPlan {
            address: "127.0.0.1:0".parse().unwrap(),
            max_body_bytes: 1,
            stream_idle_timeout: Duration::from_secs(1),
            usage_flush: UsageFlush::Line,
            usage_interval: Duration::from_secs(1),
        },
        pools: Vec::new(),
        filter: GatewayConfig {
            control_cluster: "control".into(),
            max_body_bytes: 1,
            expose_pool: false,
            journal: false,
            pools: BTreeMap::new(),
            models: BTreeMap::new(),
            roles: BTreeMap::from([("user".into(), RoleConfig { models: all() })]),
            tenants: BTreeMap::from([
                ("acme".into(), TenantConfig { models: all() }),
                ("bluefin".into(), TenantConfig { models: all() }),
            ]),
        },
        prices: Vec::new(),
        static_keys: Vec::new(),
    }
}

async fn world() -> World {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path()).await.unwrap();
    let made = AtomicU64::new(1);
    let admin = Admin {
        ledger: ledger.clone(),
        plan: watch::Sender::new(Arc::new(plan())).subscribe(),
        overview: Arc::new(Still),
        mint: Arc::new(move || {
            let number = made.fetch_add(1, Ordering::Relaxed);
            Some(Minted {
                id: format!("key_{number}"),
                key: format!("tg_made_up_{number}"),
                sha256: format!("{number:064x}"),
            })
        }),
    };
    let access = Access { token: AdminToken::new(TOKEN), listen: "127.0.0.1".parse().unwrap() };
    World { ledger, router: router(admin, access), _data: data }
}

async fn send(router: &Router, request: Request<Body>) -> (StatusCode, String) {
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:8081")
        .header("authorization", format!("Bearer {TOKEN}"))
}

async fn ask(world: &World, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let request = request(method, path).header("content-type", "application/json");
    let (status, text) = send(&world.router, request.body(body.to_string().into()).unwrap()).await;
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn get(world: &World, path: &str) -> (StatusCode, Value) {
    ask(world, Method::GET, path, Value::Null).await
}

#[tokio::test]
async fn a_key_is_made_listed_and_revoked() {
    let world = world().await;
    let body = json!({"tenant": "acme", "name": "ci", "roles": ["user"], "expires": "30d"});
    let (status, made) = ask(&world, Method::POST, "/api/v1/keys", body).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(made, json!({"id": "key_1", "key": "tg_made_up_1"}));

    let (_, list) = get(&world, "/api/v1/keys").await;
    assert_eq!(list[0]["id"], "key_1");
    assert!(!list.to_string().contains("tg_made_up"), "{list}");
    let life =
        list[0]["expires_at_s"].as_u64().unwrap() - list[0]["created_at_s"].as_u64().unwrap();
    assert_eq!(life, 30 * 24 * 60 * 60);

    let path = "/api/v1/keys/key_1";
    let (status, gone) = ask(&world, Method::DELETE, path, Value::Null).await;
    assert_eq!((status, gone["revoked_now"].clone()), (StatusCode::OK, json!(true)));
    let (status, gone) = ask(&world, Method::DELETE, path, Value::Null).await;
    assert_eq!((status, gone["revoked_now"].clone()), (StatusCode::OK, json!(false)));
    let (status, _) = ask(&world, Method::DELETE, "/api/v1/keys/key_9", Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_a_key_cannot_be() {
    let world = world().await;
    let table = [
        (json!({"tenant": "nobody", "name": "ci"}), "allowed: acme, bluefin."),
        (json!({"tenant": "acme", "name": "ci", "roles": ["king"]}), "allowed: user."),
        (json!({"tenant": "acme", "name": ""}), "name: takes 1 to 256 bytes"),
        (json!({"tenant": "acme", "name": "a\nb"}), "name: takes 1 to 256 bytes"),
        (json!({"tenant": "acme", "name": "ci", "user": " x"}), "user: takes 1 to 256 bytes"),
        (json!({"tenant": "acme", "name": "ci", "expires": "soon"}), "expires: is not a duration"),
    ];
    for (body, says) in table {
        let (status, answer) = ask(&world, Method::POST, "/api/v1/keys", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
        assert_eq!(answer["error"]["code"], "invalid_request");
    }
    let odd = json!({"tenant": "acme", "name": "ci", "colour": "red"});
    let (status, _) = ask(&world, Method::POST, "/api/v1/keys", odd).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(get(&world, "/api/v1/keys").await.1, json!([]));
}

#[tokio::test]
async fn a_body_has_an_end() {
    let world = world().await;
    let body = json!({"tenant": "acme", "name": "x".repeat(70_000)});
    let (status, _) = ask(&world, Method::POST, "/api/v1/keys", body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

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
async fn metrics_are_text_of_a_known_kind() {
    let world = world().await;
    let request = request(Method::GET, "/metrics").body(Body::empty()).unwrap();
    let answer = world.router.clone().oneshot(request).await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(text.contains("\ntollgate_build_info{version=\"1.2.3\"} 1\n"), "{text}");
}

#[tokio::test]
async fn usage_in_json_and_csv() {
    let world = world().await;
    assert_eq!(get(&world, "/api/v1/usage?tenant=acme&since=24h").await.1, json!([]));
    assert_eq!(get(&world, "/api/v1/usage?by=day").await.1, json!([]));
    for wrong in ["since=yesterday", "by=colour", "colour=red"] {
        let (status, answer) = get(&world, &format!("/api/v1/usage?{wrong}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(answer["error"]["code"], "invalid_request", "{wrong}");
    }
    let request = request(Method::GET, "/api/v1/usage").header("accept", "text/csv");
    let (_, text) = send(&world.router, request.body(Body::empty()).unwrap()).await;
    assert!(text.starts_with("id,client_request_id,at,tenant,"), "{text}");
}

fn key(number: u64) -> NewKey {
    NewKey {
        id: format!("key_{number}"),
        sha256: format!("{number:064x}"),
        name: "ci".into(),
        tenant: "acme".into(),
        user: None,
        roles: Vec::new(),
        expires_at_s: None,
        at_s: 1,
    }
}

async fn poll(sync: &Router, epoch: &str, since: u64) -> Value {
    let path = format!("/sync/v1/keyring?epoch={epoch}&since={since}");
    let request = Request::builder().uri(path).header("host", "control");
    let (status, text) = send(sync, request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn the_long_poll_wakes_at_a_change() {
    let world = world().await;
    let sync = sync_router(world.ledger.clone());
    let first = poll(&sync, "none", 0).await;
    let (epoch, version) = (first["epoch"].as_str().unwrap(), first["version"].as_u64().unwrap());

    let waiting = poll(&sync, epoch, version);
    let change = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.ledger.create_key(key(1)).await.unwrap();
    };
    let both = async { tokio::join!(waiting, change).0 };
    let woken = tokio::time::timeout(Duration::from_secs(5), both).await.unwrap();
    assert_eq!(woken["changes"][0]["sha256"], format!("{:064x}", 1));
    assert_eq!(woken["changes"][0]["entry"]["tenant"], "acme");
    assert!(woken["version"].as_u64().unwrap() > version);
}

#[tokio::test]
async fn a_digest_is_found_or_said_to_be_unknown() {
    let world = world().await;
    world.ledger.create_key(key(1)).await.unwrap();
    let sync = sync_router(world.ledger.clone());
    let table = [
        ("control", format!("{:064x}", 1), 200, Some("found")),
        ("127.0.0.1:18000", format!("{:064x}", 1), 200, Some("found")),
        ("control", format!("{:064x}", 2), 404, Some("unknown")),
        ("control", "abc".to_owned(), 400, None),
        ("control", "A".repeat(64), 400, None),
        ("evil.example", format!("{:064x}", 1), 421, None),
    ];
    for (host, digest, status, says) in table {
        let path = format!("/sync/v1/keys/{digest}");
        let request = Request::builder().uri(path).header("host", host);
        let answer = sync.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{digest}");
        let header = answer.headers().get("x-tollgate-answer").map(|v| v.to_str().unwrap());
        assert_eq!(header, says, "{digest}");
    }
}
