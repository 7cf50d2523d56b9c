//! Parts of budgets: granted, given back, spent, and closed when nothing can come any more.

use super::books::balance;
use super::{at, new_key, posting, sound};
use crate::budget::{Budget, BudgetBook, BudgetStanding, Per};
use crate::lease::{FRESH_MS, GRACE_MS, LeaseAsk};
use crate::record::UsageRecord;
use crate::record::tests::record;
use crate::store::{Batch, OpenRequest, Store};
use contract::lease::{Account, LeaseRequest, Leased, Returned, Wanted};
use contract::limits::LEASE_TTL_MS;

/// 2026-11-21T09:09:23.120Z.
const NOW_MS: u64 = 1_795_252_163_120;

/// The end of that month.
const MONTH_END_MS: u64 = 1_796_083_200_000;

const TENANT: &str = "tenant/acme";

fn book(nanodollars: u64, per: Per) -> BudgetBook {
    let budget = Budget { nanodollars, per };
    BudgetBook {
        accounts: [(Account::Tenant("acme".to_owned()), budget)].into(),
        users: [("acme".to_owned(), Budget { nanodollars: 500, per: Per::Day })].into(),
    }
}

fn wants(process: &str, account: &str, need: u64, lease: u64) -> LeaseAsk {
    let request = LeaseRequest {
        process: process.to_owned(),
        wanted: vec![Wanted { account: account.to_owned(), need, lease }],
        returned: Vec::new(),
    };
    LeaseAsk { request, spool: String::new(), generation: 1 }
}

fn gives_back(process: &str, lease: u64, total: u64, over: bool) -> LeaseAsk {
    let returned = vec![Returned { lease, total, over }];
    let request = LeaseRequest { process: process.to_owned(), wanted: Vec::new(), returned };
    LeaseAsk { request, spool: String::new(), generation: 1 }
}

async fn one(store: &impl Store, book: &BudgetBook, ask: LeaseAsk, now_ms: u64) -> Leased {
    let mut answers = store.lease(&[ask], book, now_ms).await.unwrap();
    answers.remove(0).leases.remove(0)
}

/// Number and sum of a lease that was granted.
fn grant(leased: &Leased) -> (u64, u64) {
    match leased {
        Leased::Granted { lease, granted, .. } => (*lease, *granted),
        other => panic!("{other:?}"),
    }
}

async fn of_tenant(store: &impl Store, book: &BudgetBook, now_ms: u64) -> BudgetStanding {
    let all = store.budgets(book, now_ms).await.unwrap();
    all.into_iter().find(|standing| standing.account == TENANT).unwrap()
}

/// Spent, held and left.
async fn stands(store: &impl Store, book: &BudgetBook) -> (i64, u64, u64) {
    let standing = of_tenant(store, book, NOW_MS).await;
    (standing.spent, standing.held, standing.left)
}

fn spends(id: &str, cost: i64, leases: &[u64]) -> UsageRecord {
    let leases = leases.to_vec();
    UsageRecord { cost_nanodollars: cost, price_version: None, leases, ..record(id) }
}

pub async fn a_budget_is_given_in_parts(store: &impl Store) {
    let book = book(1_000, Per::Month);
    let first = one(store, &book, wants("p", TENANT, 10, 0), NOW_MS).await;
    let expected = Leased::Granted {
        lease: 1,
        granted: 80,
        expires_ms: NOW_MS + LEASE_TTL_MS,
        ends_ms: Some(MONTH_END_MS),
        last: false,
    };
    assert_eq!(first, expected);
    // A little that is needed is a part of what is left; much is all of it.
    let (_, granted) = grant(&one(store, &book, wants("p", TENANT, 1, 1), NOW_MS).await);
    assert_eq!(granted, 80 + 920 / 16);
    let (_, granted) = grant(&one(store, &book, wants("p", TENANT, 800, 1), NOW_MS).await);
    assert_eq!(granted, 1_000);
    let nothing = one(store, &book, wants("q", TENANT, 1, 0), NOW_MS).await;
    assert_eq!(nothing, Leased::Exhausted { retry_after_s: Some(2) });
    let nothing = one(store, &book, wants("p", TENANT, 1, 1), NOW_MS).await;
    let to_the_end = (MONTH_END_MS - NOW_MS).div_ceil(1_000);
    assert_eq!(nothing, Leased::Exhausted { retry_after_s: Some(to_the_end) });
    assert_eq!(stands(store, &book).await, (0, 1_000, 0));
    store.commit(&posting(at(1, 0), at(1, 9), vec![spends("a", 1_000, &[1])])).await.unwrap();
    let nothing = one(store, &book, wants("p", TENANT, 1, 1), NOW_MS).await;
    assert_eq!(nothing, Leased::Exhausted { retry_after_s: Some(to_the_end) });
    assert_eq!(stands(store, &book).await, (1_000, 0, 0));
    let total = self::book(1_000, Per::Total);
    let never = one(store, &total, wants("p", TENANT, 1, 0), NOW_MS).await;
    assert_eq!(never, Leased::Exhausted { retry_after_s: None });
    // In the next month there is a new budget, and a new lease of it.
    let (lease, _) = grant(&one(store, &book, wants("p", TENANT, 1, 1), MONTH_END_MS).await);
    assert_eq!(lease, 2);
    let found = sound(store).await;
    assert_eq!(found.cost_nanodollars, 1_000);
}

pub async fn two_gateways_share_a_budget(store: &impl Store) {
    let book = book(1_000, Per::Month);
    let asks: Vec<_> =
        (0..64).map(|n| wants(if n % 2 == 0 { "p" } else { "q" }, TENANT, 3, 0)).collect();
    let answers = store.lease(&asks, &book, NOW_MS).await.unwrap();
    let given: Vec<_> = answers.iter().map(|answer| grant(&answer.leases[0])).collect();
    // The same lease for all that come at once from one gateway, and none twice.
    assert!(given.iter().step_by(2).all(|each| *each == given[0]), "{given:?}");
    assert!(given.iter().skip(1).step_by(2).all(|each| *each == given[1]), "{given:?}");
    assert_ne!(given[0].0, given[1].0);
    for (process, lease) in [("p", given[0].0), ("q", given[1].0)] {
        for _ in 0..40 {
            one(store, &book, wants(process, TENANT, 30, lease), NOW_MS).await;
        }
    }
    assert_eq!(stands(store, &book).await, (0, 1_000, 0));
    // Who names the other's lease is given one of its own, or nothing.
    let nothing = one(store, &book, wants("q", TENANT, 1, given[0].0), NOW_MS).await;
    assert_eq!(nothing, Leased::Exhausted { retry_after_s: Some(2) });
    assert_eq!(sound(store).await.held_nanodollars, 1_000);
}

pub async fn an_answer_that_was_lost_is_given_again(store: &impl Store) {
    let book = book(1_000, Per::Month);
    let first = grant(&one(store, &book, wants("p", TENANT, 10, 0), NOW_MS).await);
    let again = grant(&one(store, &book, wants("p", TENANT, 10, 0), NOW_MS + 1).await);
    assert_eq!(again, first);
    // One that needs more lets it grow, also late while nothing of it was spent.
    let more = grant(&one(store, &book, wants("p", TENANT, 100, 0), NOW_MS + 2).await);
    assert_eq!((more.0, more.1), (first.0, 80 + 800));
    let late = grant(&one(store, &book, wants("p", TENANT, 1, 0), NOW_MS + FRESH_MS).await);
    assert_eq!(late, more);
    // What was spent from is known: who does not name it has given it up.
    store.commit(&posting(at(1, 0), at(1, 9), vec![spends("a", 5, &[first.0])])).await.unwrap();
    let other = grant(&one(store, &book, wants("p", TENANT, 1, 0), NOW_MS + FRESH_MS).await);
    assert_ne!(other.0, first.0);
    sound(store).await;
}

pub async fn what_is_given_back_is_there_again(store: &impl Store) {
    let book = book(1_000, Per::Month);
    let (lease, granted) = grant(&one(store, &book, wants("p", TENANT, 100, 0), NOW_MS).await);
    assert_eq!(granted, 800);
    let give = async |process: &str, total, over| {
        store.lease(&[gives_back(process, lease, total, over)], &book, NOW_MS).await.unwrap();
        stands(store, &book).await
    };
    assert_eq!(give("p", 300, false).await, (0, 500, 500));
    assert_eq!(give("p", 300, false).await, (0, 500, 500), "it comes twice");
    assert_eq!(give("p", 200, false).await, (0, 500, 500), "an older one comes late");
    assert_eq!(give("q", 800, true).await, (0, 500, 500), "it is another's");
    assert_eq!(give("p", 9_999, false).await, (0, 0, 1_000), "never more than was granted");
    store.lease(&[gives_back("p", 77, 1, true)], &book, NOW_MS).await.unwrap();
    assert_eq!(sound(store).await.held_nanodollars, 0);
}

pub async fn usage_is_of_the_leases_period(store: &impl Store) {
    let book = book(1_000, Per::Month);
    let begun = MONTH_END_MS - 5;
    let (lease, _) = grant(&one(store, &book, wants("p", TENANT, 100, 0), begun).await);
    // Begun in December by its clock, and paid by November.
    let late = UsageRecord { at_ms: MONTH_END_MS + 9, ..spends("a", 60, &[lease, 999]) };
    store.commit(&posting(at(1, 0), at(1, 9), vec![late])).await.unwrap();
    assert_eq!(balance(store, TENANT, "2026-11").await, (60, 1));
    assert_eq!(balance(store, TENANT, "2026-12").await, (0, 0));
    assert_eq!(balance(store, TENANT, "2026-12-01").await, (60, 1));
    assert_eq!(balance(store, "key/k1", "2026-12").await, (60, 1));
    let standing = of_tenant(store, &book, begun).await;
    assert_eq!((standing.spent, standing.held), (60, 740));
    assert_eq!((standing.limit, standing.left), (1_000, 200));
    assert_eq!((standing.period.as_str(), standing.ends_ms), ("2026-11", Some(MONTH_END_MS)));
    sound(store).await;
}

pub async fn a_dead_gateways_leases_come_back(store: &impl Store) {
    let book = book(1_000, Per::Month);
    let later = LeaseAsk { generation: 3, ..wants("new", TENANT, 10, 0) };
    let (old, _) = grant(&one(store, &book, wants("old", TENANT, 10, 0), NOW_MS).await);
    grant(&one(store, &book, later, NOW_MS).await);
    let elsewhere = LeaseAsk { spool: "other".to_owned(), ..wants("far", TENANT, 10, 0) };
    grant(&one(store, &book, elsewhere, NOW_MS).await);
    assert_eq!(stands(store, &book).await, (0, 240, 760));
    let usage = vec![spends("a", 30, &[old])];
    let buried = Batch { buried: Some(2), ..posting(at(1, 0), at(3, 0), usage) };
    store.commit(&buried).await.unwrap();
    assert_eq!(stands(store, &book).await, (30, 160, 810));
    // A request of the dead that comes late is granted nothing, and takes nothing back.
    let late = one(store, &book, wants("old", TENANT, 10, old), NOW_MS).await;
    assert_eq!(late, Leased::Exhausted { retry_after_s: Some(2) });
    store.lease(&[gives_back("old", old, 5, true)], &book, NOW_MS).await.unwrap();
    assert_eq!(stands(store, &book).await, (30, 160, 810));
    // What is posted of it all the same counts once.
    store.commit(&posting(at(3, 0), at(3, 9), vec![spends("b", 7, &[old])])).await.unwrap();
    assert_eq!(stands(store, &book).await, (37, 160, 803));
    sound(store).await;
}

pub async fn a_lease_is_not_closed_by_time_alone(store: &impl Store) {
    let book = book(1_000, Per::Month);
    let (lease, _) = grant(&one(store, &book, wants("p", TENANT, 100, 0), NOW_MS).await);
    let open = |id: &str, offset, leases: &[u64]| OpenRequest {
        id: id.to_owned(),
        generation: 1,
        offset,
        leases: leases.to_vec(),
        line: "{}".to_owned(),
        start_only: false,
    };
    let mut batch = posting(at(1, 0), at(1, 9), Vec::new());
    batch.open = vec![open("names it", 0, &[lease]), open("may name it", 0, &[])];
    store.commit(&batch).await.unwrap();
    let over = NOW_MS + LEASE_TTL_MS + GRACE_MS;
    let close = async |offset, now_ms| {
        store.close_leases("", at(1, offset), now_ms).await.unwrap();
        stands(store, &book).await.1
    };
    for now_ms in [over - 1, over, over + 1, over + GRACE_MS, over + 99 * GRACE_MS] {
        assert_eq!(close(9, now_ms).await, 800, "requests are open that may be of it");
    }
    // One has told of itself again, and the other has ended.
    let mut batch = posting(at(1, 9), at(1, 20), vec![spends("names it", 50, &[lease])]);
    batch.ended = vec!["names it".to_owned()];
    store.commit(&batch).await.unwrap();
    assert_eq!(close(20, over + 100 * GRACE_MS).await, 750);
    let mut batch = posting(at(1, 20), at(1, 30), Vec::new());
    batch.open = vec![open("may name it", 20, &[])];
    store.commit(&batch).await.unwrap();
    assert_eq!(close(30, over + 101 * GRACE_MS).await, 0);
    assert_eq!(stands(store, &book).await, (50, 0, 950));
    // One that the gateway says is over waits for late lines all the same.
    let (next, _) = grant(&one(store, &book, wants("q", TENANT, 10, 0), NOW_MS).await);
    store.lease(&[gives_back("q", next, 20, true)], &book, NOW_MS).await.unwrap();
    let mut batch = posting(at(1, 30), at(1, 40), Vec::new());
    batch.ended = vec!["may name it".to_owned()];
    store.commit(&batch).await.unwrap();
    assert_eq!(close(40, NOW_MS + GRACE_MS - 1).await, 60);
    assert_eq!(close(40, NOW_MS + GRACE_MS).await, 60);
    assert_eq!(store.close_leases("other", at(1, 40), u64::MAX).await.unwrap(), 0);
    assert_eq!(close(40, NOW_MS + GRACE_MS).await, 0);
    assert_eq!(sound(store).await.held_nanodollars, 0);
    // Much later they are forgotten, and what is posted is as sound.
    let much_later = NOW_MS + 31 * 24 * 60 * 60 * 1_000;
    let total = self::book(1_000, Per::Total);
    grant(&one(store, &total, wants("r", TENANT, 10, 0), NOW_MS).await);
    close(40, much_later).await;
    let left = store.snapshot().await.unwrap().leases(0, 9).await.unwrap();
    assert_eq!(left.iter().map(|lease| lease.account.as_str()).collect::<Vec<_>>(), [TENANT]);
    sound(store).await;
}

pub async fn budgets_of_keys_and_users(store: &impl Store) {
    let book = book(1_000, Per::Month);
    store.create_key(&new_key("k1", "acme")).await.unwrap();
    let free = crate::key::NewKey { budget: None, ..new_key("k2", "acme") };
    store.create_key(&free).await.unwrap();
    let asks = wants("p", "key/k1", 600, 0);
    assert_eq!(grant(&one(store, &book, asks, NOW_MS).await).1, 4_800);
    let user = "user/acme/ann";
    assert_eq!(grant(&one(store, &book, wants("p", user, 100, 0), NOW_MS).await).1, 500);
    let unbound = one(store, &book, wants("p", "key/k2", 1, 0), NOW_MS).await;
    assert_eq!(unbound, Leased::Unbounded);
    let later = UsageRecord { user: Some("bob".to_owned()), ..spends("a", 9, &[]) };
    store.commit(&posting(at(1, 0), at(1, 9), vec![later])).await.unwrap();
    let all = store.budgets(&book, NOW_MS).await.unwrap();
    let seen: Vec<_> = all
        .iter()
        .map(|each| (each.account.as_str(), each.period.as_str(), each.spent, each.held, each.left))
        .collect();
    let expected = [
        ("key/k1", "2026-11-21", 9, 4_800, 191),
        ("tenant/acme", "2026-11", 9, 0, 991),
        ("user/acme/ann", "2026-11-21", 0, 500, 0),
        ("user/acme/bob", "2026-11-21", 9, 0, 491),
    ];
    assert_eq!(seen, expected);
    sound(store).await;
}

pub async fn without_a_budget_nothing_is_bound(store: &impl Store) {
    let book = BudgetBook::default();
    for account in [TENANT, "organisation/x", "user/acme/ann", "key/none", "no account"] {
        let answer = one(store, &book, wants("p", account, 10, 0), NOW_MS).await;
        assert_eq!(answer, Leased::Unbounded, "{account}");
    }
    assert_eq!(store.budgets(&book, NOW_MS).await.unwrap(), []);
    // A budget that was lowered below what is held leaves nothing.
    let (wide, narrow) = (self::book(1_000, Per::Day), self::book(10, Per::Day));
    grant(&one(store, &wide, wants("p", TENANT, 100, 0), NOW_MS).await);
    let none = one(store, &narrow, wants("q", TENANT, 1, 0), NOW_MS).await;
    assert_eq!(none, Leased::Exhausted { retry_after_s: Some(2) });
    assert_eq!(stands(store, &narrow).await, (0, 800, 0));
    sound(store).await;
}
