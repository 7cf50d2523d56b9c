//! A ratio of two sums that forget.

use crate::bytes::Reader;

/// One, in the fixed point of sums and errors.
pub(super) const ONE: u32 = 1 << 16;

/// What a sum keeps of itself when something is added: all but a part in so many, so that
/// about the last 32 answers count.
const FORGOTTEN: u64 = 32;

/// Most of one answer that is learned: what is larger is some error, and would be
/// remembered for long.
const LEARNED_MAX: u64 = 1 << 24;

/// How many tokens for how many events or bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ratio {
    tokens: u64,
    of: u64,
}

impl Ratio {
    /// A ratio that holds until something is learned, and weighs as little as an answer of
    /// `tokens` tokens.
    pub(super) fn new(tokens: u64, of: u64) -> Ratio {
        let one = u64::from(ONE);
        Ratio { tokens: tokens.saturating_mul(one), of: of.saturating_mul(one) }
    }

    /// An answer where nothing was counted teaches nothing.
    pub(super) fn learn(&mut self, tokens: u64, of: u64) {
        if tokens == 0 || of == 0 || tokens > LEARNED_MAX || of > LEARNED_MAX {
            return;
        }
        for (sum, more) in [(&mut self.tokens, tokens), (&mut self.of, of)] {
            let kept = sum.saturating_sub(*sum / FORGOTTEN);
            *sum = kept.saturating_add(more.saturating_mul(u64::from(ONE)));
        }
    }

    /// Tokens of so many, rounded half up.
    pub(super) fn times(&self, of: u64) -> u64 {
        let divisor = u128::from(self.of.max(1));
        let tokens = (u128::from(self.tokens) * u128::from(of)).saturating_add(divisor / 2);
        u64::try_from(tokens / divisor).unwrap_or(u64::MAX)
    }

    pub(super) fn read(reader: &mut Reader) -> Option<Ratio> {
        Some(Ratio { tokens: reader.u64()?, of: reader.u64()? })
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.tokens.to_le_bytes());
        bytes.extend_from_slice(&self.of.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_follows_what_it_learns() {
        let mut ratio = Ratio::new(1, 4);
        assert_eq!([ratio.times(0), ratio.times(5), ratio.times(6)], [0, 1, 2]);
        for _ in 0..50 {
            ratio.learn(100, 200);
        }
        assert_eq!(ratio.times(1_000), 500);
        for _ in 0..300 {
            ratio.learn(100, 300);
        }
        assert_eq!(ratio.times(1_000), 333);
    }

    #[test]
    fn what_cannot_be_is_not_learned() {
        let mut ratio = Ratio::new(1, 4);
        for (tokens, of) in [(0, 9), (9, 0), (u64::MAX, 1), (1, u64::MAX)] {
            ratio.learn(tokens, of);
        }
        assert_eq!(ratio, Ratio::new(1, 4));
        assert_eq!(Ratio::new(u64::MAX, 1).times(u64::MAX), u64::MAX);
        assert_eq!(Ratio { tokens: 5, of: 0 }.times(2), 10);
    }
}
