//! The routers from outside, over a real ledger.

mod doors;
mod keys;
mod sync;
mod trail;

use crate::{Access, Admin, AdminToken, Minted, Overview, Refusals, Status, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use contract::masking::{MaskingConfig, MaskingPolicyConfig};
use contract::policy::{AuthConfig, GatewayConfig, RoleConfig, TenantConfig};
use ledger::Ledger;
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
    refusals: Refusals,
    router: Router,
    _data: TempDir,
}

fn plan() -> Plan {
    let all = || RoleConfig { models: vec!["*".to_owned()], ..RoleConfig::default() };
    let tenant = || TenantConfig { may: all(), ..TenantConfig::default() };
    Plan {
        listener: ListenerPlan {
            address: "127.0.0.1:0".parse().unwrap(),
            max_body_bytes: 1,
            stream_idle_timeout: Duration::from_secs(1),
            usage_flush: UsageFlush::Line,
            usage_interval: Duration::from_secs(1),
            client_certificates: false,
        },
        pools: Vec::new(),
        filter: GatewayConfig {
            control_cluster: "control".into(),
            max_body_bytes: 1,
            expose_pool: false,
            journal: false,
            auth: AuthConfig::default(),
            masking: MaskingConfig {
                policies: [("strict".into(), MaskingPolicyConfig::default())].into(),
            },
            pools: BTreeMap::new(),
            models: BTreeMap::new(),
            roles: BTreeMap::from([("user".into(), all())]),
            tenants: BTreeMap::from([("acme".into(), tenant()), ("bluefin".into(), tenant())]),
        },
        issuers: Vec::new(),
        detectors: Vec::new(),
        prices: Vec::new(),
        static_keys: Vec::new(),
    }
}

async fn world() -> World {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path()).await.unwrap();
    let refusals = Refusals::new(ledger.clone());
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
        refusals: refusals.clone(),
    };
    let access = Access { token: AdminToken::new(TOKEN), listen: "127.0.0.1".parse().unwrap() };
    World { ledger, refusals, router: router(admin, access), _data: data }
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
async fn a_body_has_an_end() {
    let world = world().await;
    let body = json!({"tenant": "acme", "name": "x".repeat(70_000)});
    let (status, _) = ask(&world, Method::POST, "/api/v1/keys", body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
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
