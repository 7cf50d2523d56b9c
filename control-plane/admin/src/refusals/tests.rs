use super::*;
use ledger::AuditRow;
use serde_json::json;
use tempfile::TempDir;

struct World {
    ledger: Ledger,
    _data: TempDir,
}

impl World {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        World { ledger: Ledger::open(data.path()).await.unwrap(), _data: data }
    }

    async fn rows(&self) -> Vec<AuditRow> {
        let filter = AuditFilter { limit: 999, ..AuditFilter::default() };
        self.ledger.audit(&filter).await.unwrap()
    }

    /// What the rows say was refused.
    async fn refused(&self) -> Vec<Value> {
        self.rows().await.into_iter().map(|row| row.detail["refused"].clone()).collect()
    }
}

fn report(process: &str, refused: &[(&str, u64)]) -> RefusalReport {
    let refused = refused.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect();
    RefusalReport { process: process.to_owned(), refused }
}

#[tokio::test]
async fn what_is_new_is_noted_once_a_minute() {
    let world = World::new().await;
    let refusals = Refusals::new(world.ledger.clone());
    // When, what the gateway says, and how many rows there are then.
    for (at_ms, bad_keys, rows) in
        [(0, 3, 1), (5_000, 4, 1), (10_000, 9, 1), (59_999, 9, 1), (60_000, 9, 2), (120_000, 9, 2)]
    {
        let report = report("17", &[("invalid_api_key", bad_keys), ("made_up", 5)]);
        refusals.report(&report, at_ms).await.unwrap();
        refusals.note(at_ms).await.unwrap();
        assert_eq!(world.rows().await.len(), rows, "{at_ms}");
    }
    let expected = [json!({"invalid_api_key": 3}), json!({"invalid_api_key": 6})];
    assert_eq!(world.refused().await, expected);
    let row = &world.rows().await[1];
    let said = (row.actor.as_str(), row.action.as_str(), row.subject.as_str(), row.at_ms);
    assert_eq!(said, ("gateway", "auth.refused", "17", 60_000));
    assert_eq!(row.detail["total"], json!({"invalid_api_key": 9}));
    assert_eq!(refusals.counted().callers, [("invalid_api_key", 9)].into());
}

#[tokio::test]
async fn a_control_plane_that_begins_again_goes_on_from_the_trail() {
    let world = World::new().await;
    let first = Refusals::new(world.ledger.clone());
    first.report(&report("17", &[("key_expired", 3)]), 0).await.unwrap();
    first.note(0).await.unwrap();
    // Counted, and never noted by the first.
    first.report(&report("17", &[("key_expired", 5)]), 1_000).await.unwrap();
    let second = Refusals::new(world.ledger.clone());
    second.note(60_000).await.unwrap();
    second
        .report(&report("17", &[("key_expired", 5), ("invalid_token", 1)]), 60_000)
        .await
        .unwrap();
    second.note(60_000).await.unwrap();
    let expected = [json!({"key_expired": 3}), json!({"key_expired": 2, "invalid_token": 1})];
    assert_eq!(world.refused().await, expected);
    assert_eq!(second.counted().callers, [("key_expired", 2), ("invalid_token", 1)].into());
}

#[tokio::test]
async fn a_total_that_falls_adds_nothing() {
    let world = World::new().await;
    let refusals = Refusals::new(world.ledger.clone());
    for count in [5, 2, 5, 6] {
        refusals.report(&report("17", &[("key_expired", count)]), 0).await.unwrap();
    }
    refusals.note(0).await.unwrap();
    assert_eq!(refusals.counted().callers, [("key_expired", 6)].into());
    assert_eq!(world.refused().await, [json!({"key_expired": 6})]);
}

#[tokio::test]
async fn so_many_gateways_are_remembered_and_a_quiet_one_makes_room() {
    let world = World::new().await;
    let refusals = Refusals::new(world.ledger.clone());
    let say = async |process: usize, count, at_ms| {
        let report = report(&process.to_string(), &[("key_expired", count)]);
        refusals.report(&report, at_ms).await
    };
    for process in 0..PROCESSES_MAX {
        say(process, 1, process as u64).await.unwrap();
    }
    assert!(matches!(say(64, 1, 59_999).await, Err(NotTaken::TooMany)));
    refusals.note(59_999).await.unwrap();
    say(64, 1, 60_000).await.unwrap();
    assert!(matches!(say(65, 1, 60_000).await, Err(NotTaken::TooMany)));
    assert_eq!(refusals.tally().processes.len(), PROCESSES_MAX);
    // Who was forgotten is not counted anew: the trail knows what it said.
    say(0, 3, 60_001).await.unwrap();
    refusals.note(60_001).await.unwrap();
    let of_0: Vec<_> = world.rows().await.into_iter().filter(|row| row.subject == "0").collect();
    let said: Vec<_> =
        of_0.iter().map(|row| row.detail["refused"]["key_expired"].clone()).collect();
    assert_eq!(said, [1, 2]);
    assert_eq!(refusals.counted().callers, [("key_expired", 67)].into());
}

#[test]
fn names_of_processes() {
    for (text, is) in
        [("0", true), ("1795252163120", true), ("", false), ("-1", false), ("a", false)]
    {
        assert_eq!(is_process(text), is, "{text}");
    }
    assert!(is_process(&"9".repeat(20)) && !is_process(&"9".repeat(21)));
}
