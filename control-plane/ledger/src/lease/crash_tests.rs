//! Gateways that share two budgets, spend only what they hold, die at any time, and whose
//! messages are lost in both directions; a ledger that is dropped and opened again, and reads
//! their spools late. No budget is ever overspent, the books stay sound, and in the end all
//! leases are closed and every line is posted once.

use super::*;
use crate::budget::{Budget, BudgetBook, Per};
use crate::record::UsageRecord;
use crate::record::tests::record;
use crate::snapshot::Balance;
use crate::sqlite::SqliteStore;
use crate::store::{Batch, OpenRequest, Store};
use crate::verify;
use contract::lease::{Account, Leased, Returned, Wanted};
use contract::usage::End;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

/// The first millisecond of 2026-11-21.
const BEGIN_MS: u64 = 1_795_219_200_000;
const LIMIT: u64 = 10_000;
const GATEWAYS: usize = 3;
/// Bytes of each line.
const LINE: u64 = 10;

const ACCOUNTS: [&str; 2] = ["tenant/acme", "key/k1"];

#[derive(Clone, Debug)]
enum Event {
    /// A gateway asks for so much of both accounts; whether the answer arrives.
    Asks(usize, u64, bool),
    /// A request begins that may cost so much.
    Begins(usize, u64),
    /// A running request tells what it cost so far, in thousandths of what it may.
    Tells(usize, usize, u64),
    /// A running request ends.
    Ends(usize, usize, u64),
    /// A gateway gives back what lies idle; whether it ends its leases, and whether the
    /// message arrives.
    GivesBack(usize, bool, bool),
    /// So many lines of a gateway's spool are read.
    Reads(usize, usize),
    /// All of it is, and leases are looked through.
    ReadsAll(usize),
    /// So long passes that every lease is over, and the spool is read again and again.
    Waits(usize),
    /// A gateway dies and another begins; the dead one's spool is read later.
    Dies(usize),
    /// Time passes, in seconds.
    Time(u64),
    /// The ledger is dropped and opened again.
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    let which = 0..GATEWAYS;
    prop_oneof![
        6 => (which.clone(), 1..3_000_u64, prop::bool::weighted(0.8))
            .prop_map(|(g, need, arrives)| Event::Asks(g, need, arrives)),
        8 => (which.clone(), 1..2_000_u64).prop_map(|(g, bound)| Event::Begins(g, bound)),
        4 => (which.clone(), 0..5_usize, 0..=1_000_u64)
            .prop_map(|(g, nth, cost)| Event::Tells(g, nth, cost)),
        6 => (which.clone(), 0..5_usize, 0..=1_000_u64)
            .prop_map(|(g, nth, cost)| Event::Ends(g, nth, cost)),
        4 => (which.clone(), any::<bool>(), prop::bool::weighted(0.7))
            .prop_map(|(g, over, arrives)| Event::GivesBack(g, over, arrives)),
        4 => (which.clone(), 1..4_usize).prop_map(|(g, lines)| Event::Reads(g, lines)),
        5 => which.clone().prop_map(Event::ReadsAll),
        2 => which.clone().prop_map(Event::Waits),
        1 => which.prop_map(Event::Dies),
        3 => prop_oneof![0..4_u64, Just(600), Just(1_800)].prop_map(Event::Time),
        1 => Just(Event::Restart),
    ]
}

/// A lease in a gateway.
#[derive(Clone, Debug)]
struct Cell {
    account: usize,
    granted: u64,
    returned: u64,
    spent: u64,
    reserved: u64,
    expires_ms: u64,
    over: bool,
}

impl Cell {
    fn available(&self, now_ms: u64) -> u64 {
        let usable = !self.over && now_ms < self.expires_ms;
        let left = self.granted - self.returned - self.spent - self.reserved;
        if usable { left } else { 0 }
    }
}

struct Request {
    id: String,
    bound: u64,
    leases: Vec<u64>,
}

/// A line of a spool: of a request that begins or runs (`false`), or that has ended.
#[derive(Clone, Debug)]
struct Written {
    id: String,
    cost: u64,
    leases: Vec<u64>,
    at_ms: u64,
    ended: bool,
}

/// A gateway and its spool.
struct Gateway {
    spool: String,
    lives: u64,
    generation: u64,
    offset: u64,
    read: Position,
    /// Lines that were not read, with their places; `None`: the end of a dead one's file.
    unread: VecDeque<(Position, Option<Written>)>,
    cells: BTreeMap<u64, Cell>,
    running: Vec<Request>,
}

impl Gateway {
    fn process(&self) -> String {
        format!("{} {}", self.spool, self.lives)
    }

    fn writes(&mut self, line: Written) {
        let place = Position { generation: self.generation, offset: self.offset };
        self.offset += LINE;
        self.unread.push_back((place, Some(line)));
    }

    fn cell_of(&self, account: usize, now_ms: u64) -> Option<u64> {
        let usable =
            |cell: &Cell| cell.account == account && !cell.over && now_ms < cell.expires_ms;
        self.cells.iter().rev().find(|(_, cell)| usable(cell)).map(|(lease, _)| *lease)
    }

    fn begins(&mut self, id: String, bound: u64, now_ms: u64) {
        let named: Option<Vec<u64>> =
            (0..ACCOUNTS.len()).map(|account| self.cell_of(account, now_ms)).collect();
        let line = |leases: &[u64]| Written {
            id: id.clone(),
            cost: 0,
            leases: leases.to_vec(),
            at_ms: now_ms,
            ended: false,
        };
        let pays =
            |lease: &u64| self.cells.get(lease).is_some_and(|cell| cell.available(now_ms) >= bound);
        let Some(leases) = named.filter(|leases| leases.iter().all(pays)) else { return };
        for lease in &leases {
            self.cells.get_mut(lease).unwrap().reserved += bound;
        }
        // When a request begins, nothing is known of what it will reserve from.
        self.writes(line(&[]));
        self.running.push(Request { id, bound, leases });
    }

    fn tells(&mut self, nth: usize, thousandths: u64, ended: bool, now_ms: u64) {
        if self.running.is_empty() {
            return;
        }
        let nth = nth % self.running.len();
        let request = &self.running[nth];
        let cost = request.bound * thousandths / 1_000;
        let line = Written {
            id: request.id.clone(),
            cost,
            leases: request.leases.clone(),
            at_ms: now_ms,
            ended,
        };
        self.writes(line);
        if ended {
            let request = self.running.remove(nth);
            for lease in &request.leases {
                let cell = self.cells.get_mut(lease).unwrap();
                cell.reserved -= request.bound;
                cell.spent += cost;
            }
        }
    }

    fn returns(&mut self, over: bool) -> Vec<Returned> {
        let give = |(lease, cell): (&u64, &mut Cell)| {
            cell.returned = cell.granted - cell.spent - cell.reserved;
            cell.over |= over;
            let over = cell.over && cell.reserved == 0;
            Returned { lease: *lease, total: cell.returned, over }
        };
        self.cells.iter_mut().map(give).collect()
    }

    fn learns(&mut self, account: usize, leased: &Leased) {
        let Leased::Granted { lease, granted, expires_ms, .. } = *leased else { return };
        let cell = self.cells.entry(lease).or_insert(Cell {
            account,
            granted: 0,
            returned: 0,
            spent: 0,
            reserved: 0,
            expires_ms,
            over: false,
        });
        cell.granted = cell.granted.max(granted);
        cell.expires_ms = cell.expires_ms.max(expires_ms);
    }

    fn dies(&mut self) {
        let end = Position { generation: self.generation, offset: self.offset };
        self.unread.push_back((end, None));
        self.generation += 1;
        self.offset = 0;
        self.lives += 1;
        self.cells.clear();
        self.running.clear();
    }
}

struct World {
    file: PathBuf,
    store: SqliteStore,
    book: BudgetBook,
    gateways: Vec<Gateway>,
    now_ms: u64,
    made: usize,
    /// What was posted, by the request's id.
    posted: BTreeMap<String, u64>,
}

impl World {
    async fn new(file: PathBuf) -> Self {
        let store = SqliteStore::open(&file).await.unwrap();
        let mut gateways = Vec::new();
        for n in 0..GATEWAYS {
            let spool = format!("spool {n}");
            store.register_spool(&spool).await.unwrap();
            let read = Position { generation: 1, offset: 0 };
            gateways.push(Gateway {
                spool,
                lives: 1,
                generation: 1,
                offset: 0,
                read,
                unread: VecDeque::new(),
                cells: BTreeMap::new(),
                running: Vec::new(),
            });
        }
        let budget = |per| Budget { nanodollars: LIMIT, per };
        let book = BudgetBook {
            accounts: [
                (Account::Tenant("acme".to_owned()), budget(Per::Hour)),
                (Account::Key("k1".to_owned()), budget(Per::Total)),
            ]
            .into(),
            ..BudgetBook::default()
        };
        let (now_ms, made, posted) = (BEGIN_MS, 0, BTreeMap::new());
        World { file, store, book, gateways, now_ms, made, posted }
    }

    async fn happen(&mut self, event: Event) {
        let now_ms = self.now_ms;
        match event {
            Event::Asks(which, need, arrives) => self.ask(which, need, arrives).await,
            Event::Begins(which, bound) => {
                self.made += 1;
                self.gateways[which].begins(format!("r{}", self.made), bound, now_ms);
            }
            Event::Tells(which, nth, cost) => self.gateways[which].tells(nth, cost, false, now_ms),
            Event::Ends(which, nth, cost) => self.gateways[which].tells(nth, cost, true, now_ms),
            Event::GivesBack(which, over, arrives) => self.give_back(which, over, arrives).await,
            Event::Reads(which, lines) => {
                for _ in 0..lines {
                    self.read(which).await;
                }
            }
            Event::ReadsAll(which) => self.read_all(which).await,
            Event::Waits(which) => {
                self.now_ms += LEASE_TTL_MS;
                for _ in 0..3 {
                    self.now_ms += GRACE_MS;
                    self.read_all(which).await;
                }
            }
            Event::Dies(which) => self.gateways[which].dies(),
            Event::Time(seconds) => self.now_ms += seconds * 1_000,
            Event::Restart => {
                self.store.close().await;
                self.store = SqliteStore::open(&self.file).await.unwrap();
            }
        }
    }

    async fn ask(&mut self, which: usize, need: u64, arrives: bool) {
        let gateway = &mut self.gateways[which];
        let lease = |account| gateway.cell_of(account, self.now_ms).unwrap_or(0);
        let wanted = ACCOUNTS.iter().enumerate().map(|(nth, account)| Wanted {
            account: (*account).to_owned(),
            need,
            lease: lease(nth),
        });
        let request = LeaseRequest {
            process: gateway.process(),
            wanted: wanted.collect(),
            returned: Vec::new(),
        };
        let (spool, generation) = (gateway.spool.clone(), gateway.generation);
        let ask = LeaseAsk { request, spool, generation };
        let answers = self.store.lease(&[ask], &self.book, self.now_ms).await.unwrap();
        for (account, leased) in answers[0].leases.iter().enumerate().filter(|_| arrives) {
            gateway.learns(account, leased);
        }
    }

    async fn give_back(&mut self, which: usize, over: bool, arrives: bool) {
        let gateway = &mut self.gateways[which];
        let returned = gateway.returns(over);
        let request = LeaseRequest { process: gateway.process(), wanted: Vec::new(), returned };
        let (spool, generation) = (gateway.spool.clone(), gateway.generation);
        if arrives {
            let ask = LeaseAsk { request, spool, generation };
            self.store.lease(&[ask], &self.book, self.now_ms).await.unwrap();
        }
    }

    /// Reads a line, or buries who has written the file that ends here.
    async fn read(&mut self, which: usize) -> bool {
        let Some((place, line)) = self.gateways[which].unread.pop_front() else { return false };
        let from = self.gateways[which].read;
        let batch = match line {
            Some(line) => {
                let to = Position { offset: place.offset + LINE, ..place };
                self.batch(place, line, Batch::moving(from, to))
            }
            None => {
                let to = Position { generation: place.generation + 1, offset: 0 };
                self.burial(which, Batch::moving(from, to)).await
            }
        };
        self.gateways[which].read = batch.to;
        let spool = self.gateways[which].spool.clone();
        self.store.commit(&Batch { spool, ..batch }).await.unwrap();
        true
    }

    fn batch(&mut self, place: Position, line: Written, mut batch: Batch) -> Batch {
        if line.ended {
            batch.ended.push(line.id.clone());
            batch.records.push(self.posted_record(&line, End::Complete));
        } else {
            batch.open.push(OpenRequest {
                id: line.id.clone(),
                generation: place.generation,
                offset: place.offset,
                leases: line.leases,
                line: format!("{} {}", line.cost, line.at_ms),
                start_only: false,
            });
        }
        batch
    }

    fn posted_record(&mut self, line: &Written, end: End) -> UsageRecord {
        assert_eq!(self.posted.insert(line.id.clone(), line.cost), None, "{line:?}");
        UsageRecord {
            at_ms: line.at_ms,
            cost_nanodollars: i64::try_from(line.cost).unwrap(),
            leases: line.leases.clone(),
            price_version: None,
            end,
            ..record(&line.id)
        }
    }

    async fn burial(&mut self, which: usize, mut batch: Batch) -> Batch {
        let spool = self.gateways[which].spool.clone();
        let generation = batch.from.generation;
        for open in self.store.open_requests(&spool, generation).await.unwrap() {
            let (cost, at_ms) = open.line.split_once(' ').unwrap();
            let line = Written {
                id: open.id.clone(),
                cost: cost.parse().unwrap(),
                leases: open.leases,
                at_ms: at_ms.parse().unwrap(),
                ended: true,
            };
            batch.records.push(self.posted_record(&line, End::GatewayLost));
            batch.ended.push(open.id);
        }
        batch.buried = Some(generation);
        batch
    }

    async fn read_all(&mut self, which: usize) {
        while self.read(which).await {}
        let (spool, read) = (self.gateways[which].spool.clone(), self.gateways[which].read);
        self.store.close_leases(&spool, read, self.now_ms).await.unwrap();
    }

    async fn leases(&self) -> Vec<LeaseRow> {
        let mut snapshot = self.store.snapshot().await.unwrap();
        snapshot.leases(0, 100_000).await.unwrap()
    }

    /// Nothing is closed that somebody still spends from, or whose usage was not read.
    async fn nothing_is_closed_too_early(&self) {
        let closed: Vec<u64> = self
            .leases()
            .await
            .into_iter()
            .filter(|lease| lease.state == LeaseState::Closed)
            .map(|lease| lease.id)
            .collect();
        for gateway in &self.gateways {
            for lease in &closed {
                let reserved = gateway.cells.get(lease).map_or(0, |cell| cell.reserved);
                assert_eq!(reserved, 0, "lease {lease} is closed and reserved from");
                let unread = gateway.unread.iter().filter_map(|(_, line)| line.as_ref());
                let named = unread.filter(|line| line.ended && line.cost > 0);
                for line in named {
                    assert!(!line.leases.contains(lease), "lease {lease} is closed: {line:?}");
                }
            }
        }
    }

    /// What is spent and held of each budget, by account and period.
    async fn standing(&self) -> BTreeMap<(String, String), u64> {
        let mut sums = BTreeMap::new();
        for lease in self.leases().await {
            *sums.entry((lease.account.clone(), lease.period.clone())).or_default() += lease.held();
        }
        let mut snapshot = self.store.snapshot().await.unwrap();
        let balances: Vec<Balance> = snapshot.balances(("", ""), 100_000).await.unwrap();
        for balance in balances {
            let per = if balance.account == ACCOUNTS[0] { Per::Hour } else { Per::Total };
            if ACCOUNTS.contains(&&*balance.account) && Per::of_name(&balance.period) == per {
                *sums.entry((balance.account, balance.period)).or_default() +=
                    u64::try_from(balance.nanodollars).unwrap();
            }
        }
        sums
    }

    /// Everybody dies, and everything is read.
    async fn end(&mut self) {
        for which in 0..GATEWAYS {
            self.gateways[which].dies();
            self.read_all(which).await;
        }
    }
}

async fn played(events: Vec<Event>) {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(folder.path().join("a.db")).await;
    for event in events {
        let said = format!("{event:?}");
        world.happen(event).await;
        world.nothing_is_closed_too_early().await;
        for (budget, sum) in world.standing().await {
            assert!(sum <= LIMIT, "{budget:?}: {sum} after {said}");
        }
    }
    world.end().await;
    assert!(world.leases().await.iter().all(|lease| lease.state == LeaseState::Closed));
    let found = verify::verify(&world.store, folder.path(), "no spool").await.unwrap();
    assert!(found.is_sound(), "{:?}", found.faults);
    let written: u64 = world.posted.values().sum();
    assert_eq!(found.cost_nanodollars, i64::try_from(written).unwrap());
    assert_eq!(found.records, world.posted.len() as u64);
    assert_eq!(found.held_nanodollars, 0);
    world.store.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_budget_is_overspent(events in prop::collection::vec(event(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(played(events));
    }
}
