//! A key is replaced by another.

use super::{change, digest, entry, new_key};
use crate::budget::{Budget, Per};
use crate::error::Error;
use crate::key::{Key, NewSecret, Rotation};
use crate::store::Store;
use contract::keyring::KeyEntry;

/// When the keys of [`new_key`] are rotated, and when they end by themselves.
const AT_S: u64 = 1_500;
const END_S: u64 = 2_000_000_000;

fn secret(id: &str) -> NewSecret {
    NewSecret { id: id.to_owned(), sha256: digest(id) }
}

async fn rotated(store: &impl Store, id: &str, new: &str, overlap_s: u64) -> (Key, u64) {
    match store.rotate_key(id, &secret(new), overlap_s, AT_S).await.unwrap() {
        Rotation::Rotated { key, old_valid_until_s } => (*key, old_valid_until_s),
        other => panic!("{other:?}"),
    }
}

pub async fn an_old_key_ends_and_a_new_one_takes_over(store: &impl Store) {
    store.create_key(&new_key("k1", "acme")).await.unwrap();
    let epoch = store.keyring_since(None, 0, 1).await.unwrap().epoch;
    let (key, until_s) = rotated(store, "k1", "k2", 3_600).await;
    assert_eq!(until_s, AT_S + 3_600);
    let expected = Key {
        id: "k2".to_owned(),
        name: "name of k1".to_owned(),
        tenant: "acme".to_owned(),
        user: Some("ann".to_owned()),
        roles: vec!["user".to_owned()],
        models: vec!["llama*".to_owned()],
        masking: Some("strict".to_owned()),
        limits: Some("slow".to_owned()),
        budget: Some(Budget { nanodollars: 5_000, per: Per::Day }),
        configured: false,
        created_at_s: AT_S,
        expires_at_s: Some(END_S),
        revoked_at_s: None,
        last_used_at_s: None,
        rotated_from: Some("k1".to_owned()),
        replaced_by: None,
    };
    assert_eq!(key, expected);
    let listed = store.list_keys(None).await.unwrap();
    assert_eq!(listed[1], expected);
    let old = (listed[0].replaced_by.as_deref(), listed[0].expires_at_s, listed[0].revoked_at_s);
    assert_eq!(old, (Some("k2"), Some(until_s), None));
    // The new one comes first, so that no gateway knows neither.
    let delta = store.keyring_since(Some(&epoch), 1, 9).await.unwrap();
    let ending = KeyEntry { expires_at_s: Some(until_s), ..entry("k1", "acme") };
    assert_eq!(
        delta.changes,
        [change("k2", Some(entry("k2", "acme"))), change("k1", Some(ending))]
    );
    assert_eq!(delta.version, 3);
}

pub async fn an_old_key_that_ends_sooner_still_does(store: &impl Store) {
    store.create_key(&new_key("k1", "acme")).await.unwrap();
    assert_eq!(rotated(store, "k1", "k2", u64::MAX).await.1, END_S);
    // One without an end gets one, and its successor has none.
    let endless = crate::key::NewKey { expires_at_s: None, ..new_key("k3", "acme") };
    store.create_key(&endless).await.unwrap();
    let (key, until_s) = rotated(store, "k3", "k4", 60).await;
    assert_eq!((key.expires_at_s, until_s), (None, AT_S + 60));
}

pub async fn without_overlap_the_old_key_is_void(store: &impl Store) {
    store.create_key(&new_key("k1", "acme")).await.unwrap();
    assert_eq!(rotated(store, "k1", "k2", 0).await.1, AT_S);
    assert_eq!(store.key_by_digest(&digest("k1")).await.unwrap(), None);
    assert_eq!(store.key_by_digest(&digest("k2")).await.unwrap(), Some(entry("k2", "acme")));
    let delta = store.keyring_since(None, 0, 9).await.unwrap();
    assert_eq!(delta.changes.last(), Some(&change("k1", None)));
    assert_eq!(store.list_keys(None).await.unwrap()[0].revoked_at_s, Some(AT_S));
}

pub async fn what_is_not_rotated(store: &impl Store) {
    for id in ["live", "revoked", "rotated"] {
        store.create_key(&new_key(id, "acme")).await.unwrap();
    }
    store.revoke_key("revoked", 1_200).await.unwrap();
    rotated(store, "rotated", "next", 60).await;
    store.set_static_keys(&[(digest("ci"), entry("ci", "acme"))], 1_200).await.unwrap();
    let before = (store.keyring_version().await.unwrap(), store.audit_head().await.unwrap());
    let by = || Rotation::Replaced { by: "next".to_owned() };
    for (id, at_s, expected) in [
        ("nobody", AT_S, Rotation::Unknown),
        ("revoked", AT_S, Rotation::Revoked),
        ("rotated", AT_S, by()),
        ("rotated", END_S, by()),
        ("live", END_S, Rotation::Expired),
        ("ci", AT_S, Rotation::Configured),
    ] {
        let rotation = store.rotate_key(id, &secret("new"), 60, at_s).await.unwrap();
        assert_eq!(rotation, expected, "{id} {at_s}");
    }
    let taken = NewSecret { id: "next".to_owned(), sha256: digest("new") };
    let taken = store.rotate_key("live", &taken, 60, AT_S).await;
    assert!(matches!(taken, Err(Error::KeyExists)));
    let after = (store.keyring_version().await.unwrap(), store.audit_head().await.unwrap());
    assert_eq!(after, before);
}
