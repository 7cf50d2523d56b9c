//! The audit trail by the API.

use super::{ask, get, world};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn every_change_is_in_the_trail() {
    let world = world().await;
    let body = json!({"tenant": "acme", "name": "ci", "user": "ann@acme.example"});
    ask(&world, Method::POST, "/api/v1/keys", body).await;
    ask(&world, Method::POST, "/api/v1/keys/key_1/rotate", json!({"overlap": "1h"})).await;
    ask(&world, Method::DELETE, "/api/v1/keys/key_1", Value::Null).await;
    ask(&world, Method::DELETE, "/api/v1/keys/key_1", Value::Null).await;
    let (status, rows) = get(&world, "/api/v1/audit").await;
    assert_eq!(status, StatusCode::OK);
    let rows = rows.as_array().unwrap();
    let said: Vec<_> = rows
        .iter()
        .map(|row| json!([row["seq"], row["action"], row["subject"], row["detail"]["user"]]))
        .collect();
    let user = "ann@acme.example";
    let expected = [
        json!([1, "key.created", "key_1", user]),
        json!([2, "key.created", "key_2", user]),
        json!([3, "key.rotated", "key_1", null]),
        json!([4, "key.revoked", "key_1", null]),
    ];
    assert_eq!(said, expected);
    assert_eq!(rows[1]["detail"]["replaces"], "key_1");
    assert!(rows.iter().all(|row| row["actor"] == "admin" && row["at"].is_string()));
    let text = json!(rows).to_string();
    assert!(!text.contains("tg_made_up"), "{text}");

    for (query, expected) in [
        ("action=key.rotated", vec![3]),
        ("subject=key_1&limit=2", vec![3, 4]),
        ("subject=key_2", vec![2]),
        ("subject=nobody", vec![]),
        ("since=1h", vec![1, 2, 3, 4]),
        ("until=1h", vec![]),
    ] {
        let (_, rows) = get(&world, &format!("/api/v1/audit?{query}")).await;
        let seqs: Vec<_> =
            rows.as_array().unwrap().iter().map(|row| row["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, expected, "{query}");
    }
    for (wrong, says) in [
        ("since=yesterday", "since: is not a time"),
        ("limit=0", "limit: takes 1 to 10000."),
        ("limit=10001", "limit: takes 1 to 10000."),
        ("action=key.eaten", "allowed: key.created,"),
        ("colour=red", "colour"),
    ] {
        let (status, answer) = get(&world, &format!("/api/v1/audit?{wrong}")).await;
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(status == StatusCode::BAD_REQUEST && message.contains(says), "{wrong}: {message}");
    }
}

#[tokio::test]
async fn the_trail_is_verified() {
    let world = world().await;
    let verify = async |head: &str| get(&world, &format!("/api/v1/audit/verify{head}")).await;
    let (status, empty) = verify("").await;
    assert_eq!((status, &empty["rows"]), (StatusCode::OK, &json!(0)));
    ask(&world, Method::POST, "/api/v1/keys", json!({"tenant": "acme", "name": "ci"})).await;
    let (_, whole) = verify("").await;
    assert_eq!((&whole["verdict"], &whole["rows"]), (&json!("whole"), &json!(1)));
    let head = whole["head"].as_str().unwrap();
    assert_eq!(verify(&format!("?head={head}")).await.1, whole);
    let later = head.replacen("1:", "3:", 1);
    let cut = json!({"verdict": "broken", "seq": 2, "why": "cut"});
    assert_eq!(verify(&format!("?head={later}")).await, (StatusCode::OK, cut));
    for wrong in ["?head=3", "?head=", "?colour=red"] {
        assert_eq!(verify(wrong).await.0, StatusCode::BAD_REQUEST, "{wrong}");
    }
}
