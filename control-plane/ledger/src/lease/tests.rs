use super::*;
use crate::budget::Per;

fn lease() -> LeaseRow {
    LeaseRow {
        id: 7,
        account: "tenant/acme".to_owned(),
        period: "total".to_owned(),
        process: "p".to_owned(),
        spool: "s".to_owned(),
        generation: 1,
        made_ms: 5,
        granted: 100,
        returned: 20,
        posted: 30,
        expires_ms: 1_000,
        state: LeaseState::Open,
        over_at_ms: None,
        mark: None,
    }
}

#[test]
fn what_is_offered() {
    const MOST: u64 = u64::MAX;
    for (need, left, expected) in [
        (1, 0, 0),
        (1, 5, 5),
        (1, 100, 8),
        (1, 1_000, 62),
        (100, 1_000, 800),
        (500, 1_000, 1_000),
        (2_000, 1_000, 1_000),
        (0, 160, 10),
        (MOST, MOST, MOST),
        (MOST, 1, 1),
        (1, MOST, MOST / 16),
    ] {
        let given = offer(need, left);
        assert_eq!(given, expected, "{need} of {left}");
        assert!(given <= left && given >= need.min(left), "{need} of {left}");
    }
}

#[test]
fn what_is_held_never_wraps() {
    let most = LeaseRow { granted: u64::MAX, returned: u64::MAX, posted: u64::MAX, ..lease() };
    for (lease, held) in [
        (lease(), 50),
        (LeaseRow { posted: 90, ..lease() }, 0),
        (LeaseRow { state: LeaseState::Over, ..lease() }, 50),
        (LeaseRow { state: LeaseState::Closed, ..lease() }, 0),
        (most, 0),
    ] {
        assert_eq!(lease.held(), held, "{lease:?}");
    }
}

#[test]
fn a_hold_that_changes_is_posted_between_the_lease_and_its_budget() {
    let entry = lease().change(10, 5).unwrap();
    assert_eq!((entry.kind, entry.nanodollars, entry.lease), (PostingKind::Hold, 40, Some(7)));
    assert_eq!((entry.debit.as_str(), entry.credit.as_str()), ("lease/7", "budget/tenant/acme"));
    let entry = lease().change(70, 5).unwrap();
    assert_eq!((entry.kind, entry.nanodollars), (PostingKind::Release, 20));
    assert_eq!((entry.debit.as_str(), entry.credit.as_str()), ("budget/tenant/acme", "lease/7"));
    assert_eq!(lease().change(50, 5), None);
}

#[test]
fn a_lease_is_closed_once_every_open_request_has_told_of_itself_without_it() {
    let place = |generation, offset| Position { generation, offset };
    let line = |generation, offset, leases: &[u64]| OpenLine {
        at: place(generation, offset),
        leases: leases.to_vec(),
    };
    let marked = LeaseRow { mark: Some(place(2, 50)), ..lease() };
    for (open, expected) in [
        (vec![], true),
        (vec![line(2, 50, &[])], true),
        (vec![line(3, 0, &[8])], true),
        (vec![line(2, 49, &[])], false),
        (vec![line(1, 90, &[])], false),
        (vec![line(3, 0, &[6, 7])], false),
        (vec![line(3, 0, &[]), line(2, 0, &[])], false),
    ] {
        assert_eq!(marked.can_be_closed(&open), expected, "{open:?}");
        assert!(!lease().can_be_closed(&open), "it has no mark");
    }
}

#[test]
fn a_lease_ends_once_and_gives_back_no_more_than_it_had() {
    let mut lease = lease();
    lease.give_back(10);
    assert_eq!(lease.returned, 20);
    lease.give_back(500);
    assert_eq!(lease.returned, 100);
    lease.end(9);
    lease.end(11);
    assert_eq!((lease.state, lease.over_at_ms), (LeaseState::Over, Some(9)));
    assert!(!lease.has_expired(1_000 + GRACE_MS - 1) && lease.has_expired(1_000 + GRACE_MS));
}

#[test]
fn when_to_ask_again() {
    let hour = Per::Hour.period(3_600_000);
    assert_eq!(retry_after_s(&hour, 1, 3_600_000), Some(RETRY_S));
    assert_eq!(retry_after_s(&hour, 0, 3_600_000), Some(3_600));
    assert_eq!(retry_after_s(&hour, 0, 7_199_999), Some(1));
    assert_eq!(retry_after_s(&hour, 0, 9_000_000), Some(1));
    assert_eq!(retry_after_s(&Per::Total.period(5), 0, 5), None);
    assert_eq!(expiry(&hour, 7_199_000), 7_200_000);
    assert_eq!(expiry(&hour, 3_600_000), 3_600_000 + LEASE_TTL_MS);
    assert_eq!(expiry(&Per::Total.period(5), u64::MAX), u64::MAX);
}
