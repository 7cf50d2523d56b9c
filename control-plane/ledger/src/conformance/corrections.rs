//! Corrections beside records that never change.

use super::books::balances;
use super::{at, posting, sound};
use crate::audit::{Actor, AuditFilter};
use crate::correction::{Corrected, NewCorrection};
use crate::record::tests::record;
use crate::record::{GroupBy, UsageFilter, UsageRecord};
use crate::store::Store;

const AT_MS: u64 = 1_796_000_000_000;

fn correction(record: &str, nanodollars: i64) -> NewCorrection {
    NewCorrection {
        record: record.to_owned(),
        nanodollars,
        why: "the engine counted twice".to_owned(),
        actor: Actor::Admin,
        at_ms: AT_MS,
    }
}

pub async fn a_correction_is_posted_beside_its_record(store: &impl Store) {
    let other = UsageRecord { tenant: "zeta".to_owned(), ..record("b") };
    store.commit(&posting(at(1, 0), at(1, 9), vec![record("a"), other])).await.unwrap();
    let first = store.correct(&correction("a", -4_800)).await.unwrap();
    assert_eq!(first, Corrected::Posted { posting: 3, nanodollars: 30_000 });
    let second = store.correct(&correction("a", 1_000)).await.unwrap();
    assert_eq!(second, Corrected::Posted { posting: 4, nanodollars: 31_000 });
    assert_eq!(store.usage(&UsageFilter::default()).await.unwrap()[0], record("a"));
    let acme = UsageFilter { tenant: Some("acme".to_owned()), ..UsageFilter::default() };
    let sum = &store.usage_sums(&acme, GroupBy::Day).await.unwrap()[0];
    assert_eq!((sum.cost_nanodollars, sum.corrected_nanodollars), (34_800, -3_800));
    let found = store.corrections(&acme).await.unwrap();
    let seen: Vec<_> = found.iter().map(|each| (each.posting, each.nanodollars)).collect();
    assert_eq!(seen, [(3, -4_800), (4, 1_000)]);
    assert_eq!((found[0].at_ms, &found[0].record), (AT_MS, &record("a")));
    assert_eq!(found[0].why, "the engine counted twice");
    let zeta = UsageFilter { tenant: Some("zeta".to_owned()), ..UsageFilter::default() };
    assert_eq!(store.corrections(&zeta).await.unwrap(), []);
    let corrected: Vec<_> = balances(store).await;
    let corrected: Vec<_> = corrected
        .iter()
        .filter(|each| each.corrected_nanodollars != 0 && each.period == "total")
        .map(|each| (each.account.as_str(), each.nanodollars, each.corrected_nanodollars))
        .collect();
    assert!(corrected.contains(&("tenant/acme", 34_800, -3_800)), "{corrected:?}");
    assert!(corrected.contains(&("pool/llama-70b", -69_600, 3_800)), "{corrected:?}");
    let noted = AuditFilter { limit: 9, ..AuditFilter::default() };
    let noted = store.audit(&noted).await.unwrap();
    let last = noted.last().unwrap();
    assert_eq!((last.action.as_str(), last.subject.as_str()), ("record.corrected", "a"));
    assert_eq!((&last.detail["nanodollars"], last.actor.as_str()), (&1_000.into(), "admin"));
    let found = sound(store).await;
    assert_eq!((found.cost_nanodollars, found.corrected_nanodollars), (69_600, -3_800));
}

pub async fn what_cannot_be_corrected(store: &impl Store) {
    store.commit(&posting(at(1, 0), at(1, 9), vec![record("a")])).await.unwrap();
    let rows = store.audit_head().await.unwrap();
    for (id, nanodollars, expected) in [
        ("b", 1, Corrected::Unknown),
        ("a", -34_801, Corrected::OutOfBounds),
        ("a", i64::MAX, Corrected::OutOfBounds),
        ("a", i64::MIN, Corrected::OutOfBounds),
    ] {
        assert_eq!(store.correct(&correction(id, nanodollars)).await.unwrap(), expected);
    }
    assert_eq!(store.audit_head().await.unwrap(), rows);
    let all = store.correct(&correction("a", -34_800)).await.unwrap();
    assert_eq!(all, Corrected::Posted { posting: 2, nanodollars: 0 });
    sound(store).await;
}
