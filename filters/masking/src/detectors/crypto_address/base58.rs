//! Base58Check: the last four of the bytes are those of SHA-256 of SHA-256 of the others.

use sha2::{Digest as _, Sha256};

use super::Of;

const BITCOIN: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const RIPPLE: &[u8; 58] = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";

/// Longest text that is decoded.
const CHARS_MAX: usize = 52;
/// Bytes of a version and a hash of 160 bits; Zcash and Tezos have longer versions.
const ADDRESS_BYTES: std::ops::RangeInclusive<usize> = 21..=23;
/// Bytes of a version and a private key, with or without the mark of a short public one.
const PRIVATE_KEY_BYTES: std::ops::RangeInclusive<usize> = 33..=34;
/// The version of a private key of Bitcoin.
const PRIVATE_KEY_VERSION: u8 = 0x80;
const CHECKSUM_BYTES: usize = 4;

/// What a text is, if its checksum holds.
pub fn proven(text: &str) -> Option<Of> {
    if text.len() > CHARS_MAX {
        return None;
    }
    let alphabet = if text.starts_with('r') { RIPPLE } else { BITCOIN };
    let bytes = decode(text, alphabet)?;
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
    let fits = ADDRESS_BYTES.contains(&body.len()) || PRIVATE_KEY_BYTES.contains(&body.len());
    if !fits || !Sha256::digest(Sha256::digest(body)).starts_with(sum) {
        return None;
    }
    let is_key = PRIVATE_KEY_BYTES.contains(&body.len());
    match (is_key, body.first() == Some(&PRIVATE_KEY_VERSION)) {
        (false, _) => Some(Of::Address),
        (true, true) => Some(Of::PrivateKey),
        (true, false) => None,
    }
}

/// Whether a text has the build of an address: base58 with letters of both cases and a
/// digit, and the length and the beginning of one that is in use.
pub fn shaped(text: &str) -> bool {
    let has = |class: fn(&u8) -> bool| text.as_bytes().iter().any(class);
    let begins = match text.len() {
        26..=35 => text.starts_with(['1', '3', 'T', 'L', 'M', 'D', 'X', 't', 'r']),
        95 => text.starts_with(['4', '8']),
        43 | 44 => true,
        _ => false,
    };
    begins
        && text.bytes().all(|byte| BITCOIN.contains(&byte))
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}

fn decode(text: &str, alphabet: &[u8; 58]) -> Option<Vec<u8>> {
    // Least byte first.
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        let mut carry = alphabet.iter().position(|known| *known == byte)?;
        for place in &mut bytes {
            carry += 58 * usize::from(*place);
            *place = (carry & 0xff) as u8;
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push((carry & 0xff) as u8);
        }
    }
    let zero = alphabet.first().copied()?;
    bytes.extend(text.bytes().take_while(|byte| *byte == zero).map(|_| 0));
    bytes.reverse();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(body: &[u8], alphabet: &[u8; 58]) -> String {
        let mut bytes = body.to_vec();
        let sum = Sha256::digest(Sha256::digest(body));
        bytes.extend_from_slice(&sum[..CHECKSUM_BYTES]);
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let mut digits: Vec<u8> = Vec::new();
        for byte in &bytes[zeros..] {
            let mut carry = usize::from(*byte);
            for digit in &mut digits {
                carry += 256 * usize::from(*digit);
                *digit = (carry % 58) as u8;
                carry /= 58;
            }
            while carry > 0 {
                digits.push((carry % 58) as u8);
                carry /= 58;
            }
        }
        digits.extend(std::iter::repeat_n(0, zeros));
        digits.iter().rev().map(|digit| char::from(alphabet[usize::from(*digit)])).collect()
    }

    proptest! {
        #[test]
        fn an_encoded_hash_is_proven_and_a_changed_one_not(
            version in prop::sample::select(vec![0_u8, 5, 0x41, 0x30, 0x1e, 0x4c]),
            hash in prop::array::uniform20(1_u8..),
            place in 1_usize..25,
        ) {
            let text = encode(&[&[version][..], &hash].concat(), BITCOIN);
            prop_assert_eq!(proven(&text), Some(Of::Address));
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'7' { b'8' } else { b'7' };
            prop_assert_eq!(proven(std::str::from_utf8(&changed).unwrap()), None);
        }
    }

    #[test]
    fn ripple_and_private_keys_are_told() {
        let hash = [7; 20];
        assert_eq!(proven(&encode(&[&[0][..], &hash].concat(), RIPPLE)), Some(Of::Address));
        let key = encode(&[&[PRIVATE_KEY_VERSION][..], &[9; 32], &[1]].concat(), BITCOIN);
        assert_eq!(proven(&key), Some(Of::PrivateKey));
        let other = encode(&[&[1][..], &[9; 32]].concat(), BITCOIN);
        assert_eq!(proven(&other), None);
    }
}
