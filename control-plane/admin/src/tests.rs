//! The routers from outside, over a real ledger.

mod doors;
mod keys;
mod money;
mod reports;
mod sync;
mod trail;
mod weights;

use crate::{Access, Admin, AdminToken, Minted, Overview, Refusals, Splits, Status, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use contract::masking::{MaskingConfig, MaskingPolicyConfig};
use contract::policy::{AuthConfig, GatewayConfig, LimitsConfig, RoleConfig, TenantConfig};
use contract::usage::{End, Source};
use ledger::{Ledger, UsageRecord};
use plan::{BudgetBook, ListenerPlan, Plan, UsageFlush};
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
    plan: watch::Sender<Arc<Plan>>,
    splits: watch::Sender<Splits>,
    data: TempDir,
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
        retry: plan::Retry::default(),
        credential_headers: Vec::new(),
        filter: GatewayConfig {
            control_cluster: "control".into(),
            max_body_bytes: 1,
            expose_pool: false,
            journal: false,
            auth: AuthConfig::default(),
            masking: MaskingConfig {
                policies: [("strict".into(), MaskingPolicyConfig::default())].into(),
            },
            limits: BTreeMap::from([("slow".into(), LimitsConfig::default())]),
            organisations_with_budget: Vec::new(),
            pools: BTreeMap::new(),
            replay_bytes: 0,
            stream_idle_timeout_ms: 60_000,
            chains: false,
            families: vec![],
            aliases: [].into(),
            models: BTreeMap::new(),
            roles: BTreeMap::from([("user".into(), all())]),
            tenants: BTreeMap::from([("acme".into(), tenant()), ("bluefin".into(), tenant())]),
        },
        issuers: Vec::new(),
        detectors: Vec::new(),
        prices: Vec::new(),
        static_keys: Vec::new(),
        budgets: BudgetBook::default(),
    }
}

async fn world() -> World {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path()).await.unwrap();
    ledger.set_budgets(ledger::BudgetBook::default());
    let refusals = Refusals::new(ledger.clone());
    let made = AtomicU64::new(1);
    let planned = watch::Sender::new(Arc::new(plan()));
    let splits = watch::Sender::new(Splits::new());
    let admin = Admin {
        ledger: ledger.clone(),
        splits: splits.subscribe(),
        plan: planned.subscribe(),
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
    World { ledger, refusals, router: router(admin, access), plan: planned, splits, data }
}

/// 16 input tokens, 4 of them cached, and 14 output tokens.
pub(crate) fn record(id: &str) -> UsageRecord {
    UsageRecord {
        id: id.to_owned(),
        client_request_id: None,
        at_ms: 1_795_252_163_120,
        tenant: "acme".to_owned(),
        key: "k1".to_owned(),
        user: Some("ann".to_owned()),
        model: Some("llama".to_owned()),
        pool: Some("llama-70b".to_owned()),
        endpoint: Some("127.0.0.1:9".to_owned()),
        path: Some("/v1/chat/completions".to_owned()),
        stream: true,
        status: 200,
        code: None,
        input_tokens: 16,
        cached_input_tokens: 4,
        output_tokens: 14,
        reasoning_tokens: 2,
        source: Source::Engine,
        end: End::Complete,
        cost_nanodollars: 0,
        price_version: None,
        first_token_ms: Some(12),
        duration_ms: 90,
        masked: BTreeMap::new(),
        organisation: None,
        attempts: 1,
        images: 0,
        pages: 0,
        audio_ms: 0,
        gpu_ms: 0,
        leases: Vec::new(),
    }
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
