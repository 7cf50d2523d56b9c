use super::*;
use crate::budget::{Budget, Per};
use crate::sqlite::SqliteStore;
use contract::lease::{Account, Leased, Wanted};

const NOW_MS: u64 = 1_795_252_163_120;

fn request(process: &str, need: u64) -> LeaseRequest {
    LeaseRequest {
        process: process.to_owned(),
        wanted: vec![Wanted { account: "tenant/acme".to_owned(), need, lease: 0 }],
        returned: Vec::new(),
    }
}

fn book(nanodollars: u64) -> BudgetBook {
    let budget = Budget { nanodollars, per: Per::Total };
    BudgetBook {
        accounts: [(Account::Tenant("acme".to_owned()), budget)].into(),
        ..BudgetBook::default()
    }
}

async fn desk(folder: &std::path::Path) -> Arc<LeaseDesk> {
    let store = Arc::new(SqliteStore::open(&folder.join("a.db")).await.unwrap());
    Arc::new(LeaseDesk::new(store, folder.to_owned(), "s".into()))
}

#[tokio::test]
async fn many_that_come_at_once_are_all_answered_and_get_no_more_than_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path()).await;
    desk.set_budgets(book(1_000));
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let desk = Arc::clone(&desk);
            tokio::spawn(async move { desk.lease(request(&format!("p{n}"), 9), NOW_MS).await })
        })
        .collect();
    // Some leave before they are answered.
    tasks.iter().step_by(7).for_each(|task| task.abort());
    let mut sum = 0;
    for task in tasks {
        let Ok(answer) = task.await else { continue };
        match answer.unwrap().leases.remove(0) {
            Leased::Granted { granted, .. } => sum += granted,
            Leased::Exhausted { retry_after_s } => assert_eq!(retry_after_s, Some(2)),
            Leased::Unbounded => panic!("it has a budget"),
        }
    }
    let standing = desk.store.budgets(&book(1_000), NOW_MS).await.unwrap().remove(0);
    assert_eq!((standing.spent, standing.left), (0, 0));
    assert!(sum <= standing.held && standing.held == 1_000, "{sum} {standing:?}");
}

#[tokio::test]
async fn nobody_is_answered_before_the_budgets_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path()).await;
    let early = tokio::spawn({
        let desk = Arc::clone(&desk);
        async move { desk.lease(request("p", 9), NOW_MS).await.unwrap() }
    });
    tokio::task::yield_now().await;
    assert!(!early.is_finished());
    desk.set_budgets(book(50));
    let answer = early.await.unwrap();
    assert!(matches!(answer.leases[0], Leased::Granted { granted: 50, .. }), "{answer:?}");
    // A new configuration holds from the next request on.
    desk.set_budgets(BudgetBook::default());
    let answer = desk.lease(request("q", 9), NOW_MS).await.unwrap();
    assert_eq!(answer.leases, [Leased::Unbounded]);
}
