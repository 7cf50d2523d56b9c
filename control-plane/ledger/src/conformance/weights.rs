//! Weights of splits, and the way back.

use crate::audit::{Actor, AuditFilter};
use crate::store::Store;
use crate::weights::{Cause, WeightChange, Weights};

const AT_MS: u64 = 1_796_000_000_000;

fn split(a: u32, b: u32) -> Weights {
    Weights::from([("a".to_owned(), a), ("b".to_owned(), b)])
}

fn change(model: &str, weights: Option<Weights>, cause: Cause) -> WeightChange {
    WeightChange { model: model.to_owned(), weights, cause, actor: Actor::Admin, at_ms: AT_MS }
}

async fn set(store: &impl Store, model: &str, weights: Weights) -> bool {
    store.change_weights(&change(model, Some(weights), Cause::Set)).await.unwrap()
}

async fn undo(store: &impl Store, model: &str) -> bool {
    store.undo_weights(model, Actor::Admin, AT_MS + 1).await.unwrap()
}

/// The weights of a model, and the steps that can be taken back.
async fn standing(store: &impl Store, model: &str) -> (Option<Weights>, u64) {
    let all = store.weights().await.unwrap();
    let one = all.into_iter().find(|one| one.model == model).unwrap();
    (one.weights, one.steps_to_undo)
}

pub async fn steps_are_taken_back_the_last_one_first(store: &impl Store) {
    assert_eq!(
        (store.weights().await.unwrap(), store.weights_version().await.unwrap()),
        (vec![], 0)
    );
    assert!(!undo(store, "chat").await);
    assert!(set(store, "chat", split(90, 10)).await);
    assert!(set(store, "other", split(1, 1)).await);
    assert!(set(store, "chat", split(50, 50)).await);
    // What holds already is no step.
    assert!(!set(store, "chat", split(50, 50)).await);
    assert_eq!(standing(store, "chat").await, (Some(split(50, 50)), 2));
    assert!(undo(store, "chat").await);
    assert_eq!(standing(store, "chat").await, (Some(split(90, 10)), 1));
    // A step after one that was taken back goes on from there.
    assert!(set(store, "chat", split(0, 100)).await);
    assert!(undo(store, "chat").await);
    assert_eq!(standing(store, "chat").await, (Some(split(90, 10)), 1));
    assert!(undo(store, "chat").await);
    assert_eq!(standing(store, "chat").await, (None, 0));
    assert!(!undo(store, "chat").await);
    assert_eq!(standing(store, "other").await, (Some(split(1, 1)), 1));
    // Every step is news for other control planes, one back as well.
    assert_eq!(store.weights_version().await.unwrap(), 7);
}

pub async fn a_reset_can_be_taken_back_and_a_drop_cannot(store: &impl Store) {
    let reset = change("chat", None, Cause::Reset);
    assert!(!store.change_weights(&reset).await.unwrap());
    set(store, "chat", split(90, 10)).await;
    assert!(store.change_weights(&reset).await.unwrap());
    assert_eq!(standing(store, "chat").await, (None, 2));
    assert!(undo(store, "chat").await);
    assert_eq!(standing(store, "chat").await, (Some(split(90, 10)), 1));
    let dropped = WeightChange { actor: Actor::Config, ..change("chat", None, Cause::Dropped) };
    assert!(store.change_weights(&dropped).await.unwrap());
    assert_eq!(standing(store, "chat").await, (None, 0));
    assert!(!undo(store, "chat").await);
}

pub async fn steps_are_noted_with_what_was_before(store: &impl Store) {
    set(store, "chat", split(90, 10)).await;
    undo(store, "chat").await;
    let all = AuditFilter { limit: 9, ..AuditFilter::default() };
    let rows = store.audit(&all).await.unwrap();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.action.as_str(), row.subject.as_str(), row.detail.to_string()))
        .collect();
    let (set, none) = (r#"{"a":90,"b":10}"#, "null");
    let detail = |before, after| format!(r#"{{"after":{after},"before":{before}}}"#);
    let expected =
        [("rollout.set", "chat", detail(none, set)), ("rollout.undone", "chat", detail(set, none))];
    assert_eq!(seen, expected);
    // What changes nothing is not noted.
    assert!(!undo(store, "chat").await);
    assert_eq!(store.audit(&all).await.unwrap().len(), 2);
}
