use super::*;
use proptest::prelude::*;

fn target(number: u8) -> Target {
    let address = SocketAddr::from(([10, 0, 0, number], 8000));
    Target { address, hostname: None, tls: false, zone: None }
}

fn targets(numbers: &[u8]) -> Vec<Target> {
    numbers.iter().copied().map(target).collect()
}

fn membership(hold_empty_s: u64, drain_s: u64) -> Membership {
    Membership::new(Duration::from_secs(hold_empty_s), Duration::from_secs(drain_s))
}

/// `1 2~`: the first is a member, the second drains.
fn shown(membership: &Membership) -> String {
    let members = membership.members();
    let show = |member: &Member| {
        let SocketAddr::V4(address) = member.target.address else { panic!("IPv4 only") };
        format!("{}{}", address.ip().octets()[3], if member.draining { "~" } else { "" })
    };
    members.iter().map(show).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_left_drains_and_then_goes() {
    let mut pool = membership(30, 300);
    pool.found(&targets(&[2, 1]), 1_000);
    assert_eq!(shown(&pool), "1 2");
    assert_eq!(pool.next_deadline_ms(), None);
    pool.found(&targets(&[1, 3]), 2_000);
    assert_eq!(shown(&pool), "1 2~ 3");
    assert_eq!(pool.next_deadline_ms(), Some(302_000));
    assert!(!pool.tick(301_999));
    assert!(pool.tick(302_000));
    assert_eq!(shown(&pool), "1 3");
    assert_eq!(pool.next_deadline_ms(), None);
}

#[test]
fn a_drain_is_not_prolonged_by_more_news() {
    let mut pool = membership(30, 300);
    pool.found(&targets(&[1, 2]), 0);
    pool.found(&targets(&[1]), 1_000);
    pool.found(&targets(&[1]), 200_000);
    assert_eq!(pool.next_deadline_ms(), Some(301_000));
}

#[test]
fn what_comes_back_is_a_member_again() {
    let mut pool = membership(30, 300);
    pool.found(&targets(&[1, 2]), 0);
    pool.found(&targets(&[1]), 1_000);
    pool.found(&targets(&[1, 2]), 2_000);
    assert_eq!(shown(&pool), "1 2");
    assert!(!pool.tick(1_000_000));
}

#[test]
fn without_a_drain_it_goes_at_once() {
    let mut pool = membership(30, 0);
    pool.found(&targets(&[1, 2]), 0);
    pool.found(&targets(&[1]), 1_000);
    assert_eq!(shown(&pool), "1");
}

#[test]
fn none_at_all_is_doubted_for_a_while() {
    let mut pool = membership(30, 300);
    pool.found(&targets(&[1, 2]), 0);
    pool.found(&[], 1_000);
    pool.found(&[], 20_000);
    assert_eq!((shown(&pool).as_str(), pool.doubted_since_ms()), ("1 2", Some(1_000)));
    assert_eq!(pool.next_deadline_ms(), Some(31_000));
    assert!(!pool.tick(30_999));
    assert!(pool.tick(31_000));
    assert_eq!((shown(&pool).as_str(), pool.doubted_since_ms()), ("1~ 2~", None));
    assert_eq!(pool.next_deadline_ms(), Some(331_000));
}

#[test]
fn a_doubt_does_not_end_while_nobody_can_be_asked() {
    let mut pool = membership(30, 300);
    pool.found(&targets(&[1]), 0);
    pool.found(&[], 1_000);
    pool.doubt_again(30_000);
    assert!(!pool.tick(59_999));
    assert_eq!((shown(&pool).as_str(), pool.doubted_since_ms()), ("1", Some(30_000)));
    pool.forget_doubt();
    assert_eq!((pool.tick(1_000_000), pool.next_deadline_ms()), (false, None));
    pool.doubt_again(1_000_001);
    assert_eq!(pool.doubted_since_ms(), None);
    pool.forget_all();
    assert_eq!(shown(&pool), "");
}

#[test]
fn a_doubt_ends_when_some_are_found() {
    let mut pool = membership(30, 300);
    pool.found(&targets(&[1, 2]), 0);
    pool.found(&[], 1_000);
    pool.found(&targets(&[2]), 2_000);
    assert_eq!((shown(&pool).as_str(), pool.doubted_since_ms()), ("1~ 2", None));
}

#[test]
fn none_is_believed_at_once_when_told_so_and_at_the_start() {
    let mut told_so = membership(0, 300);
    told_so.found(&targets(&[1]), 0);
    told_so.found(&[], 1_000);
    assert_eq!(shown(&told_so), "1~");
    let mut at_the_start = membership(30, 300);
    at_the_start.found(&[], 1_000);
    assert_eq!((shown(&at_the_start).as_str(), at_the_start.doubted_since_ms()), ("", None));
}

#[test]
fn one_address_has_one_place_and_its_latest_name() {
    let named = |name: &str| Target { hostname: Some(name.to_owned()), ..target(1) };
    let mut pool = membership(30, 300);
    pool.found(&[named("a"), named("b")], 0);
    assert_eq!(pool.members(), [Member { target: named("a"), draining: false }]);
    pool.found(&[named("b")], 1_000);
    assert_eq!(pool.members(), [Member { target: named("b"), draining: false }]);
}

#[test]
fn times_at_the_end_of_the_clock_do_not_overflow() {
    let mut pool = Membership::new(Duration::MAX, Duration::MAX);
    pool.found(&targets(&[1, 2]), u64::MAX - 1);
    pool.found(&targets(&[1]), u64::MAX - 1);
    pool.found(&[], u64::MAX - 1);
    assert_eq!(shown(&pool), "1 2~");
    assert_eq!(pool.next_deadline_ms(), Some(u64::MAX));
}

#[derive(Clone, Debug)]
enum Step {
    Found(Vec<u8>),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let numbers = prop::collection::vec(1u8..6, 0..4);
    let step = prop_oneof![numbers.prop_map(Step::Found), (0u64..40).prop_map(Step::Wait)];
    prop::collection::vec(step, 0..60)
}

/// What a source said and when an address was named last, kept beside the
/// membership to judge it.
#[derive(Default)]
struct Witness {
    last_named_ms: BTreeMap<SocketAddr, u64>,
    named_now: Vec<SocketAddr>,
}

proptest! {
    #[test]
    fn nobody_vanishes_and_nobody_is_forgotten(
        steps in steps(), hold_ms in 0u64..30, drain_ms in 0u64..30,
    ) {
        let mut pool =
            Membership::new(Duration::from_millis(hold_ms), Duration::from_millis(drain_ms));
        let mut witness = Witness::default();
        let mut now_ms = 0;
        for step in steps {
            let before = pool.members();
            match &step {
                Step::Wait(ms) => {
                    now_ms += ms;
                    let changed = pool.tick(now_ms);
                    prop_assert_eq!(changed, pool.members() != before);
                }
                Step::Found(numbers) => {
                    let found = targets(numbers);
                    pool.found(&found, now_ms);
                    witness.named_now = found.iter().map(|target| target.address).collect();
                }
            }
            for address in &witness.named_now {
                witness.last_named_ms.insert(*address, now_ms);
            }
            check(&pool, &before, &witness, now_ms, hold_ms, drain_ms)?;
        }
    }
}

fn check(
    pool: &Membership,
    before: &[Member],
    witness: &Witness,
    now_ms: u64,
    hold_ms: u64,
    drain_ms: u64,
) -> Result<(), TestCaseError> {
    let members = pool.members();
    let find = |address| members.iter().find(|member| member.target.address == address);
    prop_assert!(members.is_sorted_by(|a, b| a.target.address < b.target.address));
    prop_assert!(pool.next_deadline_ms().is_none_or(|deadline| deadline > now_ms));
    for address in &witness.named_now {
        prop_assert!(find(*address).is_some_and(|member| !member.draining));
    }
    for Member { target, draining } in before {
        let gone = find(target.address).is_none();
        let drained = now_ms - witness.last_named_ms[&target.address] >= drain_ms;
        prop_assert!(!gone || *draining || drain_ms == 0);
        prop_assert!(!gone || drained);
    }
    if pool.doubted_since_ms().is_some() {
        prop_assert!(witness.named_now.is_empty() && hold_ms > 0);
        prop_assert!(members.iter().any(|member| !member.draining));
    } else {
        let named = |member: &&Member| witness.named_now.contains(&member.target.address);
        prop_assert!(members.iter().all(|member| member.draining || named(&member)));
    }
    Ok(())
}
