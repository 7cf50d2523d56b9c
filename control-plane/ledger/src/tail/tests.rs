use super::*;
use crate::journal::tests::{OTHER, line as journal_line};
use crate::record::UsageFilter;
use crate::spool::tests::line;
use crate::sqlite::SqliteStore;
use std::io::Write;

struct Bench {
    folder: tempfile::TempDir,
    store: Arc<SqliteStore>,
    tail: Tail,
    now: Instant,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("a.db")).await.unwrap());
        let tail = Tail::new(store.clone(), folder.path().to_owned(), "");
        Bench { folder, store, tail, now: Instant::now() }
    }

    fn append(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    async fn step(&mut self) -> Step {
        self.tail.step(self.now).await.unwrap()
    }

    /// Steps until there is nothing more; returns what the last step said.
    async fn settle(&mut self) -> Step {
        loop {
            let step = self.step().await;
            if step != Step::Moved {
                return step;
            }
        }
    }

    async fn posted(&self) -> Vec<String> {
        let all = self.store.usage(&UsageFilter::default()).await.unwrap();
        all.into_iter().map(|record| format!("{} {:?}", record.id, record.end)).collect()
    }

    async fn position(&self) -> (u64, u64) {
        let position = self.store.position("").await.unwrap();
        (position.generation, position.offset)
    }

    fn has(&self, name: &str) -> bool {
        self.folder.path().join(name).exists()
    }
}

#[tokio::test]
async fn a_growing_file_is_read_line_by_line() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.step().await, Step::Idle);
    let (first, second) = (line("End", "a", true, 1), line("End", "b", true, 2));
    bench.append(LIVE_NAME, &first);
    bench.append(LIVE_NAME, second.split_at(20).0);
    assert_eq!(bench.settle().await, Step::Idle);
    assert_eq!(bench.posted().await, ["a Complete"]);
    assert_eq!(bench.position().await, (1, first.len() as u64));
    assert_eq!(
        lag_bytes(bench.folder.path(), bench.store.position("").await.unwrap()).unwrap(),
        20
    );
    bench.append(LIVE_NAME, second.split_at(20).1);
    bench.settle().await;
    assert_eq!(bench.posted().await, ["a Complete", "b Complete"]);
}

#[tokio::test]
async fn a_rotated_file_is_done_when_it_is_quiet_and_a_newer_one_exists() {
    let mut bench = Bench::new().await;
    bench.append(LIVE_NAME, &line("Periodic", "a", true, 1));
    generation::rotate_live(bench.folder.path()).unwrap();
    assert_eq!(bench.settle().await, Step::Idle);
    bench.now += QUIET * 2;
    assert_eq!(bench.step().await, Step::Idle, "Envoy may still write to it");
    bench.append(LIVE_NAME, &line("End", "b", true, 1));
    assert_eq!(bench.step().await, Step::Waiting);
    bench.now += QUIET / 2;
    bench.append("usage.1.jsonl", &line("End", "c", true, 1));
    assert_eq!(bench.settle().await, Step::Waiting, "a late line makes it wait anew");
    bench.now += QUIET * 3 / 4;
    assert_eq!(bench.step().await, Step::Waiting);
    bench.now += QUIET / 4;
    assert_eq!(bench.settle().await, Step::Idle);
    assert_eq!(bench.posted().await, ["c Complete", "b Complete"], "a goes on");
    assert!(!bench.has("usage.1.jsonl") && bench.has("usage.1.done"));
    bench.append(LIVE_NAME, &line("End", "a", true, 9));
    bench.settle().await;
    assert_eq!(bench.posted().await, ["c Complete", "b Complete", "a Complete"]);
    assert!(bench.store.open_requests("", 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_dead_gateways_requests_are_lost() {
    let mut bench = Bench::new().await;
    let lines = [
        line("Start", "a", false, 0),
        line("Periodic", "a", true, 4),
        line("Start", "b", false, 0),
        line("End", "c", true, 1).split_at(50).0.to_owned(),
    ];
    bench.append(LIVE_NAME, &lines.concat());
    bench.settle().await;
    assert_eq!(bench.posted().await, [""; 0]);
    generation::rotate_for_dead_gateway(bench.folder.path()).unwrap();
    bench.append(LIVE_NAME, &line("End", "d", true, 1));
    assert_eq!(bench.settle().await, Step::Idle);
    assert_eq!(bench.posted().await, ["a GatewayLost", "d Complete"]);
    let counts = bench.store.counts().await.unwrap();
    assert_eq!((counts.lost, counts.lost_anonymous, counts.torn), (1, 1, 1));
    // An end that comes after all changes nothing.
    bench.append(LIVE_NAME, &line("End", "a", true, 9));
    bench.settle().await;
    assert_eq!(bench.store.counts().await.unwrap().conflicts, 1);
    assert_eq!(bench.posted().await.len(), 2);
}

#[tokio::test]
async fn a_last_line_that_lacks_only_its_newline_counts() {
    let mut bench = Bench::new().await;
    bench.append("usage.1.closed.jsonl", &line("Periodic", "a", true, 1));
    bench.append("usage.1.closed.jsonl", line("End", "a", true, 3).trim_end());
    bench.settle().await;
    assert_eq!(bench.posted().await, ["a Complete"]);
    assert_eq!(bench.store.counts().await.unwrap().torn, 0);
    assert_eq!(bench.position().await, (2, 0));
}

#[tokio::test]
async fn a_file_left_over_by_a_crash_is_not_read_again() {
    let mut bench = Bench::new().await;
    let name = "usage.1.closed.jsonl";
    bench.append(name, &line("End", "a", true, 1));
    bench.settle().await;
    std::fs::remove_file(bench.folder.path().join("usage.1.done")).unwrap();
    bench.append(name, &line("End", "a", true, 1));
    bench.append(LIVE_NAME, &line("End", "b", true, 1));
    bench.settle().await;
    assert_eq!(bench.posted().await, ["a Complete", "b Complete"]);
    assert!(!bench.has(name));
    let counts = bench.store.counts().await.unwrap();
    assert_eq!((counts.duplicates, counts.restarts), (0, 0));
}

#[tokio::test]
async fn a_cut_file_and_foreign_numbers_are_read_from_the_beginning() {
    let mut bench = Bench::new().await;
    let both = [line("End", "a", true, 1), line("End", "b", true, 1)].concat();
    bench.append(LIVE_NAME, &both);
    bench.settle().await;
    std::fs::write(bench.folder.path().join(LIVE_NAME), line("End", "a", true, 1)).unwrap();
    bench.settle().await;
    let counts = bench.store.counts().await.unwrap();
    assert_eq!((counts.duplicates, counts.restarts), (1, 1));
    // The files are missing up to 7; then the folder is emptied.
    std::fs::remove_file(bench.folder.path().join(LIVE_NAME)).unwrap();
    bench.append("usage.7.closed.jsonl", &line("Periodic", "c", true, 1));
    bench.settle().await;
    assert_eq!(bench.position().await, (8, 0));
    bench.append(LIVE_NAME, &line("Periodic", "d", true, 1));
    bench.settle().await;
    for name in ["usage.7.done", LIVE_NAME] {
        std::fs::remove_file(bench.folder.path().join(name)).unwrap();
    }
    bench.append("usage.1.closed.jsonl", &both);
    bench.settle().await;
    assert_eq!(bench.position().await, (2, 0));
    let posted = bench.posted().await;
    assert_eq!(posted, ["a Complete", "b Complete", "c GatewayLost", "d GatewayLost"]);
}

#[tokio::test]
async fn a_line_without_end_stops_nothing() {
    let mut bench = Bench::new().await;
    bench.append(LIVE_NAME, &"x".repeat(spool::BYTES_PER_READ + 10));
    bench.append(LIVE_NAME, "\n");
    bench.append(LIVE_NAME, &line("End", "a", true, 1));
    bench.settle().await;
    assert_eq!(bench.posted().await, ["a Complete"]);
    assert_eq!(bench.store.counts().await.unwrap().malformed, 2);
}

#[tokio::test]
async fn what_only_a_dead_gateways_journal_knows_is_posted_before_the_rest_is_lost() {
    let mut bench = Bench::new().await;
    let lines = [
        line("Start", "known", false, 0),
        line("End", "known", true, 1),
        line("Start", "unwritten", false, 0),
        line("Periodic", "cut", true, 4),
    ];
    bench.append(LIVE_NAME, &lines.concat());
    let torn = journal_line("cut", 5);
    let journal = [
        OTHER,
        // The spool comes first, even where the two differ.
        &journal_line("known", 99),
        &journal_line("unwritten", 2),
        &journal_line("unseen", 3),
        torn.split_at(250).0,
    ];
    bench.append(journal::NAME, &journal.concat());
    bench.settle().await;
    assert_eq!(bench.posted().await, ["known Complete"], "the gateway lives");
    generation::rotate_for_dead_gateway(bench.folder.path()).unwrap();
    bench.settle().await;
    let expected = ["known Complete", "unwritten Complete", "unseen Complete", "cut GatewayLost"];
    assert_eq!(bench.posted().await, expected);
    let counts = bench.store.counts().await.unwrap();
    assert_eq!((counts.recovered, counts.lost, counts.lost_anonymous), (2, 1, 0));
    assert_eq!((counts.duplicates, counts.torn, counts.malformed), (0, 1, 0));
    assert!(!bench.has("usage.1.journal") && !bench.has("usage.1.closed.jsonl"));
    assert!(bench.store.open_requests("", 9).await.unwrap().is_empty());
    let all = bench.store.usage(&UsageFilter::default()).await.unwrap();
    assert_eq!(all[0].output_tokens, 1);
}

#[tokio::test]
async fn a_journal_left_over_by_a_crash_is_not_read_again() {
    let mut bench = Bench::new().await;
    bench.append("usage.1.closed.jsonl", "");
    bench.append("usage.1.journal", &journal_line("a", 1));
    bench.settle().await;
    bench.append("usage.1.journal", &journal_line("b", 1));
    bench.append(LIVE_NAME, &line("End", "c", true, 1));
    bench.settle().await;
    assert_eq!(bench.posted().await, ["a Complete", "c Complete"]);
    assert!(!bench.has("usage.1.journal"));
}

#[tokio::test]
async fn a_journal_of_more_than_one_batch() {
    let mut bench = Bench::new().await;
    let many = spool::LINES_PER_BATCH + 1;
    let lines: String = (0..many).map(|n| journal_line(&format!("r{n}"), 1)).collect();
    bench.append("usage.1.closed.jsonl", &line("End", "r0", true, 1));
    bench.append("usage.1.journal", &lines);
    bench.settle().await;
    assert_eq!(bench.posted().await.len(), many);
    let counts = bench.store.counts().await.unwrap();
    assert_eq!((counts.recovered, counts.lines), (many as u64 - 1, 1));
}

/// After a long outage: memory is bounded by what one step reads, whatever waits.
#[tokio::test]
async fn many_waiting_lines_in_many_files_are_all_posted() {
    const FILES: u64 = 4;
    const LINES: u64 = 25_000;
    let mut bench = Bench::new().await;
    for generation in 1..=FILES {
        let of_file: String =
            (0..LINES).map(|n| line("End", &format!("{generation}-{n}"), true, 1)).collect();
        bench.append(&format!("usage.{generation}.closed.jsonl"), &of_file);
        bench.append(&format!("usage.{generation}.closed.jsonl"), "{\"type\":\"Downst");
    }
    let mut steps = 0;
    while bench.step().await == Step::Moved {
        steps += 1;
    }
    assert!(steps >= FILES * LINES / spool::LINES_PER_BATCH as u64, "{steps}");
    let counts = bench.store.counts().await.unwrap();
    assert_eq!((counts.lines, counts.torn, counts.duplicates), (FILES * LINES, FILES, 0));
    assert_eq!(bench.position().await, (FILES + 1, 0));
    let found = crate::verify::verify(&*bench.store, bench.folder.path(), "").await.unwrap();
    assert!(found.is_sound(), "{:?}", found.faults);
    assert_eq!(found.records, FILES * LINES);
}

#[tokio::test]
async fn lines_of_a_clock_that_jumped_are_posted_as_they_are() {
    let mut bench = Bench::new().await;
    for (id, at_ms) in [("a", "0"), ("b", "946684800000"), ("c", "1895252163123")] {
        bench.append(LIVE_NAME, &line("End", id, true, 1).replace("1795252163123", at_ms));
    }
    bench.settle().await;
    let posted = bench.store.usage(&UsageFilter::default()).await.unwrap();
    let times: Vec<_> = posted.iter().map(|record| record.at_ms).collect();
    assert_eq!(times, [0, 946_684_800_000, 1_895_252_163_123]);
}
