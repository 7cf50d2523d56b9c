//! What a record moves: the balances of its accounts in every period, and the leases that
//! paid for it. Pure; checked arithmetic: what does not fit stays at the largest that does.

use crate::budget::Per;
use crate::lease::LeaseRow;
use crate::record::UsageRecord;
use contract::lease::Account;
use std::collections::{BTreeMap, HashMap};

/// How much an account moves in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Nano-dollars.
    pub nanodollars: i64,
    /// Nano-dollars of corrections.
    pub corrected_nanodollars: i64,
    /// Prompt tokens.
    pub input_tokens: i64,
    /// Generated tokens.
    pub output_tokens: i64,
    /// Records.
    pub requests: i64,
}

impl Amounts {
    /// What a record comes to.
    #[must_use]
    pub fn of(record: &UsageRecord) -> Self {
        let fits = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Amounts {
            nanodollars: record.cost_nanodollars,
            corrected_nanodollars: 0,
            input_tokens: fits(record.input_tokens),
            output_tokens: fits(record.output_tokens),
            requests: 1,
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, more: Amounts) -> Self {
        Amounts {
            nanodollars: self.nanodollars.saturating_add(more.nanodollars),
            corrected_nanodollars: self
                .corrected_nanodollars
                .saturating_add(more.corrected_nanodollars),
            input_tokens: self.input_tokens.saturating_add(more.input_tokens),
            output_tokens: self.output_tokens.saturating_add(more.output_tokens),
            requests: self.requests.saturating_add(more.requests),
        }
    }

    /// The money from the other side.
    #[must_use]
    pub fn mirrored(self) -> Self {
        Amounts {
            nanodollars: self.nanodollars.saturating_neg(),
            corrected_nanodollars: self.corrected_nanodollars.saturating_neg(),
            ..self
        }
    }
}

/// Balances by account and period.
pub type Balances = BTreeMap<(String, String), Amounts>;

/// The account that a record's cost comes from.
#[must_use]
pub fn pool_account(pool: Option<&str>) -> String {
    format!("pool/{}", pool.unwrap_or_default())
}

/// The accounts of a record that may have a budget.
#[must_use]
pub fn accounts(record: &UsageRecord) -> Vec<Account> {
    accounts_of(Payers::of(record))
}

/// Who a record is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Payers<'a> {
    organisation: Option<&'a str>,
    tenant: &'a str,
    key: &'a str,
    user: Option<&'a str>,
}

impl<'a> Payers<'a> {
    fn of(record: &'a UsageRecord) -> Self {
        Payers {
            organisation: record.organisation.as_deref(),
            tenant: &record.tenant,
            key: &record.key,
            user: record.user.as_deref(),
        }
    }
}

fn accounts_of(payers: Payers<'_>) -> Vec<Account> {
    let tenant = payers.tenant.to_owned();
    let user = payers.user.map(str::to_owned);
    let user = user.map(|user| Account::User { tenant: tenant.clone(), user });
    let organisation = payers.organisation.map(|name| Account::Organisation(name.to_owned()));
    let own = [Account::Tenant(tenant), Account::Key(payers.key.to_owned())];
    organisation.into_iter().chain(own).chain(user).collect()
}

/// The word for an account's kind.
const fn kind(account: &Account) -> &'static str {
    match account {
        Account::Organisation(_) => "organisation",
        Account::Tenant(_) => "tenant",
        Account::Key(_) => "key",
        Account::User { .. } => "user",
    }
}

/// Periods that a record counts in though they are not those of its time: the word of an
/// account's kind, and the period's name.
type Moved = BTreeMap<String, String>;

/// What is kept of those with the record.
#[must_use]
pub fn periods_text(record: &UsageRecord, leases: &BTreeMap<u64, LeaseRow>) -> Option<String> {
    let mut moved = Moved::new();
    for (account, lease) in paying(record, leases) {
        let due = Per::of_name(&lease.period).period(record.at_ms).name;
        if due != lease.period {
            moved.insert(kind(&account).to_owned(), lease.period.clone());
        }
    }
    if moved.is_empty() { None } else { serde_json::to_string(&moved).ok() }
}

/// The lease that pays for each of a record's accounts: the first of those that it names.
/// A reservation that was extended by another lease of the same account is of its first.
#[must_use]
pub fn paying<'a>(
    record: &UsageRecord,
    leases: &'a BTreeMap<u64, LeaseRow>,
) -> Vec<(Account, &'a LeaseRow)> {
    if record.leases.is_empty() {
        return Vec::new();
    }
    let paid = |account: Account| {
        let name = account.to_string();
        let named = record.leases.iter().filter_map(|id| leases.get(id));
        named.into_iter().find(|lease| lease.account == name).map(|lease| (account, lease))
    };
    accounts(record).into_iter().filter_map(paid).collect()
}

/// What records have in common that move the same balances: who they are of, their pool, the
/// hour of their time, and the periods that are kept with them.
type Alike<'a> = (Payers<'a>, Option<&'a str>, u64, Option<&'a str>);

/// Sums records into balances; equal ones are summed before anything is written.
#[derive(Default)]
pub struct Sums<'a> {
    sums: HashMap<Alike<'a>, Amounts>,
}

const MS_PER_HOUR: u64 = 60 * 60 * 1_000;

impl<'a> Sums<'a> {
    /// Adds what `record`, kept with these `periods`, moves.
    pub fn add(&mut self, record: &'a UsageRecord, periods: Option<&'a str>, amounts: Amounts) {
        let key = (Payers::of(record), record.pool.as_deref(), record.at_ms / MS_PER_HOUR, periods);
        let sum = self.sums.entry(key).or_default();
        *sum = sum.plus(amounts);
    }

    /// The balances.
    #[must_use]
    pub fn balances(self) -> Balances {
        let mut balances = Balances::new();
        for ((payers, pool, hour, periods), amounts) in self.sums {
            let mut add = |account: String, period: String, amounts: Amounts| {
                let balance = balances.entry((account, period)).or_default();
                *balance = balance.plus(amounts);
            };
            let due = Per::ALL.map(|per| per.period(hour.saturating_mul(MS_PER_HOUR)).name);
            let moved = periods.and_then(|text| serde_json::from_str::<Moved>(text).ok());
            for account in accounts_of(payers) {
                let other = moved.as_ref().and_then(|moved| moved.get(kind(&account)));
                for (per, due) in Per::ALL.iter().zip(&due) {
                    let other = other.filter(|name| Per::of_name(name) == *per);
                    add(account.to_string(), other.unwrap_or(due).clone(), amounts);
                }
            }
            if pool.is_some() || amounts.nanodollars != 0 || amounts.corrected_nanodollars != 0 {
                add(pool_account(pool), "total".to_owned(), amounts.mirrored());
            }
        }
        balances
    }
}
