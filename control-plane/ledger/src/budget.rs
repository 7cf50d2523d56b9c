//! What an account may spend in a period, and which periods there are. Pure.

use contract::lease::Account;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long a budget lasts; all are of UTC.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
    /// For ever.
    #[default]
    Total,
}

impl Per {
    /// Every kind of period.
    pub const ALL: [Per; 4] = [Per::Hour, Per::Day, Per::Month, Per::Total];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Per::Hour => "hour",
            Per::Day => "day",
            Per::Month => "month",
            Per::Total => "total",
        }
    }

    /// The kind of period that a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Per> {
        Per::ALL.into_iter().find(|per| per.as_str() == word)
    }

    /// The kind of period that has this name: [`Period::name`].
    #[must_use]
    pub fn of_name(name: &str) -> Per {
        match name.len() {
            7 => Per::Month,
            10 => Per::Day,
            13 => Per::Hour,
            _ => Per::Total,
        }
    }

    /// The period that the Unix millisecond `at_ms` lies in.
    #[must_use]
    pub fn period(self, at_ms: u64) -> Period {
        let at = civil(at_ms);
        let (name, start, end) = match self {
            Per::Total => return Period { name: "total".to_owned(), starts_ms: 0, ends_ms: None },
            Per::Month => {
                let start = at.date().first_of_month();
                (format!("{:04}-{:02}", at.year(), at.month()), start.into(), next_month(at))
            }
            Per::Day => {
                let date = at.date();
                let end = date.tomorrow().ok().map(DateTime::from);
                (date.to_string(), DateTime::from(date), end)
            }
            Per::Hour => {
                let start = at.date().at(at.hour(), 0, 0, 0);
                let end = start.checked_add(jiff::Span::new().hours(1)).ok();
                (format!("{}T{:02}", at.date(), at.hour()), start, end)
            }
        };
        Period { name, starts_ms: unix_ms(start).unwrap_or(0), ends_ms: end.and_then(unix_ms) }
    }
}

/// One hour, day or month, or all time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// `2026-11-21T09`, `2026-11-21`, `2026-11` or `total`.
    pub name: String,
    /// Its first Unix millisecond.
    pub starts_ms: u64,
    /// The first Unix millisecond after it; `None`: it has no end.
    pub ends_ms: Option<u64>,
}

/// The date and time in UTC; what is beyond the calendar is its end.
fn civil(at_ms: u64) -> DateTime {
    let at = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    TimeZone::UTC.to_datetime(at.unwrap_or(Timestamp::MAX))
}

fn next_month(at: DateTime) -> Option<DateTime> {
    at.date().last_of_month().tomorrow().ok().map(DateTime::from)
}

fn unix_ms(at: DateTime) -> Option<u64> {
    let at = TimeZone::UTC.to_timestamp(at).ok()?;
    u64::try_from(at.as_millisecond()).ok()
}

/// What may be spent in each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Nano-dollars.
    pub nanodollars: u64,
    /// How long they last.
    pub per: Per,
}

/// The budgets of a configuration. Those of created keys stand in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BudgetBook {
    /// Of organisations, tenants and configured keys.
    pub accounts: BTreeMap<Account, Budget>,
    /// Of each user of a tenant, by the tenant.
    pub users: BTreeMap<String, Budget>,
}

impl BudgetBook {
    /// The budget of an account; `None`: the configuration gives it none.
    #[must_use]
    pub fn of(&self, account: &Account) -> Option<Budget> {
        let own = self.accounts.get(account).copied();
        own.or_else(|| match account {
            Account::User { tenant, .. } => self.users.get(tenant).copied(),
            _ => None,
        })
    }
}

/// How an account stands in the running period of its budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetStanding {
    /// The account's name: `organisation/NAME`, `tenant/NAME`, `key/ID`, `user/TENANT/NAME`.
    pub account: String,
    /// How long the budget lasts.
    pub per: Per,
    /// The period's name.
    pub period: String,
    /// What may be spent in it, in nano-dollars like the next three.
    pub limit: u64,
    /// What was, corrections included.
    pub spent: i64,
    /// What gateways may spend without asking, or have spent and not told yet.
    pub held: u64,
    /// What is left of it to be held or spent.
    pub left: u64,
    /// The period's first Unix millisecond.
    pub starts_ms: u64,
    /// The first Unix millisecond after it; `None`: it has no end.
    pub ends_ms: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_have_names_and_bounds_in_utc() {
        // 2026-11-21T09:09:23.120Z.
        const AT: u64 = 1_795_252_163_120;
        for (per, name, starts_ms, ends_ms) in [
            (Per::Hour, "2026-11-21T09", 1_795_251_600_000, Some(1_795_255_200_000)),
            (Per::Day, "2026-11-21", 1_795_219_200_000, Some(1_795_305_600_000)),
            (Per::Month, "2026-11", 1_793_491_200_000, Some(1_796_083_200_000)),
            (Per::Total, "total", 0, None),
        ] {
            let period = per.period(AT);
            assert_eq!(period, Period { name: name.to_owned(), starts_ms, ends_ms });
            assert_eq!(Per::of_name(name), per);
            assert_eq!(per.period(starts_ms), period);
            if let Some(end) = ends_ms {
                assert_eq!(per.period(end - 1), period);
                assert_eq!(per.period(end).starts_ms, end);
            }
        }
    }

    #[test]
    fn every_time_has_a_period() {
        for at_ms in [0, 1, crate::record::AT_MS_MAX, u64::MAX] {
            for per in Per::ALL {
                let period = per.period(at_ms);
                assert_eq!(Per::of_name(&period.name), per, "{period:?}");
                assert!(period.starts_ms <= at_ms);
            }
        }
    }

    #[test]
    fn a_users_budget_is_its_own_or_that_of_its_tenants_users() {
        let user = |user: &str| Account::User { tenant: "acme".into(), user: user.into() };
        let budget = |nanodollars| Budget { nanodollars, per: Per::Day };
        let book = BudgetBook {
            accounts: [(user("ann"), budget(5))].into(),
            users: [("acme".to_owned(), budget(1))].into(),
        };
        assert_eq!(book.of(&user("ann")), Some(budget(5)));
        assert_eq!(book.of(&user("bob")), Some(budget(1)));
        assert_eq!(book.of(&Account::Tenant("acme".into())), None);
    }
}
