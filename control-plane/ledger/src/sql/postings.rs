//! Committing what was read of a spool to a database: all of it or nothing.

use super::dialect::{Connection, Pool, begin};
use super::leases::{bury, named};
use super::{balances, counts, entries, leases, records, spools, uses};
use crate::chain::{Entry, PostingKind};
use crate::error::Error;
use crate::moves::{Amounts, Sums, paying, periods_text, pool_account};
use crate::record::UsageRecord;
use crate::store::{Batch, Counts};
use contract::usage::End;
use std::collections::{BTreeMap, HashMap};

const DOING: &str = "posting usage";

pub(super) async fn commit(writer: &Pool, batch: &Batch) -> Result<Counts, Error> {
    let mut transaction = begin(writer, DOING).await?;
    if !spools::advance(&mut transaction, batch).await.map_err(Error::database(DOING))? {
        return Err(Error::PositionMoved);
    }
    let counts = post_all(&mut transaction, batch).await.map_err(Error::database(DOING))?;
    uses::note(&mut transaction, &batch.records).await?;
    transaction.commit().await.map_err(Error::database(DOING))?;
    Ok(counts)
}

async fn post_all(connection: &mut Connection, batch: &Batch) -> sqlx::Result<Counts> {
    let mut counts = batch.counts;
    let known = records::known(connection, &batch.records).await?;
    let (before, fresh): (Vec<_>, Vec<_>) =
        batch.records.iter().partition(|record| known.contains_key(&record.id));
    if batch.recovery {
        counts.recovered += fresh.len() as u64;
    } else {
        before.iter().for_each(|record| recount(record, &known, &mut counts));
    }
    post(connection, &fresh).await?;
    spools::keep(connection, batch).await?;
    if batch.renumbered {
        leases::renumber(connection, &batch.spool).await?;
    }
    if let Some(generation) = batch.buried {
        let at_ms = batch.records.iter().map(|record| record.at_ms).max().unwrap_or(0);
        bury(connection, &batch.spool, generation, at_ms).await?;
    }
    counts::add(connection, &counts).await?;
    Ok(counts)
}

/// Posts records that were not posted before.
async fn post(connection: &mut Connection, fresh: &[&UsageRecord]) -> sqlx::Result<()> {
    if fresh.is_empty() {
        return Ok(());
    }
    let held = named(connection, fresh).await?;
    let rows: Vec<_> = fresh.iter().map(|record| (*record, periods_text(record, &held))).collect();
    let first = records::insert(connection, &rows).await?;
    let mut postings: Vec<_> =
        (first..).zip(fresh).filter_map(|(seq, each)| usage(seq, each)).collect();
    let mut sums = Sums::default();
    let mut paid: BTreeMap<u64, u64> = BTreeMap::new();
    for (record, periods) in &rows {
        sums.add(record, periods.as_deref(), Amounts::of(record));
        for (_, lease) in paying(record, &held) {
            let sum = paid.entry(lease.id).or_default();
            *sum = sum.saturating_add(u64::try_from(record.cost_nanodollars).unwrap_or(0));
        }
    }
    let at_ms = fresh.iter().map(|record| record.at_ms).max().unwrap_or(0);
    postings.extend(leases::pay(connection, &held, &paid, at_ms).await?);
    entries::append(connection, &postings).await?;
    balances::add(connection, &sums.balances()).await
}

/// The posting of a record; one that costs nothing moves nothing.
pub(super) fn usage(seq: u64, record: &UsageRecord) -> Option<Entry> {
    let entry = || Entry {
        at_ms: record.at_ms,
        kind: PostingKind::Usage,
        debit: format!("tenant/{}", record.tenant),
        credit: pool_account(record.pool.as_deref()),
        nanodollars: record.cost_nanodollars,
        record: Some(seq),
        lease: None,
        why: None,
    };
    (record.cost_nanodollars != 0).then(entry)
}

/// Counts a record whose id was posted before: a conflict when that posting
/// took the request for lost and this record knows its end.
fn recount(record: &UsageRecord, known: &HashMap<String, bool>, counts: &mut Counts) {
    let lost = record.end == End::GatewayLost;
    if known.get(&record.id) == Some(&true) && !lost {
        counts.conflicts += 1;
    } else {
        counts.duplicates += 1;
    }
    if lost {
        counts.lost = counts.lost.saturating_sub(1);
    }
}
