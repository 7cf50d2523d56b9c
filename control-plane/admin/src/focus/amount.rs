//! Money and quantities as decimal text: what a spreadsheet or a database reads is exactly
//! what was counted.

use std::fmt;
use std::ops::{AddAssign, Sub};

/// Femto-dollars in a nano-dollar: a token at the price of a nano-dollar per million costs
/// one femto-dollar.
const PER_NANODOLLAR: i128 = 1_000_000;

/// Decimal places of a femto-dollar.
const PLACES: u32 = 15;

/// Dollars, in femto-dollars (10^-15). What is beyond 10^23 dollars stays there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(i128);

impl Amount {
    /// `quantity` times `femtodollars`.
    pub fn of(quantity: u128, femtodollars: u128) -> Amount {
        let product = quantity.checked_mul(femtodollars);
        Amount(product.and_then(|product| i128::try_from(product).ok()).unwrap_or(i128::MAX))
    }

    /// Of nano-dollars.
    pub fn nanodollars(nanodollars: i128) -> Amount {
        Amount(nanodollars.saturating_mul(PER_NANODOLLAR))
    }

    /// Rounded half up to nano-dollars, as the cost of a record is.
    pub fn rounded_nanodollars(self) -> i128 {
        self.0.saturating_add(PER_NANODOLLAR / 2).div_euclid(PER_NANODOLLAR)
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl Sub for Amount {
    type Output = Amount;

    fn sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}", decimal(self.0.unsigned_abs(), PLACES))
    }
}

/// `units` of 10^-`places`, without zeros at the end.
pub fn decimal(units: u128, places: u32) -> String {
    let one = 10_u128.saturating_pow(places);
    let (whole, rest) = (units / one, units % one);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = format!("{rest:0width$}", width = places as usize);
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        let table = [
            (Amount::default(), "0"),
            (Amount::of(1, 1), "0.000000000000001"),
            (Amount::of(16, 600_000_000), "0.0000096"),
            (Amount::of(1_000_000, 1_000_000_000), "1"),
            (Amount::nanodollars(34_800), "0.0000348"),
            (Amount::nanodollars(-5), "-0.000000005"),
            (Amount::default() - Amount::of(1, 500_000), "-0.0000000005"),
            (Amount::nanodollars(i128::from(i64::MAX)), "9223372036.854775807"),
            (Amount::of(u128::MAX, 2), "170141183460469231731687.303715884105727"),
        ];
        for (amount, text) in table {
            assert_eq!(amount.to_string(), text);
        }
    }

    #[test]
    fn rounding_is_that_of_records() {
        let table = [(0, 0), (499_999, 0), (500_000, 1), (1_499_999, 1), (1_500_000, 2)];
        for (femtodollars, nanodollars) in table {
            assert_eq!(Amount::of(1, femtodollars).rounded_nanodollars(), nanodollars);
        }
    }

    #[test]
    fn decimals() {
        let table =
            [(0, 3, "0"), (1, 3, "0.001"), (1_500, 3, "1.5"), (20_000, 3, "20"), (7, 0, "7")];
        for (units, places, text) in table {
            assert_eq!(decimal(units, places), text);
        }
    }
}
