//! Ethereum: `0x` and forty hexadecimal digits, whose case is a checksum (EIP-55).

use sha3::{Digest as _, Keccak256};

/// Digits of an address.
const DIGITS: usize = 40;

/// Whether that are forty digits that no zero address fills.
pub fn shaped(digits: &str) -> bool {
    let first = digits.bytes().next();
    digits.len() == DIGITS
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && digits.bytes().skip(1).take(DIGITS - 2).any(|byte| Some(byte) != first)
}

/// Whether the letters are in the case that they must be in; `None` where all are in one.
pub fn checksum_holds(digits: &str) -> Option<bool> {
    let has = |class: fn(&u8) -> bool| digits.as_bytes().iter().any(class);
    if !has(u8::is_ascii_lowercase) || !has(u8::is_ascii_uppercase) {
        return None;
    }
    let hash = Keccak256::digest(digits.to_ascii_lowercase());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let agrees = |(byte, nibble): (u8, u8)| {
        !byte.is_ascii_alphabetic() || byte.is_ascii_uppercase() == (nibble >= 8)
    };
    Some(digits.bytes().zip(nibbles).all(agrees))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proposals_own_examples_hold() {
        for digits in [
            "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "dbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "D1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            assert_eq!(checksum_holds(digits), Some(true), "{digits}");
            assert_eq!(checksum_holds(&digits.to_ascii_lowercase()), None);
        }
        assert_eq!(checksum_holds("5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), Some(false));
    }

    #[test]
    fn nobodys_address_is_none() {
        assert!(!shaped(&"0".repeat(40)));
        assert!(!shaped(&"f".repeat(40)));
        assert!(shaped("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"));
    }
}
