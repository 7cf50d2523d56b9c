//! Gateways that come and go, rotations at any time, torn lines, and a reader
//! that is dropped and started again anywhere: each request is posted once, and
//! the sum of postings is the sum of what the gateways wrote.

use super::*;
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
    books: Books,
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
            self.write(&line("End", &id, true, count));
            self.books.insert(id, (End::Complete, count));
        }
    }

    fn stranger(&mut self) {
        self.made += 1;
        let id = format!("r{}", self.made);
        let lines = [line("Start", &id, false, 0), line("End", &id, false, 0)];
        self.write(&lines.concat());
    }

    /// Dies, with a line half written when there was one to write.
    fn dies(&mut self, torn: usize) {
        if let Some((id, _)) = self.running.first() {
            let text = line("End", id, true, 77);
            let cut = torn.min(text.len() - 3);
            self.write(text.split_at(cut).0);
        }
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
        let tail = Tail::new(store.clone(), folder.to_owned());
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
        Event::Ends(which, count) => gateways.ends(which, count),
        Event::Stranger => gateways.stranger(),
        Event::Garbage => gateways.write("{\"type\":\n"),
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

async fn played(events: Vec<Event>) -> (Books, Books, usize, Counts) {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().to_owned();
    let mut gateways =
        Gateways { spool, file: None, made: 0, running: Vec::new(), books: Books::new() };
    let mut reader = Reader::start(folder.path()).await;
    for event in events {
        happen(event, &mut gateways, &mut reader).await;
    }
    gateways.dies(0);
    reader.read_all().await;
    let posted = reader.store.usage(&UsageFilter::default()).await.unwrap();
    let number = posted.len();
    let by_id = posted.into_iter().map(|record| (record.id, (record.end, record.output_tokens)));
    assert!(reader.store.open_requests(u64::MAX).await.unwrap().is_empty());
    let left = generation::list(folder.path()).unwrap();
    assert!(left.rotated.is_empty() && !left.live, "{left:?}");
    (gateways.books, by_id.collect(), number, reader.store.counts().await.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn each_request_is_posted_once(events in prop::collection::vec(event(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (written, posted, number, counts) = runtime.block_on(played(events));
        prop_assert_eq!(&written, &posted);
        prop_assert_eq!(written.len(), number);
        prop_assert_eq!((counts.duplicates, counts.conflicts, counts.restarts), (0, 0, 0));
    }
}

/// Every number of polls of one step, on a spool with all there is: a batch,
/// the end of a file, lost requests.
#[tokio::test]
async fn a_reader_dropped_at_any_point_doubles_and_loses_nothing() {
    for polls in 0..60 {
        let events = vec![
            Event::Begins,
            Event::Begins,
            Event::Counts(0, 5),
            Event::Ends(1, 7),
            Event::Read(polls),
            Event::Death(30),
            Event::Read(polls),
            Event::Read(polls),
            Event::Restart,
            Event::Begins,
            Event::Ends(0, 9),
        ];
        let (written, posted, number, counts) = played(events).await;
        assert_eq!(written, posted, "{polls}");
        assert_eq!((number, counts.lost, counts.duplicates), (3, 1, 0), "{polls}");
    }
}
