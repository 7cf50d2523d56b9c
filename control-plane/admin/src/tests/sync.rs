//! What a gateway is answered.

use super::{World, send, world};
use crate::{CLOCK, Gateways, SpoolStatus, Sync, sync_router};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use contract::fleet::{Fleet, Server};
use contract::keyring::{HmacEntry, HmacSet, MaskingKey};
use contract::limits::MAX_SKEW_S_MAX;
use ledger::NewKey;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt as _;

fn key(number: u64) -> NewKey {
    NewKey {
        id: format!("key_{number}"),
        sha256: format!("{number:064x}"),
        name: "ci".into(),
        tenant: "acme".into(),
        user: None,
        roles: Vec::new(),
        models: Vec::new(),
        masking: None,
        limits: None,
        budget: None,
        expires_at_s: None,
        at_s: 1,
    }
}

fn set(version: &str) -> Arc<HmacSet> {
    let entry = HmacEntry {
        id: "partner-1".into(),
        secret: "made-up secret of a partner".into(),
        tenant: "acme".into(),
        user: None,
        roles: Vec::new(),
        masking: None,
    };
    Arc::new(HmacSet { version: version.into(), entries: vec![entry] })
}

struct Gateway {
    router: Router,
    hmac: watch::Sender<Arc<HmacSet>>,
    masking: watch::Sender<Option<MaskingKey>>,
    fleet: watch::Sender<Arc<Fleet>>,
    gateways: Gateways,
    spool: watch::Sender<SpoolStatus>,
}

impl Gateway {
    fn of(world: &World) -> Self {
        let hmac = watch::Sender::new(Arc::default());
        let masking = watch::Sender::new(None);
        let fleet = watch::Sender::default();
        let gateways = Gateways::default();
        let spool = watch::Sender::new(SpoolStatus::default());
        let router = sync_router(Sync {
            ledger: world.ledger.clone(),
            hmac: hmac.subscribe(),
            masking: masking.subscribe(),
            fleet: fleet.subscribe(),
            refusals: world.refusals.clone(),
            gateways: gateways.clone(),
            spool: spool.subscribe(),
        });
        Gateway { router, hmac, masking, fleet, gateways, spool }
    }

    async fn ask(&self, method: Method, path: &str, body: &str) -> (u16, Option<String>) {
        let request = Request::builder().method(method).uri(path).header("host", "control");
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let says = answer.headers().get("x-tollgate-answer");
        (answer.status().as_u16(), says.map(|value| value.to_str().unwrap().to_owned()))
    }

    async fn poll(&self, epoch: &str, since: u64, hmac: Option<&str>) -> Value {
        let hmac = hmac.map(|version| format!("&hmac={version}")).unwrap_or_default();
        self.poll_with(epoch, since, &hmac).await
    }

    /// `rest` is what the query has beside the version of the keyring.
    async fn poll_with(&self, epoch: &str, since: u64, rest: &str) -> Value {
        let path = format!("/sync/v1/keyring?epoch={epoch}&since={since}{rest}");
        let request = Request::builder().uri(path).header("host", "control");
        let (status, text) = send(&self.router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK);
        serde_json::from_str(&text).unwrap()
    }
}

/// What `poll` comes to when `change` happens while it waits.
async fn woken(poll: impl Future<Output = Value>, change: impl AsyncFnOnce()) -> Value {
    let later = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        change().await;
    };
    let both = async { tokio::join!(poll, later).0 };
    tokio::time::timeout(Duration::from_secs(5), both).await.unwrap()
}

#[tokio::test]
async fn the_long_poll_wakes_at_a_change() {
    let world = world().await;
    let gateway = Gateway::of(&world);
    let first = gateway.poll("none", 0, None).await;
    let (epoch, version) = (first["epoch"].as_str().unwrap(), first["version"].as_u64().unwrap());
    let change = async || world.ledger.create_key(key(1)).await.unwrap();
    let woken = woken(gateway.poll(epoch, version, Some("")), change).await;
    assert_eq!(woken["changes"][0]["sha256"], format!("{:064x}", 1));
    assert_eq!(woken["changes"][0]["entry"]["tenant"], "acme");
    assert!(woken["version"].as_u64().unwrap() > version);
    assert_eq!(woken.get("hmac"), None);
}

#[tokio::test]
async fn the_long_poll_wakes_at_another_set_of_signers() {
    let world = world().await;
    let gateway = Gateway::of(&world);
    let first = gateway.poll("none", 0, Some("")).await;
    assert_eq!(first.get("hmac"), None);
    let (epoch, version) = (first["epoch"].as_str().unwrap(), first["version"].as_u64().unwrap());
    let change = async || drop(gateway.hmac.send_replace(set("v1")));
    let woken = woken(gateway.poll(epoch, version, Some("")), change).await;
    assert_eq!(woken["hmac"], serde_json::to_value(&*set("v1")).unwrap());
    assert_eq!((&woken["version"], &woken["changes"]), (&version.into(), &json!([])));
    // Who has another one is told at once, with the keys.
    let late = gateway.poll("none", 0, Some("v0")).await;
    assert_eq!(late["hmac"]["version"], "v1");
    // Who has it, or does not know of signers, is not.
    for hmac in [Some("v1"), None] {
        assert_eq!(gateway.poll("none", 0, hmac).await.get("hmac"), None, "{hmac:?}");
    }
}

#[tokio::test]
async fn the_long_poll_wakes_at_another_key_of_placeholders() {
    let world = world().await;
    let gateway = Gateway::of(&world);
    let key = |version: &str| MaskingKey { version: version.into(), key: "6d616465".into() };
    let first = gateway.poll_with("none", 0, "&masking=").await;
    assert_eq!(first.get("masking"), None, "there is none");
    let epoch = first["epoch"].as_str().unwrap();
    let change = async || drop(gateway.masking.send_replace(Some(key("v1"))));
    let woken = woken(gateway.poll_with(epoch, 0, "&hmac=&masking="), change).await;
    assert_eq!(woken["masking"], json!({"version": "v1", "key": "6d616465"}));
    assert_eq!((&woken["changes"], woken.get("hmac")), (&json!([]), None));
    // Who has another one is told at once, with the keys.
    let late = gateway.poll_with("none", 0, "&masking=v0").await;
    assert_eq!(late["masking"]["version"], "v1");
    // Who has it, or does not mask, is not.
    for rest in ["&masking=v1", ""] {
        assert_eq!(gateway.poll_with("none", 0, rest).await.get("masking"), None, "{rest}");
    }
}

#[tokio::test]
async fn the_long_poll_wakes_at_another_gateway_and_at_a_full_spool() {
    let world = world().await;
    let gateway = Gateway::of(&world);
    let first = gateway.poll_with("none", 0, "").await;
    assert_eq!((&first["gateways"], first.get("spool_full")), (&json!(1), None), "one at least");
    let epoch = first["epoch"].as_str().unwrap();
    assert_eq!(gateway.poll_with("none", 0, "&process=a").await["gateways"], 1);
    assert_eq!(gateway.poll_with("none", 0, "&process=b").await["gateways"], 2);
    let another = async || gateway.gateways.note("c", CLOCK.now_ms());
    let told = woken(gateway.poll_with(epoch, 0, "&process=a"), another).await;
    assert_eq!((&told["gateways"], &told["changes"]), (&json!(3), &json!([])));
    let fills = async || gateway.spool.send_modify(|space| space.full = true);
    let told = woken(gateway.poll_with(epoch, 0, "&process=a"), fills).await;
    assert_eq!(told["spool_full"], true);
}

#[tokio::test]
async fn a_lease_is_asked_for_and_granted() {
    let world = world().await;
    let acme = contract::lease::Account::Tenant("acme".into());
    let budget = ledger::Budget { nanodollars: 1_000_000, per: ledger::Per::Total };
    world.ledger.set_budgets(ledger::BudgetBook {
        accounts: [(acme, budget)].into(),
        ..ledger::BudgetBook::default()
    });
    let router = Gateway::of(&world).router;
    let wanted = json!([{"account": "tenant/acme", "need": 1_000},
        {"account": "key/k1", "need": 1_000}]);
    let body = json!({"process": "p1", "wanted": wanted}).to_string();
    let request = Request::builder().method(Method::POST).uri("/sync/v1/leases");
    let request = request.header("host", "control").body(Body::from(body)).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()["x-tollgate-answer"], "leases");
    let text = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let answer: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(answer["leases"][0]["is"], "granted", "{answer}");
    assert!(answer["leases"][0]["granted"].as_u64().unwrap() >= 1_000, "{answer}");
    assert_eq!(answer["leases"][1], json!({"is": "unbounded"}));
}

#[tokio::test]
async fn what_is_no_request_for_a_lease() {
    let world = world().await;
    let gateway = Gateway::of(&world);
    let long = format!(r#"{{"process":"{}"}}"#, "p".repeat(200));
    for body in ["", "{}", r#"{"process":""}"#, "[]", &long] {
        let (status, says) = gateway.ask(Method::POST, "/sync/v1/leases", body).await;
        assert_eq!((status, says), (400, None), "{body}");
    }
    let huge = format!(r#"{{"process":"p","more":"{}"}}"#, "x".repeat(2_000_000));
    let (status, says) = gateway.ask(Method::POST, "/sync/v1/leases", &huge).await;
    assert_eq!((status, says), (413, None));
}

/// No budgets are known yet: the gateway hears that the control plane is not there.
#[tokio::test]
async fn a_lease_that_cannot_be_answered_is_no_answer() {
    let mut world = world().await;
    let data = tempfile::tempdir().unwrap();
    world.ledger = ledger::Ledger::open(data.path()).await.unwrap();
    let gateway = Gateway::of(&world);
    let body = r#"{"process":"p1","wanted":[{"account":"tenant/acme","need":1}]}"#;
    let (status, says) = gateway.ask(Method::POST, "/sync/v1/leases", body).await;
    assert_eq!((status, says), (503, None));
}

/// Nobody can change the set any more, and keys still wake.
#[tokio::test]
async fn the_long_poll_waits_on_without_a_source_of_signers() {
    let world = world().await;
    let Gateway { router, hmac, masking, fleet, gateways, spool } = Gateway::of(&world);
    drop((hmac, masking));
    let (hmac, masking) = (watch::Sender::new(Arc::default()), watch::Sender::new(None));
    let gateway = Gateway { router, hmac, masking, fleet, gateways, spool };
    let first = gateway.poll("none", 0, Some("")).await;
    let change = async || world.ledger.create_key(key(1)).await.unwrap();
    let waiting = gateway.poll(first["epoch"].as_str().unwrap(), 0, Some(""));
    assert_eq!(woken(waiting, change).await["version"], 1);
}

#[tokio::test]
async fn a_digest_is_found_or_said_to_be_unknown() {
    let world = world().await;
    world.ledger.create_key(key(1)).await.unwrap();
    let sync = Gateway::of(&world).router;
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

#[tokio::test]
async fn a_nonce_is_fresh_once() {
    let world = world().await;
    let gateway = Gateway::of(&world);
    let now_s = CLOCK.now_s();
    let (one, two) = ("0123456789abcdef".repeat(2), "f".repeat(32));
    let (fresh, seen) = (Some("fresh"), Some("seen"));
    for (tag, until, status, says) in [
        (one.as_str(), now_s + 300, 200, fresh),
        (one.as_str(), now_s + 300, 409, seen),
        // Of a timestamp as far ahead as there is.
        (two.as_str(), now_s + 2 * MAX_SKEW_S_MAX + 1, 200, fresh),
        (two.as_str(), now_s + 2 * MAX_SKEW_S_MAX + 1, 409, seen),
        ("0", now_s + 300, 400, None),
        (&"F".repeat(32), now_s + 300, 400, None),
        (&"f".repeat(34), now_s + 300, 400, None),
        (&"g".repeat(32), now_s + 300, 400, None),
        // Over long ago, and further off than any nonce is remembered.
        (&"a".repeat(32), now_s - 600, 400, None),
        (&"a".repeat(32), now_s + 2 * MAX_SKEW_S_MAX + 120, 400, None),
        (&"a".repeat(32), u64::MAX, 400, None),
    ] {
        let path = format!("/sync/v1/nonces/{tag}?until={until}");
        let (found, word) = gateway.ask(Method::POST, &path, "").await;
        assert_eq!((found, word.as_deref()), (status, says), "{path}");
    }
    let (status, _) = gateway.ask(Method::POST, &format!("/sync/v1/nonces/{one}"), "").await;
    assert_eq!(status, 400);
    let (status, _) = gateway.ask(Method::GET, &format!("/sync/v1/nonces/{one}?until=1"), "").await;
    assert_eq!(status, 405);
}

/// A gateway that has just begun learns from its first answer which timestamps may have
/// been used before.
#[tokio::test]
async fn every_delta_says_until_when_nonces_are_remembered() {
    let world = world().await;
    let gateway = Gateway::of(&world);
    let first = gateway.poll("none", 0, None).await;
    assert_eq!(first["nonces_until_s"], 0);
    let until_s = CLOCK.now_s() + 900;
    let path = format!("/sync/v1/nonces/{}?until={until_s}", "a".repeat(32));
    // The poll that waits has nothing else to say when its time is over.
    let epoch = first["epoch"].as_str().unwrap();
    let change = async || assert_eq!(gateway.ask(Method::POST, &path, "").await.0, 200);
    let idle = woken(gateway.poll(epoch, 0, Some("")), change).await;
    assert_eq!((&idle["version"], &idle["changes"]), (&json!(0), &json!([])));
    let told_s = idle["nonces_until_s"].as_u64().unwrap();
    assert!((until_s..=until_s + 120).contains(&told_s), "{until_s} {told_s}");
    assert_eq!(gateway.poll("none", 0, None).await["nonces_until_s"], told_s);
}

#[tokio::test]
async fn a_report_is_noted() {
    let world = world().await;
    let gateway = Gateway::of(&world);
    let report =
        |process: &str| format!(r#"{{"process":"{process}","refused":{{"key_expired":2}}}}"#);
    for (body, status, says) in [
        (report("1795252163120"), 204, Some("noted")),
        (report(""), 400, None),
        (report("a"), 400, None),
        (report(&"1".repeat(21)), 400, None),
        ("{}".to_owned(), 400, None),
        ("not json".to_owned(), 400, None),
        (" ".repeat(20_000), 413, None),
    ] {
        let (found, word) = gateway.ask(Method::POST, "/sync/v1/refusals", &body).await;
        assert_eq!((found, word.as_deref()), (status, says), "{body}");
    }
    assert_eq!(world.refusals.counted().callers, [("key_expired", 2)].into());
}

/// A page in a browser on this machine reaches this port as well.
#[tokio::test]
async fn no_page_asks_and_no_answer_is_kept() {
    let world = world().await;
    let router = Gateway::of(&world).router;
    let path = format!("/sync/v1/nonces/{}?until={}", "a".repeat(32), CLOCK.now_s());
    for (header, value, expected) in [
        ("origin", "http://127.0.0.1:18000", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "same-origin", 403),
        ("x-other", "", 200),
    ] {
        let request = Request::builder().method(Method::POST).uri(&path).header("host", "control");
        let request = request.header(header, value).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), expected, "{header} {value}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
    }
}

fn fleet(version: u64) -> Arc<Fleet> {
    let server = Server { address: "10.0.0.1:1".into(), active: Some(3), weight: 1 };
    Arc::new(Fleet { version, pools: [("a".to_owned(), vec![server])].into() })
}

#[tokio::test]
async fn the_servers_of_pools_with_affinity_come_when_they_are_others() {
    let world = world().await;
    let gateway = Gateway::of(&world);
    let first = gateway.poll("none", 0, None).await;
    let (epoch, version) = (first["epoch"].as_str().unwrap(), first["version"].as_u64().unwrap());
    assert_eq!(first.get("fleet"), None);
    let change = async || {
        gateway.fleet.send_replace(fleet(7));
    };
    let woken = woken(gateway.poll_with(epoch, version, "&fleet=0"), change).await;
    let servers = json!([{"address": "10.0.0.1:1", "active": 3, "weight": 1}]);
    assert_eq!(woken["fleet"], json!({"version": 7, "pools": {"a": servers}}));
    // Who does not say what he has is not sent any; who has another one is.
    assert_eq!(gateway.poll("none", 0, None).await.get("fleet"), None);
    assert_eq!(gateway.poll_with("none", 0, "&fleet=7").await.get("fleet"), None);
    assert_eq!(gateway.poll_with(epoch, version, "&fleet=8").await["fleet"]["version"], 7);
}
