//! The price list of a pool.

/// Prices in nano-dollars per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Prices {
    /// Prompt tokens that were not cached.
    pub input: u64,
    /// Prompt tokens from the engine's cache.
    pub cached_input: u64,
    /// Generated tokens.
    pub output: u64,
}

impl Prices {
    /// The name of these prices: equal prices have equal names, on every
    /// machine and in every release.
    #[must_use]
    pub fn version(&self) -> String {
        format!("i{}-c{}-o{}", self.input, self.cached_input, self.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_prices_have_one_name() {
        let prices = Prices { input: 1, cached_input: 2, output: 3 };
        assert_eq!(prices.version(), "i1-c2-o3");
        assert_ne!(prices.version(), Prices { input: 12, cached_input: 3, output: 0 }.version());
    }
}
