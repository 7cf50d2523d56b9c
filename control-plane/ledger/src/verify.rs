//! Whether the books are whole: every hash of both chains, every cost by the prices of its
//! time, records against postings, both against balances, leases against their holds, and
//! how far spools were read against what lies there. Reads all of it, of one moment, and
//! keeps little of it in memory.

mod books;
mod sums;

use crate::apply;
use crate::audit::{Fault, Head};
use crate::error::Error;
use crate::generation::{self, Fate, LIVE_NAME, Place};
use crate::moves::{Amounts, Balances, Sums};
use crate::snapshot::Snapshot;
use crate::store::{Position, PriceBook, Store};
use books::Books;
use serde::{Deserialize, Serialize};
use std::path::Path;
use sums::Fingerprints;

/// Rows that are read at a time.
const PAGE: u32 = 1_000;

/// Most faults that are told one by one.
pub const FAULTS_MAX: usize = 100;

/// Something in the books that is not as it was written, or does not fit the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum MoneyFault {
    /// A record breaks the chain.
    #[error("record {seq}: {why}")]
    Record {
        /// Its number.
        seq: u64,
        /// In which way.
        why: Fault,
    },
    /// A posting breaks the chain.
    #[error("posting {seq}: {why}")]
    Posting {
        /// Its number.
        seq: u64,
        /// In which way.
        why: Fault,
    },
    /// A record costs something else than its prices come to.
    #[error("record {id} costs {cost} nano-dollars, by its prices {due}")]
    Price {
        /// The record's id.
        id: String,
        /// What it costs.
        cost: i64,
        /// What it should.
        due: i64,
    },
    /// A record and its posting are not the same.
    #[error("record {seq} costs {cost} nano-dollars, its posting says {posted}")]
    NotPosted {
        /// The record's number.
        seq: u64,
        /// What it costs.
        cost: i64,
        /// What was posted; 0: nothing was, or between other accounts.
        posted: i64,
    },
    /// A posting is of a record that is not there, or that was posted before.
    #[error("posting {seq} is of no record, or of one that was posted before")]
    Unfounded {
        /// The posting's number.
        seq: u64,
    },
    /// A balance is not the sum of its records and corrections.
    #[error(
        "the balance of {account} in {period} is {balance} nano-dollars, its records come to {records}, or its counts differ"
    )]
    Balance {
        /// The account.
        account: String,
        /// The period.
        period: String,
        /// What the balance says, corrections included.
        balance: i64,
        /// What records and corrections come to.
        records: i64,
    },
    /// The postings of an account are not what its balance says.
    #[error("the balance of {account} is {balance} nano-dollars, its postings come to {postings}")]
    Account {
        /// The account.
        account: String,
        /// What its balance says, corrections included.
        balance: i64,
        /// What its postings come to.
        postings: i64,
    },
    /// A lease holds something else than was posted.
    #[error("lease {lease} holds {held} nano-dollars, its postings come to {postings}")]
    Lease {
        /// The lease.
        lease: u64,
        /// What it holds.
        held: i64,
        /// What its postings come to.
        postings: i64,
    },
    /// More was read of a spool than there is.
    #[error("the spool was read to file {generation}, byte {offset}, which is not there")]
    Spool {
        /// The file's generation.
        generation: u64,
        /// The byte.
        offset: u64,
    },
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How many records there are.
    pub records: u64,
    /// How many postings.
    pub postings: u64,
    /// What all records cost, in nano-dollars.
    pub cost_nanodollars: i64,
    /// What all corrections add to that.
    pub corrected_nanodollars: i64,
    /// What leases hold.
    pub held_nanodollars: i64,
    /// Records whose prices are not known any more: they cannot be computed again.
    pub unpriced: u64,
    /// The last record; to be kept elsewhere, like the audit trail's head.
    pub record_head: Head,
    /// The last posting.
    pub posting_head: Head,
    /// How many spools have a position; only the one of this control plane can be looked at.
    pub spools: u64,
    /// What is wrong, at most [`FAULTS_MAX`] of it.
    pub faults: Vec<MoneyFault>,
    /// How much more is.
    pub more_faults: u64,
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    fn empty() -> Self {
        Verification {
            records: 0,
            postings: 0,
            cost_nanodollars: 0,
            corrected_nanodollars: 0,
            held_nanodollars: 0,
            unpriced: 0,
            record_head: Head::GENESIS,
            posting_head: Head::GENESIS,
            spools: 0,
            faults: Vec::new(),
            more_faults: 0,
        }
    }

    fn found(&mut self, fault: MoneyFault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        } else {
            self.more_faults = self.more_faults.saturating_add(1);
        }
    }
}

/// Verifies the books of `store`, and the position of the spool `id` in the folder `spool`.
pub async fn verify(store: &dyn Store, spool: &Path, id: &str) -> Result<Verification, Error> {
    let prices = store.price_book().await?;
    let mut snapshot = store.snapshot().await?;
    let mut books = Books::new(snapshot.heads().await?);
    let mut found = Verification::empty();
    let mut sums = Fingerprints::new();
    read_records(&mut *snapshot, &mut books, &mut sums, &prices, &mut found).await?;
    books.end(&mut *snapshot, &mut found).await?;
    add_corrections(&mut *snapshot, &books, &mut sums).await?;
    read_balances(&mut *snapshot, &mut books, &mut sums, &mut found).await?;
    name_balances(&mut *snapshot, &books, &sums, &mut found).await?;
    read_leases(&mut *snapshot, &mut books, &mut found).await?;
    found.spools = snapshot.positions().await?.len() as u64;
    drop(snapshot);
    found.faults.extend(spool_fault(store, spool, id).await?);
    Ok(found)
}

async fn read_records(
    snapshot: &mut dyn Snapshot,
    books: &mut Books,
    sums: &mut Fingerprints,
    prices: &PriceBook,
    found: &mut Verification,
) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let page = snapshot.records(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        let mut moved = Sums::default();
        for sealed in &page {
            books.record(snapshot, sealed, found).await?;
            let Some(record) = &sealed.record else { continue };
            moved.add(record, sealed.periods.as_deref(), Amounts::of(record));
            match record.price_version.as_ref().map(|version| prices.get(version)) {
                Some(Some(prices)) => {
                    let (cost, due) =
                        (record.cost_nanodollars, apply::cost_nanodollars(record, prices));
                    if cost != due {
                        found.found(MoneyFault::Price { id: record.id.clone(), cost, due });
                    }
                }
                Some(None) => found.unpriced = found.unpriced.saturating_add(1),
                None => {}
            }
        }
        sums.add(&moved.balances());
    }
}

/// What the corrections add to balances.
async fn corrections(snapshot: &mut dyn Snapshot, books: &Books) -> Result<Balances, Error> {
    let mut all = Balances::new();
    for (seq, nanodollars) in &books.corrections {
        let page = snapshot.records(seq.saturating_sub(1), 1).await?;
        let Some(sealed) = page.first().filter(|sealed| sealed.seq == *seq) else { continue };
        let Some(record) = &sealed.record else { continue };
        let mut moved = Sums::default();
        let amounts = Amounts { corrected_nanodollars: *nanodollars, ..Amounts::default() };
        moved.add(record, sealed.periods.as_deref(), amounts);
        for (key, amounts) in moved.balances() {
            let sum = all.entry(key).or_default();
            *sum = sum.plus(amounts);
        }
    }
    Ok(all)
}

async fn add_corrections(
    snapshot: &mut dyn Snapshot,
    books: &Books,
    sums: &mut Fingerprints,
) -> Result<(), Error> {
    sums.add(&corrections(snapshot, books).await?);
    Ok(())
}

async fn read_balances(
    snapshot: &mut dyn Snapshot,
    books: &mut Books,
    sums: &mut Fingerprints,
    found: &mut Verification,
) -> Result<(), Error> {
    let mut after = (String::new(), String::new());
    loop {
        let page = snapshot.balances((&after.0, &after.1), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = (last.account.clone(), last.period.clone());
        for balance in &page {
            sums.take(balance);
            books.balance(balance, found);
        }
    }
    books.accounts_without_balance(found);
    Ok(())
}

/// Names the balances that are wrong, where some are: another reading of all records.
async fn name_balances(
    snapshot: &mut dyn Snapshot,
    books: &Books,
    sums: &Fingerprints,
    found: &mut Verification,
) -> Result<(), Error> {
    let Some(suspects) = sums.suspects() else { return Ok(()) };
    let mut due = corrections(snapshot, books).await?;
    due.retain(|(account, period), _| suspects.has(account, period));
    let mut after = 0;
    loop {
        let page = snapshot.records(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        let mut moved = Sums::default();
        for sealed in &page {
            if let Some(record) = &sealed.record {
                moved.add(record, sealed.periods.as_deref(), Amounts::of(record));
            }
        }
        for ((account, period), amounts) in moved.balances() {
            if suspects.has(&account, &period) {
                let sum = due.entry((account, period)).or_default();
                *sum = sum.plus(amounts);
            }
        }
    }
    sums::compare(snapshot, &suspects, due, found).await
}

async fn read_leases(
    snapshot: &mut dyn Snapshot,
    books: &mut Books,
    found: &mut Verification,
) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let page = snapshot.leases(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for lease in &page {
            books.lease(lease, found);
        }
    }
    books.leases_without_row(found);
    Ok(())
}

/// Looks at the folder while the position rests.
async fn spool_fault(
    store: &dyn Store,
    spool: &Path,
    id: &str,
) -> Result<Option<MoneyFault>, Error> {
    for _ in 0..20 {
        let position = store.position(id).await?;
        let folder = spool.to_owned();
        let there = tokio::task::spawn_blocking(move || is_there(&folder, position))
            .await
            .map_err(|_| Error::Interrupted)??;
        if there {
            return Ok(None);
        }
        if store.position(id).await? == position {
            let Position { generation, offset } = position;
            return Ok(Some(MoneyFault::Spool { generation, offset }));
        }
    }
    Ok(None)
}

fn is_there(spool: &Path, position: Position) -> Result<bool, Error> {
    let path = match generation::list(spool)?.place(position.generation) {
        Place::Gone(_) => return Ok(false),
        Place::Live => spool.join(LIVE_NAME),
        Place::Rotated { fate: Fate::Rotated, .. } => {
            generation::rotated_path(spool, position.generation, Fate::Rotated)
        }
        Place::Rotated { fate: Fate::Closed, .. } => {
            generation::rotated_path(spool, position.generation, Fate::Closed)
        }
    };
    let length = std::fs::metadata(path).map_or(0, |found| found.len());
    Ok(length >= position.offset)
}

#[cfg(test)]
mod tests;
