//! What every store has to do, whatever its database.

mod books;
mod corrections;
mod gateways;
mod leases;
mod nonces;
mod rotation;
mod trail;
mod uses;
mod weights;

use crate::budget::{Budget, Per};
use crate::error::Error;
use crate::key::{NewKey, Revocation};
use crate::record::tests::record;
use crate::record::{GroupBy, UsageFilter, UsageRecord, UsageSum};
use crate::store::{Batch, Counts, OpenRequest, Position, Store};
use crate::verify::{self, Verification};
use contract::keyring::{KeyChange, KeyEntry};
use contract::price::Prices;
use contract::usage::End;

/// The whole suite; `fresh` makes an empty store each time.
pub async fn all<S: Store>(mut fresh: impl AsyncFnMut() -> S) {
    created_keys(&fresh().await).await;
    keyring_in_pages(&fresh().await).await;
    configured_keys(&fresh().await).await;
    prices(&fresh().await).await;
    position_and_postings_move_together(&fresh().await).await;
    each_id_is_posted_once(&fresh().await).await;
    a_journals_records_fill_gaps(&fresh().await).await;
    open_requests(&fresh().await).await;
    usage_and_sums(&fresh().await).await;
    rotation::an_old_key_ends_and_a_new_one_takes_over(&fresh().await).await;
    rotation::an_old_key_that_ends_sooner_still_does(&fresh().await).await;
    rotation::without_overlap_the_old_key_is_void(&fresh().await).await;
    rotation::what_is_not_rotated(&fresh().await).await;
    uses::a_key_shows_when_it_was_last_used(&fresh().await).await;
    uses::the_first_use_on_a_day_is_noted(&fresh().await).await;
    trail::what_is_noted_is_found(&fresh().await).await;
    trail::what_changes_a_key_is_noted_with_it(&fresh().await).await;
    trail::the_configurations_keys_are_noted(&fresh().await).await;
    trail::the_end_is_known_by_its_head(&fresh().await).await;
    nonces::a_nonce_is_fresh_once(&fresh().await).await;
    nonces::the_end_of_all_nonces_is_known(&fresh().await).await;
    spools_have_positions_of_their_own(&fresh().await).await;
    books::every_account_has_a_balance_in_every_period(&fresh().await).await;
    books::a_record_that_is_read_again_moves_nothing(&fresh().await).await;
    books::what_does_not_fit_stops_nothing(&fresh().await).await;
    books::pages_and_sums_by_every_word(&fresh().await).await;
    corrections::a_correction_is_posted_beside_its_record(&fresh().await).await;
    corrections::what_cannot_be_corrected(&fresh().await).await;
    leases::a_budget_is_given_in_parts(&fresh().await).await;
    leases::two_gateways_share_a_budget(&fresh().await).await;
    leases::an_answer_that_was_lost_is_given_again(&fresh().await).await;
    leases::what_is_given_back_is_there_again(&fresh().await).await;
    leases::usage_is_of_the_leases_period(&fresh().await).await;
    leases::a_dead_gateways_leases_come_back(&fresh().await).await;
    leases::a_lease_is_not_closed_by_time_alone(&fresh().await).await;
    leases::budgets_of_keys_and_users(&fresh().await).await;
    leases::without_a_budget_nothing_is_bound(&fresh().await).await;
    gateways::those_that_were_heard_of_are_counted(&fresh().await).await;
    gateways::what_engines_count_is_kept(&fresh().await).await;
    weights::steps_are_taken_back_the_last_one_first(&fresh().await).await;
    weights::a_reset_can_be_taken_back(&fresh().await).await;
    weights::of_two_who_move_a_pool_each_both_are_heard(&fresh().await).await;
    weights::nobody_takes_all_requests_away(&fresh().await).await;
    weights::what_does_not_fit_is_kept_until_a_command(&fresh().await).await;
    weights::steps_are_noted_with_what_was_before(&fresh().await).await;
    many_keys(&fresh().await).await;
}

/// The books, which must be sound.
async fn sound(store: &impl Store) -> Verification {
    let nothing = std::env::temp_dir().join("no-spool-of-a-ledger");
    let found = verify::verify(store, &nothing, "no spool").await.unwrap();
    assert!(found.is_sound(), "{:?}", found.faults);
    found
}

async fn spools_have_positions_of_their_own(store: &impl Store) {
    for spool in ["a", "b", "a"] {
        store.register_spool(spool).await.unwrap();
    }
    let of = |spool: &str, batch: Batch| Batch { spool: spool.to_owned(), ..batch };
    let open = |id: &str| OpenRequest {
        id: id.to_owned(),
        generation: 1,
        offset: 5,
        leases: vec![3, 4],
        line: id.to_owned(),
        start_only: false,
    };
    let mut first = of("a", posting(at(1, 0), at(1, 9), vec![record("r1")]));
    first.open = vec![open("x")];
    store.commit(&first).await.unwrap();
    let mut second = of("b", posting(at(1, 0), at(2, 0), vec![record("r2")]));
    second.open = vec![open("y")];
    store.commit(&second).await.unwrap();
    assert!(matches!(store.commit(&of("c", first.clone())).await, Err(Error::PositionMoved)));
    assert_eq!(store.position("a").await.unwrap(), at(1, 9));
    assert_eq!(store.position("b").await.unwrap(), at(2, 0));
    assert_eq!(store.position("never heard of").await.unwrap(), at(1, 0));
    assert_eq!(store.open_requests("a", 9).await.unwrap(), [open("x")]);
    assert_eq!(store.open_requests("b", 9).await.unwrap(), [open("y")]);
    sound(store).await;
}

pub fn new_key(id: &str, tenant: &str) -> NewKey {
    NewKey {
        id: id.to_owned(),
        sha256: digest(id),
        name: format!("name of {id}"),
        tenant: tenant.to_owned(),
        user: Some("ann".to_owned()),
        roles: vec!["user".to_owned()],
        models: vec!["llama*".to_owned()],
        masking: Some("strict".to_owned()),
        limits: Some("slow".to_owned()),
        budget: Some(Budget { nanodollars: 5_000, per: Per::Day }),
        expires_at_s: Some(2_000_000_000),
        at_s: 1_000,
    }
}

fn digest(of: &str) -> String {
    format!("{of:0>64}")
}

fn entry(id: &str, tenant: &str) -> KeyEntry {
    KeyEntry {
        id: id.to_owned(),
        tenant: tenant.to_owned(),
        user: Some("ann".to_owned()),
        roles: vec!["user".to_owned()],
        models: vec!["llama*".to_owned()],
        masking: Some("strict".to_owned()),
        limits: Some("slow".to_owned()),
        budget: true,
        expires_at_s: Some(2_000_000_000),
    }
}

fn change(id: &str, entry: Option<KeyEntry>) -> KeyChange {
    KeyChange { sha256: digest(id), entry }
}

async fn created_keys(store: &impl Store) {
    assert_eq!(store.keyring_version().await.unwrap(), 0);
    store.create_key(&new_key("k1", "acme")).await.unwrap();
    store.create_key(&new_key("k2", "zeta")).await.unwrap();
    assert_eq!(store.keyring_version().await.unwrap(), 2);
    let again = NewKey { sha256: digest("other"), ..new_key("k1", "acme") };
    assert!(matches!(store.create_key(&again).await, Err(Error::KeyExists)));
    let again = NewKey { id: "other".to_owned(), ..new_key("k1", "acme") };
    assert!(matches!(store.create_key(&again).await, Err(Error::KeyExists)));
    assert_eq!(store.keyring_version().await.unwrap(), 2);
    assert_eq!(store.keys_in_force().await.unwrap(), 2);

    let found = store.key_by_digest(&digest("k1")).await.unwrap();
    assert_eq!(found, Some(entry("k1", "acme")));
    assert_eq!(store.key_by_digest(&digest("k3")).await.unwrap(), None);
    for (id, expected) in [
        ("k1", Revocation::Revoked),
        ("k1", Revocation::AlreadyRevoked),
        ("k3", Revocation::Unknown),
    ] {
        assert_eq!(store.revoke_key(id, 1_500).await.unwrap(), expected);
    }
    assert_eq!(store.key_by_digest(&digest("k1")).await.unwrap(), None);
    let all = store.list_keys(None).await.unwrap();
    let listed: Vec<_> = all.iter().map(|key| (key.id.as_str(), key.revoked_at_s)).collect();
    assert_eq!(listed, [("k1", Some(1_500)), ("k2", None)]);
    assert_eq!(all[0].created_at_s, 1_000);
    assert_eq!(all[0].roles, ["user"]);
    assert_eq!(all[0].models, ["llama*"]);
    assert_eq!(store.keys_in_force().await.unwrap(), 1);
    let of_zeta = store.list_keys(Some("zeta")).await.unwrap();
    assert_eq!(of_zeta.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["k2"]);
}

async fn keyring_in_pages(store: &impl Store) {
    for id in ["k1", "k2", "k3"] {
        store.create_key(&new_key(id, "acme")).await.unwrap();
    }
    store.revoke_key("k1", 1_500).await.unwrap();
    let first = store.keyring_since(None, 0, 2).await.unwrap();
    assert_eq!((first.version, first.more), (3, true));
    let given = |id| change(id, Some(entry(id, "acme")));
    assert_eq!(first.changes, [given("k2"), given("k3")]);

    let epoch = Some(first.epoch.as_str());
    let second = store.keyring_since(epoch, first.version, 2).await.unwrap();
    assert_eq!((second.version, second.more), (4, false));
    assert_eq!(second.changes, [change("k1", None)]);
    let nothing = store.keyring_since(epoch, 4, 2).await.unwrap();
    assert_eq!((nothing.version, nothing.more, nothing.changes.len()), (4, false, 0));
    // Another history, and a version that is yet to come, begin anew.
    for (epoch, since) in [(None, 4), (Some("other"), 4), (epoch, 5)] {
        let anew = store.keyring_since(epoch, since, 9).await.unwrap();
        assert_eq!((anew.version, anew.changes.len()), (4, 3), "{epoch:?} {since}");
    }
    assert_eq!(store.keyring_since(None, 0, 0).await.unwrap().changes.len(), 1);
}

async fn configured_keys(store: &impl Store) {
    store.create_key(&new_key("made", "acme")).await.unwrap();
    store.revoke_key("made", 1_500).await.unwrap();
    let ci = (digest("ci"), entry("ci", "acme"));
    let cd = (digest("cd"), entry("cd", "acme"));
    let set = async |keys: &[(String, KeyEntry)]| {
        let before = store.keyring_version().await.unwrap();
        let change = store.set_static_keys(keys, 2_000).await.unwrap();
        let after = store.keyring_version().await.unwrap();
        assert_eq!(after - before, change.changed as u64);
        change
    };
    assert_eq!(set(&[ci.clone(), cd.clone()]).await.changed, 2);
    assert_eq!(set(&[cd.clone(), ci.clone()]).await.changed, 0);
    // A changed one and a removed one are told, each once.
    let version = store.keyring_version().await.unwrap();
    let other = (digest("ci"), entry("ci", "zeta"));
    assert_eq!(set(std::slice::from_ref(&other)).await.changed, 2);
    assert_eq!(set(std::slice::from_ref(&other)).await.changed, 0);
    let epoch = store.keyring_since(None, 0, 1).await.unwrap().epoch;
    let delta = store.keyring_since(Some(&epoch), version, 9).await.unwrap();
    assert_eq!(delta.changes, [change("ci", Some(other.1.clone())), change("cd", None)]);
    assert_eq!(store.key_by_digest(&digest("cd")).await.unwrap(), None);
    assert_eq!(store.revoke_key("ci", 3_000).await.unwrap(), Revocation::Configured);
    // Other models are a change, and so is another masking policy.
    let models = vec!["qwen".to_owned()];
    let narrow = KeyEntry { models, ..entry("ci", "zeta") };
    let unmasked = KeyEntry { masking: None, ..narrow.clone() };
    for other in [narrow, unmasked] {
        assert_eq!(set(&[(digest("ci"), other.clone())]).await.changed, 1);
        assert_eq!(store.key_by_digest(&digest("ci")).await.unwrap(), Some(other));
    }
    // The same id under a new digest is a rotated key; a removed one can come back.
    assert_eq!(set(&[(digest("ci2"), entry("ci", "zeta")), cd.clone()]).await.changed, 3);
    assert_eq!(store.key_by_digest(&digest("cd")).await.unwrap(), Some(cd.1));
    let listed = store.list_keys(None).await.unwrap();
    let ids: Vec<_> = listed.iter().filter(|key| key.configured).map(|key| &key.id).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    // What was created and revoked does not come back by the file.
    let change = set(&[(digest("made"), entry("again", "acme"))]).await;
    assert_eq!((change.changed, change.ignored), (2, vec!["again".to_owned()]));
    assert_eq!(store.key_by_digest(&digest("made")).await.unwrap(), None);
}

async fn many_keys(store: &impl Store) {
    const MANY: usize = 10_000;
    let key = |n: usize| (digest(&format!("k{n}")), entry(&format!("k{n}"), "acme"));
    let keys: Vec<_> = (0..MANY).map(key).collect();
    assert_eq!(store.set_static_keys(&keys, 2_000).await.unwrap().changed, MANY);
    assert_eq!(store.set_static_keys(&keys, 2_000).await.unwrap().changed, 0);
    assert_eq!(store.set_static_keys(&keys[1..], 3_000).await.unwrap().changed, 1);
    assert_eq!(store.keys_in_force().await.unwrap(), MANY as u64 - 1);
    assert_eq!(store.list_keys(Some("acme")).await.unwrap().len(), MANY - 1);
    let (mut version, mut told) = (0, 0);
    loop {
        let epoch = store.keyring_since(None, 0, 1).await.unwrap().epoch;
        let page = store.keyring_since(Some(&epoch), version, 3_000).await.unwrap();
        (version, told) = (page.version, told + page.changes.len());
        if !page.more {
            break;
        }
    }
    assert_eq!((version, told), (MANY as u64 + 1, MANY));
}

async fn prices(store: &impl Store) {
    let cheap = Prices { input: 1, cached_input: 2, output: 3, ..Prices::default() };
    let most = Prices { input: u64::MAX, cached_input: 0, output: u64::MAX, ..Prices::default() };
    store.record_prices(&[cheap, most]).await.unwrap();
    store.record_prices(&[cheap]).await.unwrap();
    let book = store.price_book().await.unwrap();
    assert_eq!(book.len(), 2);
    assert_eq!(book.get(&most.version()), Some(&most));
    assert_eq!(book.get(&cheap.version()), Some(&cheap));
}

fn at(generation: u64, offset: u64) -> Position {
    Position { generation, offset }
}

fn posting(from: Position, to: Position, records: Vec<UsageRecord>) -> Batch {
    let counts = Counts { lines: records.len() as u64, ..Counts::default() };
    Batch { records, counts, ..Batch::moving(from, to) }
}

async fn position_and_postings_move_together(store: &impl Store) {
    assert_eq!(store.position("").await.unwrap(), at(1, 0));
    let batch = posting(at(1, 0), at(1, 9), vec![record("a")]);
    assert_eq!(store.commit(&batch).await.unwrap().lines, 1);
    assert_eq!(store.position("").await.unwrap(), at(1, 9));
    // The same batch once more, as after a commit whose answer was lost.
    assert!(matches!(store.commit(&batch).await, Err(Error::PositionMoved)));
    let other = posting(at(1, 8), at(1, 20), vec![record("b")]);
    assert!(matches!(store.commit(&other).await, Err(Error::PositionMoved)));
    assert_eq!(store.usage(&UsageFilter::default()).await.unwrap(), [record("a")]);
    assert_eq!(store.counts().await.unwrap(), Counts { lines: 1, ..Counts::default() });
}

async fn each_id_is_posted_once(store: &impl Store) {
    let lost = |id| UsageRecord { end: End::GatewayLost, ..record(id) };
    let many: Vec<_> = (0..150).map(|n| record(&format!("r{n}"))).chain([lost("gone")]).collect();
    store.commit(&posting(at(1, 0), at(1, 9), many.clone())).await.unwrap();
    let again = vec![
        record("r149"),
        record("new"),
        UsageRecord { cost_nanodollars: 1, ..record("r0") },
        record("gone"),
        lost("r1"),
    ];
    let mut batch = posting(at(1, 9), at(2, 0), again);
    batch.counts.lost = 1;
    let counts = store.commit(&batch).await.unwrap();
    assert_eq!((counts.duplicates, counts.conflicts, counts.lost), (3, 1, 0));
    let expected: Vec<_> = many.into_iter().chain([record("new")]).collect();
    assert_eq!(store.usage(&UsageFilter::default()).await.unwrap(), expected);
    assert_eq!(store.counts().await.unwrap(), Counts { lines: 156, ..counts });
}

async fn a_journals_records_fill_gaps(store: &impl Store) {
    store.commit(&posting(at(1, 0), at(1, 9), vec![record("known")])).await.unwrap();
    let other = UsageRecord { cost_nanodollars: 1, ..record("known") };
    let batch = Batch { recovery: true, ..posting(at(1, 9), at(1, 9), vec![other, record("new")]) };
    for recovered in [1, 0] {
        let counts = store.commit(&batch).await.unwrap();
        assert_eq!((counts.recovered, counts.duplicates, counts.conflicts), (recovered, 0, 0));
    }
    let all = store.usage(&UsageFilter::default()).await.unwrap();
    assert_eq!(all, [record("known"), record("new")]);
    assert_eq!(store.position("").await.unwrap(), at(1, 9));
}

async fn open_requests(store: &impl Store) {
    let open = |id: &str, generation, line: &str, start_only| OpenRequest {
        id: id.to_owned(),
        generation,
        offset: 0,
        leases: vec![7],
        line: line.to_owned(),
        start_only,
    };
    let mut batch = posting(at(1, 0), at(2, 0), vec![record("done")]);
    batch.open = vec![open("a", 1, "a1", true), open("b", 1, "b1", true)];
    store.commit(&batch).await.unwrap();
    let mut batch = Batch::moving(at(2, 0), at(3, 0));
    batch.open = vec![
        open("a", 2, "a2", false),
        open("b", 2, "start again", true),
        open("c", 2, "c2", true),
        open("done", 2, "late", false),
    ];
    store.commit(&batch).await.unwrap();
    let lines = async |until| -> Vec<String> {
        let open = store.open_requests("", until).await.unwrap();
        let mut lines: Vec<_> = open.into_iter().map(|open| open.line).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(1).await, ["b1"]);
    assert_eq!(lines(2).await, ["a2", "b1", "c2"]);
    let mut batch = Batch::moving(at(3, 0), at(1, 0));
    batch.ended = vec!["a".to_owned(), "unknown".to_owned()];
    batch.renumbered = true;
    store.commit(&batch).await.unwrap();
    assert_eq!(lines(0).await, ["b1", "c2"]);
}

async fn usage_and_sums(store: &impl Store) {
    const DAY_MS: u64 = 86_400_000;
    let first = record("r1");
    let second = UsageRecord {
        tenant: "zeta".to_owned(),
        key: "k2".to_owned(),
        user: None,
        model: None,
        at_ms: first.at_ms + DAY_MS,
        masked: [("EMAIL".to_owned(), 2)].into(),
        cost_nanodollars: i64::MAX - 34_800,
        ..record("r2")
    };
    let batch = posting(at(1, 0), at(1, 9), vec![first.clone(), second.clone()]);
    store.commit(&batch).await.unwrap();
    let all = UsageFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let (one, two) = (vec![first.clone()], vec![second.clone()]);
    for (filter, expected) in [
        (all(), [one.clone(), two.clone()].concat()),
        (UsageFilter { tenant: text("acme"), ..all() }, one.clone()),
        (UsageFilter { key: text("k2"), ..all() }, two.clone()),
        (UsageFilter { user: text("ann"), ..all() }, one.clone()),
        (UsageFilter { model: text("other"), ..all() }, vec![]),
        (UsageFilter { since_ms: Some(second.at_ms), ..all() }, two),
        (UsageFilter { until_ms: Some(second.at_ms), ..all() }, one),
        (UsageFilter { tenant: text("acme"), key: text("k2"), ..all() }, vec![]),
    ] {
        assert_eq!(store.usage(&filter).await.unwrap(), expected, "{filter:?}");
    }
    let sums = async |by| -> Vec<(Option<String>, i64)> {
        let sums = store.usage_sums(&all(), by).await.unwrap();
        sums.into_iter().map(|sum| (sum.group, sum.cost_nanodollars)).collect()
    };
    let (cost, rest) = (34_800, i64::MAX - 34_800);
    assert_eq!(sums(GroupBy::Tenant).await, [(text("acme"), cost), (text("zeta"), rest)]);
    assert_eq!(sums(GroupBy::Key).await, [(text("k1"), cost), (text("k2"), rest)]);
    assert_eq!(sums(GroupBy::User).await, [(None, rest), (text("ann"), cost)]);
    assert_eq!(sums(GroupBy::Model).await, [(None, rest), (text("llama"), cost)]);
    let days = [(text("2026-11-21"), cost), (text("2026-11-22"), rest)];
    assert_eq!(sums(GroupBy::Day).await, days);
    let filter = UsageFilter { tenant: text("acme"), ..all() };
    let expected = UsageSum {
        group: text("acme"),
        requests: 1,
        input_tokens: 16,
        cached_input_tokens: 4,
        output_tokens: 14,
        reasoning_tokens: 2,
        cost_nanodollars: cost,
        ..UsageSum::default()
    };
    assert_eq!(store.usage_sums(&filter, GroupBy::Tenant).await.unwrap(), [expected]);
    let none = UsageFilter { tenant: text("nobody"), ..all() };
    assert_eq!(store.usage_sums(&none, GroupBy::Day).await.unwrap(), []);
}
