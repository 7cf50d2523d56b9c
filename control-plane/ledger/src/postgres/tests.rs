//! What is PostgreSQL's alone; the rest is the suite of all stores.

pub(crate) mod database;
mod racing;
mod restarting;

use super::*;
use crate::conformance;
use crate::record::UsageFilter;
use crate::store::Store;
use crate::tail::Tail;
use crate::verify::{self, Verification};
use crate::{Ledger, generation, spool};
use database::Database;

/// What a verification says of the books; no spool is looked at.
pub(crate) async fn verified(store: &dyn Store) -> Verification {
    let nothing = tempfile::tempdir().unwrap();
    verify::verify(store, nothing.path(), "no spool").await.unwrap()
}

#[tokio::test]
async fn conforms() {
    let mut databases = Vec::new();
    conformance::all(async || {
        let database = Database::new().await;
        let store = database.store().await;
        databases.push(database);
        store
    })
    .await;
}

#[tokio::test]
async fn opening_again_keeps_what_is_there() {
    let database = Database::new().await;
    let first = database.store().await;
    let epoch = first.keyring_since(None, 0, 1).await.unwrap().epoch;
    first.close().await;
    let second = database.store().await;
    assert_eq!(second.keyring_since(None, 0, 1).await.unwrap().epoch, epoch);
    assert_eq!(epoch.len(), 2 * keys::EPOCH_BYTES);
}

#[tokio::test]
async fn stores_that_open_one_new_database_at_once_make_one_ledger() {
    let database = Database::new().await;
    let opening = (0..6).map(|_| {
        let url = database.url();
        tokio::spawn(async move { PostgresStore::open(&url).await.unwrap() })
    });
    let mut epochs = std::collections::HashSet::new();
    for opened in opening.collect::<Vec<_>>() {
        let store = opened.await.unwrap();
        epochs.insert(store.keyring_since(None, 0, 1).await.unwrap().epoch);
        store.close().await;
    }
    assert_eq!(epochs.len(), 1);
}

#[tokio::test]
async fn commits_are_on_disk_and_a_silent_writer_gives_the_lock_back() {
    let database = Database::new().await;
    let store = database.store().await;
    for pool in [&store.writer, &store.reader] {
        for (name, expected) in SETTINGS {
            let value: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(name)
                .fetch_one(pool)
                .await
                .unwrap();
            assert_eq!(value, expected, "{name}");
        }
    }
}

#[tokio::test]
async fn an_address_that_is_none_says_so_without_its_password() {
    let failed = PostgresStore::open("postgres://u:secret-word@127.0.0.1:bad/x").await;
    let said = failed.unwrap_err().to_string();
    assert!(said.contains("address") && !said.contains("secret-word"), "{said}");
}

#[test]
fn what_cannot_hold_a_ledger_is_refused() {
    assert!(fit(150_000, "UTF8").is_ok() && fit(180_001, "UTF8").is_ok());
    assert!(matches!(fit(149_999, "UTF8"), Err(Error::Unfit(_))));
    assert!(matches!(fit(150_000, "SQL_ASCII"), Err(Error::Unfit(_))));
}

/// A client can put U+0000 into the name of a model, and PostgreSQL cannot hold it.
#[tokio::test]
async fn no_clients_text_stops_the_spool() {
    let database = Database::new().await;
    let data = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(database.store().await);
    let ledger = Ledger::over(store.clone(), data.path().to_owned()).await.unwrap();
    let line = spool::tests::line("End", "r", true, 5);
    let model = r#"\"key\":\"k1\",\"model\":\"a\\u0000b\""#;
    let odd = line.replace(r#"\"key\":\"k1\""#, model);
    assert_ne!(odd, line);
    std::fs::write(data.path().join(generation::LIVE_NAME), odd).unwrap();
    let mut tail = Tail::new(store, data.path().to_owned(), ledger.spool_id());
    tail.step(std::time::Instant::now()).await.unwrap();
    let records = ledger.usage(&UsageFilter::default()).await.unwrap();
    assert_eq!(records[0].model.as_deref(), Some("a\u{fffd}b"));
}
