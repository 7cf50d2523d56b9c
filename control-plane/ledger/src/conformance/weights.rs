//! Weights of splits, and the way back.

use crate::audit::{Actor, AuditFilter};
use crate::error::Error;
use crate::store::Store;
use crate::weights::{Cause, WeightChange, Weights};

const AT_MS: u64 = 1_796_000_000_000;

fn split(a: u32, b: u32) -> Weights {
    Weights::from([("a".to_owned(), a), ("b".to_owned(), b)])
}

fn one(pool: &str, weight: u32) -> Weights {
    Weights::from([(pool.to_owned(), weight)])
}

async fn change(store: &impl Store, model: &str, cause: Cause) -> Result<bool, Error> {
    let (model, actor, at_ms) = (model.to_owned(), Actor::Admin, AT_MS);
    store.change_weights(&WeightChange { model, cause, actor, at_ms }).await
}

async fn try_set(store: &impl Store, model: &str, weights: Weights) -> Result<bool, Error> {
    change(store, model, Cause::Set { weights, configured: split(95, 5) }).await
}

async fn set(store: &impl Store, model: &str, weights: Weights) -> bool {
    try_set(store, model, weights).await.unwrap()
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

pub async fn a_reset_can_be_taken_back(store: &impl Store) {
    assert!(!change(store, "chat", Cause::Reset).await.unwrap());
    set(store, "chat", split(90, 10)).await;
    assert!(change(store, "chat", Cause::Reset).await.unwrap());
    assert_eq!(standing(store, "chat").await, (None, 2));
    assert!(undo(store, "chat").await);
    assert_eq!(standing(store, "chat").await, (Some(split(90, 10)), 1));
}

pub async fn of_two_who_move_a_pool_each_both_are_heard(store: &impl Store) {
    for round in 1..=5 {
        let (a, b) = (10 * round, 10 * round + 1);
        let both = tokio::join!(set(store, "chat", one("a", a)), set(store, "chat", one("b", b)));
        assert_eq!(both, (true, true));
        assert_eq!(standing(store, "chat").await, (Some(split(a, b)), u64::from(2 * round)));
    }
}

pub async fn nobody_takes_all_requests_away(store: &impl Store) {
    let none = |result: &Result<bool, Error>| matches!(result, Err(Error::NoShare));
    let both =
        tokio::join!(try_set(store, "chat", one("a", 0)), try_set(store, "chat", one("b", 0)));
    assert!(none(&both.0) ^ none(&both.1), "{both:?}");
    let expected = if none(&both.0) { split(95, 0) } else { split(0, 5) };
    assert_eq!(standing(store, "chat").await, (Some(expected), 1));
    assert_eq!(
        store.audit(&AuditFilter { limit: 9, ..AuditFilter::default() }).await.unwrap().len(),
        1
    );
}

pub async fn what_does_not_fit_is_kept_until_a_command(store: &impl Store) {
    set(store, "chat", split(90, 10)).await;
    // Of another control plane, whose split has other pools: it begins at its own.
    let configured = Weights::from([("a".to_owned(), 3), ("c".to_owned(), 4)]);
    let other = Cause::Set { weights: one("c", 7), configured };
    assert!(change(store, "chat", other).await.unwrap());
    let moved = Weights::from([("a".to_owned(), 3), ("c".to_owned(), 7)]);
    assert_eq!(standing(store, "chat").await, (Some(moved), 2));
    assert!(undo(store, "chat").await);
    assert_eq!(standing(store, "chat").await, (Some(split(90, 10)), 1));
    assert!(change(store, "chat", Cause::Reset).await.unwrap());
    assert_eq!(standing(store, "chat").await, (None, 2));
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
