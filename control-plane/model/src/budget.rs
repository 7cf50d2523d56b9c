//! `budget` and `organisations`: what may be spent, and in which time.

use crate::document::{Cursor, Fields};
use crate::schema::Section;
use crate::units;
use std::fmt;
use std::str::FromStr;

/// The time after which a budget is whole again. Hours, days and months are those of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Per {
    /// An hour of the clock.
    Hour,
    /// A day of the calendar.
    Day,
    /// A month of the calendar.
    Month,
    /// It never is.
    Total,
}

/// Every period by its name.
pub(crate) const PERIODS: &[(&str, Per)] =
    &[("hour", Per::Hour), ("day", Per::Day), ("month", Per::Month), ("total", Per::Total)];

impl Per {
    /// As the configuration names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Per::Hour => "hour",
            Per::Day => "day",
            Per::Month => "month",
            Per::Total => "total",
        }
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Per {
    type Err = String;

    /// # Errors
    /// When `text` names no period; follows the quoted text.
    fn from_str(text: &str) -> Result<Self, String> {
        let found = PERIODS.iter().find(|(name, _)| *name == text);
        let unknown = || "is not a period; allowed: hour, day, month, total".to_owned();
        found.map(|(_, per)| *per).ok_or_else(unknown)
    }
}

/// What may be spent, and in which time. As text `DOLLARS/PERIOD`, such as `250.00/month`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Budget {
    /// Nano-dollars, at most what a signed 64-bit integer holds; 0: nothing may be spent.
    pub nanodollars: u64,
    /// In which time.
    pub per: Per,
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", units::shown_dollars(self.nanodollars), self.per)
    }
}

impl FromStr for Budget {
    type Err = String;

    /// # Errors
    /// When `text` is not `DOLLARS/PERIOD`; follows the quoted text.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let (dollars, per) =
            parts.ok_or("is not a budget; write DOLLARS/PERIOD, such as 250.00/month")?;
        Ok(Budget { nanodollars: units::nano_dollars(dollars)?, per: per.parse()? })
    }
}

impl Budget {
    /// What the field `budget` says, where there is one.
    pub(crate) fn of(fields: &Fields<'_, '_>) -> Option<Budget> {
        Budget::read(&fields.get("budget")?)
    }

    fn read(cursor: &Cursor<'_>) -> Option<Budget> {
        let fields = cursor.fields(Section::Budget);
        let dollars = fields.require("dollars", "a decimal such as 250.00");
        let per = fields.require("per", "one of hour, day, month, total");
        fields.close();
        let nanodollars = dollars.and_then(|field| field.parse(units::nano_dollars));
        let per = per.and_then(|field| field.choose(PERIODS));
        Some(Budget { nanodollars: nanodollars?, per: per? })
    }
}

/// Whose tenants share a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Organisation {
    /// What all of its tenants together may spend; `None`: as much as each of them may.
    pub budget: Option<Budget>,
}

impl Organisation {
    pub(crate) fn read(cursor: &Cursor<'_>) -> Organisation {
        let fields = cursor.fields(Section::Organisation);
        let budget = Budget::of(&fields);
        fields.close();
        Organisation { budget }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_budget_reads_as_it_is_shown(
            nanodollars in 0..=i64::MAX as u64,
            at in 0..PERIODS.len(),
        ) {
            let budget = Budget { nanodollars, per: PERIODS[at].1 };
            prop_assert_eq!(budget.to_string().parse(), Ok(budget));
        }
    }

    #[test]
    fn a_budget_reads_as_it_is_shown() {
        let table = [
            ("250/month", 250_000_000_000, Per::Month),
            ("0.5/day", 500_000_000, Per::Day),
            ("0/hour", 0, Per::Hour),
            ("0.000000001/total", 1, Per::Total),
            ("9223372036.854775807/total", i64::MAX as u64, Per::Total),
        ];
        for (text, nanodollars, per) in table {
            let budget = Budget { nanodollars, per };
            assert_eq!((text.parse(), budget.to_string()), (Ok(budget), text.to_owned()));
        }
        assert_eq!("007.50/day".parse::<Budget>().unwrap().to_string(), "7.5/day");
    }

    #[test]
    fn what_is_no_budget() {
        let form = "is not a budget; write DOLLARS/PERIOD, such as 250.00/month";
        let period = "is not a period; allowed: hour, day, month, total";
        let table = [
            ("", form),
            ("5", form),
            ("5/week", period),
            ("5/", period),
            ("5/day/day", period),
            ("5/Day", period),
            ("/day", "is not an amount of money; write dollars as a decimal such as 0.60"),
            ("-5/day", "is negative; allowed: 0 or more dollars"),
            ("0.0000000001/day", "has too many digits; allowed: 9 after the point"),
            (
                "9223372036.854775808/total",
                "is too large; allowed: up to 9223372036.854775807 dollars",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<Budget>(), Err(expected.to_owned()), "{text}");
        }
    }
}
