//! Granting leases in a database.

use super::dialect::{Connection, Pool, begin};
use super::words::loaded;
use super::{entries, lease_rows};
use crate::budget::{Budget, BudgetBook, Per, Period};
use crate::chain::Entry;
use crate::error::Error;
use crate::lease::{
    FRESH_MS, LeaseAsk, LeaseRow, LeaseState, UNLEARNT_MS, expiry, offer, retry_after_s,
};
use contract::lease::{Account, LeaseAnswer, Leased, Returned, Wanted};

const DOING: &str = "granting leases";

/// Answers requests one after the other, all in one transaction.
pub(super) async fn lease(
    writer: &Pool,
    asks: &[LeaseAsk],
    book: &BudgetBook,
    now_ms: u64,
) -> Result<Vec<LeaseAnswer>, Error> {
    let mut transaction = begin(writer, DOING).await?;
    let mut desk = Desk { connection: &mut transaction, book, now_ms, entries: Vec::new() };
    let mut answers = Vec::with_capacity(asks.len());
    for ask in asks {
        answers.push(desk.answer(ask).await.map_err(Error::database(DOING))?);
    }
    let entries = desk.entries;
    entries::append(&mut transaction, &entries).await.map_err(Error::database(DOING))?;
    transaction.commit().await.map_err(Error::database(DOING))?;
    Ok(answers)
}

/// What an account has of its budget just now.
struct Standing {
    period: Period,
    leases: Vec<LeaseRow>,
    left: u64,
}

/// What the answers of one transaction share.
struct Desk<'a> {
    connection: &'a mut Connection,
    book: &'a BudgetBook,
    now_ms: u64,
    entries: Vec<Entry>,
}

impl Desk<'_> {
    async fn answer(&mut self, ask: &LeaseAsk) -> sqlx::Result<LeaseAnswer> {
        for returned in &ask.request.returned {
            self.take_back(ask, *returned).await?;
        }
        let buried = self.is_buried(&ask.request.process).await?;
        let mut leases = Vec::with_capacity(ask.request.wanted.len());
        for wanted in &ask.request.wanted {
            leases.push(match self.budget_of(&wanted.account).await? {
                None => Leased::Unbounded,
                Some(_) if buried => {
                    Leased::Exhausted { retry_after_s: Some(crate::lease::RETRY_S) }
                }
                Some(budget) => self.grant(ask, wanted, budget).await?,
            });
        }
        Ok(LeaseAnswer { leases })
    }

    async fn take_back(&mut self, ask: &LeaseAsk, returned: Returned) -> sqlx::Result<()> {
        let found = lease_rows::by_ids(self.connection, &[returned.lease]).await?;
        let theirs = |lease: &LeaseRow| lease.process == ask.request.process;
        let Some(mut lease) = found.into_iter().find(theirs) else { return Ok(()) };
        if lease.state == LeaseState::Closed {
            return Ok(());
        }
        let was = lease.clone();
        lease.give_back(returned.total);
        if returned.over {
            lease.end(self.now_ms);
        }
        if lease != was {
            self.put(&lease, was.held()).await?;
        }
        Ok(())
    }

    async fn put(&mut self, lease: &LeaseRow, held_before: u64) -> sqlx::Result<()> {
        lease_rows::put(self.connection, lease).await?;
        self.entries.extend(lease.change(held_before, self.now_ms));
        Ok(())
    }

    async fn is_buried(&mut self, process: &str) -> sqlx::Result<bool> {
        let found: Option<i64> = sqlx::query_scalar("SELECT at_ms FROM buried WHERE process = $1")
            .bind(process)
            .fetch_optional(&mut *self.connection)
            .await?;
        Ok(found.is_some())
    }

    /// Names that are no accounts have no budget.
    async fn budget_of(&mut self, name: &str) -> sqlx::Result<Option<Budget>> {
        let Some(account) = Account::parse(name) else { return Ok(None) };
        match (self.book.of(&account), account) {
            (None, Account::Key(id)) => budget_of_key(self.connection, &id).await,
            (budget, _) => Ok(budget),
        }
    }

    async fn grant(
        &mut self,
        ask: &LeaseAsk,
        wanted: &Wanted,
        budget: Budget,
    ) -> sqlx::Result<Leased> {
        let standing = standing(self.connection, &wanted.account, budget, self.now_ms).await?;
        let known = self.grows(ask, wanted, &standing);
        if let Some(lease) = known.filter(|lease| wanted.lease == 0 && lease.held() >= wanted.need)
        {
            return Ok(granted(lease, &standing.period, standing.left == 0));
        }
        let given = offer(wanted.need.max(1), standing.left);
        if given == 0 {
            // What the gateway has itself it knows; others may give some back.
            let others = standing.leases.iter().filter(|of| of.process != ask.request.process);
            let held = others.map(LeaseRow::held).fold(0, u64::saturating_add);
            let retry_after_s = retry_after_s(&standing.period, held, self.now_ms);
            return Ok(Leased::Exhausted { retry_after_s });
        }
        let mut lease = match known {
            Some(lease) => lease.clone(),
            None => self.new_lease(ask, wanted, &standing.period).await?,
        };
        let before = lease.held();
        lease.granted = lease.granted.saturating_add(given);
        lease.generation = lease.generation.max(ask.generation);
        lease.expires_ms = lease.expires_ms.max(expiry(&standing.period, self.now_ms));
        self.put(&lease, before).await?;
        Ok(granted(&lease, &standing.period, given == standing.left))
    }

    /// The lease that grows: the one that is named, or one that the gateway has not learnt
    /// of yet.
    fn grows<'l>(
        &self,
        ask: &LeaseAsk,
        wanted: &Wanted,
        standing: &'l Standing,
    ) -> Option<&'l LeaseRow> {
        let theirs = |lease: &&LeaseRow| {
            lease.process == ask.request.process
                && lease.spool == ask.spool
                && lease.state == LeaseState::Open
                && lease.expires_ms > self.now_ms
        };
        let mut open = standing.leases.iter().filter(theirs);
        if wanted.lease != 0 {
            return open.find(|lease| lease.id == wanted.lease);
        }
        let is_fresh = |lease: &LeaseRow| lease.made_ms.abs_diff(self.now_ms) < FRESH_MS;
        // A gateway that had learnt of it would name it, or have given it back.
        let is_unknown =
            |lease: &LeaseRow| lease.posted == 0 && lease.expires_ms > self.now_ms + UNLEARNT_MS;
        open.rfind(|lease| lease.returned == 0 && (is_fresh(lease) || is_unknown(lease)))
    }

    async fn new_lease(
        &mut self,
        ask: &LeaseAsk,
        wanted: &Wanted,
        period: &Period,
    ) -> sqlx::Result<LeaseRow> {
        Ok(LeaseRow {
            id: lease_rows::next_id(self.connection).await?,
            account: wanted.account.clone(),
            period: period.name.clone(),
            process: ask.request.process.clone(),
            spool: ask.spool.clone(),
            generation: ask.generation,
            made_ms: self.now_ms,
            granted: 0,
            returned: 0,
            posted: 0,
            expires_ms: 0,
            state: LeaseState::Open,
            over_at_ms: None,
            mark: None,
        })
    }
}

fn granted(lease: &LeaseRow, period: &Period, last: bool) -> Leased {
    Leased::Granted {
        lease: lease.id,
        granted: lease.granted,
        expires_ms: lease.expires_ms,
        ends_ms: period.ends_ms,
        last,
    }
}

async fn standing(
    connection: &mut Connection,
    account: &str,
    budget: Budget,
    now_ms: u64,
) -> sqlx::Result<Standing> {
    let period = budget.per.period(now_ms);
    let leases = lease_rows::of_account(connection, account, &period.name).await?;
    let held = leases.iter().map(LeaseRow::held).fold(0, u64::saturating_add);
    let spent = spent(connection, account, &period.name).await?;
    let spent = u64::try_from(spent).unwrap_or(0);
    let left = budget.nanodollars.saturating_sub(spent).saturating_sub(held);
    Ok(Standing { period, leases, left })
}

/// What an account came to in a period, corrections included.
pub(super) async fn spent(
    connection: &mut Connection,
    account: &str,
    period: &str,
) -> sqlx::Result<i64> {
    let sums: Option<(i64, i64)> = sqlx::query_as(
        "SELECT nanodollars, corrected_nanodollars FROM balances
         WHERE account = $1 AND period = $2",
    )
    .bind(account)
    .bind(period)
    .fetch_optional(connection)
    .await?;
    Ok(sums.map_or(0, |(own, corrected)| own.saturating_add(corrected)))
}

/// The budget of a created key. A revoked one keeps it: its requests may still run.
async fn budget_of_key(connection: &mut Connection, id: &str) -> sqlx::Result<Option<Budget>> {
    let found: Option<(i64, String)> = sqlx::query_as(
        "SELECT budget_nanodollars, budget_per FROM keys
         WHERE id = $1 AND NOT configured AND budget_nanodollars IS NOT NULL",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?;
    Ok(found.and_then(|(nanodollars, per)| budget(nanodollars, &per)))
}

/// A budget as its columns have it.
pub(super) fn budget(nanodollars: i64, per: &str) -> Option<Budget> {
    Some(Budget { nanodollars: loaded(nanodollars), per: Per::parse(per)? })
}
