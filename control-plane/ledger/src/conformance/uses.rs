//! What the postings tell of credentials.

use super::{at, digest, entry, new_key, posting};
use crate::audit::{Action, AuditFilter};
use crate::record::UsageRecord;
use crate::record::tests::record;
use crate::store::{Batch, Store};
use serde_json::json;

/// The first millisecond of a day in UTC.
const DAY_MS: u64 = 1_795_219_200_000;

fn used(id: &str, key: &str, at_ms: u64) -> UsageRecord {
    UsageRecord { key: key.to_owned(), at_ms, ..record(id) }
}

pub async fn a_key_shows_when_it_was_last_used(store: &impl Store) {
    for id in ["k1", "k2", "k3"] {
        store.create_key(&new_key(id, "acme")).await.unwrap();
    }
    store.set_static_keys(&[(digest("ci"), entry("ci", "acme"))], 1_200).await.unwrap();
    store.revoke_key("k2", 1_500).await.unwrap();
    let version = store.keyring_version().await.unwrap();
    let batch = posting(
        at(1, 0),
        at(1, 9),
        vec![
            used("a", "k1", 5_900),
            used("b", "k1", 7_999),
            used("c", "k1", 6_000),
            used("d", "k2", 1_400),
            used("e", "ci", 8_000),
            used("f", "jwt:https://login.example", 9_000),
        ],
    );
    store.commit(&batch).await.unwrap();
    // What is read later may have happened before.
    store.commit(&posting(at(1, 9), at(1, 18), vec![used("g", "k1", 3_000)])).await.unwrap();
    let seen = async || -> Vec<_> {
        let keys = store.list_keys(None).await.unwrap();
        keys.into_iter().map(|key| (key.id, key.last_used_at_s)).collect()
    };
    let expected =
        [("k1", Some(7)), ("k2", Some(1)), ("k3", None), ("ci", Some(8))].map(own).to_vec();
    assert_eq!(seen().await, expected);
    assert_eq!(store.keyring_version().await.unwrap(), version);
    // A key of the configuration that gets another role was used all the same.
    let other = contract::keyring::KeyEntry { roles: Vec::new(), ..entry("ci", "acme") };
    store.set_static_keys(&[(digest("ci"), other)], 1_300).await.unwrap();
    assert_eq!(seen().await, expected);
}

fn own((id, at_s): (&str, Option<u64>)) -> (String, Option<u64>) {
    (id.to_owned(), at_s)
}

pub async fn the_first_use_on_a_day_is_noted(store: &impl Store) {
    let batch = posting(
        at(1, 0),
        at(1, 9),
        vec![
            used("a", "k1", DAY_MS + 5),
            used("b", "k1", DAY_MS + 2),
            used("c", "partner", DAY_MS + 3),
            used("d", "k1", DAY_MS - 1),
            UsageRecord { tenant: "zeta".to_owned(), ..used("e", "k1", DAY_MS + 4) },
        ],
    );
    store.commit(&batch).await.unwrap();
    let later = vec![used("f", "k1", DAY_MS + 1), used("g", "k1", DAY_MS + 86_400_000)];
    store.commit(&posting(at(1, 9), at(1, 18), later)).await.unwrap();
    let again = Batch { recovery: true, ..posting(at(1, 18), at(1, 18), batch.records) };
    store.commit(&again).await.unwrap();
    let filter = AuditFilter { limit: 99, ..AuditFilter::default() };
    let rows = store.audit(&filter).await.unwrap();
    let said: Vec<_> =
        rows.iter().map(|row| (row.subject.as_str(), row.at_ms, row.detail.clone())).collect();
    let (acme, zeta) = (json!({"tenant": "acme"}), json!({"tenant": "zeta"}));
    let expected = [
        ("k1", DAY_MS - 1, acme.clone()),
        ("k1", DAY_MS + 2, acme.clone()),
        ("partner", DAY_MS + 3, acme.clone()),
        ("k1", DAY_MS + 4, zeta),
        ("k1", DAY_MS + 86_400_000, acme),
    ];
    assert_eq!(said, expected);
    assert!(rows.iter().all(|row| row.action == Action::AuthAccepted.as_str()));
}
