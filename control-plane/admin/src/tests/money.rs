//! Budgets, corrections, the verdict on the ledger and reconciliation.

use super::reports::post;
use super::{World, ask, get, request, send, world};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use contract::lease::{Account, LeaseRequest, Wanted};
use contract::policy::PoolConfig;
use ledger::EngineCounters;
use plan::{Budget, Per};
use serde_json::{Value, json};
use std::sync::Arc;

/// Half a dollar for the tenant acme, a dollar for the organisation north.
fn budgeted(world: &World) {
    world.plan.send_modify(|plan| {
        let budgets = &mut Arc::make_mut(plan).budgets;
        let of = |dollars: u64| Budget { nanodollars: dollars * 500_000_000, per: Per::Total };
        budgets.accounts.insert(Account::Tenant("acme".into()), of(1));
        budgets.accounts.insert(Account::Organisation("north".into()), of(2));
        budgets.organisations.insert("acme".into(), "north".into());
    });
    world.ledger.set_budgets(crate::book(&world.plan.borrow()));
}

async fn lease(world: &World, need: u64) {
    let wanted = vec![Wanted { account: "tenant/acme".into(), need, lease: 0 }];
    let request = LeaseRequest { process: "p".into(), wanted, ..LeaseRequest::default() };
    world.ledger.lease(request, crate::CLOCK.now_ms()).await.unwrap();
}

fn accounts(budgets: &Value) -> Vec<&str> {
    budgets.as_array().unwrap().iter().map(|row| row["account"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn budgets_say_what_is_spent_held_and_left() {
    let world = world().await;
    budgeted(&world);
    post(&world, 10).await;
    lease(&world, 1_000).await;
    let (_, budgets) = get(&world, "/api/v1/budgets").await;
    assert_eq!(accounts(&budgets), ["organisation/north", "tenant/acme"]);
    let acme = &budgets[1];
    let of = |name: &str| acme[format!("{name}_nanodollars")].as_u64().unwrap();
    assert!(of("spent") > 0 && of("held") >= 1_000, "{acme}");
    assert_eq!(of("spent") + of("held") + of("left"), 500_000_000, "{acme}");
    assert_eq!((&acme["per"], &acme["ends_at"]), (&json!("total"), &Value::Null));
    let (_, of_acme) = get(&world, "/api/v1/budgets?tenant=acme").await;
    assert_eq!(accounts(&of_acme), ["organisation/north", "tenant/acme"]);
    let (_, of_bluefin) = get(&world, "/api/v1/budgets?tenant=bluefin").await;
    assert_eq!(of_bluefin, json!([]));
    let csv = request(Method::GET, "/api/v1/budgets").header("accept", "text/csv");
    let (_, csv) = send(&world.router, csv.body(Body::empty()).unwrap()).await;
    assert!(csv.starts_with("account,per,period,limit_nanodollars,"), "{csv}");
    assert_eq!(csv.lines().count(), 3);
    let metrics = request(Method::GET, "/metrics").body(Body::empty()).unwrap();
    let (_, metrics) = send(&world.router, metrics).await;
    for line in [
        "tollgate_budget_limit_dollars{account=\"tenant/acme\"} 0.5\n",
        "tollgate_budget_left_dollars{account=\"organisation/north\"} ",
        "tollgate_budgets_left_out 0.0\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[tokio::test]
async fn a_correction_is_a_posting_of_its_own() {
    let world = world().await;
    post(&world, 4).await;
    let correct =
        async |body: Value| ask(&world, Method::POST, "/api/v1/ledger/corrections", body).await;
    let body = json!({"record": "r1", "dollars": "0.25", "why": "answered twice"});
    let (status, answer) = correct(body.clone()).await;
    assert_eq!((status, &answer["record"]), (StatusCode::CREATED, &json!("r1")), "{answer}");
    assert!(answer["cost_nanodollars"].as_i64().unwrap() > 250_000_000, "{answer}");
    let (_, list) = get(&world, "/api/v1/ledger/corrections").await;
    assert_eq!((&list[0]["why"], &list[0]["record"]["id"]), (&body["why"], &body["record"]));
    let (_, verdict) = get(&world, "/api/v1/ledger/verify").await;
    assert_eq!((&verdict["sound"], &verdict["faults"]), (&json!(true), &json!([])), "{verdict}");
    for (field, value, expected) in [
        ("record", json!("r99"), 404),
        ("record", json!(""), 400),
        ("dollars", json!("-1000"), 409),
        ("dollars", json!("0"), 400),
        ("dollars", json!("1e3"), 400),
        ("dollars", json!("0.0000000001"), 400),
        ("dollars", json!(0.25), 422),
        ("why", json!(" "), 400),
        ("why", json!("a\u{7}"), 400),
        ("colour", json!("red"), 422),
    ] {
        let mut odd = body.clone();
        odd[field] = value.clone();
        let (status, answer) = correct(odd).await;
        assert_eq!(status.as_u16(), expected, "{field} {value}: {answer}");
    }
    assert_eq!(get(&world, "/api/v1/ledger/corrections").await.1.as_array().unwrap().len(), 1);
}

fn counters(at_ms: u64, input_tokens: u64, output_tokens: u64) -> EngineCounters {
    EngineCounters {
        at_ms,
        pool: "llama-70b".into(),
        endpoint: "127.0.0.1:9".into(),
        engine: "vllm".into(),
        input_tokens,
        cached_input_tokens: None,
        output_tokens,
    }
}

#[tokio::test]
async fn the_ledger_is_held_against_the_engines() {
    const AT_MS: u64 = 1_795_252_163_120;
    let world = world().await;
    world.plan.send_modify(|plan| {
        let pool = json!({"cluster": "pool/llama-70b", "model": "m", "timeout_ms": 1,
            "price_version": "v", "engine": "vllm"});
        let pool: PoolConfig = serde_json::from_value(pool).unwrap();
        Arc::make_mut(plan).filter.pools.insert("llama-70b".into(), pool);
    });
    // r0: 17 input tokens and no output; the next one is of the day after.
    post(&world, 2).await;
    let around = [counters(AT_MS - 60_000, 100, 100), counters(AT_MS + 60_000, 120, 100)];
    world.ledger.note_counters(&around).await.unwrap();
    let path = "/api/v1/reconcile?since=2026-11-21&until=2026-11-22";
    let (status, rows) = get(&world, path).await;
    assert_eq!(status, StatusCode::OK, "{rows}");
    let row = &rows[0];
    assert_eq!((&row["pool"], &row["requests"]), (&json!("llama-70b"), &json!(1)), "{row}");
    assert_eq!(row["ledger"], json!({"input": 17, "output": 0}));
    assert_eq!(row["engines"], json!({"input": 20, "output": 0}));
    assert_eq!(row["input_difference"], json!({"tokens": 3, "percent": "17.64"}));
    assert!(row["explanations"][0].as_str().unwrap().contains("warm-up"), "{row}");
    for (query, expected) in [
        ("pool=llama-70b", 200),
        ("pool=none", 404),
        ("since=2026-11-22&until=2026-11-21", 400),
        ("since=2020-01-01&until=2026-11-21", 400),
        ("since=soon", 400),
    ] {
        let (status, answer) = get(&world, &format!("/api/v1/reconcile?{query}")).await;
        assert_eq!(status.as_u16(), expected, "{query}: {answer}");
    }
}
