//! A key's life by the API.

use super::{World, ask, get, request, send, world};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn a_key_is_made_listed_and_revoked() {
    let world = world().await;
    let body = json!({
        "tenant": "acme", "name": "ci", "roles": ["user"], "models": ["llama-*"], "expires": "30d",
        "masking": "strict", "limits": "slow", "budget": {"dollars": "2.50", "per": "day"},
    });
    let (status, made) = ask(&world, Method::POST, "/api/v1/keys", body).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(made, json!({"id": "key_1", "key": "tg_made_up_1"}));

    let (_, list) = get(&world, "/api/v1/keys").await;
    assert_eq!(list[0]["id"], "key_1");
    assert_eq!((&list[0]["models"], &list[0]["masking"]), (&json!(["llama-*"]), &json!("strict")));
    let budget = json!({"nanodollars": 2_500_000_000_u64, "per": "day"});
    assert_eq!((&list[0]["limits"], &list[0]["budget"]), (&json!("slow"), &budget));
    assert_eq!(list[0]["last_used_at_s"], Value::Null);
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

fn of_budget(dollars: &str, per: &str) -> Value {
    json!({"tenant": "acme", "name": "ci", "budget": {"dollars": dollars, "per": per}})
}

#[tokio::test]
async fn the_budget_of_a_configured_key_is_that_of_the_configuration() {
    let world = world().await;
    let id = "yaml:acme/ci".to_owned();
    let entry = contract::keyring::KeyEntry {
        id: id.clone(),
        tenant: "acme".into(),
        budget: true,
        ..Default::default()
    };
    world.ledger.set_static_keys(vec![("ab".repeat(32), entry)], 1).await.unwrap();
    world.plan.send_modify(|plan| {
        let budget = plan::Budget { nanodollars: 7, per: plan::Per::Total };
        let of = contract::lease::Account::Key(id.clone());
        Arc::make_mut(plan).budgets.accounts.insert(of, budget);
    });
    let (_, list) = get(&world, "/api/v1/keys").await;
    assert_eq!(list[0]["budget"], json!({"nanodollars": 7, "per": "total"}), "{list}");
}

#[tokio::test]
async fn what_a_key_cannot_be() {
    let world = world().await;
    let table = [
        (json!({"tenant": "nobody", "name": "ci"}), "allowed: acme, bluefin."),
        (json!({"tenant": "acme", "name": "ci", "roles": ["king"]}), "allowed: user."),
        (json!({"tenant": "acme", "name": "ci", "masking": "lax"}), "allowed: strict."),
        (json!({"tenant": "acme", "name": "ci", "limits": "fast"}), "allowed: slow."),
        (of_budget("much", "day"), "budget: "),
        (of_budget("-1", "day"), "budget: "),
        (of_budget("1", "week"), "budget: "),
        (json!({"tenant": "acme", "name": ""}), "name: takes 1 to 256 bytes"),
        (json!({"tenant": "acme", "name": "a\nb"}), "name: takes 1 to 256 bytes"),
        (json!({"tenant": "acme", "name": "ci", "user": " x"}), "user: takes 1 to 256 bytes"),
        (json!({"tenant": "acme", "name": "ci", "expires": "soon"}), "expires: is not a duration"),
        (json!({"tenant": "acme", "name": "ci", "models": [""]}), "models: a pattern takes"),
        (json!({"tenant": "acme", "name": "ci", "models": ["a", "b c"]}), "models: a pattern"),
        (json!({"tenant": "acme", "name": "ci", "models": ["a\u{7}"]}), "models: a pattern"),
        (json!({"tenant": "acme", "name": "ci", "models": ["x".repeat(257)]}), "1 to 256 bytes"),
        (json!({"tenant": "acme", "name": "ci", "models": vec!["x"; 65]}), "at most 64 patterns"),
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

async fn made(world: &World, body: Value) -> String {
    let (status, made) = ask(world, Method::POST, "/api/v1/keys", body).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn rotate(world: &World, id: &str, body: Value) -> (StatusCode, Value) {
    ask(world, Method::POST, &format!("/api/v1/keys/{id}/rotate"), body).await
}

/// How long the old key goes on, by the answer, from about now on.
fn overlap_s(answer: &Value) -> i64 {
    let until: jiff::Timestamp = answer["old_valid_until"].as_str().unwrap().parse().unwrap();
    until.as_second() - jiff::Timestamp::now().as_second()
}

#[tokio::test]
async fn a_key_is_rotated() {
    let world = world().await;
    // Asked for, and how long the old key goes on.
    for (body, expected_s) in [
        (json!({}), 86_400),
        (json!({"overlap": "15m"}), 900),
        (json!({"overlap": "0s"}), 0),
        (json!({"overlap": "90d"}), 90 * 86_400),
    ] {
        let id = made(&world, json!({"tenant": "acme", "name": "ci", "models": ["llama-*"]})).await;
        let (status, answer) = rotate(&world, &id, body.clone()).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        assert_eq!(answer["replaces"], id);
        assert!(answer["key"].as_str().unwrap().starts_with("tg_made_up_"), "{answer}");
        // The clock may have gone on meanwhile.
        let off_s = expected_s - overlap_s(&answer);
        assert!((0..60).contains(&off_s), "{body} {answer}");
        let (_, list) = get(&world, "/api/v1/keys").await;
        let of = |id: &Value| list.as_array().unwrap().iter().find(|key| key["id"] == *id).unwrap();
        let (old, new) = (of(&id.into()), of(&answer["id"]));
        assert_eq!((&old["replaced_by"], &new["rotated_from"]), (&answer["id"], &old["id"]));
        assert_eq!((&new["models"], &new["expires_at_s"]), (&json!(["llama-*"]), &Value::Null));
        assert_eq!(old["revoked_at_s"].is_null(), expected_s > 0, "{old}");
    }
}

#[tokio::test]
async fn what_is_not_rotated() {
    let world = world().await;
    let body = || json!({"tenant": "acme", "name": "ci"});
    let (live, revoked, rotated) =
        (made(&world, body()).await, made(&world, body()).await, made(&world, body()).await);
    ask(&world, Method::DELETE, &format!("/api/v1/keys/{revoked}"), Value::Null).await;
    assert_eq!(rotate(&world, &rotated, json!({})).await.0, StatusCode::CREATED);
    let entry = contract::keyring::KeyEntry { id: "yaml:acme/ci".into(), ..Default::default() };
    world.ledger.set_static_keys(vec![("ab".repeat(32), entry)], 1).await.unwrap();
    for (id, body, expected, says) in [
        ("key_99", json!({}), 404, "no key"),
        (revoked.as_str(), json!({}), 409, "is revoked"),
        (rotated.as_str(), json!({}), 409, "rotated before; rotate key_4."),
        ("yaml:acme%2Fci", json!({}), 409, "configuration file"),
        (live.as_str(), json!({"overlap": "91d"}), 400, "from 0s to 90d"),
        (live.as_str(), json!({"overlap": "0"}), 400, "from 0s to 90d"),
        (live.as_str(), json!({"overlap": "-1s"}), 400, "from 0s to 90d"),
        (live.as_str(), json!({"overlap": "soon"}), 400, "from 0s to 90d"),
    ] {
        let (status, answer) = rotate(&world, id, body.clone()).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(status == expected && message.contains(says), "{id} {body}: {status} {answer}");
    }
    let (status, _) = rotate(&world, &live, json!({"colour": "red"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_rotation_without_a_body_takes_the_defaults() {
    let world = world().await;
    let id = made(&world, json!({"tenant": "acme", "name": "ci"})).await;
    let path = format!("/api/v1/keys/{id}/rotate");
    // Who names a type has a body of that type.
    for (kind, expected) in [("application/json", 400), ("text/plain", 415)] {
        let asked = request(Method::POST, &path).header("content-type", kind);
        let (status, _) = send(&world.router, asked.body(Body::empty()).unwrap()).await;
        assert_eq!(status, expected, "{kind}");
    }
    let asked = request(Method::POST, &path).body(Body::empty()).unwrap();
    let (status, text) = send(&world.router, asked).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &answer["replaces"]), (StatusCode::CREATED, &json!(id)));
    // The clock may have gone on meanwhile.
    assert!((0..60).contains(&(86_400 - overlap_s(&answer))), "{answer}");
}

/// A page may send a form or plain text without being asked for leave.
#[tokio::test]
async fn bodies_are_json_and_say_so() {
    let world = world().await;
    let id = made(&world, json!({"tenant": "acme", "name": "ci"})).await;
    let before = world.ledger.audit_head().await.unwrap();
    let paths = ["/api/v1/keys".to_owned(), format!("/api/v1/keys/{id}/rotate")];
    let kinds = [None, Some("text/plain"), Some("application/x-www-form-urlencoded")];
    for (path, kind) in paths.iter().flat_map(|path| kinds.map(|kind| (path, kind))) {
        let asked = request(Method::POST, path);
        let asked = kind.into_iter().fold(asked, |asked, kind| asked.header("content-type", kind));
        let body = json!({"tenant": "acme", "name": "ci"}).to_string();
        let (status, _) = send(&world.router, asked.body(Body::from(body)).unwrap()).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path} {kind:?}");
    }
    assert_eq!(world.ledger.audit_head().await.unwrap(), before);
}
