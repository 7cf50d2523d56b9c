//! The checksum that keys of this gateway end with, as GitHub's tokens do: CRC-32 of what
//! stands before it, in base 62 (GitHub's blog, "Behind GitHub's new authentication token
//! formats", 2021).

/// Characters of a checksum.
pub const CHARS: usize = 6;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The checksum of a body.
pub fn of(body: &[u8]) -> [u8; CHARS] {
    let mut rest = crc32fast::hash(body);
    let mut sum = [b'0'; CHARS];
    for digit in sum.iter_mut().rev() {
        *digit = BASE62.get((rest % 62) as usize).copied().unwrap_or(b'0');
        rest /= 62;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_in_base_62() {
        assert_eq!(&of(b""), b"000000");
        // CRC-32 of "123456789" is 0xcbf43926, the check value of its catalogue.
        let back = of(b"123456789").iter().fold(0_u64, |sum, digit| {
            sum * 62 + BASE62.iter().position(|known| known == digit).unwrap() as u64
        });
        assert_eq!(back, 0xcbf4_3926);
    }
}
