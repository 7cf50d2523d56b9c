//! Weighted rendezvous hashing: of several, the one that a unit belongs to.
//!
//! Each candidate draws `weight / -log2(u)` with a `u` in (0, 1] that is hashed from the
//! candidate and the unit; the greatest wins (Schindelhauer and Schomaker, "Weighted
//! Distributed Hash Tables", 2005, the logarithmic method). So a unit leaves a candidate only
//! for one whose weight grew more, and nobody has to remember anything.
//!
//! The logarithm is one of whole numbers: a gateway in WebAssembly and one that is not have to
//! agree to the last bit, and the logarithms of their C libraries do not.

use twox_hash::XxHash3_64;

/// Bits behind the point of a logarithm: with the 7 before it and a weight of 32 bits, a
/// product has 63.
const FRACTION_BITS: u32 = 24;

/// XXH3 with 64 bits: its results are fixed since version 0.8.0 of xxHash.
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(seed, bytes)
}

/// How a candidate stands for a unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    weight: u64,
    distance: u64,
}

impl Standing {
    /// Of the candidate with this hash and this weight.
    pub(crate) fn new(candidate: u64, weight: u32, unit: u64) -> Standing {
        let drawn = hash(candidate, &unit.to_le_bytes());
        Standing { weight: u64::from(weight), distance: distance(drawn) }
    }

    /// Whether it stands before another: `w1 / d1 > w2 / d2`.
    pub(crate) const fn is_before(self, other: Standing) -> bool {
        self.weight * other.distance > other.weight * self.distance
    }
}

/// `-log2((drawn + 1) / 2^64)` with [`FRACTION_BITS`] bits behind the point, at least the
/// smallest above 0.
///
/// Bit by bit: a number in [1, 2) is squared; where that is 2 or more, the next bit of its
/// logarithm is 1 and the square is halved.
const fn distance(drawn: u64) -> u64 {
    let drawn = drawn | 1;
    let zeros = drawn.leading_zeros();
    // 1.31 in fixed point: a square still fits.
    let mut mantissa = (drawn << zeros) >> 32;
    let mut fraction = 0;
    let mut bit = 0;
    while bit < FRACTION_BITS {
        let square = (mantissa * mantissa) >> 31;
        let is_two = square >> 32;
        fraction = (fraction << 1) | is_two;
        mantissa = square >> is_two;
        bit += 1;
    }
    let whole = (zeros as u64 + 1) << FRACTION_BITS;
    let distance = whole - fraction;
    if distance == 0 { 1 } else { distance }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gateways of all versions have to agree: no change of this crate may change these.
    #[test]
    fn hashes_and_distances_are_what_they_always_were() {
        assert_eq!(hash(0, b""), 0x2d06_8005_38d3_94c2, "as XXH3 documents it");
        assert_eq!([0, 7].map(|seed| hash(seed, b"tollgate")), GOLDEN_HASHES);
        assert_eq!([0, 1 << 40, u64::MAX / 3, 1 << 63, u64::MAX].map(distance), GOLDEN_DISTANCES);
    }

    const GOLDEN_HASHES: [u64; 2] = [16_201_852_120_465_478_469, 17_238_580_830_099_395_913];
    const GOLDEN_DISTANCES: [u64; 5] = [1_073_741_824, 402_653_184, 26_591_259, 16_777_216, 1];

    #[test]
    fn a_distance_is_the_logarithm() {
        for number in 0..10_000_u64 {
            let drawn = hash(number, b"x");
            let expected = 64.0 - (drawn as f64).log2();
            let found = distance(drawn) as f64 / f64::from(1 << FRACTION_BITS);
            assert!((found - expected).abs() < 1e-6, "{drawn}: {found} {expected}");
        }
    }

    #[test]
    fn no_weight_is_too_large() {
        let least = Standing { weight: u64::from(u32::MAX), distance: distance(0) };
        let most = Standing { weight: u64::from(u32::MAX), distance: distance(u64::MAX) };
        assert!(most.is_before(least));
        assert!(!least.is_before(most));
        assert!(!least.is_before(least));
    }
}
