use super::*;
use crate::generation::{self, LIVE_NAME};
use crate::spool::tests::line;
use std::io::Write;

fn new_key(id: &str) -> NewKey {
    NewKey {
        id: id.to_owned(),
        sha256: format!("{id:0>64}"),
        name: id.to_owned(),
        tenant: "acme".to_owned(),
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

#[tokio::test]
async fn who_waits_for_the_keyring_is_woken_by_a_change_and_by_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path()).await.unwrap();
    let mut watch = ledger.watch_keyring();
    ledger.create_key(new_key("k1")).await.unwrap();
    assert!(watch.has_changed().unwrap());
    assert_eq!(*watch.borrow_and_update(), 1);
    assert_eq!(ledger.revoke_key("k2", 2).await.unwrap(), Revocation::Unknown);
    assert!(matches!(ledger.create_key(new_key("k1")).await, Err(Error::KeyExists)));
    ledger.set_static_keys(Vec::new(), 2).await.unwrap();
    assert!(!watch.has_changed().unwrap());
    ledger.clone().revoke_key("k1", 2).await.unwrap();
    assert_eq!(*watch.borrow_and_update(), 2);
    drop(ledger);
    let again = Ledger::open(data.path()).await.unwrap();
    assert_eq!(*again.watch_keyring().borrow(), 2);
}

#[tokio::test]
async fn a_rotation_wakes_who_waits_for_the_keyring() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path()).await.unwrap();
    ledger.create_key(new_key("k1")).await.unwrap();
    let mut watch = ledger.watch_keyring();
    let secret = NewSecret { id: "k2".to_owned(), sha256: format!("{:0>64}", "k2") };
    let rotation = ledger.rotate_key("k1", secret, 60, 2).await.unwrap();
    assert!(matches!(rotation, Rotation::Rotated { old_valid_until_s: 62, .. }), "{rotation:?}");
    assert!(watch.has_changed().unwrap());
    assert_eq!(*watch.borrow_and_update(), 3);
    assert_eq!(ledger.keys_in_force().await.unwrap(), 2);
}

#[tokio::test]
async fn what_was_written_is_posted_once_it_caught_up() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path()).await.unwrap();
    let reader = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.tail().await }
    });
    let live = ledger.spool_folder().join(LIVE_NAME);
    for n in 1..=3_usize {
        let mut file = std::fs::File::options().create(true).append(true).open(&live).unwrap();
        file.write_all(line("End", &format!("r{n}"), true, 1).as_bytes()).unwrap();
        assert!(ledger.catch_up(Duration::from_secs(10)).await);
        assert_eq!(ledger.usage(&UsageFilter::default()).await.unwrap().len(), n);
    }
    let status = ledger.status().await.unwrap();
    assert_eq!((status.lag_bytes, status.counts.lines), (0, 3));
    assert_eq!(status.position.offset, generation::live_bytes(ledger.spool_folder()).unwrap());
    reader.abort();
    assert!(reader.await.unwrap_err().is_cancelled());
    assert!(!ledger.catch_up(Duration::from_millis(200)).await);
}

#[tokio::test]
async fn prices_are_looked_up_by_their_version() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path()).await.unwrap();
    let prices =
        Prices { input: 1_000_000, cached_input: 0, output: 2_000_000, ..Prices::default() };
    ledger.record_prices(&[prices]).await.unwrap();
    let version = format!(r#"\"key\":\"k1\",\"price_version\":\"{}\""#, prices.version());
    let priced = line("End", "a", true, 5).replace(r#"\"key\":\"k1\""#, &version);
    let unpriced = priced.replace(r#""id":"a""#, r#""id":"b""#).replace("-o2000000", "-o9");
    std::fs::write(ledger.spool_folder().join(LIVE_NAME), priced + &unpriced).unwrap();
    let mut tail = Tail::new(Arc::clone(&ledger.store), ledger.spool.clone(), ledger.spool_id());
    tail.step(std::time::Instant::now()).await.unwrap();
    let sums = ledger.usage_sums(&UsageFilter::default(), GroupBy::Tenant).await.unwrap();
    assert_eq!((sums[0].requests, sums[0].cost_nanodollars), (2, 11));
    assert_eq!(ledger.status().await.unwrap().counts.unpriced, 1);
}
