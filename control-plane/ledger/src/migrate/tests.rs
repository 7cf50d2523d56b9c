use super::*;
use crate::audit::{Action, Actor, AuditEvent, AuditFilter};
use crate::budget::{Budget, BudgetBook, Per};
use crate::conformance::new_key;
use crate::key::NewKey;
use crate::lease::LeaseAsk;
use crate::postgres::tests::database::Database;
use crate::postgres::tests::verified;
use crate::record::tests::record;
use crate::record::{UsageFilter, UsageRecord};
use crate::store::{Batch, OpenRequest, Position};
use contract::keyring::KeyEntry;
use contract::lease::{Account, LeaseRequest, Wanted};
use contract::price::Prices;
use sqlx::PgPool;
use tempfile::TempDir;

const NOW_MS: u64 = 1_795_252_163_120;

/// More than fit into one send.
const RECORDS: usize = 1_500;

const SPOOL: &str = "s";

/// One with texts that COPY escapes.
fn odd_key(id: &str) -> NewKey {
    let budget = Some(Budget { nanodollars: 7, per: Per::Day });
    NewKey { name: "a\\N\tb\n\"ü\"".to_owned(), budget, ..new_key(id, "acme") }
}

async fn keys(store: &SqliteStore) {
    store.create_key(&odd_key("k2")).await.unwrap();
    store.create_key(&odd_key("k1")).await.unwrap();
    store.revoke_key("k2", 5).await.unwrap();
    let entry = KeyEntry { id: "ci".into(), tenant: "acme".into(), ..KeyEntry::default() };
    store.set_static_keys(&[("c".repeat(64), entry)], 6).await.unwrap();
}

fn batch() -> Batch {
    let from = Position { generation: 1, offset: 0 };
    let path = Some("/v1/x\\.\r\u{b}".to_owned());
    let odd = UsageRecord { path, user: None, stream: false, leases: vec![1], ..record("odd") };
    let many = (0..RECORDS).map(|n| record(&format!("r{n}")));
    let open = OpenRequest {
        id: "open".to_owned(),
        generation: 1,
        offset: 4,
        leases: vec![1],
        line: "{}".to_owned(),
        start_only: true,
    };
    let spool = SPOOL.to_owned();
    let moving = Batch::moving(from, Position { generation: 2, offset: 3 });
    Batch { spool, records: many.chain([odd]).collect(), open: vec![open], ..moving }
}

fn book() -> BudgetBook {
    let budget = Budget { nanodollars: 1_000_000_000, per: Per::Month };
    let accounts = [(Account::Tenant("acme".to_owned()), budget)].into();
    BudgetBook { accounts, ..BudgetBook::default() }
}

/// A ledger with something in every table that has a use.
async fn filled() -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("a.db")).await.unwrap();
    keys(&store).await;
    let most = Prices { input: u64::MAX, ..Prices::default() };
    store.record_prices(&[most]).await.unwrap();
    store.register_spool(SPOOL).await.unwrap();
    let wanted = vec![Wanted { account: "tenant/acme".to_owned(), need: 9, lease: 0 }];
    let request = LeaseRequest { process: "p".to_owned(), wanted, returned: Vec::new() };
    let ask = LeaseAsk { request, spool: SPOOL.to_owned(), generation: 1 };
    store.lease(&[ask], &book(), NOW_MS).await.unwrap();
    store.commit(&batch()).await.unwrap();
    store.remember_nonce(&[0, 255, b'\\', b'\n'], 1_300, 1_000).await.unwrap();
    store.gateway_seen("p", NOW_MS).await.unwrap();
    (store, folder)
}

/// All that the trait tells of a ledger.
async fn all_of(store: &dyn Store) -> Vec<String> {
    let filter = AuditFilter { limit: 1_000, ..AuditFilter::default() };
    let mut prices: Vec<_> = store.price_book().await.unwrap().into_iter().collect();
    prices.sort_by(|a, b| a.0.cmp(&b.0));
    vec![
        format!("{:?}", store.list_keys(None).await.unwrap()),
        format!("{:?}", store.keyring_since(None, 0, 100).await.unwrap()),
        format!("{prices:?}"),
        format!("{:?}", store.position(SPOOL).await.unwrap()),
        format!("{:?}", store.open_requests(SPOOL, 9).await.unwrap()),
        format!("{:?}", store.counts().await.unwrap()),
        format!("{:?}", store.usage(&UsageFilter::default()).await.unwrap()),
        format!("{:?}", store.budgets(&book(), NOW_MS).await.unwrap()),
        format!("{:?}", store.audit(&filter).await.unwrap()),
        format!("{:?}", store.weights().await.unwrap()),
        format!("{:?}", store.nonces_until().await.unwrap()),
        format!("{:?}", store.gateways(0).await.unwrap()),
        format!("{:?}", verified(store).await),
    ]
}

#[tokio::test]
async fn a_ledger_goes_on_where_it_was_moved_to() {
    let (from, _folder) = filled().await;
    let before = all_of(&from).await;
    let database = Database::new().await;
    let to = database.store().await;
    let moved = migrate(&from, &to).await.unwrap();
    for (before, after) in before.iter().zip(all_of(&to).await) {
        assert_eq!(*before, after);
    }
    assert_eq!(before, all_of(&from).await);
    assert!(verified(&to).await.is_sound());
    let rows = |name: &str| moved.tables.iter().find(|(table, _)| table == name).unwrap().1;
    assert_eq!((rows("usage"), rows("keys"), rows("leases")), (RECORDS as u64 + 1, 3, 1));
    assert!(matches!(moved.audit, Verdict::Whole { rows, .. } if rows > 4), "{:?}", moved.audit);
    // Chains, versions and positions go on; what was posted stays posted once.
    to.create_key(&odd_key("k3")).await.unwrap();
    let from = to.position(SPOOL).await.unwrap();
    let next = Position { offset: 9, ..from };
    let again = Batch { from, to: next, open: Vec::new(), ..batch() };
    assert_eq!(to.commit(&again).await.unwrap().duplicates, RECORDS as u64 + 1);
    assert!(matches!(to.verify_audit(None).await.unwrap(), Verdict::Whole { .. }));
    assert!(verified(&to).await.is_sound());
    let ids: Vec<_> = to.list_keys(None).await.unwrap().into_iter().map(|key| key.id).collect();
    assert_eq!(ids, ["k2", "k1", "ci", "k3"]);
}

#[tokio::test]
async fn a_database_in_use_is_not_moved_into() {
    let (from, _folder) = filled().await;
    let database = Database::new().await;
    let to = database.store().await;
    migrate(&from, &to).await.unwrap();
    let again = migrate(&from, &to).await;
    assert!(matches!(&again, Err(Error::NotEmpty { .. })), "{again:?}");
    let other = Database::new().await;
    let to = other.store().await;
    to.note(&AuditEvent::new(1, Actor::System, Action::ControlStarted, "0")).await.unwrap();
    let failed = migrate(&from, &to).await;
    assert!(matches!(&failed, Err(Error::NotEmpty { table }) if table == "audit"), "{failed:?}");
    assert!(to.list_keys(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_migration_that_failed_halfway_has_moved_nothing_and_is_done_again() {
    let (from, _folder) = filled().await;
    let database = Database::new().await;
    let to = database.store().await;
    let pool = PgPool::connect(&database.url()).await.unwrap();
    // The last table in their order refuses its rows.
    let last = "ALTER TABLE usage ADD CONSTRAINT none CHECK (id <> 'odd')";
    sqlx::raw_sql(last).execute(&pool).await.unwrap();
    let failed = migrate(&from, &to).await;
    assert!(matches!(failed, Err(Error::Database { doing: WRITING, .. })), "{failed:?}");
    assert!(to.list_keys(None).await.unwrap().is_empty());
    assert_eq!(to.audit_head().await.unwrap().seq, 0);
    sqlx::raw_sql("ALTER TABLE usage DROP CONSTRAINT none").execute(&pool).await.unwrap();
    migrate(&from, &to).await.unwrap();
    assert_eq!(all_of(&from).await, all_of(&to).await);
}

#[tokio::test]
async fn a_row_that_arrives_as_another_is_found_before_anything_is_moved() {
    let (from, _folder) = filled().await;
    let database = Database::new().await;
    let to = database.store().await;
    let pool = PgPool::connect(&database.url()).await.unwrap();
    let alter = "CREATE FUNCTION alter_row() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN NEW.cost_nanodollars := NEW.cost_nanodollars + 1; RETURN NEW; END $$;
        CREATE TRIGGER alter_rows BEFORE INSERT ON usage FOR EACH ROW
        WHEN (NEW.id = 'r7') EXECUTE FUNCTION alter_row();";
    sqlx::raw_sql(alter).execute(&pool).await.unwrap();
    let failed = migrate(&from, &to).await;
    assert!(matches!(&failed, Err(Error::Moved { table }) if table == "usage"), "{failed:?}");
    assert!(to.list_keys(None).await.unwrap().is_empty());
}

/// The tables are those of the source: one that the target has not would be an error,
/// and one that the source has not would stay empty.
#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let (from, _folder) = filled().await;
    let database = Database::new().await;
    let _store = database.store().await;
    let pool = PgPool::connect(&database.url()).await.unwrap();
    let theirs: Vec<(String, String)> = sqlx::query_as(
        "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations'
         AND column_name <> 'rowid'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut source = from.writer.acquire().await.unwrap();
    let ours = tables(&mut source).await.unwrap();
    let ours: HashSet<(String, String)> = ours
        .into_iter()
        .flat_map(|table| table.columns.into_iter().map(move |column| (table.name.clone(), column)))
        .collect();
    assert_eq!(ours, theirs.into_iter().collect());
}
