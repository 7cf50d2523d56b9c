//! The weights of a split, moved by the API.

use super::{World, ask, get, world};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

const CHAT: &str = "/api/v1/rollouts/chat";

async fn with_splits() -> World {
    let world = world().await;
    let of = |pools: &[(&str, u32)]| {
        pools.iter().map(|(pool, weight)| ((*pool).to_owned(), *weight)).collect()
    };
    world.splits.send_replace(
        [
            ("chat".to_owned(), of(&[("a", 95), ("b", 5)])),
            ("gpt-4o*".to_owned(), of(&[("a", 1), ("b", 1)])),
            ("one".to_owned(), of(&[("a", 1)])),
        ]
        .into(),
    );
    world
}

#[tokio::test]
async fn weights_are_set_switched_undone_and_reset() {
    let world = with_splits().await;
    let (_, all) = get(&world, "/api/v1/rollouts").await;
    let untouched = json!({"model": "chat", "weights": {"a": 95, "b": 5},
        "configured": {"a": 95, "b": 5}, "moved": false, "unfit": null, "at": null, "steps_to_undo": 0});
    assert_eq!(all[0], untouched);
    assert_eq!((all[1]["model"].as_str(), all.as_array().unwrap().len()), (Some("gpt-4o*"), 2));

    let (status, row) = ask(&world, Method::PUT, CHAT, json!({"weights": {"b": 10}})).await;
    assert_eq!(status, StatusCode::OK, "{row}");
    assert_eq!((&row["weights"], &row["moved"]), (&json!({"a": 95, "b": 10}), &json!(true)));
    assert!(row["at"].is_string() && row["steps_to_undo"] == 1, "{row}");

    let switch = format!("{CHAT}/switch");
    let (_, row) = ask(&world, Method::POST, &switch, json!({"pool": "b"})).await;
    assert_eq!(row["weights"], json!({"a": 0, "b": 100}));
    let undo = format!("{CHAT}/undo");
    let (_, row) = ask(&world, Method::POST, &undo, Value::Null).await;
    assert_eq!(row["weights"], json!({"a": 95, "b": 10}));
    let (_, row) = ask(&world, Method::DELETE, CHAT, Value::Null).await;
    assert_eq!((&row["weights"], &row["moved"]), (&json!({"a": 95, "b": 5}), &json!(false)));
    let (_, row) = ask(&world, Method::POST, &undo, Value::Null).await;
    assert_eq!(row["weights"], json!({"a": 95, "b": 10}));
    let (_, row) = ask(&world, Method::POST, &undo, Value::Null).await;
    assert_eq!((&row["weights"], &row["steps_to_undo"]), (&json!({"a": 95, "b": 5}), &json!(0)));
    let (status, problem) = ask(&world, Method::POST, &undo, Value::Null).await;
    assert_eq!((status, &problem["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    let (_, trail) = get(&world, "/api/v1/audit").await;
    let actions: Vec<_> =
        trail.as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    let expected = ["set", "set", "undone", "reset", "undone", "undone"];
    assert_eq!(actions, expected.map(|action| format!("rollout.{action}")));
}

#[tokio::test]
async fn a_family_is_named_by_its_pattern() {
    let world = with_splits().await;
    let path = "/api/v1/rollouts/gpt-4o%2A";
    let (status, row) = ask(&world, Method::PUT, path, json!({"weights": {"a": 3}})).await;
    assert_eq!((status, &row["weights"]), (StatusCode::OK, &json!({"a": 3, "b": 1})));
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let world = with_splits().await;
    let switch = format!("{CHAT}/switch");
    let table = [
        (Method::PUT, CHAT, json!({"weights": {"c": 1}}), 400, "its pools are a, b"),
        (Method::PUT, CHAT, json!({"weights": {"a": 0, "b": 0}}), 400, "all are 0"),
        (Method::PUT, CHAT, json!({"weights": {"a": 1_000_001}}), 400, "0 to 1000000"),
        (Method::PUT, CHAT, json!({"weights": {"a": -1}}), 422, "invalid value"),
        (Method::PUT, CHAT, json!({"weights": {}}), 400, "at least one pool"),
        (Method::PUT, CHAT, json!({"wights": {"a": 1}}), 422, "unknown field"),
        (Method::POST, &switch, json!({"pool": "c"}), 400, "is not in the split"),
        (Method::PUT, "/api/v1/rollouts/none", json!({"weights": {"a": 1}}), 404, "no model"),
        (Method::POST, "/api/v1/rollouts/none/undo", Value::Null, 404, "no model"),
        (Method::PUT, "/api/v1/rollouts/one", json!({"weights": {"a": 2}}), 400, "one pool alone"),
        (Method::DELETE, "/api/v1/rollouts/one", Value::Null, 400, "one pool alone"),
    ];
    for (method, path, body, expected, words) in table {
        let (status, problem) = ask(&world, method, path, body.clone()).await;
        let message = problem["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(status.as_u16(), expected, "{path} {body}: {problem}");
        assert!(message.contains(words), "{message}");
    }
    assert!(world.ledger.weights().await.unwrap().is_empty());
}

#[tokio::test]
async fn two_who_move_a_pool_each_at_once_are_both_heard() {
    let world = with_splits().await;
    for round in 1..=5 {
        let (a, b) = (10 * round, 10 * round + 1);
        let put = |pool: &str, weight: u32| {
            ask(&world, Method::PUT, CHAT, json!({"weights": {pool: weight}}))
        };
        let (one, two) = tokio::join!(put("a", a), put("b", b));
        assert_eq!((one.0, two.0), (StatusCode::OK, StatusCode::OK), "{one:?} {two:?}");
        let (_, row) = get(&world, CHAT).await;
        assert_eq!(row["weights"], json!({"a": a, "b": b}));
    }
}

/// The split of `chat` as the configuration has it from now on; `None`: it is gone.
fn reconfigure(world: &World, split: Option<&[(&str, u32)]>) {
    world.splits.send_modify(|splits| {
        splits.remove("chat");
        let of = |split: &[(&str, u32)]| {
            split.iter().map(|(pool, weight)| ((*pool).to_owned(), *weight)).collect()
        };
        splits.extend(split.map(|split| ("chat".to_owned(), of(split))));
    });
}

const TWO: &[(&str, u32)] = &[("a", 95), ("b", 5)];
const THREE: &[(&str, u32)] = &[("a", 95), ("b", 5), ("c", 1)];

#[tokio::test]
async fn steps_that_do_not_fit_the_configuration_do_not_hold_until_they_fit_again() {
    let world = with_splits().await;
    ask(&world, Method::PUT, CHAT, json!({"weights": {"b": 10}})).await;
    let unfit = json!({"a": 95, "b": 10});
    let table = [
        (Some(THREE), json!({"a": 95, "b": 5, "c": 1}), false, &unfit),
        (Some(&[("a", 1)]), json!({"a": 1}), false, &unfit),
        (None, json!({}), false, &unfit),
        (Some(TWO), json!({"a": 95, "b": 10}), true, &Value::Null),
        (Some(&[("a", 1), ("b", 1)]), json!({"a": 95, "b": 10}), true, &Value::Null),
    ];
    for (split, weights, moved, unfit) in table {
        reconfigure(&world, split);
        let (_, all) = get(&world, "/api/v1/rollouts").await;
        let row = all.as_array().unwrap().iter().find(|row| row["model"] == "chat").unwrap();
        let seen = (&row["weights"], &row["moved"], &row["unfit"]);
        assert_eq!(seen, (&weights, &json!(moved), unfit));
    }
    let trail = get(&world, "/api/v1/audit").await.1;
    assert_eq!(trail.as_array().map(Vec::len), Some(1), "{trail}");
}

#[tokio::test]
async fn what_does_not_fit_goes_by_command() {
    let table = [
        (Some(THREE), Method::PUT, json!({"weights": {"c": 7}}), json!({"a": 95, "b": 5, "c": 7})),
        (Some(THREE), Method::DELETE, Value::Null, json!({"a": 95, "b": 5, "c": 1})),
        (Some(&[("a", 1)]), Method::DELETE, Value::Null, json!({"a": 1})),
        (None, Method::DELETE, Value::Null, json!({})),
    ];
    for (split, method, body, weights) in table {
        let world = with_splits().await;
        ask(&world, Method::PUT, CHAT, json!({"weights": {"b": 10}})).await;
        reconfigure(&world, split);
        let (status, row) = ask(&world, method.clone(), CHAT, body).await;
        assert_eq!((status, &row["unfit"]), (StatusCode::OK, &Value::Null), "{method} {split:?}");
        assert_eq!(row["weights"], weights, "{method} {split:?}");
        // A reset has no more to do, and is of nothing that the configuration has.
        reconfigure(&world, None);
        let again = ask(&world, Method::DELETE, CHAT, Value::Null).await;
        let expected = if method == Method::PUT { StatusCode::OK } else { StatusCode::NOT_FOUND };
        assert_eq!(again.0, expected, "{method} {split:?}");
    }
}
