//! A server that dies and comes back while usage is posted.

use super::database::made;
use super::verified;
use crate::error::Error;
use crate::postgres::PostgresStore;
use crate::record::tests::record;
use crate::record::{GroupBy, UsageFilter};
use crate::store::{Batch, Position, Store};
use postgres_server::{PostgresServer, Shutdown};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const SPOOL: &str = "s";

const RECORDS_PER_BATCH: u64 = 20;

/// Batches that are posted before the server is ended again, and after it.
const BATCHES_BETWEEN: u64 = 15;

const RESTARTS: u64 = 2;

/// Posts batches until `total` are, as the reader of a spool does: after any error it asks
/// where the spool's position is.
async fn post_all(store: PostgresStore, total: u64, posted: Arc<AtomicU64>) {
    loop {
        match post_next(&store).await {
            Ok(offset) => {
                posted.store(offset, Ordering::Release);
                if offset == total {
                    return;
                }
            }
            Err(Error::PositionMoved) => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// Posts the batch that the position says; returns how many are.
async fn post_next(store: &PostgresStore) -> Result<u64, Error> {
    let from = store.position(SPOOL).await?;
    let to = Position { offset: from.offset + 1, ..from };
    let records = (0..RECORDS_PER_BATCH).map(|n| record(&format!("{}/{n}", from.offset))).collect();
    let spool = SPOOL.to_owned();
    store.commit(&Batch { spool, records, ..Batch::moving(from, to) }).await?;
    Ok(to.offset)
}

async fn until(posted: &AtomicU64, many: u64) {
    let waited = async {
        while posted.load(Ordering::Acquire) < many {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waited).await.expect("nothing is posted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_under_load_loses_and_doubles_nothing() {
    let server = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap();
    let mut server = server.unwrap();
    let store = PostgresStore::open(&made(&server).await).await.unwrap();
    store.register_spool(SPOOL).await.unwrap();
    let (total, posted) = (BATCHES_BETWEEN * (RESTARTS + 1), Arc::new(AtomicU64::new(0)));
    let poster = tokio::spawn(post_all(store.clone(), total, Arc::clone(&posted)));
    for nth in 1..=RESTARTS {
        until(&posted, nth * BATCHES_BETWEEN).await;
        server = tokio::task::spawn_blocking(move || {
            server.restart(Shutdown::Immediate).unwrap();
            server
        })
        .await
        .unwrap();
    }
    poster.await.unwrap();
    let records = store.usage(&UsageFilter::default()).await.unwrap();
    let ids: HashSet<_> = records.iter().map(|record| record.id.as_str()).collect();
    let expected = total * RECORDS_PER_BATCH;
    assert_eq!((records.len() as u64, ids.len() as u64), (expected, expected));
    let sums = store.usage_sums(&UsageFilter::default(), GroupBy::Tenant).await.unwrap();
    let each = record("any").cost_nanodollars;
    assert_eq!(sums[0].cost_nanodollars, each * i64::try_from(expected).unwrap());
    let verification = verified(&store).await;
    assert!(verification.is_sound(), "{:?}", verification.faults);
}

/// A commit whose answer was lost was done or not; either way the position tells.
#[tokio::test]
async fn a_commit_that_is_tried_again_after_a_restart_is_done_once() {
    let mut server = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap().unwrap();
    let store = PostgresStore::open(&made(&server).await).await.unwrap();
    store.register_spool(SPOOL).await.unwrap();
    let from = store.position(SPOOL).await.unwrap();
    let moving = Batch::moving(from, Position { offset: 9, ..from });
    let batch = Batch { spool: SPOOL.to_owned(), records: vec![record("a")], ..moving };
    store.commit(&batch).await.unwrap();
    let server = tokio::task::spawn_blocking(move || {
        server.restart(Shutdown::Immediate).unwrap();
        server
    });
    let _server = server.await.unwrap();
    assert!(matches!(store.commit(&batch).await, Err(Error::PositionMoved)));
    let again = Batch { from: batch.to, to: Position { offset: 12, ..from }, ..batch };
    assert_eq!(store.commit(&again).await.unwrap().duplicates, 1);
    assert_eq!(store.usage(&UsageFilter::default()).await.unwrap().len(), 1);
}
