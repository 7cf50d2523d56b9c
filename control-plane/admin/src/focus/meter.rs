//! What is counted of a request, and what one of it costs.

use super::amount::{Amount, decimal};
use contract::price::Prices;
use ledger::UsageRecord;

/// Decimal places of a million: prices of tokens are for so many.
const MILLION_PLACES: u32 = 6;

/// Decimal places of a second in milliseconds.
const MILLI_PLACES: u32 = 3;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meter {
    /// Prompt tokens that were not cached.
    Input,
    /// Prompt tokens from the engine's cache.
    CachedInput,
    /// Generated tokens.
    Output,
    /// Requests that an engine has answered.
    Request,
    /// Images.
    Image,
    /// Pages of documents.
    Page,
    /// Sound, in milliseconds.
    Audio,
    /// An engine's time, in milliseconds.
    Gpu,
}

impl Meter {
    /// Every meter, in the order of the rows.
    pub const ALL: [Meter; 8] = [
        Meter::Input,
        Meter::CachedInput,
        Meter::Output,
        Meter::Request,
        Meter::Image,
        Meter::Page,
        Meter::Audio,
        Meter::Gpu,
    ];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Meter::Input => "Input Tokens",
            Meter::CachedInput => "Cached Input Tokens",
            Meter::Output => "Output Tokens",
            Meter::Request => "Requests",
            Meter::Image => "Images",
            Meter::Page => "Pages",
            Meter::Audio => "Audio Seconds",
            Meter::Gpu => "GPU Seconds",
        }
    }

    /// Its name as a part of an id: that of its price in the configuration.
    pub fn id(self) -> &'static str {
        match self {
            Meter::Input => "input",
            Meter::CachedInput => "cached_input",
            Meter::Output => "output",
            Meter::Request => "request",
            Meter::Image => "image",
            Meter::Page => "page",
            Meter::Audio => "audio_second",
            Meter::Gpu => "gpu_second",
        }
    }

    /// The unit in which it is consumed (FOCUS, "Unit Format").
    pub fn consumed_unit(self) -> &'static str {
        match self {
            Meter::Input | Meter::CachedInput | Meter::Output => "Tokens",
            Meter::Request => "Requests",
            Meter::Image => "Images",
            Meter::Page => "Pages",
            Meter::Audio | Meter::Gpu => "Seconds",
        }
    }

    /// The unit that it is priced by.
    pub fn pricing_unit(self) -> &'static str {
        if self.is_of_tokens() { "1000000 Tokens" } else { self.consumed_unit() }
    }

    /// How much was consumed, in [`Meter::consumed_unit`].
    pub fn consumed(self, counted: u128) -> String {
        decimal(counted, if self.is_of_time() { MILLI_PLACES } else { 0 })
    }

    /// How much was priced, in [`Meter::pricing_unit`].
    pub fn priced(self, counted: u128) -> String {
        if self.is_of_tokens() { decimal(counted, MILLION_PLACES) } else { self.consumed(counted) }
    }

    /// What one of [`Meter::pricing_unit`] costs, in nano-dollars.
    pub fn unit_price(self, prices: &Prices) -> u64 {
        match self {
            Meter::Input => prices.input,
            Meter::CachedInput => prices.cached_input,
            Meter::Output => prices.output,
            Meter::Request => prices.request,
            Meter::Image => prices.image,
            Meter::Page => prices.page,
            Meter::Audio => prices.audio_second,
            Meter::Gpu => prices.gpu_second,
        }
    }

    /// What `counted` of it cost, exactly.
    pub fn cost(self, counted: u128, prices: &Prices) -> Amount {
        let femtodollars_each = if self.is_of_tokens() {
            1
        } else if self.is_of_time() {
            1_000
        } else {
            1_000_000
        };
        Amount::of(counted, u128::from(self.unit_price(prices)) * femtodollars_each)
    }

    /// Whether its row is worth having where it costs nothing.
    pub fn is_of_tokens(self) -> bool {
        matches!(self, Meter::Input | Meter::CachedInput | Meter::Output)
    }

    fn is_of_time(self) -> bool {
        matches!(self, Meter::Audio | Meter::Gpu)
    }
}

/// How much was counted, by [`Meter::ALL`]: tokens, pieces and milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted([u128; Meter::ALL.len()]);

impl Counted {
    /// What one record has, as one answered request.
    pub fn of(record: &UsageRecord) -> Counted {
        let cached = record.cached_input_tokens.min(record.input_tokens);
        let counted = [
            record.input_tokens.saturating_sub(cached),
            cached,
            record.output_tokens,
            1,
            record.images,
            record.pages,
            record.audio_ms,
            record.gpu_ms,
        ];
        Counted(counted.map(u128::from))
    }

    /// Without the request itself: some answers cost by what they used alone.
    pub fn without_request(self) -> Counted {
        let kept = Meter::ALL.map(|meter| u128::from(meter != Meter::Request));
        let mut counted = self;
        counted.0.iter_mut().zip(kept).for_each(|(count, kept)| *count *= kept);
        counted
    }

    /// Adds another.
    pub fn add(&mut self, other: &Counted) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(more);
        }
    }

    /// Each meter and its count.
    pub fn each(&self) -> impl Iterator<Item = (Meter, u128)> {
        Meter::ALL.into_iter().zip(self.0)
    }

    /// What it costs, exactly.
    pub fn cost(&self, prices: &Prices) -> Amount {
        let mut sum = Amount::default();
        self.each().for_each(|(meter, counted)| sum += meter.cost(counted, prices));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantity times unit price is the cost, as the columns say it.
    #[test]
    fn costs_and_quantities() {
        let prices = Prices {
            input: 600_000_000,
            cached_input: 150_000_000,
            output: 1_800_000_000,
            request: 1_000_000,
            image: 2_000_000,
            page: 3_000_000,
            audio_second: 6_000_000,
            gpu_second: 800_000,
        };
        let table = [
            (Meter::Input, 12, "12", "0.000012", "0.0000072"),
            (Meter::CachedInput, 4, "4", "0.000004", "0.0000006"),
            (Meter::Output, 2_000_000, "2000000", "2", "3.6"),
            (Meter::Request, 3, "3", "3", "0.003"),
            (Meter::Image, 1, "1", "1", "0.002"),
            (Meter::Page, 7, "7", "7", "0.021"),
            (Meter::Audio, 1_500, "1.5", "1.5", "0.009"),
            (Meter::Gpu, 1, "0.001", "0.001", "0.0000008"),
        ];
        for (meter, counted, consumed, priced, cost) in table {
            assert_eq!(meter.consumed(counted), consumed, "{meter:?}");
            assert_eq!(meter.priced(counted), priced, "{meter:?}");
            assert_eq!(meter.cost(counted, &prices).to_string(), cost, "{meter:?}");
        }
    }
}
