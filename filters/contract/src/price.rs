//! The price list of a pool.

use serde::{Deserialize, Serialize};

/// What a pool costs, in nano-dollars. What is not there costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// A million prompt tokens that were not cached.
    pub input: u64,
    /// A million prompt tokens from the engine's cache.
    pub cached_input: u64,
    /// A million generated tokens.
    pub output: u64,
    /// A request that an engine has answered.
    pub request: u64,
    /// An image of its request.
    pub image: u64,
    /// A page of its documents.
    pub page: u64,
    /// A second of sound that the engine has heard.
    pub audio_second: u64,
    /// A second that an engine worked on it, from the request's leaving to the answer's end.
    pub gpu_second: u64,
}

impl Prices {
    /// The name of these prices: equal prices have equal names, on every
    /// machine and in every release.
    #[must_use]
    pub fn version(&self) -> String {
        let mut version = format!("i{}-c{}-o{}", self.input, self.cached_input, self.output);
        let more = [
            ('r', self.request),
            ('m', self.image),
            ('p', self.page),
            ('a', self.audio_second),
            ('g', self.gpu_second),
        ];
        for (letter, price) in more.into_iter().filter(|(_, price)| *price > 0) {
            version.push_str(&format!("-{letter}{price}"));
        }
        version
    }

    /// Whether everything is free.
    #[must_use]
    pub fn are_zero(&self) -> bool {
        *self == Prices::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_prices_have_one_name() {
        let prices = Prices { input: 1, cached_input: 2, output: 3, ..Prices::default() };
        assert_eq!(prices.version(), "i1-c2-o3");
        assert_ne!(prices.version(), Prices { input: 12, cached_input: 3, ..prices }.version());
        let more = Prices { image: 7, gpu_second: 9, ..prices };
        assert_eq!(more.version(), "i1-c2-o3-m7-g9");
        assert!(Prices::default().are_zero() && !more.are_zero());
    }
}
