use super::*;
use crate::audit::Actor;
use crate::budget::{Budget, BudgetBook, Per};
use crate::correction::NewCorrection;
use crate::lease::LeaseAsk;
use crate::record::UsageRecord;
use crate::record::tests::record;
use crate::sqlite::SqliteStore;
use crate::store::Batch;
use contract::lease::{Account, LeaseRequest, Wanted};
use contract::price::Prices;

const PRICES: Prices = Prices {
    input: 1_000_000_000,
    cached_input: 0,
    output: 2_000_000_000,
    request: 0,
    image: 0,
    page: 0,
    audio_second: 0,
    gpu_second: 0,
};

struct Shelf {
    folder: tempfile::TempDir,
    store: SqliteStore,
}

impl Shelf {
    /// A ledger with usage that was posted in two batches, a correction and a lease.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("a.db")).await.unwrap();
        store.record_prices(&[PRICES]).await.unwrap();
        let of = |n: u64| UsageRecord {
            input_tokens: n,
            output_tokens: 0,
            cached_input_tokens: 0,
            cost_nanodollars: i64::try_from(n * 1_000).unwrap(),
            price_version: Some(PRICES.version()),
            leases: vec![1],
            ..record(&format!("r{n}"))
        };
        let budget = Budget { nanodollars: 9_000_000, per: Per::Total };
        let book = BudgetBook {
            accounts: [(Account::Tenant("acme".to_owned()), budget)].into(),
            ..BudgetBook::default()
        };
        let wanted = vec![Wanted { account: "tenant/acme".to_owned(), need: 90_000, lease: 0 }];
        let request = LeaseRequest { process: "p".to_owned(), wanted, returned: Vec::new() };
        let ask = LeaseAsk { request, spool: String::new(), generation: 1 };
        store.lease(&[ask], &book, 5).await.unwrap();
        let at = |offset| Position { generation: 1, offset };
        for (from, records) in [(0, vec![of(1), of(2)]), (9, vec![of(0), of(3), of(4)])] {
            let batch = Batch { records, ..Batch::moving(at(from), at(from + 9)) };
            store.commit(&batch).await.unwrap();
        }
        let correction = NewCorrection {
            record: "r3".to_owned(),
            nanodollars: -500,
            why: "because".to_owned(),
            actor: Actor::Admin,
            at_ms: 7,
        };
        store.correct(&correction).await.unwrap();
        Shelf { folder, store }
    }

    async fn verified(&self) -> Verification {
        verify(&self.store, self.folder.path(), "no spool").await.unwrap()
    }

    /// What is found after somebody with the file in his hands did this.
    async fn after(sql: &str) -> Vec<String> {
        let shelf = Shelf::new().await;
        let triggers = "DROP TRIGGER usage_keeps_rows; DROP TRIGGER usage_loses_no_rows;
            DROP TRIGGER postings_keep_rows; DROP TRIGGER postings_lose_no_rows;";
        let sql = sqlx::AssertSqlSafe(format!("{triggers}{sql}"));
        sqlx::raw_sql(sql).execute(&shelf.store.writer).await.unwrap();
        shelf.verified().await.faults.iter().map(ToString::to_string).collect()
    }
}

#[tokio::test]
async fn what_was_written_is_sound() {
    let shelf = Shelf::new().await;
    let found = shelf.verified().await;
    assert!(found.is_sound(), "{:?}", found.faults);
    assert_eq!(
        (found.records, found.cost_nanodollars, found.corrected_nanodollars),
        (5, 10_000, -500)
    );
    assert_eq!(found.held_nanodollars, 720_000 - 10_000);
    // A hold, two releases, four of usage and a correction.
    assert_eq!((found.postings, found.record_head.seq, found.posting_head.seq), (8, 5, 8));
    assert_eq!((found.unpriced, found.spools, found.more_faults), (0, 1, 0));
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Verification>(&text).unwrap(), found);
}

#[tokio::test]
async fn every_way_to_tamper_is_found() {
    for (sql, expected) in [
        ("UPDATE usage SET model = 'other' WHERE seq = 2", "record 2: the row was altered"),
        ("UPDATE usage SET status = 'x' WHERE seq = 2", "record 2: the row holds what was never"),
        ("DELETE FROM usage WHERE seq = 2", "record 3: the row is missing"),
        ("DELETE FROM usage WHERE seq = 5", "record 5: the trail was cut"),
        (
            "UPDATE usage SET hash = zeroblob(32) WHERE seq = 5",
            "record 5: the trail was written anew",
        ),
        (
            "UPDATE usage SET cost_nanodollars = 1 WHERE seq = 2",
            "record r2 costs 1 nano-dollars, by its prices 2000",
        ),
        (
            "UPDATE usage SET cost_nanodollars = 1 WHERE seq = 2",
            "record 2 costs 1 nano-dollars, its posting says 2000",
        ),
        (
            "UPDATE postings SET nanodollars = 9 WHERE record = 2",
            "record 2 costs 2000 nano-dollars, its posting says 9",
        ),
        ("UPDATE postings SET nanodollars = 9 WHERE record = 2", "the row was altered"),
        ("UPDATE postings SET debit = 'tenant/zeta' WHERE record = 2", "its posting says 0"),
        ("UPDATE postings SET kind = 'gift' WHERE record = 2", "holds what was never written"),
        ("UPDATE postings SET record = 77 WHERE seq = 6", "posting 6 is of no record"),
        ("DELETE FROM postings WHERE seq = 8", "posting 8: the trail was cut"),
        ("DELETE FROM postings WHERE seq = 2", "the row is missing"),
        (
            "UPDATE balances SET nanodollars = 1 WHERE account = 'key/k1' AND period = '2026-11-21'",
            "the balance of key/k1 in 2026-11-21 is -499 nano-dollars, its records come to 9500",
        ),
        (
            "UPDATE balances SET output_tokens = 5 WHERE account = 'user/acme/ann' AND period = 'total'",
            "the balance of user/acme/ann in total",
        ),
        (
            "DELETE FROM balances WHERE account = 'organisation/org' AND period = '2026-11'",
            "the balance of organisation/org in 2026-11 is 0",
        ),
        (
            "INSERT INTO balances VALUES ('tenant/zeta', 'total', 5, 0, 0, 0, 1)",
            "the balance of tenant/zeta is 5",
        ),
        (
            "UPDATE balances SET nanodollars = 0 WHERE account = 'pool/llama-70b'",
            "the balance of pool/llama-70b is 500 nano-dollars, its postings come to -9500",
        ),
        ("UPDATE leases SET granted = granted + 1", "lease 1 holds 710001 nano-dollars"),
        ("DELETE FROM leases", "lease 1 holds 0 nano-dollars, its postings come to 710000"),
        ("DELETE FROM heads WHERE name = 'usage'", "record 0: the trail was written anew"),
    ] {
        let found = Shelf::after(sql).await;
        assert!(found.iter().any(|fault| fault.contains(expected)), "{sql}: {found:?}");
    }
}

#[tokio::test]
async fn rows_are_not_changed_by_chance() {
    let shelf = Shelf::new().await;
    for sql in [
        "UPDATE usage SET status = 5",
        "DELETE FROM usage",
        "UPDATE postings SET nanodollars = 5",
        "DELETE FROM postings",
    ] {
        assert!(sqlx::raw_sql(sql).execute(&shelf.store.writer).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn many_faults_are_counted() {
    let mut found = Verification::empty();
    for seq in 0..150 {
        found.found(MoneyFault::Unfounded { seq });
    }
    assert_eq!((found.faults.len(), found.more_faults), (FAULTS_MAX, 50));
    assert!(!found.is_sound());
}

#[tokio::test]
async fn a_position_beyond_its_file_is_found() {
    let shelf = Shelf::new().await;
    let spool = shelf.folder.path().join("spool");
    std::fs::create_dir(&spool).unwrap();
    let at = async || -> Vec<MoneyFault> { verify(&shelf.store, &spool, "").await.unwrap().faults };
    let beyond = [MoneyFault::Spool { generation: 1, offset: 18 }];
    assert_eq!(at().await, beyond);
    std::fs::write(spool.join(LIVE_NAME), [b' '; 17]).unwrap();
    assert_eq!(at().await, beyond);
    std::fs::write(spool.join(LIVE_NAME), [b' '; 18]).unwrap();
    assert_eq!(at().await, []);
    std::fs::rename(spool.join(LIVE_NAME), spool.join("usage.1.closed.jsonl")).unwrap();
    assert_eq!(at().await, []);
    std::fs::rename(spool.join("usage.1.closed.jsonl"), spool.join("usage.1.done")).unwrap();
    assert_eq!(at().await, beyond);
}
