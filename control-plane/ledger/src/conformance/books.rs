//! Records, postings and balances are three views of one sum.

use super::{at, posting, sound};
use crate::record::tests::record;
use crate::record::{GroupBy, UsageFilter, UsageRecord, UsageSum};
use crate::snapshot::Balance;
use crate::store::Store;

pub(super) async fn balances(store: &impl Store) -> Vec<Balance> {
    let mut snapshot = store.snapshot().await.unwrap();
    let mut all: Vec<Balance> = Vec::new();
    loop {
        let last = all.last().map(|last| (last.account.clone(), last.period.clone()));
        let (account, period) = last.unwrap_or_default();
        let page = snapshot.balances((&account, &period), 3).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Nano-dollars and records of a balance.
pub(super) async fn balance(store: &impl Store, account: &str, period: &str) -> (i64, u64) {
    let all = balances(store).await;
    let found = all.into_iter().find(|each| (&*each.account, &*each.period) == (account, period));
    found.map_or((0, 0), |each| (each.nanodollars, each.requests))
}

pub async fn every_account_has_a_balance_in_every_period(store: &impl Store) {
    let free = UsageRecord { cost_nanodollars: 0, user: None, pool: None, ..record("free") };
    let later = UsageRecord { at_ms: record("").at_ms + 3_600_000, ..record("later") };
    let batch = posting(at(1, 0), at(1, 9), vec![record("a"), free, later]);
    store.commit(&batch).await.unwrap();
    let all = balances(store).await;
    let seen: Vec<_> = all.iter().map(|each| (&*each.account, &*each.period)).collect();
    let mut expected = Vec::new();
    for account in ["key/k1", "organisation/org", "tenant/acme", "user/acme/ann"] {
        for period in ["2026-11", "2026-11-21", "2026-11-21T09", "2026-11-21T10", "total"] {
            expected.push((account, period));
        }
    }
    expected.insert(10, ("pool/llama-70b", "total"));
    let sort = |mut list: Vec<(&str, &str)>| -> Vec<(String, String)> {
        list.sort_unstable();
        list.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    assert_eq!(sort(seen), sort(expected));
    assert_eq!(balance(store, "tenant/acme", "total").await, (69_600, 3));
    assert_eq!(balance(store, "tenant/acme", "2026-11-21T10").await, (34_800, 1));
    assert_eq!(balance(store, "user/acme/ann", "2026-11").await, (69_600, 2));
    assert_eq!(balance(store, "pool/llama-70b", "total").await, (-69_600, 2));
    let found = sound(store).await;
    assert_eq!((found.records, found.postings, found.cost_nanodollars), (3, 2, 69_600));
    assert_eq!((found.record_head.seq, found.posting_head.seq), (3, 2));
    assert_eq!((found.held_nanodollars, found.corrected_nanodollars), (0, 0));
}

pub async fn a_record_that_is_read_again_moves_nothing(store: &impl Store) {
    for from in [0, 9] {
        let batch = posting(at(1, from), at(1, from + 9), vec![record("a")]);
        store.commit(&batch).await.unwrap();
    }
    assert_eq!(balance(store, "tenant/acme", "total").await, (34_800, 1));
    assert_eq!(sound(store).await.records, 1);
}

pub async fn what_does_not_fit_stops_nothing(store: &impl Store) {
    let most = |id: &str, at_ms| UsageRecord {
        cost_nanodollars: i64::MAX,
        input_tokens: u64::MAX,
        output_tokens: u64::MAX,
        at_ms,
        price_version: None,
        ..record(id)
    };
    let batch = posting(at(1, 0), at(1, 9), vec![most("a", 0), most("b", u64::MAX >> 10)]);
    store.commit(&batch).await.unwrap();
    store.commit(&posting(at(1, 9), at(1, 18), vec![most("c", 7)])).await.unwrap();
    assert_eq!(balance(store, "tenant/acme", "total").await, (i64::MAX, 3));
    assert_eq!(balance(store, "pool/llama-70b", "total").await, (-i64::MAX, 3));
    assert_eq!(store.usage(&UsageFilter::default()).await.unwrap().len(), 3);
}

pub async fn pages_and_sums_by_every_word(store: &impl Store) {
    let with = |n: usize| UsageRecord {
        pool: Some(format!("p{}", n % 2)),
        organisation: n.is_multiple_of(3).then(|| "org".to_owned()),
        images: 1,
        audio_ms: 10,
        ..record(&format!("r{n}"))
    };
    let all: Vec<_> = (0..7).map(with).collect();
    store.commit(&posting(at(1, 0), at(1, 9), all.clone())).await.unwrap();
    let (mut after, mut paged) = (0, Vec::new());
    loop {
        let page = store.usage_page(&UsageFilter::default(), after, 3).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        assert!(page.len() <= 3 && *last > after);
        after = *last;
        paged.extend(page.into_iter().map(|(_, record)| record));
    }
    assert_eq!(paged, all);
    let pool = UsageFilter { pool: Some("p1".to_owned()), ..UsageFilter::default() };
    let page = store.usage_page(&pool, 2, 9).await.unwrap();
    let ids: Vec<_> = page.iter().map(|(_, record)| record.id.as_str()).collect();
    assert_eq!(ids, ["r3", "r5"]);
    let org = UsageFilter { organisation: Some("org".to_owned()), ..UsageFilter::default() };
    assert_eq!(store.usage(&org).await.unwrap().len(), 3);
    let sums = async |by| -> Vec<(Option<String>, u64)> {
        let sums = store.usage_sums(&UsageFilter::default(), by).await.unwrap();
        sums.into_iter().map(|sum: UsageSum| (sum.group, sum.requests)).collect()
    };
    assert_eq!(sums(GroupBy::Pool).await, [(Some("p0".to_owned()), 4), (Some("p1".to_owned()), 3)]);
    assert_eq!(sums(GroupBy::Organisation).await, [(None, 4), (Some("org".to_owned()), 3)]);
    let sum = &store.usage_sums(&pool, GroupBy::Tenant).await.unwrap()[0];
    assert_eq!((sum.images, sum.audio_ms, sum.pages, sum.gpu_ms), (3, 30, 0, 0));
}
