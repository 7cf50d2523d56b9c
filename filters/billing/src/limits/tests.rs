use super::*;
use crate::memory::Memory;

mod any_order;

const NOW: u64 = 1_800_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

fn scope(kind: Kind, name: &str) -> Scope {
    Scope::new(1, kind, &[name])
}

fn requests(per_minute: u32, burst: u32) -> LimitsConfig {
    let requests_per_minute = Some(per_minute);
    LimitsConfig { requests_per_minute, burst: Some(burst), ..LimitsConfig::default() }
}

fn tokens(per_minute: u32) -> LimitsConfig {
    LimitsConfig { tokens_per_minute: Some(per_minute), ..LimitsConfig::default() }
}

fn ask<'a>(scopes: &'a [(Scope, &'a LimitsConfig)], input_tokens: u64) -> Ask<'a> {
    Ask {
        scopes,
        input_tokens,
        output_tokens: 0,
        output_is_callers: false,
        gateways: 1,
        now_ns: NOW,
    }
}

fn remaining(table: &Memory, scopes: &[(Scope, &LimitsConfig)], now_ns: u64) -> u64 {
    let admitted = admit(table, &Ask { now_ns, ..ask(scopes, 1) });
    match admitted {
        Ok(admitted) => {
            give_back(table, &admitted, now_ns);
            admitted.standing.tokens.unwrap().remaining + 1
        }
        Err(refused) => refused.standing.tokens.unwrap().remaining,
    }
}

#[test]
fn a_scope_without_limits_admits_all() {
    let (table, none) = (Memory::default(), LimitsConfig::default());
    let admitted = admit(&table, &ask(&[(scope(Kind::Key, "a"), &none)], u64::MAX)).unwrap();
    assert_eq!((admitted.standing, admitted.taken.len()), (Standings::default(), 0));
    assert!(admit(&table, &ask(&[], 1)).is_ok() && table.names().is_empty());
}

#[test]
fn all_scopes_admit_or_nothing_is_taken() {
    let table = Memory::default();
    let (wide, narrow) = (requests(60, 10), requests(60, 1));
    let scopes = [(scope(Kind::Tenant, "t"), &wide), (scope(Kind::Key, "k"), &narrow)];
    admit(&table, &ask(&scopes, 0)).unwrap();
    let refused = admit(&table, &ask(&scopes, 0)).unwrap_err();
    assert_eq!(refused.over, Over::Requests { retry_after_s: 1 });
    let tightest = Standing { limit: 1, remaining: 0, reset_ms: 1_000 };
    assert_eq!((refused.kind, refused.standing.requests), (Kind::Key, Some(tightest)));
    let left = admit(&table, &ask(&scopes[..1], 0)).unwrap().standing.requests.unwrap();
    assert_eq!(left, Standing { limit: 10, remaining: 8, reset_ms: 2_000 });
}

#[test]
fn what_was_taken_comes_back_when_a_later_scope_fails() {
    let limits = LimitsConfig { requests_per_minute: Some(60), ..tokens(600) };
    let (tenant, key) = (scope(Kind::Tenant, "t"), scope(Kind::User, "k"));
    let hot = Memory::default();
    hot.keep_busy(Some(&name(key.slot)));
    let refused = admit(&hot, &ask(&[(tenant, &limits), (key, &limits)], 100)).unwrap_err();
    assert_eq!((refused.over, refused.kind), (Over::Requests { retry_after_s: 1 }, Kind::User));
    let admitted = admit(&hot, &ask(&[(tenant, &limits)], 100)).unwrap();
    assert_eq!(admitted.standing.requests.unwrap().remaining, 59);
    assert_eq!(admitted.standing.tokens.unwrap().remaining, 500);
}

#[test]
fn the_reason_that_lasts_longest_is_told() {
    let table = Memory::default();
    let limits = LimitsConfig { requests_per_minute: Some(60), burst: Some(1), ..tokens(60) };
    let scopes = [(scope(Kind::Tenant, "t"), &limits)];
    admit(&table, &ask(&scopes, 60)).unwrap();
    let refused = admit(&table, &ask(&scopes, 30)).unwrap_err();
    assert_eq!(refused.over, Over::Tokens { retry_after_s: 30 });
    let later = Ask { now_ns: NOW + 29 * SECOND + 1, ..ask(&scopes, 30) };
    assert_eq!(admit(&table, &later).unwrap_err().over, Over::Tokens { retry_after_s: 1 });
    assert!(admit(&table, &Ask { now_ns: NOW + 30 * SECOND, ..later }).is_ok());
}

#[test]
fn what_a_bucket_never_holds_is_too_large() {
    let limits = tokens(1_000);
    let scopes = [(scope(Kind::User, "u"), &limits)];
    let table = [
        // in, out, the caller's, gateways; what is taken
        (1_000, 0, false, 1, Some(1_000)),
        (1_001, 0, false, 1, None),
        (10, u64::MAX, false, 1, Some(1_000)),
        (10, 990, true, 1, Some(1_000)),
        (10, 991, true, 1, None),
        (10, 900, true, 4, Some(250)),
        (0, 0, true, 1, Some(1)),
    ];
    for (input_tokens, output_tokens, output_is_callers, gateways, expected) in table {
        let ask = Ask { output_tokens, output_is_callers, gateways, ..ask(&scopes, input_tokens) };
        match (admit(&Memory::default(), &ask), expected) {
            (Ok(admitted), Some(many)) => assert_eq!(admitted.taken[0].many, many),
            (Err(refused), None) => assert_eq!(refused.over, Over::TooLarge { limit: 1_000 }),
            (found, _) => panic!("{input_tokens} {output_tokens}: {found:?}"),
        }
    }
}

#[test]
fn tokens_are_set_right() {
    let limits = tokens(600);
    let scopes = [(scope(Kind::Key, "k"), &limits)];
    let table = [
        // taken, used, seconds later; what remains
        (200, 50, 0, 550),
        (200, 0, 0, 600),
        (200, 200, 0, 400),
        (200, 300, 0, 300),
        (200, 200, 10, 500),
        (600, 0, 10, 600),
        // After 30 of its 60 s the bucket would be full again anyway.
        (600, 100, 30, 600),
        (600, 500, 10, 200),
        (100, 700, 0, 0),
    ];
    for (taken, used, seconds, expected) in table {
        let table = Memory::default();
        let admitted = admit(&table, &ask(&scopes, taken)).unwrap();
        let now = NOW + seconds * SECOND;
        settle(&table, &admitted, used, now);
        assert_eq!(remaining(&table, &scopes, now), expected, "{taken} {used} {seconds}");
    }
}

#[test]
fn what_time_has_refilled_does_not_come_back_once_more() {
    let (table, limits) = (Memory::default(), tokens(600));
    let scopes = [(scope(Kind::Key, "k"), &limits)];
    let first = admit(&table, &ask(&scopes, 600)).unwrap();
    let now = NOW + 60 * SECOND;
    admit(&table, &Ask { now_ns: now, ..ask(&scopes, 600) }).unwrap();
    settle(&table, &first, 0, now);
    assert_eq!(remaining(&table, &scopes, now), 0, "600 were taken this very moment");
}

#[test]
fn debt_is_bounded() {
    let (table, limits) = (Memory::default(), tokens(600));
    let scopes = [(scope(Kind::Key, "k"), &limits)];
    let admitted = admit(&table, &ask(&scopes, 600)).unwrap();
    settle(&table, &admitted, u64::MAX, NOW);
    let wait = |many| admit(&table, &ask(&scopes, many)).unwrap_err().over;
    assert_eq!([wait(1), wait(600)], [61, 120].map(|s| Over::Tokens { retry_after_s: s }));
}

#[test]
fn gateways_share_the_buckets() {
    let (table, limits) = (Memory::default(), requests(60, 10));
    let scopes = [(scope(Kind::Model, "m"), &limits)];
    let ask = Ask { gateways: 4, ..ask(&scopes, 0) };
    assert_eq!((0..9).map_while(|_| admit(&table, &ask).ok()).count(), 2);
    let refused = admit(&table, &ask).unwrap_err();
    assert_eq!(refused.over, Over::Requests { retry_after_s: 4 });
}

#[test]
fn a_full_slot_refuses_and_gets_free_again() {
    let (table, limits) = (Memory::default(), tokens(60));
    let key = scope(Kind::Key, "k");
    let mut slot = Slot::of(None);
    for tag in 0..64 {
        slot.cell(tag, NOW).unwrap().full_at = NOW + 5 * SECOND;
    }
    table.put(&name(key.slot), slot.written(NOW));
    let scopes = [(key, &limits)];
    assert_eq!(
        admit(&table, &ask(&scopes, 1)).unwrap_err().over,
        Over::Tokens { retry_after_s: 1 }
    );
    assert!(admit(&table, &Ask { now_ns: NOW + 5 * SECOND, ..ask(&scopes, 1) }).is_ok());
}

#[test]
fn a_clock_that_jumps_back_refuses_for_a_while_at_most() {
    let (table, limits) = (Memory::default(), tokens(60));
    let scopes = [(scope(Kind::Key, "k"), &limits)];
    let admitted = admit(&table, &ask(&scopes, 60)).unwrap();
    let now_ns = NOW - 86_400 * SECOND;
    let refused = admit(&table, &Ask { now_ns, ..ask(&scopes, 60) }).unwrap_err();
    assert_eq!(refused.over, Over::Tokens { retry_after_s: 120 });
    assert_eq!(refused.standing.tokens.unwrap().reset_ms, 120_000);
    settle(&table, &admitted, 60, now_ns);
    assert!(admit(&table, &Ask { now_ns: now_ns + 120 * SECOND, ..ask(&scopes, 60) }).is_err());
    settle(&table, &admitted, 61, now_ns);
    assert!(admit(&table, &Ask { now_ns: now_ns + 120 * SECOND, ..ask(&scopes, 60) }).is_ok());
}

#[test]
fn a_broken_slot_is_a_full_bucket() {
    let (table, limits) = (Memory::default(), tokens(60));
    let key = scope(Kind::Key, "k");
    table.put(&name(key.slot), vec![1, 2, 3]);
    assert_eq!(remaining(&table, &[(key, &limits)], NOW), 60);
}

#[test]
fn workers_together_take_what_there_is() {
    let table = Memory::default();
    let (wide, narrow) = (requests(60, 90), requests(60, 25));
    let scopes = [(scope(Kind::Tenant, "t"), &wide), (scope(Kind::Key, "k"), &narrow)];
    let admitted = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..20 {
                    let more = u64::from(admit(&table, &ask(&scopes, 0)).is_ok());
                    admitted.fetch_add(more, std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
    });
    let left = admit(&table, &ask(&scopes[..1], 0)).unwrap().standing.requests.unwrap().remaining;
    assert_eq!((admitted.into_inner(), left), (25, 90 - 26));
}
