//! Charges in the columns of FOCUS 1.2, the FinOps Open Cost and Usage Specification.
//!
//! A row says how much of one meter was used on a day by one tenant, key, user, model and
//! pool at one price, and quantity times unit price is its cost, exactly: costs have up to
//! fifteen decimal places. A record is rounded once to nano-dollars, so what the roundings
//! of a group come to is a row of its own, an adjustment; and with it the rows sum to what
//! the ledger has, to the nano-dollar.

mod amount;
mod meter;
mod row;

use amount::Amount;
use contract::price::Prices;
use ledger::UsageRecord;
use meter::Counted;
use std::collections::{BTreeMap, HashMap};

pub use row::{COLUMNS, Period};

/// What the rows of a group have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    organisation: Option<String>,
    tenant: String,
    key: String,
    user: Option<String>,
    model: Option<String>,
    pool: Option<String>,
    price_version: Option<String>,
}

impl Group {
    fn of(record: &UsageRecord) -> Group {
        Group {
            organisation: record.organisation.clone(),
            tenant: record.tenant.clone(),
            key: record.key.clone(),
            user: record.user.clone(),
            model: record.model.clone(),
            pool: record.pool.clone(),
            price_version: record.price_version.clone(),
        }
    }
}

/// What the records of a group come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Charged {
    counted: Counted,
    /// What the roundings came to: the ledger's sum less that of the meters.
    rounding: Amount,
    /// Costs that no meter explains.
    unmetered: Amount,
}

/// The charges of one period, while its records come in. As large as the period has
/// groups, however many records there are.
#[derive(Clone, Debug, Default)]
pub struct Charges {
    groups: BTreeMap<Group, Charged>,
}

impl Charges {
    /// Takes a record in. `prices` are all that ever were.
    pub fn add(&mut self, record: &UsageRecord, prices: &HashMap<String, Prices>) {
        let charged = self.groups.entry(Group::of(record)).or_default();
        let prices = prices_of(record.price_version.as_deref(), prices);
        let cost = i128::from(record.cost_nanodollars);
        match billed(record, &prices) {
            Some(counted) => {
                charged.counted.add(&counted);
                charged.rounding += Amount::nanodollars(cost) - counted.cost(&prices);
            }
            None => charged.unmetered += Amount::nanodollars(cost),
        }
    }

    /// The rows of the period, in the order of their groups, each in the order of
    /// [`COLUMNS`].
    pub fn rows(
        &self,
        period: &Period,
        prices: &HashMap<String, Prices>,
        mut each: impl FnMut([String; COLUMNS.len()]),
    ) {
        for (group, charged) in &self.groups {
            let prices = prices_of(group.price_version.as_deref(), prices);
            for (meter, counted) in charged.counted.each() {
                if counted > 0 && (meter.is_of_tokens() || meter.unit_price(&prices) > 0) {
                    each(row::of_meter(group, period, meter, counted, &prices));
                }
            }
            for (amount, what) in [
                (charged.rounding, "Rounding of each request to nano-dollars"),
                (charged.unmetered, "Charges without a meter"),
            ] {
                if !amount.is_zero() {
                    each(row::adjustment(group, period, amount, what, false));
                }
            }
        }
    }
}

/// Prices that are not known, and none, cost nothing: so does the record.
fn prices_of(version: Option<&str>, prices: &HashMap<String, Prices>) -> Prices {
    version.and_then(|version| prices.get(version)).copied().unwrap_or_default()
}

/// What of a record was billed: what its cost follows from. An answer that failed costs
/// nothing whatever it used, and not each costs for the request itself.
fn billed(record: &UsageRecord, prices: &Prices) -> Option<Counted> {
    let cost = i128::from(record.cost_nanodollars);
    let all = Counted::of(record);
    [all, all.without_request(), Counted::default()]
        .into_iter()
        .find(|counted| counted.cost(prices).rounded_nanodollars() == cost)
}

#[cfg(test)]
mod tests;
