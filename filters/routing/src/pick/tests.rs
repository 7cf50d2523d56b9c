use super::*;
use crate::memory::tests::Shelf;

const BOUNDS: AffinityBounds = AffinityBounds { bound_percent: 150, remember_s: 600 };
const NOW_MS: u64 = 5_000_000;

fn servers(active: &[u32]) -> Vec<Server> {
    let server = |(number, active): (usize, &u32)| Server {
        address: format!("10.0.0.{number}:8000"),
        active: Some(*active),
        weight: 1,
    };
    active.iter().enumerate().map(server).collect()
}

fn pool(servers: &[Server]) -> Pool<'_> {
    Pool { name: "p", servers, bounds: BOUNDS }
}

fn blocks(texts: &[&str]) -> Blocks {
    Blocks::of(&["p"], texts.iter().copied())
}

fn first(picks: &Picks<'_>) -> String {
    picks.first().unwrap().address.clone()
}

/// A text that is long enough to matter.
fn text(of: &str) -> String {
    of.repeat(300)
}

#[test]
fn who_has_served_the_longest_part_is_picked() {
    let (shelf, servers) = (Shelf::default(), servers(&[0; 6]));
    let pool = pool(&servers);
    let system = text("s");
    pool.remember(&blocks(&[&system]), "10.0.0.1:8000", &shelf, NOW_MS);
    pool.remember(&blocks(&[&system, "hello"]), "10.0.0.4:8000", &shelf, NOW_MS);
    let picked = |texts: &[&str], now_ms| first(&pool.by_prefix(&blocks(texts), &shelf, now_ms));
    assert_eq!(picked(&[&system, "hello", "yes", "go on"], NOW_MS), "10.0.0.4:8000");
    let of_two = picked(&[&system, "other"], NOW_MS);
    assert!(["10.0.0.1:8000", "10.0.0.4:8000"].contains(&of_two.as_str()), "{of_two}");
}

#[test]
fn what_was_remembered_expires() {
    let (shelf, servers) = (Shelf::default(), servers(&[0; 50]));
    let pool = pool(&servers);
    let blocks = blocks(&[&text("s"), "hello"]);
    let before = first(&pool.by_prefix(&blocks, &shelf, NOW_MS));
    let other = servers.iter().find(|server| server.address != before).unwrap();
    pool.remember(&blocks, &other.address, &shelf, NOW_MS);
    assert_eq!(first(&pool.by_prefix(&blocks, &shelf, NOW_MS + 600_000)), other.address);
    assert_eq!(first(&pool.by_prefix(&blocks, &shelf, NOW_MS + 601_000)), before);
}

#[test]
fn a_holder_over_the_bound_is_passed_over() {
    let blocks = blocks(&[&text("s"), "hello"]);
    let is_picked = |active: &[u32]| {
        let (shelf, servers) = (Shelf::default(), servers(active));
        pool(&servers).remember(&blocks, "10.0.0.0:8000", &shelf, NOW_MS);
        first(&pool(&servers).by_prefix(&blocks, &shelf, NOW_MS)) == "10.0.0.0:8000"
    };
    assert!(is_picked(&[10, 10, 10, 10]));
    assert!(is_picked(&[15, 9, 8, 8]), "15 of at most 15.4");
    assert!(!is_picked(&[16, 9, 8, 8]));
    assert!(is_picked(&[3, 0, 0, 0]), "that is little");
    assert!(!is_picked(&[4, 0, 0, 0]));
}

#[test]
fn a_server_with_more_weight_may_have_more() {
    let blocks = blocks(&[&text("s"), "hello"]);
    let is_picked = |weights: [u32; 2]| {
        let (shelf, mut servers) = (Shelf::default(), servers(&[20, 10]));
        servers.iter_mut().zip(weights).for_each(|(server, weight)| server.weight = weight);
        let pool = pool(&servers);
        pool.remember(&blocks, "10.0.0.0:8000", &shelf, NOW_MS);
        pool.sent("10.0.0.0:8000", &shelf, NOW_MS);
        pool.sent("10.0.0.0:8000", &shelf, NOW_MS);
        first(&pool.by_prefix(&blocks, &shelf, NOW_MS)) == "10.0.0.0:8000"
    };
    assert!(is_picked([1, 1]), "20 of at most 23");
    assert!(is_picked([3, 1]));
    assert!(!is_picked([1, 3]), "20 of at most 11");
}

#[test]
fn what_is_under_way_counts_before_an_engine_tells_of_it() {
    let (shelf, servers) = (Shelf::default(), servers(&[0; 4]));
    let (pool, blocks) = (pool(&servers), blocks(&[&text("s"), "hello"]));
    pool.remember(&blocks, "10.0.0.0:8000", &shelf, NOW_MS);
    let sent: Vec<Sent> =
        (0..8).filter_map(|_| pool.sent("10.0.0.0:8000", &shelf, NOW_MS)).collect();
    assert_ne!(first(&pool.by_prefix(&blocks, &shelf, NOW_MS)), "10.0.0.0:8000");
    sent.into_iter().for_each(|sent| pool.ended(sent, &shelf, NOW_MS));
    assert_eq!(first(&pool.by_prefix(&blocks, &shelf, NOW_MS)), "10.0.0.0:8000");
}

/// Two gateways that have never heard of each other, and of a prompt.
#[test]
fn gateways_agree_on_what_nobody_remembers() {
    let servers = servers(&[0; 16]);
    let mut reversed = servers.clone();
    reversed.reverse();
    for number in 0..50 {
        let blocks = blocks(&[&text(&format!("{number:03}")), "hello"]);
        let one = pool(&servers).by_prefix(&blocks, &Shelf::default(), NOW_MS);
        let other = pool(&reversed).by_prefix(&blocks, &Shelf::default(), NOW_MS);
        assert_eq!(first(&one), first(&other));
    }
}

#[test]
fn what_nobody_remembers_is_spread() {
    let (shelf, servers) = (Shelf::default(), servers(&[0; 8]));
    let pool = pool(&servers);
    let mut requests = [0_usize; 8];
    for number in 0..800 {
        let picks = pool.by_prefix(&blocks(&[&format!("question {number}")]), &shelf, NOW_MS);
        let address = &picks.first().unwrap().address;
        pool.sent(address, &shelf, NOW_MS);
        requests[servers.iter().position(|server| server.address == *address).unwrap()] += 1;
    }
    assert!(requests.iter().all(|count| count.abs_diff(100) <= 2), "{requests:?}");
}

#[test]
fn what_many_hold_goes_to_whoever_has_least_to_do() {
    let (shelf, servers) = (Shelf::default(), servers(&[0; 20]));
    let (pool, system) = (pool(&servers), text("s"));
    for server in &servers[..8] {
        pool.remember(&blocks(&[&system]), &server.address, &shelf, NOW_MS);
        pool.sent(&server.address, &shelf, NOW_MS);
    }
    let picked = first(&pool.by_prefix(&blocks(&[&system, "new"]), &shelf, NOW_MS));
    assert!(servers[8..].iter().any(|server| server.address == picked), "{picked}");
}

#[test]
fn a_user_stays_unless_his_server_is_over_the_bound() {
    let shelf = Shelf::default();
    let idle = servers(&[0; 6]);
    let of = |servers: &[Server], tenant: &str, user: &str| {
        first(&pool(servers).by_user(tenant, user, &shelf, NOW_MS))
    };
    let usual = of(&idle, "acme", "kim");
    assert_eq!(of(&idle, "acme", "kim"), usual);
    let mut busy = idle.clone();
    let his = busy.iter_mut().find(|server| server.address == usual).unwrap();
    his.active = Some(30);
    let other = of(&busy, "acme", "kim");
    assert_ne!(other, usual);
    assert_eq!(of(&busy, "acme", "kim"), other, "and then at another one");
    let users = (0..200).map(|number| of(&idle, "acme", &format!("user-{number}")));
    let used: std::collections::BTreeSet<String> = users.collect();
    assert_eq!(used.len(), 6);
}

/// A server that leaves takes away nobody but its own.
#[test]
fn users_of_other_servers_do_not_notice_one_that_leaves() {
    let (shelf, all) = (Shelf::default(), servers(&[0; 6]));
    let left = &all[1..];
    for number in 0..200 {
        let user = format!("user-{number}");
        let before = first(&pool(&all).by_user("acme", &user, &shelf, NOW_MS));
        let after = first(&pool(left).by_user("acme", &user, &shelf, NOW_MS));
        assert!(before == all[0].address || before == after);
    }
}

#[test]
fn the_header_names_each_server_once_and_four_at_most() {
    let shelf = Shelf::default();
    let blocks = blocks(&[&text("s")]);
    let named = |count: usize| {
        let servers = servers(&vec![0; count]);
        let header = pool(&servers).by_prefix(&blocks, &shelf, NOW_MS).header();
        header.map(|header| header.split(',').map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(named(0), None);
    assert_eq!(named(1), Some(vec!["10.0.0.0:8000".to_owned()]));
    for count in [2, 4, 9] {
        let mut names = named(count).unwrap();
        assert_eq!(names.len(), count.min(4));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count.min(4));
    }
}
