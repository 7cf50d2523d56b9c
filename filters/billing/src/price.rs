//! The cost of a record.
//!
//! Money is in nano-dollars; a price is in nano-dollars per million tokens. The
//! cost of a record is summed in 128 bits and rounded half up once.

use contract::price::Prices;
use contract::usage::Tally;

/// Tokens that a price is for.
const TOKENS_PER_PRICE: u128 = 1_000_000;

/// What `tally` costs by `prices`, in nano-dollars, rounded half up. More cached
/// tokens than prompt tokens count as all of the prompt. A cost beyond 64 bits
/// (over nine billion dollars) is the largest that fits.
#[must_use]
pub fn cost_nanodollars(prices: &Prices, tally: &Tally) -> i64 {
    let cached = tally.cached_input.min(tally.input);
    let fresh = tally.input.saturating_sub(cached);
    let sum = [(fresh, prices.input), (cached, prices.cached_input), (tally.output, prices.output)]
        .iter()
        .map(|&(tokens, price)| u128::from(tokens) * u128::from(price))
        .fold(0_u128, u128::saturating_add);
    let rounded = sum.saturating_add(TOKENS_PER_PRICE / 2) / TOKENS_PER_PRICE;
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(input: u64, cached_input: u64, output: u64) -> Tally {
        Tally { input, cached_input, output, ..Tally::default() }
    }

    #[test]
    fn costs() {
        let prices = |input, cached_input, output| Prices { input, cached_input, output };
        const DOLLAR: u64 = 1_000_000_000;
        let table = [
            // prices, tally, nano-dollars
            (prices(DOLLAR, DOLLAR, DOLLAR), tally(1_000_000, 0, 0), 1_000_000_000),
            (prices(600_000_000, 150_000_000, 1_800_000_000), tally(16, 0, 14), 34_800),
            (prices(600_000_000, 150_000_000, 1_800_000_000), tally(16, 16, 0), 2_400),
            (prices(1, 1, 1), tally(499_999, 0, 0), 0),
            (prices(1, 1, 1), tally(500_000, 0, 0), 1),
            (prices(1, 1, 1), tally(250_000, 0, 250_000), 1),
            (prices(DOLLAR, 0, 0), tally(5, 9, 0), 0),
            (prices(0, 0, 0), tally(u64::MAX, 0, u64::MAX), 0),
            (prices(u64::MAX, 0, u64::MAX), tally(u64::MAX, 0, u64::MAX), i64::MAX),
        ];
        for (prices, tally, expected) in table {
            assert_eq!(cost_nanodollars(&prices, &tally), expected, "{prices:?} {tally:?}");
        }
    }
}
