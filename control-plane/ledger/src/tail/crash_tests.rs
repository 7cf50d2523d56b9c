//! Gateways that come and go, rotations at any time, torn lines, and a reader
//! that is dropped and started again anywhere: each request is posted once, and
//! the sum of postings is the sum of what the gateways wrote.

use super::*;
use crate::journal::tests::{OTHER, line as journal_line};
use crate::record::UsageFilter;
use crate::spool::tests::line;
use crate::sqlite::SqliteStore;
use contract::usage::End;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::future::Future;
use std::io::Write;
use std::task::Poll;

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    Begins,
    /// A running request (by number, among those running) writes its count.
    Counts(usize, u64),
    /// One of them ends.
    Ends(usize, u64),
    /// One of them ends, and its line waits in the gateway.
    EndsUnwritten(usize, u64),
    /// One that nothing was written of ends, and its lines wait.
    PassesUnwritten(u64),
    /// The gateway writes the lines that wait.
    Flush,
    /// A request without a caller ends.
    Stranger,
    Garbage,
    Rotation,
    /// The gateway reopens its file.
    Reopening,
    /// The gateway dies, this many bytes into its next line; a new one starts.
    Death(usize),
    /// The reader is polled this often and then dropped.
    Read(usize),
    /// All is read.
    ReadAll,
    /// The control plane starts anew.
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Begins),
        4 => (0..8_usize, 1..100_u64).prop_map(|(which, count)| Event::Counts(which, count)),
        4 => (0..8_usize, 1..100_u64).prop_map(|(which, count)| Event::Ends(which, count)),
        3 => (0..8_usize, 1..100_u64)
            .prop_map(|(which, count)| Event::EndsUnwritten(which, count)),
        2 => (1..100_u64).prop_map(Event::PassesUnwritten),
        2 => Just(Event::Flush),
        1 => Just(Event::Stranger),
        1 => Just(Event::Garbage),
        1 => Just(Event::Rotation),
        1 => Just(Event::Reopening),
        1 => (0..400_usize).prop_map(Event::Death),
        5 => (0..40_usize).prop_map(Event::Read),
        1 => Just(Event::ReadAll),
        1 => Just(Event::Restart),
    ]
}

/// What must be posted: how it ended and its count.
type Books = BTreeMap<String, (End, u64)>;

/// Gateways, one after the other, as they write to the spool.
struct Gateways {
    spool: PathBuf,
    file: Option<File>,
    made: usize,
    /// Requests that run, with the last count that was written.
    running: Vec<(String, Option<u64>)>,
    /// Lines that a dying gateway does not write any more.
    waiting: String,
    books: Books,
    /// Ends that waited when their gateway died.
    unwritten: u64,
}

impl Gateways {
    fn write(&mut self, text: &str) {
        let path = self.spool.join(LIVE_NAME);
        let file = self
            .file
            .get_or_insert_with(|| File::options().create(true).append(true).open(path).unwrap());
        file.write_all(text.as_bytes()).unwrap();
    }

    fn begins(&mut self) {
        self.made += 1;
        let id = format!("r{}", self.made);
        self.write(&line("Start", &id, false, 0));
        self.running.push((id, None));
    }

    fn counts(&mut self, which: usize, count: u64) {
        let all = self.running.len();
        if let Some((id, last)) = self.running.get_mut(which % all.max(1)) {
            *last = Some(count);
            let text = line("Periodic", &id.clone(), true, count);
            self.write(&text);
        }
    }

    fn ends(&mut self, which: usize, count: u64) {
        if !self.running.is_empty() {
            let (id, _) = self.running.remove(which % self.running.len());
            self.journal(&journal_line(&id, count));
            self.waiting.push_str(&line("End", &id, true, count));
            self.books.insert(id, (End::Complete, count));
        }
    }

    fn passes(&mut self, count: u64) {
        self.made += 1;
        let id = format!("r{}", self.made);
        self.waiting.push_str(&line("Start", &id, false, 0));
        self.running.push((id, None));
        self.ends(self.running.len() - 1, count);
    }

    fn flush(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        self.write(&waiting);
    }

    /// The worker itself writes this.
    fn journal(&mut self, text: &str) {
        let path = self.spool.join(journal::NAME);
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn stranger(&mut self) {
        self.made += 1;
        let id = format!("r{}", self.made);
        let lines = [line("Start", &id, false, 0), line("End", &id, false, 0)];
        self.write(&lines.concat());
    }

    /// Dies, with a line half written when there was one to write.
    fn dies(&mut self, torn: usize) {
        if let Some(id) = self.running.first().map(|(id, _)| id.clone()) {
            let text = line("End", &id, true, 77);
            let cut = torn.min(text.len() - 3);
            self.write(text.split_at(cut).0);
            let text = journal_line(&id, 77);
            self.journal(text.split_at(torn.min(text.len() - 3)).0);
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.unwritten += waiting.matches("DownstreamEnd").count() as u64;
        for (id, last) in self.running.drain(..) {
            if let Some(count) = last {
                self.books.insert(id, (End::GatewayLost, count));
            }
        }
        self.file = None;
        generation::rotate_for_dead_gateway(&self.spool).unwrap();
    }
}

/// The reader and what it reads into.
struct Reader {
    database: PathBuf,
    store: Arc<SqliteStore>,
    tail: Tail,
    now: Instant,
}

impl Reader {
    async fn start(folder: &Path) -> Self {
        let database = folder.join("a.db");
        let store = Arc::new(SqliteStore::open(&database).await.unwrap());
        let tail = Tail::new(store.clone(), folder.to_owned(), "");
        Reader { database, store, tail, now: Instant::now() }
    }

    async fn restart(&mut self) {
        let folder = self.database.parent().unwrap();
        *self = Reader::start(folder).await;
    }

    async fn read_all(&mut self) {
        let mut idle = 0;
        while idle < 2 {
            self.now += QUIET;
            match self.tail.step(self.now).await.unwrap() {
                Step::Moved => idle = 0,
                Step::Idle | Step::Waiting => idle += 1,
            }
        }
    }
}

/// Polls a future at most `times` and drops it.
async fn poll_at_most<T>(times: usize, future: impl Future<Output = T>) {
    let mut future = Box::pin(future);
    let mut polled = 0;
    std::future::poll_fn(|context| {
        if polled >= times {
            return Poll::Ready(());
        }
        polled += 1;
        let poll = future.as_mut().poll(context).map(|_| ());
        if polled >= times { Poll::Ready(()) } else { poll }
    })
    .await;
}

async fn happen(event: Event, gateways: &mut Gateways, reader: &mut Reader) {
    match event {
        Event::Begins => gateways.begins(),
        Event::Counts(which, count) => gateways.counts(which, count),
        Event::Ends(which, count) => {
            gateways.ends(which, count);
            gateways.flush();
        }
        Event::EndsUnwritten(which, count) => gateways.ends(which, count),
        Event::PassesUnwritten(count) => gateways.passes(count),
        Event::Flush => gateways.flush(),
        Event::Stranger => gateways.stranger(),
        Event::Garbage => {
            gateways.write("{\"type\":\n");
            gateways.journal(OTHER);
        }
        Event::Rotation => {
            generation::rotate_live(&gateways.spool).unwrap();
        }
        Event::Reopening => gateways.file = None,
        Event::Death(torn) => gateways.dies(torn),
        Event::Read(polls) => {
            reader.now += QUIET;
            poll_at_most(polls, reader.tail.step(reader.now)).await;
        }
        Event::ReadAll => reader.read_all().await,
        Event::Restart => reader.restart().await,
    }
}

/// What a run of events came to.
struct Played {
    written: Books,
    posted: Books,
    number: usize,
    unwritten: u64,
    counts: Counts,
}

async fn played(events: Vec<Event>) -> Played {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().to_owned();
    let mut gateways = Gateways {
        spool,
        file: None,
        made: 0,
        running: Vec::new(),
        waiting: String::new(),
        books: Books::new(),
        unwritten: 0,
    };
    let mut reader = Reader::start(folder.path()).await;
    for event in events {
        happen(event, &mut gateways, &mut reader).await;
    }
    gateways.dies(0);
    reader.read_all().await;
    let posted = reader.store.usage(&UsageFilter::default()).await.unwrap();
    let number = posted.len();
    let by_id = posted.into_iter().map(|record| (record.id, (record.end, record.output_tokens)));
    assert!(reader.store.open_requests("", u64::MAX).await.unwrap().is_empty());
    let left = generation::list(folder.path()).unwrap();
    assert!(left.rotated.is_empty() && !left.live, "{left:?}");
    assert!(left.journals.is_empty() && !left.journal, "{left:?}");
    Played {
        written: gateways.books,
        posted: by_id.collect(),
        number,
        unwritten: gateways.unwritten,
        counts: reader.store.counts().await.unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn each_request_is_posted_once(events in prop::collection::vec(event(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let Played { written, posted, number, unwritten, counts } =
            runtime.block_on(played(events));
        prop_assert_eq!(&written, &posted);
        prop_assert_eq!(written.len(), number);
        prop_assert_eq!(counts.recovered, unwritten);
        prop_assert_eq!((counts.duplicates, counts.conflicts, counts.restarts), (0, 0, 0));
    }
}

/// Every number of polls of one step, on a spool with all there is: a batch,
/// the end of a file, lost requests.
#[tokio::test]
async fn a_reader_dropped_at_any_point_doubles_and_loses_nothing() {
    for polls in 0..80 {
        let events = vec![
            Event::Begins,
            Event::Begins,
            Event::Counts(0, 5),
            Event::Ends(1, 7),
            Event::PassesUnwritten(3),
            Event::Read(polls),
            Event::Death(30),
            Event::Read(polls),
            Event::Read(polls),
            Event::Restart,
            Event::Begins,
            Event::Ends(0, 9),
        ];
        let Played { written, posted, number, counts, .. } = played(events).await;
        assert_eq!(written, posted, "{polls}");
        assert_eq!((number, counts.lost, counts.duplicates), (4, 1, 0), "{polls}");
        assert_eq!(counts.recovered, 1, "{polls}");
    }
}
