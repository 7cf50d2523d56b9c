//! Check digits and checksums, so that made-up values are well formed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

const BASE58: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH32: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

fn letter(alphabet: &str, at: u32) -> char {
    alphabet.chars().nth(usize::try_from(at).unwrap_or(0)).unwrap_or('0')
}

fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> {
    text.chars().filter_map(|sign| sign.to_digit(10))
}

pub fn digit(value: u32) -> char {
    char::from_digit(value % 10, 10).unwrap_or('0')
}

/// The digit that completes a number by Luhn's rule (ISO/IEC 7812-1, annex B).
pub fn luhn(start: &str) -> char {
    let doubled = |(place, value): (usize, u32)| match place % 2 {
        0 => value * 2 / 10 + value * 2 % 10,
        _ => value,
    };
    let sum: u32 = digits(start).rev().enumerate().map(doubled).sum();
    digit(10 - sum % 10)
}

/// The two check digits of an IBAN (ISO 13616, ISO/IEC 7064 mod 97-10).
pub fn iban(country: &str, account: &str) -> String {
    let all = format!("{account}{country}00");
    let rest = all.chars().filter_map(|sign| sign.to_digit(36)).fold(0, |rest, value| {
        let shift = if value > 9 { 100 } else { 10 };
        (rest * shift + value) % 97
    });
    format!("{:02}", 98 - rest)
}

fn weighted(start: &str, weights: &[u32]) -> u32 {
    digits(start).zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// The last digit of a resident's number; foreigners' count from 13.
pub fn resident(twelve: &str, foreigner: bool) -> char {
    let sum = weighted(twelve, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    digit(if foreigner { 13 } else { 11 } + 10 - sum % 11)
}

/// The last digit of a business registration number.
pub fn business(nine: &str) -> char {
    let sum = weighted(nine, &[1, 3, 7, 1, 3, 7, 1, 3, 5]);
    let last = digits(nine).next_back().unwrap_or(0);
    digit(10 - (sum + last * 5 / 10) % 10)
}

/// The last digit of a corporation's registration number.
pub fn corporation(twelve: &str) -> char {
    let sum = weighted(twelve, &[1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2]);
    digit(10 - sum % 10)
}

/// The last digit of an EAN-13 or ISBN-13.
pub fn ean(twelve: &str) -> char {
    let sum = weighted(twelve, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
    digit(10 - sum % 10)
}

/// The six letters behind the thirty of a GitHub or npm token: CRC-32 in base 62.
pub fn token_crc(thirty: &str) -> String {
    const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(thirty.as_bytes());
    let mut letters = Vec::new();
    for _ in 0..6 {
        letters.push(letter(BASE62, rest % 62));
        rest /= 62;
    }
    letters.iter().rev().collect()
}

fn base58(bytes: &[u8]) -> String {
    let mut places: Vec<u32> = Vec::new();
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for place in &mut places {
            carry += *place << 8;
            *place = carry % 58;
            carry /= 58;
        }
        while carry > 0 {
            places.push(carry % 58);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).map(|_| '1');
    zeros.chain(places.iter().rev().map(|place| letter(BASE58, *place))).collect()
}

/// Version and hash with four bytes of a doubled SHA-256 behind.
pub fn base58_check(version: u8, hash: &[u8]) -> String {
    let mut bytes = vec![version];
    bytes.extend_from_slice(hash);
    let check = Sha256::digest(Sha256::digest(&bytes));
    bytes.extend(check.iter().take(4));
    base58(&bytes)
}

/// An address of the XRP ledger: the same with the alphabet in another order.
pub fn ripple(hash: &[u8]) -> String {
    const OTHER: &str = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";
    let change = |sign| BASE58.chars().zip(OTHER.chars()).find(|(from, _)| *from == sign);
    base58_check(0, hash).chars().filter_map(change).map(|(_, to)| to).collect()
}

fn bech32_polymod(values: &[u32]) -> u32 {
    const GENERATORS: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.iter().fold(1, |check, value| {
        let top = check >> 25;
        let next = (check & 0x01ff_ffff) << 5 ^ value;
        let bits = GENERATORS.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
        bits.fold(next, |next, (_, generator)| next ^ generator)
    })
}

/// A segregated witness address (BIP 173; BIP 350 from version 1 on).
pub fn bech32(chain: &str, version: u32, program: &[u8]) -> String {
    let mut data = vec![version];
    let (mut held, mut bits) = (0u32, 0);
    for byte in program {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            data.push(held >> bits & 31);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        data.push(held << (5 - bits) & 31);
    }
    let mut values: Vec<u32> = chain.bytes().map(|byte| u32::from(byte >> 5)).collect();
    values.push(0);
    values.extend(chain.bytes().map(|byte| u32::from(byte & 31)));
    values.extend(data.iter().copied().chain([0; 6]));
    let check = bech32_polymod(&values) ^ if version == 0 { 1 } else { 0x2bc8_30a3 };
    data.extend((0..6).map(|place| check >> (5 * (5 - place)) & 31));
    let written: String = data.iter().map(|value| letter(BECH32, *value)).collect();
    format!("{chain}1{written}")
}

/// An Ethereum address whose capitals are its checksum (ERC-55).
pub fn ethereum(forty_hex: &str) -> String {
    let hash = Keccak256::digest(forty_hex.as_bytes());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let written: String = forty_hex
        .chars()
        .zip(nibbles)
        .map(|(sign, nibble)| if nibble > 7 { sign.to_ascii_uppercase() } else { sign })
        .collect();
    format!("0x{written}")
}

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// As URLs and tokens have it (RFC 4648, section 5), without padding.
pub fn base64_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_known_numbers() {
        assert_eq!(luhn("411111111111111"), '1');
        assert_eq!(luhn("37828224631000"), '5');
        assert_eq!(iban("DE", "370400440532013000"), "89");
        assert_eq!(iban("GB", "WEST12345698765432"), "82");
        assert_eq!(business("220816251"), '7');
        assert_eq!(ean("978030640615"), '7');
        assert_eq!(corporation("110111000000"), '2');
    }

    #[test]
    fn a_resident_and_a_foreigner_count_from_different_ends() {
        assert_eq!(resident("900101123456", false), '8');
        assert_eq!(resident("900101523456", true), '1');
    }

    #[test]
    fn addresses_are_those_of_the_standards() {
        let hash = [
            0x75, 0x1e, 0x76, 0xe8, 0x19, 0x91, 0x96, 0xd4, 0x54, 0x94, 0x1c, 0x45, 0xd1, 0xb3,
            0xa3, 0x23, 0xf1, 0x43, 0x3b, 0xd6,
        ];
        assert_eq!(base58_check(0, &hash), "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH");
        assert_eq!(bech32("bc", 0, &hash), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
        let address = "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
        assert_eq!(ethereum(address), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    }
}
