//! Several control planes on one database.

use super::database::Database;
use super::verified;
use crate::Ledger;
use crate::audit::{Action, Actor, AuditEvent, Verdict};
use crate::budget::{Budget, BudgetBook, Per};
use crate::conformance::new_key;
use crate::lease::LeaseAsk;
use crate::postgres::PostgresStore;
use crate::record::UsageFilter;
use crate::record::tests::record;
use crate::store::{Batch, Position, Store};
use crate::weights::{Cause, WeightChange, Weights};
use contract::lease::{Account, LeaseRequest, Leased, Wanted};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Control planes, and gateways of each.
const STORES: usize = 2;
const TASKS: usize = 8;

/// Times that each gateway asks.
const ROUNDS: u64 = 6;

/// Nano-dollars.
const LIMIT: u64 = 1_000_000;

const NOW_MS: u64 = 1_795_252_163_120;

async fn stores(database: &Database) -> Vec<Arc<PostgresStore>> {
    let mut stores = Vec::new();
    for _ in 0..STORES {
        stores.push(Arc::new(database.store().await));
    }
    stores
}

/// Runs `task` for each gateway of each control plane at once; what they return.
async fn at_once<T, F>(
    stores: &[Arc<PostgresStore>],
    task: impl Fn(Arc<PostgresStore>, usize, usize) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut running = Vec::new();
    for (of, store) in stores.iter().enumerate() {
        for nth in 0..TASKS {
            running.push(tokio::spawn(task(Arc::clone(store), of, nth)));
        }
    }
    let mut done = Vec::new();
    for each in running {
        done.push(each.await.unwrap());
    }
    done
}

/// All that a gateway is granted when it asks until there is no more.
async fn spend(store: Arc<PostgresStore>, of: usize, nth: usize) -> u64 {
    let account = Account::Tenant("acme".to_owned());
    let budget = Budget { nanodollars: LIMIT, per: Per::Total };
    let book = BudgetBook { accounts: [(account.clone(), budget)].into(), ..Default::default() };
    let (mut lease, mut all) = (0, 0);
    for round in 0..ROUNDS {
        let need = 1 + LIMIT / 100 * (round + nth as u64) / 8;
        let wanted = vec![Wanted { account: account.to_string(), need, lease }];
        let process = format!("gateway {of}/{nth}");
        let request = LeaseRequest { process, wanted, returned: Vec::new() };
        let ask = LeaseAsk { request, spool: format!("spool {of}"), generation: 1 };
        let answers = store.lease(&[ask], &book, NOW_MS).await.unwrap();
        match &answers[0].leases[..] {
            [Leased::Granted { lease: id, granted, .. }] => (lease, all) = (*id, *granted),
            [Leased::Exhausted { .. }] => break,
            other => panic!("{other:?}"),
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_of_two_control_planes_never_come_to_more_than_the_budget() {
    let database = Database::new().await;
    let stores = stores(&database).await;
    let granted = at_once(&stores, spend).await;
    assert_eq!(granted.iter().sum::<u64>(), LIMIT, "{granted:?}");
    let account = Account::Tenant("acme".to_owned());
    let budget = Budget { nanodollars: LIMIT, per: Per::Total };
    let book = BudgetBook { accounts: [(account, budget)].into(), ..Default::default() };
    for store in &stores {
        let standing = store.budgets(&book, NOW_MS).await.unwrap();
        assert_eq!((standing[0].held, standing[0].left), (LIMIT, 0));
        assert!(verified(store.as_ref()).await.is_sound());
    }
}

/// Reads a spool of its own with some records of its own, and one that all others have too.
async fn post(store: Arc<PostgresStore>, of: usize, nth: usize) {
    let spool = format!("spool {of}/{nth}");
    store.register_spool(&spool).await.unwrap();
    for round in 0..ROUNDS {
        let from = store.position(&spool).await.unwrap();
        assert_eq!(from.offset, round);
        let to = Position { offset: round + 1, ..from };
        let own = (0..5).map(|n| record(&format!("{of}/{nth}/{round}/{n}")));
        let records = own.chain([record(&format!("shared {round}"))]).collect();
        let batch = Batch { spool: spool.clone(), records, ..Batch::moving(from, to) };
        store.commit(&batch).await.unwrap();
        let event = AuditEvent::new(NOW_MS, Actor::System, Action::ControlStarted, &spool);
        store.note(&event).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spools_of_two_control_planes_make_one_chain_and_each_id_is_posted_once() {
    let database = Database::new().await;
    let stores = stores(&database).await;
    at_once(&stores, post).await;
    let tasks = (STORES * TASKS) as u64;
    let records = stores[0].usage(&UsageFilter::default()).await.unwrap();
    let ids: HashSet<_> = records.iter().map(|record| record.id.as_str()).collect();
    let expected = (tasks * 5 + 1) * ROUNDS;
    assert_eq!((records.len() as u64, ids.len() as u64), (expected, expected));
    assert_eq!(stores[1].counts().await.unwrap().duplicates, (tasks - 1) * ROUNDS);
    // One more row says that the key was used on this day.
    let verdict = stores[1].verify_audit(None).await.unwrap();
    assert!(
        matches!(verdict, Verdict::Whole { rows, .. } if rows == tasks * ROUNDS + 1),
        "{verdict:?}"
    );
    let verification = verified(stores[0].as_ref()).await;
    assert!(verification.is_sound(), "{:?}", verification.faults);
    assert_eq!(verification.records, expected);
}

/// Two that read the same spool: the second finds that the position has moved.
#[tokio::test]
async fn a_batch_is_posted_by_one_of_two() {
    let database = Database::new().await;
    let stores = stores(&database).await;
    stores[0].register_spool("s").await.unwrap();
    let from = stores[0].position("s").await.unwrap();
    let to = Position { offset: 9, ..from };
    let moving = Batch { spool: "s".to_owned(), ..Batch::moving(from, to) };
    let batch = Batch { records: vec![record("a")], ..moving };
    let (one, two) = tokio::join!(stores[0].commit(&batch), stores[1].commit(&batch));
    let moved =
        |result: &Result<_, crate::Error>| matches!(result, Err(crate::Error::PositionMoved));
    assert!(one.is_ok() ^ two.is_ok() && (moved(&one) ^ moved(&two)), "{one:?} {two:?}");
    assert_eq!(stores[0].usage(&UsageFilter::default()).await.unwrap().len(), 1);
}

/// A key that one control plane makes or revokes reaches the gateways of the other, and so
/// do weights.
#[tokio::test]
async fn what_another_control_plane_changes_is_followed() {
    let database = Database::new().await;
    let (data, stores) = (tempfile::tempdir().unwrap(), stores(&database).await);
    let mut ledgers = Vec::new();
    for (nth, store) in stores.into_iter().enumerate() {
        let spool = data.path().join(nth.to_string());
        std::fs::create_dir(&spool).unwrap();
        ledgers.push(Ledger::over(store, spool).await.unwrap());
    }
    assert_ne!(ledgers[0].spool_id(), ledgers[1].spool_id());
    let mut watch = ledgers[1].watch_keyring();
    let follower = ledgers[1].clone();
    let following = tokio::spawn(async move { follower.follow_others().await });
    let key = new_key("k1", "acme");
    ledgers[0].create_key(key).await.unwrap();
    for version in 1..=2 {
        let told =
            tokio::time::timeout(Duration::from_secs(30), watch.wait_for(|at| *at == version));
        assert!(told.await.unwrap().is_ok());
        ledgers[0].revoke_key("k1", 2).await.unwrap();
    }
    let epoch = ledgers[0].keyring_since(None, 0, 9).await.unwrap().epoch;
    let news = ledgers[1].keyring_since(Some(&epoch), 1, 9).await.unwrap();
    assert_eq!((news.version, news.changes.len()), (2, 1));
    assert_eq!(news.changes[0].entry, None);
    let mut steps = ledgers[1].watch_weights();
    let weights = Weights::from([("a".to_owned(), 1)]);
    let (model, actor, at_ms) = ("chat".to_owned(), Actor::Admin, 5);
    let cause = Cause::Set { weights: weights.clone(), configured: weights.clone() };
    let change = WeightChange { model, cause, actor, at_ms };
    assert!(ledgers[0].change_weights(&change).await.unwrap());
    let told = tokio::time::timeout(Duration::from_secs(30), steps.wait_for(|at| *at == 1)).await;
    assert!(told.unwrap().is_ok());
    assert_eq!(ledgers[1].weights().await.unwrap()[0].weights, Some(weights));
    following.abort();
}
