//! The cost of a record.
//!
//! Money is in nano-dollars. A price is for a million tokens, for one request, image or page,
//! or for a second. The cost of a record is summed in 128 bits, in millionths of a
//! nano-dollar, which all of that divides into, and rounded half up once.

use contract::price::Prices;
use contract::usage::{Source, Tally};

/// Millionths of a nano-dollar in one. Tokens are priced by as many.
pub(crate) const MICROS: u128 = 1_000_000;

/// Milliseconds of a price for a second.
const MS_PER_PRICE: u128 = 1_000;

/// What `tally` costs by `prices`, in nano-dollars, rounded half up. More cached tokens than
/// prompt tokens count as all of the prompt. A cost beyond 64 bits (over nine billion
/// dollars) is the largest that fits.
///
/// A record with no tokens, and of which nothing was counted, is of a request that no engine
/// answered: it costs nothing at all, whatever was in the request.
#[must_use]
pub fn cost_nanodollars(prices: &Prices, tally: &Tally) -> i64 {
    if tally.source == Source::None && tally.input == 0 && tally.output == 0 {
        return 0;
    }
    let rounded = micros(prices, tally).saturating_add(MICROS / 2) / MICROS;
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

/// The same in millionths of a nano-dollar and before it is rounded. What does not fit is far
/// beyond what a cost can be.
pub(crate) fn micros(prices: &Prices, tally: &Tally) -> u128 {
    let cached = tally.cached_input.min(tally.input);
    let fresh = tally.input.saturating_sub(cached);
    [
        (fresh, prices.input, 1),
        (cached, prices.cached_input, 1),
        (tally.output, prices.output, 1),
        (1, prices.request, MICROS),
        (tally.images, prices.image, MICROS),
        (tally.pages, prices.page, MICROS),
        (tally.audio_ms, prices.audio_second, MICROS / MS_PER_PRICE),
        (tally.gpu_ms, prices.gpu_second, MICROS / MS_PER_PRICE),
    ]
    .into_iter()
    .map(|(many, price, micros)| (u128::from(many) * u128::from(price)).saturating_mul(micros))
    .fold(0, u128::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOLLAR: u64 = 1_000_000_000;

    fn check(table: &[(Prices, Tally, i64)]) {
        for (prices, tally, expected) in table {
            assert_eq!(cost_nanodollars(prices, tally), *expected, "{prices:?} {tally:?}");
        }
    }

    #[test]
    fn tokens_cost_by_the_million() {
        let tally =
            |input, cached_input, output| Tally { input, cached_input, output, ..Tally::default() };
        let prices = |input, cached_input, output| Prices {
            input,
            cached_input,
            output,
            ..Prices::default()
        };
        let sixty = prices(600_000_000, 150_000_000, 1_800_000_000);
        check(&[
            (prices(DOLLAR, DOLLAR, DOLLAR), tally(1_000_000, 0, 0), 1_000_000_000),
            (sixty, tally(16, 0, 14), 34_800),
            (sixty, tally(16, 16, 0), 2_400),
            (prices(1, 1, 1), tally(499_999, 0, 0), 0),
            (prices(1, 1, 1), tally(500_000, 0, 0), 1),
            (prices(1, 1, 1), tally(250_000, 0, 250_000), 1),
            (prices(DOLLAR, 0, 0), tally(5, 9, 0), 0),
            (prices(0, 0, 0), tally(u64::MAX, 0, u64::MAX), 0),
            (prices(u64::MAX, 0, u64::MAX), tally(u64::MAX, 0, u64::MAX), i64::MAX),
            // 2^63 - 1 nano-dollars, and half of one more.
            (prices(i64::MAX as u64, 0, 0), tally(1_000_000, 0, 0), i64::MAX),
            (prices(i64::MAX as u64 - 1, 0, 1), tally(1_000_000, 0, 499_999), i64::MAX - 1),
            (prices(i64::MAX as u64 - 1, 0, 1), tally(1_000_000, 0, 500_000), i64::MAX),
        ]);
    }

    #[test]
    fn the_rest_costs_by_the_piece_and_by_the_second() {
        let answered = Tally { source: Source::Engine, ..Tally::default() };
        let each = Prices { request: 2, image: 30, page: 400, ..Prices::default() };
        let seconds = Prices { audio_second: 1_000, gpu_second: 500, ..Prices::default() };
        check(&[
            (each, answered, 2),
            (each, Tally { images: 1, pages: 2, ..answered }, 832),
            (each, Tally { images: 7, ..Tally::default() }, 0),
            (each, Tally { output: 1, ..Tally::default() }, 2),
            (seconds, Tally { audio_ms: 1, gpu_ms: 1, ..answered }, 2),
            (seconds, Tally { audio_ms: 0, gpu_ms: 1, ..answered }, 1),
            (Prices { gpu_second: 499, ..seconds }, Tally { gpu_ms: 1, ..answered }, 0),
            (seconds, Tally { audio_ms: 61_250, gpu_ms: 10_000, ..answered }, 66_250),
        ]);
    }

    #[test]
    fn all_is_summed_before_it_is_rounded() {
        let prices =
            Prices { output: 400_000, audio_second: 50, gpu_second: 50, ..Prices::default() };
        let tally = Tally { output: 1, audio_ms: 1, gpu_ms: 1, ..Tally::default() };
        check(&[(prices, tally, 1), (Prices { output: 399_999, ..prices }, tally, 0)]);
    }

    #[test]
    fn the_largest_of_everything_is_the_largest_cost() {
        let (most, tally) = (u64::MAX, Tally { source: Source::Engine, ..Tally::default() });
        let prices = Prices {
            input: most,
            cached_input: most,
            output: most,
            request: most,
            image: most,
            page: most,
            audio_second: most,
            gpu_second: most,
        };
        check(&[
            (prices, tally, i64::MAX),
            (prices, Tally { images: most, pages: most, ..tally }, i64::MAX),
            (prices, Tally { audio_ms: most, gpu_ms: most, input: most, ..tally }, i64::MAX),
            (Prices { request: i64::MAX as u64, ..Prices::default() }, tally, i64::MAX),
            (Prices { request: 1 << 62, ..Prices::default() }, tally, 1 << 62),
        ]);
    }
}
