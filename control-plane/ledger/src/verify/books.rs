//! Records beside their postings, in the order of both chains.

use super::{MoneyFault, PAGE, Verification};
use crate::audit::{Fault, HASH_BYTES, Head};
use crate::chain::{Entry, PostingKind, SealedPosting, SealedRecord, entry_hash, record_hash};
use crate::error::Error;
use crate::lease::LeaseRow;
use crate::moves::pool_account;
use crate::record::UsageRecord;
use crate::snapshot::{Balance, Snapshot};
use std::collections::{BTreeMap, VecDeque};

/// The next number and hash of a chain.
#[derive(Default)]
struct Link {
    seq: u64,
    hash: [u8; HASH_BYTES],
}

impl Link {
    /// Goes on to a row whose hash should be `due` and is `hash`. After a break the chain goes
    /// on from what stands in the row: one break is told once.
    fn go_on(&mut self, seq: u64, due: Option<[u8; HASH_BYTES]>, hash: &[u8]) -> Option<Fault> {
        let follows = self.seq.checked_add(1) == Some(seq);
        self.seq = seq;
        self.hash = hash.try_into().unwrap_or_default();
        match due {
            None => Some(Fault::Unreadable),
            Some(due) if due == hash => None,
            Some(_) if follows => Some(Fault::Altered),
            Some(_) => Some(Fault::Missing),
        }
    }

    /// Whether the chain ends where it is known to.
    fn end(&self, head: Head) -> Option<Fault> {
        match self.seq.cmp(&head.seq) {
            std::cmp::Ordering::Less => Some(Fault::Cut),
            std::cmp::Ordering::Equal if self.hash == head.hash => None,
            _ => Some(Fault::Rewritten),
        }
    }
}

/// What was read so far.
pub(super) struct Books {
    heads: (Head, Head),
    records: Link,
    postings: Link,
    /// Postings that were read and not looked at.
    waiting: VecDeque<SealedPosting>,
    /// Sums of postings by account; what comes to nothing is not there.
    accounts: BTreeMap<String, i128>,
    /// Records that were corrected, by number, and by how much.
    pub corrections: BTreeMap<u64, i64>,
}

impl Books {
    pub fn new(heads: (Head, Head)) -> Self {
        Books {
            heads,
            records: Link::default(),
            postings: Link::default(),
            waiting: VecDeque::new(),
            accounts: BTreeMap::new(),
            corrections: BTreeMap::new(),
        }
    }

    /// Takes the next record, and the postings up to its own.
    pub async fn record(
        &mut self,
        snapshot: &mut dyn Snapshot,
        sealed: &SealedRecord,
        found: &mut Verification,
    ) -> Result<(), Error> {
        let seq = sealed.seq;
        let before = self.records.hash;
        let due = sealed
            .record
            .as_ref()
            .map(|record| record_hash(&before, seq, record, sealed.periods.as_deref()));
        if let Some(why) = self.records.go_on(seq, due, &sealed.hash) {
            found.found(MoneyFault::Record { seq, why });
        }
        found.records = found.records.saturating_add(1);
        let Some(record) = &sealed.record else { return Ok(()) };
        found.cost_nanodollars = found.cost_nanodollars.saturating_add(record.cost_nanodollars);
        if record.cost_nanodollars != 0 {
            let posted = self.posting_of(snapshot, seq, record, found).await?;
            let cost = record.cost_nanodollars;
            if posted != cost {
                found.found(MoneyFault::NotPosted { seq, cost, posted });
            }
        }
        Ok(())
    }

    /// What was posted of record `seq`.
    async fn posting_of(
        &mut self,
        snapshot: &mut dyn Snapshot,
        seq: u64,
        record: &UsageRecord,
        found: &mut Verification,
    ) -> Result<i64, Error> {
        while let Some(record_seq) = self.next_usage(snapshot, found).await? {
            if record_seq > seq {
                return Ok(0);
            }
            let Some(posting) = self.waiting.pop_front() else { return Ok(0) };
            let Some(entry) = self.take(&posting, found) else { continue };
            if record_seq < seq {
                found.found(MoneyFault::Unfounded { seq: posting.seq });
                continue;
            }
            let right = entry.debit == format!("tenant/{}", record.tenant)
                && entry.credit == pool_account(record.pool.as_deref());
            return Ok(if right { entry.nanodollars } else { 0 });
        }
        Ok(0)
    }

    /// The record of the next posting of usage, which is then the first that waits. What is
    /// before it is taken.
    async fn next_usage(
        &mut self,
        snapshot: &mut dyn Snapshot,
        found: &mut Verification,
    ) -> Result<Option<u64>, Error> {
        loop {
            let usage = |entry: &Entry| entry.kind == PostingKind::Usage;
            match self.waiting.front() {
                Some(SealedPosting { entry: Some(entry), .. }) if usage(entry) => {
                    return Ok(Some(entry.record.unwrap_or(0)));
                }
                Some(_) => {
                    if let Some(posting) = self.waiting.pop_front() {
                        self.take(&posting, found);
                    }
                }
                None => {
                    self.waiting = snapshot.postings(self.postings.seq, PAGE).await?.into();
                    if self.waiting.is_empty() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Takes a posting into the sums.
    fn take<'p>(
        &mut self,
        posting: &'p SealedPosting,
        found: &mut Verification,
    ) -> Option<&'p Entry> {
        let seq = posting.seq;
        let before = self.postings.hash;
        let due = posting.entry.as_ref().map(|entry| entry_hash(&before, seq, entry));
        if let Some(why) = self.postings.go_on(seq, due, &posting.hash) {
            found.found(MoneyFault::Posting { seq, why });
        }
        found.postings = found.postings.saturating_add(1);
        let entry = posting.entry.as_ref()?;
        let amount = i128::from(entry.nanodollars);
        self.move_by(&entry.debit, amount);
        self.move_by(&entry.credit, amount.saturating_neg());
        if entry.kind == PostingKind::Correction {
            let sum = self.corrections.entry(entry.record.unwrap_or(0)).or_default();
            *sum = sum.saturating_add(entry.nanodollars);
            found.corrected_nanodollars =
                found.corrected_nanodollars.saturating_add(entry.nanodollars);
        }
        Some(entry)
    }

    fn move_by(&mut self, account: &str, amount: i128) {
        let sum = match self.accounts.get_mut(account) {
            Some(sum) => sum,
            None => self.accounts.entry(account.to_owned()).or_default(),
        };
        *sum = sum.saturating_add(amount);
        if *sum == 0 {
            self.accounts.remove(account);
        }
    }

    /// Takes the postings after the last record, and looks at the ends of both chains.
    pub async fn end(
        &mut self,
        snapshot: &mut dyn Snapshot,
        found: &mut Verification,
    ) -> Result<(), Error> {
        while self.next_usage(snapshot, found).await?.is_some() {
            let Some(posting) = self.waiting.pop_front() else { break };
            self.take(&posting, found);
            found.found(MoneyFault::Unfounded { seq: posting.seq });
        }
        let (records, postings) = self.heads;
        if let Some(why) = self.records.end(records) {
            found.found(MoneyFault::Record { seq: records.seq, why });
        }
        if let Some(why) = self.postings.end(postings) {
            found.found(MoneyFault::Posting { seq: postings.seq, why });
        }
        (found.record_head, found.posting_head) = self.heads;
        Ok(())
    }

    /// Compares the balance of an account that postings name with them.
    pub fn balance(&mut self, balance: &Balance, found: &mut Verification) {
        let named = ["tenant/", "pool/"].iter().any(|kind| balance.account.starts_with(kind));
        if !named || balance.period != "total" {
            return;
        }
        let postings = fits(self.accounts.remove(&balance.account).unwrap_or(0));
        let sum = balance.nanodollars.saturating_add(balance.corrected_nanodollars);
        if postings != sum {
            let account = balance.account.clone();
            found.found(MoneyFault::Account { account, balance: sum, postings });
        }
    }

    pub fn accounts_without_balance(&self, found: &mut Verification) {
        for (account, sum) in &self.accounts {
            if !account.starts_with("lease/") && !account.starts_with("budget/") {
                let (account, postings) = (account.clone(), fits(*sum));
                found.found(MoneyFault::Account { account, balance: 0, postings });
            }
        }
    }

    /// Compares a lease with its postings.
    pub fn lease(&mut self, lease: &LeaseRow, found: &mut Verification) {
        let held = fits(i128::from(lease.held()));
        let postings = fits(self.accounts.remove(&lease.account_name()).unwrap_or(0));
        found.held_nanodollars = found.held_nanodollars.saturating_add(held);
        if held != postings {
            found.found(MoneyFault::Lease { lease: lease.id, held, postings });
        }
    }

    pub fn leases_without_row(&self, found: &mut Verification) {
        for (account, sum) in &self.accounts {
            if let Some(lease) = account.strip_prefix("lease/").and_then(|id| id.parse().ok()) {
                found.found(MoneyFault::Lease { lease, held: 0, postings: fits(*sum) });
            }
        }
    }
}

fn fits(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}
